"""The terminal in the browser: the page at /terminal/ and its files, which are those of clients/browser."""

"""What the browser client costs beside doing the same by hand: ``make bench-browser``."""

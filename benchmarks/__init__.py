"""Measured side by side: this server, its peers and its limits. How to run them: README.md."""

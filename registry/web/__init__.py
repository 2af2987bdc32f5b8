"""The registry in a browser: served on this machine, or written as static files."""

"""One verb a file: look, decide, write (DESIGN part 7)."""

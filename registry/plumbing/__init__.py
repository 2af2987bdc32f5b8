"""The only rooms that talk to Git (DESIGN part 7)."""

"""Looking, deciding and writing: in one clone under its lock, and among many by compare-and-swap (DESIGN part 6)."""

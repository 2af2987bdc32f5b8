"""Pure rules: no Git, no files, no clock (DESIGN part 7)."""

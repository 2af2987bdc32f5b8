"""Measurements, run by hand; each shows a ratio to a yardstick of the same run."""

"""Fuzzing of everything that parses what others wrote: `python -m tests.fuzz`, and its corpus as ordinary tests."""

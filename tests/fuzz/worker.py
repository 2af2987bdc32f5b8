"""The process that fuzzes one target: `python -m tests.fuzz.worker TARGET`, then what libFuzzer is told."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["registry"]):  # our code shows what it reaches, and how it compares
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until the time is over, or something breaks."""
    atheris.Setup(["tests.fuzz", *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

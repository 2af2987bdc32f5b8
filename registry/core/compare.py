"""What differs between two mappings of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard


@dataclass(frozen=True, slots=True)
class Difference:
    """One key whose value differs; None stands for nothing there."""

    key: str
    before: object
    after: object

    @property
    def change(self) -> float | None:
        """How much a number grew, or None where one of the two is no number."""
        if is_number(self.before) and is_number(self.after):
            try:
                # Rounded where float arithmetic alone makes digits: 0.93 - 0.9 is 0.03, and 2e-13 - 1e-13 is not 0.
                return float(f"{float(self.after) - float(self.before):.12g}")
            except OverflowError:  # an integer beyond 1e308
                return None
        return None


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[Difference]:
    """The keys that differ, in the order of `before`, then of `after`."""
    keys = dict.fromkeys([*before, *after])
    return [Difference(k, before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k)]


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a number, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)

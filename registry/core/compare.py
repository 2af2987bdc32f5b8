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
        if _is_number(self.before) and _is_number(self.after):
            # Rounded where float arithmetic alone makes digits: 0.93 - 0.9 is 0.03.
            return round(float(self.after) - float(self.before), 12)
        return None


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[Difference]:
    """The keys that differ, in the order of `before`, then of `after`."""
    keys = dict.fromkeys([*before, *after])
    return [Difference(k, before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k)]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

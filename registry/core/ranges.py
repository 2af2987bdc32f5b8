"""Ranges of versions: `^1.2`, `~1.2.3`, `>=1.0,<2` (DESIGN part 3).

They mean what they mean to npm: a number left out stands for any, `^` keeps the first number that is not zero, `~`
keeps major and minor. A range speaks of releases, unless one of its versions is a pre-release.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from registry.core import version as versions_
from registry.core.version import Precedence, Version
from registry.errors import UsageError

_part = re.compile(
    r"(?P<operator>\^|~|>=|<=|==|!=|=|>|<)\s*v?"
    r"(?P<numbers>(?:0|[1-9][0-9]{0,17})(?:\.(?:0|[1-9][0-9]{0,17})){0,2})(?P<rest>[-+][0-9A-Za-z.+-]*)?"
)


@dataclass(frozen=True, slots=True)
class Range:
    """All of `tests` must hold; pre-releases take part only where the range names one."""

    tests: tuple[Callable[[Precedence], bool], ...]
    prereleases: bool

    def allows(self, version: Version) -> bool:
        """Whether the version lies in the range."""
        return (self.prereleases or not version.is_prerelease) and all(test(version.precedence) for test in self.tests)


def parse_range(text: str) -> Range:
    """The range that `text` spells. Raises UsageError."""
    tests: list[Callable[[Precedence], bool]] = []
    prereleases = False
    for part in text.split(","):
        found = _part.fullmatch(part.strip())
        numbers = [int(n) for n in found["numbers"].split(".")] if found else []
        low = _version(numbers, (found["rest"] or "") if found else "")
        if found is None or low is None or (found["rest"] and len(numbers) < 3):
            raise UsageError(f"not a range of versions: {text!r}", "such as ^1.2, ~1.2.3 or >=1.0,<2")
        prereleases = prereleases or low.is_prerelease
        tests.append(_test(found["operator"], numbers, low))
    return Range(tuple(tests), prereleases)


def _version(numbers: list[int], rest: str) -> Version | None:
    full = [*numbers, 0, 0][:3]
    return versions_.parse("v" + ".".join(map(str, full)) + rest)


def _test(operator: str, numbers: list[int], low: Version) -> Callable[[Precedence], bool]:
    start = low.precedence
    # The first precedence above everything that the numbers said stand for: 1.2 stands for 1.2.x.
    end = _below_prereleases([*numbers[:-1], numbers[-1] + 1]) if len(numbers) < 3 else None
    match operator:
        case "^":
            keep = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
            stop = _below_prereleases([*numbers[:keep], numbers[keep] + 1])
            return lambda p: start <= p < stop
        case "~":
            stop = _below_prereleases([*numbers[: min(1, len(numbers) - 1)], numbers[min(1, len(numbers) - 1)] + 1])
            return lambda p: start <= p < stop
        case ">=":
            return lambda p: p >= start
        case ">":
            return (lambda p: p > start) if end is None else (lambda p: p >= end)
        case "<=":
            return (lambda p: p <= start) if end is None else (lambda p: p < end)
        case "<":
            # What comes before 2 does not take in 2.0.0-rc.1, unless a pre-release is named.
            stop = start if low.is_prerelease else _below_prereleases(numbers)
            return lambda p: p < stop
        case "!=":
            return (lambda p: p != start) if end is None else (lambda p: not start <= p < end)
        case _:
            return (lambda p: p == start) if end is None else (lambda p: start <= p < end)


def _below_prereleases(numbers: list[int]) -> Precedence:
    """What lies just below every pre-release of the version with these numbers."""
    major, minor, patch = [*numbers, 0, 0][:3]
    return _digits(major), _digits(minor), _digits(patch), 0, ()


def _digits(number: int) -> tuple[int, str]:
    return len(str(number)), str(number)

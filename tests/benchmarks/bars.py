"""What the program must beat (DESIGN part 9), and whether it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks import commands, remote, signed
from tests.benchmarks.corpus import Shape
from tests.benchmarks.figures import Series, ratio
from tests.benchmarks.series import PATIENCE

SMALL, LARGE = Shape(100), Shape(100_000)
_PACKED = f"packed {LARGE.tags}"
_MEMORY = 300e6  # bytes
_FASTER = {100: 4, 1000: 12, 10_000: 100}  # tags, and so many times as fast as GTO
_URL = (remote.COLD, remote.WARM)
UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bar, what was measured, and whether that is enough; None where it is not known."""

    bar: str
    measured: str
    met: bool | None


def verdicts(found: Mapping[str, Series]) -> list[Verdict]:
    """Every bar."""
    grown = [commands.beside(label, LARGE) for label in (commands.REGISTER, commands.ASSIGN)]
    return [
        _at_most(found, 3, "`resolve A#S`, 100,000 tags, to `import click`", _PACKED, [commands.RESOLVE]),
        _at_most(found, 2.2, "completion, 100,000 tags, to `import click`", _PACKED, commands.COMPLETIONS),
        _at_most(found, 2, "`show --json`, 100,000 tags, first time, to `for-each-ref`", _PACKED, [commands.FIRST]),
        _at_most(found, 1, "the same again", _PACKED, [commands.AGAIN]),
        *(_faster(found, tags, times) for tags, times in _FASTER.items()),
        _at_most(found, 1.5, "`register`, `assign`: 100,000 tags to 100", "growth", grown),
        _at_most(found, 4, "`apply` of 1,000 new tags, to bare git", _PACKED, [commands.APPLY]),
        _at_most(found, 2.5, "`resolve --repo URL`, cold, warm, to fetch and click", "url", _URL),
        _at_most(found, 1.2, "`verify` of 10,000 signed tags, to `ssh-keygen` alone", "signed", [signed.VERIFY]),
        _within(found),
    ]


def _at_most(found: Mapping[str, Series], limit: float, words: str, name: str, labels: Sequence[str]) -> Verdict:
    bar = f"{words}: at most {limit:g}"
    series = found.get(name)
    if series is None or not all(label in series.figures for label in labels):
        return Verdict(bar, UNKNOWN, None)
    pairs = [(ratio(series, label), ratio(series, label, "cpu")) for label in labels]
    shown = ", ".join(f"{wall:.2f} (CPU {cpu:.2f})" for wall, cpu in pairs if wall is not None and cpu is not None)
    return Verdict(bar, shown, all(wall is not None and wall <= limit for wall, _ in pairs))


def _faster(found: Mapping[str, Series], tags: int, times: float) -> Verdict:
    bar = f"against GTO 1.10, {tags:,} tags: {times} times as fast"
    series = found.get(f"gto {tags}")
    if series is None:
        return Verdict(bar, UNKNOWN, None)
    shown, met = [], True
    for label, ours in series.figures.items():
        if not ours.yardsticks or ours.seconds is None:
            continue
        theirs = series.figures[ours.yardsticks[0]].seconds
        factor = (PATIENCE if theirs is None else theirs) / ours.seconds
        shown.append(f"{label} {'over ' if theirs is None else ''}{factor:.{0 if factor >= 10 else 1}f}")
        met = met and factor >= times
    return Verdict(bar, ", ".join(shown), met) if shown else Verdict(bar, UNKNOWN, None)


def _within(found: Mapping[str, Series]) -> Verdict:
    bar = f"memory at 100,000 tags: at most {_MEMORY / 1e6:.0f} MB"
    series = found.get(_PACKED)
    if series is None:
        return Verdict(bar, UNKNOWN, None)
    ours = [(figure.memory, label) for label, figure in series.figures.items() if figure.yardsticks]
    if not ours:
        return Verdict(bar, UNKNOWN, None)
    memory, label = max(ours)
    return Verdict(bar, f"{memory / 1e6:.0f} MB: `{label}`", memory <= _MEMORY)

"""Commands measured in turn with their yardsticks, and what came out."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.process import Cost, run

PATIENCE = 120.0  # seconds, then a command is killed
_LONG = 20.0  # seconds; what takes longer is not repeated, for no ratio here hangs on a tenth of it
_SHORT, _OFTENER = 10.0, 3  # seconds of a turn; what is over in a moment is disturbed most, and so it is run more often


def nothing() -> None:
    """What comes before a command that needs nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One command to be measured; `before` is run before each time. `yardsticks` are the labels of others, summed."""

    label: str
    command: Sequence[str]
    place: Path
    yardsticks: tuple[str, ...] = ()
    before: Callable[[], None] = nothing


@dataclass(frozen=True, slots=True)
class Figure:
    """What one command took: medians of `runs`, the memory its greatest. `seconds` None: over `PATIENCE`, killed."""

    seconds: float | None
    cpu: float
    memory: int
    runs: int
    yardsticks: tuple[str, ...] = ()


Heard = Callable[[str, Figure], None]


def measure(probes: Sequence[Probe], runs: int, environment: Mapping[str, str], series: str, heard: Heard) -> None:
    """Run the first of `probes`, then the second, ..., and all of it again, `runs` times, `_OFTENER` where it is short.

    `heard` is told the label and the figure of each as soon as it is known, so that an interruption costs nothing.
    """
    costs: dict[str, list[Cost]] = {probe.label: [] for probe in probes}
    done: set[str] = set()
    short = True
    for turn in range(runs * _OFTENER):
        if turn >= runs and not short:
            break
        began = time.perf_counter()
        for probe in probes:
            if probe.label in done:
                continue
            probe.before()
            cost = run(probe.command, probe.place, environment, PATIENCE)
            if cost is not None:
                costs[probe.label].append(cost)
            if cost is None or cost.seconds > _LONG:
                done.add(probe.label)
            words = f"{cost.seconds:.3f} s, {cost.memory / 1e6:.0f} MB" if cost else f"over {PATIENCE:.0f} s, killed"
            print(f"{series}: {probe.label}: {words}", file=sys.stderr, flush=True)
            heard(probe.label, summary(costs[probe.label], probe.yardsticks))
        short = short and time.perf_counter() - began < _SHORT


def summary(costs: Sequence[Cost], yardsticks: tuple[str, ...]) -> Figure:
    """The figure of these runs of one command."""
    if not costs:
        return Figure(None, 0.0, 0, 0, yardsticks)
    return Figure(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.memory for cost in costs),
        len(costs),
        yardsticks,
    )

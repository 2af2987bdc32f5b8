"""Metrics over versions, as lines to be drawn: small multiples, one metric each, for their scales differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.core.compare import is_number
from registry.core.metadata import Metadata

WIDTH, HEIGHT, EDGE = 320, 96, 8
LATEST = 100  # versions of a chart, the newest
_MARKED = 25  # points that are marked; more would hide the line
_MOST = 6  # charts on one page; the table has every metric


class Measured(Protocol):
    """A version with what is known of it."""

    @property
    def version(self) -> str:
        """Its name."""

    @property
    def active(self) -> bool:
        """Whether it was not deregistered."""

    @property
    def metadata(self) -> Metadata:
        """Its metrics, among others."""


@dataclass(frozen=True, slots=True)
class Point:
    """One version's value, and where it is drawn."""

    version: str
    value: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One metric over the versions that have it, oldest first."""

    metric: str
    points: Sequence[Point]

    @property
    def line(self) -> str:
        """The points as an SVG polyline says them."""
        return " ".join(f"{p.x:g},{p.y:g}" for p in self.points)

    @property
    def marked(self) -> Sequence[Point]:
        """The points to be drawn as such: none where they are many."""
        return self.points if len(self.points) <= _MARKED else ()

    def of(self, version: str | None) -> float | None:
        """The value of one version."""
        return next((p.value for p in self.points if p.version == version), None)

    @property
    def low(self) -> float:
        """The least value."""
        return min(p.value for p in self.points)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(p.value for p in self.points)


def metric_names(versions: Sequence[Measured]) -> list[str]:
    """The metrics of some versions, those that most versions have first."""
    seen = Counter(name for version in versions for name in version.metadata.metrics)
    return [name for name, _ in seen.most_common()]  # on a tie as they were met: as the newest version has them


def charts(versions: Sequence[Measured]) -> list[Chart]:
    """A chart for each of the first metrics that are numbers in at least two versions. `versions`: newest first."""
    made = []
    for name in metric_names(versions):
        values = [(v.version, number(v.metadata.metrics.get(name))) for v in reversed(versions) if v.active]
        there = [(version, value) for version, value in values if value is not None]
        if len(there) >= 2:
            made.append(Chart(name, _points(there)))
    return made[:_MOST]


def number(value: object) -> float | None:
    """A metric that can be drawn."""
    if not is_number(value):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _points(values: Sequence[tuple[str, float]]) -> list[Point]:
    low, high = min(v for _, v in values), max(v for _, v in values)
    wide, tall = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    points = []
    for place, (version, value) in enumerate(values):
        # Halved first: the span of two doubles may be more than a double holds.
        span = high / 2 - low / 2
        share = (value / 2 - low / 2) / span if span > 0 else 0.5
        x = EDGE + wide * place / (len(values) - 1)
        points.append(Point(version, value, round(x, 2), round(EDGE + tall * (1 - share), 2)))
    return points

"""What was measured so far, kept beside this page, a line a figure: what is measured again replaces its own series."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.benchmarks.series import Figure

KEPT = Path(__file__).with_name("figures.jsonl")


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured in turn, by label, and on which machine with which programs."""

    machine: str
    figures: dict[str, Figure] = field(default_factory=dict)


def load(file: Path) -> dict[str, Series]:
    """The series by name."""
    found: dict[str, Series] = {}
    for line in file.read_text().splitlines() if file.exists() else ():
        words = json.loads(line)
        name, machine, label = (words.pop(key) for key in ("series", "machine", "label"))
        figure = Figure(**{**words, "yardsticks": tuple(words["yardsticks"])})
        found.setdefault(name, Series(machine)).figures[label] = figure
    return found


def save(file: Path, found: Mapping[str, Series]) -> None:
    """Keep all of it."""
    rows = [
        {"series": name, "machine": found[name].machine, "label": label, **asdict(figure)}
        for name in sorted(found)
        for label, figure in found[name].figures.items()
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def ratio(series: Series, label: str, what: str = "seconds") -> float | None:
    """How many times its yardsticks' seconds (or cpu) a command took; None where that is not known."""
    figure = series.figures[label]
    marks = [getattr(series.figures[name], what) for name in figure.yardsticks if name in series.figures]
    if figure.seconds is None or len(marks) < len(figure.yardsticks) or None in marks or not sum(marks):
        return None
    return float(getattr(figure, what) / sum(marks))

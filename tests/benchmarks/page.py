"""The tables of docs/benchmarks.md, each between two marks of its own; the words around them are written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.benchmarks.bars import Verdict, verdicts
from tests.benchmarks.figures import Series, ratio
from tests.benchmarks.series import PATIENCE, Figure

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_SHAPES = ("packed", "loose", "changing")


def write(page: Path, found: Mapping[str, Series]) -> None:
    """Put every table into the page; one that nothing was measured for stays as it is."""
    text = page.read_text()
    for mark, table in tables(found).items():
        text = put(text, mark, table)
    page.write_text(text)


def put(text: str, mark: str, table: str) -> str:
    """`text` with `table` between the marks. Raises ValueError where there are none."""
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
    start = text.index(begin) + len(begin)
    return f"{text[:start]}{table}\n{text[text.index(end, start) :]}"


def tables(found: Mapping[str, Series]) -> dict[str, str]:
    """The tables that there are figures for, by their marks."""
    by_shape = {shape: _of(found, shape) for shape in _SHAPES}
    wide = {shape: _by_size(of) for shape, of in by_shape.items() if of}
    narrow = {name: _plain(found[name]) for name in ("growth", "url", "signed") if name in found}
    rest = {"gto": _against(found)} if _of(found, "gto") else {}
    million = {"million": _million(found)} if "packed 1000000" in found else {}
    return {"bars": judged(verdicts(found)), **wide, **narrow, **rest, **million}


def _of(found: Mapping[str, Series], shape: str) -> dict[int, Series]:
    """The series of one shape by the number of tags, but for the million, which has a table of its own."""
    sizes = {int(name.split(" ")[1]): name for name in found if name.startswith(f"{shape} ")}
    return {size: found[sizes[size]] for size in sorted(sizes) if size < 1_000_000}


def judged(those: Sequence[Verdict]) -> str:
    """A row for each bar."""
    words = {True: "met", False: "**missed**", None: ""}
    return _table(["bar", "measured", ""], ["", "", ""], [[v.bar, v.measured, words[v.met]] for v in those])


def _by_size(series: Mapping[int, Series]) -> str:
    """A row for each command, a column for each size, and what it is at the largest."""
    last = max(series)
    labels = dict.fromkeys(label for one in series.values() for label in one.figures)
    heads = [f"{size:,}" for size in series]
    rows = [
        [
            f"`{label}`",
            *(seconds(one.figures.get(label)) for one in series.values()),
            _ratio(series[last], label, "seconds"),
            _ratio(series[last], label, "cpu"),
            _megabytes(series[last].figures.get(label)),
        ]
        for label in labels
    ]
    titles = ["seconds at so many tags", *heads, "to its yardstick", "CPU to its", "MB"]
    return _table(titles, ["", *["---:"] * (len(heads) + 3)], rows) + _machines(series.values())


def _plain(series: Series) -> str:
    """A row for each command."""
    rows = [
        [f"`{label}`", seconds(figure), _ratio(series, label, "seconds"), _ratio(series, label, "cpu")]
        for label, figure in series.figures.items()
    ]
    titles = ["", "seconds", "to its yardstick", "CPU to its"]
    return _table(titles, ["", "---:", "---:", "---:"], rows) + _machines([series])


def _against(found: Mapping[str, Series]) -> str:
    """A row for each command that both have: our seconds, theirs, and how often ours go into theirs."""
    series = _of(found, "gto")
    labels = [label for label, figure in series[min(series)].figures.items() if figure.yardsticks]
    rows = []
    for label in labels:
        cells = [f"`{label}`"]
        for one in series.values():
            ours, theirs = one.figures.get(label), one.figures.get(f"gto {label}")
            faster = ratio(one, label) if ours else None
            cells += [seconds(ours), seconds(theirs), f"{1 / faster:.1f}" if faster else ""]
        rows.append(cells)
    heads = [word for size in series for word in (f"{size:,} tags", "GTO", "times")]
    return _table(["", *heads], ["", *["---:"] * len(heads)], rows) + _machines(series.values())


def _million(found: Mapping[str, Series]) -> str:
    """A row for each command: a million tags against a hundred thousand."""
    few, many = (found.get(name, Series("")).figures for name in ("packed 100000", "packed 1000000"))
    rows = []
    for label, figure in many.items():
        before = few.get(label)
        grown = figure.seconds / before.seconds if before and before.seconds and figure.seconds else None
        heavier = figure.memory / before.memory if before and before.memory else None
        rows.append([
            f"`{label}`",
            *(cell for one in (before, figure) for cell in (seconds(one), _megabytes(one))),
            f"{grown:.1f}" if grown else "",
            f"{heavier:.1f}" if heavier else "",
        ])  # fmt: skip
    heads = ["", "100,000 tags, s", "MB", "1,000,000 tags, s", "MB", "times the seconds", "times the memory"]
    return _table(heads, ["", *["---:"] * 6], rows) + _machines([found["packed 1000000"]])


def seconds(figure: Figure | None) -> str:
    """The seconds in three digits, whatever their size; empty where it was not measured."""
    if figure is None:
        return ""
    if figure.seconds is None:
        return f"over {PATIENCE:.0f}"
    return f"{figure.seconds:.3f}" if figure.seconds < 10 else f"{figure.seconds:.0f}"


def _ratio(series: Series, label: str, what: str) -> str:
    found = ratio(series, label, what) if label in series.figures else None
    return f"{found:.2f}" if found is not None and series.figures[label].yardsticks else ""


def _megabytes(figure: Figure | None) -> str:
    return f"{figure.memory / 1e6:.0f}" if figure and figure.memory else ""


def _machines(series: Iterable[Series]) -> str:
    found = list(series)
    runs = [figure.runs for one in found for figure in one.figures.values() if figure.runs]
    machines = "; ".join(dict.fromkeys(one.machine for one in found))
    if not runs:
        return ""
    many = f"{min(runs)} to {max(runs)}" if min(runs) < max(runs) else f"{runs[0]}"
    return f"\n\nMedians of {many} runs on {machines}."


def _table(titles: Sequence[str], rules: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, [rule or "---" for rule in rules], *rows]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in line) for line in lines)

"""Printing: data on stdout, words for people on stderr; tables in a terminal, tabs in a pipe (DESIGN part 5)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import click

from registry.cli.text import safe
from registry.core.manifest import Json

__all__ = ["Column", "as_json", "field", "heading", "line", "note", "safe", "say", "table", "terminal"]

Style = Literal["", "name", "version", "faint", "good", "bad"]
_STYLES = {"": "", "name": "bold", "version": "cyan", "faint": "dim", "good": "green", "bad": "red"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Where a terminal is too narrow, those that `give` are shortened; the others stay whole."""

    title: str
    style: Style = ""
    give: bool = False
    right: bool = False


_NARROWEST = 6  # below that, a shortened cell says nothing


def terminal() -> bool:
    """Whether stdout is one."""
    return sys.stdout.isatty()


def as_json(value: Json) -> None:
    """Print a value as JSON, in ASCII, so that nothing in it reaches a terminal as a command."""
    import json  # most commands print text

    click.echo(json.dumps(value, indent=2 if terminal() else None))


def line(text: str, *, faint: str = "", width: int = 0) -> None:
    """Print one line of data; in a terminal, `faint` words about it follow at `width`."""
    if faint and terminal():
        click.echo(f"{safe(text):{width}}  {click.style(safe(faint), dim=True)}")
    else:
        click.echo(safe(text))


def say(text: str) -> None:
    """Tell the person something."""
    click.echo(safe(text), err=True)


def note(text: str) -> None:
    """Tell the person something to mind."""
    say(f"note: {text}")


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows: with a heading and aligned in a terminal, as tab-separated values in a pipe."""
    cells = [[safe(cell).replace("\t", " ") for cell in row] for row in rows]
    if not terminal():
        for row in cells:
            click.echo("\t".join(row))
        return
    _drawn(columns, cells)


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # 80 ms, and only a terminal needs it
    from rich.table import Table
    from rich.text import Text

    used = [index for index, _ in enumerate(columns) if any(row[index] for row in rows)]
    drawn = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for index in used:
        column = columns[index]
        drawn.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    widths = _fitted(columns, used, rows, Console().width)
    for row in rows:
        drawn.add_row(*(Text(_cut(row[index], widths[index]), style=_STYLES[columns[index].style]) for index in used))
    Console(highlight=False, soft_wrap=False).print(drawn)


def _fitted(
    columns: Sequence[Column], used: Sequence[int], rows: Sequence[Sequence[str]], width: int
) -> dict[int, int]:
    """The width of each column: as wide as its cells, those that give shortened evenly until the row fits."""
    from rich.cells import cell_len

    widths = {i: max([len(columns[i].title), *(cell_len(row[i]) for row in rows)]) for i in used}
    while sum(widths.values()) + 2 * (len(used) - 1) > width:
        widest = max((i for i in used if columns[i].give), key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _cut(text: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    ellipsis = "…" if (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf") else "~"
    return set_cell_size(text, width - 1) + ellipsis


def heading(text: str) -> None:
    """Print a heading above a table."""
    click.secho(safe(text), bold=True)


def field(name: str, value: str) -> None:
    """Print one named value; nothing where it is empty."""
    if value:
        click.echo(f"{click.style(f'{name}:', dim=True) if terminal() else name + ':'} {safe(value)}")

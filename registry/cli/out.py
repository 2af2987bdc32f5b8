"""Printing: data on stdout, words for people on stderr; tables in a terminal, tabs in a pipe (DESIGN part 5)."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import click

from registry.core.text import safe

if TYPE_CHECKING:
    from registry.core.manifest import Json

__all__ = [
    "Column",
    "as_json",
    "as_json_list",
    "counted",
    "field",
    "heading",
    "line",
    "note",
    "paged",
    "problem",
    "progress",
    "safe",
    "say",
    "styled",
    "table",
    "terminal",
]

Style = Literal["", "name", "version", "faint", "good", "bad", "warning"]
_STYLES: dict[str, dict[str, Any]] = {
    "name": {"bold": True},
    "version": {"fg": "cyan"},
    "faint": {"dim": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "warning": {"fg": "yellow"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Where a terminal is too narrow, those that `give` 1 are shortened first, then those that give 2."""

    title: str
    style: Style = ""
    give: Literal[0, 1, 2] = 0
    right: bool = False


_NARROWEST = 6  # below that, a shortened cell says little
_NARROW_TITLE = 11  # the longest of our own titles; those that are versions are shortened too
_GAP = "  "
_NOT_THERE = {126, 127}  # what the shell says of a program that it cannot run


def terminal() -> bool:
    """Whether stdout is one."""
    return sys.stdout is not None and sys.stdout.isatty()


class _Kept(io.TextIOWrapper):
    """What is printed on a terminal, before it is shown there."""

    def isatty(self) -> bool:
        return True


@contextmanager
def paged() -> Iterator[None]:
    """What is printed meanwhile is shown by the person's pager, where it has more lines than the terminal."""
    if not terminal():
        yield
        return
    screen = sys.stdout
    kept = _Kept(io.BytesIO(), encoding=screen.encoding, errors=screen.errors)
    with redirect_stdout(kept):
        yield
    kept.seek(0)
    text = kept.read()
    if not _shown(text):
        click.echo(text, nl=False)


def _shown(text: str) -> bool:
    """Whether a pager has shown `text`."""
    from shutil import get_terminal_size

    if text.count("\n") < get_terminal_size().lines:
        return False
    import signal
    import subprocess

    from registry.plumbing.pager import pager

    command = pager()
    if not command:
        return False
    before = signal.signal(signal.SIGINT, lambda *_: None)  # ^C is the pager's to understand
    try:
        done = subprocess.run(  # noqa: S602  (the person's own setting, which Git gives to the shell as well)
            command,
            shell=True,
            input=text.encode(sys.stdout.encoding, errors="backslashreplace"),
            env={"LESS": "FRX", "LV": "-c", **os.environ},
            check=False,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode not in _NOT_THERE


def styled(text: str, style: Style) -> str:
    """`text` in a style, where stdout is a terminal and nobody minds (no-color.org)."""
    if not style or not text or not terminal() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **_STYLES[style])


def as_json(value: Json) -> None:
    """Print a value as JSON, in ASCII, so that nothing in it reaches a terminal as a command."""
    import json  # most commands print text

    click.echo(json.dumps(value, indent=2 if terminal() else None))


def as_json_list(name: str, items: Iterable[Json], before: Mapping[str, Json] | None = None) -> None:
    """Print a JSON object that ends in a list, after what stands `before` it.

    It is written item by item: a list may be long, and nobody has to hold it as text.
    """
    import json

    indent = 2 if terminal() else None
    head, _, end = json.dumps({**(before or {}), name: []}, indent=indent).rpartition("]")
    first, further, last = ("\n    ", ",\n    ", "\n  ") if indent else ("", ", ", "")

    def pieces() -> Iterator[str]:
        yield head
        gap = first
        for item in items:
            yield gap + json.dumps(item, indent=indent).replace("\n", "\n    ")
            gap = further
        yield f"{last if gap is further else ''}]{end}\n"

    _echo(pieces())


def _echo(pieces: Iterable[str]) -> None:
    """Print what there are many of, some at a time: `click.echo` takes as long for one line as for a thousand."""
    left = iter(pieces)
    while block := "".join(islice(left, 1000)):
        click.echo(block, nl=False)


def line(text: str, *, faint: str = "", width: int = 0) -> None:
    """Print one line of data; in a terminal, `faint` words about it follow at `width`."""
    if faint and terminal():
        click.echo(f"{safe(text):{width}}{_GAP}{styled(safe(faint), 'faint')}")
    else:
        click.echo(safe(text))


def say(text: str) -> None:
    """Tell the person something."""
    click.echo(safe(text), err=True)


def note(text: str) -> None:
    """Tell the person something to mind."""
    say(f"note: {text}")


def progress() -> Callable[[str], None]:
    """What shows the network's progress: on one line of a terminal, once it has taken a second."""
    if sys.stderr is None or not sys.stderr.isatty():
        return lambda _: None
    return _Progress()


class _Progress:
    def __init__(self) -> None:
        self._since = 0.0
        self._shown = False

    def __call__(self, words: str) -> None:
        import time  # a terminal alone needs it

        if not words:  # the talk is over
            if self._shown:
                click.echo("\r\033[K", err=True, nl=False)
            self._since, self._shown = 0.0, False
            return
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since > 1:
            self._shown = True
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            click.echo(f"\r\033[K{safe(words)[:width]}", err=True, nl=False)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print rows: with a heading and aligned in a terminal, as tab-separated values in a pipe, each as it comes."""
    drawn = ([safe(cell).replace("\t", " ") for cell in row] for row in rows)
    if not terminal():
        _echo("\t".join(row) + "\n" for row in drawn)
        return
    cells = list(drawn)
    used = [index for index, _ in enumerate(columns) if any(row[index] for row in cells)]
    _drawn([columns[i] for i in used], [[row[i] for i in used] for row in cells])


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from shutil import get_terminal_size  # only a terminal needs these

    widths = _fitted(columns, rows, get_terminal_size().columns)
    titles = [Column(column.title, "faint", right=column.right) for column in columns]
    for kinds, row in [(titles, [column.title for column in columns]), *((columns, row) for row in rows)]:
        last = max((i for i, text in enumerate(row) if text), default=0)  # so that no line ends in blanks
        cells = [_cell(text, kinds[i], widths[i], pad=i < last) for i, text in enumerate(row[: last + 1])]
        click.echo(_GAP.join(cells))


def _cell(text: str, column: Column, width: int, *, pad: bool) -> str:
    from rich.cells import cell_len

    cut = _cut(text, width)
    blanks = " " * (width - cell_len(cut))
    return f"{blanks if column.right else ''}{styled(cut, column.style)}{blanks if pad and not column.right else ''}"


def _fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The width of each column: as wide as its cells; where that is too wide, the widest of those that give first is
    shortened until the row fits, and the others only when these are as narrow as can be."""
    from rich.cells import cell_len

    widths = [
        max(cell_len(cell) for cell in [column.title, *(row[i] for row in rows)]) for i, column in enumerate(columns)
    ]
    narrow = [max(_NARROWEST, min(len(column.title), _NARROW_TITLE)) for column in columns]
    for giving in ([c.give == 1 for c in columns], [c.give > 0 for c in columns], [True for _ in columns]):
        while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
            open_ = [i for i, gives in enumerate(giving) if gives and widths[i] > narrow[i]]
            if not open_:
                break
            widths[max(open_, key=lambda i: widths[i])] -= 1
    return widths


def _cut(text: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    ellipsis = "…" if (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf") else "~"
    return set_cell_size(text, width - 1).rstrip() + ellipsis


def counted(number: int, what: str) -> str:
    """`1 tag`, `2 tags`."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def size(count: float) -> str:
    """A number of bytes, for people: 8.19 kB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def heading(text: str) -> None:
    """Print a heading above a table."""
    click.echo(styled(safe(text), "name"))


def field(name: str, value: str) -> None:
    """Print one named value; nothing where it is empty."""
    if value:
        click.echo(f"{styled(f'{name}:', 'faint')} {safe(value)}")


def problem(severity: str, text: str) -> None:
    """Print one thing that is wrong, an error or a warning."""
    click.echo(f"{styled(severity, 'bad' if severity == 'error' else 'warning')}: {safe(text)}")

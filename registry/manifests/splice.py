"""Entries put into the lines of a manifest and taken out of them, where the parser saw what they concern.

What comes out of here is a proposal: `edit` proves that it says what was wanted.
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.core.manifest import Json
from registry.manifests.documents import Node, Scalar, Table
from registry.manifests.dump import dumped, dumped_flow


def added(text: str, root: Table, section: str, name: str, fields: dict[str, Json]) -> Iterator[str]:
    """Ways to write the entry into `text`, the prettiest first; none where the file is all in brackets."""
    if root.flow:
        return
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    table = root.values.get(section)
    step = step_of(root)
    if table is None:
        blank = [newline] if lines and lines[-1].strip() else []
        new = _lines(dumped({section: {name: fields}}, step), 0, newline)
        yield _joined(lines, [*blank, *new], [], newline)
    elif isinstance(table, Table) and table.values and table.flow:
        end = lines[table.end_line - 1]
        before, after = end[: table.end_column - 2], end[table.end_column - 2 :]  # from the closing bracket on
        lines[table.end_line - 1] = f"{before.rstrip(' ')}, {dumped_flow({name: fields})}{after}"
        yield "".join(lines)
    elif isinstance(table, Table) and table.values:
        yield from _added_last(lines, table, {name: fields}, step, newline)
    elif (at := _cut_value(lines, root.keys[section], table)) is not None:
        at = _after_comments(lines, at, 1)
        new = _lines(dumped({name: fields}, step), step, newline)
        yield _joined(lines[:at], [*_gap(lines[:at], step, newline), *new], lines[at:], newline)


def _added_last(lines: list[str], table: Table, entry: dict[str, Json], step: int, newline: str) -> Iterator[str]:
    own = [key for name, key in table.keys.items() if name not in table.merged]
    if not own:
        return
    indent = own[0].column - 1
    new = _lines(dumped(entry, _inner_step(table, indent) or step), indent, newline)
    apart = [newline] if _stand_apart(lines, own) else []
    last = last_line(table)
    # First below what the last entry has commented out; else, for a text that keeps its blank lines, right below.
    for at in dict.fromkeys((_after_comments(lines, _trimmed(lines, last), indent), last)):
        gap = apart or _gap(lines[:at], indent, newline)
        yield _joined(lines[:at], [*gap, *new], lines[at:], newline)


def removed(text: str, table: Table, name: str) -> Iterator[str]:
    """Ways to take the entry out of `text`, the prettiest first; none where it shares its lines with others."""
    lines = text.splitlines(keepends=True)
    key = table.keys[name]
    if table.flow:
        yield from _removed_from_brackets(lines, table, name)
    if table.flow or lines[key.line - 1][: key.column - 1].strip(" \ufeff"):
        return
    indent = key.column - 1
    first = key.line - 1
    while first > 0 and lines[first - 1].startswith(" " * indent + "#"):
        first -= 1
    last = _after_comments(lines, _trimmed(lines, last_line(table.values[name])), indent + 1)
    above = first > 0 and not lines[first - 1].strip()
    own = [other for other in table.keys if other not in table.merged]
    if above and own[-1] == name and last < len(lines):  # the blank line above is its own, those below are not
        yield "".join([*lines[: first - 1], *lines[last:]])
    if above or (len(own) > 1 and own[0] == name):  # as many blank lines as stood between two entries
        while last < len(lines) and not lines[last].strip():
            last += 1
    kept = lines[:first]
    if last >= len(lines):
        kept = kept[: _trimmed(kept, len(kept))]
    yield "".join([*kept, *lines[last:]])
    yield "".join([*lines[:first], *lines[last:]])  # where a text ends in blank lines of its own


def _removed_from_brackets(lines: list[str], table: Table, name: str) -> Iterator[str]:
    """Cut the entry out behind the one before it, where all of that is on one line."""
    own = [other for other in table.keys if other not in table.merged]
    value = table.values[name]
    if own[0] == name:
        return
    before = table.values[own[own.index(name) - 1]]
    if before.end_line == value.end_line:
        line = lines[value.end_line - 1]
        lines[value.end_line - 1] = line[: before.end_column - 1] + line[value.end_column - 1 :]
        yield "".join(lines)


def last_line(node: Node) -> int:
    """The last line that `node` has a character on."""
    return node.end_line - 1 if node.end_column == 1 and node.end_line > node.line else node.end_line


def _trimmed(lines: list[str], last: int) -> int:
    """The number of lines up to the last that is not blank, of the first `last`."""
    last = min(last, len(lines))
    while last > 0 and not lines[last - 1].strip():
        last -= 1
    return last


def _after_comments(lines: list[str], at: int, indent: int) -> int:
    """The number of lines up to the last comment that is indented by `indent` or more and follows line `at`."""
    for number in range(at, len(lines)):
        bare = lines[number].lstrip(" ")
        if bare.startswith("#") and len(lines[number]) - len(bare) >= indent:
            at = number + 1
        elif bare.strip():
            break
    return at


def _cut_value(lines: list[str], key: Scalar, value: Node) -> int | None:
    """Cut an empty value (`{}`, `null`) out of the line of its key; the number of lines up to there."""
    line = key.line - 1
    start, end = value.column - 1, value.end_column - 1
    if value.line != key.line or value.end_line != key.line:
        return key.line if isinstance(value, Scalar) and value.text == "" else None
    if start < end:
        lines[line] = lines[line][:start].rstrip(" ") + lines[line][end:]
    return key.line


def step_of(root: Table) -> int:
    """By how many spaces the file indents, 2 where nothing says."""
    return _inner_step(root, 0) or 2


def _inner_step(table: Table, indent: int) -> int | None:
    """By how much more than `indent` the first mapping in `table` that has lines of its own is indented."""
    for name, key in table.keys.items():
        value = table.values[name]
        if name in table.merged or not isinstance(value, Table) or value.flow:
            continue
        # Its keys say it, for it begins behind its anchor; those that came from elsewhere (`*a`, `<<: *a`) do not.
        columns = [k.column for other, k in value.keys.items() if other not in value.merged and k.line > key.line]
        if columns and min(columns) - 1 > indent:
            return min(columns) - 1 - indent
    return None


def _stand_apart(lines: list[str], own: list[Scalar]) -> bool:
    """Whether the entries of the section have a blank line between them."""
    if len(own) < 2:
        return False
    first = own[1].line - 1
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return first > 0 and not lines[first - 1].strip()


def _gap(before: list[str], indent: int, newline: str) -> list[str]:
    """A blank line below a comment that would otherwise pass for the new entry's own."""
    return [newline] if before and before[-1].startswith(" " * indent + "#") else []


def _joined(before: list[str], entry: list[str], after: list[str], newline: str) -> str:
    if before and not before[-1].endswith(("\n", "\r")):
        before = [*before[:-1], before[-1] + newline]
    return "".join([*before, *entry, *after])


def _lines(text: str, indent: int, newline: str) -> list[str]:
    return [f"{' ' * indent if line.strip() else ''}{line}{newline}" for line in text.splitlines()]

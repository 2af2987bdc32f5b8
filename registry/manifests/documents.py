"""YAML into positioned values, safely: whatever the bytes, the answer is a node or one `DocumentError`.

The scalars are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so `yes` and `1_000` are
texts. Keys are texts, as written. Numbers that JSON does not know (`.inf`, `.nan`, 1e999) stay texts as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from registry.core.manifest import Json
from registry.errors import ManifestError

MAX_BYTES = 10_000_000
MAX_DEPTH = 100  # aliases followed, so that those who walk the nodes may recurse
MAX_SIZE = 1_000_000  # nodes with every alias written out, long texts counting for more: an alias bomb ends here
MAX_DIGITS = 300  # of an integer: one more would not fit into a float, 4,300 not into int() (CVE-2020-10735)

JsonScalar: TypeAlias = "str | int | float | bool | None"


class DocumentError(ManifestError):
    """A file is not YAML that we read. `line` and `column` count from 1, `reason` is one short sentence."""

    def __init__(self, line: int, column: int, reason: str, hint: str = "") -> None:
        super().__init__(f"{line}:{column}: {reason}", hint)
        self.line = line
        self.column = column
        self.reason = reason


@dataclass(slots=True)
class _Positioned:
    """Where a node begins, and where it ends: `end_column` is one past its last character."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(slots=True)
class Scalar(_Positioned):
    """A text, a number, a flag or null. `text` is how it was written, without quotes."""

    value: JsonScalar
    text: str


@dataclass(slots=True)
class Items(_Positioned):
    """A sequence. `flow` says that it is written in brackets."""

    items: list[Node] = field(default_factory=list)
    flow: bool = False


@dataclass(slots=True)
class Table(_Positioned):
    """A mapping in the order of the file. Keys in `merged` stand elsewhere and came through `<<`."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    flow: bool = False


Node: TypeAlias = Scalar | Items | Table


@dataclass(frozen=True, slots=True)
class Alias:
    """One use of an anchor: the line of the node that carries the anchor, and the line of the alias."""

    anchor: str
    defined: int
    used: int


def parse(source: bytes | str, duplicates: list[DocumentError] | None = None) -> Node:
    """The document in `source`; an empty one is a null. Raises DocumentError.

    Duplicate keys go into `duplicates`, and of two values the first counts; without the list they are raised.
    """
    return _Composer(duplicates).compose(_decoded(source))


def aliases(source: bytes | str) -> list[Alias]:
    """All aliases of a document, in its order. Raises DocumentError."""
    composer = _Composer()
    composer.compose(_decoded(source))
    return composer.aliases


def plain(node: Node) -> Json:
    """The node as JSON has it, without positions."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item) for item in node.items]
        case Table():
            return {key: plain(value) for key, value in node.values.items()}


# What YAML calls printable (https://yaml.org/spec/1.2.2/#51-character-set), without the byte order mark.
_unprintable = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _decoded(source: bytes | str) -> str:
    if len(source) > MAX_BYTES:
        hint = "put the data into a file of its own, and its path in here"
        raise DocumentError(1, 1, f"larger than {MAX_BYTES // 1_000_000} MB", hint)
    if isinstance(source, str):
        text = source
    else:
        try:
            text = source.decode("utf-8")
        except UnicodeDecodeError as error:
            line, column = _position(source[: error.start].decode("utf-8"))
            raise DocumentError(line, column, "not a text in UTF-8", "save the file as UTF-8") from None
    text = text.removeprefix("\ufeff")
    if found := _unprintable.search(text):
        line, column = _position(text[: found.start()])
        reason = f"control character U+{ord(found.group()):04X}, as in a binary file"
        raise DocumentError(line, column, reason, "remove it, or restore the file from Git")
    return text


_break = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # where libyaml begins a new line


def _position(before: str) -> tuple[int, int]:
    lines = _break.split(before)
    return len(lines), len(lines[-1]) + 1


# By a part of what libyaml says; the first that fits.
_SYNTAX_HINTS = {
    "mapping values are not allowed": "put a text with a colon in it into quotes, or correct the indentation",
    "cannot start any token": "indent with spaces, not tabs, and put a text that begins with @, ` or % into quotes",
    "unexpected end of stream": "close the quote that is opened above",
    "escape character": "write a backslash twice in double quotes, or use single quotes",
    "',' or ']'": "close the bracket, and put a comma between its items",
    "',' or '}'": "close the bracket, and put a comma between its entries",
    "could not find expected ':'": "write `key: value`, with a space behind the colon",
    "expected key": "indent this line as the other keys of its mapping",
    "expected '-' indicator": "indent this line as the other items of its list",
    "tag": "remove the tag, or put the text into quotes",
    "": "check the indentation, brackets and quotes here and right above",
}


def _events(text: str) -> Iterator[Any]:
    """libyaml's events, one at a time: it is quadratic in the depth of a nesting, which we stop at MAX_DEPTH."""
    # As dear to import as click, and most commands read no YAML.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        # As bytes, for the parser written in C takes a text apart more slowly.
        yield from YAML(typ="safe").parse(text.encode("utf-8"))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        if line > len(text.splitlines()):  # where the text ends too early, libyaml points to the line below it
            line, column = _position(text.rstrip("\r\n"))
        reason = " ".join(str(reason).split())
        hint = next(hint for part, hint in _SYNTAX_HINTS.items() if part in reason)
        raise DocumentError(line, column, reason, hint) from None


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    node: Items | Table
    size_before: int
    height: int = 1
    key: Scalar | None = None
    merge: list[Table] = field(default_factory=list)
    merge_key: bool = False  # the pending key is a `<<`
    anchor: str | None = None


@dataclass(slots=True)
class _Anchored:
    node: Node
    size: int = 0  # 0 while the node is open
    height: int = 0


class _Composer:
    """Puts events together without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, duplicates: list[DocumentError] | None = None) -> None:
        self._duplicates = duplicates
        self.aliases: list[Alias] = []
        self._anchors: dict[str, _Anchored] = {}
        self._stack: list[_Open] = []
        self._size = 0
        self._root: Node | None = None

    def compose(self, text: str) -> Node:
        documents = 0
        for event in _events(text):
            match type(event).__name__:
                case "ScalarEvent":
                    self._scalar(event)
                case "MappingStartEvent" | "SequenceStartEvent":
                    self._open(event)
                case "MappingEndEvent" | "SequenceEndEvent":
                    self._close(event)
                case "AliasEvent":
                    self._alias(event)
                case "DocumentStartEvent":
                    documents += 1
                    if documents > 1:
                        hint = "move it into the first, or into a file of its own"
                        raise _error(event, "a second document begins here; one is read", hint)
        return self._root if self._root is not None else Scalar(1, 1, 1, 1, None, "")

    def _scalar(self, event: Any) -> None:
        text = event.value
        start, end = event.start_mark, event.end_mark
        node = Scalar(start.line + 1, start.column + 1, end.line + 1, end.column + 1, _value(event), text)
        size = 1 + len(text) // 100
        self._grow(event, size)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(node, size)
        plain_merge = text == "<<" and event.tag is None and event.implicit[0]
        self._attach(node, 0, plain_merge)

    def _open(self, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise _error(event, f"nested deeper than {MAX_DEPTH} levels", _FLATTEN)
        mapping = type(event).__name__ == "MappingStartEvent"
        if event.tag not in {None, _CORE + ("map" if mapping else "seq")}:
            raise _error(event, f"unknown tag {_short(event.tag)}", _UNTAG)
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        kind = Table if mapping else Items
        node = kind(line, column, line, column, flow=bool(event.flow_style))
        self._stack.append(_Open(node, self._size, anchor=event.anchor))
        self._grow(event, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(node)

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        node = done.node
        if node.flow:  # the end of one in block style is where the next token begins: its last child's is better
            node.end_line, node.end_column = event.end_mark.line + 1, event.end_mark.column + 1
        if isinstance(node, Table) and done.merge:
            _merge(node, done.merge)
        if done.anchor is not None and (mine := self._anchors[done.anchor]).node is node:
            mine.size, mine.height = self._size - done.size_before, done.height
        self._attach(node, done.height)

    def _alias(self, event: Any) -> None:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            hint = "define it above, or put the text into quotes"
            raise _error(event, f"no anchor &{_short(event.anchor)} before this alias", hint)
        if anchored.size == 0:
            reason = f"the alias *{_short(event.anchor)} stands inside of what it names"
            raise _error(event, reason, "write out what it stands for")
        if len(self._stack) + anchored.height > MAX_DEPTH:
            raise _error(event, f"nested deeper than {MAX_DEPTH} levels", _FLATTEN)
        self._grow(event, anchored.size)
        start, end = event.start_mark, event.end_mark
        self.aliases.append(Alias(event.anchor, anchored.node.line, start.line + 1))
        # The same values, seen from where the alias stands.
        node = replace(
            anchored.node,
            line=start.line + 1,
            column=start.column + 1,
            end_line=end.line + 1,
            end_column=end.column + 1,
        )
        self._attach(node, anchored.height)

    def _grow(self, event: Any, size: int) -> None:
        self._size += size
        if self._size > MAX_SIZE:
            hint = "use fewer aliases, or put the data into a file of its own"
            raise _error(event, f"more than {MAX_SIZE:,} values, aliases written out", hint)

    def _attach(self, node: Node, height: int, merge_key: bool = False) -> None:
        """Give the finished `node` to the collection that it stands in."""
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.height = max(parent.height, height + 1)
        parent.node.end_line, parent.node.end_column = node.end_line, node.end_column
        if isinstance(parent.node, Items):
            parent.node.items.append(node)
        elif parent.key is None:
            parent.key, parent.merge_key = _key(node), merge_key
        elif parent.merge_key:
            key, parent.key = parent.key, None
            if parent.merge:
                self._duplicate(key, "write one with a list: `<<: [*a, *b]`")
            else:
                parent.merge = _merge_sources(node)
        else:
            key, parent.key = parent.key, None
            if first := parent.node.keys.get(key.text):
                self._duplicate(key, f"remove one of the two; the other is on line {first.line}")
            else:
                parent.node.keys[key.text] = key
                parent.node.values[key.text] = node

    def _duplicate(self, key: Scalar, hint: str) -> None:
        error = DocumentError(key.line, key.column, f"duplicate key `{_short(key.text)}`", hint)
        if self._duplicates is None:
            raise error
        self._duplicates.append(error)


def _key(node: Node) -> Scalar:
    if not isinstance(node, Scalar):
        hint = "put it into quotes, if the brackets belong to the text"
        raise DocumentError(node.line, node.column, "a key must be a text, not a list or a mapping", hint)
    return node


def _merge_sources(node: Node) -> list[Table]:
    # https://yaml.org/type/merge.html: a mapping, or a sequence of mappings.
    sources = [source for source in (node.items if isinstance(node, Items) else [node]) if isinstance(source, Table)]
    if not sources or (isinstance(node, Items) and len(sources) < len(node.items)):
        hint = "give it the alias of a mapping, or put the key into quotes"
        raise DocumentError(node.line, node.column, "`<<` takes a mapping or a list of mappings", hint)
    return sources


def _merge(table: Table, sources: list[Table]) -> None:
    """Put the keys of `sources` before the table's own; of two the earlier source wins, and the table over all."""
    keys: dict[str, Scalar] = {}
    values: dict[str, Node] = {}
    for source in sources:
        for name in source.values.keys() - values.keys() if values else source.values:
            keys[name], values[name] = source.keys[name], source.values[name]
    table.merged = frozenset(values.keys() - table.values.keys())
    table.keys, table.values = {**keys, **table.keys}, {**values, **table.values}


def _error(event: Any, reason: str, hint: str) -> DocumentError:
    return DocumentError(event.start_mark.line + 1, event.start_mark.column + 1, reason, hint)


def _short(text: str) -> str:
    text = text if len(text) <= 40 else text[:37] + "..."
    return "".join(c if c.isprintable() else "?" for c in text)


_CORE = "tag:yaml.org,2002:"
_FLATTEN = "write it with fewer levels, or check that all brackets are closed"
_UNTAG = "remove the tag, or put the text into quotes"
_WORDS: dict[str, JsonScalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_integer = re.compile(r"[-+]?[0-9]+")
_based = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_float = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_TAGGED: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}


def _value(event: Any) -> JsonScalar:
    text: str = event.value
    if event.tag is None:
        return _resolved(text) if event.implicit[0] else text
    kind = event.tag.removeprefix(_CORE)
    if event.tag == "!" or kind == "str":
        return text
    if kind not in _TAGGED or not event.tag.startswith(_CORE):
        raise _error(event, f"unknown tag {_short(event.tag)}", _UNTAG)
    value = _resolved(text)
    if not isinstance(value, _TAGGED[kind]) or (isinstance(value, bool) and kind != "bool"):
        reason = f"{_short(text)!r} is not of the type that its tag !!{kind} says"
        raise _error(event, reason, "correct the value, or remove the tag")
    return float(value) if kind == "float" and isinstance(value, int) else value


def _resolved(text: str) -> JsonScalar:
    """A plain scalar's value in the core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789.+-":
        return text
    if _integer.fullmatch(text):
        return int(text) if len(text) <= MAX_DIGITS else text
    if _based.fullmatch(text):
        return int(text, 0) if len(text) <= MAX_DIGITS - 50 else text
    if _float.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text

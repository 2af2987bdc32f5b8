"""How a document conforms to a shape: what is wrong with it, and what of it can be taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from registry.core.manifest import Json
from registry.core.select import nearest
from registry.manifests.documents import Items, Node, Scalar, Table, plain
from registry.manifests.shape import Anything, Choice, Count, Flag, ListOf, MapOf, Record, Shape, Text, TextOr

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where; `hint` says what to do, or is empty."""

    node: Node
    message: str
    hint: str = ""
    severity: Severity = "error"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The hint that names the nearest of `words`, or ""."""
    # Far longer than any word of ours: nobody meant one, and comparing takes long.
    close = nearest(word, words) if len(word) <= 200 else None
    return f"did you mean `{close}`?" if close is not None else ""


def quoted(text: str) -> str:
    """What somebody wrote, for a message: on one line, and not all of a page."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def faults(shape: Shape, node: Node, what: str) -> Iterator[Fault]:
    """All that is wrong with `node`, from its first line to its last; the messages call it `what`."""
    match shape, node:
        case Record(), Table():
            yield from _record_faults(shape, node)
        case MapOf(), Table():
            yield from _map_faults(shape, node)
        case (Record() | MapOf(), Scalar(value=None)) | (Anything(), _):
            pass
        case TextOr(), Table():
            yield from faults(shape.record, node, what)
        case TextOr(), _:
            yield from faults(shape.text, node, what)
        case ListOf(), Items():
            if shape.some and not node.items:
                yield Fault(node, f"{what} is empty", "name one at least, or remove the key")
            for item in node.items:
                yield from faults(shape.item, item, f"an item of {what}")
        case ListOf(single=True), Scalar():
            yield from faults(shape.item, node, what)
        case _, Scalar():
            yield from _scalar_faults(shape, node, what)
        case _:
            yield _wrong_kind(shape, node, what)


def _record_faults(shape: Record, table: Table) -> Iterator[Fault]:
    for key, value in table.values.items():
        if key in shape.fields:
            yield from faults(shape.fields[key], value, f"`{key}`")
        else:
            hint = did_you_mean(key, shape.fields) or f"the keys here are {', '.join(shape.fields)}"
            yield Fault(table.keys[key], f"unknown key `{key}`" if key.isprintable() else "unknown key", hint)


def _map_faults(shape: MapOf, table: Table) -> Iterator[Fault]:
    for key, value in table.values.items():
        if shape.key is not None and not shape.key.fits(key):
            yield Fault(table.keys[key], f"not a {shape.key.noun}: {quoted(key)}", shape.key.rule)
        yield from faults(shape.value, value, f"`{key}`")


def _scalar_faults(shape: Shape, node: Scalar, what: str) -> Iterator[Fault]:
    match shape, node.value:
        case Text(null=True), None:
            pass
        case ((Text() | Choice() | Flag() | Count() | ListOf()), None):
            yield Fault(node, f"{what} has no value", "give it one, or remove the key")
        case Text(), str(text):
            if shape.format is not None and not shape.format.fits(text):
                hint = f"did you mean v{text}?" if shape.format.fits(f"v{text}") else shape.format.rule
                yield Fault(node, f"not a {shape.format.noun}: {quoted(text)}", hint)
        case Choice(), str(text) if text in shape.words:
            pass
        case Choice(), _:
            hint = did_you_mean(node.text, shape.words)
            yield Fault(node, f"{what} must be {' or '.join(shape.words)}, not {quoted(node.text)}", hint)
        case Flag(), bool():
            pass
        case Count(), bool():
            yield _wrong_kind(shape, node, what)
        case Count(), int(number):
            if number < 0:
                yield Fault(node, f"{what} is negative", "0 is the least")
        case _:
            yield _wrong_kind(shape, node, what)


def _wrong_kind(shape: Shape, node: Node, what: str) -> Fault:
    wanted = {
        Text: "a text",
        Choice: "a text",
        Flag: "true or false",
        Count: "a number, 0 or more",
        ListOf: "a list",
        MapOf: "a mapping",
        Record: "a mapping",
        TextOr: "a text or a mapping",
    }[type(shape)]
    return Fault(node, f"{what} must be {wanted}, not {_kind(node)}", _kind_hint(shape, node, what))


def _kind(node: Node) -> str:
    match node:
        case Items():
            return "a list"
        case Table():
            return "a mapping"
        case Scalar(value=None):
            return "null"
        case Scalar(value=bool()):
            return "true or false"
        case Scalar(value=str()):
            return f"the text {quoted(node.text)}"
        case Scalar():
            return "a number"


def _kind_hint(shape: Shape, node: Node, what: str) -> str:
    hint = ""
    match shape, node:
        case Text(), Scalar() if shape.format is not None and not shape.format.fits(node.text):
            hint = shape.format.rule
        case Text(), Scalar():
            hint = f'write "{node.text}", in quotes'
        case Flag(), Scalar() if node.text.lower() in _FLAG_WORDS:
            hint = f"write {str(_FLAG_WORDS[node.text.lower()]).lower()}"
        case ListOf(), Scalar():
            hint = f"put it into brackets: [{node.text}]" if node.text.isalnum() else "put it into brackets"
        case MapOf(), Items() if what == "`stages`":
            hint = "write every stage as a key, such as `staging: {}`"
        case ((MapOf() | Record()), Items()):
            hint = "write NAME: VALUE on a line each, without a '-' before it"
        case Record(), Scalar(value=str()) if "path" in shape.fields:
            hint = "write `path: ...` below the name"
    return hint


# YAML 1.1 read these as flags, 1.2 reads texts; a person who writes `signed: yes` has asked for signatures.
_FLAG_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def accepted(shape: Shape, node: Node) -> Json:
    """What of `node` can be taken, None where nothing can.

    Unknown keys are left out, and a wrong value costs its own key only. One text stands for a list of it, and a number
    for the text that it was written as.
    """
    match node:
        case Table():
            return _accepted_table(shape, node)
        case Items():
            return _accepted_items(shape, node)
        case Scalar():
            return _accepted_scalar(shape, node)


def _accepted_table(shape: Shape, table: Table) -> Json:
    match shape:
        case Record():
            there = {key: field for key, field in shape.fields.items() if key in table.values}
            taken = {key: accepted(field, table.values[key]) for key, field in there.items()}
            return {key: value for key, value in taken.items() if value is not None}
        case MapOf():
            return dict(_pairs(shape, table))
        case TextOr():
            return accepted(shape.record, table)
        case Anything():
            return plain(table)
    return None


def _accepted_items(shape: Shape, items: Items) -> Json:
    match shape:
        case ListOf():
            return [text for item in items.items if (text := accepted(shape.item, item)) is not None]
        case Anything():
            return plain(items)
    return None


def _pairs(shape: MapOf, table: Table) -> Iterator[tuple[str, Json]]:
    # A null is a value of its own where the shape says so, and whatever stands in `metadata`.
    null = isinstance(shape.value, Anything) or (isinstance(shape.value, Text) and shape.value.null)
    for key, node in table.values.items():
        if shape.key is None or shape.key.fits(key):
            value = accepted(shape.value, node)
            if value is not None or (null and isinstance(node, Scalar) and node.value is None):
                yield key, value
            elif isinstance(shape.value, Record):
                yield key, {}  # a stage or a model whose rules are no mapping is declared all the same


def _accepted_scalar(shape: Shape, node: Scalar) -> Json:
    match shape:
        case Record() | MapOf():
            return {} if node.value is None else None
        case ListOf():
            text = accepted(shape.item, node)
            return None if text is None else [text]
        case TextOr():
            return accepted(shape.text, node)
        case Anything():
            return node.value
    return _accepted_word(shape, node)


def _accepted_word(shape: Text | Choice | Flag | Count, node: Scalar) -> Json:
    match shape:
        case Text():
            fits = shape.format is None or shape.kept or shape.format.fits(node.text)
            return node.text if fits and node.value is not None else None
        case Choice():
            return node.text if node.value is not None else None
        case Flag():
            return node.value if isinstance(node.value, bool) else _FLAG_WORDS.get(node.text.lower())
        case Count():
            whole = isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0
            return node.value if whole else None

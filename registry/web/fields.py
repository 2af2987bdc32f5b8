"""The fields of a form: what is asked, what was typed, and how the shell says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from registry.core.message import one_line
from registry.core.select import selector_of
from registry.errors import RegistryError, UsageError
from registry.web.refusal import Refusal

Said: TypeAlias = Mapping[str, str]  # what was typed, by field
Kind: TypeAlias = Literal["line", "text", "lines", "choice", "select", "tick", "commit"]

_LINE = 5_000  # characters that fit into a command line, many times
_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `option` is what the shell calls it, "" for what stands without one.

    `kind` is "line", "text" of several lines, "lines" that are a value each, "choice" of flags, the first of which
    needs no saying, "select" of one that the repository has, or none, "tick", or "commit": a line with the picker
    beside it. `more` fields are shown when asked for.
    """

    name: str
    label: str
    kind: Kind = "line"
    option: str = ""
    hint: str = ""
    required: bool = False
    more: bool = False
    choices: Sequence[str] = ()
    unless: str = ""  # a field that says it better


class Wrong(Exception):
    """What was typed into a field cannot be taken; `refusal` says why."""

    def __init__(self, field: str, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.field = field
        self.refusal = refusal


@contextmanager
def about(field: str) -> Iterator[None]:
    """What goes wrong here is wrong with this field. Raises Wrong."""
    try:
        yield
    except RegistryError as error:
        raise Wrong(field, Refusal.of(error)) from error


def line(said: Said, name: str) -> str | None:
    """A line, stripped; None where it is empty."""
    return said.get(name, "").strip() or None


def lines(said: Said, name: str) -> list[str]:
    """Each line that is not empty."""
    return [one for text in said.get(name, "").split("\n") if (one := text.strip())]


def ticked(said: Said, name: str) -> bool:
    """Whether a box is ticked."""
    return bool(said.get(name))


def text(said: Said, name: str) -> str:
    """Several lines, without blank ones around them."""
    return said.get(name, "").strip()


def pairs(said: Said, name: str) -> dict[str, str]:
    """Lines of `k=v`. Raises UsageError."""
    found: dict[str, str] = {}
    for one in lines(said, name):
        key, equals, value = one.partition("=")
        if not equals or not key.strip() or key.strip() in found:
            why = "is there twice" if key.strip() in found else "is not NAME=VALUE"
            raise UsageError(f"{one[:80]!r} {why}", "one a line, such as auc=0.93")
        found[key.strip()] = value.strip()
    return found


def selector(said: Said) -> str:
    """The selector that a name and a version make; the version that is latest, where none was typed."""
    return selector_of(line(said, "name") or "", line(said, "version") or "latest")


def held(said: Said) -> str:
    """A selector in which no version means the one that is in the stage."""
    return selector(said) if line(said, "version") is not None else line(said, "name") or ""


def typed(fields: Sequence[Field], form: Said) -> dict[str, str]:
    """What a form says in these fields and no others, with the line ends of a tag."""
    said = {field.name: form.get(field.name, "").replace("\r\n", "\n").replace("\r", "\n") for field in fields}
    return {name: value for name, value in said.items() if value}


def check(field: Field, said: Said) -> None:
    """What holds for every field of its kind. Raises UsageError."""
    value = said.get(field.name, "")
    several = field.kind in {"text", "lines"}
    if field.required and not value.strip():
        raise UsageError(f"{field.label.lower()} is missing", field.hint)
    if len(value) > (_TEXT if several else _LINE):
        raise UsageError(f"that is too long: {len(value)} characters", "say it in fewer words")
    if any((ord(letter) < 32 and not (several and letter in "\n\t")) or ord(letter) == 127 for letter in value):
        raise UsageError("it holds a control character", "type it anew")
    if field.kind == "choice" and value not in {"", *field.choices}:
        raise UsageError(f"not one of {', '.join(field.choices)}", "choose one of them")
    if field.kind == "line":
        one_line(value, field.label.lower())
    for one in lines(said, field.name) if field.kind == "lines" else []:
        one_line(one, field.label.lower())


def keywords(fields: Sequence[Field], said: Said) -> dict[str, object]:
    """What a verb of the API is told by keyword: each field that is an option in a shell. Raises UsageError."""
    return {field.name: _value(field, said) for field in fields if field.option or field.kind == "choice"}


def _value(field: Field, said: Said) -> object:
    match field.kind:
        case "tick":
            return ticked(said, field.name)
        case "text":
            return text(said, field.name)
        case "lines":
            return pairs(said, field.name) if field.name in PAIRS else lines(said, field.name)
        case "choice":
            return line(said, field.name) or field.choices[0]
        case _:
            return line(said, field.name)


def options(fields: Sequence[Field], said: Said) -> list[str]:
    """The options of a command that say the same."""
    words: list[str] = []
    for field in fields:
        value = text(said, field.name)
        if not value or (field.unless and text(said, field.unless)):
            continue
        match field.kind:
            case "choice":
                words += [f"--{value}"] if value != field.choices[0] else []
            case _ if not field.option:
                pass
            case "tick":
                words.append(field.option)
            case "lines":
                words += [word for one in lines(said, field.name) for word in (field.option, _tidied(field, one))]
            case _:
                words += [field.option, value]
    return words


def _tidied(field: Field, value: str) -> str:
    """A line as `pairs` reads it, where it is one."""
    key, equals, rest = value.partition("=")
    return f"{key.strip()}={rest.strip()}" if equals and field.name in PAIRS else value


PAIRS = frozenset({"metrics", "params", "tags", "deployments"})

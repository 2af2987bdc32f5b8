"""Edits of `registry.yaml` that keep everything else byte for byte (DESIGN part 4).

An edit is spliced into the lines where the parser saw what it concerns, and then proven: the new text must read as the
old data with that one change. Where it does not (flow style, anchors, explicit keys), ruamel.yaml's round trip writes
the file instead, which keeps comments and order but not every space, and is proven in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from registry.core import names
from registry.core.manifest import Json
from registry.errors import ManifestError
from registry.manifests import documents, splice
from registry.manifests.conform import did_you_mean
from registry.manifests.documents import DocumentError, Node, Scalar, Table
from registry.manifests.dump import dumped, round_trip, styled
from registry.manifests.shape import NAME

Section: TypeAlias = Literal["models", "artifacts"]
_SECTIONS: tuple[Section, ...] = ("models", "artifacts")

_ONE = "metadata."  # before a key of an entry's metadata: `metadata.team`


class Declared(ManifestError):
    """An artifact is declared already."""


NEW_MANIFEST = """\
# The models of this repository and their lifecycle, for `registry` (git-registry).
# `registry check` finds mistakes in here; `registry schema > registry.schema.json` is for editors, which
# then want the line:  # yaml-language-server: $schema=registry.schema.json

stages:                     # where versions are assigned to, in order; without stages, any name goes
  staging: {}
  production:
    after: staging          # a version must have been in staging first
    exclusive: true         # one version at a time

models:
  # churn:
  #   path: models/churn.pkl          # a file or directory, a DVC output, or a URL
  #   description: Who is about to leave
  #   labels: [tabular]
  #   metrics: metrics/churn.json
"""


def add_entry(text: str, section: Section, name: str, fields: Mapping[str, Json]) -> str:
    """`text` with one more artifact in `section`. Raises ManifestError where it is declared already, or unreadable."""
    root, data = _read(text)
    _check_new(root, name)
    wanted = {**data, section: {**_section(data, section), name: dict(fields)}}

    def put(document: Any) -> None:
        if document.get(section) is None:
            document[section] = {}
        document[section][name] = styled(dict(fields))

    tries = splice.added(text, root, section, name, dict(fields))
    return _first_proven(tries, lambda: round_trip(text, splice.step_of(root), put), wanted, f"{name} cannot be added")


def change_entry(text: str, name: str, fields: Mapping[str, Json]) -> str:
    """`text` in which the entry of `name` says `fields`, without those that are None; its other keys stay.

    A field `metadata.KEY` is that key alone. Raises ManifestError where `name` is not declared here.
    """
    root, data = _read(text)
    section, table = _section_of(root, name)
    _check_free(text, table, name, "changed")
    there = _section(data, section)
    wanted = {**data, section: {**there, name: changed(_entry(there[name]), fields)}}

    def put(document: Any) -> None:
        if not isinstance(document[section][name], dict):
            document[section][name] = {}
        said = document[section][name]
        for field, value in fields.items():
            _put(said, field, styled(value))

    return _first_proven(
        iter(()), lambda: round_trip(text, splice.step_of(root), put), wanted, f"{name} cannot be changed"
    )


def changed(entry: Mapping[str, Json], fields: Mapping[str, Json]) -> dict[str, Json]:
    """`entry` with `fields` said, as `change_entry` takes them."""
    new = dict(entry)
    for field, value in fields.items():
        if field.startswith(_ONE):
            new["metadata"] = dict(_entry(new.get("metadata")))
        _put(new, field, value)
    return new


def _put(entry: Any, field: str, value: Any) -> None:
    if not field.startswith(_ONE):
        _set(entry, field, value)
        return
    if not isinstance(entry.get("metadata"), dict):
        entry["metadata"] = {}
    key = field.removeprefix(_ONE)
    _set(entry["metadata"], next((other for other in entry["metadata"] if str(other) == key), key), value)
    if not entry["metadata"]:
        del entry["metadata"]


def _set(entry: Any, key: str, value: Any) -> None:
    if value is None:
        entry.pop(key, None)
    else:
        entry[key] = value


def entry(text: str, name: str) -> tuple[Section, dict[str, Json]] | None:
    """The section and the entry of `name`, None where it is not declared here. Raises ManifestError."""
    root, data = _read(text)
    for section, table in _tables(root):
        if name in table.values:
            return section, dict(_entry(_section(data, section)[name]))
    return None


def said(entry: Mapping[str, Json], field: str) -> Json:
    """What an entry says of a field, as `change_entry` takes them; None where it says nothing."""
    key = field.removeprefix(_ONE)
    return entry.get(field) if key == field else _entry(entry.get("metadata")).get(key)


def _entry(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def rename_entry(text: str, name: str, new: str) -> str:
    """`text` in which the entry of `name` is called `new`, and says what it said. Raises ManifestError."""
    root, data = _read(text)
    section, table = _section_of(root, name)
    if new.lower() != name.lower():
        _check_new(root, new)
    names.check_artifact(new)
    there = _section(data, section)
    wanted = {**data, section: {new if key == name else key: value for key, value in there.items()}}
    key = table.keys[name]
    lines = text.splitlines(keepends=True)
    word = dumped({new: None}, 2).rstrip("\n").removesuffix(":")
    bare = len(lines[0]) - len(lines[0].lstrip("\ufeff")) if key.line == 1 else 0  # columns begin behind the mark
    line = lines[key.line - 1]
    lines[key.line - 1] = line[: key.column - 1 + bare] + word + line[key.end_column - 1 + bare :]
    tries = iter(["".join(lines)] if key.line == key.end_line else [])
    return _first_proven(tries, lambda: text, wanted, f"{name} cannot be renamed")


def remove_entry(text: str, name: str) -> str:
    """`text` without the artifact `name` and the comment right above it. Raises ManifestError where it is not there."""
    root, data = _read(text)
    section, table = _section_of(root, name)
    _check_free(text, table, name)
    left = {key: value for key, value in _section(data, section).items() if key != name}
    wanted = {**data, section: left}

    def drop(document: Any) -> None:
        del document[section][name]

    return _first_proven(
        splice.removed(text, table, name),
        lambda: round_trip(text, splice.step_of(root), drop),
        wanted,
        f"{name} cannot be removed",
    )


# -- what is there ---------------------------------------------------------------------------------------------------

_Data: TypeAlias = "dict[str, Json]"


def _read(text: str) -> tuple[Table, _Data]:
    try:
        node = documents.parse(text)
    except DocumentError as error:
        raise ManifestError(f"the manifest cannot be read: {error}", "registry check shows all problems") from None
    if isinstance(node, Scalar) and node.value is None:
        node = Table(1, 1, 1, 1)
    if not isinstance(node, Table):
        raise ManifestError("the manifest must be a mapping of keys such as `models`", "registry check says more")
    for section in _SECTIONS:
        value = node.values.get(section)
        if value is not None and not isinstance(value, Table) and not _is_null(value):
            raise ManifestError(f"`{section}` must be a mapping of names", "registry check says more")
    data = documents.plain(node)
    return node, data if isinstance(data, dict) else {}


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _section(data: _Data, section: Section) -> _Data:
    found = data.get(section)
    return found if isinstance(found, dict) else {}


def _tables(root: Table) -> Iterator[tuple[Section, Table]]:
    for section in _SECTIONS:
        node = root.values.get(section)
        if isinstance(node, Table):
            yield section, node


def _check_new(root: Table, name: str) -> None:
    """`name` can be declared, and is not. Raises UsageError or ManifestError."""
    names.check_artifact(name)
    directory = names.directory_of(name)
    if directory or not NAME.fits(name):
        raise ManifestError(f"{name} does not belong into this manifest", f"declare it in {directory}/registry.yaml")
    for section, table in _tables(root):
        for other, key in table.keys.items():
            if other == name:
                raise Declared(f"{name} is declared already, in `{section}` on line {key.line}", "edit it there")
            if other.lower() == name.lower():
                hint = "choose a name that differs in more"
                raise ManifestError(f"{name} differs from {other} (line {key.line}) in case only", hint)


def _section_of(root: Table, name: str) -> tuple[Section, Table]:
    """The section that declares `name`. Raises ManifestError with the nearest name."""
    for section, table in _tables(root):
        if name in table.values:
            if name in table.merged:
                line = table.keys[name].line
                raise ManifestError(f"{name} comes into `{section}` through `<<`", f"edit line {line} by hand")
            return section, table
    known = [other for _, table in _tables(root) for other in table.values]
    raise ManifestError(f"{name} is not declared in this manifest", did_you_mean(name, known))


def _check_free(text: str, table: Table, name: str, verb: str = "removed") -> None:
    """Nothing outside of the entry uses an anchor inside of it. Raises ManifestError."""
    entry = range(table.keys[name].line, splice.last_line(table.values[name]) + 1)
    for alias in documents.aliases(text):
        if alias.defined in entry and alias.used not in entry:
            message = f"{name} cannot be {verb}: line {alias.used} uses its anchor &{alias.anchor}"
            raise ManifestError(message, "write out there what the alias stands for")


# -- proof -----------------------------------------------------------------------------------------------------------


def _first_proven(tries: Iterator[str], round_trip: Callable[[], str], wanted: _Data, failure: str) -> str:
    for new in tries:
        if _says(new, wanted):
            return new
    new = round_trip()
    if _says(new, wanted):
        return new
    raise ManifestError(f"{failure} without changing something else", "edit the manifest by hand")


def _says(text: str, wanted: _Data) -> bool:
    try:
        _, data = _read(text)
    except ManifestError:
        return False
    return _canonical(data) == _canonical(wanted)


def _canonical(data: _Data) -> str:
    # As JSON, so that 1, 1.0 and true differ, and order counts; an empty section may be null.
    return json.dumps({key: {} if value is None and key in _SECTIONS else value for key, value in data.items()})

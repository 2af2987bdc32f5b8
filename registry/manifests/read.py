"""Manifests as values: the lenient reader (DESIGN part 4).

What cannot be understood costs itself and nothing else, for an old commit must stay readable whatever it holds; that
something was left out is for `check` to say.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from registry.core import names
from registry.core.manifest import Declaration, Json, Lifecycle, Manifest, Requirements, StageRule, VersionRules
from registry.manifests import documents
from registry.manifests.conform import accepted, faults
from registry.manifests.documents import DocumentError, Node, Table
from registry.manifests.outputs import dvc_outputs
from registry.manifests.shape import (
    ARTIFACT,
    MANIFEST,
    MODEL,
    NAME,
    ROOT_ONLY,
    STAGE,
    TYPE,
    Anything,
    ListOf,
    MapOf,
    Record,
    Shape,
    Text,
)
from registry.manifests.values import read_values

__all__ = ["dvc_outputs", "is_manifest", "is_url", "located", "manifest_paths", "path_problem", "read", "read_values"]

OURS, DVC, GTO, GTO_CONFIG = "registry.yaml", "dvc.yaml", "artifacts.yaml", ".gto"

# `accepted` has checked the types of what it gives; mypy cannot follow a shape that is data.
_Taken: TypeAlias = "dict[str, Any]"


def is_manifest(path: str) -> bool:
    """Whether a file of this path in the repository is read as a manifest."""
    if "\n" in path:
        return False  # Git is asked for files line by line, and no artifact is called so
    return posixpath.basename(path) in {OURS, DVC} or path in {GTO, GTO_CONFIG}


def manifest_paths(directory: str) -> tuple[str, ...]:
    """The files that can say something of the artifacts of `directory` ("" for the root); of two the earlier wins.

    The root's count for every artifact, for the lifecycle stands there.
    """
    if directory == "":
        return (OURS, DVC, GTO, GTO_CONFIG)
    return (f"{directory}/{OURS}", f"{directory}/{DVC}")


def read(files: Mapping[str, bytes]) -> Manifest:
    """All manifests among `files`, by their paths from the root, taken together. Never raises."""
    nodes, broken = parsed(files)
    return manifest(nodes, broken)


def parsed(
    files: Mapping[str, bytes], duplicates: dict[str, list[DocumentError]] | None = None
) -> tuple[dict[str, Node], dict[str, DocumentError]]:
    """The manifests among `files` as nodes, in the order in which they are taken, and those that are not YAML.

    One with duplicate keys is not, unless `duplicates` is there to take them, by path.
    """
    nodes: dict[str, Node] = {}
    broken: dict[str, DocumentError] = {}
    for path in sorted(filter(is_manifest, files), key=_precedence):
        found = None if duplicates is None else duplicates.setdefault(path, [])
        try:
            nodes[path] = documents.parse(files[path], found)
        except DocumentError as error:
            broken[path] = error
    return nodes, broken


def _precedence(path: str) -> tuple[str, int]:
    directory, name = posixpath.split(path)
    return directory, (OURS, DVC, GTO, GTO_CONFIG).index(name)


def manifest(nodes: Mapping[str, Node], broken: Mapping[str, DocumentError]) -> Manifest:
    """What `parsed` gave, as a manifest."""
    root = nodes.get(OURS)
    general = _dict(accepted(_GENERAL, root)) if root is not None else {}
    versions = _version_rules(general.get("versions", {}), VersionRules())
    artifacts = _Declared(nodes, versions)
    stages = _lifecycle(general.get("stages"))
    if stages is None and GTO_CONFIG in nodes:
        stages = _gto_stages(nodes[GTO_CONFIG])
    taken = [path for path, node in nodes.items() if _is_for_us(path, node)]
    unread = {**{path: str(error) for path, error in broken.items()}, **dict(_no_mappings(nodes))}
    return Manifest(
        stages=stages,
        versions=versions,
        teams={team: tuple(members) for team, members in general.get("teams", {}).items()},
        artifacts=artifacts,
        files=tuple(sorted([*taken, *broken], key=_precedence)),
        broken=unread,
        doubts=dict(_doubts(nodes)),
        names=tuple(artifacts),
    )


def _no_mappings(nodes: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    """Files of ours that are YAML, and say nothing that a manifest could: what rules they were to hold nobody knows.

    A link, of which Git keeps where it leads, is such a text.
    """
    for path, node in nodes.items():
        empty = isinstance(node, documents.Scalar) and node.value is None
        if posixpath.basename(path) == OURS and not isinstance(node, Table) and not empty:
            yield path, f"{node.line}:{node.column}: not a mapping"


_RULES = ("stages", "versions")


def _doubts(nodes: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    """The first fault in the general rules, and in those of each artifact that has some."""
    for path, node in nodes.items():
        if posixpath.basename(path) != OURS:
            continue
        if path == OURS:
            yield from _doubt("", path, node)
        for section in ("models", "artifacts"):
            for name, entry in _values(_value(node, section)):
                yield from _doubt(names.qualified(posixpath.dirname(path), name), path, entry)


def _doubt(name: str, path: str, node: Node) -> Iterator[tuple[str, str]]:
    if not any(_value(node, key) for key in _RULES):
        return
    found = (fault for key in _RULES for fault in faults(MANIFEST.fields[key], _value(node, key) or _NOTHING, key))
    for fault in found:
        yield name, f"{path}:{fault.node.line}:{fault.node.column}: {fault.message}"
        return


_NOTHING = documents.Scalar(1, 1, 1, 1, None, "")


def _value(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, Table) else None


def _values(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Table):
        yield from node.values.items()


def _is_for_us(path: str, node: Node) -> bool:
    # A dvc.yaml of pipelines alone is no manifest: its repository still gets the hint to run `registry init`.
    return posixpath.basename(path) != DVC or (isinstance(node, Table) and "artifacts" in node.values)


_GENERAL = Record("", {key: MANIFEST.fields[key] for key in ROOT_ONLY})
_text = Text("")
_labels = ListOf("", _text)
# https://doc.dvc.org/user-guide/project-structure/dvcyaml-files#artifacts
_DVC_ENTRY = Record(
    "", {"type": Text("", TYPE), "path": _text, "desc": _text, "labels": _labels, "meta": MapOf("", Anything(""))}
)
# gto/index.py, class Artifact, of GTO 1.10.1
_GTO_ENTRY = Record(
    "", {"type": Text("", TYPE), "path": _text, "description": _text, "labels": _labels, "custom": Anything("")}
)


def is_template(source: str, path: str) -> bool:
    """Whether `path`, as `source` says it, is a template: DVC fills it in, we do not."""
    return "${" in path and posixpath.basename(source) == DVC


def _from_dvc(entry: _Taken) -> _Taken:
    return {**entry, "description": entry.get("desc", ""), "metadata": entry.get("meta", {})}


def _from_gto(entry: _Taken) -> _Taken:
    custom = entry.get("custom")
    return {**entry, "metadata": custom if isinstance(custom, dict) else {} if custom is None else {"custom": custom}}


@dataclass(frozen=True, slots=True)
class _Section:
    """Where a file declares artifacts: below `key`, "" for its top; of a type and shape, `taken` as ours would be."""

    key: str
    type: str
    shape: Shape
    taken: Callable[[_Taken], _Taken] = lambda entry: entry


_SECTIONS = {
    OURS: (
        _Section("models", "model", MODEL),
        _Section("artifacts", "model", ARTIFACT),
    ),
    DVC: (_Section("artifacts", "artifact", _DVC_ENTRY, _from_dvc),),
    GTO: (_Section("", "artifact", _GTO_ENTRY, _from_gto),),
    GTO_CONFIG: (),
}


class _Declared(Mapping[str, Declaration]):
    """The artifacts that files declare, each worked out when it is asked for: of a thousand, mostly one is.

    Of two with one name the first wins.
    """

    def __init__(self, nodes: Mapping[str, Node], general: VersionRules) -> None:
        self._general = general
        self._known: dict[str, Declaration] = {}
        self._places: dict[str, tuple[str, _Section, Node]] = {}
        for path, node in nodes.items():
            directory, file = posixpath.split(path)
            for section in _SECTIONS[file]:
                for name, entry in _values(_value(node, section.key) if section.key else node):
                    full = names.qualified(directory, name)
                    if NAME.fits(name) and names.is_artifact(full):
                        self._places.setdefault(full, (path, section, entry))

    def __getitem__(self, name: str) -> Declaration:
        if name not in self._known:
            path, section, entry = self._places[name]
            taken = section.taken(_dict(accepted(section.shape, entry)))
            self._known[name] = _declaration(name, path, taken.get("type", section.type), taken, self._general)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _declaration(name: str, source: str, kind: str, entry: _Taken, general: VersionRules) -> Declaration:
    directory = posixpath.dirname(source)

    def here(path: str | None) -> str | None:
        return None if path is None or is_template(source, path) else located(directory, path)

    def all_here(paths: list[str]) -> tuple[str, ...]:
        return tuple(found for path in paths if (found := here(path)) is not None)

    card = entry.get("card")
    carried = [entry.get("path", "."), *entry.get("artifacts", {}).values()]
    problems = [(path, path_problem(directory, path)) for path in carried if not is_template(source, path)]
    problems += [(path, "is a template, which DVC fills in") for path in carried if is_template(source, path)]
    artifacts = {key: here(path) for key, path in entry.get("artifacts", {}).items()}
    return Declaration(
        name=name,
        source=source,
        type=kind,
        path=here(entry.get("path")),
        description=entry.get("description", ""),
        framework=entry.get("framework", ""),
        labels=tuple(entry.get("labels", ())),
        owners=tuple(entry.get("owners", ())),
        card=here(card) if isinstance(card, str) else card,
        metrics=all_here(entry.get("metrics", [])),
        params=all_here(entry.get("params", [])),
        artifacts={key: path for key, path in artifacts.items() if path is not None},
        metadata=entry.get("metadata", {}),
        version=entry.get("version"),
        assign=entry.get("assign", {}),
        stages=_lifecycle(entry.get("stages")),
        versions=_version_rules(entry["versions"], general) if "versions" in entry else None,
        unusable=tuple(f"{path!r} {problem}" for path, problem in problems if problem is not None),
    )


def _lifecycle(taken: _Taken | None) -> Lifecycle | None:
    # `stages:` with nothing below it declares no stage: as where it is absent, any goes.
    return {name: _stage_rule(name, rules) for name, rules in taken.items()} if taken else None


def _stage_rule(name: str, rules: _Taken) -> StageRule:
    require = rules.get("require")
    return StageRule(
        name=name,
        after=rules.get("after"),
        exclusive=rules.get("exclusive", False),
        allow=tuple(rules.get("allow", ())),
        signed=rules.get("signed", False),
        approvals=rules.get("approvals", 0),
        require=None if require is None else Requirements(**require),
    )


def _version_rules(taken: _Taken, general: VersionRules) -> VersionRules:
    """The rules as `taken` says them, where it says nothing as the general ones are."""
    overwrite = taken["overwrite"] == "allow" if "overwrite" in taken else general.overwrite
    return VersionRules(signed=taken.get("signed", general.signed), overwrite=overwrite)


def _gto_stages(node: Node) -> Lifecycle | None:
    """The `stages:` of GTO's configuration: a list of names, without rules."""
    found = _dict(accepted(Record("", {"stages": ListOf("", Text("", STAGE))}), node)).get("stages")
    return {name: StageRule(name) for name in found} if found else None


def _dict(value: Json) -> _Taken:
    return value if isinstance(value, dict) else {}


_url = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)
_LONGEST, _DEEPEST = 1024, 64  # characters and directories: what walks a path is not to be kept busy by a stranger
_drive = re.compile(r"[A-Za-z]:[\\/].*", re.DOTALL)


def is_url(path: str) -> bool:
    """Whether `path` is `scheme://...`."""
    return _url.fullmatch(path) is not None


def path_problem(directory: str, path: str) -> str | None:
    """Why `path`, as a manifest in `directory` writes it, is not a path inside the repository, in words, or None."""
    if is_url(path):
        return None
    if len(path) > _LONGEST or path.count("/") > _DEEPEST:
        return "is longer than any path"
    if path.startswith(("/", "\\", "~")) or _drive.fullmatch(path):
        return "is absolute"
    if path == "" or any(ord(character) < 0x20 or character == "\x7f" for character in path):
        return "is not a path"
    # A backslash separates on Windows, where the work tree may lie.
    parts = re.split(r"[\\/]", posixpath.normpath(posixpath.join(directory, path)))
    if ".." in parts:
        return "leads out of the repository"
    return "lies inside of .git" if any(part.lower() == ".git" for part in parts) else None


def located(directory: str, path: str) -> str | None:
    """`path`, as a manifest in `directory` writes it, from the root; a URL as it is; None where it has a problem."""
    if path_problem(directory, path) is not None:
        return None
    return path if is_url(path) else posixpath.normpath(posixpath.join(directory, path))

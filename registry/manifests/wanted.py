"""Lines of a manifest that want something and cannot be understood: reading leaves them out, `apply` must not."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from registry.core import names
from registry.manifests.conform import faults
from registry.manifests.documents import Node, Table
from registry.manifests.read import OURS, parsed
from registry.manifests.shape import MANIFEST, MapOf, Record


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A `version` or an `assign` that is none. `line` counts from 1."""

    path: str
    line: int
    message: str
    hint: str


def misspelt(files: Mapping[str, bytes]) -> Iterator[Misspelt]:
    """Every such line of the manifests `files`, by path. Files that are not YAML are somebody else's to report."""
    nodes, _ = parsed({path: data for path, data in files.items() if posixpath.basename(path) == OURS})
    for path, node in nodes.items():
        for section in ("models", "artifacts"):
            shape = MANIFEST.fields[section]
            if not isinstance(shape, MapOf) or not isinstance(shape.value, Record):
                raise AssertionError("a section is a map of records")
            for name, entry in _items(_get(node, section)):
                full = names.qualified(posixpath.dirname(path), name)
                for key in ("version", "assign"):
                    value = _get(entry, key)
                    for fault in faults(shape.value.fields[key], value, f"`{key}`") if value is not None else ():
                        yield Misspelt(path, fault.node.line, f"{full}: {fault.message}", fault.hint)


def _get(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, Table) else None


def _items(node: Node | None) -> list[tuple[str, Node]]:
    return list(node.values.items()) if isinstance(node, Table) else []

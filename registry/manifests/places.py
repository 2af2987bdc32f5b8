"""Where a manifest says something: for those who judge what it means, and have to point at the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.core.manifest import Declaration
from registry.manifests.documents import Node, Table
from registry.manifests.read import GTO, OURS


@dataclass(frozen=True, slots=True)
class Place:
    """A key or a value in a file; `line` and `column` count from 1."""

    path: str
    line: int
    column: int


def places(nodes: Mapping[str, Node], declared: Declaration, *keys: str) -> tuple[Place, Place]:
    """The key and the value in the entry of an artifact that `keys`, one inside the other, lead to.

    `nodes` are the manifests by path. Where the entry does not say so, the last of the keys that it does say; an
    artifact that is in none of the nodes is at the head of its file.
    """
    path, name = declared.source, declared.name.rpartition(":")[2]
    for section in _sections(path):
        found = list(_way(path, nodes.get(path), (*section, name, *keys)))
        if len(found) > len(section):  # as far as the name, at least
            return found[-1]
    return Place(path, 1, 1), Place(path, 1, 1)


def _way(path: str, node: Node | None, keys: Sequence[str]) -> Iterator[tuple[Place, Place]]:
    for key in keys:
        if not isinstance(node, Table) or key not in node.values:
            return
        at, node = node.keys[key], node.values[key]
        yield Place(path, at.line, at.column), Place(path, node.line, node.column)


def _sections(path: str) -> list[tuple[str, ...]]:
    """Where a file declares artifacts; of two that declare one, the first counts."""
    file = path.rpartition("/")[2]
    return [("models",), ("artifacts",)] if file == OURS else [()] if file == GTO else [("artifacts",)]

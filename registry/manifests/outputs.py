"""What DVC says that it makes: a path in Git's tree or not, it can be had (https://doc.dvc.org/user-guide/project-structure)."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping

from registry.manifests import documents
from registry.manifests.documents import DocumentError, Items, Node, Scalar, Table


def dvc_outputs(files: Mapping[str, bytes]) -> frozenset[str]:
    """The outputs that `dvc.yaml`, `dvc.lock` and `*.dvc` files among `files` declare, as paths from the root.

    Never raises: an unreadable file declares nothing. Of stages that are templates (`foreach`, `matrix`, `${...}`) only
    a `dvc.lock` says what they make. Outputs outside of the repository are left out.
    """
    return frozenset(found for path, data in files.items() for found in _outputs(path, data, files))


def is_output(path: str, outputs: Collection[str]) -> bool:
    """Whether `path` is one of `outputs` or lies inside of one."""
    parts = path.split("/")
    return any("/".join(parts[:count]) in outputs for count in range(1, len(parts) + 1))


def describes(name: str) -> bool:
    """Whether in a file of this name DVC says what it makes."""
    return name in {"dvc.yaml", "dvc.lock"} or name.endswith(".dvc")


def _outputs(path: str, data: bytes, files: Mapping[str, bytes]) -> Iterator[str]:
    directory, name = posixpath.split(path)
    if not describes(name):
        return
    root = _parsed(data)
    if root is None:
        return
    if name == "dvc.lock":
        written = _of_lock(root, _parsed(files.get(posixpath.join(directory, "dvc.yaml"), b"")))
    else:
        written = _of_stages(root) if name == "dvc.yaml" else _of_import(root)
    for base, out in written:
        found = posixpath.normpath(posixpath.join(directory, base, out))
        if "://" not in out and "${" not in base + out and not found.startswith(("/", "..")):
            yield found


def _parsed(data: bytes) -> Node | None:
    try:
        return documents.parse(data)
    except DocumentError:
        return None


def _of_lock(root: Node, pipeline: Node | None) -> Iterator[tuple[str, str]]:
    """The same of a dvc.lock; the working directory of a stage stands in the dvc.yaml beside it."""
    declared = _get(pipeline, "stages")
    stages = _get(root, "stages")
    for key, stage in stages.values.items() if isinstance(stages, Table) else ():
        said = _get(declared, key.partition("@")[0])  # of foreach and matrix: NAME@KEY
        base = _text(_get(_get(said, "do"), "wdir")) or _text(_get(said, "wdir")) or "."
        outs = _get(stage, "outs")
        for out in outs.items if isinstance(outs, Items) else ():
            if path := _text(_get(out, "path")):
                yield base, path


def _of_stages(root: Node) -> Iterator[tuple[str, str]]:
    """The working directory and the path of every output in a dvc.yaml."""
    stages = _get(root, "stages")
    for stage in stages.values.values() if isinstance(stages, Table) else ():
        if _get(stage, "foreach") is None and _get(stage, "matrix") is None:
            base = _text(_get(stage, "wdir")) or "."
            for key in ("outs", "metrics", "plots"):
                yield from ((base, out) for out in _paths(_get(stage, key)))


def _of_import(root: Node) -> Iterator[tuple[str, str]]:
    """The same of a `*.dvc` file, whose outputs are mappings with a `path`."""
    base = _text(_get(root, "wdir")) or "."
    outs = _get(root, "outs")
    for out in outs.items if isinstance(outs, Items) else ():
        if path := _text(_get(out, "path")):
            yield base, path


def _paths(node: Node | None) -> Iterator[str]:
    """Every entry is a path, or a mapping from paths to their options."""
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Table):
            yield from item.values
        elif text := _text(item):
            yield text


def _get(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, Table) else None


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) and node.value is not None else ""

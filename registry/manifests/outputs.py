"""What DVC says that it makes: a path in Git's tree or not, it can be had (https://doc.dvc.org/user-guide/project-structure)."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping

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


def declares(name: str) -> bool:
    """Whether in a file of this name DVC says what it makes."""
    return name in {"dvc.yaml", "dvc.lock"} or name.endswith(".dvc")


def _outputs(path: str, data: bytes, files: Mapping[str, bytes]) -> Iterator[str]:
    directory, name = posixpath.split(path)
    if not declares(name):
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
    declared = get(pipeline, "stages")
    for key, stage in entries(get(root, "stages")):
        said = get(declared, key.partition("@")[0])  # of foreach and matrix: NAME@KEY
        base = text(get(body(said), "wdir")) or text(get(said, "wdir")) or "."
        yield from ((base, path) for path in made(stage))


def _of_stages(root: Node) -> Iterator[tuple[str, str]]:
    """The working directory and the path of every output in a dvc.yaml."""
    for _, stage in entries(get(root, "stages")):
        if not is_repeated(stage):
            base = text(get(stage, "wdir")) or "."
            for key in ("outs", "metrics", "plots"):
                yield from ((base, out) for out in paths(get(stage, key)))


def _of_import(root: Node) -> Iterator[tuple[str, str]]:
    """The same of a `*.dvc` file, whose outputs are mappings with a `path`."""
    base = text(get(root, "wdir")) or "."
    yield from ((base, path) for path in made(root))


# -- how DVC writes ----------------------------------------------------------------------------------------------------


def is_repeated(stage: Node | None) -> bool:
    """Whether a stage of a dvc.yaml stands for several, each called NAME@KEY."""
    return get(stage, "foreach") is not None or get(stage, "matrix") is not None


def body(stage: Node | None) -> Node | None:
    """What a stage of a dvc.yaml says; of a `foreach`, what it says of each."""
    return get(stage, "do") if get(stage, "foreach") is not None else stage


def made(stage: Node | None) -> Iterator[str]:
    """The outputs of one stage of a dvc.lock, or of a `*.dvc` file."""
    outs = get(stage, "outs")
    for out in outs.items if isinstance(outs, Items) else ():
        if path := text(get(out, "path")):
            yield path


def paths(node: Node | None) -> Iterator[str]:
    """Of a list in a dvc.yaml: every entry is a path, or a mapping from paths to their options."""
    for item in node.items if isinstance(node, Items) else [node]:
        if isinstance(item, Table):
            yield from item.values
        elif said := text(item):
            yield said


def entries(node: Node | None) -> Iterable[tuple[str, Node]]:
    """What a mapping holds; of anything else, nothing."""
    return node.values.items() if isinstance(node, Table) else ()


def get(node: Node | None, key: str) -> Node | None:
    """The value of a key; None where there is none."""
    return node.values.get(key) if isinstance(node, Table) else None


def text(node: Node | None) -> str:
    """A value as it is written; "" where it is none."""
    return node.text if isinstance(node, Scalar) and node.value is not None else ""

"""Which files of metrics and parameters DVC names for what a pipeline makes.

https://doc.dvc.org/user-guide/project-structure/dvcyaml-files
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from registry.manifests import documents
from registry.manifests.documents import DocumentError, Items, Node, Scalar, Table
from registry.manifests.outputs import is_output

_MOST = 50  # files of one artifact: whoever writes a dvc.yaml is not to keep its readers busy
_PARAMS = "params.yaml"  # what keys without a file are keys of

Named: TypeAlias = "tuple[tuple[str, ...], tuple[str, ...]]"


@dataclass(frozen=True, slots=True)
class _Stage:
    """What one stage says, with paths from the root."""

    outputs: tuple[str, ...]
    metrics: tuple[str, ...]
    params: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """One dvc.yaml."""

    stages: tuple[_Stage, ...]
    metrics: tuple[str, ...]
    params: tuple[str, ...]
    artifacts: frozenset[str]


def named_for(path: str, files: Mapping[str, bytes]) -> Named:
    """The files of metrics, and those of parameters, that each dvc.yaml among `files` names for what is at `path`.

    Those of the stage that makes it; those of the whole dvc.yaml, where another stage does not make them, if a stage of
    it makes `path` or it declares it as an artifact. Never raises.
    """
    metrics: list[str] = []
    params: list[str] = []
    for file, data in files.items():
        pipeline = _pipeline(file, data)
        mine = [stage for stage in pipeline.stages if _makes(stage, path)]
        if mine or path in pipeline.artifacts:
            others = {out for stage in pipeline.stages if stage not in mine for out in (*stage.outputs, *stage.metrics)}
            metrics += [one for one in pipeline.metrics if not is_output(one, others)]
            params += [one for one in pipeline.params if not is_output(one, others)]
        metrics += [one for stage in mine for one in stage.metrics]
        params += [one for stage in mine for one in stage.params]
    return _once(metrics), _once(params)


def named_files(files: Mapping[str, bytes]) -> Named:
    """All files of metrics, and all of parameters, that each dvc.yaml among `files` names. Never raises."""
    found = [_pipeline(file, data) for file, data in files.items()]
    metrics = [m for one in found for m in (*one.metrics, *(m for stage in one.stages for m in stage.metrics))]
    params = [p for one in found for p in (*one.params, *(p for stage in one.stages for p in stage.params))]
    return _once(metrics), _once(params)


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(paths))[:_MOST])


def _makes(stage: _Stage, path: str) -> bool:
    return is_output(path, stage.outputs) or any(out.startswith(f"{path}/") for out in stage.outputs)


def _pipeline(file: str, data: bytes) -> _Pipeline:
    directory = posixpath.dirname(file)
    try:
        root = documents.parse(data)
    except DocumentError:
        root = Table(1, 1, 1, 1)
    declared = [_text(_get(one, "path")) for _, one in _entries(_get(root, "artifacts"))]
    return _Pipeline(
        tuple(_stage(directory, stage) for _, stage in _entries(_get(root, "stages"))),
        _located(directory, _paths(_get(root, "metrics"))),
        _located(directory, _paths(_get(root, "params"))),
        frozenset(_located(directory, [path for path in declared if path])),
    )


def _stage(directory: str, stage: Node) -> _Stage:
    at = posixpath.join(directory, _text(_get(stage, "wdir")) or ".")
    if "${" in at or _get(stage, "foreach") is not None or _get(stage, "matrix") is not None:
        return _Stage((), (), ())  # a template, which DVC fills in
    metrics = _located(at, _paths(_get(stage, "metrics")))
    outs = _located(at, [*_paths(_get(stage, "outs")), *_paths(_get(stage, "plots"))])
    return _Stage((*outs, *metrics), metrics, _located(at, _param_files(_get(stage, "params"))))


def _param_files(node: Node | None) -> Iterator[str]:
    """Every entry is a key of params.yaml, or a mapping from a file to its keys."""
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Table):
            yield from item.values
        elif _text(item):
            yield _PARAMS


def _paths(node: Node | None) -> list[str]:
    """Every entry is a path, or a mapping from paths to their options."""
    found: list[str] = []
    for item in node.items if isinstance(node, Items) else [node] if node is not None else ():
        if isinstance(item, Table):
            found += item.values
        elif text := _text(item):
            found.append(text)
    return found


def _located(directory: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Those paths that lie in the repository, from its root; templates are left alone."""
    found: Sequence[str] = [
        posixpath.normpath(posixpath.join(directory, path)) for path in paths if "${" not in path and "://" not in path
    ]
    return tuple(path for path in found if not path.startswith(("/", "..")) and path != "." and "\n" not in path)


def _entries(node: Node | None) -> Iterable[tuple[str, Node]]:
    return node.values.items() if isinstance(node, Table) else ()


def _get(node: Node | None, key: str) -> Node | None:
    return node.values.get(key) if isinstance(node, Table) else None


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) and node.value is not None else ""

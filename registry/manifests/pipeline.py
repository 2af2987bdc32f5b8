"""Which files of metrics and parameters DVC names for what a pipeline makes.

https://doc.dvc.org/user-guide/project-structure/dvcyaml-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from registry.manifests import documents
from registry.manifests.documents import DocumentError, Items, Node, Table
from registry.manifests.outputs import body, entries, get, is_output, is_repeated, made, paths, text

_MOST = 50  # files of one artifact: whoever writes a dvc.yaml is not to keep its readers busy
_template = re.compile(r"\$\{[^${}]*\}")
_PARAMS = "params.yaml"  # what keys without a file are keys of

Named: TypeAlias = "tuple[tuple[str, ...], tuple[str, ...]]"


@dataclass(frozen=True, slots=True)
class _Stage:
    """What one stage says, with paths from the root; `at` is where it runs. Its metrics are outputs, too."""

    at: str
    outputs: tuple[str, ...]
    metrics: tuple[str, ...]
    params: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """One dvc.yaml, with what its dvc.lock says of templates; `unfilled` are the stages of which it says nothing."""

    stages: tuple[_Stage, ...]
    metrics: tuple[str, ...]
    params: tuple[str, ...]
    artifacts: frozenset[str]
    unfilled: tuple[_Stage, ...]
    templates: tuple[str, ...]  # metrics and params of no stage, that nothing fills in


def named_for(path: str, files: Mapping[str, bytes]) -> Named:
    """The files of metrics, and those of parameters, that each dvc.yaml among `files` names for what is at `path`.

    Those of the stage that makes it; those of the whole dvc.yaml, where another stage does not make them, if a stage of
    it makes `path` or it declares it as an artifact. What a template stands for is said by the dvc.lock beside it,
    which is one of `files` then: see `locks`. Never raises.
    """
    metrics: list[str] = []
    params: list[str] = []
    for pipeline in _pipelines(files):
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
    found = list(_pipelines(files))
    metrics = [m for one in found for m in (*one.metrics, *(m for stage in one.stages for m in stage.metrics))]
    params = [p for one in found for p in (*one.params, *(p for stage in one.stages for p in stage.params))]
    return _once(metrics), _once(params)


def locks(files: Mapping[str, bytes]) -> list[str]:
    """Each dvc.lock that says what DVC has put for `${...}` in the dvc.yaml beside it, one of `files`."""
    return [posixpath.join(posixpath.dirname(file), "dvc.lock") for file, data in files.items() if b"${" in data]


def unfilled(path: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The templates of metrics and params that DVC names for what is at `path`, as far as no dvc.lock says what they
    stand for: they are not found. `files` are each dvc.yaml, and the dvc.lock beside it. Never raises."""
    found: list[str] = []
    for pipeline in _pipelines(files):
        stages = [stage for stage in pipeline.unfilled if any(_could_be(path, out) for out in stage.outputs)]
        found += [one for stage in stages for one in (*stage.metrics, *stage.params)]
        if stages or any(_makes(stage, path) for stage in pipeline.stages):
            found += pipeline.templates
    return _once(found)


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(list(dict.fromkeys(paths))[:_MOST])


def _makes(stage: _Stage, path: str) -> bool:
    return is_output(path, stage.outputs) or any(out.startswith(f"{path}/") for out in stage.outputs)


def _pipelines(files: Mapping[str, bytes]) -> Iterator[_Pipeline]:
    for file, data in files.items():
        directory, name = posixpath.split(file)
        if name == "dvc.yaml":
            lock = files.get(posixpath.join(directory, "dvc.lock"), b"") if b"${" in data else b""
            yield _pipeline(directory, _parsed(data), _parsed(lock))


def _parsed(data: bytes) -> Node | None:
    try:
        return documents.parse(data)
    except DocumentError:
        return None


def _pipeline(directory: str, root: Node | None, lock: Node | None) -> _Pipeline:
    locked: dict[str, list[Node]] = {}
    for key, stage in entries(get(lock, "stages")):
        locked.setdefault(key.partition("@")[0], []).append(stage)  # of foreach and matrix: NAME@KEY
    stages: list[_Stage] = []
    unfilled: list[_Stage] = []
    for name, stage in entries(get(root, "stages")):
        one = _stage(directory, stage)
        if is_repeated(stage) or any("${" in path for path in (one.at, *one.outputs, *one.params)):
            made_of_it = [] if "${" in one.at else locked.get(name, [])
            stages += [_filled(one, each) for each in made_of_it]
            unfilled += [] if made_of_it else [one]
            if made_of_it or is_repeated(stage) or "${" in one.at:
                continue
        stages.append(_Stage(one.at, *(_located("", paths) for paths in (one.outputs, one.metrics, one.params))))
    metrics, params = list(paths(get(root, "metrics"))), list(paths(get(root, "params")))
    declared = [text(get(one, "path")) for _, one in entries(get(root, "artifacts"))]
    return _Pipeline(
        tuple(stages),
        _located(directory, metrics),
        _located(directory, params),
        frozenset(_located(directory, [path for path in declared if path])),
        tuple(unfilled),
        tuple(one for one in (*metrics, *params) if "${" in one),
    )


def _stage(directory: str, stage: Node) -> _Stage:
    """What a dvc.yaml says of one stage, templates as they are."""
    said = body(stage)
    at = posixpath.join(directory, text(get(said, "wdir")) or ".")

    def here(written: Iterable[str]) -> tuple[str, ...]:
        return tuple(posixpath.normpath(posixpath.join(at, path)) for path in written if "://" not in path)

    metrics = here(paths(get(said, "metrics")))
    outs = here([*paths(get(said, "outs")), *paths(get(said, "plots"))])
    return _Stage(at, (*outs, *metrics), metrics, here(_param_files(get(said, "params"))))


def _filled(stage: _Stage, locked: Node) -> _Stage:
    """What DVC has made of a template, as dvc.lock says: which of its outputs are metrics, it does not.

    An output is what that template became which says most of its name.
    """
    outputs = _located(stage.at, made(locked))
    templates = sorted(stage.outputs[:_MOST], key=lambda one: len(_template.sub("", one)), reverse=True)
    became = {path: next((one for one in templates if _could_be(path, one)), "") for path in outputs}
    metrics = tuple(path for path, template in became.items() if template in stage.metrics)
    return _Stage(stage.at, outputs, metrics, _located(stage.at, [file for file, _ in entries(get(locked, "params"))]))


def _could_be(path: str, template: str) -> bool:
    """Whether `template` becomes `path` where each `${...}` becomes one character or more."""
    first, *rest = _template.split(template)
    if not rest:
        return path == template
    at, end = len(first), len(path) - len(rest[-1])
    if not path.startswith(first) or not path.endswith(rest[-1]):
        return False
    for part in rest[:-1]:  # as far left as can be; by no regular expression, which a stranger could make slow
        place = path.find(part, at + 1, end)
        if place < 0:
            return False
        at = place + len(part)
    return at < end


def _param_files(node: Node | None) -> Iterator[str]:
    """Every entry is a key of params.yaml, or a mapping from a file to its keys."""
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Table):
            yield from item.values
        elif text(item):
            yield _PARAMS


def _located(directory: str, written: Iterable[str]) -> tuple[str, ...]:
    """Those paths that lie in the repository, from its root; templates are left alone."""
    found = [
        posixpath.normpath(posixpath.join(directory, one)) for one in written if "${" not in one and "://" not in one
    ]
    return tuple(path for path in found if not path.startswith(("/", "..")) and path != "." and "\n" not in path)

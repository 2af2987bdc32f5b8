"""Experiments of DVC: `dvc:EXP`, by its name, its commit or a branch. They are in Git; DVC itself is not needed."""

from __future__ import annotations

import posixpath
import re

from registry.core.metadata import Scalar
from registry.errors import ManifestError, NotFound, UsageError
from registry.manifests.pipeline import locks, named_files
from registry.manifests.values import read_values
from registry.plumbing import objects
from registry.plumbing.process import Git
from registry.providers.values import Found, Place

_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}(?:/[A-Za-z0-9_.-]{1,200}){0,5}")
_MOST = 50  # files of pipelines, which are all taken together
_LIMIT = 10 * 1000 * 1000  # bytes of one file,
_TOTAL = 50 * 1000 * 1000  # and of all
_PATHS = 20 * 1000 * 1000  # bytes of the names of files
_EVEN_UNNAMED = ("dvclive/metrics.json", "params.yaml")  # what DVC and DVCLive take when nothing else is said


def resolve(run: str, place: Place) -> Found:
    """The metrics and parameters of the files that DVC names, at the experiment's commit."""
    if _name.fullmatch(run) is None or ".." in run:
        raise UsageError("that is no name of an experiment", "")
    commit = _commit(place.git, run)
    listed = objects.paths_at(place.git, commit, _PATHS) or []
    there = set(listed)
    pipelines = [path for path in listed if posixpath.basename(path) == "dvc.yaml"][:_MOST]
    declared = _read(place.git, commit, pipelines)
    locked = _read(place.git, commit, [lock for lock in locks(declared) if lock in there])
    metrics, params = named_files({**declared, **locked})
    wanted = {path: place_ for place_, paths in enumerate((metrics, params)) for path in paths}
    for index, path in enumerate(_EVEN_UNNAMED):
        wanted.setdefault(path, index)
    values: tuple[dict[str, Scalar], dict[str, Scalar]] = ({}, {})
    files = [path for path in wanted if path in there][:_MOST]
    for path, data in _read(place.git, commit, files).items():
        try:
            values[wanted[path]].update(read_values(path, data))
        except ManifestError:
            continue
    notes = () if values[0] or values[1] else (f"the commit of dvc:{run} has no metrics or parameters in Git",)
    return Found(None, values[0], values[1], notes)


def _commit(git: Git, run: str) -> str:
    """The commit of an experiment: refs/exps/XX/YYYY/NAME, of which the middle is the commit that it began from."""
    listing = git.read("for-each-ref", "--sort=-committerdate", "--format=%(objectname)", f"refs/exps/*/*/{run}")
    found = listing.decode().split()
    try:
        return found[0] if found else objects.resolve_commit(git, run)
    except NotFound:
        raise NotFound("this repository has no such experiment", "") from None


def _read(git: Git, commit: str, paths: list[str]) -> dict[str, bytes]:
    names = [f"{commit}:{path}" for path in paths]
    found = objects.read_objects(git, names, only_type="blob", limit=_LIMIT, total=_TOTAL)
    return {path: one.data for path, one in zip(paths, found, strict=True) if one.data is not None}

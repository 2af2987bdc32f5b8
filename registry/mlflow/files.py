"""The files of a model: brought from MLflow to be committed, and from Git to be loaded."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow.artifacts

from registry.api import Registry
from registry.errors import Refused
from registry.mlflow import wording
from registry.mlflow.address import Place
from registry.plumbing.userdirs import cache_directory
from registry.porcelain.values import ModelVersion


def place_of(place: Place, name: str) -> str:
    """Where the files of a model are kept, from the repository's root."""
    return f"{place.path}/{name.replace(':', '/')}"


def storage(registry: Registry, one: ModelVersion) -> str:
    """From where MLflow loads a version: where it put it, else from a directory that Git's files are brought into."""
    said = one.metadata.tags
    elsewhere = outside(one)
    if elsewhere is not None:
        return elsewhere
    directory = _directory(one)
    registry.pull(f"{one.artifact}@{one.version}", directory)
    inside = directory / (said.get(wording.PATH) or one.path or ".")
    return os.fspath(inside if inside.is_dir() else inside.parent)


def outside(one: ModelVersion) -> str | None:
    """Where the files of a version are, if that is not in its commit."""
    said = one.metadata.tags
    if wording.PATH in said:
        return None
    if wording.SOURCE in said:
        return wording.read(said.get(wording.STORAGE) or said[wording.SOURCE])
    return one.path if one.path is not None and "://" in one.path else None


def _directory(one: ModelVersion) -> Path:
    """A directory of this version's bytes: where they are the same, it is the same one."""
    files = sorted((file.path, file.sha256 or "") for file in one.metadata.artifacts)
    named = repr(files) if files and all(digest for _, digest in files) else f"{one.artifact}\0{one.commit}"
    return cache_directory() / "files" / hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest()


@contextmanager
def brought(source: str, local: str | None) -> Iterator[Path]:
    """The model's directory on this machine, for as long as it is needed."""
    if local is not None and Path(local).is_dir():
        yield Path(local)
        return
    with tempfile.TemporaryDirectory(prefix="registry-") as there:
        yield Path(mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=there))


@contextmanager
def put(source: Path, root: Path, path: str) -> Iterator[Path]:
    """The files of `source`, and no others, at `path` of the work tree; as it was before where the block raises."""
    to = root / path
    if not Path(os.path.realpath(to)).is_relative_to(os.path.realpath(root)):
        raise Refused(f"{path} leads out of the repository", "another path=DIR in the registry URI")
    with tempfile.TemporaryDirectory(dir=root / ".git" if (root / ".git").is_dir() else None) as aside:
        before, failed = Path(aside) / "before", Path(aside) / "failed"
        if to.exists():
            shutil.move(to, before)
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            # MLflow's own note of what a download was registered as: it is not of the model.
            if source.is_dir():
                shutil.copytree(source, to, ignore=shutil.ignore_patterns("registered_model_meta"))
            else:
                shutil.copy2(source, to)
            yield to
        except BaseException:
            if to.exists():
                shutil.move(to, failed)
            if before.exists():
                shutil.move(before, to)
            raise

"""The files of a model: brought from MLflow to be committed, and from Git to be loaded."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qsl, unquote, urlsplit

import mlflow.artifacts
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.models_artifact_repo import REGISTERED_MODEL_META_FILE_NAME
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.uri import is_local_uri

from registry.api import Registry
from registry.errors import NotFound, Refused, RegistryError, StoreFailed, UsageError
from registry.mlflow import tracking, wording
from registry.mlflow.address import Place
from registry.porcelain.values import ModelVersion

_log = logging.getLogger("registry")

# MLflow's own note of what a download was registered as, which it writes beside the files: it is not of the model.
NOT_OF_THE_MODEL = (REGISTERED_MODEL_META_FILE_NAME,)
_SECRET = ("sig", "signature", "credential", "token", "secret", "password", "key", "keyid")


def place_of(place: Place, name: str) -> str:
    """Where the files of a model are kept, from the repository's root."""
    return f"{place.path}/{name.replace(':', '/')}"


# -- loading -----------------------------------------------------------------------------------------------------------


def storage(registry: Registry, one: ModelVersion) -> str:
    """From where MLflow loads a version: where it put it, else from the cache that Git's files are brought into.

    Raises Refused where the version's tags, which anybody may have written, lead elsewhere.
    """
    elsewhere = outside(one)
    if elsewhere is not None:
        check_served(one, elsewhere)
        return elsewhere
    path = _path(one)
    kept = registry.keep(f"{one.artifact}@{one.version}")
    inside = kept.directory / path
    found = inside if inside.is_dir() else inside.parent
    if not Path(os.path.realpath(found)).is_relative_to(os.path.realpath(kept.directory)):
        raise _leading_out(one, path)
    return os.fspath(found)


def note(text: str) -> None:
    """Tell the log what a person should know; what MLflow leaves in the cache whenever it loads is no damage."""
    _log.log(logging.DEBUG if REGISTERED_MODEL_META_FILE_NAME in text else logging.WARNING, "%s", text)


def _path(one: ModelVersion) -> str:
    """Where the model is among the files of its version."""
    said = one.metadata.tags.get(wording.PATH)
    if said is None:
        return one.path or "."
    path = PurePosixPath(said)
    recorded = (PurePosixPath(file.path) for file in one.metadata.artifacts)
    if ".." in path.parts or not any(file.is_relative_to(path) for file in recorded):
        raise _leading_out(one, said)
    return said


def _leading_out(one: ModelVersion, path: str) -> Refused:
    return Refused(
        f"{one.artifact} {one.version} says that its model is in {path}, where it has no files",
        "registry history says who wrote its tags",
    )


def outside(one: ModelVersion) -> str | None:
    """Where the files of a version are, if that is not in its commit."""
    said = one.metadata.tags
    if wording.PATH in said:
        return None
    if wording.SOURCE in said:
        return wording.read(said.get(wording.STORAGE) or said[wording.SOURCE])
    return one.path if one.path is not None and "://" in one.path else None


def check_served(one: ModelVersion, source: str) -> None:
    """MLflow's server may give out what is at `source`. Raises Refused for a file of the server's own machine that is
    not an artifact: a tag says so, and whoever may push writes tags."""
    if not tracking.is_server():
        return
    plain = source
    while (less := unquote(plain)) != plain:
        plain = less
    if ".." not in plain.replace("\\", "/").split("/"):
        here = _local(source)
        if here is None or any(
            Path(os.path.realpath(here)).is_relative_to(os.path.realpath(root))
            for root in map(_local, tracking.roots(one.metadata.run, one.metadata.tags.get(wording.MODEL_ID)))
            if root is not None
        ):
            return
    raise Refused(
        f"{one.artifact} {one.version} names {source}, which is no artifact that this server tracks",
        "a client that may read it loads it with the registry's own URI",
    )


def _local(source: str) -> Path | None:
    """The path of this machine that a source is."""
    if "\0" in source:
        raise UsageError("a source holds no NUL", "say where the model's files are")
    return Path(local_file_uri_to_path(source)) if is_local_uri(source, False) else None


# -- committing --------------------------------------------------------------------------------------------------------


def check_source(source: str) -> None:
    """`source` can stand in a tag, which everybody reads. Raises UsageError where it has a password or a signature."""
    try:
        parts = urlsplit(source)
        said = parse_qsl(parts.query)
    except ValueError as error:
        raise UsageError(f"the source is no URI: {error}", "say where the model's files are") from error
    user, at, _ = parts.netloc.rpartition("@")
    # Of Azure's abfss://CONTAINER@ACCOUNT the part before the sign is no secret; over HTTP a name alone may be a token.
    if (at and (":" in user or parts.scheme.lower() in {"http", "https"})) or any(_is_secret(key) for key, _ in said):
        raise UsageError(
            "the source holds a password or a signature, and tags are public",
            "leave it out of the URI: whoever loads the model has credentials of their own",
        )


def _is_secret(key: str) -> bool:
    return key.lower().replace("_", "-").rpartition("-")[2] in _SECRET or key.lower().endswith(("keyid", "token"))


@contextmanager
def brought(source: str, local: str | None) -> Iterator[Path]:
    """The model's directory on this machine, for as long as it is needed. Raises NotFound or StoreFailed."""
    here = Path(local) if local is not None and Path(local).is_dir() else _local(source)
    if here is not None:
        if not here.exists():
            raise NotFound(f"there is nothing at {source}", "a source is where the model's files are")
        yield here
        return
    with tempfile.TemporaryDirectory(prefix="registry-") as there:
        try:
            found = Path(mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=there))
        except (MlflowException, RegistryError):
            raise
        except Exception as error:  # whatever the client of that storage raises
            raise StoreFailed(f"{source} cannot be brought: {error}", "a source is where the files are") from error
        yield found

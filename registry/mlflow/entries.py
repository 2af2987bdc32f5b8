"""Registered models: entries of the manifest, each change of them a commit of the manifest alone."""

from __future__ import annotations

from pathlib import PurePosixPath

from mlflow.entities.model_registry import RegisteredModelTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_STATE, RESOURCE_ALREADY_EXISTS

from registry.api import Registry
from registry.core.manifest import Declaration, Json
from registry.manifests import edit
from registry.manifests.edit import Declared
from registry.mlflow.reading import Known
from registry.plumbing import tags
from registry.porcelain import manifests
from registry.porcelain import withdraw as withdrawn
from registry.porcelain.manifests import FILE
from registry.porcelain.note import Note
from registry.writing.values import Way

_IS_PROMPT = "mlflow.prompt.is_prompt"


def declare(registry: Registry, name: str, said: list[RegisteredModelTag] | None, description: str | None) -> None:
    """Add a model to the manifest. A prompt of MLflow's is no model to others, so it gets a type of its own."""
    metadata = {tag.key: "" if tag.value is None else str(tag.value) for tag in said or ()}
    fields: dict[str, Json] = {
        **({"type": "prompt"} if metadata.get(_IS_PROMPT) == "true" else {}),
        **({"description": description} if description else {}),
        **({"metadata": dict(metadata)} if metadata else {}),
    }
    try:
        registry.at_work(lambda there: there.add(name, commit=True, **fields))
    except Declared as error:  # since it was looked for, or in the work tree, where it says something else
        message = f"{_kind('type' in fields)} (name={name}) already exists: {error.message}, {error.hint}"
        raise MlflowException(message, RESOURCE_ALREADY_EXISTS) from error


def like(registry: Registry, name: str) -> list[str]:
    """Names that are there, with all that could be taken for `name`."""
    repository = registry.repository
    return [*repository.manifest_at_head.artifacts, *tags.artifacts_like(repository.git, name)]


def taken(there: Known, said: list[RegisteredModelTag] | None) -> MlflowException:
    """What to say to who would declare a model again, in MLflow's words."""
    old = _kind(there.declared is not None and there.declared.type == "prompt")
    new = _kind(any(tag.key == _IS_PROMPT and str(tag.value) == "true" for tag in said or ()))
    if old == new:
        return MlflowException(f"{new} (name={there.name}) already exists.", RESOURCE_ALREADY_EXISTS)
    return MlflowException(
        f"Tried to create a {new.lower()} with name {there.name!r}, but the name is already taken by a {old.lower()}. "
        "MLflow does not allow creating a model and a prompt with the same name.",
        RESOURCE_ALREADY_EXISTS,
    )


def _kind(is_prompt: bool) -> str:
    return "Prompt" if is_prompt else "Registered Model"


def describe(registry: Registry, known: Known, description: str | None) -> None:
    """Say something else of a model."""
    _change(registry, known, "description", description or None)


def tag(registry: Registry, known: Known, key: str, value: str) -> None:
    """Say one thing more of a model."""
    if known.declared is None or known.declared.metadata.get(key) != value:
        _change(registry, known, f"metadata.{key}", value)


def untag(registry: Registry, known: Known, key: str) -> None:
    """Say it no longer; what was never said is left."""
    if known.declared is not None and key in known.declared.metadata:
        _change(registry, known, f"metadata.{key}", None)


def _change(registry: Registry, known: Known, field: str, value: Json) -> None:
    declared = known.declared
    if declared is None:  # registered without an entry: now it gets one
        said = edit.changed({}, {field: value})
        registry.at_work(lambda there: there.add(known.name, commit=True, **said))
    else:
        _check_ours(declared)
        registry.at_work(lambda there: there.change(known.name, commit=True, **{field: value}))


def _check_ours(declared: Declaration) -> None:
    if PurePosixPath(declared.source).name != FILE:
        raise MlflowException(
            f"{declared.name} is declared in {declared.source}, which is not written to: declare it in {FILE}",
            INVALID_STATE,
        )


def rename(registry: Registry, known: Known, name: str) -> None:
    """Give a model that has no versions another name. Raises MlflowException for one that has had any."""
    if known.state.exists:
        raise MlflowException(
            f"{known.name} cannot be renamed: its versions are Git tags, which never move; "
            f"create {name}, and copy the versions that are wanted with copy_model_version",
            INVALID_STATE,
        )
    if known.declared is not None:
        _check_ours(known.declared)
    registry.at_work(lambda there: manifests.rename(there.repository, known.name, name, _wait, commit=True))


def withdraw(registry: Registry, known: Known, *, push: bool) -> None:
    """Withdraw the versions of a model and take it out of the manifest. Its tags stay, as history."""
    if known.declared is not None:
        _check_ours(known.declared)
    note = Note(reason="deleted in MLflow")
    if not known.versions:
        registry.at_work(lambda there: there.remove(known.name, commit=True))
        return

    def remove() -> None:
        registry.at_work(lambda there: there.remove(known.name, commit=True))

    declared = known.declared is not None
    withdrawn.withdraw(registry.repository, known.name, note, Way(push=push), _wait, remove if declared else None)


def _wait() -> None:
    """Nobody is told that another command writes: MLflow has no place for it."""

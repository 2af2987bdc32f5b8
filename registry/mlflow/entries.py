"""Registered models: entries of the manifest, each change of them a commit of the manifest alone."""

from __future__ import annotations

from collections.abc import Mapping

from mlflow.entities.model_registry import RegisteredModelTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_STATE, RESOURCE_ALREADY_EXISTS

from registry.api import Registry
from registry.core.manifest import Json
from registry.mlflow.reading import Known

_IS_PROMPT = "mlflow.prompt.is_prompt"


def declare(registry: Registry, name: str, tags: list[RegisteredModelTag] | None, description: str | None) -> None:
    """Add a model to the manifest. A prompt of MLflow's is no model to others, so it gets a type of its own."""
    said = {tag.key: "" if tag.value is None else str(tag.value) for tag in tags or ()}
    fields: dict[str, Json] = {
        **({"type": "prompt"} if said.get(_IS_PROMPT) == "true" else {}),
        **({"description": description} if description else {}),
        **({"metadata": dict(said)} if said else {}),
    }
    registry.at_work(lambda there: there.add(name, commit=True, **fields))


def taken(there: Known, tags: list[RegisteredModelTag] | None) -> MlflowException:
    """What to say to who would declare a model again, in MLflow's words."""
    old = _kind(there.declared is not None and there.declared.type == "prompt")
    new = _kind(any(tag.key == _IS_PROMPT and str(tag.value) == "true" for tag in tags or ()))
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
    _change(registry, known, {"description": description or None})


def tag(registry: Registry, known: Known, key: str, value: str) -> None:
    """Say one thing more of a model."""
    there = dict(known.declared.metadata) if known.declared is not None else {}
    if there.get(key) != value:
        _change(registry, known, {"metadata": {**there, key: value}})


def untag(registry: Registry, known: Known, key: str) -> None:
    """Say it no longer; what was never said is left."""
    there = dict(known.declared.metadata) if known.declared is not None else {}
    if key in there:
        _change(registry, known, {"metadata": {name: said for name, said in there.items() if name != key} or None})


def _change(registry: Registry, known: Known, fields: Mapping[str, Json]) -> None:
    if known.declared is None:  # registered without an entry: now it gets one
        said = {key: value for key, value in fields.items() if value is not None}
        registry.at_work(lambda there: there.add(known.name, commit=True, **said))
    else:
        registry.at_work(lambda there: there.change(known.name, commit=True, **fields))


def rename(registry: Registry, known: Known, name: str) -> None:
    """Give a model that has no versions another name. Raises MlflowException for one that has had any."""
    if known.state.exists:
        raise MlflowException(
            f"{known.name} cannot be renamed: its versions are Git tags, which never move; "
            f"create {name}, and copy the versions that are wanted with copy_model_version",
            INVALID_STATE,
        )
    declared = known.declared
    fields: dict[str, Json] = {}
    if declared is not None:
        fields = {
            **({"type": declared.type} if declared.type != "model" else {}),
            **({"description": declared.description} if declared.description else {}),
            **({"metadata": dict(declared.metadata)} if declared.metadata else {}),
            **({"path": declared.path} if declared.path is not None else {}),
        }

    def work(there: Registry) -> None:
        there.add(name, commit=True, **fields)
        there.remove(known.name, commit=True)

    registry.at_work(work)


def withdraw(registry: Registry, known: Known, *, push: bool) -> None:
    """Withdraw the versions of a model, newest first, then take it out of the manifest. Its tags stay, as history."""
    for one in reversed(known.versions):
        registry.deregister(f"{known.name}@{one.version}", reason="deleted in MLflow", push=push)
    if known.declared is not None:
        registry.at_work(lambda there: there.remove(known.name, commit=True))

"""MLflow's four stages (None, Staging, Production, Archived) and ours."""

from __future__ import annotations

from collections.abc import Iterable

from mlflow.entities.model_registry.model_version_stages import (
    ALL_STAGES,
    DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS,
    STAGE_ARCHIVED,
    STAGE_NONE,
)
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from registry.core.manifest import Lifecycle
from registry.errors import UsageError

__all__ = ["STAGE_ARCHIVED", "STAGE_NONE", "canonical", "current", "is_active", "ours", "target"]


def canonical(stage: str) -> str | None:
    """The one of MLflow's stages that is meant, however it is written; None for others. Raises MlflowException."""
    if not isinstance(stage, str):
        raise MlflowException(
            f"Invalid Model Version stage: {stage}. Value must be one of {', '.join(ALL_STAGES)}.",
            INVALID_PARAMETER_VALUE,
        )
    return next((one for one in ALL_STAGES if one.lower() == stage.lower()), None)


def ours(stage: str, lifecycle: Lifecycle | None, used: Iterable[str]) -> str | None:
    """The stage of ours that one of MLflow's is: the lifecycle's, in its spelling; None where it has none.

    Without a lifecycle any name goes: the one that was ever `used`, for another spelling of it is refused for good,
    else in small letters.
    """
    if stage == STAGE_NONE:
        return None
    known = lifecycle if lifecycle is not None else used
    found = next((one for one in known if one.lower() == stage.lower()), None)
    return found or (None if lifecycle is not None else stage.lower())


def target(stage: str, lifecycle: Lifecycle | None, used: Iterable[str]) -> str | None:
    """The stage of ours that a version shall enter; None where it shall be in none.

    Raises MlflowException for a stage that neither knows, UsageError for one that the lifecycle has not.
    """
    known = canonical(stage)
    if known is None:
        if lifecycle is not None and stage in lifecycle:
            return stage
        there = ", ".join(dict.fromkeys([*ALL_STAGES, *(lifecycle or ())]))
        raise MlflowException(  # in the words that MLflow has for it
            f"Invalid Model Version stage: {stage}. Value must be one of {there}.", INVALID_PARAMETER_VALUE
        )
    found = ours(known, lifecycle, used)
    if found is None and known in DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS:
        raise UsageError(f"the lifecycle has no stage {known.lower()}", f"it has {', '.join(lifecycle or ())}")
    return found


def current(held: Iterable[str]) -> str:
    """The stage that MLflow shows of a version: the last entered of those that it holds and that MLflow knows."""
    return next((known for one in held if (known := canonical(one)) not in {None, STAGE_NONE}), None) or STAGE_NONE


def is_active(stage: str | None) -> bool:
    """Whether others can be archived for the sake of this stage of MLflow's."""
    return stage in DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS

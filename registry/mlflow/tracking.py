"""What MLflow's tracking knows of a model that becomes a version: its run, its files, its metrics and parameters."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from registry.porcelain.values import ModelVersion

_log = logging.getLogger("registry")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from. `storage` is where its files really are; `here` is a version of this repository whose
    files are in its commit."""

    source: str
    storage: str
    run_id: str | None = None
    model_id: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    here: ModelVersion | None = None


# What MLflow's server tells its workers: where its runs are, and where their artifacts go.
_STORE, _ROOT = "_MLFLOW_SERVER_FILE_STORE", "_MLFLOW_SERVER_ARTIFACT_ROOT"


def is_server() -> bool:
    """Whether this is MLflow's server, which gives others what only it can read."""
    return bool(os.environ.get(_STORE))


def client(tracking_uri: str | None) -> MlflowClient:
    """MLflow's tracking; in its server, the server's own store."""
    return MlflowClient(tracking_uri=os.environ.get(_STORE) or tracking_uri)


def roots(run: str | None, model_id: str | None) -> Iterator[str]:
    """Where a server has artifacts that it gives out: all of them, and those of a run and of a model that it tracks."""
    if root := os.environ.get(_ROOT):
        yield root
    asking = client(None)
    try:
        if model_id:
            yield str(asking.get_logged_model(model_id).artifact_location)
    except MlflowException as error:  # what is not there has no artifacts
        _log.debug("model %s cannot be asked: %s", model_id, error)
    try:
        if run:
            yield str(asking.get_run(run.removeprefix("mlflow:")).info.artifact_uri)
    except MlflowException as error:
        _log.debug("%s cannot be asked: %s", run, error)


def with_evidence(origin: Origin, tracking_uri: str | None) -> Origin:
    """`origin` with what its logged model shows, if it can be asked. Its run is asked when it is registered."""
    if origin.model_id is None:
        return origin
    try:
        logged = client(tracking_uri).get_logged_model(origin.model_id)
    except Exception as error:  # noqa: BLE001  (a registration does not fail for a model that is elsewhere, or gone)
        _log.debug("model %s cannot be asked: %s", origin.model_id, error)
        return origin
    metrics = {one.key: one.value for one in logged.metrics or ()}
    return replace(origin, run_id=origin.run_id or logged.source_run_id, metrics=metrics, params=logged.params or {})


def logged_model(model_id: str, tracking_uri: str | None) -> Any:
    """A model that was logged and is not registered yet. Raises MlflowException."""
    return client(tracking_uri).get_logged_model(model_id)

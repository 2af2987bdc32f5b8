"""Runs of MLflow: `mlflow:ID`, asked by its own client."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from registry.errors import NotFound, UsageError
from registry.providers.values import Found, Place

TAG = "git-registry.version"  # on the run: the versions that it became, by ", "
_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_id = re.compile(r"[A-Za-z0-9_-]{1,256}")
_said: ContextVar[str | None] = ContextVar("where runs are tracked", default=None)


@contextmanager
def tracked_at(uri: str | None) -> Iterator[None]:
    """Meanwhile, runs are asked at `uri`, where it is not None: a store of MLflow's is told, by whom it is made."""
    before = _said.set(uri)
    try:
        yield
    finally:
        _said.reset(before)


def resolve(run: str, place: Place) -> Found:  # noqa: ARG001  (a provider is asked so)
    """Its page on the tracking server, its last metrics, and its parameters."""
    with _few_retries():
        found = _client().get_run(_checked(run))
    return Found(page(tracking_uri(), found.info.experiment_id, run), found.data.metrics, found.data.params)


def promoted(run: str, version: str, place: Place) -> None:  # noqa: ARG001  (the same)
    """Say on the run which version it became, after those that it became before."""
    with _few_retries():
        client = _client()
        before = client.get_run(_checked(run)).data.tags.get(TAG, "")
        versions = [one for one in before.split(", ") if one]
        if version not in versions:
            client.set_tag(run, TAG, ", ".join([*versions, version]))


def tracking_uri() -> str:
    """Where runs are tracked. Raises NotFound where nobody has said: MLflow would make a database here."""
    inside = os.environ.get("_MLFLOW_SERVER_FILE_STORE")  # in MLflow's own server: its own store
    told = inside or _said.get()
    said = told or os.environ.get("MLFLOW_TRACKING_URI")
    loaded = sys.modules.get("mlflow")
    if loaded is not None and not told and loaded.is_tracking_uri_set():
        said = loaded.get_tracking_uri()
    if said:
        return str(said)
    if any(Path(name).exists() for name in ("mlflow.db", "mlruns")):
        return ""
    raise NotFound("MLFLOW_TRACKING_URI does not say where MLflow tracks runs", "")


def page(uri: str, experiment: str, run: str) -> str | None:
    """The page of a run, where the tracking is a server that has pages; without its password."""
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    at = urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    return f"{at}/#/experiments/{experiment}/runs/{run}"


def _client() -> Any:
    if importlib.util.find_spec("mlflow") is None:
        raise NotFound("MLflow is not installed", "")
    uri = tracking_uri()
    from mlflow.tracking import MlflowClient  # an extra, and slow to import

    return MlflowClient(tracking_uri=uri or None)


@contextmanager
def _few_retries() -> Iterator[None]:
    """Meanwhile, a server that cannot be reached is asked few times, unless the person says otherwise: MLflow's own 7
    take a minute, also at a port where nobody listens. Its client can be told by the environment alone."""
    if _RETRIES in os.environ:
        yield
        return
    os.environ[_RETRIES] = "2"
    try:
        yield
    finally:
        os.environ.pop(_RETRIES, None)


def _checked(run: str) -> str:
    if _id.fullmatch(run) is None:
        raise UsageError("that is no id of an MLflow run", "")
    return run

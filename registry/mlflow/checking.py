"""What MLflow's own stores check before they do anything, in MLflow's words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.utils.validation import (
    _validate_model_alias_name,
    _validate_model_name,
    _validate_model_renaming,
    _validate_model_version,
    _validate_model_version_tag,
    _validate_registered_model_tag,
    _validate_tag_name,
)

from registry.core import names, policy
from registry.core.manifest import Lifecycle
from registry.errors import RegistryError

alias_name = _validate_model_alias_name
model_name = _validate_model_name
model_renaming = _validate_model_renaming
tag_name = _validate_tag_name
version_number = _validate_model_version
version_tag = _validate_model_version_tag


def version_said(version: object) -> None:
    """`version` is a number, or a text. Raises MlflowException."""
    if not isinstance(version, (int, str)) or isinstance(version, bool):
        raise MlflowException(f"Parameter 'version' must be an integer, got {version!r}.", INVALID_PARAMETER_VALUE)


_RESERVED = re.compile(r"latest|v[0-9]+", re.IGNORECASE)


def model_tag(key: object, value: object) -> None:
    """A tag of a model can be kept. Raises MlflowException."""
    _validate_registered_model_tag(key, value)
    text(str(value))


def text(said: str | None) -> None:
    """`said` can be written down. Raises MlflowException for half a character, which no file can hold."""
    try:
        (said or "").encode()
    except UnicodeEncodeError as error:
        raise MlflowException(f"not a text: {said!r} holds half a character", INVALID_PARAMETER_VALUE) from error


def new_name(name: str, there: Iterable[str]) -> None:
    """`name` is one that Git can say beside those that are there. Raises MlflowException."""
    try:
        policy.check_travels(f"{names.in_tag(names.check_artifact(name))}@v0.0.1")
        policy.check_case(name, there, "name")
    except RegistryError as error:
        raise MlflowException(f"{error.message}: {error.hint}", INVALID_PARAMETER_VALUE) from error


def new_alias(alias: str, lifecycle: Lifecycle | None) -> None:
    """`alias` can be set. Raises MlflowException for a name that means something already."""
    alias_name(alias)
    if lifecycle is not None and alias not in lifecycle:
        there = ", ".join(lifecycle) or "no stages"
        raise MlflowException(
            f"an alias is a stage here, and the lifecycle has none called {alias!r}: it has {there}",
            INVALID_PARAMETER_VALUE,
        )
    if _RESERVED.fullmatch(alias):  # MLflow 2 checks it in its client alone
        raise MlflowException(f"the alias name {alias!r} (case insensitive) is reserved.", INVALID_PARAMETER_VALUE)


def most(wanted: object, threshold: int, *, whole: bool = True) -> int:
    """`wanted`, if a page can hold as many: where it is not a `whole` number, MLflow says first that it is too large,
    of models, or that it is no number, of versions. Raises MlflowException."""
    numbers = (int,) if whole else (int, float)
    if isinstance(wanted, numbers) and wanted > threshold:
        raise MlflowException(
            f"Invalid value for request parameter max_results. It must be at most {threshold}, but got value {wanted}",
            INVALID_PARAMETER_VALUE,
        )
    if not isinstance(wanted, int) or wanted < 1:
        raise MlflowException(
            f"Invalid value for max_results. It must be a positive integer, but got {wanted}", INVALID_PARAMETER_VALUE
        )
    return wanted

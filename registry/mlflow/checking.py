"""What MLflow's own stores check before they do anything, in MLflow's words."""

from __future__ import annotations

import re

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.utils.validation import (
    _validate_model_alias_name,
    _validate_model_name,
    _validate_model_version,
    _validate_model_version_tag,
    _validate_registered_model_tag,
    _validate_tag_name,
)

alias_name = _validate_model_alias_name
model_name = _validate_model_name
model_tag = _validate_registered_model_tag
tag_name = _validate_tag_name
version_number = _validate_model_version
version_tag = _validate_model_version_tag

_RESERVED = re.compile(r"latest|v[0-9]+", re.IGNORECASE)


def new_alias(alias: str) -> None:
    """`alias` can be set. Raises MlflowException for a name that means something already."""
    alias_name(alias)
    if _RESERVED.fullmatch(alias):  # MLflow 2 checks it in its client alone
        raise MlflowException(f"the alias name {alias!r} (case insensitive) is reserved.", INVALID_PARAMETER_VALUE)


def most(wanted: object, threshold: int) -> int:
    """`wanted`, if a page can hold as many. Raises MlflowException."""
    if not isinstance(wanted, int) or wanted < 1:
        raise MlflowException(
            f"Invalid value for max_results. It must be a positive integer, but got {wanted}", INVALID_PARAMETER_VALUE
        )
    if wanted > threshold:
        raise MlflowException(
            f"Invalid value for request parameter max_results. It must be at most {threshold}, but got value {wanted}",
            INVALID_PARAMETER_VALUE,
        )
    return wanted

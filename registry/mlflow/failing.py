"""Our errors as MLflow's: the same words with the hint, and the code that its clients look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    INVALID_STATE,
    PERMISSION_DENIED,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_CONFLICT,
    RESOURCE_DOES_NOT_EXIST,
)

from registry.errors import GitFailed, ManifestError, NotFound, Refused, RegistryError, StoreFailed, Taken, UsageError
from registry.manifests.edit import Declared

# The first that fits: Taken is a Refused, Declared a ManifestError.
_CODES = (
    (NotFound, RESOURCE_DOES_NOT_EXIST),
    (UsageError, INVALID_PARAMETER_VALUE),
    (Taken, RESOURCE_CONFLICT),
    (Refused, PERMISSION_DENIED),
    (Declared, RESOURCE_ALREADY_EXISTS),
    (ManifestError, INVALID_STATE),
    (GitFailed, INTERNAL_ERROR),
    (StoreFailed, INTERNAL_ERROR),
)

F = TypeVar("F", bound=Callable[..., object])


def translated(error: RegistryError) -> MlflowException:
    """What MLflow is told of an error of ours."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), INTERNAL_ERROR)
    return MlflowException(f"{error.message}: {error.hint}" if error.hint else error.message, code)


def told(function: F) -> F:
    """`function`, whose errors are MLflow's: its server shows a page of HTML for any other."""

    @wraps(function)  # MLflow looks at the names of the parameters
    def tell(*arguments: object, **named: object) -> object:
        try:
            return function(*arguments, **named)
        except RegistryError as error:
            raise translated(error) from error
        except OSError as error:
            raise MlflowException(f"{type(error).__name__}: {error}", INTERNAL_ERROR) from error
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            # What MLflow's own parsers say of a page token or a filter, and what a wrong type comes to.
            raise MlflowException(f"an argument of {function.__name__}: {error}", INVALID_PARAMETER_VALUE) from error

    return cast("F", tell)

"""A model registry that lives in a Git repository: versions and stages are annotated tags.

    from registry import Registry, Model

The names are imported when they are first used, so that the command line starts without what it does not need.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from registry._version import __version__

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from registry.api import Registry
    from registry.api.keywords import Registering
    from registry.api.model import Model
    from registry.errors import (
        GitFailed,
        ManifestError,
        NotFound,
        Refused,
        RegistryError,
        StoreFailed,
        Taken,
        UsageError,
    )
    from registry.porcelain.gitops import Obstructed
    from registry.porcelain.values import Artifact, EventView, ModelVersion, StageCondition, Written
    from registry.runs import Run, active_run

__all__ = [
    "Artifact",
    "EventView",
    "GitFailed",
    "ManifestError",
    "Model",
    "ModelVersion",
    "NotFound",
    "Obstructed",
    "Refused",
    "Registry",
    "RegistryError",
    "Run",
    "StageCondition",
    "StoreFailed",
    "Taken",
    "UsageError",
    "Written",
    "__version__",
    "active_run",
    "promote",
]

_HOMES = {
    "registry.api": ("Registry",),
    "registry.api.model": ("Model",),
    "registry.errors": (
        "GitFailed",
        "ManifestError",
        "NotFound",
        "Refused",
        "RegistryError",
        "StoreFailed",
        "Taken",
        "UsageError",
    ),
    "registry.porcelain.gitops": ("Obstructed",),
    "registry.porcelain.values": ("Artifact", "EventView", "ModelVersion", "StageCondition", "Written"),
    "registry.runs": ("Run", "active_run"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def promote(artifact: str, *, stage: str | None = None, **said: "Unpack[Registering]") -> "Run":
    """`Registry().promote(...)`: a run that becomes a version, in the repository that is found from here."""
    from registry.api import Registry as Here

    return Here().promote(artifact, stage=stage, **said)


def __dir__() -> list[str]:
    return sorted(__all__)

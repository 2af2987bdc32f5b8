"""MLflow's tags and descriptions as values of a tag of ours, which have one line, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlflow.entities.model_registry import ModelVersionTag

from registry.core.spelling import read, spelled
from registry.errors import UsageError
from registry.providers.ask import is_page

__all__ = ["MODEL_ID", "OWN", "PATH", "SEMVER", "SOURCE", "STORAGE", "read", "shown_tags", "spelled", "tag_values"]

SEMVER = "semver"  # the version's own name: said when it is created, and shown ever after

# What MLflow has fields for, and a tag of ours has not.
SOURCE = "mlflow.source"  # where MLflow put the model's files
STORAGE = "mlflow.storage"  # where they really are, if `source` is a name for them such as models:/churn/3
PATH = "mlflow.path"  # where they are in the version's commit, if they are kept there
MODEL_ID = "mlflow.model_id"
OWN = frozenset({SOURCE, STORAGE, PATH, MODEL_ID})


def tag_values(tags: Iterable[ModelVersionTag] | None) -> dict[str, str]:
    """The tags that a person said, by key, spelled. Raises UsageError for those that are kept for MLflow's fields."""
    said = {tag.key: spelled(tag.value) for tag in tags or ()}
    for key in said:
        if key in OWN:
            raise UsageError(f"the tag {key} is set by the registry itself", "choose another name")
    return said


def shown_tags(tags: Mapping[str, str], version: str) -> list[ModelVersionTag]:
    """The tags of a version as MLflow shows them."""
    kept = {key: read(value) for key, value in tags.items() if key not in OWN}
    return [ModelVersionTag(key, value) for key, value in {**kept, SEMVER: version}.items()]


def is_harmless(link: str) -> bool:
    """Whether a browser that follows `link` stays on pages: one of the web, or a word without a scheme."""
    return is_page(link) or ":" not in link

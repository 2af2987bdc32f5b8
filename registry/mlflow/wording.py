"""MLflow's tags and descriptions as values of a tag of ours, which have one line, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from mlflow.entities.model_registry import ModelVersionTag

from registry.core.message import one_line
from registry.errors import UsageError

SEMVER = "semver"  # the version's own name: said when it is created, and shown ever after

# What MLflow has fields for, and a tag of ours has not.
SOURCE = "mlflow.source"  # where MLflow put the model's files
STORAGE = "mlflow.storage"  # where they really are, if `source` is a name for them such as models:/churn/3
PATH = "mlflow.path"  # where they are in the version's commit, if they are kept there
MODEL_ID = "mlflow.model_id"
OWN = frozenset({SOURCE, STORAGE, PATH, MODEL_ID})


def spelled(text: object) -> str:
    """`text` as it is, or in JSON where it is more than a line, empty, or could be taken for JSON."""
    plain = "" if text is None else str(text)
    try:
        if plain and not plain.startswith('"') and one_line(plain, "the value") == plain:
            return plain
    except UsageError:
        return json.dumps(plain)  # what holds control characters: they are escaped
    return json.dumps(plain, ensure_ascii=False)


def read(value: str) -> str:
    """What was `spelled`."""
    if value.startswith('"'):
        try:
            said = json.loads(value)
            said.encode()  # half a character, that somebody has written as \\ud800, is no text to MLflow
        except ValueError:
            return value
        return str(said)
    return value


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

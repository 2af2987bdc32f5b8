"""What the repository says of one model, and of all, as MLflow's entities."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion, RegisteredModel, RegisteredModelAlias, RegisteredModelTag

from registry.api import Registry
from registry.core import names
from registry.core.manifest import Declaration, Json, Lifecycle, Manifest
from registry.core.state import ArtifactState
from registry.errors import NotFound
from registry.mlflow import dates, stages, wording
from registry.plumbing import objects
from registry.porcelain import values

try:  # of MLflow 3
    from mlflow.entities.logged_model_parameter import LoggedModelParameter
except ImportError:
    LoggedModelParameter = None

KINDS = ("model", "prompt")  # types of artifacts that MLflow has a word for
RUN = "mlflow:"


@dataclass(frozen=True)
class Known:
    """All that is known of one model. `versions` are the active ones, in the order of their numbers."""

    name: str
    declared: Declaration | None
    lifecycle: Lifecycle | None
    state: ArtifactState
    versions: tuple[values.ModelVersion, ...]
    head: int  # when HEAD was committed: the date of a model that no tag speaks of
    uri: str
    entry: tuple[int, int] | None = None  # when it was declared and last changed, of a model that no tag speaks of

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """What each stage means, if that is a version."""
        there = {one.version for one in self.versions}
        return {stage: version for stage, version in self.state.stages.items() if version in there}

    @cached_property
    def _touched(self) -> Mapping[str, int]:
        """When each version was last spoken of."""
        said = zip(self.state.events, self.state.subjects, strict=True)
        return {subject: _milliseconds(event.by.iso) for event, subject in said if subject is not None}

    @property
    def used(self) -> list[str]:
        """Every stage that was ever entered or left, as it was written first."""
        return list(dict.fromkeys(name for event in self.state.events if (name := getattr(event, "stage", None))))

    def stage(self, known: str) -> str | None:
        """The stage of ours that one of MLflow's is."""
        return stages.ours(known, self.lifecycle, self.used)

    def model(self) -> RegisteredModel:
        """The model as MLflow shows it."""
        first, last = self._dates()
        numbers = {one.version: one.number for one in self.versions}
        declared = self.declared
        return RegisteredModel(
            name=self.name,
            creation_timestamp=first,
            last_updated_timestamp=last,
            description=declared.description or None if declared is not None else None,
            latest_versions=[self.entity(one) for one in self.newest().values()],
            tags=model_tags(declared),
            aliases=[RegisteredModelAlias(stage, str(numbers[version])) for stage, version in self.aliases.items()],
        )

    def _dates(self) -> tuple[int, int]:
        events = self.state.events
        if events:
            return _milliseconds(events[0].by.iso), _milliseconds(events[-1].by.iso)
        return self.entry or (self.head, self.head)

    def newest(self) -> dict[str, values.ModelVersion]:
        """The newest version in each of MLflow's stages."""
        return {stages.current(one.stages): one for one in self.versions}

    def entity(self, one: values.ModelVersion) -> ModelVersion:
        """A version as MLflow shows it."""
        known = one.metadata
        # A version that MLflow made has no description but its own; of others the manifest's is shown, as everywhere.
        of_mlflow = wording.SOURCE in known.tags
        described = self.state.versions[one.version].metadata.description if of_mlflow else known.description
        source = wording.read(known.tags[wording.SOURCE]) if of_mlflow else f"{self.uri}#{self.name}@{one.version}"
        registered = _milliseconds(one.registered_at)
        said = known.run or ""
        return ModelVersion(
            name=self.name,
            version=one.number,
            creation_timestamp=registered,
            last_updated_timestamp=max(registered, self._touched.get(one.version, 0)),
            description=wording.read(described) if described is not None else None,
            user_id=one.registered_by,
            current_stage=stages.current(one.stages),
            source=source,
            run_id=said.removeprefix(RUN) if said.startswith(RUN) else None,
            tags=wording.shown_tags(known.tags, one.version),
            run_link=known.run_url if wording.is_harmless(known.run_url or "") else None,  # MLflow's pages lead there
            aliases=[stage for stage, version in self.aliases.items() if version == one.version],
            **_evidence(one, registered),
        )


def _evidence(one: values.ModelVersion, registered: int) -> dict[str, object]:
    """The fields that MLflow 3 has for what a version shows for itself."""
    if LoggedModelParameter is None:
        return {}
    known = one.metadata
    numbers = {name: value for name, value in known.metrics.items() if isinstance(value, (int, float))}
    small = {name: float(value) for name, value in numbers.items() if abs(value) <= sys.float_info.max}
    return {
        "model_id": known.tags.get(wording.MODEL_ID),
        "metrics": [Metric(name, value, registered, 0) for name, value in small.items()] or None,
        "params": [LoggedModelParameter(name, _param(value)) for name, value in known.params.items()] or None,
    }


def known(registry: Registry, name: str, uri: str) -> Known:
    """The model `name`. Raises NotFound where it is neither declared nor has an active version."""
    found = None
    if names.is_artifact(name):  # MLflow allows others: no such model can be here
        repository = registry.repository
        state = repository.state(name)
        versions = registry.list_versions(name) if state.exists else []
        found = _of(state, versions, repository.rules(name), _Dates(registry), uri)
    if found is None:
        raise NotFound(f"Registered Model with name={name} not found", "registry show lists what there is")
    return found


def everything(registry: Registry, uri: str) -> list[Known]:
    """Every model, by its name, from one reading of all tags."""
    repository = registry.repository
    manifest, states = repository.manifest_at_head, repository.states
    grouped: dict[str, list[values.ModelVersion]] = {name: [] for name in sorted({*manifest.artifacts, *states})}
    for one in registry.list_versions():
        grouped[one.artifact].append(one)
    looked_up = _Dates(registry)
    found = (
        _of(states.get(name, ArtifactState(name, ())), versions, manifest, looked_up, uri)
        for name, versions in grouped.items()
    )
    return [one for one in found if one is not None]


def _of(
    state: ArtifactState, versions: Iterable[values.ModelVersion], manifest: Manifest, dated: _Dates, uri: str
) -> Known | None:
    declared = manifest.artifacts.get(state.name)
    active = sorted((one for one in versions if one.active), key=lambda one: one.number or 0)
    if (declared is None and not active) or (declared is not None and declared.type not in KINDS):
        return None
    entry = dated.entries.get(state.name) if not state.events else None
    return Known(state.name, declared, manifest.lifecycle(state.name), state, tuple(active), dated.head, uri, entry)


@dataclass(frozen=True)
class _Dates:
    """Dates for what no tag speaks of, looked up where there is such a model."""

    registry: Registry

    @cached_property
    def head(self) -> int:
        """When HEAD was committed."""
        head = self.registry.repository.head
        found = objects.summarize(self.registry.repository.git, head) if head is not None else None
        return _milliseconds(found.date if found is not None else None)

    @cached_property
    def entries(self) -> Mapping[str, tuple[int, int]]:
        """When entries were declared and last changed, as far as commits of ours say so."""
        return dates.of_entries(self.registry.repository)


def model_tags(declared: Declaration | None) -> list[RegisteredModelTag]:
    """What the manifest says under `metadata`."""
    said = declared.metadata if declared is not None else {}
    return [RegisteredModelTag(str(key), _text(value)) for key, value in said.items()]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _param(value: Json) -> str:
    return wording.read(value) if isinstance(value, str) else _text(value)


def _milliseconds(date: str | None) -> int:
    return 0 if date is None else int(datetime.fromisoformat(date).timestamp() * 1000)

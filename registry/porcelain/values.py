"""What the verbs answer: values, and their JSON shapes (DESIGN part 5; documented in docs/json.md, additive only)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.core.events import Event, OfStage
from registry.core.manifest import Json
from registry.core.metadata import APPROVED, Metadata, of_event


@dataclass(frozen=True, slots=True)
class EventView:
    """One event as people and scripts see it: what a tag says, each part of it worked out when it is asked for.

    `version` is the version that it concerns: its text, the full id of a commit where none is there, or None.
    """

    source: Event
    version: str | None

    @property
    def event(self) -> str:
        """Its kind: registration, deregistration, amendment, assignment, unassignment or deprecation."""
        return self.source.kind

    @property
    def artifact(self) -> str:
        """The artifact that it is about."""
        return self.source.artifact

    @property
    def stage(self) -> str | None:
        """The stage that it is about, of an assignment or unassignment."""
        return self.source.stage if isinstance(self.source, OfStage) else None

    @property
    def commit(self) -> str:
        """The full id of the commit that its tag is on."""
        return self.source.commit

    @property
    def tag(self) -> str:
        """The name of its tag."""
        return self.source.tag

    @property
    def date(self) -> str:
        """When it was made, in ISO 8601 with offset."""
        return self.source.by.iso

    @property
    def author(self) -> str:
        """The name of who made it."""
        return self.source.by.name

    @property
    def email(self) -> str:
        """The e-mail address of who made it."""
        return self.source.by.email

    @property
    def subject(self) -> str:
        """The first paragraph of its message, on one line."""
        return self.source.message.subject

    @property
    def message(self) -> str:
        """What the person said; of a tag of another tool, the whole message."""
        return self.source.message.body

    @property
    def reason(self) -> str | None:
        """Why, in one line."""
        return self.source.one("Reason")

    @property
    def metadata(self) -> Metadata:
        """What this event alone says of its version."""
        return of_event(self.source)

    @property
    def signed(self) -> bool:
        """Whether its tag holds a signature, good or not."""
        return self.source.message.signed

    @property
    def approves(self) -> tuple[str, ...]:
        """The stages that it approves its version for. Whether that counts is for its signature to say."""
        return self.source.keys.get(APPROVED, ())

    def to_json(self) -> dict[str, Json]:
        """The shape of `history --json`."""
        return {
            "event": self.event,
            "artifact": self.artifact,
            "version": self.version,
            "stage": self.stage,
            "commit": self.commit,
            "tag": self.tag,
            "date": self.date,
            "author": self.author,
            "email": self.email,
            "message": self.message,
            "reason": self.reason,
            "metadata": metadata_json(self.metadata),
            "signed": self.signed,
            "approves": list(self.approves),
        }


@dataclass(frozen=True, slots=True)
class StageCondition:
    """One time that a version entered a stage. `date` is ISO 8601 with offset."""

    stage: str
    reason: str | None
    message: str
    author: str
    date: str


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of an artifact, or, where a stage holds a commit without a version, that commit.

    `number` counts the artifact's versions from 1 and is None for a bare commit, like `tag`. `stages` are those that
    it holds, assigned last first. `path`, `type` and `description` are the manifest's at its commit.
    """

    artifact: str
    version: str
    number: int | None
    commit: str
    tag: str | None
    active: bool
    stages: tuple[str, ...]
    stage_conditions: tuple[StageCondition, ...]
    registered_at: str | None
    registered_by: str | None
    message: str
    path: str | None
    type: str
    description: str
    metadata: Metadata

    def _repr_html_(self) -> str:
        from registry.porcelain import html  # for notebooks

        return html.version(self)

    def to_json(self) -> dict[str, Json]:
        """The shape of `resolve --json`."""
        return {
            "artifact": self.artifact,
            "version": self.version,
            "number": self.number,
            "commit": self.commit,
            "tag": self.tag,
            "stages": list(self.stages),
            "path": self.path,
            "type": self.type,
            "description": self.description,
            "metadata": metadata_json(self.metadata),
        }

    def to_row(self) -> dict[str, Json]:
        """The shape of one of the versions in `show A --json`."""
        return {
            "version": self.version,
            "number": self.number,
            "commit": self.commit,
            "tag": self.tag,
            "active": self.active,
            "stages": list(self.stages),
            "registered_at": self.registered_at,
            "registered_by": self.registered_by,
            "message": self.message,
            "metadata": metadata_json(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact in a listing. `versions` counts the active ones; `stages` says what each stage resolves to."""

    name: str
    type: str
    latest: str | None
    stages: Mapping[str, str]
    versions: int
    deprecated: bool
    description: str
    labels: tuple[str, ...]
    path: str | None
    declared: bool
    updated_at: str | None

    def to_json(self) -> dict[str, Json]:
        """The shape of one artifact in `show --json`."""
        return {
            "name": self.name,
            "type": self.type,
            "latest": self.latest,
            "stages": dict(self.stages),
            "versions": self.versions,
            "deprecated": self.deprecated,
            "description": self.description,
            "labels": list(self.labels),
            "path": self.path,
            "declared": self.declared,
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True, slots=True)
class ArtifactDetail:
    """One artifact with its versions, the greatest first."""

    summary: Artifact
    versions: tuple[ModelVersion, ...]

    def _repr_html_(self) -> str:
        from registry.porcelain import html  # for notebooks

        return html.detail(self)

    def head(self) -> dict[str, Json]:
        """The shape of `show A --json` but for its last key, the versions."""
        summary = self.summary.to_json()
        del summary["versions"]  # their number; here they follow themselves
        return summary

    def to_json(self) -> dict[str, Json]:
        """The shape of `show A --json`."""
        return {**self.head(), "versions": [version.to_row() for version in self.versions]}


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: its events, none where it was done already, and `notes` for the person."""

    events: tuple[EventView, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Json]:
        """The shape that every writing command prints."""
        return {"events": [event.to_json() for event in self.events]}


def metadata_json(metadata: Metadata) -> dict[str, Json]:
    """The shape of every `metadata`."""
    return {
        "metrics": dict(metadata.metrics),
        "params": dict(metadata.params),
        "tags": dict(metadata.tags),
        "labels": list(metadata.labels),
        "uses": list(metadata.uses),
        "artifacts": [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in metadata.artifacts],
        "deployments": dict(metadata.deployments),
        "run": metadata.run,
        "run_url": metadata.run_url,
        "description": metadata.description,
        "content": metadata.content,
        "other": {key: list(values) for key, values in metadata.other.items()},
    }

"""What a listing says of an artifact, from its tags alone: the few words of a state that are worth keeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.core.state import ArtifactState


@dataclass(frozen=True, slots=True)
class Overview:
    """One artifact that has an event.

    `latest` is its greatest active version, `stages` what each resolves to, `versions` how many are active, `labels`
    those of the latest one, `updated_at` the date of its last event in ISO 8601 with offset.
    """

    name: str
    latest: str | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    versions: int = 0
    deprecated: bool = False
    labels: tuple[str, ...] = ()
    updated_at: str | None = None


def overview(state: ArtifactState) -> Overview:
    """`state` in few words."""
    latest = state.latest
    return Overview(
        state.name,
        latest.name if latest is not None else None,
        state.stages,
        len(state.active),
        state.deprecated,
        latest.metadata.labels if latest is not None else (),
        state.events[-1].by.iso if state.events else None,
    )

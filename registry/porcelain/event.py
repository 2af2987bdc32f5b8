"""One event in full: what it meant when it happened, and what is known of the version that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.core.facts import Facts, StageNow, facts_of, stages_now
from registry.core.manifest import Declaration
from registry.core.metadata import Metadata
from registry.core.names import directory_of
from registry.core.state import ArtifactState
from registry.porcelain.reading import check_ref
from registry.porcelain.views import selected_view
from registry.repository import Repository


def touched(repository: Repository, told: Iterable[Facts]) -> list[StageNow]:
    """The stages that these events have touched, each artifact's told in order, as they are now."""
    by_artifact: dict[str, list[Facts]] = {}
    for one in told:
        by_artifact.setdefault(one.event.artifact, []).append(one)
    return [stage for name, those in by_artifact.items() for stage in stages_now(repository.state(name), those)]


@dataclass(frozen=True, slots=True)
class EventDetail:
    """An event: its `facts`, the artifact's `state` now, and, at the commit that it is about, what the manifest
    declares and what was known of the version."""

    facts: Facts
    state: ArtifactState
    declared: Declaration
    metadata: Metadata


def facts(repository: Repository, tag: str) -> tuple[ArtifactState, Facts]:
    """The state of the artifact that a tag is about, and what its event meant. Raises NotFound where it is none."""
    artifact = check_ref(repository, tag).artifact
    state = repository.state(artifact)
    found = facts_of(state, tag)
    if found is None:
        raise AssertionError(f"an event that its artifact does not have: {tag}")
    return state, found


def detail(repository: Repository, tag: str) -> EventDetail:
    """The event that a tag is, in full.

    Raises NotFound where it is none, GitFailed where its manifest is not in a partial clone and cannot be fetched:
    without it, the answer would be another one.
    """
    from registry.manifests.read import manifest_paths

    state, found = facts(repository, tag)
    name = state.name
    repository.bring(found.commit, [*manifest_paths(directory_of(name)), *manifest_paths("")])
    declared = repository.manifest_at(found.commit, name).artifacts.get(name) or Declaration(name, source="")
    known = Metadata().over({}, {}, declared.description)
    if found.selected is not None:
        known = selected_view(repository, found.then, found.selected).metadata
    return EventDetail(found, state, declared, known)

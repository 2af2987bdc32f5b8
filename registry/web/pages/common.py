"""What several pages ask: the states of a repository, all read once, and its events in people's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from registry.core.events import Event
from registry.core.state import ArtifactState, Subject, VersionState
from registry.errors import NotFound, RegistryError
from registry.porcelain import views
from registry.porcelain.values import EventView
from registry.web.page import Dashboard, Query, Source

T = TypeVar("T")

# What is said of each event: before the version, and between the version and the stage.
_VERBS = {
    "registration": ("registered", ""),
    "deregistration": ("deregistered", ""),
    "amendment": ("annotated", ""),
    "assignment": ("assigned", "to"),
    "unassignment": ("unassigned", "from"),
    "deprecation": ("deprecated", ""),
}
KINDS = tuple(_VERBS)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event, as a timeline tells it. `known` is whether its version has a page."""

    source: Source
    event: EventView
    known: bool

    @property
    def verb(self) -> str:
        """What was done."""
        return _VERBS[self.event.event][0]

    @property
    def preposition(self) -> str:
        """What stands before the stage."""
        return _VERBS[self.event.event][1]

    @property
    def facts(self) -> list[tuple[str, object]]:
        """What an annotation changed; of other events the page of the version says it."""
        if self.event.event != "amendment":
            return []
        said = self.event.metadata
        found: list[tuple[str, object]] = [*said.metrics.items(), *said.params.items(), *said.tags.items()]
        found += [(f"deployed to {where}", url or "no longer") for where, url in said.deployments.items()]
        found += [(f"{name} removed", "") for name in sorted({*said.removed_metrics, *said.removed_params})]
        for name, listed in (("labels", said.labels), ("uses", said.uses)):
            found += [(name, ", ".join(listed))] if listed else []
        found += [
            (name, one)
            for name, one in (("run", said.run), ("run URL", said.run_url), ("description", said.description))
            if one is not None
        ]
        return [*found, *((key, ", ".join(values)) for key, values in said.other.items())]


def happening(source: Source, state: ArtifactState, event: Event, subject: Subject) -> Happening:
    """One event of `state`; `subject` is what it concerns."""
    view = views.event_view(event, subject)
    return Happening(source, view, view.version in state.versions)


def source_named(dashboard: Dashboard, slug: str) -> Source | None:
    """The repository whose addresses begin so."""
    return next((source for source in dashboard.sources if source.slug == slug), None)


def each(
    dashboard: Dashboard, ask: Callable[[Source], T]
) -> tuple[list[tuple[Source, T]], list[tuple[Source, RegistryError]]]:
    """What every repository answers, and those that cannot be read, and why: such a one hides no other.

    Raises RegistryError where it is the only one.
    """
    found: list[tuple[Source, T]] = []
    troubles: list[tuple[Source, RegistryError]] = []
    for source in dashboard.sources:
        try:
            found.append((source, ask(source)))
        except RegistryError as error:
            if len(dashboard.sources) == 1:
                raise
            troubles.append((source, error))
    return found, troubles


def states_of(source: Source) -> Mapping[str, ArtifactState]:
    """The state of every artifact that is declared at HEAD or has an event, by name."""
    repository = source.registry.repository
    repository.about()
    declared = {name: ArtifactState(name, ()) for name in repository.manifest_at_head.artifacts}
    return {**declared, **repository.states}


def artifacts_of(source: Source) -> list[str]:
    """Their names, sorted."""
    return sorted(states_of(source))


def state_of(source: Source, artifact: str) -> ArtifactState:
    """The state of one artifact, from those of all. Raises NotFound with the nearest name."""
    repository = source.registry.repository
    repository.about()
    there = repository.states.get(artifact)
    if there is None:
        if artifact not in repository.manifest_at_head.artifacts:
            repository.existing(artifact)  # it knows how to say so
        there = ArtifactState(artifact, ())
    return there


def version_of(state: ArtifactState, name: str) -> VersionState:
    """One version, active or not. Raises NotFound."""
    if name not in state.versions:
        raise NotFound(f"{state.name} has no version {name}", f"registry show {state.name} lists its versions")
    return state.versions[name]


def sorted_versions(state: ArtifactState) -> list[VersionState]:
    """All versions, greatest first, as `show` lists them."""
    return sorted(state.versions.values(), key=lambda v: (v.version.precedence, v.position), reverse=True)


def number_in(query: Query) -> int | None:
    """The page that a query asks for, or None where that is no number."""
    text = query.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else None


def lifecycle_of(source: Source, artifacts: Sequence[str]) -> list[str]:
    """The stages of some artifacts, in the order of the lifecycle, as far as one is declared."""
    manifest = source.registry.repository.manifest_at_head
    stages = dict.fromkeys(manifest.stages or ())
    for name in artifacts:
        stages.update(dict.fromkeys(manifest.lifecycle(name) or ()))
    return list(stages)

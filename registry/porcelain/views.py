"""From states and manifests to the values that people see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from registry import evidence
from registry.core.events import Assignment, Event
from registry.core.manifest import Declaration, Manifest
from registry.core.metadata import CardFacts, Metadata
from registry.core.overview import Overview
from registry.core.select import Selected
from registry.core.state import ArtifactState, VersionState
from registry.porcelain.values import Artifact, EventView, ModelVersion, StageCondition
from registry.repository import Repository

_AT_ONCE = 5000  # versions that git is asked about at once: what it answers takes 2 kB for each


def event_view(event: Event, subject: str | None) -> EventView:
    """One event; `subject` is what it concerns, from `ArtifactState.subjects`."""
    return EventView(event, subject if subject is not None else event.one("Version"))


def events_view(state: ArtifactState, events: Iterable[Event] | None = None) -> list[EventView]:
    """All events of a state in order, or those of `events`."""
    wanted = None if events is None else {event.oid for event in events}
    return [
        event_view(event, subject)
        for event, subject in zip(state.events, state.subjects, strict=True)
        if wanted is None or event.oid in wanted
    ]


def moved_stages(before: ArtifactState, after: ArtifactState) -> tuple[str, ...]:
    """Notes on the stages that mean another version than before, or none."""
    changed = [stage for stage in before.stages if before.stages[stage] != after.stages.get(stage)]
    return tuple(f"{after.name}#{stage} is now {after.stages.get(stage) or 'empty'}" for stage in changed)


def summary(seen: Overview, manifest: Manifest) -> Artifact:
    """One artifact for a listing; `manifest` is the one at HEAD."""
    declared = manifest.artifacts.get(seen.name)
    lifecycle = list(manifest.lifecycle(seen.name) or ())
    held = seen.stages
    stages = {stage: held[stage] for stage in [*lifecycle, *sorted(held)] if stage in held}
    return Artifact(
        name=seen.name,
        type=declared.type if declared is not None else "model",
        latest=seen.latest,
        stages=stages,
        versions=seen.versions,
        deprecated=seen.deprecated,
        description=declared.description if declared is not None else "",
        labels=declared.labels if declared is not None else (),
        path=declared.path if declared is not None else None,
        declared=declared is not None,
        updated_at=seen.updated_at,
    )


def version_views(repository: Repository, wanted: Sequence[tuple[ArtifactState, VersionState]]) -> list[ModelVersion]:
    """Versions with what the manifests and their files said at their commits.

    Git is asked once for the manifests and once for the files of many versions, of however many artifacts.
    """
    slices = (wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE))
    conditions = {name: stage_conditions(state) for name, state in {state.name: state for state, _ in wanted}.items()}
    return [view for slice_ in slices for view in _views(repository, slice_, conditions)]


def _views(
    repository: Repository,
    wanted: Sequence[tuple[ArtifactState, VersionState]],
    conditions: Mapping[str, Mapping[str, tuple[StageCondition, ...]]],
) -> Iterator[ModelVersion]:
    manifests = repository.manifests_at((v.commit, state.name) for state, v in wanted)
    declared = [manifest.artifacts.get(state.name) for manifest, (state, _) in zip(manifests, wanted, strict=True)]
    places = [(v.commit, said) for (_, v), said in zip(wanted, declared, strict=True)]
    values, said_by_cards = evidence.values(repository, places), _cards(repository, places)
    for (state, v), said, (metrics, params), card in zip(wanted, declared, values, said_by_cards, strict=True):
        known = v.metadata.over(metrics, params, said.description if said else None).over_card(card)
        yield _version_view(state, v, said, known, conditions[state.name].get(v.name, ()))


def _cards(repository: Repository, places: Sequence[tuple[str, Declaration | None]]) -> list[CardFacts]:
    """What the cards say that are named at these commits."""
    if not any(declared is not None and declared.card for _, declared in places):
        return [CardFacts()] * len(places)
    from registry.porcelain import cards  # few have one

    return cards.facts(repository, places)


def selected_view(repository: Repository, state: ArtifactState, selected: Selected) -> ModelVersion:
    """What a selector means, in full."""
    if selected.version is not None:
        return version_views(repository, [(state, selected.version)])[0]
    declared = repository.manifest_at(selected.commit, state.name).artifacts.get(state.name)
    [(metrics, params)] = evidence.values(repository, [(selected.commit, declared)])
    [card] = _cards(repository, [(selected.commit, declared)])
    return ModelVersion(
        artifact=state.name,
        version=selected.commit,
        number=None,
        commit=selected.commit,
        tag=None,
        active=True,
        stages=tuple(state.stages_of(selected.commit)),
        stage_conditions=stage_conditions(state).get(selected.commit, ()),
        registered_at=None,
        registered_by=None,
        message="",
        path=declared.path if declared else None,
        type=declared.type if declared else "model",
        description=declared.description if declared else "",
        metadata=Metadata().over(metrics, params, declared.description if declared else None).over_card(card),
    )


def _version_view(
    state: ArtifactState,
    v: VersionState,
    declared: Declaration | None,
    known: Metadata,
    conditions: tuple[StageCondition, ...],
) -> ModelVersion:
    return ModelVersion(
        artifact=state.name,
        version=v.name,
        number=v.number,
        commit=v.commit,
        tag=v.registration.tag,
        active=v.active,
        stages=tuple(state.stages_of(v.name)),
        stage_conditions=conditions,
        registered_at=v.registration.by.iso,
        registered_by=v.registration.by.name,
        message=v.registration.message.body,
        path=declared.path if declared else None,
        type=declared.type if declared else "model",
        description=known.description or "",
        metadata=known,
    )


def stage_conditions(state: ArtifactState) -> dict[str, tuple[StageCondition, ...]]:
    """Of each version (or commit) that ever entered a stage: every time that it did, oldest first."""
    found: defaultdict[str, list[StageCondition]] = defaultdict(list)
    for event, subject in zip(state.events, state.subjects, strict=True):
        if isinstance(event, Assignment) and subject is not None:
            entered = StageCondition(event.stage, event.one("Reason"), event.message.body, event.by.name, event.by.iso)
            found[subject].append(entered)
    return {subject: tuple(conditions) for subject, conditions in found.items()}

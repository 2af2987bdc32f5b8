"""What one event meant when it happened, and whether it still holds: values, from an artifact's events alone."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from registry.core.events import Amendment, Assignment, Deprecation, Deregistration, Event, Registration, Unassignment
from registry.core.select import Selected
from registry.core.state import ArtifactState, Subject, VersionState, fold

_TAG_LIMIT = 128  # characters of an image's tag: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} (OCI distribution specification)
_no_part_of_a_tag = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Facts:
    """One event, as it was when it happened, whatever came later.

    `then` is the artifact's state right after it. `selected` is the version or bare commit that it is about: None where
    it is about the artifact, or names a version that never was, and counts for nothing. `previous` is what the stage
    resolved to just before, or, of a registration, what was latest. `current` says whether what it did is still so.
    """

    event: Event
    then: ArtifactState
    version: str | None
    selected: Selected | None
    previous: str | None
    current: bool

    @property
    def stage(self) -> str | None:
        """The stage, where it is about one."""
        return self.event.stage if isinstance(self.event, (Assignment, Unassignment)) else None

    @property
    def commit(self) -> str:
        """The commit of the version; where there is none, that of the tag."""
        return self.event.commit if self.selected is None else self.selected.commit

    @property
    def number(self) -> int | None:
        """The version's number."""
        return self.selected.version.number if self.selected is not None and self.selected.version is not None else None

    def to_json(self) -> dict[str, str | int | None]:
        """The shape of one of the output `events`, whose keys are named like the outputs of one event."""
        return {
            "event": self.event.kind,
            "artifact": self.event.artifact,
            "version": self.version,
            "stage": self.stage,
            "tag": self.event.tag,
            "commit": self.commit,
            "number": self.number,
            "image-tag": image_tag(self.version or ""),
            "previous-version": self.previous,
        }


def facts_of(state: ArtifactState, tag: str) -> Facts | None:
    """The facts of the event `tag`, or None where `state` has none of that name."""
    place = next((place for place, event in enumerate(state.events) if event.tag == tag), None)
    if place is None:
        return None
    event = state.events[place]
    before, then = fold(state.name, state.events[:place]), fold(state.name, state.events[: place + 1])
    subject = then.subjects[place]
    if subject not in then.versions:  # a version that was registered after it entered the stage: DESIGN part 3
        subject = state.subjects[place]
    known = None if subject is None else then.versions.get(subject) or state.versions.get(subject)
    selected = None
    if known is not None:
        selected = Selected(state.name, known.commit, known)
    elif subject is not None:
        selected = Selected(state.name, event.commit, None)
    return Facts(
        event,
        then,
        version=subject,
        selected=selected,
        previous=_previous(before, event),
        current=_is_current(state, event, subject, known),
    )


def _previous(before: ArtifactState, event: Event) -> str | None:
    match event:
        case Assignment() | Unassignment():
            return before.stages.get(event.stage)
        case Registration():
            return before.latest.name if before.latest is not None else None
    return None


def _is_current(state: ArtifactState, event: Event, subject: Subject, known: VersionState | None) -> bool:
    now = None if subject is None else state.versions.get(subject)
    match event:
        case Registration():
            return now is not None and now.active and now.registration.oid == event.oid
        case Deregistration():
            return now is not None and now.deregistration is not None and now.deregistration.oid == event.oid
        case Amendment():
            return now is not None and now.active and bool(now.amendments) and now.amendments[-1].oid == event.oid
        case Assignment():
            # The same version put there again changes nothing; the same name with another commit is another model.
            same = known is None or (now is not None and now.commit == known.commit)
            return subject is not None and same and state.stages.get(event.stage) == subject
        case Unassignment():
            return subject is not None and subject not in {
                holding.subject for holding in state.holdings.get(event.stage, ())
            }
        case Deprecation():
            return state.deprecated and state.events[-1].oid == event.oid
    return False


def image_tag(version: str) -> str:
    """`version` in a form that container registries take: v1.0.0+cpu is v1.0.0_cpu, as Helm writes it, too.

    No two versions become the same: SemVer knows no "_", and one "+" at most. One that is too long ends in "__" and a
    part of its SHA-256.
    """
    tag = _no_part_of_a_tag.sub("_", version)
    if len(tag) <= _TAG_LIMIT:
        return tag
    digest = hashlib.sha256(version.encode()).hexdigest()[:32]
    return f"{tag[: _TAG_LIMIT - len(digest) - 2]}__{digest}"

"""What events meant when they happened, and what they come to now: values, from an artifact's events alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.core.events import (
    Amendment,
    Assignment,
    Deprecation,
    Deregistration,
    Event,
    OfStage,
    OfVersion,
    Registration,
    Unassignment,
)
from registry.core.select import Selected
from registry.core.state import ArtifactState, Subject, VersionState, fold

_TAG_LIMIT = 128  # characters of an image's tag: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} (OCI distribution specification)
_no_part_of_a_tag = re.compile(r"[^A-Za-z0-9_.-]")

# A part of an image's name is [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* there; "__" is ours, for those that need a digest.
_plain_name = re.compile(r"[a-z0-9]+(?:(?:[._]|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|-+)[a-z0-9]+)*)*")
_NAME_LIMIT = 128  # characters: hosts take 255, with their own name and the repository's


@dataclass(frozen=True, slots=True)
class Facts:
    """One event, as it was when it happened, whatever came later.

    `before` and `then` are the artifact's states right before and after it. `selected` is the version or bare commit
    that it is about: None where it is about the artifact, or names a version that never was, and counts for nothing.
    `previous` is what the stage resolved to just before, and before what the same write unassigned from it; of a
    registration, what was latest. `current` says whether what it did is still so.
    """

    event: Event
    before: ArtifactState
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
            "image-name": image_name(self.event.artifact),
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
    elif isinstance(event, OfVersion):
        subject = None  # it never was
    elif subject is not None:
        selected = Selected(state.name, event.commit, None)
    return Facts(
        event,
        before,
        then,
        version=subject,
        selected=selected,
        previous=_previous(state, place, subject),
        current=_is_current(state, event, subject, known),
    )


def _previous(state: ArtifactState, place: int, subject: Subject) -> str | None:
    event = state.events[place]
    match event:
        case Assignment() | Unassignment() if subject is not None:
            return fold(state.name, state.events[: _began(state.events, place)]).stages.get(event.stage)
        case Registration():
            latest = fold(state.name, state.events[:place]).latest
            return latest.name if latest is not None else None
    return None


def _began(events: Sequence[Event], place: int) -> int:
    """Where the write began that ends with an event: that of an exclusive stage first unassigns who is in it.

    The tags of one write name each the one before, and their dates are a second apart.
    """
    while place > 0:
        event, before = events[place], events[place - 1]
        same = isinstance(event, OfStage) and isinstance(before, Unassignment) and before.stage == event.stage
        chained = event.keys.get("Previous") == (before.oid,) and event.by.seconds - before.by.seconds == 1
        if not (same and chained and (event.by.name, event.by.email) == (before.by.name, before.by.email)):
            break
        place -= 1
    return place


def _is_current(state: ArtifactState, event: Event, subject: Subject, known: VersionState | None) -> bool:
    now = None if subject is None else state.versions.get(subject)
    match event:
        case Registration():
            return now is not None and now.active and now.registration.oid == event.oid
        case Deregistration():
            return now is not None and now.deregistration is not None and now.deregistration.oid == event.oid
        case Amendment():
            return now is not None and now.active and any(one.oid == event.oid for one in now.amendments)
        case Assignment():
            # The same version put there again changes nothing; the same name with another commit is another model.
            same = known is None or (now is not None and now.commit == known.commit)
            return subject is not None and same and state.stages.get(event.stage) == subject
        case Unassignment():
            return subject is not None and subject not in {
                holding.subject for holding in state.holdings.get(event.stage, ())
            }
        case Deprecation():
            later = state.events[state.events.index(event) :]
            return all(isinstance(one, Deprecation) for one in later)
    return False


@dataclass(frozen=True, slots=True)
class StageNow:
    """A stage that events have touched, and what it resolves to now.

    `version` is a version, a bare commit's full id, or None where nothing is in the stage; `commit` is that of the
    model, `previous` what the stage resolved to before those events. `tag` is that of the last of them.
    """

    artifact: str
    stage: str
    version: str | None
    commit: str | None
    previous: str | None
    tag: str

    def to_json(self) -> dict[str, str | None]:
        """The shape of one of the output `stages`."""
        return {
            "artifact": self.artifact,
            "stage": self.stage,
            "version": self.version,
            "commit": self.commit,
            "tag": self.tag,
            "image-name": image_name(self.artifact),
            "image-tag": None if self.version is None else image_tag(self.version),
            "previous-version": self.previous,
        }


def stages_now(now: ArtifactState, told: Iterable[Facts]) -> list[StageNow]:
    """The stages that the events `told` of, in order, have touched, as they are `now`: what to deploy.

    An event may touch a stage without naming it: a deregistration uncovers what was there before, and a version that
    moves to another commit is another model. One that is again as it was is told, too: who deploys what is there now
    does not depend on which of several events is the last one to be heard.
    """
    before: dict[str, str | None] = {}
    last: dict[str, str] = {}
    for facts in told:
        for stage in dict.fromkeys((*facts.before.stages, *facts.then.stages)):
            named = stage == facts.stage and facts.version is not None
            if named or _holder(facts.before, stage) != _holder(facts.then, stage):
                before.setdefault(stage, facts.previous if named else facts.before.stages.get(stage))
                last[stage] = facts.event.tag
    found = []
    for stage, previous in before.items():
        version, commit = _holder(now, stage)
        found.append(StageNow(now.name, stage, version, commit, previous, last[stage]))
    return found


def _holder(state: ArtifactState, stage: str) -> tuple[str | None, str | None]:
    """What a stage resolves to, and its commit."""
    subject = state.stages.get(stage)
    known = None if subject is None else state.versions.get(subject)
    return subject, subject if known is None else known.commit


def image_name(artifact: str) -> str:
    """`artifact` in a form that container registries take as a part of an image's name.

    No two artifacts become the same: what has to be changed (cv:pool, Churn) ends in "__" and a part of its SHA-256.
    """
    if len(artifact) <= _NAME_LIMIT and _plain_name.fullmatch(artifact):
        return artifact
    words = re.findall("[a-z0-9]+", artifact.lower())
    digest = hashlib.sha256(artifact.encode()).hexdigest()[:32]
    base = "-".join(words)[: _NAME_LIMIT - len(digest) - 2].rstrip("-")
    return f"{base}__{digest}"


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

"""The state of an artifact: its events folded, in order, into versions, stages and numbers (DESIGN part 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from registry.core import metadata
from registry.core import version as versions_
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
    natural,
)
from registry.core.metadata import Metadata
from registry.core.names import MAX_COUNTER, TagName, parse_tag
from registry.core.order import ordered
from registry.core.version import Version
from registry.errors import Refused

# What a stage event concerns: a version's text, a commit's full id where no version is there, or nothing at all.
Subject: TypeAlias = "str | None"


@dataclass(frozen=True, slots=True)
class VersionState:
    """One version that was ever registered. `position` is that of its last registration among the events."""

    version: Version
    number: int
    active: bool
    registration: Registration
    first: Registration
    position: int
    amendments: tuple[Amendment, ...]
    deregistration: Deregistration | None

    @property
    def name(self) -> str:
        """The version as text."""
        return self.version.text

    @property
    def commit(self) -> str:
        """The commit of its last registration."""
        return self.registration.commit

    @property
    def metadata(self) -> Metadata:
        """What its registration and the amendments after it say."""
        return metadata.gather(self.registration, self.amendments)


@dataclass(frozen=True, slots=True)
class Holding:
    """A version (or a bare commit, by its full id) in a stage, and the assignment that put it there."""

    subject: str
    since: Assignment


@dataclass(frozen=True)
class ArtifactState:
    """Everything that the tags say of one artifact. `events` are in order.

    `gone` are the names of tags that were there once: nothing is read from them, and no new event takes their names.
    `past` are the events of those that can still be read: their counters and numbers are not given again.
    """

    name: str
    events: Sequence[Event]
    gone: tuple[TagName, ...] = ()
    past: tuple[Event, ...] = ()

    @cached_property
    def versions(self) -> Mapping[str, VersionState]:
        """Every version ever registered, in the order of first registrations."""
        return _versions(self.events)

    @cached_property
    def subjects(self) -> Sequence[Subject]:
        """For each event, the version (or commit) that it concerns; None where it counts for nothing."""
        return [self.subject_of(event) for event in self.events]

    @cached_property
    def holdings(self) -> Mapping[str, Sequence[Holding]]:
        """The holders of each stage that has any, assigned last first; the first one is what `A#S` means."""
        return _holdings(self.events, self.subjects, self.versions)

    @property
    def exists(self) -> bool:
        """Whether there is any event at all."""
        return bool(self.events)

    @property
    def deprecated(self) -> bool:
        """Whether the last event is a deprecation; later events revive an artifact."""
        return bool(self.events) and isinstance(self.events[-1], Deprecation)

    @property
    def active(self) -> list[VersionState]:
        """The active versions, least first by precedence, on a tie in the order of their last registrations."""
        return sorted((v for v in self.versions.values() if v.active), key=_greatness)

    @property
    def latest(self) -> VersionState | None:
        """The greatest active version, pre-releases included."""
        return max((v for v in self.versions.values() if v.active), key=_greatness, default=None)

    @property
    def stable(self) -> VersionState | None:
        """The greatest active release."""
        releases = (v for v in self.versions.values() if v.active and not v.version.is_prerelease)
        return max(releases, key=_greatness, default=None)

    @property
    def newest(self) -> VersionState | None:
        """The active version registered last."""
        return max((v for v in self.versions.values() if v.active), key=_position, default=None)

    @property
    def greatest_ever(self) -> Version | None:
        """The greatest version that any event names, even one that is gone: a bump never goes back behind it."""
        texts = [event.version for event in self.events if isinstance(event, OfVersion)]
        texts += [text for event in self.events if isinstance(event, OfStage) for text in event.keys.get("Version", ())]
        named = map(versions_.parse, [*texts, *(tag.version for tag in self.gone if tag.version is not None)])
        return max((v for v in named if v is not None), key=lambda v: v.precedence, default=None)

    @property
    def counter(self) -> int:
        """The greatest counter of any event, 0 where none has one."""
        named = [*(event.counter for event in (*self.events, *self.past)), *(tag.counter for tag in self.gone)]
        return max((counter for counter in named if counter is not None), default=0)

    @property
    def number(self) -> int:
        """The greatest number in use, 0 where there is none."""
        return max((v.number for v in self.versions.values()), default=0)

    @property
    def next_number(self) -> int:
        """The number of the next version: those of versions that are gone are not given again. Raises Refused."""
        claimed = (natural(one.one("Number") or "") for one in self.past if isinstance(one, Registration))
        # The last number of all, which a stranger may have claimed, is not heeded once its tag is gone.
        number = 1 + max((self.number, *(one for one in claimed if one is not None and one < MAX_COUNTER)))
        if number > MAX_COUNTER:
            raise Refused(f"the numbers of {self.name} are used up", "registry doctor names the tag that did it")
        return number

    @property
    def stages(self) -> Mapping[str, str]:
        """What each stage resolves to."""
        return {stage: holders[0].subject for stage, holders in self.holdings.items()}

    def stages_of(self, subject: str) -> list[str]:
        """The stages that a version holds, even behind another holder, assigned last first."""
        return [*self._stages_by_subject.get(subject, ())]

    def before(self, stage: str) -> VersionState | None:
        """The last active version, other than the present one, that the stage ever resolved to."""
        held: _Held = defaultdict(dict)
        past: list[str] = []
        for event, subject in zip(self.events, self.subjects, strict=True):
            _step(held, event, subject)
            past += [next(reversed(held[stage]))] if held[stage] else []
        present = self.stages.get(stage)
        there = (self.versions[s] for s in reversed(past) if s != present and s in self.versions)
        return next((v for v in there if v.active), None)

    def was_in(self, stage: str, version: VersionState) -> bool:
        """Whether `version` has been assigned to `stage` since its last registration."""
        past = zip(self.events[version.position :], self.subjects[version.position :], strict=True)
        return any(
            isinstance(event, Assignment) and event.stage == stage and subject == version.name
            for event, subject in past
        )

    def at(self, commit: str) -> list[VersionState]:
        """The active versions whose commit is `commit`, least first."""
        return [v for v in self.active if v.commit == commit]

    def subject_of(self, event: Event) -> Subject:
        """The version (or commit) that one of the events concerns; None where it counts for nothing."""
        if isinstance(event, OfVersion):
            return event.version
        if not isinstance(event, OfStage):
            return None
        named = event.one("Version")
        if named is not None:
            return named if named in self.versions else None
        there = self._by_commit.get(event.commit)
        return there.name if there is not None else event.commit

    def with_events(self, more: Iterable[Event]) -> ArtifactState:
        """The state after `more` events."""
        return replace(fold(self.name, [*self.events, *more]), gone=self.gone, past=self.past)

    def knowing(self, gone: Iterable[str], past: Iterable[Event] = ()) -> ArtifactState:
        """The state where tags of these names, among them these events, were there once."""
        return replace(self, gone=tuple(name for tag in gone if (name := parse_tag(tag)) is not None), past=tuple(past))

    @cached_property
    def _stages_by_subject(self) -> Mapping[str, list[str]]:
        places = {event.oid: place for place, event in enumerate(self.events)}
        held = [(places[h.since.oid], h.subject, stage) for stage, those in self.holdings.items() for h in those]
        found: defaultdict[str, list[str]] = defaultdict(list)
        for _, subject, stage in sorted(held, reverse=True):
            found[subject].append(stage)
        return found

    @cached_property
    def _by_commit(self) -> Mapping[str, VersionState]:
        # Where several versions have one commit: the greatest active one, else the greatest.
        found: dict[str, VersionState] = {}
        for v in sorted(self.versions.values(), key=lambda v: (v.active, *_greatness(v))):
            found[v.commit] = v
        return found


def fold(name: str, events: Iterable[Event]) -> ArtifactState:
    """The state of the artifact `name`, whose events these are, in any order."""
    return ArtifactState(name, ordered(events))


def _greatness(v: VersionState) -> tuple[versions_.Precedence, int]:
    return v.version.precedence, v.position


def _position(v: VersionState) -> int:
    return v.position


def _versions(events: Sequence[Event]) -> dict[str, VersionState]:
    first: dict[str, Registration] = {}
    last: dict[str, tuple[int, Registration]] = {}
    gone: dict[str, Deregistration] = {}
    amended: defaultdict[str, list[Amendment]] = defaultdict(list)
    for position, event in enumerate(events):
        match event:
            case Registration():
                first.setdefault(event.version, event)
                last[event.version] = position, event
                gone.pop(event.version, None)
                amended.pop(event.version, None)  # the metadata is that of the last registration and what follows
            case Deregistration():
                gone[event.version] = event
            case Amendment():
                amended[event.version].append(event)
    numbers = _numbers(first)
    states = {}
    for name, registration in first.items():
        parsed = versions_.parse(name)
        if parsed is None:
            raise AssertionError(f"a tag with a version that is none: {name}")
        position, latest = last[name]
        states[name] = VersionState(
            parsed,
            numbers[name],
            name not in gone,
            latest,
            registration,
            position,
            tuple(amended.get(name, ())),
            gone.get(name),
        )
    return states


def _numbers(first: Mapping[str, Registration]) -> dict[str, int]:
    """Each version's number: the one that its first registration claims before any other, else the next free one."""
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for name, registration in first.items():
        claimed = registration.one("Number")
        number = natural(claimed) if claimed is not None else None
        if number is not None and number not in taken:
            numbers[name] = number
            taken.add(number)
    free = 0
    for name in first:
        if name not in numbers:
            free += 1
            while free in taken:
                free += 1
            numbers[name] = free
    return numbers


_Held: TypeAlias = "defaultdict[str, dict[str, Assignment]]"


def _step(held: _Held, event: Event, subject: Subject) -> None:
    """What one event does to the holders of every stage, the one assigned last being last."""
    if subject is None:
        return
    match event:
        case Assignment():
            held[event.stage].pop(subject, None)  # an assignment repeated moves to the front
            held[event.stage][subject] = event
        case Unassignment():
            held[event.stage].pop(subject, None)
        case Deregistration():
            for holders in held.values():
                holders.pop(subject, None)


def _holdings(
    events: Sequence[Event], subjects: Sequence[Subject], versions: Mapping[str, VersionState]
) -> dict[str, list[Holding]]:
    held: _Held = defaultdict(dict)
    for event, subject in zip(events, subjects, strict=True):
        _step(held, event, subject)
    holdings = {}
    for stage, holders in held.items():
        # A bare commit has no registration that could end; a version has to be active.
        there = [Holding(s, e) for s, e in reversed(holders.items()) if s not in versions or versions[s].active]
        if there:
            holdings[stage] = there
    return holdings

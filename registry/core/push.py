"""What a server refuses of a push, as far as the tags alone tell: the rules of new events after those that are there.

The policy is `registry.core.trust`'s; here stands what holds for any registry (DESIGN parts 2, 3 and 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from registry.core import policy
from registry.core.draft import DAY, loose_ends
from registry.core.events import Amendment, Event, OfStage, OfVersion, Registration, natural
from registry.core.manifest import Json
from registry.core.state import ArtifactState
from registry.errors import Refused


@dataclass(frozen=True, slots=True)
class Objection:
    """Why one ref of a push is refused; `code` names the rule."""

    ref: str
    code: str
    why: str
    hint: str = ""

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the `objections` of `hook run --json`."""
        return {"ref": self.ref, "code": self.code, "message": self.why, "hint": self.hint}


def objections(state: ArtifactState, after: ArtifactState, new: Sequence[Event], now: int) -> Iterator[Objection]:
    """What stands against the `new` events, in their order, after those of `state`; `after` has them all.

    `now` is the server's clock, in seconds.
    """
    those = {event.oid for event in new}
    last = max((place for place, event in enumerate(after.events) if event.oid not in those), default=0)
    for event in after.events[:last]:
        if event.oid in those:
            yield _objection(event, "order", f"it would stand before {after.events[last].tag}, which is there already")
    yield from _counted(state, new)
    yield from _chained(state, new)
    yield from _dated(state, new, now)
    yield from _named(state, new)


def _objection(event: Event, code: str, why: str, hint: str = "fetch, and make it again with registry") -> Objection:
    return Objection(f"refs/tags/{event.tag}", code, why, hint)


def _counted(state: ArtifactState, new: Sequence[Event]) -> Iterator[Objection]:
    """Counters and numbers follow those that are there. Other tools count on from the names of tags alone."""
    last = state.counter
    named = max((event.counter for event in state.events if event.counter is not None and _in_name(event)), default=0)
    known = set(state.versions)
    numbers = {version.number for version in state.versions.values()}
    for event in new:
        if event.ours and event.counter != last + 1:
            yield _objection(event, "counter", f"its counter is {event.counter}, and {last + 1} comes next")
        elif event.counter is not None and event.counter <= named:
            yield _objection(event, "counter", f"its counter is {event.counter}, and there is one up to {named}")
        last = max(last, event.counter or 0)
        named = max(named, event.counter or 0) if _in_name(event) else named
        if isinstance(event, Registration) and event.version not in known:
            number = max(numbers, default=0) + 1
            if not event.ours:  # it takes the least that is free
                number = next(n for n in range(1, number + 1) if n not in numbers)
            elif natural(event.one("Number") or "") != number:
                yield _objection(event, "number", f"its number is {event.one('Number')}, and {number} comes next")
            known.add(event.version)
            numbers.add(number)


def _in_name(event: Event) -> bool:
    return not isinstance(event, Amendment) and event.tag.endswith(f"#{event.counter}")


def _chained(state: ArtifactState, new: Sequence[Event]) -> Iterator[Objection]:
    """Each event of ours follows the last one of ours, and names nothing that is not there or is followed already."""
    there = {event.oid for event in state.events}
    ends = loose_ends(state.events)
    loose = set(ends)
    tail = ends[0] if any(event.ours for event in state.events if event.oid in ends[:1]) else None
    for event in new:
        if event.ours:
            previous = event.keys.get("Previous", ())
            unknown = [oid for oid in previous if oid not in there]
            if unknown:
                yield _objection(event, "chain", f"it follows {unknown[0][:12]}, which is not here")
            elif tail is not None and tail not in previous:
                yield _objection(event, "chain", f"it does not follow {tail[:12]}, the last event of {state.name}")
            elif followed := [oid for oid in previous if oid not in loose]:
                yield _objection(event, "chain", f"it follows {followed[0][:12]}, which another event follows already")
            elif len(previous) > len({*previous}):
                yield _objection(event, "chain", "it names one event twice as the one that it follows")
            loose -= {*previous}
            tail = event.oid
        loose.add(event.oid)
        there.add(event.oid)


def _dated(state: ArtifactState, new: Sequence[Event], now: int) -> Iterator[Objection]:
    """No date lies before what is there, or more than a day off the server's clock."""
    newest = max((event.by.seconds for event in state.events if event.by.seconds <= now + DAY), default=None)
    for event in new:
        if abs(event.by.seconds - now) > DAY:
            where = "ahead of" if event.by.seconds > now else "behind"
            why = f"its date {event.by.iso} is more than a day {where} the server's clock"
            yield _objection(event, "date", why, f"registry delete '{event.tag}', and make it again")
        elif newest is not None and event.by.seconds < newest:
            yield _objection(event, "date", f"its date {event.by.iso} is before that of the newest event")
        else:
            newest = event.by.seconds


def _named(state: ArtifactState, new: Sequence[Event]) -> Iterator[Objection]:
    """Names travel, and differ from others in more than case."""
    stages = {event.stage for event in state.events if isinstance(event, OfStage)}
    versions = {event.version for event in state.events if isinstance(event, OfVersion)}
    for event in new:
        try:
            policy.check_travels(event.tag)
            if isinstance(event, OfStage):
                policy.check_case(event.stage, stages, "stage")
                stages.add(event.stage)
            if isinstance(event, OfVersion):
                policy.check_case(event.version, versions, "version")
                versions.add(event.version)
        except Refused as error:
            yield _objection(event, "name", error.message, error.hint)

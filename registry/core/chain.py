"""Whether the chain of an artifact's events is whole: each of ours names those before it (DESIGN part 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.core.events import Event
from registry.core.state import ArtifactState


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain is broken: at `event`, or in the artifact as a whole where None."""

    event: Event | None
    code: str
    why: str
    hint: str


_GONE = "somebody deleted or moved it: a clone that was there before may have it still"


def breaks(state: ArtifactState) -> Iterator[Break]:
    """Where the chain of `state` is broken.

    A predecessor may be missing (it was deleted, or another object stands in its place), two events may follow the same
    one, and an event may begin a second chain, or stand before what it follows.
    """
    place = {event.oid: index for index, event in enumerate(state.events)}
    followers: dict[str, Event] = {}
    beginning: Event | None = None
    for index, event in enumerate(state.events):
        if not event.ours:
            continue
        previous = dict.fromkeys(event.keys.get("Previous", ()))  # one that is named twice is followed once
        for oid in previous:
            if oid not in place:
                yield Break(event, "missing", f"it follows {oid[:12]}, and no such event is there", _GONE)
            elif place[oid] >= index:
                why = f"it stands before {state.events[place[oid]].tag}, which it follows"
                yield Break(event, "order", why, "a counter or a date is not the one that it was made with")
            if oid in followers:
                why = f"it follows {oid[:12]}, as {followers[oid].tag} does: the chain has forked"
                yield Break(event, "fork", why, "two writers did not see each other, or one of them forges")
            followers.setdefault(oid, event)
        if not any(oid not in place or state.events[place[oid]].ours for oid in previous):
            if beginning is not None:
                why = f"it begins a second chain beside that of {beginning.tag}"
                yield Break(event, "fork", why, "it was made by somebody who did not see the others")
            beginning = beginning or event


def strayed(state: ArtifactState, head: str) -> Iterator[Break]:
    """Whether `head`, the tag object that `refs/registry/A@head` names, is the end of the chain of `state`."""
    events = {event.oid: event for event in state.events}
    if head not in events:
        yield Break(None, "head", f"its head names {head[:12]}, and no such event is there", _GONE)
        return
    later = next((event for event in state.events if event.ours and head in event.keys.get("Previous", ())), None)
    if later is not None:
        why = f"its head stands at {events[head].tag}, though {later.tag} follows"
        yield Break(None, "behind", why, "pushed without registry, or the head went back; registry push moves it on")

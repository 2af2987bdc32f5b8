"""One order for the events of an artifact (DESIGN part 3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from registry.core import version
from registry.core.events import Amendment, Deregistration, Event, OfVersion, Unassignment

_Key = tuple[int, int, int, tuple[object, ...], str]
E = TypeVar("E", bound=Event)


def ordered(events: Iterable[E]) -> list[E]:
    """`events` of one artifact in their order, whatever order they come in.

    Events with a counter follow it, whatever their dates say, so that a slow clock undoes nothing; they carry the
    greatest date that any before them had, and those without a counter are merged among them by their own dates.

    Where GTO wrote after us, it may have given a counter again that stands in a key of ours, which it does not read. So
    the date of another tool's event is not carried over to such an event of ours (docs/decisions.md).
    """
    counted: list[E] = []
    placed: list[tuple[_Key, E]] = []
    for event in events:
        if event.counter is None:
            placed.append(((event.by.seconds, 0, event.rank, _precedence(event), event.tag), event))
        else:
            counted.append(event)
    latest: int | None = None
    latest_of_ours: int | None = None
    for index, event in enumerate(sorted(counted, key=_by_counter)):
        before = latest if _seen_by_gto(event) else latest_of_ours
        date = event.by.seconds if before is None else max(before, event.by.seconds)
        latest = date if latest is None else max(latest, date)
        if event.ours:
            latest_of_ours = date
        placed.append(((date, 1, index, (), ""), event))
    return [event for _, event in sorted(placed, key=_first)]


def _seen_by_gto(event: Event) -> bool:
    """Whether GTO counts on from this event's counter: it stands in the tag's name, in a form that GTO knows."""
    return not isinstance(event, Amendment) and event.tag.endswith(f"#{event.counter}")


def _first(pair: tuple[_Key, E]) -> _Key:
    return pair[0]


def _by_counter(event: Event) -> tuple[int, int, bool, str]:
    undoes = isinstance(event, (Deregistration, Unassignment))
    return event.counter or 0, event.by.seconds, undoes, event.tag


def _precedence(event: Event) -> tuple[object, ...]:
    found = version.parse(event.version) if isinstance(event, OfVersion) else None
    return () if found is None else found.precedence

"""All that happened, in all repositories, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from registry.core.state import ArtifactState
from registry.errors import RegistryError
from registry.web import links, paging
from registry.web.memory import kept
from registry.web.page import Dashboard, Page, Source
from registry.web.pages.common import KINDS, happening, states_of

# An event's place: its date, or the greatest of those before it in its artifact, then the repository, the artifact
# and its place among that one's events.
_Place = tuple[int, int, str, int]
_TITLES = {
    "registration": "Registrations",
    "deregistration": "Withdrawals",
    "amendment": "Annotations",
    "assignment": "Assignments",
    "unassignment": "Unassignments",
    "deprecation": "Deprecations",
}


def page(dashboard: Dashboard, kind: str, number: int) -> Page | None:
    """The page of all events, or of those of one `kind`."""
    if kind and kind not in KINDS:
        return None
    states, troubles = _states(dashboard)
    counts = {one: len(_places(states, one)) for one in ("", *KINDS)}
    part = paging.part(_places(states, kind), number)
    if part is None:
        return None
    shown = []
    for _, index, name, at in part.items:
        state = states[index][name]
        shown.append(happening(dashboard.sources[index], state, state.events[at], state.subjects[at]))
    choices = [("", "activity.html", "Everything", counts[""])]
    choices += [(one, f"activity/{one}.html", title, counts[one]) for one, title in _TITLES.items() if counts[one]]
    return Page(
        _path(kind),
        _TITLES.get(kind, "Activity"),
        "activity.html",
        {"part": part, "happenings": shown, "kind": kind, "choices": choices, "troubles": troubles},
    )


def addresses(dashboard: Dashboard) -> Iterator[str]:
    """The paths of its pages."""
    states, _ = _states(dashboard)
    for kind in ("", *KINDS):
        total = len(_places(states, kind))
        for number in range(1, paging.count(total) + 1 if total or not kind else 1):
            yield links.numbered(_path(kind), number)


def _path(kind: str) -> str:
    return f"activity/{kind}.html" if kind else "activity.html"


def _states(
    dashboard: Dashboard,
) -> tuple[list[Mapping[str, ArtifactState]], list[tuple[Source, RegistryError]]]:
    """The states of each repository, none of one that cannot be read; and why."""
    found: list[Mapping[str, ArtifactState]] = []
    troubles = []
    for source in dashboard.sources:
        try:
            states_of(source)
            found.append(source.registry.repository.states)
        except RegistryError as error:
            if len(dashboard.sources) == 1:
                raise
            found.append({})
            troubles.append((source, error))
    return found, troubles


def _places(states: Sequence[Mapping[str, ArtifactState]], kind: str) -> list[_Place]:
    """Where the events of a kind are, newest first; of all kinds where it is empty."""
    if kind:
        return kept(("activity", kind), tuple(states), lambda: _of_kind(states, kind))
    return kept("activity", tuple(states), lambda: _sorted(states))


def _of_kind(states: Sequence[Mapping[str, ArtifactState]], kind: str) -> list[_Place]:
    return [place for place in _places(states, "") if states[place[1]][place[2]].events[place[3]].kind == kind]


def _sorted(states: Sequence[Mapping[str, ArtifactState]]) -> list[_Place]:
    places: list[_Place] = []
    for index, those in enumerate(states):
        for name, state in those.items():
            latest = None
            for at, event in enumerate(state.events):
                # An artifact's own order holds, whatever the clocks said: DESIGN part 3, effective dates.
                latest = event.by.seconds if latest is None else max(latest, event.by.seconds)
                places.append((latest, index, name, at))
    places.sort(reverse=True)
    return places

"""All that happened, in all repositories, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from registry.core.state import ArtifactState
from registry.errors import RegistryError
from registry.web import links, paging
from registry.web.memory import kept
from registry.web.page import Dashboard, Page, Source
from registry.web.pages.common import KINDS, each, happening, states_of

# An event's place: its date, or the greatest of those before it in its artifact, then the repository, the artifact
# and its place among that one's events.
_Place = tuple[int, int, str, int]
_Answer = tuple[Source, Mapping[str, ArtifactState]]
_TITLES = {
    "registration": "Registrations",
    "deregistration": "Deregistrations",
    "amendment": "Annotations",
    "assignment": "Assignments",
    "unassignment": "Unassignments",
    "deprecation": "Deprecations",
}


def page(dashboard: Dashboard, kind: str, number: int) -> Page | None:
    """The page of all events, or of those of one `kind`."""
    if kind and kind not in KINDS:
        return None
    found, troubles = _each(dashboard)
    counts = {one: len(_places(found, one)) for one in ("", *KINDS)}
    part = paging.part(_places(found, kind), number)
    if part is None:
        return None
    shown = []
    for _, index, name, at in part.items:
        source, states = found[index]
        state = states[name]
        shown.append(happening(source, state, state.events[at], state.subjects[at]))
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
    found, _ = _each(dashboard)
    for kind in ("", *KINDS):
        total = len(_places(found, kind))
        for number in range(1, paging.count(total) + 1 if total or not kind else 1):
            yield links.numbered(_path(kind), number)


def _path(kind: str) -> str:
    return f"activity/{kind}.html" if kind else "activity.html"


def _each(dashboard: Dashboard) -> tuple[list[_Answer], list[tuple[Source, RegistryError]]]:
    return each(dashboard, _states)


def _states(source: Source) -> Mapping[str, ArtifactState]:
    states_of(source)
    return source.registry.repository.states


def _places(found: Sequence[_Answer], kind: str) -> list[_Place]:
    """Where the events of a kind are, newest first; of all kinds where it is empty."""
    moment = [(source.slug, source.moment()) for source, _ in found]
    if kind:
        return kept(("activity", kind), moment, lambda: _of_kind(found, kind))
    return kept("activity", moment, lambda: _sorted(found))


def _of_kind(found: Sequence[_Answer], kind: str) -> list[_Place]:
    return [place for place in _places(found, "") if found[place[1]][1][place[2]].events[place[3]].kind == kind]


def _sorted(found: Sequence[_Answer]) -> list[_Place]:
    places: list[_Place] = []
    for index, (_, those) in enumerate(found):
        for name, state in those.items():
            latest = None
            for at, event in enumerate(state.events):
                # An artifact's own order holds, whatever the clocks said: DESIGN part 3, effective dates.
                latest = event.by.seconds if latest is None else max(latest, event.by.seconds)
                places.append((latest, index, name, at))
    places.sort(reverse=True)
    return places

"""All that happened to one artifact, the newest first."""

from __future__ import annotations

from collections.abc import Iterator

from registry.web import links, paging
from registry.web.page import Dashboard, Page, Source
from registry.web.pages.common import Happening, happening, state_of


def page(dashboard: Dashboard, source: Source, artifact: str, number: int) -> Page | None:  # noqa: ARG001  (as all pages)
    """The page of an artifact's events."""
    state = state_of(source, artifact)
    part = paging.part(range(len(state.events) - 1, -1, -1), number)
    if part is None:
        return None
    shown = [happening(source, state, state.events[at], state.subjects[at]) for at in part.items]
    return Page(
        links.history(source.slug, artifact),
        f"History of {artifact}",
        "history.html",
        {"source": source, "artifact": artifact, "part": part, "happenings": shown},
    )


def newest(source: Source, artifact: str, count: int) -> list[Happening]:
    """The last events of an artifact, the newest first."""
    state = state_of(source, artifact)
    last = range(len(state.events) - 1, max(-1, len(state.events) - 1 - count), -1)
    return [happening(source, state, state.events[at], state.subjects[at]) for at in last]


def addresses(source: Source, artifact: str) -> Iterator[str]:
    """The paths of its pages."""
    for number in range(1, paging.count(len(state_of(source, artifact).events)) + 1):
        yield links.numbered(links.history(source.slug, artifact), number)

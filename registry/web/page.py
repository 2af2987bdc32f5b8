"""What a page is, before it is HTML: where it lies, and what its template is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.api import Registry

Query = Mapping[str, str]  # what stands behind the "?" of an address, the last value of each name


@dataclass(frozen=True, slots=True)
class Source:
    """One repository of a dashboard. `slug` is its part of addresses: letters, digits, "-"; `name` is for people.

    `named` is whether somebody said where it is; else it is the one here, which commands find by themselves.
    `moment` gives the same object as long as the repository has not changed; by default, always another one.
    `notes` gives what a reader of any page should know, such as that tags were never fetched.
    """

    slug: str
    name: str
    registry: Registry
    named: bool = False
    moment: Callable[[], object] = object
    notes: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All that pages are made from. `acts` is whether forms lead anywhere: not in a static site, nor read-only.
    `files` says where a static site has those pages that do not lie at their own paths (`links.distinct`)."""

    sources: Sequence[Source]
    acts: bool = False
    static: bool = False
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `path` is its address from the site's root, such as "model/models/churn.html", the same served and
    static, so that links between pages are relative ones that work from anywhere."""

    path: str
    title: str
    template: str
    context: Mapping[str, object] = field(default_factory=dict)


def notes_of(dashboard: Dashboard) -> list[str]:
    """The notes of all repositories, each with the name of its own where there are several."""
    several = len(dashboard.sources) > 1
    return [f"{source.name}: {note}" if several else note for source in dashboard.sources for note in source.notes()]

"""The pages of a dashboard: which there are, and what each is given. One page a module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from registry.web import links
from registry.web.page import Dashboard, Page, Query
from registry.web.pages import activity, compare, health, history, model, models, version
from registry.web.pages.common import artifacts_of, number_in, source_named

__all__ = ["addresses", "at"]

_OF_ARTIFACTS = {"model": model.page, "history": history.page}


def at(dashboard: Dashboard, path: str, query: Query) -> Page | None:
    """The page at `path`, or None where there is none. A later page of a long list is `?page=2`, or `~2` in the path.

    Raises RegistryError (NotFound and its like) where the registry refuses what the path names.
    """
    found = links.split(path)
    if found is None:
        return None
    stem, counted = found
    number = number_in(query) if "page" in query else counted
    if number is None:
        return None
    if stem == "index":
        return models.page(dashboard, query, number)
    if stem == "activity" or stem.startswith("activity/"):
        return activity.page(dashboard, stem.partition("/")[2] or query.get("event", ""), number)
    if stem == "health":
        return health.page(dashboard) if number == 1 else None
    if stem == "compare":
        return compare.chosen(dashboard, query)
    return _of_artifact(dashboard, stem, number)


def _of_artifact(dashboard: Dashboard, stem: str, number: int) -> Page | None:
    place = links.parse(stem)
    source = source_named(dashboard, place.slug) if place is not None else None
    if place is None or source is None:
        return None
    if place.what is None:
        made = _OF_ARTIFACTS.get(place.kind)
        return made(dashboard, source, place.artifact, number) if made is not None else None
    if number != 1:
        return None
    if place.kind == "version":
        return version.page(dashboard, source, place.artifact, place.what)
    one, dots, other = place.what.partition("...")
    return compare.page(dashboard, source, place.artifact, one, other) if place.kind == "compare" and dots else None


def addresses(dashboard: Dashboard) -> Iterable[str]:
    """The paths of all pages of a static site, each once."""
    general = chain(models.addresses(dashboard), activity.addresses(dashboard), ["health.html"])
    return dict.fromkeys(chain(general, _addresses_of_artifacts(dashboard)))


def _addresses_of_artifacts(dashboard: Dashboard) -> Iterator[str]:
    for source in dashboard.sources:
        for name in artifacts_of(source):
            yield from model.addresses(source, name)
            yield from history.addresses(source, name)
            yield from version.addresses(source, name)
            yield from compare.addresses(source, name)

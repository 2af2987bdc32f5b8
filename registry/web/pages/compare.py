"""Two versions of one artifact, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from registry.core.compare import Difference
from registry.core.state import ArtifactState
from registry.errors import NotFound
from registry.web import links
from registry.web.page import Dashboard, Page, Query, Source
from registry.web.pages.common import sorted_versions, source_named, state_of
from registry.web.usage import command

_NEIGHBOURS = 50  # pairs of versions that follow each other; a form compares any two
_TITLES = {
    "metrics": "Metrics",
    "params": "Parameters",
    "files": "Files",
    "stages": "Stages",
    "labels": "Labels",
    "metadata": "Metadata",
    "entry": "Manifest entry",
}


def pairs(state: ArtifactState) -> list[tuple[str, str]]:
    """The comparisons that are worth a link: each of the greatest versions with the one before it, and what each stage
    holds with what is latest."""
    names = [v.name for v in sorted_versions(state) if v.active]
    found = list(zip(names[1:], names[:_NEIGHBOURS], strict=False))
    if names:
        held = [subject for subject in state.stages.values() if subject in state.versions]
        found += [(subject, names[0]) for subject in held if subject != names[0]]
    return list(dict.fromkeys(found))


def page(dashboard: Dashboard, source: Source, artifact: str, one: str, other: str) -> Page:  # noqa: ARG001  (as all pages)
    """The page of two versions. Raises NotFound where one is none, or is deregistered."""
    state = state_of(source, artifact)
    found = source.registry.diff(f"{artifact}@{one}", f"{artifact}@{other}")
    sections = [(title, _shown(name, found.sections[name])) for name, title in _TITLES.items() if found.sections[name]]
    return Page(
        links.compare(source.slug, artifact, one, other),
        f"{artifact}: {one} and {other}",
        "compare.html",
        {
            "source": source,
            "artifact": artifact,
            "before": found.before,
            "after": found.after,
            "sections": sections,
            "names": _names(state),
        },
    )


def chosen(dashboard: Dashboard, query: Query) -> Page | None:
    """The page that a form chose: `?repo=&name=&a=&b=`; where it did not choose two versions, the form again."""
    source = source_named(dashboard, query.get("repo", ""))
    artifact = query.get("name", "")
    if source is None or not artifact:
        return None
    state = state_of(source, artifact)
    one, other = query.get("a", ""), query.get("b", "")
    names = _names(state)
    if one and other:
        made = page(dashboard, source, artifact, one, other)
        return Page("compare.html", made.title, made.template, made.context)
    if len(names) < 2:
        raise NotFound(
            f"{artifact} has no two versions to compare",
            f"{command(dashboard, source, 'register', artifact)} makes one",
        )
    before, after = one or names[1], other or names[0]
    return Page(
        "compare.html",
        f"{artifact}: two versions",
        "compare.html",
        {
            "source": source,
            "artifact": artifact,
            "before": None,
            "after": None,
            "sections": [],
            "names": names,
            "a": before,
            "b": after,
        },
    )


def addresses(source: Source, artifact: str) -> Iterator[str]:
    """The paths of the comparisons that pages link to: all pairs would be too many."""
    for one, other in pairs(state_of(source, artifact)):
        yield links.compare(source.slug, artifact, one, other)


def _names(state: ArtifactState) -> list[str]:
    return [v.name for v in sorted_versions(state) if v.active]


def _shown(name: str, found: list[Difference]) -> list[Difference]:
    if name in {"labels", "stages"}:  # there or not: true would say less than yes
        return [Difference(d.key, "yes" if d.before else None, "yes" if d.after else None) for d in found]
    return found

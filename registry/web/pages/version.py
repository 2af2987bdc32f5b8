"""One version: all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from registry.core.state import ArtifactState, VersionState
from registry.plumbing.objects import CommitSummary
from registry.porcelain import views
from registry.porcelain.values import ModelVersion
from registry.web import hosting, kin, links
from registry.web.commits import summaries
from registry.web.memory import kept
from registry.web.page import Dashboard, Page, Source
from registry.web.pages.common import happening, sorted_versions, state_of, version_of
from registry.web.pages.compare import pairs
from registry.web.pages.model import card_at

_AT_ONCE = 50  # versions that a static site reads with one question to Git


def page(dashboard: Dashboard, source: Source, artifact: str, name: str) -> Page:
    """The page of a version, also of one that is deregistered. Raises NotFound."""
    repository = source.registry.repository
    state = state_of(source, artifact)
    v = version_of(state, name)
    view, commit = _known(dashboard, source, state, v)
    declared = repository.manifest_at(v.commit, artifact).artifacts.get(artifact)
    uses, used_by = kin.of(source, artifact, name)
    host = kept(("host", source.slug), source.moment(), lambda: hosting.of(repository))
    events = [
        happening(source, state, event, subject)
        for event, subject in zip(reversed(state.events), reversed(state.subjects), strict=True)
        if subject == name
    ]
    active = [other.name for other in sorted_versions(state) if other.active]
    return Page(
        links.version(source.slug, artifact, name),
        f"{artifact} {name}",
        "version.html",
        {
            "source": source,
            "artifact": artifact,
            "version": view,
            "state": v,
            "latest": state.latest is not None and state.latest.name == name,
            "stages": state.stages,
            "declared": declared,
            "commit": commit,
            "commit_link": host.commit(v.commit) if host is not None else None,
            "happenings": events,
            "uses": uses,
            "used_by": used_by,
            "card": card_at(source, v.commit, declared),
            "pairs": [(one, other) for one, other in pairs(state) if name in {one, other}],
            "others": [other for other in active if other != name][:_AT_ONCE],
        },
    )


def addresses(source: Source, artifact: str) -> Iterator[str]:
    """The paths of the pages of its versions, greatest first."""
    for v in sorted_versions(state_of(source, artifact)):
        yield links.version(source.slug, artifact, v.name)


def _known(
    dashboard: Dashboard, source: Source, state: ArtifactState, v: VersionState
) -> tuple[ModelVersion, CommitSummary | None]:
    """A version in full, and what its commit says of itself."""
    if not dashboard.static:
        [found] = _read(source, state, [v])
        return found
    # A static site shows them all, one after the other: Git is asked for many at once.
    moment = (source.moment(), state.name)
    ordered = kept(("ordered", source.slug), moment, lambda: sorted_versions(state))
    places = kept(("places", source.slug), moment, lambda: {one.name: at for at, one in enumerate(ordered)})
    start = places[v.name] // _AT_ONCE * _AT_ONCE
    wanted = ordered[start : start + _AT_ONCE]
    batch = kept(("versions", source.slug), (*moment, start), lambda: _read(source, state, wanted))
    return batch[places[v.name] - start]


def _read(
    source: Source, state: ArtifactState, wanted: Sequence[VersionState]
) -> list[tuple[ModelVersion, CommitSummary | None]]:
    repository = source.registry.repository
    shown = views.version_views(repository, [(state, v) for v in wanted])
    return list(zip(shown, summaries(repository, [v.commit for v in wanted]), strict=True))

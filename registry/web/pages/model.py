"""One artifact: what it is, its stages, its versions and their metrics, its card, and how to use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from registry import evidence
from registry.core.manifest import Declaration, Json, StageRule
from registry.core.metadata import Metadata
from registry.core.overview import overview
from registry.core.state import ArtifactState, Holding, VersionState
from registry.manifests import cards
from registry.porcelain import views
from registry.porcelain.values import ModelVersion
from registry.web import card, chart, links, paging, usage
from registry.web.page import Dashboard, Page, Source
from registry.web.pages.common import sorted_versions, state_of
from registry.web.pages.compare import pairs
from registry.web.pages.history import newest

_RECENT = 8  # events on this page; the page of the history has all
_KEY_METRICS = 4  # columns of the list of versions; the table under the charts has all
_MOST_EMPTY = 4  # stages with nothing in them that are shown; more are folded into a line
_OFFERED = 20  # versions in the list to jump to


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of an artifact: its rule where it has one, who holds it, assigned last first, and the version that it
    can be rolled back to."""

    name: str
    rule: StageRule | None
    holders: Sequence[Holding]
    before: str | None

    @property
    def words(self) -> list[str]:
        """Its rule, in words."""
        rule = self.rule
        if rule is None:
            return []
        said = [f"after {rule.after}"] if rule.after else []
        said += ["one version at a time"] if rule.exclusive else []
        said += [f"assigned by {', '.join(rule.allow)}"] if rule.allow else []
        said += ["signed"] if rule.signed else []
        said += [f"{rule.approvals} approval{'' if rule.approvals == 1 else 's'}"] if rule.approvals else []
        if rule.require is not None:
            said += [f"{name} {condition}" for name, condition in rule.require.metrics.items()]
            said += [f"no worse than {rule.require.no_worse_than}"] if rule.require.no_worse_than else []
            said += ["a card"] if rule.require.card else []
        return said


@dataclass(frozen=True, slots=True)
class Measured:
    """A version as the chart needs it."""

    version: str
    active: bool
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Card:
    """A model card: as HTML, or as a list of what it says; `front` is its front matter, `trouble` why there is none."""

    path: str = ""
    html: Markup | None = None
    front: str = ""
    items: Sequence[tuple[str, Json]] = ()
    trouble: str = ""


def page(dashboard: Dashboard, source: Source, artifact: str, number: int) -> Page | None:
    """The page of an artifact; `number` is the page of its versions."""
    repository = source.registry.repository
    state = state_of(source, artifact)
    manifest = repository.manifest_at_head
    declared = manifest.artifacts.get(artifact)
    ordered = sorted_versions(state)
    part = paging.part(ordered, number)
    if part is None:
        return None
    shown = _views(source, state, part.items)
    summary = views.summary(overview(state), manifest)
    lifecycle = manifest.lifecycle(artifact) or {}
    stages = _stages(state, lifecycle)
    empty = [stage for stage in stages if not stage.holders]
    folded = empty if len(empty) > _MOST_EMPTY else []
    active = [v for v in ordered if v.active]
    measured = _measured(source, state, active[: chart.LATEST], shown) if number == 1 else []
    return Page(
        links.model(source.slug, artifact),
        artifact,
        "model.html",
        {
            "source": source,
            "summary": summary,
            "declared": declared,
            "part": part,
            "versions": shown,
            "offered": [v.name for v in active[:_OFFERED]],
            "metrics": chart.metric_names(measured),
            "measured": measured,
            "all_measured": len(measured) == len(active),
            "key_metrics": chart.metric_names(shown)[:_KEY_METRICS],
            "charts": chart.charts(measured),
            "chart_size": (chart.WIDTH, chart.HEIGHT),
            "stages": [stage for stage in stages if stage not in folded],
            "folded": folded,
            "recent": newest(source, artifact, _RECENT),
            "events": len(state.events),
            "card": card_at(source, repository.head, declared),
            "usage": usage.of(
                dashboard, source, summary, [stage.name for stage in stages if stage.holders], list(lifecycle)
            ),
            "pairs": pairs(state),
            "all_versions": state.versions,
            "dashboard": dashboard,
        },
    )


def addresses(source: Source, artifact: str) -> Iterator[str]:
    """The paths of its pages."""
    for number in range(1, paging.count(len(state_of(source, artifact).versions)) + 1):
        yield links.numbered(links.model(source.slug, artifact), number)


def card_at(source: Source, commit: str | None, declared: Declaration | None) -> Card | None:
    """The card that a manifest names, as it is at a commit; None where it names none."""
    if declared is None or not declared.card or commit is None:
        return None
    if isinstance(declared.card, Mapping):
        return Card(items=list(declared.card.items()))
    path = declared.card
    [found] = source.registry.repository.blobs_at([(commit, path)], limit=cards.LIMIT)
    if found.type != "blob":
        absent = any(source.registry.repository.ids_at([(commit, path)]))  # of a partial clone: its bytes alone
        return Card(path, trouble="is not in this clone" if absent else "is not there at this commit")
    if found.data is None:
        return Card(path, trouble=f"is longer than {cards.LIMIT // 1000} kB")
    front, text = cards.parts(cards.text_of(found.data))
    return Card(path, card.html(text), front)


def _views(source: Source, state: ArtifactState, wanted: Sequence[VersionState]) -> list[ModelVersion]:
    return views.version_views(source.registry.repository, [(state, v) for v in wanted])


def _measured(
    source: Source, state: ArtifactState, wanted: Sequence[VersionState], known: Sequence[ModelVersion]
) -> list[chart.Measured]:
    """Versions with their metrics; of those that are not `known` already nothing else is read."""
    found: dict[str, chart.Measured] = {v.version: v for v in known}
    unknown = [v for v in wanted if v.name not in found]
    repository = source.registry.repository
    manifests = repository.manifests_at((v.commit, state.name) for v in unknown)
    declared = [manifest.artifacts.get(state.name) for manifest in manifests]
    values = evidence.values(repository, [(v.commit, said) for v, said in zip(unknown, declared, strict=True)])
    for v, (metrics, params) in zip(unknown, values, strict=True):
        found[v.name] = Measured(v.name, v.active, v.metadata.over(metrics, params, None))
    return [found[v.name] for v in wanted]


def _stages(state: ArtifactState, lifecycle: Mapping[str, StageRule]) -> list[Stage]:
    names = [*lifecycle, *sorted(stage for stage in state.holdings if stage not in lifecycle)]
    return [Stage(name, lifecycle.get(name), state.holdings.get(name, ()), _before(state, name)) for name in names]


def _before(state: ArtifactState, stage: str) -> str | None:
    there = state.before(stage) if stage in state.holdings else None
    return there.name if there is not None else None

"""The first page: every artifact of every repository, and what is in its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.core import version as versions
from registry.core.overview import overview
from registry.core.state import ArtifactState
from registry.porcelain import views
from registry.porcelain.values import Artifact
from registry.web import links, paging, usage
from registry.web.memory import kept
from registry.web.page import Dashboard, Page, Query, Source
from registry.web.pages.common import each, lifecycle_of, states_of
from registry.web.pending import why_no_push

SIZE = 1000  # rows of one page, for the script filters the rows that are there
_MOST_STAGES = 6  # columns; of more stages, the last share one


@dataclass(frozen=True, slots=True)
class Held:
    """What one stage holds: the version, and since when and by whom."""

    stage: str
    subject: str
    since: str
    by: str
    is_version: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One artifact in the table. `labels` are its own and its latest version's."""

    source: Source
    artifact: Artifact
    labels: tuple[str, ...]
    owners: tuple[str, ...]
    held: Mapping[str, Held]

    @property
    def words(self) -> str:
        """What a search for text looks at."""
        a = self.artifact
        return " ".join((a.name, a.type, a.description, *self.labels, *self.owners, self.source.name)).lower()


@dataclass(frozen=True, slots=True)
class Filter:
    """What was asked for. Everything that is said must hold; `q` is words, all of which must be there."""

    q: str = ""
    type: str = ""
    stage: str = ""
    label: str = ""
    deprecated: bool = False
    sort: str = ""

    @classmethod
    def of(cls, query: Query) -> Filter:
        """The filter that an address says; what it says amiss counts for nothing."""
        said = {name: query.get(name, "").strip() for name in ("q", "type", "stage")}
        label = query.get("label", "").replace("\r\n", "\n")  # as a browser sends the end of a line
        sort = query.get("sort", "")
        return cls(
            **said,
            label=label,
            deprecated=query.get("deprecated", "") not in {"", "0"},
            sort=sort if sort.removeprefix("-") in _SORTS else "",
        )

    @property
    def narrows(self) -> bool:
        """Whether it could leave something out."""
        return bool(self.q or self.type or self.stage or self.label)

    def keeps(self, row: Row) -> bool:
        """Whether a row is what was asked for, deprecated or not."""
        return (
            all(word in row.words for word in self.q.lower().split())
            and (not self.type or row.artifact.type == self.type)
            and (not self.stage or self.stage in row.held)
            and (not self.label or self.label in row.labels)
        )

    def said(self, **other: object) -> dict[str, object]:
        """It as a query, with some of it said otherwise."""
        here: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        return {**here, "deprecated": int(self.deprecated), **other}


def page(dashboard: Dashboard, query: Query, number: int) -> Page | None:
    """The page of all models. A repository that cannot be read is named on it, and hides no other."""
    answers, troubles = each(dashboard, _rows)
    rows = [row for _, those in answers for row in those]
    broken = [
        (source, path, reason)
        for source, _ in answers
        for path, reason in source.registry.repository.manifest_at_head.broken.items()
    ]
    wanted = Filter.of(query)
    stages = _stages(answers)
    found = _sorted([row for row in rows if wanted.keeps(row)], wanted.sort)
    shown = found if wanted.deprecated else [row for row in found if not row.artifact.deprecated]
    part = paging.part(shown, number, SIZE)
    if part is None:
        return None
    columns = stages if len(stages) <= _MOST_STAGES else stages[: _MOST_STAGES - 1]
    return Page(
        "index.html",
        "Models",
        "models.html",
        {
            "part": part,
            "deprecated": [] if wanted.deprecated else [row for row in found if row.artifact.deprecated][:SIZE],
            "all": len(rows),
            "first": usage.first(dashboard, dashboard.sources[0]),
            "wanted": wanted,
            "query": wanted.said(),
            "columns": columns,
            "more_stages": stages[len(columns) :],
            "stages": stages,
            "types": sorted({row.artifact.type for row in rows}),
            "labels": sorted({label for row in rows for label in row.labels}),
            "has_labels": any(row.labels for row in rows),
            "has_owners": any(row.owners for row in rows),
            "troubles": troubles,
            "broken": broken,
            "why_no_push": {source.slug: why_no_push(source) for source, _ in answers} if dashboard.acts else {},
        },
    )


def addresses(dashboard: Dashboard) -> Iterator[str]:
    """The paths of its pages."""
    total = sum(not row.artifact.deprecated for source in dashboard.sources for row in _rows(source))
    for number in range(1, paging.count(total, SIZE) + 1):
        yield links.numbered("index.html", number)


def _rows(source: Source) -> list[Row]:
    states = states_of(source)
    return kept(("models", source.slug), source.moment(), lambda: _read(source, states))


def _read(source: Source, states: Mapping[str, ArtifactState]) -> list[Row]:
    manifest = source.registry.repository.manifest_at_head
    rows = []
    for name in sorted(states, key=lambda name: (name.lower(), name)):  # as sort=name has them
        state = states[name]
        artifact = views.summary(overview(state), manifest)
        declared = manifest.artifacts.get(name)
        latest = state.versions[artifact.latest] if artifact.latest is not None else None
        labels = dict.fromkeys([*artifact.labels, *(latest.metadata.labels if latest is not None else ())])
        rows.append(Row(source, artifact, tuple(labels), declared.owners if declared else (), _held(state, artifact)))
    return rows


def _held(state: ArtifactState, artifact: Artifact) -> dict[str, Held]:
    found = {}
    for stage in artifact.stages:
        holding = state.holdings[stage][0]
        by = holding.since.by
        found[stage] = Held(stage, holding.subject, by.iso, by.name, holding.subject in state.versions)
    return found


def _stages(answers: Sequence[tuple[Source, Sequence[Row]]]) -> list[str]:
    """Those of each lifecycle, in its order, then those that hold something all the same."""
    stages: dict[str, None] = {}
    for source, rows in answers:
        stages.update(dict.fromkeys(lifecycle_of(source, [row.artifact.name for row in rows])))
    stages.update(dict.fromkeys(sorted({stage for _, rows in answers for row in rows for stage in row.held})))
    return list(stages)


def _precedence(row: Row) -> Any:
    parsed = versions.parse(row.artifact.latest or "")
    return parsed.precedence if parsed is not None else None


_SORTS: Mapping[str, Callable[[Row], Any]] = {
    "name": lambda row: row.artifact.name.lower(),
    "type": lambda row: row.artifact.type,
    "latest": _precedence,
    "updated": lambda row: row.artifact.updated_at,
}


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """Rows by what was asked for, `-` for the greatest first; those without it come last."""
    if not sort:
        return rows
    key = _SORTS[sort.removeprefix("-")]
    there = sorted((row for row in rows if key(row) is not None), key=key, reverse=sort.startswith("-"))
    return there + [row for row in rows if key(row) is None]

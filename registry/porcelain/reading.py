"""Reading verbs: resolve, show, history, check-ref and stages (DESIGN part 5)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, count, repeat
from typing import Any, TypeVar

from registry.core import select
from registry.core import version as versions
from registry.core.events import event_of
from registry.core.manifest import Json, StageRule
from registry.core.metadata import Metadata, number
from registry.core.names import Form, is_artifact, parse_tag
from registry.core.overview import Overview, overview
from registry.core.select import Selector, nearest
from registry.core.state import ArtifactState
from registry.core.version import Version
from registry.errors import NotFound, UsageError
from registry.plumbing import tags
from registry.porcelain import views
from registry.porcelain.find import find
from registry.porcelain.values import Artifact, ArtifactDetail, EventView, ModelVersion
from registry.repository import Repository

__all__ = [
    "Condition",
    "Filter",
    "StageView",
    "check_ref",
    "complete",
    "find",
    "history",
    "lookup",
    "parse_condition",
    "resolve",
    "show_all",
    "show_one",
    "sorted_by",
    "stages",
]


def resolve(repository: Repository, text: str) -> ModelVersion:
    """The one version that a selector means, in full."""
    return views.selected_view(repository, *find(repository, text))


@dataclass(frozen=True, slots=True)
class Filter:
    """What `show` keeps: each given condition must hold. `deprecated` lists deprecated artifacts too."""

    where: tuple[str, ...] = ()
    type: str | None = None
    labels: tuple[str, ...] = ()
    stage: str | None = None
    sort: str | None = None
    deprecated: bool = False


def show_all(repository: Repository, wanted: Filter) -> list[Artifact]:
    """Every artifact that is declared at HEAD or has an event, by name or by the filter's sort key."""
    conditions = [parse_condition(text) for text in wanted.where]
    if wanted.sort is not None:
        _check_field(wanted.sort.removeprefix("-"))
    manifest = repository.manifest_at_head
    everything = {**{name: Overview(name) for name in manifest.artifacts}, **repository.overviews}
    rows = [(everything[name], views.summary(everything[name], manifest)) for name in sorted(everything)]
    kept = [(seen, artifact) for seen, artifact in rows if _keeps(wanted, artifact, seen)]
    known: dict[str, Metadata] = {}
    if conditions or (wanted.sort or "").removeprefix("-").partition(".")[0] in {*_GROUPS, "run"}:
        states = repository.states
        latest = [(states[seen.name], states[seen.name].latest) for seen, _ in kept if seen.name in states]
        versions = views.version_views(repository, [(state, v) for state, v in latest if v is not None])
        known = {v.artifact: v.metadata for v in versions}
    found = [(artifact, known.get(artifact.name, Metadata())) for _, artifact in kept]
    found = [pair for pair in found if all(c.holds(lookup(pair[1], pair[0].to_json(), c.key)) for c in conditions)]
    found = sorted_by(wanted.sort, found, lambda pair, name: lookup(pair[1], pair[0].to_json(), name))
    return [artifact for artifact, _ in found]


def _keeps(wanted: Filter, artifact: Artifact, seen: Overview) -> bool:
    # A label is the artifact's, from the manifest, or its latest version's, from the tags.
    labels = {*artifact.labels, *seen.labels}
    return (
        (wanted.deprecated or not artifact.deprecated)
        and (wanted.type is None or artifact.type == wanted.type)
        and set(wanted.labels) <= labels
        and (wanted.stage is None or wanted.stage in artifact.stages)
    )


def show_one(repository: Repository, text: str, wanted: Filter) -> ArtifactDetail:
    """One artifact with its versions, greatest first; of a selector with a version or stage, that version alone."""
    selector = select.parse(text)
    conditions = [parse_condition(condition) for condition in wanted.where]
    if wanted.sort is not None:
        _check_field(wanted.sort.removeprefix("-"))
    state = repository.existing(selector.artifact)
    if selector.what is None and selector.stage is None:
        # Active ones by precedence, and what is gone after them in the same order.
        states = sorted(state.versions.values(), key=lambda v: (v.version.precedence, v.position), reverse=True)
        versions = views.version_views(repository, [(state, v) for v in states])
    else:
        versions = [views.selected_view(repository, state, select.select(state, selector))]
    summary = views.summary(overview(state), repository.manifest_at_head)
    kept = [
        v
        for v in versions
        if set(wanted.labels) <= {*summary.labels, *v.metadata.labels}
        and (wanted.stage is None or wanted.stage in v.stages)
        and all(c.holds(lookup(v.metadata, v.to_row(), c.key)) for c in conditions)
    ]
    ordered = sorted_by(wanted.sort, kept, lambda v, name: lookup(v.metadata, v.to_row(), name))
    return ArtifactDetail(summary, tuple(ordered))


def history(repository: Repository, text: str | None = None) -> list[EventView]:
    """The events of an artifact in order, of one version of it, or of all artifacts by date; oldest first."""
    if text is None:
        dated = sorted(row for state in repository.states.values() for row in _dated(state))  # no two rows are a tie
        return [view for *_, view in dated]
    selector = select.parse(text)
    state = repository.existing(selector.artifact)
    found = views.events_view(state)
    if selector.what is not None:
        subject = _version_named(state, selector)
        return [view for view in found if view.version == subject]
    if selector.stage is not None:
        kept = [view for view in found if view.stage == selector.stage]
        if not kept:
            raise NotFound(f"nothing of {state.name} was ever in stage {selector.stage}", "registry stages lists them")
        return kept
    return found


def _version_named(state: ArtifactState, selector: Selector) -> str:
    # A deregistered version has a history too, though no selector finds it any more.
    if selector.what in state.versions:
        return str(selector.what)
    return select.select(state, selector).subject


def _dated(state: ArtifactState) -> Iterable[tuple[int, str, int, EventView]]:
    """The events in order, each under the greatest date so far (as in DESIGN part 3), the artifact and its place."""
    dates = accumulate((event.by.seconds for event in state.events), max)
    return zip(dates, repeat(state.name), count(), views.events_view(state))


def complete(repository: Repository, typed: str) -> list[str]:
    """What a selector that begins with `typed` could be: artifacts; after an "@" versions, after a "#" stages."""
    artifact, sign, _ = typed.partition("@" if "@" in typed else "#")
    if not sign:
        names = {*repository.overviews, *repository.manifest_at_head.artifacts}
        return sorted(name for name in names if name.startswith(typed))
    if not is_artifact(artifact):
        return []
    state = repository.state(artifact)
    words = ["latest", *(v.name for v in reversed(state.active))] if sign == "@" else list(state.stages)
    found = [f"{artifact}{sign}{word}" for word in words] if state.exists else []
    return [selector for selector in found if selector.startswith(typed)]


def check_ref(repository: Repository, tag: str) -> EventView:
    """The one event that a tag is; `refs/tags/` may stand before it. Raises NotFound where it is no event."""
    name = tag.removeprefix(tags.PREFIX)
    parsed = parse_tag(name)
    if parsed is None:
        raise NotFound(f"{name} is not a registry tag", "such as churn@v1.2.0 or 'churn#production#7'")
    if parsed.form is Form.CREATION:
        raise NotFound(f"{name} is reserved, and not an event", "GTO writes such tags; they are ignored")
    repository.about(parsed.artifact)
    records = [r for r in tags.read_tags(repository.git, [tags.PREFIX + name]) if r.name == name]
    if not records:
        raise NotFound(f"there is no tag {name}", "git fetch --tags brings those of the remote")
    record = records[0]
    event = event_of(record.name, record.oid, record.raw) if record.raw is not None else None
    if event is None and record.type not in {"tag", "missing"}:
        hint = "an event is an annotated tag of a commit, as registry makes them"
        raise NotFound(f"{name} is not an event: it is a lightweight tag, of a {record.type}", hint)
    if event is None:
        raise NotFound(f"{name} is not an event: its tag object is damaged or missing", "registry doctor says how")
    return views.events_view(repository.state(parsed.artifact), [event])[0]


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage: its rules where it is declared, and what it resolves to for each artifact."""

    name: str
    rule: StageRule | None
    holders: dict[str, str]

    def to_json(self) -> dict[str, Json]:
        """The shape of one stage in `stages --json`."""
        return {
            "stage": self.name,
            "declared": self.rule is not None,
            "after": self.rule.after if self.rule else None,
            "exclusive": self.rule.exclusive if self.rule else False,
            "artifacts": dict(self.holders),
        }


def stages(repository: Repository) -> list[StageView]:
    """Every stage: the lifecycle's in order, then those of artifacts' own, then those that only tags name."""
    manifest = repository.manifest_at_head
    rules: dict[str, StageRule | None] = dict(manifest.stages or {})
    for declared in manifest.artifacts.values():
        for name, rule in (declared.stages or {}).items():
            rules.setdefault(name, rule)
    holders: dict[str, dict[str, str]] = {}
    for seen in repository.overviews.values():
        for stage, subject in seen.stages.items():
            holders.setdefault(stage, {})[seen.name] = subject
    for name in sorted(holders):
        rules.setdefault(name, None)
    return [StageView(name, rule, holders.get(name, {})) for name, rule in rules.items()]


# -- conditions --------------------------------------------------------------------------------------------------------

_condition = re.compile(r"\s*([A-Za-z_][^\s<>=!]*)\s*(>=|<=|==|!=|=|>|<)\s*(.*?)\s*")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}
_VERSIONS = ("latest", "version")
_GROUPS = ("metrics", "params", "tags")
_FIELDS = ("name", "type", "latest", "version", "number", "path", "run", "versions", "updated_at", "registered_at")


@dataclass(frozen=True, slots=True)
class Condition:
    """One `--where`: the value of `key` compares so with `value`."""

    key: str
    operator: str
    value: object

    def holds(self, found: object) -> bool:
        """Whether it is true of `found`; nothing is true of what is not there, or of another type, but `!=`."""
        if found is None:
            return False
        if _sort(found) != _sort(self.value):
            return self.operator == "!="
        return _OPERATORS[self.operator](_comparable(found), _comparable(self.value))


def _sort(value: object) -> str:
    """What compares with what: numbers with numbers, versions with versions by precedence, text with text."""
    if isinstance(value, Version):
        return "version"
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else "text"


def _comparable(value: object) -> Any:
    return value.precedence if isinstance(value, Version) else value


def parse_condition(text: str) -> Condition:
    """`metrics.auc>0.9` taken apart. Raises UsageError."""
    found = _condition.fullmatch(text)
    if found is None:
        raise UsageError(f"not a condition: {text!r}", "such as 'metrics.auc>0.9' or 'params.depth==4'")
    key, symbol, value = found.groups()
    _check_field(key)
    return Condition(key, symbol, versions.check(value) if key in _VERSIONS else number(value))


def _check_field(key: str) -> None:
    group, _, name = key.partition(".")
    if key not in _FIELDS and not (group in _GROUPS and name):
        close = nearest(key, _FIELDS)
        hint = f"did you mean {close}?" if close else "such as metrics.auc, params.depth, tags.team, name or type"
        raise UsageError(f"nothing is called {key!r} here", hint)


def lookup(known: Metadata, row: dict[str, Json], key: str) -> object:
    """The value of `metrics.auc`, `name` and so on in one row; None where it has none."""
    group, dot, name = key.partition(".")
    if dot:
        values = {"metrics": known.metrics, "params": known.params, "tags": known.tags}[group]
        found = values.get(name)
        return "true" if found is True else "false" if found is False else found
    value = known.run if key == "run" else row.get(key)
    return (versions.parse(value) or value) if key in _VERSIONS and isinstance(value, str) else value


Row = TypeVar("Row")


def sorted_by(text: str | None, rows: list[Row], value: Callable[[Row, str], object]) -> list[Row]:
    """`rows` by the field that `text` names, a `-` before it for the greatest first; rows without a value come last."""
    if text is None:
        return rows
    key = text.removeprefix("-")
    there = [row for row in rows if value(row, key) is not None]
    sorts = {_sort(value(row, key)) for row in there}

    def comparable(row: Row) -> Any:
        found = value(row, key)
        return _comparable(found) if len(sorts) == 1 else str(found)

    there.sort(key=comparable, reverse=text.startswith("-"))
    return there + [row for row in rows if value(row, key) is None]

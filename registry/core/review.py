"""What a change of the manifests means: two manifests compared, rule by rule and artifact by artifact (DESIGN part 5).

A manifest that cannot be read says nothing of what it declares: what it would have declared is neither added nor
removed by that.
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from registry.core import names
from registry.core.compare import differences
from registry.core.manifest import Declaration, Json, Lifecycle, Manifest, StageRule, VersionRules
from registry.core.plan import shown

Kind: TypeAlias = Literal["added", "removed", "renamed", "changed"]
Held: TypeAlias = Mapping[str, Mapping[str, str]]  # of each artifact with tags, what each stage resolves to

NOTHING = ""  # what `assign: {S: null}` wants in S; None stands for a line that is not there

_ROOT = ""  # the directory whose manifests hold the general rules


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """One thing that a manifest says otherwise than before.

    `artifact` is None for the general rules. `key` is what is said: `path`, `assign.production`,
    `stages.production.require.metrics.auc`, `teams.release`; "" stands for the whole entry of an artifact. Of a
    renamed artifact, `before` and `after` are its names, and `artifact` is the new one. None is what is not said.
    """

    kind: Kind
    artifact: str | None
    key: str
    before: Json
    after: Json

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the `changes` of `review --json`."""
        return {
            "kind": self.kind,
            "artifact": self.artifact,
            "key": self.key,
            "before": self.before,
            "after": self.after,
        }


def changes(before: Manifest, after: Manifest) -> list[ManifestChange]:
    """All that changed: the general rules, then the artifacts by name."""
    renamed = _renamed(before, after)
    found = list(_rule_changes(before, after))
    old_names = {new: old for old, new in renamed.items()}
    for name in sorted({*before.artifacts, *after.artifacts} - set(renamed)):
        old = before.artifacts.get(old_names.get(name, name))
        new = after.artifacts.get(name)
        if old is None and new is not None:
            if not _unread(before, name):
                found.append(ManifestChange("added", name, "", None, entry(new)))
        elif new is None and old is not None:
            if not _unread(after, name):
                found.append(ManifestChange("removed", name, "", entry(old), None))
        elif old is not None and new is not None:
            if old.name != name:
                found.append(ManifestChange("renamed", name, "", old.name, name))
            found.extend(_entry_changes(name, old, new))
    return found


def _unread(manifest: Manifest, artifact: str) -> bool:
    """Whether a manifest that could declare the artifact cannot be read."""
    return any(posixpath.dirname(path) == names.directory_of(artifact) for path in manifest.broken)


# -- one artifact ------------------------------------------------------------------------------------------------------


def entry(declared: Declaration) -> dict[str, Json]:
    """What an entry says, by key; what it leaves out is left out."""
    said: dict[str, Json] = {
        "manifest": declared.source,
        "type": declared.type,
        "path": declared.path,
        "description": declared.description,
        "framework": declared.framework,
        "labels": list(declared.labels),
        "owners": list(declared.owners),
        "card": dict(declared.card) if isinstance(declared.card, Mapping) else declared.card,
        "metrics": list(declared.metrics),
        "params": list(declared.params),
        "artifacts": dict(declared.artifacts),
        "metadata": dict(declared.metadata),
        "version": declared.version,
        "assign": _assign(declared),
        "stages": None if declared.stages is None else {s: _rule(rule) for s, rule in declared.stages.items()},
        "versions": None if declared.versions is None else _versions(declared.versions),
    }
    return {key: value for key, value in said.items() if value not in (None, "", [], {})}


def _assign(declared: Declaration) -> dict[str, Json]:
    return {stage: NOTHING if version is None else version for stage, version in declared.assign.items()}


def _entry_changes(name: str, before: Declaration, after: Declaration) -> Iterator[ManifestChange]:
    old, new = _flat(before), _flat(after)
    for found in differences(old, new):
        yield ManifestChange("changed", name, found.key, old.get(found.key), new.get(found.key))
    yield from _lifecycle_changes(name, before.stages, after.stages)


def _flat(declared: Declaration) -> dict[str, Json]:
    """What an entry says but for its stages, whose rules are compared as such."""
    return {key: value for key, value in _by_name(entry(declared)).items() if key != "stages"}


def _by_name(said: Mapping[str, Json]) -> dict[str, Json]:
    """`said`, in which each file, stage and so on that has a name has a key of its own: `assign.production`."""
    flat: dict[str, Json] = {}
    for key, value in said.items():
        if key in {"artifacts", "metadata", "assign", "versions"} and isinstance(value, dict):
            flat.update({f"{key}.{name}": one for name, one in value.items()})
        else:
            flat[key] = value
    return flat


def _renamed(before: Manifest, after: Manifest) -> dict[str, str]:
    """The artifacts that have a new name: the same path or, without one to go by, the same entry. Where several could
    be meant nobody knows, and they were removed and added."""
    removed = [one for name, one in before.artifacts.items() if name not in after.artifacts]
    added = [one for name, one in after.artifacts.items() if name not in before.artifacts]
    found: dict[str, str] = {}
    for sign in (_by_path, _by_entry):
        pairs = _pairs(
            sign,
            [one for one in removed if one.name not in found and not _unread(after, one.name)],
            [one for one in added if one.name not in found.values() and not _unread(before, one.name)],
        )
        found.update(pairs)
    return found


def _by_path(declared: Declaration) -> str | None:
    return declared.path


def _by_entry(declared: Declaration) -> str:
    return repr({key: value for key, value in entry(declared).items() if key != "manifest"})


def _pairs(
    sign: Callable[[Declaration], str | None], removed: Iterable[Declaration], added: Iterable[Declaration]
) -> Iterator[tuple[str, str]]:
    signs: defaultdict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for place, declarations in enumerate((removed, added)):
        for one in declarations:
            if (said := sign(one)) is not None:
                signs[said][place].append(one.name)
    for old, new in signs.values():
        if len(old) == len(new) == 1:
            yield old[0], new[0]


# -- the rules ---------------------------------------------------------------------------------------------------------


def _rule_changes(before: Manifest, after: Manifest) -> Iterator[ManifestChange]:
    if _unread(before, _ROOT) or _unread(after, _ROOT):
        return
    yield from _lifecycle_changes(None, before.stages, after.stages)
    old, new = _versions(before.versions), _versions(after.versions)
    for found in differences(old, new):
        yield ManifestChange("changed", None, f"versions.{found.key}", old[found.key], new[found.key])
    for team in dict.fromkeys([*before.teams, *after.teams]):
        was, members = before.teams.get(team), after.teams.get(team)
        if was != members:
            yield _said(None, f"teams.{team}", _listed(was), _listed(members))


def _listed(members: tuple[str, ...] | None) -> Json:
    return None if members is None else list(members)


def _said(artifact: str | None, key: str, before: Json, after: Json) -> ManifestChange:
    kind: Kind = "added" if before is None else "removed" if after is None else "changed"
    return ManifestChange(kind, artifact, key, before, after)


def _lifecycle_changes(
    artifact: str | None, before: Lifecycle | None, after: Lifecycle | None
) -> Iterator[ManifestChange]:
    old, new = before or {}, after or {}
    kept_before, kept_after = ([stage for stage in one if stage in other] for one, other in ((old, new), (new, old)))
    if kept_before != kept_after:
        yield ManifestChange("changed", artifact, "stages", list(old), list(new))
    for stage in dict.fromkeys([*old, *new]):
        if stage not in old or stage not in new:
            was, is_ = (_rule(one[stage]) if stage in one else None for one in (old, new))
            yield _said(artifact, f"stages.{stage}", was, is_)
            continue
        said, says = (_flat_rule(one[stage]) for one in (old, new))
        for found in differences(said, says):
            key = f"stages.{stage}.{found.key}"
            yield ManifestChange("changed", artifact, key, said.get(found.key), says.get(found.key))


def _rule(rule: StageRule) -> dict[str, Json]:
    """What the rule of a stage says; what it leaves open is left out."""
    said: dict[str, Json] = {
        "after": rule.after,
        "exclusive": rule.exclusive,
        "allow": list(rule.allow),
        "signed": rule.signed,
        "approvals": rule.approvals,
    }
    if rule.require is not None:
        gates: dict[str, Json] = {
            "metrics": dict(rule.require.metrics),
            "no_worse_than": rule.require.no_worse_than,
            "card": rule.require.card,
        }
        said["require"] = {gate: wanted for gate, wanted in gates.items() if wanted}
    return {key: value for key, value in said.items() if value}


def _flat_rule(rule: StageRule) -> dict[str, Json]:
    flat: dict[str, Json] = {}
    for key, value in _rule(rule).items():
        if key != "require" or not isinstance(value, dict):
            flat[key] = value
            continue
        metrics = value.pop("metrics", {})
        if isinstance(metrics, dict):
            flat.update({f"require.metrics.{metric}": condition for metric, condition in metrics.items()})
        flat.update({f"require.{gate}": wanted for gate, wanted in value.items()})
    return flat


def _versions(rules: VersionRules) -> dict[str, Json]:
    return {"signed": rules.signed, "overwrite": "allow" if rules.overwrite else "forbid"}


# -- what a reviewer should know ---------------------------------------------------------------------------------------


def not_raised(before: Manifest, after: Manifest, changed: Collection[str]) -> list[Declaration]:
    """The artifacts whose `path` changes while the `version` that they declare does not: the new bytes are no version.

    `changed` are the artifacts whose bytes at the path differ.
    """
    return [
        new
        for name, new in after.artifacts.items()
        if (old := before.artifacts.get(name)) is not None
        and new.version is not None
        and new.version == old.version
        and (new.path != old.path or name in changed)
    ]


def notes(before: Manifest, after: Manifest, found: Sequence[ManifestChange], held: Held) -> list[str]:
    """What follows from the changes `found` for the tags that there are."""
    said = [f"{path} cannot be read at the base: what it declared is not compared" for path in before.broken]
    for change in found:
        said.extend(_no_longer_managed(change, before, held))
    return [*said, *_lifecycle_notes(before, after), *_left(before, after, held)]


def _no_longer_managed(change: ManifestChange, before: Manifest, held: Held) -> Iterator[str]:
    name = change.artifact
    if change.kind == "removed" and change.key == "" and name is not None and name in before.artifacts:
        was = before.artifacts[name]
        lines = [*(["version"] if was.version is not None else []), *(f"assign.{stage}" for stage in was.assign)]
        if lines:
            yield f"{name} is declared no more, so what it said is no longer managed: {', '.join(lines)}"
        if name in held:
            yield f"{name} is declared no more; its versions and what is in its stages stay"
    elif change.kind == "renamed" and change.before in held:
        yield f"{change.before} is called {name} now, but tags keep their names: its versions stay with the old one"
    elif change.kind == "changed" and change.after is None and name is not None:
        if change.key == "version":
            yield f"{name}: `version` is no longer managed: {change.before} stays what it is"
        elif change.key.startswith("assign."):
            stage = change.key.removeprefix("assign.")
            yield f"{name}: {stage} is no longer managed: what is in it stays there"


def _lifecycle_notes(before: Manifest, after: Manifest) -> Iterator[str]:
    if _unread(before, _ROOT) or _unread(after, _ROOT):
        return
    if before.stages is not None and after.stages is None:
        yield "no stage is declared any more, so that every name of a stage goes"
    elif before.stages is None and after.stages is not None:
        yield f"every name of a stage went; now there is {', '.join(after.stages)}"


def _left(before: Manifest, after: Manifest, held: Held) -> Iterator[str]:
    """Stages that the lifecycle of an artifact has no more, with something in them."""
    left: defaultdict[str, list[str]] = defaultdict(list)
    for name, stages in held.items():
        if _unread(after, name) or _unread(after, _ROOT):
            continue
        was, is_ = before.lifecycle(name), after.lifecycle(name)
        for stage, subject in stages.items():
            if is_ is not None and stage not in is_ and (was is None or stage in was):
                left[stage].append(f"{name} {shown(subject)}")
    for stage, holders in left.items():
        more = f" and {len(holders) - 5} more" if len(holders) > 5 else ""
        yield f"{stage} is no stage any more, and still holds {', '.join(holders[:5])}{more}"


# -- in words ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what changed, in words: before and after are "" where nothing is said."""

    kind: Kind
    artifact: str | None
    key: str
    before: str
    after: str


def lines(found: Iterable[ManifestChange]) -> list[Line]:
    """`found` in words. What was added or removed whole has a line for each thing that it says."""
    return [line for change in found for line in _lines(change)]


# What a line is about, in the order of what a reviewer must not overlook.
GROUPS = ("removed and renamed", "versions and stages", "rules", "everything else")


def weight(line: Line) -> tuple[int, bool]:
    """Where a line stands among the others: its place in GROUPS, and there what was before what is new.

    Anybody can add any number of models, and change no more than there are.
    """
    about = line.key.partition(".")[0]
    is_new = line.kind == "added"
    if line.kind == "renamed" or (line.kind == "removed" and (line.artifact is None or line.key == "manifest")):
        return 0, is_new
    if about in {"version", "assign"}:
        return 1, is_new
    return 2 if line.artifact is None or about in {"stages", "versions"} else 3, is_new


def counts(found: Sequence[ManifestChange]) -> str:
    """How much there is to review, in a few words; "" where there is nothing."""
    kinds: dict[str, Kind] = {}
    for change in found:
        if change.artifact is not None and (change.key == "" or change.artifact not in kinds):
            kinds[change.artifact] = change.kind if change.key == "" else "changed"
    weights = [weight(line)[0] for line in lines(found)]
    order: tuple[Kind, ...] = ("removed", "renamed", "added", "changed")
    artifacts = [f"{count} {kind}" for kind in order if (count := sum(one == kind for one in kinds.values()))]
    return "; ".join(
        [
            *([f"artifacts: {', '.join(artifacts)}"] if artifacts else []),
            *(f"{GROUPS[place]}: {count}" for place in (1, 2) if (count := weights.count(place))),
        ]
    )


def _lines(change: ManifestChange) -> Iterator[Line]:
    whole = change.after if change.kind == "added" else change.before if change.kind == "removed" else None
    if not isinstance(whole, dict):
        before, after = (_worded(change.key, value) for value in (change.before, change.after))
        yield Line(change.kind, change.artifact, change.key, before, after)
        return
    if not whole:  # a stage without a rule
        yield Line(change.kind, change.artifact, change.key, "", "")
    for key, value in _by_name(whole).items():
        said = _worded(key, value)
        before, after = ("", said) if change.kind == "added" else (said, "")
        yield Line(change.kind, change.artifact, f"{change.key}.{key}".removeprefix("."), before, after)


def _worded(key: str, value: Json) -> str:
    if value is None:
        return ""
    if value == NOTHING and key.startswith("assign."):
        return "nothing"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)

"""The gates of a stage: what a version has to show before it may enter (DESIGN part 4, `require`)."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from registry.core.compare import is_number
from registry.core.manifest import Json, Requirements, StageRule
from registry.core.metadata import Scalar
from registry.core.state import ArtifactState, VersionState
from registry.errors import Refused


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a version shows for itself: its metrics, and whether it has a model card."""

    metrics: Mapping[str, Scalar] = field(default_factory=dict)
    card: bool = False


# The evidence of a version of an artifact. It is asked for only where a gate, or a reader, wants to see it.
Show: TypeAlias = "Callable[[str, VersionState], Evidence]"


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of a version that shall enter a stage, beside that of the version which is there.

    `wanted` are the conditions that the stage sets (`>=0.9`, `no worse than production`), none where it sets none;
    `passed` is whether they hold. A value is None where it is not known.
    """

    metric: str
    now: Scalar
    candidate: Scalar
    wanted: tuple[str, ...] = ()
    passed: bool = True

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the `metrics` of a step."""
        return {
            "metric": self.metric,
            "now": self.now,
            "candidate": self.candidate,
            "wanted": list(self.wanted),
            "passed": self.passed,
        }


CONDITION = r"(?:[<>]=?|[=!]=) *[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_condition = re.compile(CONDITION)
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def check(rule: StageRule | None, state: ArtifactState, version: VersionState, show: Show) -> None:
    """`version` of the artifact in `state` passes the gates of a stage. Raises Refused with all that it fails.

    Nothing is asked of `show` where there is no gate.
    """
    if rule is None or rule.require is None:
        return
    found = failures(rule, state, version, show)
    if found:
        why = f"{state.name} {version.name} may not enter {rule.name}: {'; '.join(found)}"
        raise Refused(why, f"`require` of {rule.name} in the manifest wants it so")


def failures(rule: StageRule, state: ArtifactState, version: VersionState, show: Show) -> list[str]:
    """Why `version` may not enter the stage of `rule`, a short sentence each; none where it may."""
    if rule.require is None:
        return []
    found = [_sentence(one) for one in measures(rule, state, version, show) if not one.passed]
    if rule.require.card and not show(state.name, version).card:
        found.append("it has no model card")
    return found


def measures(rule: StageRule, state: ArtifactState, version: VersionState, show: Show) -> list[Measure]:
    """The metrics of `version` beside those of what holds the stage now, first those that the stage wants something of.

    Of `no_worse_than` the direction is that of the condition under `metrics`: with `>=0.9` more is better, with `<=0.2`
    less is. A version that was in the stage since its last registration has passed once: it may return, though what
    replaced it was better (a rollback must not fail by the metric of what failed).
    """
    require = rule.require or Requirements()
    shown = show(state.name, version).metrics
    holder = state.versions.get(state.stages.get(rule.name, ""))
    now = show(state.name, holder).metrics if holder is not None and holder.name != version.name else {}
    other = state.versions.get(state.stages.get(require.no_worse_than or "", ""))
    if other is None or other.name == version.name or state.was_in(rule.name, version):
        other = None
    rival = show(state.name, other).metrics if other is not None else {}
    return [
        _measure(metric, require.metrics.get(metric), shown.get(metric), now.get(metric), require, rival.get(metric))
        for metric in dict.fromkeys([*require.metrics, *shown, *now])
    ]


def _measure(
    metric: str, condition: str | None, value: Scalar, now: Scalar, require: Requirements, rival: Scalar
) -> Measure:
    if condition is None:
        return Measure(metric, now, value)
    wanted, passed = [condition], _holds(condition, value)
    if is_number(rival) and condition.startswith(("<", ">")):
        wanted.append(f"no worse than {require.no_worse_than} ({rival})")
        passed = passed and is_number(value) and (value >= rival if condition[0] == ">" else value <= rival)
    return Measure(metric, now, value, tuple(wanted), passed)


def _holds(condition: str, value: Scalar) -> bool:
    if not is_number(value) or not _condition.fullmatch(condition):
        return False
    sign = condition[:2].rstrip("0123456789.+- ")
    return _COMPARE[sign](value, float(condition[len(sign) :]))


def _sentence(measure: Measure) -> str:
    wanted = " and ".join(measure.wanted)
    if measure.candidate is None:
        return f"it has no metric {measure.metric}, which has to be {wanted}"
    said = measure.candidate if is_number(measure.candidate) else f"{json.dumps(measure.candidate)}, which is no number"
    return f"{measure.metric} is {said}, and has to be {wanted}"


def compared(rule: StageRule, state: ArtifactState, version: VersionState, show: Show) -> Sequence[Measure]:
    """The `measures` that tell a reader of a plan something: what the stage wants, and what differs."""
    return [one for one in measures(rule, state, version, show) if one.wanted or one.now != one.candidate]

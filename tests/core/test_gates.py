"""The gates of a stage (DESIGN part 4, `require`)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from registry.core import gates
from registry.core.gates import Evidence, Measure
from registry.core.manifest import Requirements, StageRule
from registry.core.metadata import Scalar
from registry.core.state import ArtifactState, VersionState
from registry.errors import Refused
from tests.core.build import commit, event, state

OLD, NEW = "v1.0.0", "v2.0.0"
IN_PRODUCTION = state(
    event(f"churn@{OLD}", 1, commit(1)), event(f"churn@{NEW}", 2, commit(2)), event("churn#production#3", 3, commit(1))
)
REPLACED = IN_PRODUCTION.with_events([event("churn#production#4", 4, commit(2))])


def shows(**metrics: Mapping[str, Scalar]) -> gates.Show:
    """The old version shows the metrics `old`, and has a card; the other one shows `new`."""

    def show(_: str, version: VersionState) -> Evidence:
        first = version.name == OLD
        return Evidence(metrics.get("old" if first else "new", {}), card=first)

    return show


def wants(no_worse_than: str | None = None, *, card: bool = False, **metrics: str) -> StageRule:
    return StageRule("production", require=Requirements(metrics, no_worse_than, card))


def failures(rule: StageRule, show: gates.Show, there: ArtifactState = IN_PRODUCTION, version: str = NEW) -> list[str]:
    return gates.failures(rule, there, there.versions[version], show)


def unseen(_: str, __: VersionState) -> Evidence:
    raise AssertionError("nobody asked for it")


def test_without_gates_nothing_is_read() -> None:
    gates.check(StageRule("production"), IN_PRODUCTION, IN_PRODUCTION.versions[NEW], unseen)
    gates.check(None, IN_PRODUCTION, IN_PRODUCTION.versions[NEW], unseen)

    assert failures(StageRule("production"), unseen) == []


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (">=0.9", 0.9, True), (">= 0.9", 0.89, False), (">0.9", 0.9, False), ("<0.2", 0.1, True), ("<=2", 2, True),
        ("==3", 3.0, True), ("!=3", 3, False), (">=0.9", "0.95", False), (">=0.9", None, False), (">=0.9", True, False),
        (">=-1e-3", 0, True),
    ],
)  # fmt: skip
def test_a_metric_has_to_be_what_its_condition_says(condition: str, value: Scalar, *, holds: bool) -> None:
    assert (failures(wants(auc=condition), shows(new={"auc": value})) == []) is holds


def test_more_is_better_where_the_condition_is_a_floor_and_less_where_it_is_a_ceiling() -> None:
    rule = wants("production", auc=">=0.5", loss="<=0.9", epochs="!=0")
    now: dict[str, Scalar] = {"auc": 0.93, "loss": 0.2, "epochs": 9}

    assert failures(rule, shows(old=now, new={"auc": 0.93, "loss": 0.2, "epochs": 1})) == []
    assert failures(rule, shows(old=now, new={"auc": 0.92, "loss": 0.3, "epochs": 1})) == [
        "auc is 0.92, and has to be >=0.5 and no worse than production (0.93)",
        "loss is 0.3, and has to be <=0.9 and no worse than production (0.2)",
    ]


@pytest.mark.parametrize("condition", ["", " ", "0.9", "="])
def test_what_is_no_condition_is_never_met_beside_a_holder_either(condition: str) -> None:
    both: Mapping[str, Scalar] = {"auc": 0.9}

    assert failures(wants("production", auc=condition), shows(old=both, new=both)) != []


def test_what_the_holder_does_not_show_is_no_measure() -> None:
    assert failures(wants("production", auc=">=0.5"), shows(old={"auc": "high"}, new={"auc": 0.6})) == []
    assert failures(wants("staging", auc=">=0.5"), shows(old={"auc": 0.9}, new={"auc": 0.6})) == []  # nothing is there


def test_a_version_that_was_replaced_may_return_though_its_successor_was_better() -> None:
    rule, show = wants("production", auc=">=0.5"), shows(old={"auc": 0.8}, new={"auc": 0.9})

    assert failures(rule, show, REPLACED, OLD) == []

    anew = REPLACED.with_events([event(f"churn@{OLD}!#5", 5, commit(1)), event(f"churn@{OLD}#6", 6, commit(3))])
    assert failures(rule, show, anew, OLD) == ["auc is 0.8, and has to be >=0.5 and no worse than production (0.9)"]


def test_but_not_below_the_floor() -> None:
    assert failures(wants(auc=">=0.85"), shows(old={"auc": 0.8}), REPLACED, OLD) == ["auc is 0.8, and has to be >=0.85"]


def test_all_that_fails_is_said_at_once() -> None:
    rule = wants(card=True, auc=">=0.9", loss="<0.1")

    with pytest.raises(Refused) as refused:
        gates.check(rule, IN_PRODUCTION, IN_PRODUCTION.versions[NEW], shows(new={"auc": 0.8}))

    assert refused.value.message == (
        "churn v2.0.0 may not enter production: auc is 0.8, and has to be >=0.9; it has no metric loss, which has to be"
        " <0.1; it has no model card"
    )


def test_a_plan_compares_with_what_is_there_whatever_is_wanted() -> None:
    show = shows(old={"auc": 0.8, "same": 1}, new={"auc": 0.9, "f1": 0.7, "same": 1})

    assert gates.compared(StageRule("production"), REPLACED, REPLACED.versions[OLD], show) == [
        Measure("auc", 0.9, 0.8),
        Measure("f1", 0.7, None),
    ]
    assert gates.compared(wants(auc=">0.5"), IN_PRODUCTION, IN_PRODUCTION.versions[NEW], show) == [
        Measure("auc", 0.8, 0.9, (">0.5",)),
        Measure("f1", None, 0.7),
    ]

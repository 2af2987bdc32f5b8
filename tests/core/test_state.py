"""Order and state: DESIGN part 3, sentence by sentence."""

from __future__ import annotations

import pytest

from registry.core.events import Event
from registry.core.order import ordered
from registry.core.state import ArtifactState, VersionState, fold
from registry.core.version import Version
from tests.core.build import commit, event, state


def tags(*events: Event) -> list[str]:
    return [event.tag for event in ordered(events)]


class TestOrder:
    def test_counters_decide_whatever_the_dates_say(self) -> None:
        assert tags(event("m#s#3", at=1), event("m#s#1", at=9), event("m#s!#2", at=5)) == ["m#s#1", "m#s!#2", "m#s#3"]

    def test_a_tie_of_counters_goes_by_date_then_what_undoes_comes_last(self) -> None:
        assert tags(event("m#s#1", at=9), event("m#t#1", at=1)) == ["m#t#1", "m#s#1"]
        assert tags(event("m#s!#1", at=1), event("m#s#1", at=1)) == ["m#s#1", "m#s!#1"]
        assert tags(event("m@v1.0.0!#1", at=1), event("m#z#1", at=1)) == ["m#z#1", "m@v1.0.0!#1"]
        assert tags(event("m#b#1", at=1), event("m#a#1", at=1)) == ["m#a#1", "m#b#1"]

    def test_events_without_a_counter_are_merged_by_date(self) -> None:
        assert tags(event("m@v1.0.0", at=5), event("m#s#1", at=3), event("m#s#2", at=7)) == [
            "m#s#1",
            "m@v1.0.0",
            "m#s#2",
        ]

    def test_an_event_with_a_counter_carries_the_greatest_date_so_far(self) -> None:
        # m#s#2 was made by a slow clock: it counts as made at 9, so the registration at 5 comes before both.
        assert tags(event("m#s#1", at=9), event("m#s#2", at=1), event("m@v1.0.0", at=5)) == [
            "m@v1.0.0",
            "m#s#1",
            "m#s#2",
        ]

    def test_on_a_tie_those_without_a_counter_come_first_by_kind_version_and_name(self) -> None:
        same = [
            event("m#s#1"), event("m#s!"), event("m#b"), event("m#a"), event("m@deprecated"), event("m@v1.0.0!"),
            event("m@v10.0.0"), event("m@v9.0.0"),
        ]  # fmt: skip

        assert tags(*same) == [
            "m@v9.0.0", "m@v10.0.0", "m@v1.0.0!", "m@deprecated", "m#a", "m#b", "m#s!", "m#s#1",
        ]  # fmt: skip

    def test_our_first_registration_has_its_counter_in_a_key(self) -> None:
        assert tags(event("m@v1.0.0", at=9, keys=("Counter: 1",)), event("m#s#2", at=1)) == ["m@v1.0.0", "m#s#2"]


class TestVersions:
    def test_a_version_is_active_when_its_last_event_is_a_registration(self) -> None:
        there = state(event("churn@v1.0.0", 1), event("churn@v1.0.0!#1", 2))
        back = there.with_events([event("churn@v1.0.0#2", 3, commit(2))])

        assert there.latest is None
        assert not there.versions["v1.0.0"].active
        assert back.versions["v1.0.0"].active
        assert back.versions["v1.0.0"].commit == commit(2)

    def test_numbers_of_gtos_versions_are_1_to_n(self) -> None:
        found = state(event("churn@v2.0.0", 1), event("churn@v1.0.0", 2), event("churn@v3.0.0", 3))

        assert {name: v.number for name, v in found.versions.items()} == {"v2.0.0": 1, "v1.0.0": 2, "v3.0.0": 3}

    def test_claimed_numbers_stand_and_the_others_take_the_free_ones(self) -> None:
        found = state(
            event("churn@v1.0.0", 1),
            event("churn@v2.0.0", 2, keys=("Number: 1",)),
            event("churn@v3.0.0", 3, keys=("Number: 3",)),
            event("churn@v4.0.0", 4, keys=("Number: 3",)),  # too late
            event("churn@v5.0.0", 5, keys=("Number: none",)),
        )

        assert {name: v.number for name, v in found.versions.items()} == {
            "v1.0.0": 2, "v2.0.0": 1, "v3.0.0": 3, "v4.0.0": 4, "v5.0.0": 5,
        }  # fmt: skip

    def test_a_deregistered_version_keeps_its_number(self) -> None:
        found = state(event("churn@v1.0.0", 1), event("churn@v1.0.0!", 2), event("churn@v2.0.0", 3))

        assert found.versions["v2.0.0"].number == 2
        assert found.number == 2

    def test_the_number_is_that_of_the_first_registration(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, keys=("Number: 5", "Counter: 1")),
            event("churn@v1.0.0#2", 2, keys=("Number: 9",)),
        )

        assert found.versions["v1.0.0"].number == 5

    def test_latest_stable_newest(self) -> None:
        found = state(event("churn@v2.0.0-rc.1", 1), event("churn@v1.0.0", 2), event("churn@v0.5.0", 3))

        assert named(found.latest) == "v2.0.0-rc.1"
        assert named(found.stable) == "v1.0.0"
        assert named(found.newest) == "v0.5.0"

    def test_of_equal_precedence_the_later_registration_is_latest(self) -> None:
        first, second = event("churn@v1.0.0+a", 1), event("churn@v1.0.0+b", 2)
        again = [event("churn@v1.0.0+a!#1", 3), event("churn@v1.0.0+a#2", 4)]

        assert named(state(first, second).latest) == "v1.0.0+b"
        assert named(state(first, second, *again).latest) == "v1.0.0+a"

    def test_the_greatest_that_ever_existed_counts_even_without_its_registration(self) -> None:
        found = state(event("churn@v1.0.0", 1), event("churn@v3.0.0!#2", 2))

        assert named(found.greatest_ever) == "v3.0.0"

    def test_a_version_whose_tag_is_gone_is_named_by_what_was_done_with_it(self) -> None:
        found = state(event("m@v1.0.0", 1), event("m#s#2", 2, keys=("Version: v2.0.0",), ours=True))

        assert named(found.greatest_ever) == "v2.0.0"  # a bump would make the old assignment mean other bytes


def named(version: Version | VersionState | None) -> str:
    assert version is not None
    return version.text if isinstance(version, Version) else version.name


class TestMetadata:
    def test_an_amendment_replaces_all_values_of_a_key_and_of_pairs_those_of_the_name(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, keys=("Label: a", "Label: b", "Metric: auc=0.9", "Metric: f1=0.8", "Run: x")),
            event("churn@v1.0.0=#1", 2, keys=("Label: c", "Metric: auc=0.95")),
        ).versions["v1.0.0"].metadata  # fmt: skip

        assert found.labels == ("c",)
        assert found.metrics == {"auc": 0.95, "f1": 0.8}
        assert found.run == "x"

    def test_an_empty_value_removes_a_pair(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, keys=("Metric: auc=0.9", "Deployment: eu=https://x")),
            event("churn@v1.0.0=#1", 2, keys=("Metric: auc=", "Deployment: eu=")),
        ).versions["v1.0.0"].metadata  # fmt: skip

        assert (found.metrics, found.deployments) == ({}, {})

    def test_a_new_registration_begins_anew(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, keys=("Label: a", "Counter: 1")),
            event("churn@v1.0.0=#2", 2, keys=("Label: b",)),
            event("churn@v1.0.0#3", 3, keys=("Run: y",)),
        ).versions["v1.0.0"].metadata  # fmt: skip

        assert (found.labels, found.run) == ((), "y")


class TestStages:
    def test_an_assignment_concerns_the_version_that_it_names(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, commit(1)),
            event("churn@v2.0.0", 2, commit(1)),
            event("churn#prod#1", 3, commit(9), ("Version: v1.0.0",)),
        )

        assert found.stages == {"prod": "v1.0.0"}

    def test_one_that_names_a_version_never_registered_counts_for_nothing(self) -> None:
        found = state(event("churn@v1.0.0", 1), event("churn#prod#1", 3, keys=("Version: v7.0.0",)))

        assert found.stages == {}
        assert found.subjects[-1] is None

    def test_without_the_key_it_is_the_greatest_active_version_at_the_commit(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, commit(1)),
            event("churn@v2.0.0", 2, commit(1)),
            event("churn@v3.0.0", 3, commit(1)),
            event("churn#prod#1", 4, commit(1)),
            event("churn@v3.0.0!#2", 5, commit(1)),  # judged on all events, later ones too
        )

        assert found.stages == {"prod": "v2.0.0"}

    def test_else_the_greatest_that_is_not_active(self) -> None:
        found = state(
            event("churn@v1.0.0", 1, commit(1)),
            event("churn@v1.0.0!", 2, commit(1)),
            event("churn#prod#1", 3, commit(1)),
        )

        assert found.subjects[-1] == "v1.0.0"
        assert found.stages == {}

    def test_else_the_commit_itself(self) -> None:
        assert state(event("churn#prod#1", 1, commit(7))).stages == {"prod": commit(7)}

    def test_the_version_may_be_registered_after_its_assignment(self) -> None:
        found = state(event("churn#prod#1", 1, commit(7)), event("churn@v1.0.0", 2, commit(7)))

        assert found.stages == {"prod": "v1.0.0"}

    def test_the_holder_assigned_last_stands_before_earlier_ones(self) -> None:
        found = two_in_production()

        assert [holding.subject for holding in found.holdings["prod"]] == ["v2.0.0", "v1.0.0"]
        assert found.stages_of("v1.0.0") == ["prod"]

    def test_unassigning_uncovers_the_one_behind(self) -> None:
        found = two_in_production().with_events([event("churn#prod!#5", 5, keys=("Version: v2.0.0",))])

        assert found.stages == {"prod": "v1.0.0"}

    def test_an_assignment_repeated_moves_to_the_front(self) -> None:
        found = two_in_production().with_events([event("churn#prod#5", 5, keys=("Version: v1.0.0",))])

        assert found.stages == {"prod": "v1.0.0"}

    def test_a_deregistration_ends_every_assignment_for_good(self) -> None:
        gone = two_in_production().with_events([event("churn@v2.0.0!#5", 5)])
        back = gone.with_events([event("churn@v2.0.0#6", 6)])

        assert gone.stages == back.stages == {"prod": "v1.0.0"}
        assert back.stages_of("v2.0.0") == []

    def test_a_version_that_moved_stays_in_its_stages(self) -> None:
        found = two_in_production().with_events([event("churn@v2.0.0#5", 5, commit(5))])

        assert found.stages == {"prod": "v2.0.0"}
        assert found.versions["v2.0.0"].commit == commit(5)

    @pytest.mark.parametrize(("stage", "before"), [("prod", "v1.0.0"), ("staging", None)])
    def test_what_a_stage_was_before(self, stage: str, before: str | None) -> None:
        found = two_in_production().before(stage)

        assert (found.name if found is not None else None) == before


def two_in_production() -> ArtifactState:
    return state(
        event("churn@v1.0.0", 1, commit(1), ("Counter: 1",)),
        event("churn@v2.0.0", 2, commit(2), ("Counter: 2",)),
        event("churn#prod#3", 3, commit(1), ("Version: v1.0.0",)),
        event("churn#prod#4", 4, commit(2), ("Version: v2.0.0",)),
    )


def test_an_artifact_is_deprecated_until_something_happens_to_it() -> None:
    gone = state(event("churn@v1.0.0", 1), event("churn@deprecated", 2))
    back = gone.with_events([event("churn#prod#1", 3)])

    assert gone.deprecated
    assert not back.deprecated
    assert not fold("churn", []).deprecated


def test_a_counter_that_another_tool_gave_again_revives_nothing() -> None:
    found = state(
        event("churn@v1.0.0", 1, commit(1), ("Counter: 1",)),
        event("churn@v2.0.0", 2, commit(2), ("Counter: 2",)),
        event("churn@v2.0.0!", 3, commit(2)),  # GTO's, like the next one
        event("churn#prod#1", 4, commit(1)),
    )

    assert named(found.latest) == "v1.0.0"

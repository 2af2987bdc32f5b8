"""The judge: what keeps the policy, and each way round it (DESIGN part 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.events import Event, Signatory
from registry.core.manifest import Declaration, Manifest, StageRule, VersionRules
from registry.core.state import ArtifactState, fold
from registry.core.trust import UNSIGNED, Proof, has_rules, judge, members
from tests.core.build import commit, event, state

GOOD, BAD = commit(1), commit(2)
PRODUCTION = StageRule("production", after="staging", exclusive=True, allow=("@release",), signed=True, approvals=1)
TEAMS = {"release": ("ana@example.com", "bo@example.com")}
POLICY = Manifest(stages={"staging": StageRule("staging"), "production": PRODUCTION}, teams=TEAMS)
LISTED = ("ana@example.com", "bo@example.com", "cy@example.com")


def by(who: str, one: Event, *, email: str | None = None) -> Event:
    """The same event, of another tagger; `signed by` stands in its id, as far as these tests know signatures."""
    address = f"{who}@example.com" if email is None else email
    return replace(one, by=Signatory(who, address, one.by.seconds, 0))


def says(tag: str, at: int, *keys: str, where: str = GOOD) -> Event:
    return event(tag, at, where, keys, ours=True)


def prove(one: Event) -> Proof:
    """Everybody who is listed has signed, in the name that they give."""
    if one.by.email in LISTED:
        return Proof(one.by.email)
    return UNSIGNED if one.by.email == "" else Proof(None, "it is signed with a key that is not listed")


def codes(there: ArtifactState, manifest: Manifest = POLICY) -> list[tuple[str, str]]:
    return [(one.event.tag, one.code) for one in judge(there, manifest, prove)]


REGISTERED = by("ana", says("churn@v1.0.0", 1, "Counter: 1"))
STAGED = by("cy", says("churn#staging#2", 2, "Version: v1.0.0"))
APPROVAL = by("bo", says("churn@v1.0.0=#3", 3, "Approved: production"))
PROMOTED = by("ana", says("churn#production#4", 4, "Version: v1.0.0"))
WAY = (REGISTERED, STAGED, APPROVAL, PROMOTED)


def test_the_right_way() -> None:
    assert codes(state(*WAY)) == []


@pytest.mark.parametrize("left_out", range(3), ids=["registration", "staging", "approval"])
def test_no_step_can_be_left_out(left_out: int) -> None:
    found = codes(state(*(one for place, one in enumerate(WAY) if place != left_out)))

    expected = ["unregistered", "after", "approvals"][left_out]
    assert ("churn#production#4", expected) in found


# -- approvals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("approval", "counts"),
    [
        (APPROVAL, True),
        (by("ana", APPROVAL), False),  # the assigner's own
        (by("mallory", APPROVAL), False),
        (by("", APPROVAL, email=""), False),
        (by("Bo", APPROVAL, email="Bo@Example.com"), False),  # nobody is listed so: principals are told apart by case
        (by("bo", says("churn@v1.0.0=#3", 3, "Approved: staging")), False),
        (by("bo", says("churn@v1.0.0=#3", 3, "Approved: Production")), False),
        (by("bo", says("churn@v1.0.0=#3", 3, "Approved: staging", "Approved: production")), True),
        (by("bo", says("churn@v1.0.0=#3", 3, "Approved: production", where=BAD)), False),  # of another commit
        (by("bo", says("churn@v1.0.1=#3", 3, "Approved: production")), False),  # of another version
        (by("bo", says("churn@v1.0.0=#3", 3, "Approved-By: bo@example.com")), False),  # a record, by anybody
        (by("bo", event("churn@v1.0.0=#3", 3, GOOD)), False),  # without a block there is no key
        (by("bo", says("churn@v1.0.0=#5", 5, "Approved: production")), False),  # too late
        (by("bo", says("churn#production!#3", 3, "Approved: production")), False),  # no amendment
    ],
    ids=lambda one: f"{one.tag} by {one.by.email} {one.keys.get('Approved')}" if isinstance(one, Event) else "",
)
def test_which_approval_counts(approval: Event, counts: bool) -> None:
    found = codes(state(REGISTERED, STAGED, approval, PROMOTED))

    assert (("churn#production#4", "approvals") not in found) == counts


def test_nobody_approves_twice() -> None:
    two = replace(POLICY, stages={**(POLICY.stages or {}), "production": replace(PRODUCTION, approvals=2)})
    again = by("bo", says("churn@v1.0.0=#4", 4, "Approved: production"))
    other = by("cy", says("churn@v1.0.0=#4", 4, "Approved: production"))
    last = by("ana", says("churn#production#5", 5, "Version: v1.0.0"))

    assert codes(state(REGISTERED, STAGED, APPROVAL, again, last), two) == [("churn#production#5", "approvals")]
    assert codes(state(REGISTERED, STAGED, APPROVAL, other, last), two) == []


def test_who_assigns_under_another_name_does_not_approve_it_himself() -> None:
    """Without a proof nobody knows who assigns: it may be the very one who has approved."""
    loose = replace(POLICY, stages={"production": StageRule("production", approvals=1)})
    alias = by("zed", says("churn#production#4", 4, "Version: v1.0.0"))

    assert codes(state(REGISTERED, APPROVAL, alias), loose) == [("churn#production#4", "signed")]
    assert codes(state(REGISTERED, APPROVAL, PROMOTED), loose) == []
    out = by("zed", says("churn#production!#5", 5, "Version: v1.0.0"))
    assert codes(state(REGISTERED, APPROVAL, PROMOTED, out), loose) == []  # nobody has to approve that


# -- what is promoted ------------------------------------------------------------------------------------------------


def test_an_approved_version_that_moves_is_approved_no_more() -> None:
    moved = by("ana", says("churn@v1.0.0#4", 4, where=BAD))
    staged = by("cy", says("churn#staging#5", 5, "Version: v1.0.0", where=BAD))
    last = by("ana", says("churn#production#6", 6, "Version: v1.0.0", where=BAD))

    assert codes(state(REGISTERED, STAGED, APPROVAL, moved, staged, last)) == [("churn#production#6", "approvals")]


@pytest.mark.parametrize("who", ["ana", "cy", "mallory"])
def test_a_version_that_moves_within_its_stage_enters_it_anew(who: str) -> None:
    found = codes(state(*WAY, by(who, says("churn@v1.0.0#5", 5, where=BAD))))

    assert ("churn@v1.0.0#5", "after") in found
    assert ("churn@v1.0.0#5", "approvals") in found
    assert {"signed", "allow"} & {code for _, code in found} == (
        {"ana": set(), "cy": {"allow"}, "mallory": {"signed"}}[who]
    )


@pytest.mark.parametrize(("where", "words"), [(BAD, "it moves v1.0.0"), (GOOD, "it registers v1.0.0 again")])
def test_an_active_version_is_not_registered_again_where_that_is_forbidden(where: str, words: str) -> None:
    again = by("ana", says("churn@v1.0.0#5", 5, "Metric: auc=1", where=where))
    forbidden = replace(POLICY, stages=None, versions=VersionRules(overwrite=False))

    [breach] = judge(state(*WAY, again), forbidden, prove)

    assert (breach.event.tag, breach.code) == ("churn@v1.0.0#5", "overwrite")
    assert breach.why.startswith(words)
    gone = by("ana", says("churn@v1.0.0!#5", 5))
    back = by("ana", says("churn@v1.0.0#6", 6, where=where))
    assert codes(state(*WAY, gone, back), forbidden) == []  # what was withdrawn may return


def test_an_assignment_of_another_commit() -> None:
    assert ("churn#production#4", "commit") in codes(
        state(*WAY[:3], by("ana", says("churn#production#4", 4, "Version: v1.0.0", where=BAD)))
    )


def test_a_bare_commit_is_held_to_the_same_rules() -> None:
    bare = by("ana", event("churn#production#4", 4, BAD))

    assert codes(state(*WAY[:3], bare)) == [("churn#production#4", "after"), ("churn#production#4", "approvals")]
    [after, approvals] = judge(state(*WAY[:3], bare), POLICY, prove)
    assert after.hint == f"registry register churn {BAD[:7]}, and assign that version for staging"
    assert approvals.hint.startswith(f"registry register churn {BAD[:7]}, and approve that version for production, by")
    # Where the commit is a version's, it means that version, approvals and all.
    assert codes(state(*WAY[:3], by("ana", event("churn#production#4", 4, GOOD)))) == []


def test_two_versions_of_one_commit_have_each_to_be_approved() -> None:
    """Without a `Version` key, an assignment means the greatest: that is the one which has to be approved."""
    other = by("cy", says("churn@v9.0.0", 4, "Counter: 4"))
    bare = by("ana", event("churn#production#5", 5, GOOD))

    assert codes(state(*WAY[:3], other, bare)) == [("churn#production#5", "after"), ("churn#production#5", "approvals")]


def test_a_version_that_was_withdrawn_begins_again() -> None:
    gone = by("ana", says("churn@v1.0.0!#5", 5))
    back = by("ana", says("churn@v1.0.0#6", 6))
    last = by("ana", says("churn#production#7", 7, "Version: v1.0.0"))

    assert codes(state(*WAY, gone, back, last)) == [
        ("churn#production#7", "after"),
        ("churn#production#7", "approvals"),
    ]
    assert codes(state(*WAY, gone, replace(last, tag="churn#production#6"))) != []  # while it is gone


def test_out_and_in_again_takes_the_same_right() -> None:
    out = by("ana", says("churn#production!#5", 5, "Version: v1.0.0"))
    again = says("churn#production#6", 6, "Version: v1.0.0")

    assert codes(state(*WAY, out, by("ana", again))) == []  # a rollback: it was approved since it was registered
    assert codes(state(*WAY, out, by("cy", again))) == [("churn#production#6", "allow")]
    assert codes(state(*WAY, by("cy", out))) == [("churn#production!#5", "allow")]
    assert codes(state(*WAY, by("mallory", out))) == [("churn#production!#5", "signed")]
    # Who approved may assign it again, and is then no other than the assigner.
    assert codes(state(*WAY, out, by("bo", again))) == [("churn#production#6", "approvals")]


def test_a_withdrawal_that_empties_a_stage_takes_the_right_to_that_stage() -> None:
    gone = says("churn@v1.0.0!#5", 5)

    assert codes(state(*WAY, by("ana", gone))) == []
    assert codes(state(*WAY, by("cy", gone))) == [("churn@v1.0.0!#5", "allow")]
    assert codes(state(*WAY, by("mallory", gone))) == [("churn@v1.0.0!#5", "signed")]
    assert codes(state(*WAY[:3], by("mallory", replace(gone, tag="churn@v1.0.0!#4")))) == []


def test_a_withdrawal_of_what_stands_behind_takes_it_too() -> None:
    open_ = replace(POLICY, stages={**(POLICY.stages or {}), "production": replace(PRODUCTION, exclusive=False)})
    second = [
        by("ana", says("churn@v2.0.0", 5, "Counter: 5", where=BAD)),
        by("ana", says("churn#staging#6", 6, "Version: v2.0.0", where=BAD)),
        by("bo", says("churn@v2.0.0=#7", 7, "Approved: production", where=BAD)),
        by("ana", says("churn#production#8", 8, "Version: v2.0.0", where=BAD)),
    ]

    assert codes(state(*WAY, *second), open_) == []
    assert ("churn#production#8", "exclusive") in codes(state(*WAY, *second))
    assert codes(state(*WAY, *second, by("cy", says("churn@v1.0.0!#9", 9))), open_) == [("churn@v1.0.0!#9", "allow")]
    assert codes(state(*WAY, *second, by("cy", says("churn@v2.0.0!#9", 9))), open_) == [("churn@v2.0.0!#9", "allow")]


def test_an_event_of_gtos_that_is_dated_between() -> None:
    """A version that somebody slips in before the promotion is another commit than that which was assigned."""
    slipped = event("churn@v1.0.0#3", 3, BAD)

    assert ("churn#production#4", "commit") in codes(state(*WAY, by("mallory", slipped)))
    # A new version in between changes nothing of what was promoted.
    assert codes(state(*WAY, by("mallory", event("churn@v0.5.0", 2, BAD)))) == []


def test_a_counter_that_is_there_twice_is_judged_twice() -> None:
    twice = by("mallory", says("churn#production!#4", 4, "Version: v1.0.0"))

    assert ("churn#production!#4", "signed") in codes(state(*WAY, twice))


# -- whose policy ----------------------------------------------------------------------------------------------------


def _declared(**own: object) -> Manifest:
    return replace(POLICY, artifacts={"churn": Declaration("churn", "registry.yaml", **own)})  # type: ignore[arg-type]


def test_a_models_own_rules_are_its_rules() -> None:
    out = by("mallory", says("churn#production!#5", 5, "Version: v1.0.0"))

    assert codes(state(*WAY, out), _declared()) == [("churn#production!#5", "signed")]
    own: Mapping[str, StageRule] = {"production": StageRule("production"), "staging": StageRule("staging")}
    assert codes(state(*WAY, out), _declared(stages=own)) == []
    strict = _declared(versions=VersionRules(signed=True))
    assert codes(state(by("mallory", REGISTERED)), strict) == [("churn@v1.0.0", "signed")]
    # What is declared no more is held to the general rules.
    assert codes(state(*WAY, out), replace(POLICY, artifacts={})) == [("churn#production!#5", "signed")]


def test_without_a_lifecycle_there_is_nothing_to_break() -> None:
    assert codes(state(*(by("mallory", one) for one in WAY)), Manifest()) == []
    assert codes(state(*WAY), Manifest(stages={})) == [("churn#staging#2", "stage"), ("churn#production#4", "stage")]


def test_signed_versions_are_signed_whatever_is_said_of_them() -> None:
    signed = Manifest(versions=VersionRules(signed=True))
    events = [
        says("churn@v1.0.0", 1, "Counter: 1"), says("churn@v1.0.0=#2", 2, "Metric: auc=1"), says("churn@v1.0.0!#3", 3),
        event("churn@v2.0.0", 4), says("churn@deprecated#4", 5),
    ]  # fmt: skip

    assert codes(state(*(by("ana", one) for one in events)), signed) == []
    assert [code for _, code in codes(state(*(by("mallory", one) for one in events)), signed)] == ["signed"] * 5
    assert codes(state(by("mallory", event("churn@v1.0.0", 1)), by("mallory", says("churn#dev#1", 2))), signed) == [
        ("churn@v1.0.0", "signed")
    ]


def test_who_is_meant() -> None:
    assert members(TEAMS, ["@release", "cy@example.com"]) == {*LISTED}
    assert members(TEAMS, ["@nobody"]) == frozenset()
    assert members({}, ["release"]) == {"release"}
    assert members({"": ("x",)}, ["@"]) == {"x"}
    nobody = replace(POLICY, teams={}, stages={"production": StageRule("production", allow=("@release",))})
    found = judge(state(REGISTERED, PROMOTED), nobody, prove)
    assert [(one.event.tag, one.code) for one in found] == [("churn#production#4", "allow")]


def test_a_claim_is_enough_where_nothing_has_to_be_signed() -> None:
    """`allow` without `signed` goes by what the tagger says: the threat model says so."""
    loose = replace(POLICY, stages={"production": StageRule("production", allow=("ana@example.com",))})
    asked: list[Event] = []

    def never(one: Event) -> Proof:
        asked.append(one)
        return UNSIGNED

    for email, expected in [("ana@example.com", []), ("Ana@example.com", ["allow"]), ("", ["allow"])]:
        there = state(REGISTERED, by("x", PROMOTED, email=email))
        assert [one.code for one in judge(there, loose, never)] == expected
    assert asked == []


@pytest.mark.parametrize(
    ("manifest", "rules"),
    [
        (Manifest(), False),
        (Manifest(stages={"s": StageRule("s", after="x", exclusive=True)}), False),
        (Manifest(stages={"s": StageRule("s", allow=("a",))}), True),
        (Manifest(stages={"s": StageRule("s", signed=True)}), True),
        (Manifest(stages={"s": StageRule("s", approvals=1)}), True),
        (Manifest(versions=VersionRules(signed=True)), True),
        (Manifest(versions=VersionRules(overwrite=False)), False),
    ],
)
def test_what_is_a_policy_of_people(manifest: Manifest, rules: bool) -> None:
    assert has_rules(manifest, "churn") == rules


# -- of all histories ------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of anybody in any order, ours and others'."""
    found: dict[str, Event] = {}
    for at in range(draw(st.integers(0, 12))):
        version = draw(st.sampled_from(["v1.0.0", "v2.0.0"]))
        n = draw(st.integers(1, 9))
        stage = draw(st.sampled_from(["staging", "production", "other"]))
        form = draw(st.sampled_from(["churn@{v}", "churn@{v}#{n}", "churn@{v}!#{n}", "churn@{v}=#{n}", "churn#{s}#{n}",
                                     "churn#{s}!#{n}", "churn#{s}#{n}", "churn@deprecated#{n}"]))  # fmt: skip
        tag = form.format(v=version, n=n, s=stage)
        keys = draw(st.lists(st.sampled_from([f"Version: {version}", "Approved: production", "Version: v3.0.0"])))
        one = event(tag, draw(st.sampled_from([at, 3])), commit(draw(st.integers(1, 2))), tuple(keys))
        found[tag] = by(draw(st.sampled_from(["ana", "bo", "cy", "mallory"])), one)
    return [*found.values()]


def everybody(one: Event) -> Proof:
    return Proof(one.by.email)


@given(histories(), st.data())
@settings(max_examples=100)
def test_each_event_is_judged_alike_whatever_else_is_judged(events: list[Event], data: st.DataObject) -> None:
    """Judging only some finds just those breaches of all which are theirs: `only` chooses, and changes nothing."""
    there = fold("churn", events)
    whole = [*judge(there, POLICY, everybody)]
    oids = [one.oid for one in events]
    some = data.draw(st.sets(st.sampled_from(oids))) if oids else set()
    more = some | (data.draw(st.sets(st.sampled_from(oids))) if oids else set())

    few, many = [*judge(there, POLICY, everybody, some)], [*judge(there, POLICY, everybody, more)]
    assert few == [one for one in whole if one.event.oid in some]
    assert all(one in many for one in few)
    assert [*judge(there, POLICY, everybody, ())] == []


@given(histories())
@settings(max_examples=100)
def test_what_holds_a_guarded_stage_came_there_by_an_event_that_kept_the_rules(events: list[Event]) -> None:
    """Where nothing is objected to, whatever production resolves to was staged, approved by another, and not moved."""
    there = fold("churn", events)
    if [*judge(there, POLICY, prove)]:
        return
    for holding in there.holdings.get("production", ()):
        version = there.versions[holding.subject]
        assert holding.since.commit == version.commit
        assert holding.since.by.email in TEAMS["release"]
        assert there.was_in("staging", version)
        others = {one.by.email for one in version.amendments if "production" in one.keys.get("Approved", ())}
        assert others - {holding.since.by.email, "mallory@example.com"}
    assert len(there.holdings.get("production", ())) <= 1


@given(histories())
@settings(max_examples=100)
def test_a_proof_less_never_makes_anything_pass(events: list[Event]) -> None:
    there = fold("churn", events)
    with_all = {(one.event.oid, one.code) for one in judge(there, POLICY, everybody)}
    with_none = {(one.event.oid, one.code) for one in judge(there, POLICY, lambda _: UNSIGNED)}

    assert {oid for oid, _ in with_all} <= {oid for oid, _ in with_none}

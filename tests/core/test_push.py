"""What a server refuses by the tags alone: never what writers make, always what breaks the chain (DESIGN part 6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core import chain, plan, policy, push
from registry.core.draft import DAY, Draft, lay
from registry.core.events import Event, Registration, Signatory
from registry.core.gates import Evidence
from registry.core.manifest import Manifest, StageRule
from registry.core.names import Form
from registry.core.push import objections
from registry.core.select import Selected
from registry.core.state import ArtifactState, fold
from registry.core.version import Bump
from registry.errors import RegistryError
from tests.core.build import commit, event, state

NOW = 1_000_000
STAGES = {
    "dev": StageRule("dev"),
    "staging": StageRule("staging", exclusive=True),
    "prod": StageRule("prod", after="staging", exclusive=True),
}


def codes(there: ArtifactState, *new: Event, now: int = 100) -> list[str]:
    """The rules that `new` break after what is there."""
    after = there.with_events(new)
    those = {one.oid for one in new}
    return [one.code for one in objections(there, after, [e for e in after.events if e.oid in those], now)]


# -- tables ----------------------------------------------------------------------------------------------------------

ONE = event("churn@v1.0.0", 1, keys=("Counter: 1", "Number: 1"))
TWO = event("churn#prod#2", 2, keys=("Previous: oid of churn@v1.0.0", "Version: v1.0.0"))
THERE = state(ONE, TWO)
NEXT = "Previous: oid of churn#prod#2"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (event("churn#prod!#3", 3, keys=(NEXT, "Version: v1.0.0")), []),
        (event("churn#prod!#3", 3), []),  # GTO's
        (event("churn@v1.1.0", 3), []),
        (event("churn@v1.1.0", 3, keys=(NEXT, "Counter: 3", "Number: 2")), []),
        (event("churn#prod!#4", 3, keys=(NEXT,)), ["counter"]),
        (event("churn#prod!#2", 3, keys=(NEXT,)), ["counter"]),
        (event("churn#prod!#2", 3), ["counter"]),
        (event("churn#prod!", 3, keys=(NEXT,)), ["counter"]),  # ours have one always
        (event("churn@v1.1.0", 3, keys=(NEXT, "Counter: 2", "Number: 2")), ["counter"]),
        (event("churn@v1.1.0", 3, keys=(NEXT, "Number: 2")), ["counter"]),
        (event("churn@v1.1.0", 3, keys=(NEXT, "Counter: 3")), ["number"]),
        (event("churn@v1.1.0", 3, keys=(NEXT, "Counter: 3", "Number: 1")), ["number"]),
        (event("churn@v1.1.0", 3, keys=(NEXT, "Counter: 3", "Number: 99")), ["number"]),
        (event("churn@v1.0.0#3", 3, keys=(NEXT,)), []),  # whether it may move is the policy's to say
        (event("churn#prod!#3", 3, ours=True), ["chain"]),
        (event("churn#prod!#3", 3, keys=("Previous: oid of churn@v1.0.0",)), ["chain"]),
        (event("churn#prod!#3", 3, keys=(NEXT, "Previous: oid of churn@v1.0.0")), ["chain"]),
        (event("churn#prod!#3", 3, keys=(NEXT, NEXT)), ["chain"]),
        (event("churn#prod!#3", 3, keys=(NEXT, "Previous: nobody")), ["chain"]),
        (event("churn#prod!#3", 1, keys=(NEXT,)), ["date"]),
        (event("churn#prod!#3", 2, keys=(NEXT,)), []),
        (event("churn#prod!#3", 100 + DAY, keys=(NEXT,)), []),
        (event("churn#prod!#3", 101 + DAY, keys=(NEXT,)), ["date"]),
        (event("churn@v0.1.0", 1), ["order", "date"]),  # between those that are there
        (event("churn#Prod#3", 3, keys=(NEXT,)), ["name"]),
        (event("churn@v1.0.0-RC", 3), []),
        (event("churn#aux#3", 3, keys=(NEXT,)), ["name"]),
    ],
    ids=lambda one: one.tag if isinstance(one, Event) else "+".join(one) or "fine",
)
def test_what_one_event_more_may_be(new: Event, expected: list[str]) -> None:
    assert codes(THERE, new) == expected


def test_a_clock_that_is_behind_the_servers_by_more_than_a_day() -> None:
    assert codes(THERE, event("churn#prod!#3", 50, keys=(NEXT,)), now=50 + DAY) == []
    assert codes(THERE, event("churn#prod!#3", 50, keys=(NEXT,)), now=51 + DAY) == ["date"]


def test_a_date_that_nobody_believes_stands_in_nobodys_way() -> None:
    there = state(ONE, event("churn#prod#2", 10**9, keys=("Previous: oid of churn@v1.0.0", "Version: v1.0.0")))

    assert codes(there, event("churn#prod!#3", 100, keys=(NEXT,))) == []


def test_events_of_one_push_are_judged_one_after_the_other() -> None:
    third = event("churn#dev#3", 3, keys=(NEXT, "Version: v1.0.0"))
    fourth = event("churn#dev!#4", 4, keys=("Previous: oid of churn#dev#3", "Version: v1.0.0"))
    rival = event("churn#dev!#4", 4, keys=(NEXT, "Version: v1.0.0"))

    assert codes(THERE, third, fourth) == []
    assert codes(THERE, third, rival) == ["chain"]
    assert codes(THERE, event("churn#dev#3", 3), event("churn#DEV#4", 3)) == ["name"]
    assert codes(THERE, event("churn@v2.0.0-a", 3), event("churn@v2.0.0-A", 3)) == ["name"]


def test_a_gap_in_the_numbers_is_filled_by_others_and_left_by_us() -> None:
    gap = state(
        event("churn@v1.0.0", 1, commit(1), ("Counter: 1", "Number: 1")),
        event("churn@v3.0.0", 3, commit(3), ("Counter: 3", "Number: 3")),
    )
    theirs = event("churn@v4.0.0", 4, commit(4))
    with_theirs = gap.with_events([theirs])
    assert with_theirs.versions["v4.0.0"].number == 2
    ours = lay(with_theirs, [_registration(with_theirs, "v5.0.0", commit(5))], _ana(5))

    assert "number" not in codes(gap, theirs, *(one.event for one in ours), now=5)


def test_where_the_last_is_followed_already_the_end_of_the_chain_is_another() -> None:
    """A chain that stands the wrong way round (made before there was a hook) can go on."""
    there = state(
        event("churn@v1.0.0", 1, keys=("Counter: 1", "Number: 1")),
        event("churn#a#2", 2, keys=("Previous: oid of churn#b#3",)),
        event("churn#b#3", 3, keys=("Previous: oid of churn@v1.0.0",)),
    )
    [laid] = lay(there, [_assign(there, "v1.0.0", "dev")[-1]], _ana(4))

    assert codes(there, laid.event, now=4) == []


# -- whatever writers make is taken ----------------------------------------------------------------------------------


def _ana(at: int) -> Signatory:
    return Signatory("Ana", "ana@example.com", at, 0)


def _show(_: str, __: object) -> Evidence:
    return Evidence()


def _registration(there: ArtifactState, version: str, where: str) -> Draft:
    number = () if version in there.versions else (("Number", str(there.number + 1)),)
    return Draft(Form.REGISTRATION, "churn", where, "Register", version, keys=number)


def _assign(there: ArtifactState, version: str, stage: str) -> list[Draft]:
    chosen = Selected("churn", there.versions[version].commit, there.versions[version])
    return plan.assignment(Manifest(stages=STAGES), there, chosen, stage, show=_show)


def _decided(draw: st.DrawFn, there: ArtifactState) -> list[Draft]:
    """One write, as a command decides it; nothing where the rules forbid it."""
    what = draw(st.sampled_from(["register", "register", "assign", "assign", "unassign", "deregister", "amend", "old"]))
    versions = [*there.versions]
    if what == "register" or not versions:
        part: Bump = draw(st.sampled_from(["major", "minor", "patch"]))
        chosen = plan.choose(there, plan.Choice(None, part, draw(st.sampled_from([None, "rc"]))))
        return [_registration(there, chosen.text, commit(draw(st.integers(1, 4))))]
    version = draw(st.sampled_from(versions))
    known = there.versions[version]
    match what:
        case "assign":
            try:
                return _assign(there, version, draw(st.sampled_from([*STAGES]))) if known.active else []
            except RegistryError:
                return []
        case "unassign":
            held = [(one.subject, stage) for stage, holders in there.holdings.items() for one in holders]
            return [plan.unassignment(there, *draw(st.sampled_from(held)))] if held else []
        case "deregister":
            gone = Draft(Form.DEREGISTRATION, "churn", known.commit, "Deregister", version)
            again = _registration(there, version, commit(draw(st.integers(1, 4))))  # it returns, or moves
            return [gone if known.active else again]
        case "amend":
            return [Draft(Form.AMENDMENT, "churn", known.commit, "Note", version, keys=(("Label", "x"),))]
    return [] if there.deprecated else [Draft(Form.DEPRECATION, "churn", known.commit, "Deprecate")]


def _of_gto(draw: st.DrawFn, there: ArtifactState, now: int) -> Event | None:
    """An event as GTO makes it: it counts by the names of tags alone, and its registrations have no counter."""
    named = [e.counter for e in there.events if e.counter and e.tag.endswith(f"#{e.counter}") and "=#" not in e.tag]
    assigns: bool = draw(st.booleans())
    if assigns and there.active:
        stage = draw(st.sampled_from([*STAGES]))
        where = draw(st.sampled_from(there.active)).commit
        return event(f"churn#{stage}#{max(named, default=0) + 1}", now, where)
    version = plan.choose(there, plan.Choice(None, "minor")).text
    return event(f"churn@{version}", now, commit(draw(st.integers(5, 8))))


@st.composite
def pushes(draw: st.DrawFn, *, gto: bool) -> list[tuple[list[Event], int]]:
    """A life in pushes, and the server's clock at each: the writers' clocks are some seconds off."""
    found: list[tuple[list[Event], int]] = []
    there, now = fold("churn", []), NOW
    for _ in range(draw(st.integers(1, 5))):
        batch: list[Event] = []
        for _ in range(draw(st.integers(1, 4))):
            now += draw(st.integers(1, 50))
            if gto and draw(st.integers(0, 3)) == 0:
                one = _of_gto(draw, there, max([now, *(e.by.seconds + 1 for e in there.events)]))
                new = [] if one is None or one.tag in {e.tag for e in there.events} else [one]
            else:
                writer = _ana(now + draw(st.integers(-100, 100)))
                new = [laid.event for laid in lay(there, _decided(draw, there), writer)]
            batch += new
            there = there.with_events(new)
        found.append((batch, now))
    return found


@pytest.mark.parametrize("gto", [False, True], ids=["ours", "with GTO"])
def test_what_writers_make_is_never_objected_to_and_never_breaks_the_chain(gto: bool) -> None:
    @given(pushes(gto=gto))
    @settings(max_examples=150)
    def holds(life: list[tuple[list[Event], int]]) -> None:
        there = fold("churn", [])
        for batch, now in life:
            after = there.with_events(batch)
            those = {one.oid for one in batch}
            found = [*objections(there, after, [e for e in after.events if e.oid in those], now)]
            assert found == [], [one.tag for one in after.events]
            there = after
            assert [*chain.breaks(there)] == []
            ours = [one for one in there.events if one.ours]
            assert not ours or [*chain.strayed(there, ours[-1].oid)] == []

    holds()


@st.composite
def anything(draw: st.DrawFn) -> list[Event]:
    """Events of anybody, who names what they like."""
    found: dict[str, Event] = {}
    for place in range(draw(st.integers(1, 9))):
        counter = draw(st.integers(1, 6))
        forms = ["churn@v1.0.0", "churn@v2.0.0", f"churn@v1.0.0#{counter}", f"churn@v1.0.0!#{counter}",
                 f"churn#a#{counter}", f"churn#a!#{counter}", f"churn@v1.0.0=#{counter}"]  # fmt: skip
        tag = draw(st.sampled_from(forms))
        before = [one.oid for one in found.values()]
        previous = draw(st.lists(st.sampled_from([*before[-3:], "nobody"]), max_size=3))
        said = [f"Previous: {oid}" for oid in previous]
        said += [f"Counter: {counter}", f"Number: {draw(st.integers(1, 3))}"] if "#" not in tag else []
        ours = draw(st.integers(0, 3)) > 0
        found.setdefault(tag, event(tag, place, commit(1), tuple(said) if ours else (), ours=ours))
    return [*found.values()]


@given(anything())
@settings(max_examples=400)
def test_what_a_server_took_is_a_whole_chain(offered: list[Event]) -> None:
    there = fold("churn", [])
    for one in offered:
        after = there.with_events([one])
        if not [*objections(there, after, [one], 10)]:
            there = after

    assert [*chain.breaks(there)] == []
    counters = [one.counter for one in there.events if one.counter is not None and one.ours]
    assert counters == sorted(set(counters))


def test_objections_say_which_ref(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "check_travels", lambda _: None)
    new = event("churn#prod!#9", 3, keys=(NEXT,))
    [one] = objections(THERE, THERE.with_events([new]), [new], 100)

    assert one.ref == "refs/tags/churn#prod!#9"
    assert one.to_json() == {"ref": one.ref, "code": "counter", "message": one.why, "hint": one.hint}
    assert isinstance(one, push.Objection)
    assert not isinstance(new, Registration)

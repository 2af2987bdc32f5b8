"""Resolution against a second reading of DESIGN part 3: naive, a sentence a function, and shared by nothing."""

from __future__ import annotations

from functools import cmp_to_key

import pytest
import semver
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core import version as versions
from registry.core.draft import Draft, lay, loose_ends
from registry.core.events import Deregistration, Event, Registration, Signatory, event_of
from registry.core.names import Form
from registry.core.select import parse, select
from registry.core.state import fold
from registry.errors import NotFound
from tests.core.build import commit, event

KINDS = ("registration", "deregistration", "deprecation", "assignment", "unassignment")


def semver_of(event: Event) -> semver.Version | None:
    text = getattr(event, "version", None)
    return None if text is None else semver.Version.parse(text[1:])


def naively_ordered(events: list[Event]) -> list[Event]:
    counted = sorted(
        (e for e in events if e.counter is not None),
        key=lambda e: (e.counter, e.by.seconds, e.kind in {"deregistration", "unassignment"}, e.tag),
    )
    effective: dict[str, int] = {}
    for place, e in enumerate(counted):
        hidden_from_gto = e.kind == "amendment" or "#" not in e.tag.removeprefix("churn#").removeprefix("m#")
        before = [f for f in counted[:place] if f.ours or not hidden_from_gto]
        effective[e.tag] = max([e.by.seconds, *(effective[f.tag] for f in before)])
    uncounted = [e for e in events if e.counter is None]

    def compare_uncounted(one: Event, other: Event) -> int:
        if one.by.seconds != other.by.seconds:
            return one.by.seconds - other.by.seconds
        if one.kind != other.kind:
            return KINDS.index(one.kind) - KINDS.index(other.kind)
        ours, theirs = semver_of(one), semver_of(other)
        if ours is not None and theirs is not None and ours.compare(theirs) != 0:
            return ours.compare(theirs)
        return (one.tag > other.tag) - (one.tag < other.tag)

    waiting = sorted(uncounted, key=cmp_to_key(compare_uncounted))
    merged: list[Event] = []
    for one in sorted(counted, key=lambda e: effective[e.tag]):  # stable: on a tie their counters decide
        while waiting and waiting[0].by.seconds <= effective[one.tag]:
            merged.append(waiting.pop(0))
        merged.append(one)
    return merged + waiting


class Naive:
    """All that part 3 says of an artifact, asked of its events every time anew."""

    def __init__(self, events: list[Event]) -> None:
        self.events = naively_ordered(events)
        registered = [e.version for e in self.events if isinstance(e, Registration)]
        self.versions = list(dict.fromkeys(registered))

    def last_registration(self, version: str) -> Registration:
        return [e for e in self.events if isinstance(e, Registration) and e.version == version][-1]

    def is_active(self, version: str) -> bool:
        said = [e for e in self.events if isinstance(e, (Registration, Deregistration)) and e.version == version]
        return isinstance(said[-1], Registration)

    def numbers(self) -> dict[str, int]:
        firsts = {
            v: next(e for e in self.events if isinstance(e, Registration) and e.version == v) for v in self.versions
        }
        claims = {v: int(n) for v, first in firsts.items() if (n := first.one("Number")) is not None and n.isdecimal()}
        found = {v: n for place, (v, n) in enumerate(claims.items()) if n not in list(claims.values())[:place]}
        free = (n for n in range(1, 100) if n not in set(found.values()))
        return {v: found[v] if v in found else next(free) for v in self.versions}

    def rank(self, version: str) -> tuple[semver.Version, int]:
        return semver.Version.parse(version[1:]), self.events.index(self.last_registration(version))

    def concerns(self, event: Event) -> str | None:
        named = event.one("Version")
        if named is not None:
            return named if named in self.versions else None
        there = [v for v in self.versions if self.last_registration(v).commit == event.commit]
        there = [v for v in there if self.is_active(v)] or there
        return max(there, key=self.rank) if there else event.commit

    def holds(self, subject: str, stage: str) -> int | None:
        """Where the assignment stands by which `subject` holds `stage`."""
        last: tuple[int, str] | None = None
        for place, e in enumerate(self.events):
            ends = isinstance(e, Deregistration) and e.version == subject
            if ends or (getattr(e, "stage", None) == stage and self.concerns(e) == subject):
                last = place, e.kind
        if last is None or last[1] != "assignment" or (subject in self.versions and not self.is_active(subject)):
            return None
        return last[0]

    def holders(self, stage: str) -> list[str]:
        subjects = {self.concerns(e) for e in self.events if getattr(e, "stage", None) == stage} - {None}
        held = {s: place for s in subjects if s is not None and (place := self.holds(s, stage)) is not None}
        return sorted(held, key=lambda s: -held[s])

    def greatest(self, *, releases: bool = False) -> str | None:
        active = [v for v in self.versions if self.is_active(v)]
        if releases:
            active = [v for v in active if semver.Version.parse(v[1:]).prerelease is None]
        return max(active, key=self.rank, default=None)

    def newest(self) -> str | None:
        active = [v for v in self.versions if self.is_active(v)]
        return max(active, key=lambda v: self.events.index(self.last_registration(v)), default=None)


some_tags = st.sampled_from(
    ["churn@v1.0.0", "churn@v1.0.0#{n}", "churn@v1.0.0!#{n}", "churn@v1.0.0!", "churn@v2.0.0", "churn@v2.0.0+b",
     "churn@v2.0.0+b!#{n}", "churn@v3.0.0-rc.1", "churn@v3.0.0-rc.1!", "churn@v10.0.0!#{n}", "churn@v10.0.0",
     "churn#prod#{n}", "churn#prod!#{n}", "churn#prod", "churn#prod!", "churn#qa#{n}", "churn#qa!#{n}",
     "churn@deprecated#{n}", "churn@deprecated"]
)  # fmt: skip
some_keys = st.lists(
    st.sampled_from(
        ["Version: v1.0.0", "Version: v2.0.0+b", "Version: v9.0.0", "Number: 1", "Number: 2", "Number: 7",
         "Number: x", "Counter: 2", "Counter: 3", "Counter: 0"]
    ),
    max_size=2,
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of churn that somebody may have made, with ties of dates and counters, and clocks that run backwards."""
    found: dict[str, Event] = {}
    for _ in range(draw(st.integers(0, 14))):
        tag = draw(some_tags).format(n=draw(st.integers(1, 9)))
        found[tag] = event(tag, draw(st.integers(0, 5)), commit(draw(st.integers(1, 3))), tuple(draw(some_keys)))
    return list(found.values())


@settings(max_examples=400)
@given(histories())
def test_two_readings_of_the_specification_agree(history: list[Event]) -> None:
    state, naive = fold("churn", history), Naive(history)

    assert [e.tag for e in state.events] == [e.tag for e in naive.events]
    assert {v.name: v.number for v in state.versions.values()} == naive.numbers()
    assert {v.name: v.active for v in state.versions.values()} == {v: naive.is_active(v) for v in naive.versions}
    assert {v.name: v.registration for v in state.versions.values()} == {
        v: naive.last_registration(v) for v in naive.versions
    }
    stages = sorted({e.stage for e in state.events if hasattr(e, "stage")})
    expected = {stage: naive.holders(stage) for stage in stages}
    assert {s: [h.subject for h in those] for s, those in state.holdings.items()} == {
        s: h for s, h in expected.items() if h
    }
    assert [v.name if (v := found) else None for found in (state.latest, state.stable, state.newest)] == [
        naive.greatest(), naive.greatest(releases=True), naive.newest(),
    ]  # fmt: skip
    assert state.deprecated == (bool(naive.events) and naive.events[-1].kind == "deprecation")
    for version in naive.versions:
        held = [stage for stage in stages if version in expected[stage]]
        assert sorted(state.stages_of(version)) == held


@given(histories())
def test_every_selector_finds_its_version_or_says_what_there_is(history: list[Event]) -> None:
    state = fold("churn", history)

    for v in state.versions.values():
        for text in (f"churn@{v.name}", f"churn@{v.number}"):
            if v.active:
                assert select(state, parse(text)).version == v
            else:
                with pytest.raises(NotFound, match="was deregistered by Ana on 1970-01-01"):
                    select(state, parse(text))
    for stage, holders in state.holdings.items():
        assert select(state, parse(f"churn#{stage}")).subject == holders[0].subject


@given(histories(), st.lists(st.sampled_from(["v4.0.0", "v1.0.0", "#prod", "!v1.0.0"]), min_size=1, max_size=4))
def test_what_we_add_comes_last_chained_and_dated(history: list[Event], wanted: list[str]) -> None:
    before = fold("churn", history)
    writer = Signatory("Bo", "bo@example.com", 3, 0)
    drafts = [_draft(text) for text in wanted]

    laid = lay(before, drafts, writer)

    events = [one.event for one in laid]
    after = before.with_events(events)
    assert len({e.tag for e in after.events}) == len(after.events)  # no name is taken twice
    assert [e.counter for e in events] == [before.counter + n for n in range(1, len(events) + 1)]
    assert after.events[len(before.events) :] == events
    assert all(e.by.seconds > old.by.seconds for e in events for old in before.events)
    assert events[0].keys.get("Previous", ()) == tuple(loose_ends(before.events))
    named = [oid for e in after.events for oid in e.keys.get("Previous", ())]
    assert set(named) == {e.oid for e in after.events} - {events[-1].oid}  # all but the last are taken in
    assert [event_of(e.tag, e.oid, one.raw) for e, one in zip(events, laid, strict=True)] == events


def _draft(text: str) -> Draft:
    match text[0]:
        case "#":
            return Draft(Form.ASSIGNMENT, "churn", commit(1), "Assign", stage=text[1:], keys=(("Version", "v1.0.0"),))
        case "!":
            return Draft(Form.DEREGISTRATION, "churn", commit(1), "Deregister", text[1:])
        case _:
            return Draft(Form.REGISTRATION, "churn", commit(1), "Register", text)


@given(st.lists(st.sampled_from(["v1.0.0", "v1.0.0-rc.1", "v1.0.0+b", "v2.0.0", "v10.0.0-a.b"]), min_size=2))
def test_precedence_sorts_as_semver_does(texts: list[str]) -> None:
    ours = sorted(texts, key=lambda text: versions.check(text).precedence)

    assert ours == sorted(texts, key=lambda text: semver.Version.parse(text[1:]))

"""Deciding again on what was made apart from others (DESIGN part 6): cases that matter, and random histories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core import draft, plan, select
from registry.core.draft import Draft, Intent
from registry.core.events import Event, Signatory
from registry.core.gates import Evidence
from registry.core.manifest import Manifest, StageRule
from registry.core.names import Form
from registry.core.plan import Choice
from registry.core.replay import Replayed, Rules, replay
from registry.core.state import ArtifactState, VersionState, fold
from registry.errors import RegistryError
from tests.core.build import commit, event

MANIFEST = Manifest(
    stages={name: StageRule(name, exclusive=name == "production") for name in ("staging", "production")}
)
EMPTY = fold("churn", ())


def nothing(_: str, __: VersionState) -> Evidence:
    return Evidence()


class Writer:
    """Somebody who writes on the state that they know."""

    def __init__(self, name: str, state: ArtifactState = EMPTY) -> None:
        self.by = Signatory(name, f"{name}@example.com", 1000, 0)
        self.state = state
        self.made: list[Event] = []
        self.intents: dict[str, Intent] = {}

    def write(self, drafts: Sequence[Draft]) -> None:
        for one in draft.lay(self.state, drafts, self.by):
            self.state = self.state.with_events([one.event])
            self.made.append(one.event)
            self.intents[one.event.oid] = one.intent

    def register(self, where: int, version: str | None = None) -> Writer:
        choice = Choice(version)
        name = plan.choose(self.state, choice).text
        if name not in self.state.versions and not self.state.at(commit(where)):
            number = (("Number", str(self.state.number + 1)),)
            intent = choice.intent(force=False)
            subject = f"Register churn {name}"
            self.write([Draft(Form.REGISTRATION, "churn", commit(where), subject, name, keys=number, intent=intent)])
        return self

    def assign(self, selector: str, stage: str) -> Writer:
        chosen = select.select(self.state, select.parse(selector))
        self.write(plan.assignment(MANIFEST, self.state, chosen, stage, show=nothing))
        return self

    def unassign(self, version: str, stage: str) -> Writer:
        if version in {holding.subject for holding in self.state.holdings.get(stage, ())}:
            self.write([plan.unassignment(self.state, version, stage)])
        return self

    def say(self, form: Form, version: str, *keys: tuple[str, str]) -> Writer:
        there = self.state.versions[version]
        self.write([Draft(form, "churn", there.commit, f"{form.name} {version}", version, keys=keys)])
        return self


def again(base: ArtifactState, writer: Writer, taken: Sequence[str] = ()) -> Replayed:
    rules = Rules(MANIFEST, nothing, writer.intents, taken={*taken, *(e.tag for e in base.events)})
    return replay(base, writer.made, rules, writer.by, lambda _: bytes)


# -- the cases that matter ---------------------------------------------------------------------------------------------


def test_what_follows_what_is_there_stands_as_it_is() -> None:
    base = Writer("ana").register(1)
    writer = Writer("bo", base.state).register(2).assign("churn@v0.0.2", "staging")

    found = again(base.state, writer)

    assert [(step.event, step.laid) for step in found.steps] == [(e, None) for e in writer.made]


def test_a_free_version_takes_the_next_name_and_its_followers_follow() -> None:
    writer = Writer("bo").register(2).assign("churn@v0.0.1", "staging").say(Form.AMENDMENT, "v0.0.1", ("Label", "x"))

    found = again(Writer("ana").register(1).state, writer)

    assert [step.event.tag for step in found.steps] == ["churn@v0.0.2", "churn#staging#3", "churn@v0.0.2=#4"]
    assert found.renamed == {"v0.0.1": "v0.0.2"}
    assert found.state.stages == {"staging": "v0.0.2"}
    assert found.steps[0].event.message.subject == "Register churn v0.0.2"


def test_a_fixed_version_is_withdrawn_with_all_that_needs_it() -> None:
    writer = Writer("bo").register(2, "v1.0.0").assign("churn@v1.0.0", "staging").register(3)

    found = again(Writer("ana").register(1, "v1.0.0").state, writer)

    assert [lost.event.tag for lost in found.withdrawn] == ["churn@v1.0.0", "churn#staging#2"]
    assert [step.event.tag for step in found.steps] == ["churn@v1.0.1"]
    assert "by ana" in found.withdrawn[0].why
    assert "needs churn v1.0.0" in found.withdrawn[1].why


def test_a_version_that_was_withdrawn_there_is_not_promoted_here() -> None:
    base = Writer("ana").register(1)
    writer = Writer("bo", base.state).assign("churn@v0.0.1", "production")
    base.say(Form.DEREGISTRATION, "v0.0.1")

    found = again(base.state, writer)

    assert [lost.why for lost in found.withdrawn] == ["churn v0.0.1 was deregistered"]


def test_what_is_so_already_is_left_out() -> None:
    base = Writer("ana").register(1)
    writer = Writer("bo", base.state).assign("churn@v0.0.1", "staging")
    base.assign("churn@v0.0.1", "staging")

    found = again(base.state, writer)

    assert (found.steps, list(found.done)) == ((), writer.made)


def test_an_exclusive_stage_is_emptied_of_those_that_are_in_it_now() -> None:
    base = Writer("ana").register(1).register(2).register(3).assign("churn@v0.0.1", "production")
    writer = Writer("bo", base.state).assign("churn@v0.0.2", "production")
    base.assign("churn@v0.0.3", "production")

    found = again(base.state, writer)

    assert [h.subject for h in found.state.holdings["production"]] == ["v0.0.2"]
    assert [step.event.one("Version") for step in found.steps] == ["v0.0.3", "v0.0.2"]


def test_another_tools_tag_is_published_as_it_is_and_taken_in() -> None:
    base = Writer("ana").register(1)
    writer = Writer("bo", base.state)
    writer.made = [event("churn@v3.0.0", 5000, commit(9))]

    found = again(base.state, writer)

    assert [step.laid for step in found.steps] == [None]
    assert found.state.latest is not None
    assert found.state.latest.name == "v3.0.0"


def test_a_name_that_is_something_else_there_is_not_taken() -> None:
    writer = Writer("bo").register(2)

    found = again(Writer("ana").state, writer, taken=["churn@v0.0.1"])

    assert [lost.event.tag for lost in found.withdrawn] == ["churn@v0.0.1"]


# -- any history -------------------------------------------------------------------------------------------------------

Act = Callable[[Writer], object]


def _attempted(writer: Writer, act: Act) -> None:
    with suppress(RegistryError, KeyError):  # a rule, or a version that is not there: nothing was written
        act(writer)


versions = st.integers(1, 4).map(lambda n: f"v0.0.{n}")
stages = st.sampled_from(["staging", "production"])
acts: st.SearchStrategy[Act] = st.one_of(
    st.integers(1, 30).map(lambda n: lambda w: w.register(n)),
    st.tuples(st.integers(1, 30), versions).map(lambda x: lambda w: w.register(*x)),
    st.tuples(versions, stages).map(lambda x: lambda w: w.assign(f"churn@{x[0]}", x[1])),
    st.tuples(versions, stages).map(lambda x: lambda w: w.unassign(*x)),
    versions.map(lambda v: lambda w: w.say(Form.DEREGISTRATION, v)),
    versions.map(lambda v: lambda w: w.say(Form.AMENDMENT, v, ("Label", "x"))),
)
histories = st.lists(acts, max_size=12)


@settings(max_examples=400)
@given(histories, histories, histories)
def test_whatever_both_did_one_history_comes_of_it(before: list[Act], theirs: list[Act], ours: list[Act]) -> None:
    there = Writer("ana")
    for act in before:
        _attempted(there, act)
    here = Writer("bo", there.state)
    for writer, done in ((there, theirs), (here, ours)):
        for act in done:
            _attempted(writer, act)

    found = again(there.state, here)

    state = found.state
    # What was published stands, word by word, and first.
    assert list(state.events[: len(there.state.events)]) == list(there.state.events)
    # One chain.
    oids = [event.oid for event in state.events]
    assert [list(e.keys.get("Previous", ())) for e in state.events] == [[], *([oid] for oid in oids[:-1])][: len(oids)]
    # Numbers without a gap, final; one version a commit; one holder of the exclusive stage.
    assert sorted(v.number for v in state.versions.values()) == list(range(1, len(state.versions) + 1))
    assert all(state.versions[v.name].number == v.number for v in there.state.versions.values())
    active = [v.commit for v in state.active]
    assert len(active) == len(set(active))
    assert len(state.holdings.get("production", ())) <= 1
    # No stage holds a model that nobody put there.
    for stage, holders in state.holdings.items():
        for holding in holders:
            meant = {(w.state.versions[v].commit, stage) for w in (there, here) for v, s in _assigned(w) if s == stage}
            assert (state.versions[holding.subject].commit, stage) in meant
    # Each unpublished event has one end, and deciding again changes nothing.
    ended = {lost.event.oid for lost in found.withdrawn} | {one.oid for one in found.done}
    carried = {step.old.oid if step.old is not None else step.event.oid for step in found.steps}
    parts = {oid for oid, intent in here.intents.items() if intent.part}
    assert not ended & carried
    assert {e.oid for e in here.made} - parts <= ended | carried
    fresh = [step.event for step in found.steps]
    settled = replay(there.state, fresh, Rules(MANIFEST, nothing), here.by, lambda _: bytes)
    assert [step.event for step in settled.steps] == fresh


def _assigned(writer: Writer) -> list[tuple[str, str]]:
    return [
        (event.one("Version") or "", str(getattr(event, "stage", "")))
        for event in writer.state.events
        if event.kind == "assignment"
    ]

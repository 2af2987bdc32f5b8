"""What an event meant when it happened: from values alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.facts import StageNow, facts_of, image_name, image_tag, stages_now
from registry.core.names import VERSION_PATTERN, WORD_PATTERN
from tests.story import RepoStory

_names = st.from_regex(re.compile(rf"(?:[a-z_][a-zA-Z._-]{{0,5}}:)?{WORD_PATTERN}", re.ASCII), fullmatch=True)
_versions = st.from_regex(re.compile(VERSION_PATTERN, re.ASCII), fullmatch=True)


@given(_versions, _versions)
def test_an_image_s_tag_is_one_and_no_two_versions_have_the_same(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", image_tag(one))
    assert (image_tag(one) == image_tag(other)) == (one == other)


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("v1.0.0", "v1.0.0"),
        ("v1.0.0-rc.1", "v1.0.0-rc.1"),
        ("v1.0.0+a", "v1.0.0_a"),
        ("v1.0.0-a", "v1.0.0-a"),
        ("", ""),
    ],
)
def test_an_image_s_tag_is_the_version_as_far_as_it_can_be(version: str, tag: str) -> None:
    assert image_tag(version) == tag


def test_long_versions_stay_apart() -> None:
    long = "v1.0.0-" + "x" * 150

    assert len(image_tag(long)) == 128
    assert image_tag(long) != image_tag(f"{long}y")


def test_facts_do_not_change_with_what_comes_later(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn", "production").register("churn", "v2.0.0")
    early = repo.registry.repository.state("churn")
    repo.assign("churn@v2.0.0", "production").unassign("churn@v1.0.0", "production").deregister("churn@v1.0.0")
    repo.registry_at().annotate("churn@v2.0.0", labels=["late"])
    late = repo.registry.repository.state("churn")

    told = [(facts_of(early, event.tag), facts_of(late, event.tag)) for event in early.events]

    assert len(told) == 3
    assert all(then is not None and now is not None and then.to_json() == now.to_json() for then, now in told)
    assert [now.current for _, now in told if now is not None] == [False, False, True]


def test_each_event_of_a_life_is_told(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn", "production").register("churn", "v2.0.0")
    repo.assign("churn@v2.0.0", "production").unassign("churn@v2.0.0", "production").deregister("churn@v2.0.0")
    repo.registry_at().annotate("churn@v1.0.0", labels=["checked"])
    repo.registry_at().deprecate("churn")
    state = repo.registry.repository.state("churn")

    facts = [found for event in state.events if (found := facts_of(state, event.tag)) is not None]

    assert [(one.event.kind, one.version, one.previous, one.number, one.current) for one in facts] == [
        ("registration", "v1.0.0", None, 1, True),
        ("assignment", "v1.0.0", None, 1, True),
        ("registration", "v2.0.0", "v1.0.0", 2, False),
        ("assignment", "v2.0.0", "v1.0.0", 2, False),
        ("unassignment", "v2.0.0", "v2.0.0", 2, True),
        ("deregistration", "v2.0.0", None, 2, True),
        ("amendment", "v1.0.0", None, 1, True),
        ("deprecation", None, None, None, True),
    ]


def test_a_tag_that_is_not_there_has_no_facts(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")

    assert facts_of(repo.registry.repository.state("churn"), "churn@v2.0.0") is None


_parts = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"  # the OCI distribution specification, of repositories' names


@given(_names, _names)
def test_an_image_s_name_is_one_and_no_two_artifacts_have_the_same(one: str, other: str) -> None:
    assert re.fullmatch(f"{_parts}(/{_parts})*", image_name(one))
    assert len(image_name(one)) <= 128
    assert (image_name(one) == image_name(other)) == (one == other)


@pytest.mark.parametrize(
    "others", [("cv:pool", "cv/pool", "cv-pool"), ("Churn", "churn", "CHURN"), ("a" * 200, "a" * 201)]
)
def test_names_that_look_alike_are_images_of_their_own(others: tuple[str, ...]) -> None:
    names = [image_name(name) for name in others]

    assert len(set(names)) == len(names)
    assert all(image_name(name) not in others for name in names if "__" in name)  # so nobody can take one of them


def test_a_version_that_moves_changes_the_stage_that_it_is_in(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production").assign("churn@v1.0.0", "staging").train()
    repo.register("churn", "v1.0.0", force=True).unassign("churn", "staging")
    state = repo.registry.repository.state("churn")
    told = [found for event in state.events[3:] if (found := facts_of(state, event.tag)) is not None]

    stages = stages_now(state, told)

    commit = repo.git("rev-parse", "HEAD")
    assert stages == [
        StageNow("churn", "production", "v1.0.0", commit, "v1.0.0", "churn@v1.0.0#4"),
        StageNow("churn", "staging", None, None, "v1.0.0", "churn#staging!#5"),
    ]


def test_what_held_an_exclusive_stage_before_is_told_though_it_was_unassigned_first(repo: RepoStory) -> None:
    repo.write("registry.yaml", "stages: {production: {exclusive: true}}\nmodels: {churn: {path: models/churn.pkl}}\n")
    repo.commit("One at a time")
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production").train()
    repo.register("churn", "v2.0.0").assign("churn@v2.0.0", "production")
    state = repo.registry.repository.state("churn")

    facts = [found for event in state.events if (found := facts_of(state, event.tag)) is not None]

    assert [(one.event.kind, one.previous) for one in facts[3:]] == [
        ("unassignment", "v1.0.0"),
        ("assignment", "v1.0.0"),
    ]
    [stage] = stages_now(state, facts[4:])
    assert (stage.version, stage.previous) == ("v2.0.0", "v1.0.0")


def test_an_amendment_holds_until_the_version_is_registered_anew(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    repo.registry_at().annotate("churn@v1.0.0", labels=["checked"])
    repo.registry_at().annotate("churn@v1.0.0", metrics={"auc": 0.9})

    def current() -> list[bool]:
        state = repo.registry.repository.state("churn")
        told = [facts_of(state, event.tag) for event in state.events]
        return [one.current for one in told if one is not None]

    assert current() == [True, True, True]
    repo.train()
    repo.register("churn", "v1.0.0", force=True)
    assert current() == [False, False, False, True]

"""The two public registries once more: every verb's answer, what is not there, and the two tools writing in turn."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from registry.core.events import Event
from registry.errors import NotFound
from tests.real.conftest import Rebuilt

Rebuild = Callable[[str], Rebuilt]


@pytest.fixture
def example(rebuild: Rebuild, monkeypatch: pytest.MonkeyPatch) -> Rebuilt:
    """github.com/iterative/example-gto, on the first day of 2026."""
    return _today(rebuild("example-gto"), monkeypatch)


@pytest.fixture
def fashion(rebuild: Rebuild, monkeypatch: pytest.MonkeyPatch) -> Rebuilt:
    """github.com/iterative/demo-fashion-mnist, on the first day of 2026."""
    return _today(rebuild("demo-fashion-mnist"), monkeypatch)


def _today(rebuilt: Rebuilt, monkeypatch: pytest.MonkeyPatch) -> Rebuilt:
    monkeypatch.chdir(rebuilt.story.path)
    rebuilt.story.at("2026-01-01")
    return rebuilt


def at(rebuilt: Rebuilt, start: str) -> str:
    """The commit whose public id begins with `start`."""
    [found] = [here for public, here in rebuilt.commits.items() if public.startswith(start)]
    return found


def event(rebuilt: Rebuilt, artifact: str, tag: str) -> Event:
    """One event as the core sees it."""
    return next(e for e in rebuilt.story.registry.repository.state(artifact).events if e.tag == tag)


def oids(rebuilt: Rebuilt, *tags: str) -> tuple[str, ...]:
    """The tag objects of tags."""
    return tuple(rebuilt.story.git("rev-parse", f"refs/tags/{tag}") for tag in tags)


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("cv-class#dev", "registry assign puts a version into one: none is held"),
        ("segment#prod", "there is dev (v0.4.1)"),
        ("churn@v4", "there is v3.1.0, v3.0.0"),
        ("chrun", "did you mean churn?"),
    ],
)
def test_what_is_not_there_is_told(example: Rebuilt, selector: str, hint: str) -> None:
    with pytest.raises(NotFound) as error:
        example.story.registry.find(selector)

    assert error.value.hint == hint


def test_history_is_in_the_order_of_events(example: Rebuilt) -> None:
    assert [(e.event, e.tag, e.version, e.stage) for e in example.story.registry.history()] == [
        ("registration", "churn@v3.0.0", "v3.0.0", None),
        ("registration", "segment@v0.4.1", "v0.4.1", None),
        ("registration", "cv-class@v0.1.13", "v0.1.13", None),
        ("registration", "churn@v3.1.0", "v3.1.0", None),
        ("assignment", "churn#dev#1", "v3.0.0", "dev"),
        ("assignment", "churn#staging#2", "v3.1.0", "staging"),
        ("assignment", "churn#prod#3", "v3.0.0", "prod"),
        ("assignment", "churn#dev#4", "v3.1.0", "dev"),
        ("assignment", "segment#dev#1", "v0.4.1", "dev"),
    ]
    assert [e.tag for e in example.story.registry.history("churn#dev")] == ["churn#dev#1", "churn#dev#4"]
    assert [e.tag for e in example.story.registry.history("churn@v3.0.0")] == [
        "churn@v3.0.0",
        "churn#dev#1",
        "churn#prod#3",
    ]


def test_check_ref_says_what_a_tag_is(example: Rebuilt) -> None:
    found = example.story.registry.check_ref("refs/tags/churn#dev#4")

    assert (found.event, found.artifact, found.version, found.stage) == ("assignment", "churn", "v3.1.0", "dev")
    assert (found.commit, found.date) == (at(example, "8a1eb65"), "2023-09-04T07:59:49+00:00")
    assert (found.author, found.email, found.signed) == ("tagger-1", "tagger-1@example.com", False)
    assert found.message == found.subject == "Assigning stage dev to artifact churn version v3.1.0"


def test_stages_lists_what_is_where(example: Rebuilt) -> None:
    assert {s.name: s.holders for s in example.story.registry.stages()} == {
        "dev": {"churn": "v3.1.0", "segment": "v0.4.1"},
        "prod": {"churn": "v3.0.0"},
        "staging": {"churn": "v3.1.0"},
    }


def test_every_stage_that_a_version_entered_is_known(example: Rebuilt) -> None:
    conditions = example.story.registry.resolve("churn@v3.0.0").stage_conditions

    assert [(c.stage, c.date) for c in conditions] == [
        ("dev", "2023-09-04T07:55:08+00:00"),
        ("prod", "2023-09-04T07:58:15+00:00"),
    ]


def test_the_command_line_says_the_same(example: Rebuilt) -> None:
    assert example.story.cli("resolve", "churn#prod").out == "v3.0.0\n"
    assert example.story.cli("resolve", "churn#prod", "--commit").out == at(example, "5561a3b") + "\n"
    shown = json.loads(example.story.cli("show", "--json").out)
    assert [(a["name"], a["latest"]) for a in shown["artifacts"]] == [
        ("churn", "v3.1.0"), ("cv-class", "v0.1.13"), ("segment", "v0.4.1"),
    ]  # fmt: skip


def test_what_holds_for_a_version_is_what_its_commit_declares(fashion: Rebuilt) -> None:
    old, new = fashion.story.registry.resolve("test-model@v1.0.0"), fashion.story.registry.resolve("test-model@v1.0.1")

    assert (old.path, old.type) == ("bla", "model")  # in artifacts.yaml then
    assert (new.path, new.type) == (None, "model")  # and declared no more
    [artifact] = fashion.story.registry.show()
    assert (artifact.name, artifact.declared, artifact.path) == ("test-model", False, None)


def test_plain_tags_are_nobodys_events_and_no_mistakes(fashion: Rebuilt) -> None:
    diagnosis = fashion.story.registry.doctor()

    assert (diagnosis.tags, diagnosis.events, diagnosis.artifacts) == (8, 2, 1)
    assert diagnosis.findings == ()
    assert fashion.story.cli("doctor").code == 0
    assert [e.tag for e in fashion.story.registry.history()] == ["test-model@v1.0.1#1", "test-model@v1.0.0#2"]
    with pytest.raises(NotFound, match="not a registry tag"):
        fashion.story.registry.check_ref("init-project")


def test_a_next_version_goes_on_where_gto_stopped(example: Rebuilt) -> None:
    example.story.train()
    example.story.register("churn")

    there = example.story.registry.resolve("churn")
    assert (there.version, there.number, there.tag) == ("v3.1.1", 3, "churn@v3.1.1")
    made = event(example, "churn", "churn@v3.1.1")
    assert made.counter == 5  # one more than churn#dev#4
    assert made.keys["Counter"] == ("5",)
    assert made.keys["Number"] == ("3",)
    # The first event of ours takes in all of GTO's, in their order.
    assert made.keys["Previous"] == oids(
        example, "churn@v3.0.0", "churn@v3.1.0", "churn#dev#1", "churn#staging#2", "churn#prod#3", "churn#dev#4"
    )


def test_an_assignment_goes_on_too_and_names_its_version(example: Rebuilt) -> None:
    example.story.assign("churn@v3.1.0", "prod")
    example.story.assign("churn@v3.0.0", "dev")

    first, second = event(example, "churn", "churn#prod#5"), event(example, "churn", "churn#dev#6")
    assert first.keys["Version"] == ("v3.1.0",)
    assert len(first.keys["Previous"]) == 6
    assert second.keys["Previous"] == (first.oid,)
    assert example.story.registry.find("churn#prod") == "v3.1.0"
    assert example.story.registry.find("churn#dev") == "v3.0.0"
    assert example.story.registry.resolve("churn@v3.0.0").stages == ("dev", "prod")


def test_what_gto_writes_beside_ours_is_taken_in_next(example: Rebuilt) -> None:
    example.story.assign("churn@v3.1.0", "prod")
    example.story.tag("churn#prod#6", "Assigning stage prod to artifact churn", at(example, "5561a3b"))
    example.story.assign("churn@v3.1.0", "qa")

    made = event(example, "churn", "churn#qa#7")
    assert made.keys["Previous"] == oids(example, "churn#prod#5", "churn#prod#6")  # our own tail first
    assert example.story.registry.find("churn#prod") == "v3.0.0"


def test_rollback_and_deregistration_work_on_gtos_tags(example: Rebuilt) -> None:
    example.story.registry_at().rollback("churn", "dev")
    assert example.story.registry.find("churn#dev") == "v3.0.0"

    example.story.deregister("churn@v3.0.0")
    assert example.story.registry.find("churn#dev") == "v3.1.0"
    with pytest.raises(NotFound, match="nothing of churn is in stage prod"):
        example.story.registry.find("churn#prod")
    assert example.story.registry.resolve("churn").number == 2


def test_a_model_at_a_url_is_registered_without_asking_it(example: Rebuilt) -> None:
    example.story.commit("Nothing of it changes", empty=True)
    example.story.register("segment", bump="minor")

    made = event(example, "segment", "segment@v0.5.0")
    assert made.counter == 2
    assert made.keys["Previous"] == oids(example, "segment@v0.4.1", "segment#dev#1")


def test_an_artifact_that_is_declared_no_more_is_not_registered(fashion: Rebuilt) -> None:
    fashion.story.commit("Train", empty=True)
    before = fashion.story.refs()

    with pytest.raises(NotFound, match="no manifest at this commit"):
        fashion.story.register("test-model")
    assert fashion.story.refs() == before

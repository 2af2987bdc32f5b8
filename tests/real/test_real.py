"""What two public registries say, read as they are, and written on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.real.conftest import Rebuilt

Rebuild = Callable[[str], Rebuilt]


@pytest.fixture
def gto(rebuild: Rebuild) -> Rebuilt:
    """The example registry of GTO's documentation: three models, two versions of churn, stages dev, prod, staging."""
    return rebuild("example-gto")


@pytest.fixture
def fashion(rebuild: Rebuild) -> Rebuilt:
    """A demonstration with a model registered in DVC Studio, whose tags have counters, among tags of its own."""
    return rebuild("demo-fashion-mnist")


def test_the_listing(gto: Rebuilt) -> None:
    assert [(a.name, a.type, a.latest, dict(a.stages), a.versions, a.path) for a in gto.story.registry.show()] == [
        ("churn", "model", "v3.1.0", {"dev": "v3.1.0", "prod": "v3.0.0", "staging": "v3.1.0"}, 2, "models/churn.pkl"),
        ("cv-class", "model", "v0.1.13", {}, 1, "s3://mycorp/proj-ml/classif-v2.pt"),
        ("segment", "model", "v0.4.1", {"dev": "v0.4.1"}, 1, "s3://mycorp/proj-ml/segm-model-2022-04-15.pt"),
    ]
    assert [a.updated_at for a in gto.story.registry.show()] == [
        "2023-09-04T07:59:49+00:00",
        "2023-09-04T07:51:57+00:00",
        "2023-09-04T07:59:52+00:00",
    ]


def test_the_versions_of_churn(gto: Rebuilt) -> None:
    old, new = gto.commits.values()

    assert [
        (v.version, v.number, v.commit, v.tag, v.stages, v.registered_at, v.registered_by, v.message)
        for v in gto.story.registry.list_versions("churn")
    ] == [
        ("v3.1.0", 2, new, "churn@v3.1.0", ("dev", "staging"), "2023-09-04T07:53:33+00:00", "tagger-1",
         "Registering artifact churn version v3.1.0"),
        ("v3.0.0", 1, old, "churn@v3.0.0", ("prod", "dev"), "2023-09-04T07:51:53+00:00", "tagger-1",
         "Registering artifact churn version v3.0.0"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("churn", "v3.1.0"), ("churn@latest", "v3.1.0"), ("churn@stable", "v3.1.0"), ("churn@newest", "v3.1.0"),
        ("churn@1", "v3.0.0"), ("churn@v3", "v3.1.0"), ("churn@~3.0.0", "v3.0.0"), ("churn#dev", "v3.1.0"),
        ("churn#staging", "v3.1.0"), ("churn#prod", "v3.0.0"), ("segment#dev", "v0.4.1"), ("cv-class@v0", "v0.1.13"),
    ],
)  # fmt: skip
def test_what_selectors_mean(gto: Rebuilt, selector: str, expected: str) -> None:
    assert gto.story.resolve(selector) == expected


def test_the_history_of_churn(gto: Rebuilt) -> None:
    assert [(e.event, e.version, e.stage, e.tag) for e in gto.story.registry.history("churn")] == [
        ("registration", "v3.0.0", None, "churn@v3.0.0"),
        ("registration", "v3.1.0", None, "churn@v3.1.0"),
        ("assignment", "v3.0.0", "dev", "churn#dev#1"),
        ("assignment", "v3.1.0", "staging", "churn#staging#2"),
        ("assignment", "v3.0.0", "prod", "churn#prod#3"),
        ("assignment", "v3.1.0", "dev", "churn#dev#4"),
    ]


def test_a_tag_by_its_name(gto: Rebuilt) -> None:
    event = gto.story.registry.check_ref("refs/tags/churn#prod#3")

    assert (event.event, event.version, event.stage, event.date) == (
        "assignment", "v3.0.0", "prod", "2023-09-04T07:58:15+00:00",
    )  # fmt: skip


def test_both_are_sound(gto: Rebuilt, fashion: Rebuilt) -> None:
    assert gto.story.registry.doctor().findings == ()
    assert fashion.story.registry.doctor().findings == ()  # cnn, gh-action and the like are nobody's mistake


def test_writing_on_takes_gtos_events_into_the_chain(gto: Rebuilt) -> None:
    story = gto.story
    before = {tag: story.git("rev-parse", f"refs/tags/{tag}") for tag in story.tags if tag.startswith("churn")}
    story.write("dvc.yaml", (story.path / "dvc.yaml").read_text()).write("models/churn.pkl", "weights").commit("Train")
    story.at("2026-01-01").register("churn", bump="minor").assign("churn@v3.2.0", "prod")

    registered, assigned = story.registry.repository.state("churn").events[-2:]
    assert (registered.tag, registered.counter, registered.one("Number")) == ("churn@v3.2.0", 5, "3")
    assert sorted(registered.keys["Previous"]) == sorted(before.values())
    assert (assigned.tag, assigned.keys["Previous"]) == ("churn#prod#6", (registered.oid,))
    assert story.resolve("churn#prod") == "v3.2.0"
    assert [e.tag for e in story.registry.history("churn")][:6] == [
        "churn@v3.0.0", "churn@v3.1.0", "churn#dev#1", "churn#staging#2", "churn#prod#3", "churn#dev#4",
    ]  # fmt: skip


def test_studios_registrations_have_counters(fashion: Rebuilt) -> None:
    found = fashion.story.registry.list_versions("test-model")

    # v1.0.0 was registered last, though it is lower: counters and numbers follow the registrations.
    assert [(v.version, v.number, v.tag) for v in found] == [
        ("v1.0.1", 1, "test-model@v1.0.1#1"),
        ("v1.0.0", 2, "test-model@v1.0.0#2"),
    ]
    assert fashion.story.resolve("test-model@latest") == "v1.0.1"
    assert fashion.story.resolve("test-model@newest") == "v1.0.0"
    assert [e.tag for e in fashion.story.registry.history()] == ["test-model@v1.0.1#1", "test-model@v1.0.0#2"]


def test_a_version_has_the_manifest_of_its_own_commit(fashion: Rebuilt) -> None:
    declared = {v.version: (v.type, v.path) for v in fashion.story.registry.list_versions("test-model")}

    assert declared["v1.0.0"] != declared["v1.0.1"]


def test_writing_on_after_studio(fashion: Rebuilt) -> None:
    story = fashion.story
    story.commit("More", empty=True)
    story.at("2026-01-01").register("test-model", undeclared=True)

    event = story.registry.repository.state("test-model").events[-1]
    assert (event.tag, event.counter, event.one("Number")) == ("test-model@v1.0.2", 3, "3")

"""What a reviewer with fresh eyes found, each as the story in which it went wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from registry import Refused, UsageError, active_run
from tests.story import RepoStory

FORBID = "versions: {overwrite: forbid}\nmodels: {churn: {path: models/churn.pkl}}\n"


def test_an_older_commit_does_not_get_round_a_rule_of_heads(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    old = repo.train()
    repo.write("registry.yaml", FORBID).commit("Forbid")

    with pytest.raises(Refused, match="overwrite: forbid"):
        repo.registry_at().register("churn", old, version="v1.0.0", force=True)


def test_a_coroutine_that_raises_registers_nothing(repo: RepoStory) -> None:
    registry = repo.registry_at()

    @registry.model("churn")
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    @registry.model("churn")
    async def trains() -> None:
        await asyncio.sleep(0)
        active_run().log_metric("auc", 0.9)

    with pytest.raises(ValueError, match="no"):
        asyncio.run(fails())
    assert repo.tags == []
    asyncio.run(trains())
    assert repo.registry.resolve("churn").metadata.metrics == {"auc": 0.9}


def test_a_generator_cannot_be_a_run(repo: RepoStory) -> None:
    with pytest.raises(UsageError, match="generator"):

        @repo.registry.model("churn")
        def steps() -> object:
            yield 1


def test_a_registration_that_takes_over_a_stage_of_gtos_says_so(repo: RepoStory) -> None:
    repo.tag("churn@v1.0.0-rc.1").tag("churn#prod#1")
    repo.register("churn", "v1.0.0", force=True)

    assert "churn#prod is now v1.0.0" in repo.notes


def test_a_broken_manifest_is_not_an_empty_one(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: [").commit("Break")

    for words in (["show"], ["stages"], ["status"]):
        assert "registry.yaml at HEAD cannot be read" in repo.cli(*words).err
    assert "registry.yaml at HEAD cannot be read" in repo.cli("resolve", "churn").err


def test_every_file_that_is_named_is_carried(repo: RepoStory) -> None:
    repo.write("env", "x").commit("Env")
    done = repo.cli("register", "churn", "--artifact", "env", "--artifact", "m=registry.yaml", "--json")
    twice = repo.cli("register", "churn", "--artifact", "e=env", "--artifact", "e=registry.yaml", "--force")

    known = repo.registry.resolve("churn").metadata
    assert done.code == 0
    assert {file.path for file in known.artifacts} == {"models/churn.pkl", "env", "registry.yaml"}
    assert known.other == {"Artifact-Name": ("m=registry.yaml",)}
    assert (twice.code, twice.err.splitlines()[0]) == (2, "error: two files are called e")


def test_versions_compare_by_precedence(repo: RepoStory) -> None:
    for version in ("v1.0.2", "v1.0.10", "v1.0.9"):
        repo.register("churn", version)

    assert [a.latest for a in repo.registry.show(where=["latest>v1.0.9"])] == ["v1.0.10"]
    assert repo.registry.show(where=["latest<v1.0.9"]) == []
    found = repo.registry.show_artifact("churn", where=["version>=v1.0.9"], sort="version").versions
    assert [v.version for v in found] == ["v1.0.9", "v1.0.10"]


def test_an_empty_value_hides_what_the_manifests_file_says(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {path: models/churn.pkl, metrics: m.json}}\n")
    repo.write("m.json", '{"auc": 0.5, "f1": 0.4}').commit("Metrics")
    repo.register("churn", params={"resume": ""})
    repo.registry_at().annotate("churn", metrics={"auc": ""})

    known = repo.registry.resolve("churn").metadata
    assert (known.metrics, known.params) == ({"f1": 0.4}, {"resume": ""})


def test_a_decorated_training_can_run_again(repo: RepoStory) -> None:
    registry = repo.registry_at()
    repo.write("models/churn.pkl", "weights 2")

    @registry.model("churn", version="v1.0.5")
    def train(auc: float) -> None:
        active_run().log_metric("auc", auc)
        active_run().log_artifact("models/churn.pkl")

    train(0.8)
    train(0.9)
    assert repo.registry.resolve("churn@v1.0.5").metadata.metrics == {"auc": 0.9}

    repo.write("models/churn.pkl", "weights 3")
    with pytest.raises(Refused, match="is another"):
        train(1.0)


def test_an_inner_run_may_commit_the_file_that_the_outer_one_logged(repo: RepoStory) -> None:
    repo.write("models/churn.pkl", "weights 2")
    registry = repo.registry_at()
    with registry.promote("churn") as outer:
        outer.log_artifact("models/churn.pkl")
        with registry.promote("churn") as inner:
            inner.log_artifact("models/churn.pkl")

    assert repo.tags == ["churn@v0.0.1"]
    assert outer.version.version == inner.version.version


def test_what_is_changed_in_the_work_tree_is_told(repo: RepoStory) -> None:
    repo.write("models/churn.pkl", "weights 2").register("churn")

    assert repo.notes == ["models/churn.pkl is changed in the work tree; what HEAD has is registered"]


@pytest.mark.parametrize(
    "said",
    [
        {"labels": "prod"}, {"uses": "churn@latest"}, {"artifacts": "registry.yaml"}, {"run": 5}, {"message": 3},
        {"metrics": [("a", 1)]}, {"metrics": {1: 1}}, {"version": 1}, {"labels": [1]}, {"pre": 2}, {"bump": "most"},
    ],
)  # fmt: skip
def test_arguments_of_another_kind_are_refused(repo: RepoStory, said: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        repo.registry_at().register("churn", **said)  # type: ignore[arg-type]  # that is the point

    assert repo.tags == []


def test_flags_that_exclude_each_other(repo: RepoStory) -> None:
    assert repo.cli("register", "churn", "--major", "--minor").code == 2
    assert repo.cli("resolve", "churn", "--tag", "--commit").code == 2


def test_a_repository_behind_a_link(repo: RepoStory, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(repo.path)

    done = repo.cli("register", "churn", "--artifact", str(link / "registry.yaml"), cwd=link)

    assert (done.code, done.err) == (0, "")


def test_a_promotion_says_what_an_assignment_by_hand_says(repo: RepoStory) -> None:
    repo.write(
        "registry.yaml",
        "models: {churn: {path: models/churn.pkl, assign: {staging: v9.0.0}}}\n",
    ).commit("Rules")
    with repo.registry_at().promote("churn", stage="staging"):
        pass

    assert repo.notes == ["registry.yaml wants v9.0.0 in staging: the next apply undoes this"]

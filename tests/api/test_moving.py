"""Several stages at once, all of a stage, an entry that changes, and work on a repository without a work tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from registry import Registry
from registry.errors import GitFailed, ManifestError, NotFound, Refused, Taken
from tests.story import RepoStory


def events(repo: RepoStory, selector: str) -> list[tuple[str, str | None]]:
    """What happened, and to which version."""
    return [(one.event, one.version) for one in repo.registry.history(selector)]


def test_a_version_moves_from_stage_to_stage_in_one_step(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn", "staging")

    made = repo.registry_at().move("churn", "production", out_of=["staging", "shadow"], reason="Tests passed")

    assert [one.event for one in made.events] == ["unassignment", "assignment"]
    assert {one.reason for one in made.events} == {"Tests passed"}
    assert repo.registry.get_version("churn", "production").stages == ("production",)


def test_alone_in_a_stage_whoever_was_there_before(repo: RepoStory) -> None:
    for version in ("v1.0.0", "v2.0.0", "v3.0.0"):
        repo.register("churn", version)
    repo.assign("churn@v1.0.0", "production").assign("churn@v2.0.0", "production")

    repo.registry_at().move("churn@v3.0.0", "production", alone=True, others_into="archived")

    assert events(repo, "churn#production")[-3:] == [
        ("unassignment", "v1.0.0"),
        ("unassignment", "v2.0.0"),
        ("assignment", "v3.0.0"),
    ]
    assert [one.stages for one in repo.registry.list_versions("churn")] == [
        ("production",),
        ("archived",),
        ("archived",),
    ]
    assert repo.resolve("churn#archived") == "v2.0.0"


def test_who_is_there_already_is_left_alone_by_itself(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0")
    repo.assign("churn@v1.0.0", "production").assign("churn@v2.0.0", "production")

    assert len(repo.registry_at().move("churn@v2.0.0", "production", alone=True).events) == 1
    assert repo.registry_at().move("churn@v2.0.0", "production", alone=True).events == ()
    assert repo.registry.list_versions("churn")[1].stages == ()


def test_a_rule_that_stops_one_part_of_a_move_stops_all_of_it(repo: RepoStory) -> None:
    repo.write("registry.yaml", "stages: {dev: {}, qa: {}, prod: {after: qa}}\nmodels: {churn: {}}\n").commit("Rules")
    repo.register("churn", "v1.0.0").assign("churn", "dev")
    before = repo.refs()

    with pytest.raises(Refused):
        repo.registry_at().move("churn", "prod", out_of=["dev"])
    assert repo.refs() == before


def test_everyone_leaves_a_stage(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0")
    repo.assign("churn@v1.0.0", "production").assign("churn@v2.0.0", "production")

    repo.unassign("churn", "production", everyone=True)

    assert [one.stages for one in repo.registry.list_versions("churn")] == [(), ()]
    with pytest.raises(NotFound, match="nothing of churn is in stage production"):
        repo.unassign("churn", "production", everyone=True)


def test_the_versions_of_everything(repo: RepoStory) -> None:
    repo.register("fraud", "v2.0.0", undeclared=True).register("churn", "v1.0.0").register(
        "fraud", "v1.0.0", undeclared=True
    )

    found = [(one.artifact, one.version) for one in repo.registry.list_versions()]
    assert found == [("churn", "v1.0.0"), ("fraud", "v2.0.0"), ("fraud", "v1.0.0")]


def test_an_entry_changes_and_everything_around_it_stays(repo: RepoStory) -> None:
    text = "models:\n  # who leaves\n  churn:\n    path: models/churn.pkl  # pickled\n    labels: [a]\n  fraud: {}\n"
    repo.write("registry.yaml", text).commit("Entries")

    changed = repo.registry.change("churn", commit=True, description="Who leaves", labels=None)

    assert changed.commit == repo.git("rev-parse", "HEAD")
    after = text.replace("    labels: [a]\n", "    description: Who leaves\n")
    assert (repo.path / "registry.yaml").read_text() == after
    repo.registry.change("fraud", metadata={"team": "risk"})
    assert repo.git("status", "--porcelain") == " M registry.yaml"
    assert repo.registry.check() == []
    with pytest.raises(ManifestError, match=r"chrun is not declared"):
        repo.registry.change("chrun", description="x")


def test_work_on_a_bare_repository_is_done_in_a_clone_and_pushed(repo: RepoStory, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(repo.path), str(bare)], check=True)
    for key, value in (("user.name", "Bo"), ("user.email", "bo@example.com")):
        subprocess.run(["git", "-C", str(bare), "config", key, value], check=True)
    registry = Registry(bare)

    def work(there: Registry) -> str:
        there.add("fraud", commit=True)
        return there.register("fraud", version="v1.0.0").version

    assert registry.at_work(work) == "v1.0.0"
    assert registry.find("fraud") == "v1.0.0"
    assert "fraud" in registry.repository.manifest_at_head.artifacts
    assert registry.repository.commit("HEAD") == registry.resolve("fraud").commit

    (bare / "hooks" / "update").write_text("#!/bin/sh\n[ $1 != refs/heads/main ]\n")
    (bare / "hooks" / "update").chmod(0o755)
    with pytest.raises(GitFailed, match=r"main of .* cannot be pushed to: .*hook declined"):
        registry.at_work(lambda there: there.remove("fraud", commit=True))

    def more(there: Registry) -> None:
        there.add("churn2", commit=True)
        there.register("churn2")

    with pytest.raises(Refused, match="hook declined"):
        registry.at_work(more)
    assert not registry.repository.state("churn2").exists  # branch and tags, or nothing


def test_a_version_is_taken_by_nobody_who_wants_a_new_one(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").deregister("churn@v1.0.0")

    with pytest.raises(Taken, match=r"churn v1\.0\.0 has been registered before"):
        repo.registry.register("churn", version="v1.0.0", unused=True, force=True)
    with (
        pytest.raises(Taken, match=r"churn v1\.0\.0 has been registered before"),
        repo.registry.promote("churn", version="v1.0.0", unused=True),
    ):
        pass


def test_work_where_there_is_a_work_tree_is_done_there(repo: RepoStory) -> None:
    registry = repo.registry
    assert registry.at_work(lambda there: there) is registry

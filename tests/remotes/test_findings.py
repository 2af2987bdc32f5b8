"""What reviewers found: deleted tags, tags in the way, clones of other kinds, odd remotes, a stranger's settings."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.plumbing import remote
from registry.plumbing.remote import Fate
from tests.remotes.story import MANIFEST, refs, run, said, tags, train
from tests.story import RepoStory


@dataclass
class Hub:
    """A bare repository beside its clones: no server, for none of these stories is about the transport."""

    path: Path

    def clone(self, who: str, *options: str) -> RepoStory:
        """One clone more."""
        story = RepoStory(self.path.parent / who)
        git(self.path.parent, "clone", "-q", *options, self.path.as_uri(), str(story.path))
        story.git("config", "user.name", who)
        story.git("config", "user.email", f"{who}@example.com")
        return story

    @property
    def tags(self) -> list[str]:
        """The names of its tags."""
        return sorted(tags(self.path))


def git(where: Path, *words: str) -> None:
    """Run git."""
    identity = ("-c", "user.name=Admin", "-c", "user.email=admin@example.com")
    subprocess.run(["git", "-C", str(where), *identity, *words], check=True, capture_output=True)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A hub with one commit on main that declares churn."""
    first = RepoStory.begin(tmp_path / "first")
    first.write("registry.yaml", MANIFEST).write("models/churn.pkl", "weights 1\n").commit("Declare churn")
    git(tmp_path, "clone", "-q", "--bare", str(first.path), str(tmp_path / "hub.git"))
    return Hub(tmp_path / "hub.git")


@pytest.fixture
def ana(hub: Hub) -> RepoStory:
    """Ana's clone, with churn v0.0.1 and v0.0.2 published."""
    story = hub.clone("ana")
    run(story, "register", "churn", "--push")
    run(train(story), "register", "churn", "--push")
    return story


# -- tags that were deleted at the remote ------------------------------------------------------------------------------


def test_a_tag_that_only_git_brought_here_does_not_come_back(hub: Hub, ana: RepoStory) -> None:
    bo = hub.clone("bo")
    run(ana, "delete", "churn@v0.0.2", "--push", "--yes")

    run(bo, "annotate", "churn@v0.0.1", "--label", "x", "--push")
    run(bo, "push")

    assert "churn@v0.0.2" not in hub.tags
    assert said(bo, "status")["remote"]["deleted"] == ["churn@v0.0.2"]


def test_of_a_chain_that_was_deleted_no_event_comes_back(hub: Hub, ana: RepoStory) -> None:
    run(ana, "assign", "churn", "staging", "--push")
    bo = hub.clone("bo")
    run(ana, "delete", "churn@v0.0.2", "churn#staging#3", "--push", "--yes")

    assert run(bo, "push") == []

    assert hub.tags == ["churn@v0.0.1"]


@pytest.mark.parametrize("change", ["set-url", "rename"])
def test_a_remote_by_another_name_or_url_gets_nothing_back(hub: Hub, ana: RepoStory, change: str) -> None:
    bo = hub.clone("bo")
    run(bo, "fetch")
    run(ana, "delete", "churn@v0.0.2", "--push", "--yes")
    run(bo, "fetch")
    bo.git("remote", change, "origin", str(hub.path) if change == "set-url" else "up")

    run(bo, "push")

    assert hub.tags == ["churn@v0.0.1"]


def test_who_has_only_looked_at_the_remote_s_tags_is_told_so(hub: Hub, ana: RepoStory) -> None:
    bo = train(hub.clone("bo", "--no-tags"))
    run(bo, "status")

    resolved = bo.cli("resolve", "churn")
    run(bo, "register", "churn")

    assert "the tags of origin are not in this clone; registry fetch brings them" in resolved.err
    assert resolved.code == 1
    assert list(tags(bo.path)) == [*hub.tags, "churn@v0.0.3"]


def test_what_the_remote_never_had_was_not_deleted_there(hub: Hub, ana: RepoStory) -> None:
    ana.git("tag", "churn@v9.0.0")
    run(train(ana), "register", "churn")

    found = said(ana, "status")["remote"]

    assert (found["deleted"], found["unpublished"]) == ([], ["churn@v0.0.3"])


# -- tags that stand in the way ----------------------------------------------------------------------------------------


def test_a_tag_in_the_way_of_one_artifact_costs_no_other_one(hub: Hub, ana: RepoStory) -> None:
    bo = hub.clone("bo", "--no-tags")
    bo.git("tag", "rel")
    run(ana, "register", "rel/m", "--undeclared", "--push")

    done = bo.cli("fetch")

    assert (done.code, done.out.split()) == (0, ["churn@v0.0.1", "churn@v0.0.2"])
    assert "rel/m@v0.0.1 is left out" in done.err
    assert sorted(bo.tags) == ["churn@v0.0.1", "churn@v0.0.2", "rel"]


# -- clones of other kinds ---------------------------------------------------------------------------------------------


def test_a_clone_of_a_single_branch_says_that_tags_may_be_missing(hub: Hub) -> None:
    ana = hub.clone("ana")
    run(ana, "register", "churn", "--push")
    ana.git("checkout", "-q", "-b", "dev")
    run(train(ana), "register", "churn", "--push")
    ana.git("push", "-q", "origin", "dev")
    bo = hub.clone("bo", "--single-branch", "-b", "main")
    assert bo.tags == ["churn@v0.0.1"]

    assert "other branches" in bo.cli("show", "churn").err
    assert run(train(bo), "register", "churn") == ["churn@v0.0.3"]

    assert "other branches" not in bo.cli("show", "churn").err


def test_a_write_that_insisted_does_not_make_a_clone_without_tags_complete(hub: Hub, ana: RepoStory) -> None:
    bo = train(hub.clone("bo", "--no-tags"))
    run(bo, "register", "churn", "--offline")

    assert "never fetched" in bo.cli("show", "churn").err
    run(bo, "fetch")
    assert "never fetched" not in bo.cli("show", "churn").err


@pytest.mark.parametrize("options", [[], ["--bare"], ["--mirror"]], ids=str)
def test_a_clone_that_has_all_tags_is_not_warned(hub: Hub, ana: RepoStory, options: list[str]) -> None:
    assert hub.clone("bo", *options).cli("show", "churn").err == ""


def test_the_registry_head_of_a_bare_repository_follows_what_it_fetches(hub: Hub, ana: RepoStory) -> None:
    middle = hub.clone("middle.git", "--bare")
    run(train(ana), "register", "churn", "--push")
    run(ana, "assign", "churn", "staging", "--push")

    assert run(middle, "fetch") == ["churn#staging#4", "churn@v0.0.3"]

    assert refs(middle.path)["refs/registry/churn@head"] == tags(hub.path)["churn#staging#4"]


@pytest.mark.parametrize("name", ["origin", "a=b.c"])
def test_a_mirror_publishes(hub: Hub, ana: RepoStory, name: str) -> None:
    mirror = hub.clone("mirror.git", "--mirror", "--origin", name)

    run(mirror, "assign", "churn", "production", "--push")

    assert "churn#production#3" in hub.tags
    assert mirror.git("config", f"remote.{name}.mirror") == "true"


# -- remotes -----------------------------------------------------------------------------------------------------------


def test_remotes_whose_names_go_on_after_a_slash_share_nothing(hub: Hub, ana: RepoStory, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--mirror", str(hub.path), "other.git")
    ana.git("remote", "add", "a", str(hub.path))
    ana.git("remote", "add", "a/tags", str(tmp_path / "other.git"))
    git(tmp_path / "other.git", "tag", "-d", "churn@v0.0.2")

    run(ana, "fetch", "--remote", "a")
    run(ana, "fetch", "--remote", "a/tags")

    whole = said(ana, "status", "--offline", "--remote", "a")["remote"]
    assert (whole["unpublished"], whole["remote_only"], whole["deleted"]) == ([], [], [])
    assert {remote.of_clone(name).tags for name in ("a%2Fb", "a/b")} == {
        "refs/registry-remote/a%252Fb/tags/",
        "refs/registry-remote/a%2Fb/tags/",
    }


def test_a_ref_that_has_gone_at_a_newer_git_is_a_lost_race() -> None:
    line = "!\tabc:refs/registry/churn@head\t[remote rejected] (reference does not exist)"

    assert remote._pushed(line).fate is Fate.LOST


# -- status ------------------------------------------------------------------------------------------------------------


def test_a_tag_that_moved_at_the_remote_is_taken_as_status_says(hub: Hub, ana: RepoStory) -> None:
    git(hub.path, "tag", "-f", "-a", "-m", "moved", "churn@v0.0.1", "main")
    done = ana.cli("status")
    assert "churn@v0.0.1: another tag at origin" in done.out
    assert "registry delete TAG --yes, then registry fetch" in done.err
    assert "registry push" not in done.err

    run(ana, "delete", "churn@v0.0.1", "--yes")
    run(ana, "fetch")

    assert tags(ana.path)["churn@v0.0.1"] == tags(hub.path)["churn@v0.0.1"]
    assert said(ana, "status")["remote"]["differing"] == []


def test_a_lightweight_tag_of_a_checkout_is_replaced_as_status_says(hub: Hub, ana: RepoStory) -> None:
    bo = hub.clone("bo", "--no-tags")
    bo.git("tag", "churn@v0.0.1")
    done = bo.cli("status")
    assert "registry delete TAG --yes, then registry fetch" in done.err

    run(bo, "delete", "churn@v0.0.1", "--yes")
    run(bo, "fetch")

    assert tags(bo.path) == tags(hub.path)


def test_a_version_made_twice_is_settled_by_a_push_as_status_says(hub: Hub, ana: RepoStory) -> None:
    bo = hub.clone("bo")
    train(bo).register("churn")
    run(train(ana), "register", "churn", "--push")
    done = bo.cli("status")
    assert "churn@v0.0.3: made here, and another tag at origin" in done.out
    assert "registry push settles it" in done.err

    run(bo, "push")

    assert said(bo, "status")["remote"]["differing"] == []
    assert "churn@v0.0.4" in hub.tags


def test_status_says_in_json_why_the_remote_was_not_asked(hub: Hub, ana: RepoStory) -> None:
    assert said(ana, "status")["remote"]["unasked"] is None
    hub.path.rename(hub.path.with_name("gone"))

    assert "hub.git" in said(ana, "status")["remote"]["unasked"]


# -- names that are none -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["fetch", "push"])
def test_a_name_that_is_nowhere_is_a_mistake(hub: Hub, ana: RepoStory, verb: str) -> None:
    done = ana.cli(verb, "chrun")

    assert (done.code, done.err) == (1, "error: no artifact is called chrun\nhint: did you mean churn?\n")


@pytest.mark.parametrize("verb", ["fetch", "push"])
def test_a_name_that_only_the_remote_has_is_known(hub: Hub, ana: RepoStory, verb: str) -> None:
    bo = hub.clone("bo")
    run(ana, "register", "other", "--undeclared", "--push")

    run(bo, verb, "other")
    run(bo, verb, "fraud")  # declared, without a version

    assert "other@v0.0.1" in bo.tags


# -- a stranger's repository -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["remote.origin.uploadpack", "core.sshCommand", "core.alternateRefsCommand"])
def test_status_does_not_ask_where_the_repository_names_a_program(hub: Hub, ana: RepoStory, setting: str) -> None:
    ana.git("config", setting, "git-upload-pack")

    done = ana.cli("status")

    assert done.code == 0
    assert "registry fetch asks all the same" in done.err
    if "uploadpack" in setting:
        assert run(ana, "fetch") == []


@pytest.mark.parametrize("where", ["hooks", "elsewhere"])
def test_status_asks_and_runs_no_hook(hub: Hub, ana: RepoStory, where: str) -> None:
    bo = hub.clone("bo")
    run(train(ana), "register", "churn", "--push")
    hook = bo.path / ".git" / where / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {bo.path}/ran\n")
    hook.chmod(0o755)
    bo.git("config", "core.hooksPath", str(hook.parent))
    bo.git("-c", "core.hooksPath=/dev/null", "update-ref", "refs/registry-remote/origin/tags/x@v1", "HEAD")

    assert said(bo, "status")["remote"]["remote_only"] == ["churn@v0.0.3"]

    assert not (bo.path / "ran").exists()
    run(bo, "fetch")
    assert (bo.path / "ran").exists()


def test_status_does_not_mend_what_a_journal_says(hub: Hub, ana: RepoStory) -> None:
    (ana.path / ".git/registry/journal").write_text('{"changes": [], "git_dir": "", "root": ""}')

    found = said(ana, "status")

    assert found["interrupted"] is True
    assert "interrupted" in found["remote"]["unasked"]
    assert (ana.path / ".git/registry/journal").exists()

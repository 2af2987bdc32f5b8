"""What else a publisher meets: versions made from versions, runs, servers that move, fetches that were cut off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry import Refused, Registry
from tests.remotes.story import Clones, refs, run, said, standing, tags, train
from tests.servers import GitServer
from tests.story import RepoStory


@pytest.fixture
def shared(clones: Clones) -> tuple[RepoStory, RepoStory]:
    """Ana's clone and Bo's, where churn v0.0.1 is published."""
    ana, bo = clones.two()
    run(ana, "register", "churn", "--push")
    run(bo, "fetch")
    return ana, bo


# -- versions that were made from versions -----------------------------------------------------------------------------


def test_what_a_version_was_made_from_is_published_with_it(clones: Clones) -> None:
    ana, _ = clones.two()
    ana.register("fraud")

    run(ana, "register", "churn", "--uses", "fraud@v0.0.1", "--push")

    assert sorted(clones.server_tags()) == ["churn@v0.0.1", "fraud@v0.0.1"]


def test_a_version_that_is_renamed_is_renamed_where_others_name_it(clones: Clones) -> None:
    ana, bo = clones.two()
    run(ana, "register", "fraud", "--push")
    train(bo).register("fraud").register("churn", uses=["fraud@v0.0.1"])

    run(bo, "push", "fraud")

    assert said(bo, "resolve", "churn")["metadata"]["uses"] == ["fraud@v0.0.2"]
    assert sorted(clones.server_tags()) == ["churn@v0.0.1", "fraud@v0.0.1", "fraud@v0.0.2"]
    clones.check_no_clone_has_more()


# -- the same words, another model -------------------------------------------------------------------------------------


def test_a_promotion_never_means_another_model_than_the_one_here(shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    train(bo).register("churn", "v1.0.0")
    run(train(ana), "register", "churn", "--version", "v1.0.0", "--push")

    done = bo.cli("assign", "churn@v1.0.0", "production", "--push")

    assert done.code == 1
    assert "v1.0.0" in done.err
    assert not [name for name in tags(ana.path) if "#production" in name]


def test_a_version_that_follows_a_rename_is_promoted_under_its_new_name(
    clones: Clones, shared: tuple[RepoStory, RepoStory]
) -> None:
    ana, bo = shared
    train(bo).register("churn")
    commit = bo.git("rev-parse", "HEAD")
    run(train(ana), "register", "churn", "--push")

    run(bo, "assign", "churn@v0.0.2", "production", "--push")

    found = said(bo, "resolve", "churn#production")
    assert (found["version"], found["commit"]) == ("v0.0.3", commit)
    clones.check_chain()


def test_a_version_that_another_moved_by_force_is_not_promoted(shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    run(train(ana), "register", "churn", "--version", "v0.0.1", "--force", "--push")

    done = bo.cli("assign", "churn@v0.0.1", "production", "--push")

    assert done.code == 1
    assert "here, and is" in done.err


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_is_published_under_the_name_that_is_free(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    run(train(ana), "register", "churn", "--push")
    notes: list[str] = []
    bo.write("models/churn.pkl", "weights of Bo\n")

    with Registry(bo.path, on_note=notes.append).promote("churn", stage="staging", push=True) as promoted:
        promoted.log_artifact(bo.path / "models/churn.pkl")

    assert promoted.version.version == "v0.0.3"
    assert promoted.version.commit == bo.git("rev-parse", "HEAD")
    assert said(ana, "fetch")["tags"] == ["churn#staging#4", "churn@v0.0.3"]
    clones.check_chain()


def test_a_run_whose_version_is_taken_says_so(shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    run(train(ana), "register", "churn", "--version", "v2.0.0", "--push")
    bo.write("models/churn.pkl", "weights of Bo\n")
    registry = Registry(bo.path, on_note=lambda _: None)

    with pytest.raises(Refused, match="could not be published"):  # noqa: SIM117  (the run ends inside)
        with registry.promote("churn", version="v2.0.0", push=True) as promoted:
            promoted.log_artifact(bo.path / "models/churn.pkl")

    assert (bo.path / "models/churn.pkl").read_text() == "weights of Bo\n"


# -- servers and fetches -----------------------------------------------------------------------------------------------


def test_another_server_is_published_to_as_if_nothing_had_been_published(
    shared: tuple[RepoStory, RepoStory], git_server: GitServer
) -> None:
    ana, _ = shared
    run(ana, "assign", "churn", "staging", "--push")
    url = git_server.create("new.git")
    ana.git("remote", "set-url", "origin", url)
    ana.git("push", "-q", "origin", "main")

    run(ana, "push")

    assert sorted(tags(git_server.path("new.git"))) == ["churn#staging#2", "churn@v0.0.1"]


def test_a_lock_that_a_killed_fetch_left_is_no_obstacle(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    run(train(ana), "register", "churn", "--push")
    lock = bo.path / ".git/refs/registry-remote/origin/tags/churn@v0.0.2.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()

    assert run(bo, "fetch") == ["churn@v0.0.2"]

    assert not lock.exists()


def test_a_tag_deleted_while_a_fetch_was_cut_off_does_not_come_back(
    clones: Clones, shared: tuple[RepoStory, RepoStory]
) -> None:
    ana, bo = shared
    run(train(ana), "register", "churn", "--push")
    run(bo, "fetch")
    clones.delete_tag("churn@v0.0.2")
    # Git had pruned the tag when its parent was killed, which had written down what was there before.
    file = bo.path / ".git/registry/remotes"
    known = json.loads(file.read_text())
    known["origin"]["before"] = {"churn@v0.0.2": tags(bo.path)["churn@v0.0.2"]}
    file.write_text(json.dumps(known))
    bo.git("update-ref", "-d", "refs/registry-remote/origin/tags/churn@v0.0.2")

    run(bo, "push")

    assert "churn@v0.0.2" not in clones.server_tags()
    assert standing(bo)["unpublished"] == []


def test_a_tag_whose_name_goes_on_where_another_ended_is_fetched(shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    ana.git("tag", "-a", "-m", "x", "churn#eu")
    ana.git("push", "-q", "origin", "churn#eu")
    run(bo, "fetch")
    ana.git("push", "-q", "origin", ":refs/tags/churn#eu")
    ana.git("tag", "-d", "churn#eu")
    bo.git("tag", "-d", "churn#eu")
    run(ana, "assign", "churn", "eu/prod", "--push")

    assert run(bo, "fetch") == ["churn#eu/prod#2"]


def test_what_clones_keep_is_harmless_when_it_is_damaged(shared: tuple[RepoStory, RepoStory]) -> None:
    _, bo = shared
    train(bo).register("churn")
    for name in ("intents", "remotes"):
        (bo.path / ".git/registry" / name).write_bytes(b"\xff{[\n")

    assert run(bo, "push") == ["churn@v0.0.2"]


def test_a_dry_run_asks_nobody(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    _, bo = shared
    before = refs(bo.path), clones.server_refs()
    bo.git("remote", "set-url", "origin", "http://127.0.0.1:9/gone.git")

    assert run(train(bo), "register", "churn", "--push", "--dry-run") == ["churn@v0.0.2"]

    after = {name: oid for name, oid in refs(bo.path).items() if not name.startswith("refs/heads/")}
    assert (after, clones.server_refs()) == (
        {name: oid for name, oid in before[0].items() if not name.startswith("refs/heads/")},
        before[1],
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["push", "--remote", "nowhere"], "there is no remote nowhere"),
        (["fetch", "a b"], "not a name"),
        (["register", "churn", "--push", "--offline"], "exclude each other"),
    ],
)
def test_mistakes_get_one_line(shared: tuple[RepoStory, RepoStory], words: list[str], expected: str) -> None:
    done = shared[0].cli(*words)

    assert done.code in {1, 2}
    assert expected in done.err.splitlines()[0]


def test_without_a_remote_there_is_one_line_and_a_hint(repo: RepoStory, tmp_path: Path) -> None:
    done = repo.cli("push")

    assert done.code == 1
    assert done.err == "error: this repository has no remote\nhint: git remote add origin URL adds one\n"

"""A manifest that is changed and committed in one step: that change alone, whatever else is being written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import ManifestError, Refused, Registry
from registry.errors import GitFailed
from registry.manifests.edit import Declared
from tests.story import RepoStory

HEAD = "# Ours\nmodels:\n  m:\n    metadata:\n      team: red  # for now\n"


@pytest.fixture
def mine(repo: RepoStory) -> RepoStory:
    """A manifest at HEAD, and the user's unfinished edit of it."""
    repo.write("registry.yaml", HEAD).commit("Declared")
    repo.write("registry.yaml", f"{HEAD}      tier: '1'\n    assign: {{production: v0.0.1}}\n")
    return repo


def at_head(repo: RepoStory) -> str:
    return repo.git("show", "HEAD:registry.yaml") + "\n"


def in_work_tree(repo: RepoStory) -> str:
    return (repo.path / "registry.yaml").read_text()


def test_a_change_is_committed_without_what_the_user_has_not_finished(mine: RepoStory) -> None:
    mine.registry.change("m", commit=True, description="Who leaves", **{"metadata.owner": "Bo"})

    more = "      owner: Bo\n    description: Who leaves\n"
    assert at_head(mine) == f"{HEAD}{more}"
    unfinished = "      tier: '1'\n      owner: Bo\n    assign: {production: v0.0.1}\n    description: Who leaves\n"
    assert in_work_tree(mine) == f"{HEAD}{unfinished}"
    assert mine.git("diff", "--cached", "--name-only") == ""


def test_what_the_user_says_otherwise_is_not_overwritten(mine: RepoStory) -> None:
    mine.write("registry.yaml", HEAD.replace("red", "blue"))
    before = mine.refs(), in_work_tree(mine)

    with pytest.raises(ManifestError, match=r"another metadata\.team in the work tree than at HEAD"):
        mine.registry.change("m", commit=True, **{"metadata.team": "green"})

    assert (mine.refs(), in_work_tree(mine)) == before


def test_an_entry_is_added_and_taken_out_around_an_unfinished_one(mine: RepoStory) -> None:
    unfinished = in_work_tree(mine)
    mine.registry.add("fraud", commit=True, description="Who steals")
    assert at_head(mine) == f"{HEAD}  fraud:\n    description: Who steals\n"

    mine.registry.remove("fraud", commit=True)
    assert (at_head(mine), in_work_tree(mine)) == (HEAD, unfinished)


def test_an_entry_that_is_being_changed_is_not_taken_out(mine: RepoStory) -> None:
    before = mine.refs(), in_work_tree(mine)
    with pytest.raises(ManifestError, match="otherwise in the work tree"):
        mine.registry.remove("m", commit=True)
    assert (mine.refs(), in_work_tree(mine)) == before


def test_an_entry_that_waits_in_the_work_tree_is_committed_but_not_what_it_asks_for(mine: RepoStory) -> None:
    mine.write("f.pkl", "weights").write("other.pkl", "weights")
    text = f"{HEAD}  fraud:\n    path: f.pkl\n    assign: {{production: v0.0.1}}\n"
    mine.write("registry.yaml", text)
    with pytest.raises(Declared):
        mine.registry.add("fraud", commit=True, path="other.pkl")

    mine.registry.add("fraud", commit=True, description="Who steals")

    assert at_head(mine) == f"{HEAD}  fraud:\n    path: f.pkl\n    description: Who steals\n"
    assert in_work_tree(mine) == f"{text}    description: Who steals\n"


def test_a_manifest_that_head_has_not_is_committed_whole(repo: RepoStory) -> None:
    repo.git("rm", "-q", "--cached", "registry.yaml")
    repo.git("commit", "-q", "-m", "Nothing is declared")
    repo.write("registry.yaml", "stages: {production: {}}\n")
    repo.registry.add("fraud", commit=True)
    assert at_head(repo) == in_work_tree(repo) == "stages: {production: {}}\n\nmodels:\n  fraud: {}\n"


def test_what_is_staged_alone_is_not_buried(mine: RepoStory) -> None:
    mine.git("add", "registry.yaml")
    mine.write("registry.yaml", HEAD + "# another thought\n")
    with pytest.raises(Refused, match="staged otherwise"):
        mine.registry.change("m", commit=True, description="x")
    assert mine.git("show", ":registry.yaml").endswith("assign: {production: v0.0.1}")


def test_a_manifest_that_is_deleted_in_the_work_tree_stays_so(mine: RepoStory) -> None:
    (mine.path / "registry.yaml").unlink()
    mine.registry.add("fraud", commit=True)
    assert "fraud" in at_head(mine)
    assert mine.git("status", "--porcelain") == " D registry.yaml"


def test_what_cannot_be_committed_leaves_nothing_behind(mine: RepoStory) -> None:
    hook = mine.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\n[ "$1" = prepared ] && ! grep -q refs/heads/\n')
    hook.chmod(0o755)
    before = mine.refs(), in_work_tree(mine)
    writes: list[Callable[[], object]] = [
        lambda: mine.registry.add("fraud", commit=True),
        lambda: mine.registry.change("m", commit=True, description="x"),
        lambda: mine.registry.change("m", commit=True, **{"metadata.owner": "Bo"}),
    ]
    for write in writes:
        with pytest.raises(GitFailed):
            write()
        assert (mine.refs(), in_work_tree(mine)) == before
    hook.unlink()
    assert mine.registry.add("fraud", commit=True).commit == mine.git("rev-parse", "HEAD")


def test_threads_that_write_at_once_all_find_room(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {}\n").commit("A manifest")
    failed: list[BaseException] = []

    def declare(number: int) -> None:
        try:
            Registry(repo.path).add(f"m{number}", commit=True, description=str(number))
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is to be told)
            failed.append(error)

    threads = [threading.Thread(target=declare, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert sorted(repo.registry.repository.manifest_at_head.artifacts) == [f"m{number}" for number in range(6)]
    subjects = repo.git("log", "-6", "--format=%H %s").splitlines()
    for commit, _, name in (line.split(" ") for line in subjects):
        assert name in repo.git("show", f"{commit}:registry.yaml")
        assert name not in repo.git("show", f"{commit}^:registry.yaml")
    assert repo.git("status", "--porcelain") == ""
    assert [one.name for one in Path(repo.path).iterdir() if one.name.startswith(".registry.yaml")] == []

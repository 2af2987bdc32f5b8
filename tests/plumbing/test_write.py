"""Locks, tag objects and transactions, where a story would not reach them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from registry.core.draft import object_id
from registry.errors import GitFailed, Refused, Taken
from registry.plumbing import write
from registry.plumbing.clone import Clone
from registry.plumbing.objects import missing as objects_missing
from registry.plumbing.objects import read_objects
from registry.plumbing.write import Held, RefChange
from tests.plumbing.test_signing import promote
from tests.story import RepoStory


@pytest.fixture
def clone(repo: RepoStory) -> Clone:
    """Where the repository keeps things."""
    return repo.registry.repository.clone


@pytest.fixture
def held(clone: Clone) -> Iterator[Held]:
    """The clone's lock, held."""
    with write.locked(clone, lambda: None) as held:
        yield held


def tag_object(repo: RepoStory, name: str) -> bytes:
    """A tag object that Git accepts."""
    return f"object {repo.git('rev-parse', 'HEAD')}\ntype commit\ntag {name}\ntagger A <a@b> 1 +0000\n\nx\n".encode()


def by_id(objects: Iterable[bytes]) -> dict[str, bytes]:
    """Objects with the ids that Git gives them."""
    return {object_id(raw, 40): raw for raw in objects}


def test_tag_objects_are_stored_as_they_are_whatever_attributes_say(repo: RepoStory, held: Held) -> None:
    repo.write(".gitattributes", "* text eol=crlf filter=no ident\n")
    raw = tag_object(repo, "a@v1.0.0") + b"$Id$\r\nends without newline"
    [oid] = tags = by_id([raw])
    write.write_tags(held, tags)
    found = subprocess.run(["git", "cat-file", "tag", oid], cwd=repo.path, capture_output=True, check=True)
    assert found.stdout == raw
    assert sorted(file.name for file in held.clone.room.iterdir()) == ["lock"]


def test_an_object_that_is_no_tag_is_refused_and_nothing_is_left(repo: RepoStory, held: Held) -> None:
    with pytest.raises(GitFailed):
        write.write_tags(held, by_id([tag_object(repo, "a@v1.0.0"), b"object nonsense\n"]))
    assert sorted(file.name for file in held.clone.room.iterdir()) == ["lock"]


def test_many_tag_objects_become_one_pack_with_the_same_bytes(repo: RepoStory, held: Held) -> None:
    tags = by_id(tag_object(repo, f"a@v{n}.0.0") + b"words " * n for n in range(500))

    write.write_tags(held, tags)

    assert [one.data for one in read_objects(held.clone.git, [*tags])] == [*tags.values()]
    assert len(list((held.clone.common_dir / "objects" / "pack").glob("*.pack"))) == 1
    assert "error" not in repo.git("fsck", "--strict", "--full")


def test_of_many_objects_one_that_is_no_tag_is_refused(repo: RepoStory, held: Held) -> None:
    with pytest.raises(GitFailed):
        write.write_tags(held, by_id([*(tag_object(repo, f"a@v{n}.0.0") for n in range(500)), b"object nonsense\n"]))
    assert not list((held.clone.common_dir / "objects" / "pack").glob("*.pack"))


def test_many_tags_of_a_commit_that_a_shallow_clone_lacks(repo: RepoStory, held: Held) -> None:
    lacking = tag_object(repo, "a@v1.0.0").replace(repo.git("rev-parse", "HEAD").encode(), b"1" * 40)
    tags = by_id(lacking + b"%d" % n for n in range(500))

    write.write_tags(held, tags)

    assert objects_missing(held.clone.git, [*tags]) == []


def test_a_repository_with_an_awkward_path(tmp_path: Path) -> None:
    repo = RepoStory.begin(tmp_path / 'a "quoted\\ näme\nof lines')
    repo.write("registry.yaml", "models: {churn: {}}\n").commit("Declare")
    repo.register("churn", "v1.0.0").assign("churn", "production")
    with repo.registry_at().promote("churn") as run:
        repo.write("file", "x")
        run.log_artifact(repo.path / "file")
    assert repo.resolve("churn") == "v1.0.1"
    assert repo.git("status", "--porcelain") == ""
    assert repo.registry.status().artifacts[0].name == "churn"


def test_all_of_a_transaction_or_none(repo: RepoStory, held: Held) -> None:
    head = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/tags/there", head)
    before = repo.refs()
    with pytest.raises(Taken, match="the tag there is there already"):
        write.transact(held, [RefChange("refs/tags/new", None, head), RefChange("refs/tags/there", None, head)], "x")
    with pytest.raises(Refused, match="another tag stands in the way"):
        write.transact(held, [RefChange("refs/tags/new", None, head), RefChange("refs/tags/there/x", None, head)], "x")
    with pytest.raises(Taken, match="moved in the meantime"):
        write.transact(held, [RefChange("refs/heads/main", "1" * 40, head)], "x")
    with pytest.raises(Taken, match="moved in the meantime"):
        write.transact(held, [RefChange("refs/tags/gone", head, None)], "x")
    with pytest.raises(GitFailed):
        write.transact(held, [RefChange("refs/tags/a..b", None, head)], "x")
    assert repo.refs() == before
    assert not write.interrupted(held.clone)
    write.transact(held, [RefChange("refs/tags/new", None, head), RefChange("refs/tags/there", head, None)], "x")
    assert "refs/tags/new" in repo.refs()
    assert "refs/tags/there" not in repo.refs()


def test_many_refs_at_once(repo: RepoStory, held: Held) -> None:
    head = repo.git("rev-parse", "HEAD")
    changes = [RefChange(f"refs/tags/many-{n}", None, head) for n in range(2500)]
    write.transact(held, changes, "x")
    assert len(repo.tags) == 2500
    assert len(write._current(held.clone.git, [change.ref for change in changes])) == 2500


def test_the_lock_is_waited_for_and_given_up(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "PATIENCE", 0.0)
    with write.locked(clone, lambda: None), pytest.raises(Refused, match="for a minute"):
        _take_and_let_go(clone)
    _take_and_let_go(clone)


def _take_and_let_go(clone: Clone) -> None:
    with write.locked(clone, lambda: None):
        pass


def test_a_room_that_cannot_be_made(repo: RepoStory, clone: Clone) -> None:
    clone.room.write_text("a file where our directory belongs")
    with pytest.raises(GitFailed, match="cannot be written"):
        repo.register("churn")


def test_no_child_but_the_one_that_moves_refs_inherits_the_lock(repo: RepoStory, held: Held) -> None:
    assert not os.get_inheritable(held.descriptor)


def test_the_heads_of_artifacts_move_with_a_bare_repository(repo: RepoStory, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare"))
    bare = RepoStory(tmp_path / "bare", repo.clock)
    bare.git("config", "user.name", "Ana")
    bare.git("config", "user.email", "ana@example.com")
    bare.register("churn", "v1.0.0").assign("churn", "production")
    last = bare.registry.repository.state("churn").events[-1]
    assert bare.git("rev-parse", "refs/registry/churn@head") == last.oid
    repo.register("churn", "v1.0.0")
    assert "refs/registry" not in repo.refs()


def test_a_branch_and_the_index_move_together(repo: RepoStory) -> None:
    repo.write("staged", "1").git("add", "staged")
    repo.write("data/old", "1").write("data/kept", "1")
    repo.git("add", "data")
    repo.git("commit", "-q", "-m", "Data", "--", "data")
    (repo.path / "data/old").unlink()
    repo.write("data/new", "1").write("other", "1")
    with repo.registry_at().promote("churn") as run:
        run.log_artifact("data")
    assert repo.git("status", "--porcelain").splitlines() == ["A  staged", "?? other"]
    assert repo.git("ls-tree", "--name-only", "HEAD", "data/").split() == ["data/kept", "data/new"]


def test_the_first_commit_of_a_repository_can_be_a_promotion(empty: RepoStory) -> None:
    empty.write("model", "1").write("registry.yaml", "models: {churn: {path: model}}\n")
    with empty.registry_at().promote("churn", undeclared=True) as run:
        run.log_artifact("model")
    assert empty.git("log", "--format=%s") == "Promote churn v0.0.1"
    assert empty.git("status", "--porcelain") == "?? registry.yaml"


def test_an_index_that_is_locked_is_told_and_followed_up(repo: RepoStory) -> None:
    lock = repo.path / ".git/index.lock"
    lock.write_text("")
    promote(repo, version="v1.0.0")  # all is written, so nothing is raised
    assert any("but the index could not be brought up to date" in note for note in repo.notes)
    assert repo.resolve("churn") == "v1.0.0"
    lock.unlink()
    repo.assign("churn", "production")
    assert repo.git("status", "--porcelain") == ""

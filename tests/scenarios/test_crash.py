"""A kill at any point of a write leaves all of it or none, and the next command works (DESIGN part 6)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from registry import Registry
from registry.errors import Refused, RegistryError
from registry.plumbing import write
from registry.plumbing.process import Git
from tests.scenarios import killing
from tests.story import RepoStory

MANIFEST = "stages: {production: {exclusive: true}, staging: {}}\nmodels: {churn: {path: models/churn.pkl}}\n"

# The tags that each action makes, and those that it takes away.
MADE = {
    "register": {"churn@v3.0.0"},
    "assign": {"churn#production!#4", "churn#production#5"},
    "promote": {"churn@v3.0.0", "churn#production!#5", "churn#production#6"},
    "delete": set(),
}
GONE = {"delete": {"churn@v2.0.0", "churn#production#3"}}


@pytest.fixture(autouse=True)
def _no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "SECOND_LOOK", 0.0)


@pytest.fixture
def ready(repo: RepoStory) -> RepoStory:
    """Two versions, the first in production; a file of the user's is staged and another changed."""
    repo.write("registry.yaml", MANIFEST).write("mine", "1\n").write("staged", "1\n").commit("Stages")
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0").assign("churn@v1.0.0", "production")
    repo.commit("More", empty=True)
    repo.write("mine", "2\n").write("staged", "2\n").git("add", "staged")
    return repo


def locks(repo: RepoStory) -> list[str]:
    """What Git or we have left lying about."""
    room = repo.path / ".git/registry"
    return [
        str(f)
        for f in [*repo.path.glob(".git/**/*.lock"), *room.glob("index.*"), *room.glob("journal*")]
        if f.is_file()
    ]


def check_all_or_none(repo: RepoStory, action: str, before: set[str]) -> bool:
    """Whether it was done, after the next command; what is the user's is as it was."""
    next_one = repo.registry_at()
    next_one.annotate("churn@v1.0.0", labels=["after"])  # the next command that writes works
    tags = {tag for tag in repo.tags if "=" not in tag}
    after = (before | MADE[action]) - GONE.get(action, set())
    done = after <= tags and not (GONE.get(action, set()) & tags)
    assert tags == (after if done else before)
    assert locks(repo) == []
    assert repo.registry.doctor().sound
    assert (repo.path / "mine").read_text() == "2\n"
    return done


# -- kills -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", killing.ACTIONS)
def test_a_kill_leaves_all_or_none(ready: RepoStory, tmp_path: Path, action: str) -> None:
    before = {tag for tag in ready.tags if "=" not in tag}
    branch = ready.git("rev-parse", "main")
    outcomes = set()
    for kill in killing.at_every_point(action, ready.path, tmp_path / "kills"):
        repo = RepoStory(Path(kill.repository), ready.clock)
        moved = repo.git("rev-parse", "main") != branch
        partly = bool(MADE[action] & set(repo.tags)) or bool(GONE.get(action, set()) - set(repo.tags)) or moved
        whole = MADE[action] <= set(repo.tags) and not GONE.get(action, set()) & set(repo.tags)
        if partly and not whole:
            assert repo.registry.status().interrupted, kill
        try:
            done = check_all_or_none(repo, action, before)
            assert (kill.ended == 0) <= done, "it said that it was done"
            indexing = kill.command == "--literal-pathspecs"  # it says that it is done, but for the index
            assert kill.ended <= 0 or not done or indexing, "it said that it failed"
            if action == "promote":
                check_promoted(repo, branch, kill, done=done)
        except (AssertionError, RegistryError) as error:
            raise AssertionError(f"after {kill}") from error
        outcomes.add((kill.way, done))
    assert {True, False} == {done for _, done in outcomes}


def check_promoted(repo: RepoStory, branch: str, kill: killing.Killed, *, done: bool) -> None:
    """HEAD moved with the tags or not at all; the index is the user's, and knows what was committed."""
    assert (repo.git("rev-parse", "main") != branch) == done
    status = repo.git("status", "--porcelain").splitlines()
    assert "M  staged" in status
    assert " M mine" in status
    trained = (repo.path / "models/churn.pkl").read_text() == "promoted\n"
    rest = sorted(set(status) - {"M  staged", " M mine"})
    if not done:
        assert rest == ([" M models/churn.pkl"] if trained else [])
        return
    assert trained
    assert repo.git("show", "main:models/churn.pkl") == "promoted"
    assert rest == []


def test_a_git_that_dies_with_all_its_locks_held(ready: RepoStory) -> None:
    hook = ready.path / ".git/hooks/reference-transaction"
    hook.write_text('#!/bin/sh\n[ "$1" = prepared ] && kill -9 $PPID\nexit 0\n')
    hook.chmod(0o755)
    before = ready.refs()
    with pytest.raises(RegistryError, match="was ended by signal 9"):
        ready.registry_at().assign("churn@v2.0.0", "production")
    hook.unlink()
    assert ready.refs() == before
    assert locks(ready) == []  # it was put right at once
    ready.assign("churn@v2.0.0", "production")
    assert ready.resolve("churn#production") == "v2.0.0"


def test_ctrl_c_in_the_middle_undoes_it(ready: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ready.refs()
    update = write._update_refs

    def interrupted(held: write.Held, git: Git, changes: list[write.RefChange], reason: str) -> None:
        if reason == "registry":
            update(held, git, changes[:1], reason)
            raise KeyboardInterrupt
        update(held, git, changes, reason)

    monkeypatch.setattr(write, "_update_refs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ready.registry_at().assign("churn@v2.0.0", "production")
    assert ready.refs() == before
    assert locks(ready) == []


# -- a transaction of Git's that was cut in two, staged by hand --------------------------------------------------------


class Cut(BaseException):
    """The power is gone."""


def cut(repo: RepoStory, action: str, monkeypatch: pytest.MonkeyPatch) -> list[write.RefChange]:
    """Everything up to the moving of refs is done, and the journal is written; what it planned."""

    def gone(*_: object) -> None:
        raise Cut

    repo._now()
    with monkeypatch.context() as patched:
        patched.setattr(write, "_update_refs", gone)
        patched.chdir(repo.path)
        with pytest.raises(Cut):
            killing.act(action)
    words = json.loads((repo.path / ".git/registry/journal").read_text())
    return [write.RefChange(ref, old, new) for ref, old, new, _ in words["changes"]]


def move(repo: RepoStory, change: write.RefChange) -> None:
    """Move one ref, as Git did before it was cut."""
    repo.git("update-ref", *(["-d", change.ref] if change.new is None else [change.ref, change.new]))


def lock(repo: RepoStory, ref: str, content: str) -> Path:
    """Leave a lock of Git's behind."""
    path = repo.path / ".git" / f"{ref}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


@pytest.mark.parametrize("action", killing.ACTIONS)
@pytest.mark.parametrize("content", [None, "planned", ""])
def test_the_next_writer_mends_what_was_cut(
    ready: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, content: str | None
) -> None:
    before = set(ready.tags)
    branch = ready.git("rev-parse", "main")
    planned = cut(ready, action, monkeypatch)
    made = {change.ref.removeprefix("refs/tags/") for change in planned if change.ref.startswith("refs/tags/")}
    for number, done in enumerate(product([False, True], repeat=len(planned))):
        place = tmp_path / str(number)
        subprocess.run(["cp", "-a", str(ready.path), str(place)], check=True)
        repo = RepoStory(place, ready.clock)
        journal = place / ".git/registry/journal"
        journal.write_text(journal.read_text().replace(str(ready.path), str(place)))
        for change, moved in zip(planned, done, strict=True):
            if moved:
                move(repo, change)
            elif content is not None:
                lock(repo, change.ref, f"{change.new or ''}\n" if content else "")
        if content is not None:
            lock(repo, "packed-refs" if action == "delete" else "HEAD", "")
        assert repo.registry.status().interrupted
        assert "interrupted" in {finding.code for finding in repo.registry.doctor().findings}
        repo.registry_at().annotate("churn@v1.0.0", labels=["after"])
        assert not repo.registry.status().interrupted
        tags = {tag for tag in repo.tags if "=" not in tag}
        assert tags == ((before ^ made) if any(done) else before), done
        assert locks(repo) == (
            [] if action in {"promote", "delete"} or content is None else [str(place / ".git/HEAD.lock")]
        )
        if action == "promote":
            assert (repo.git("rev-parse", "main") != branch) == any(done)
            assert ("M  staged" in repo.git("status", "--porcelain").splitlines()) is True
            assert ("models/churn.pkl" in repo.git("status", "--porcelain")) is not any(done)


def test_a_lock_of_somebody_else_stays_and_what_was_cut_is_undone(
    ready: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ready.refs()
    first, second = cut(ready, "assign", monkeypatch)
    move(ready, first)
    foreign = lock(ready, second.ref, "f" * 40 + "\n")
    ready.registry_at().register("churn", version="v5.0.0")  # it takes no notice of the other's lock
    assert foreign.exists()
    assert (
        ready.refs().replace(
            f"\n{ready.git('for-each-ref', '--format=%(refname) %(objectname)', 'refs/tags/churn@v5.0.0')}", ""
        )
        == before
    )
    foreign.unlink()
    ready.assign("churn@v2.0.0", "production")
    assert ready.resolve("churn#production") == "v2.0.0"


def test_locks_of_refs_that_were_not_planned_are_left_alone(ready: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(ready, "assign", monkeypatch)
    others = [lock(ready, "refs/tags/other@v1.0.0", ""), lock(ready, "index", ""), lock(ready, "refs/heads/main", "")]
    ready.registry_at().annotate("churn@v1.0.0", labels=["after"])
    assert all(other.exists() for other in others)


def test_an_undoing_that_was_cut_is_finished(ready: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ready.refs()
    tags = cut(ready, "promote", monkeypatch)
    for change in tags:
        if change.ref.startswith("refs/tags/"):
            move(ready, change)
    ready.git("commit", "-q", "--allow-empty", "-m", "The user goes on")  # so that it cannot be finished
    here = ready.git("rev-parse", "main")
    update = write._update_refs

    def once(held: write.Held, git: Git, changes: list[write.RefChange], reason: str) -> None:
        if reason == "registry: undo":
            update(held, git, changes[:1], reason)
            lock(ready, changes[1].ref, "")
            raise Cut
        update(held, git, changes, reason)

    with monkeypatch.context() as patched:
        patched.setattr(write, "_update_refs", once)
        with pytest.raises(Cut):
            ready.registry_at().annotate("churn@v1.0.0", labels=["after"])
    assert ready.registry.status().interrupted
    ready.registry_at().annotate("churn@v1.0.0", labels=["after"])
    assert ready.git("rev-parse", "main") == here
    rest = [line for line in ready.refs().splitlines() if "=#" not in line and "heads" not in line]
    assert rest == [line for line in before.splitlines() if "heads" not in line]


def _promoted_while_the_index_was_locked(repo: RepoStory) -> None:
    lock = repo.path / ".git/index.lock"
    lock.touch()
    repo.write("models/churn.pkl", "weights 2\n")
    with repo.registry_at().promote("churn") as run:
        run.log_artifact("models/churn.pkl")
    lock.unlink()


def test_what_was_written_though_the_index_could_not_follow_stays(repo: RepoStory) -> None:
    _promoted_while_the_index_was_locked(repo)
    repo.commit("The user goes on", empty=True)

    repo.registry_at().annotate("churn", labels=["seen"])

    assert repo.tags == ["churn@v0.0.1", "churn@v0.0.1=#2"]
    assert repo.git("log", "-1", "--format=%s") == "The user goes on"


def test_what_was_written_does_not_follow_onto_another_branch(repo: RepoStory) -> None:
    repo.git("branch", "other")
    _promoted_while_the_index_was_locked(repo)
    repo.git("reset", "-q", "--hard")
    repo.git("switch", "-q", "other")

    repo.registry_at().annotate("churn", labels=["seen"])

    assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "words", ["", "{", "[]", '{"changes": 3}', '{"changes": [["../../x", null, "a", []]], "git_dir": "", "root": ""}']
)
def test_a_journal_that_is_none(ready: RepoStory, words: str) -> None:
    outside = ready.path / ".git/x.lock"
    outside.write_text("a")
    (ready.path / ".git/registry/journal").write_text(words)
    ready.assign("churn@v2.0.0", "production")
    assert ready.resolve("churn#production") == "v2.0.0"
    outside.unlink()
    assert locks(ready) == []


def test_what_was_cut_in_one_worktree_is_mended_from_another(
    ready: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.git("worktree", "add", "-q", "--detach", str(tmp_path / "other"))
    other = RepoStory(tmp_path / "other", ready.clock)
    here = ready.git("rev-parse", "HEAD")
    repo_words = ready.path / ".git/registry/journal"
    other._now()
    with monkeypatch.context() as patched:
        patched.setattr(write, "_update_refs", lambda *_: (_ for _ in ()).throw(Cut))
        patched.chdir(other.path)
        with pytest.raises(Cut):
            killing.act("promote")
    planned = json.loads(repo_words.read_text())["changes"]
    assert planned[-1][0] == "HEAD"
    other.git("update-ref", planned[0][0], planned[0][2])
    ready.registry_at().annotate("churn@v1.0.0", labels=["after"])
    assert ready.git("rev-parse", "HEAD") == here
    assert other.git("rev-parse", "HEAD") == planned[-1][2]
    assert other.git("status", "--porcelain") == ""
    assert {"churn@v3.0.0", "churn#production!#5", "churn#production#6"} <= set(ready.tags)

    # And where that worktree is gone, its commit cannot be: then none of it is.
    other.write("models/churn.pkl", "again\n")
    with monkeypatch.context() as patched:
        patched.setattr(write, "_update_refs", lambda *_: (_ for _ in ()).throw(Cut))
        patched.chdir(other.path)
        with pytest.raises(Cut), Registry(".").promote("churn", version="v4.0.0") as run:
            run.log_artifact("models/churn.pkl")
    planned = json.loads(repo_words.read_text())["changes"]
    ready.git("update-ref", planned[0][0], planned[0][2])
    ready.git("worktree", "remove", "--force", str(other.path))
    ready.registry_at().annotate("churn@v1.0.0", labels=["later"])
    assert "churn@v4.0.0" not in ready.tags


def test_a_writer_that_lives_is_not_called_interrupted(ready: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    update = write._update_refs

    def looking(held: write.Held, git: Git, changes: list[write.RefChange], reason: str) -> None:
        seen.append(ready.registry.status().interrupted)
        update(held, git, changes, reason)

    monkeypatch.setattr(write, "_update_refs", looking)
    ready.assign("churn@v2.0.0", "production")
    assert seen == [False]


def test_a_git_that_outlives_its_command_still_holds_the_lock(
    ready: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(ready.tags)
    clone = ready.registry.repository.clone
    ready_to_go = tmp_path / "go"
    os.mkfifo(ready_to_go)
    hook = ready.path / ".git/hooks/reference-transaction"
    hook.write_text(f'#!/bin/sh\n[ "$1" = prepared ] && read x <"{ready_to_go}"\nexit 0\n')
    hook.chmod(0o755)
    command = subprocess.Popen(
        [sys.executable, "-m", "registry", "assign", "churn@v2.0.0", "production"],
        cwd=ready.path,
        env={**os.environ, **ready.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with ready_to_go.open("w") as go:  # opens when the hook reads
        command.send_signal(signal.SIGKILL)
        command.wait()
        assert not write.interrupted(clone)  # for the survivor is at work
        with monkeypatch.context() as patched:
            patched.setattr(write, "PATIENCE", 0.0)
            with pytest.raises(Refused, match="another registry command"):
                ready.assign("churn@v2.0.0", "staging")
        go.write("now\n")
    hook.unlink()
    assert check_all_or_none(ready, "assign", before) in {True, False}

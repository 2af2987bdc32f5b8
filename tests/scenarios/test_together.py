"""Several processes write in one clone at the same time, and nothing is lost, doubled or forked (DESIGN part 6)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.story import START, RepoStory

EACH = 100
LOOP = """
import sys
from registry import Registry
path, artifact, *commits = sys.argv[1:]
registry = Registry(path, on_note=lambda note: None)
for commit in commits:
    registry.register_written(artifact, commit, undeclared=True)
"""


def commits(repo: RepoStory, branch: str, count: int) -> list[str]:
    """So many commits on a new branch, made at once."""
    head = repo.git("rev-parse", "HEAD")
    who = f"committer Ana <ana@example.com> {START} +0000"
    one = f"commit refs/heads/{branch}\n{who}\ndata {len(branch)}\n{branch}\n"
    stream = f"{one}from {head}\n\n" + f"{one}\n" * (count - 1)
    repo.git("fast-import", "--quiet", data=stream.encode())
    return repo.git("rev-list", "--reverse", f"{head}..{branch}").split()


def register_together(repo: RepoStory, places: list[Path], each: int) -> None:
    """A process in each of `places` registers versions of churn at commits of its own."""
    work = [(place, commits(repo, f"work-{n}", each)) for n, place in enumerate(places)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP, str(place), "churn", *mine],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for place, mine in work
    ]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(places), said


def check_unbroken(repo: RepoStory, count: int) -> None:
    """Each version, number and counter once, and one chain of `Previous` through all events."""
    state = repo.registry.repository.state("churn")
    assert sorted(v.number for v in state.versions.values()) == list(range(1, count + 1))
    assert {v.version.text for v in state.versions.values()} == {f"v0.0.{n}" for n in range(1, count + 1)}
    assert len({v.commit for v in state.versions.values()}) == count
    assert [event.counter for event in state.events] == list(range(1, count + 1))
    chain = [list(event.keys.get("Previous", ())) for event in state.events]
    assert chain == [[], *([event.oid] for event in state.events[:-1])]
    assert repo.registry.doctor().findings == ()


def test_two_hundred_registrations_by_two_processes(repo: RepoStory) -> None:
    register_together(repo, [repo.path, repo.path], EACH)
    check_unbroken(repo, 2 * EACH)


def test_worktrees_share_the_lock(repo: RepoStory, tmp_path: Path) -> None:
    places = [repo.path, tmp_path / "second", tmp_path / "third"]
    for place in places[1:]:
        repo.git("worktree", "add", "-q", "--detach", str(place))
    register_together(repo, places, 10)
    check_unbroken(repo, 30)
    assert all(RepoStory(place).resolve("churn") == "v0.0.30" for place in places)


def test_one_wins_the_version_that_both_want(repo: RepoStory) -> None:
    mine, theirs = commits(repo, "work", 2)
    command = [sys.executable, "-m", "registry", "register", "churn", "--undeclared", "--version", "v1.0.0"]
    processes = [
        subprocess.Popen([*command, commit], cwd=repo.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for commit in (mine, theirs)
    ]
    said = [process.communicate() for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1]
    [(_, err)] = [words for words in said if words[1]]
    assert err.startswith("error: churn v1.0.0 is registered already, at ")

"""What the stories about trouble share: a command that must be refused, and change nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import cli
from tests.story import RepoStory


class Refusals:
    """Runs command lines that must fail, in this process, and looks at all that they could have changed."""

    def __init__(self, repo: RepoStory, captured: pytest.CaptureFixture[str]) -> None:
        self._repo = repo
        self._captured = captured

    def __call__(self, *arguments: str, code: int = 1, says: str = "", hint: str = "") -> None:
        """One `error: ` line with the words `says`, at most one `hint: ` line with `hint`, nothing else, no change."""
        before = changeable(self._repo)
        self._captured.readouterr()
        found = cli.run(list(arguments))
        out, err = self._captured.readouterr()
        check_refusal(found, out, err, code=code, says=says, hint=hint)
        assert changeable(self._repo) == before


def check_refusal(found: int, out: str, err: str, *, code: int = 1, says: str = "", hint: str = "") -> None:
    """What a command that failed said is what it should."""
    lines = err.splitlines()
    assert found == code, err
    assert out == ""
    assert [line.partition(": ")[0] for line in lines] in (["error"], ["error", "hint"]), err
    assert says in lines[0], err
    assert hint in (lines[1] if len(lines) > 1 else ""), err


def everything(path: Path) -> dict[str, str]:
    """Every file of a repository, Git's own included, with its digest; but for our lock, which is empty."""
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file() and not file.is_symlink() and not file.match(".git/registry/lock")
    }


def changeable(repo: RepoStory) -> dict[str, str]:
    """Every file but the objects, of which one that no ref names does no harm."""
    return {path: digest for path, digest in everything(repo.path).items() if not path.startswith(".git/objects/")}


@pytest.fixture
def refused(repo: RepoStory, capfd: pytest.CaptureFixture[str]) -> Refusals:
    """Commands in `repo` that must be refused."""
    return Refusals(repo, capfd)


@pytest.fixture
def refused_in(capfd: pytest.CaptureFixture[str]) -> Callable[[RepoStory], Refusals]:
    """The same in another repository."""
    return lambda story: Refusals(story, capfd)

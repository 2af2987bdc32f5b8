"""Where a command is run: a subdirectory, a worktree, a detached HEAD, a bare clone, another place by --repo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Typing
from tests.story import RepoStory


@pytest.fixture(
    params=["root", "subdirectory", "worktree", "detached", "bare", "--repo", "--repo of a subdirectory", "GIT_DIR"]
)
def place(
    request: pytest.FixtureRequest, life: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """A way to say where; the words that it adds to a command."""
    match request.param:
        case "subdirectory":
            monkeypatch.chdir(life.path / "models")
        case "worktree":
            life.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
            monkeypatch.chdir(tmp_path / "side" / "data")
        case "detached":
            life.git("checkout", "-q", "--detach", "HEAD~1")
        case "bare":
            life.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
            monkeypatch.chdir(tmp_path / "bare.git")
            life.git("-C", ".", "config", "--global", "user.name", "Ana")
            life.git("config", "--global", "user.email", "ana@example.com")
        case "--repo":
            monkeypatch.chdir(tmp_path)
            return ("--repo", str(life.path))
        case "--repo of a subdirectory":
            monkeypatch.chdir(tmp_path)
            return ("--repo", "repo/models")
        case "GIT_DIR":
            monkeypatch.chdir(tmp_path)
            monkeypatch.setenv("GIT_DIR", str(life.path / ".git"))
            monkeypatch.setenv("GIT_WORK_TREE", str(life.path))
    return ()


def test_everywhere_reading_and_writing_work(place: tuple[str, ...], typed: Typing) -> None:
    assert typed.lines("resolve", "churn#production", *place) == [["v0.0.1"]]
    assert [a["name"] for a in typed.json("show", *place)["artifacts"]] == ["churn", "fraud", "train-set"]
    assert len(typed.json("history", *place)["events"]) == 5
    assert typed.json("resolve", "churn", *place)["metadata"]["metrics"]["auc"] == 0.95
    assert typed.json("diff", "churn@1", "churn@2", *place)["metrics"][0]["key"] == "auc"
    assert [s["stage"] for s in typed.json("stages", *place)["stages"]] == ["staging", "production"]
    assert typed.json("lineage", "churn@1", *place)["uses"][0]["version"] == "train-set@v0.0.1"
    assert typed.json("check-ref", "churn@v0.0.1", *place)["event"] == "registration"
    assert len(typed.json("status", *place)["artifacts"]) == 3
    assert typed.json("doctor", *place)["sound"] is True
    assert typed("register", "fraud", *place).out == "fraud@v0.0.1\n"
    assert typed("assign", "churn", "staging", *place).out == "churn#staging#5\n"
    assert typed("rollback", "churn", "staging", *place).out == "churn#staging#6\n"


def test_paths_are_those_of_the_person(life: RepoStory, typed: Typing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(life.path / "models")

    assert typed("add", "near", "--path", "churn.pkl").code == 0
    life.commit()
    assert typed.json("show", "near")["path"] == "models/churn.pkl"
    assert typed("register", "fraud", "--artifact", "../params.yaml").code == 0
    assert typed.json("resolve", "fraud")["metadata"]["artifacts"][0]["path"] == "params.yaml"
    assert typed("check").code == 0


@pytest.mark.parametrize("words", [["check"], ["init"], ["add", "x"], ["remove", "churn"]])
def test_a_bare_repository_has_no_manifest_to_edit(
    life: RepoStory, typed: Typing, tmp_path: Path, words: list[str]
) -> None:
    life.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))

    assert "no work tree" in typed.refused(*words, "--repo", str(tmp_path / "bare.git"))


def test_nowhere(tmp_path: Path, typed: Typing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert "not a Git repository" in typed.refused("show")
    assert "no such directory" in typed.refused("show", "--repo", "nowhere")
    (tmp_path / "file").write_text("")
    assert "file" in typed.refused("show", "--repo", "file")


def test_git_registry(life: RepoStory) -> None:
    program = Path(sys.executable).parent / "git-registry"
    if not program.exists():
        pytest.skip("the package is not installed beside this Python")

    done = life.git("registry", "show", "churn", env={"PATH": f"{program.parent}:/usr/bin:/bin"})
    wrong = subprocess.run(
        ["git", "registry", "assign", "churn"], cwd=life.path, env={"PATH": f"{program.parent}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [line.split("\t")[0] for line in done.splitlines()] == ["v0.1.0", "v0.0.1"]
    assert (wrong.returncode, wrong.stderr.splitlines()[1]) == (
        2,
        "hint: git registry assign SELECTOR STAGE; --help says more",
    )

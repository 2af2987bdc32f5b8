"""Completion, as a shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import cli
from tests.story import RepoStory

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Complete:
    """`complete("registry show ch")` gives the words for the last one."""

    def ask(line: str, name: str = "registry") -> list[str]:
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        monkeypatch.setenv("_REGISTRY_COMPLETE" if name == "registry" else "_GIT_REGISTRY_COMPLETE", "bash_complete")
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run([], name)
        said = capfd.readouterr()
        assert (ended.value.code, said.err) == (0, "")
        return [item.removeprefix("plain,") for item in said.out.split()]

    return ask


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("registry asi", []), ("registry ass", ["assign"]),
        ("registry de", ["demo", "deregister", "deprecate", "delete"]),
        ("registry show ", ["churn", "fraud", "train-set"]), ("registry show ch", ["churn"]),
        ("registry resolve churn@", ["churn@latest", "churn@v0.1.0", "churn@v0.0.1"]),
        ("registry resolve churn@v0.1", ["churn@v0.1.0"]), ("registry resolve chrun@", []),
        ("registry resolve churn#", ["churn#production", "churn#staging"]),
        ("registry assign churn#st", ["churn#staging"]), ("registry assign churn ", ["staging", "production"]),
        ("registry rollback ch", ["churn"]), ("registry rollback churn p", ["production"]),
        ("registry show --stage p", ["production"]), ("registry diff churn@v0.0.1 churn@l", ["churn@latest"]),
        ("registry register f", ["fraud"]), ("registry show --j", ["--json"]),
    ],
)  # fmt: skip
def test_words(life: RepoStory, complete: Complete, line: str, words: list[str]) -> None:
    assert sorted(complete(line)) == sorted(words)


def test_of_another_repository(
    life: RepoStory, complete: Complete, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))

    assert complete("registry show ") == []
    assert complete("registry assign x ") == []
    assert complete(f"registry show --repo {life.path} ch") == ["churn"]


def test_git_registry_completes_too(life: RepoStory, complete: Complete) -> None:
    assert complete("git-registry show f", "git registry") == ["fraud"]


def test_of_names_alone_versions_and_stages_are_as_they_are(repo: RepoStory, complete: Complete) -> None:
    repo.register("churn", "v1.10.0").assign("churn@v1.10.0", "qa").register("churn", "v1.9.0").register(
        "other", undeclared=True
    )
    assert complete("registry show churn@") == ["churn@latest", "churn@v1.10.0", "churn@v1.9.0"]
    assert complete("registry show churn#") == ["churn#qa"]
    assert complete("registry assign churn@v1.9.0 ") == ["qa"]
    repo.registry_at().deregister("churn@v1.10.0")

    assert complete("registry show churn@") == ["churn@latest", "churn@v1.9.0"]
    assert complete("registry show churn#") == []
    assert complete("registry show o") == ["other"]


def test_an_artifact_that_is_new_since_the_last_listing(
    repo: RepoStory, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.plumbing import cache

    monkeypatch.setattr(cache, "_WORTH", 0)
    repo.register("churn", "v1.0.0").register("fraud", undeclared=True).assign("churn", "qa").registry.show()
    repo.register("new", undeclared=True)

    assert complete("registry show ") == ["churn", "fraud"]
    assert complete("registry show n") == ["new"]
    assert complete("registry assign churn ") == ["qa"]


@pytest.mark.parametrize("damage", ["", "[]", '{"format": "F"}', '{"format": "F", "artifacts": {"churn": [1, [2]]}}'])
def test_what_is_kept_of_listings_may_be_damaged(repo: RepoStory, complete: Complete, damage: str) -> None:
    from registry.plumbing import kept

    repo.register("fraud", undeclared=True).write(".git/registry/overviews", damage.replace("F", kept.FORMAT))

    assert complete("registry show ") == ["churn", "fraud"]


def test_manifests_in_directories_and_of_other_tools(repo: RepoStory, complete: Complete) -> None:
    repo.write("cv/registry.yaml", "models: {pool: {}}\n").write("seg/dvc.yaml", "artifacts:\n  net:\n    path: x\n")
    repo.write("artifacts.yaml", "gto: {}\n").write("deep/artifacts.yaml", "no: {}\n").commit()

    assert complete("registry show ") == ["churn", "cv:pool", "gto", "seg:net"]
    assert complete("registry show cv:") == ["cv:pool"]


def test_nothing_is_committed(empty: RepoStory, complete: Complete) -> None:
    assert complete("registry show ") == []
    assert complete("registry assign churn ") == []


@pytest.mark.parametrize(
    ("line", "processes"), [("registry show ch", 5), ("registry show churn@", 1), ("registry assign churn ", 5)]
)
def test_completing_imports_and_asks_no_more_than_it_needs(
    repo: RepoStory, tmp_path: Path, line: str, processes: int
) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    code = "import sys, atexit; atexit.register(lambda: print(*sys.modules)); from registry.cli import run; run([])"
    asked = {"_REGISTRY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True,
        env={**os.environ, **asked, "GIT_TRACE2": os.fspath(tmp_path / "trace")},
    )  # fmt: skip

    *words, modules = done.stdout.splitlines()
    loaded = set(modules.split())
    assert words
    assert not loaded & {"git", "semver", "ruamel.yaml", "rich"}
    heavy = ("api", "repository", "core.state", "core.events", "core.metadata", "plumbing.tags", "manifests.read")
    assert not loaded & {f"registry.{name}" for name in heavy}
    started = [row for row in (tmp_path / "trace").read_text().splitlines() if " start " in row]
    assert len(started) <= processes

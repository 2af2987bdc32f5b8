"""Completion, as a shell asks for it."""

from __future__ import annotations

from collections.abc import Callable

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

"""The Action's `mode: site`: the pages, in the workspace."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from registry.action import runner as runners
from registry.action.say import Voice
from registry.action.site import site
from registry.errors import UsageError
from tests.story import RepoStory


def _runner(story: RepoStory, output_dir: str = "") -> runners.Runner:
    found = runners.read({"GITHUB_WORKSPACE": str(story.path), "GITHUB_EVENT_NAME": "push"})
    return replace(found, inputs=replace(found.inputs, output_dir=output_dir))


@pytest.mark.parametrize("directory", ["", "public/registry"])
def test_the_pages_are_written_and_the_output_says_where(repo: RepoStory, tmp_path: Path, directory: str) -> None:
    repo.register("churn", "v1.0.0")
    outputs, summary = tmp_path / "outputs", tmp_path / "summary"

    assert site(repo.registry, _runner(repo, directory), Voice(io.StringIO(), outputs, summary)) == 0

    assert "v1.0.0" in (repo.path / (directory or "site") / "model/repo/churn.html").read_text()
    assert (directory or "site") in outputs.read_text()
    assert "pages" in summary.read_text()


@pytest.mark.parametrize("directory", ["..", "/tmp/elsewhere", ".", "a/../..", "out"])  # noqa: S108  (never written to)
def test_nothing_is_written_outside_of_the_workspace(repo: RepoStory, tmp_path: Path, directory: str) -> None:
    (repo.path / "out").symlink_to(tmp_path)

    with pytest.raises(UsageError):
        site(repo.registry, _runner(repo, directory), Voice(io.StringIO()))

    assert not (tmp_path / "index.html").exists()

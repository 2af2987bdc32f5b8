"""Two public registries in this format, rebuilt: tags, dates, targets and manifests; names of people left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.story import RepoStory

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Rebuilt:
    """A registry as it was in public. `commits` maps the public ids to those of the rebuilt repository."""

    story: RepoStory
    commits: dict[str, str]


@pytest.fixture
def rebuild(tmp_path: Path) -> Callable[[str], Rebuilt]:
    """Makes the repository of a file in data/."""

    def make(name: str) -> Rebuilt:
        data = json.loads((DATA / f"{name}.json").read_text())
        story = RepoStory.begin(tmp_path / name)
        commits = {}
        for commit in data["commits"]:
            for path in story.git("ls-files").split():
                (story.path / path).unlink()
            for path, content in commit["manifests"].items():
                story.write(path, content)
            story.git("add", "--all")
            date = {"GIT_AUTHOR_DATE": commit["date"], "GIT_COMMITTER_DATE": commit["date"]}
            story.git("commit", "-q", "--allow-empty", "-m", "Change", env=date)
            commits[commit["id"]] = story.git("rev-parse", "HEAD")
        for tag in data["tags"]:
            tagger = {"GIT_COMMITTER_NAME": tag["tagger"], "GIT_COMMITTER_EMAIL": f"{tag['tagger']}@example.com"}
            story.git(
                *("tag", "-a", "--cleanup=verbatim", "-m", tag["message"], tag["name"], commits[tag["target"]]),
                env={**tagger, "GIT_COMMITTER_DATE": tag["date"]},
            )
        return Rebuilt(story, commits)

    return make

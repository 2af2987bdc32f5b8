"""One repository, two tools: GTO from PyPI and ours, on the same tags and by the same clock.

python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install -e '.[test,oracle]'
/tmp/oracle/bin/python -m pytest tests/oracle
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.story import RepoStory

COMMITS = 9


@dataclass
class Pair:
    """The artifact `churn` in one repository. Each verb takes a tool's own way; each question is asked of both."""

    story: RepoStory
    commits: list[str]
    gto: Any = field(repr=False)

    @property
    def path(self) -> str:
        """Where the repository is."""
        return str(self.story.path)

    def begin(self) -> None:
        """Forget every tag."""
        git = self.story.path / ".git"
        shutil.rmtree(git / "refs" / "tags", ignore_errors=True)
        (git / "refs" / "tags").mkdir()
        (git / "packed-refs").unlink(missing_ok=True)

    def tick(self) -> None:
        """The clock goes on, for whichever tool writes next."""
        os.environ.update(self.story.environment())

    def by_gto(self, verb: str, **said: Any) -> None:
        """Let GTO write."""
        self.tick()
        getattr(self.gto, verb)(self.path, "churn", **said)

    # -- what GTO says -----------------------------------------------------------------------------------------------

    def gto_shows(self) -> dict[str, Any]:
        """`gto show` of churn: its latest version, its stages that are held, and whether it is not deprecated."""
        [shown] = self.gto.show(self.path, deprecated=True).values()
        stages = {stage: version for stage, version in shown["stage"].items() if version is not None}
        return {"latest": shown["version"], "stages": stages, "deprecated": not shown["active"]}

    def gto_versions(self) -> dict[str, tuple[str, bool]]:
        """Every version that GTO knows: its commit, and whether it is active."""
        found = self.gto._show_versions(self.path, "churn", raw=True)
        return {v.version: (v.commit_hexsha, v.is_active) for v in found if v.is_registered}

    def gto_active(self) -> list[str]:
        """`gto show churn`: the active versions, greatest first; bare commits left out."""
        return [v["version"] for v in self.gto.show(self.path, "churn", deprecated=False) if v["version"][0] == "v"]

    def gto_in_stage(self, stage: str) -> list[str]:
        """`gto show churn#stage`."""
        return [v["version"] for v in self.gto.show(self.path, f"churn#{stage}", deprecated=True)]

    def gto_history(self) -> list[tuple[str, str, str | None, str]]:
        """`gto history churn`: kind, tag, stage and commit of each event, oldest first."""
        found = self.gto.history(self.path, "churn", ascending=True)
        return [(e["event"], e["ref"], e["stage"], e["commit"]) for e in found]

    # -- what we say -------------------------------------------------------------------------------------------------

    def we_show(self) -> dict[str, Any]:
        """The same of ours."""
        [shown] = self.story.registry.show(deprecated=True)
        return {"latest": shown.latest, "stages": shown.stages, "deprecated": shown.deprecated}

    def our_versions(self) -> dict[str, tuple[str, bool]]:
        """The same of ours."""
        return {v.version: (v.commit, v.active) for v in self.story.registry.list_versions("churn")}

    def our_active(self) -> list[str]:
        """The same of ours."""
        return [v.version for v in self.story.registry.list_versions("churn") if v.active]

    def our_history(self) -> list[tuple[str, str, str | None, str]]:
        """The same of ours, without the amendments, which GTO skips."""
        found = self.story.registry.history("churn")
        return [(e.event, e.tag, e.stage, e.commit) for e in found if e.event != "amendment"]


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A repository with some commits and no tag, open to both tools."""
    gto = pytest.importorskip("gto.api")
    # GTO tags through libgit2, which takes the date from the machine's clock; git takes it from the environment.
    monkeypatch.setattr("scmrepo.git.Git.tag", _tag)
    story = RepoStory.begin(tmp_path / "pair")
    commits = [story.commit(f"Commit {n}", empty=True) for n in range(COMMITS)]
    monkeypatch.chdir(story.path)
    return Pair(story, commits, gto)


def _tag(self: Any, tag: str, target: str | None = None, annotated: bool = False, message: str | None = None) -> None:
    assert annotated
    assert message is not None
    command = ["git", "tag", "-a", "--cleanup=verbatim", "-m", message, tag, target or "HEAD"]
    subprocess.run(command, cwd=self.root_dir, check=True)

"""Telling stories about a repository: each sentence is a real command on a real repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from registry import Registry

START = 1767225600  # 2026-01-01T00:00:00Z; each commit and write of a story is a minute after the one before


@dataclass(frozen=True)
class Result:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Story = TypeVar("Story", bound="RepoStory")


@dataclass
class RepoStory:
    """A repository in which a story is told. Every verb returns the story, every question an answer."""

    path: Path
    clock: int = START
    notes: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls: type[Story], path: Path) -> Story:
        """An empty repository with an identity of its own."""
        subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
        story = cls(path)
        story.git("config", "user.name", "Ana")
        story.git("config", "user.email", "ana@example.com")
        return story

    # -- the clock -------------------------------------------------------------------------------------------------

    def at(self, date: str | int) -> RepoStory:
        """Set the clock: seconds since the epoch, or a date such as 2026-01-02 or 2026-01-02T10:00:00+00:00."""
        if isinstance(date, int):
            self.clock = date - 60
        else:
            from datetime import datetime, timezone

            moment = datetime.fromisoformat(date)
            self.clock = int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()) - 60
        return self

    def environment(self) -> dict[str, str]:
        """The environment of the next command: a minute later."""
        self.clock += 60
        date = f"{self.clock} +0000"
        return {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}

    def environment_whole(self) -> dict[str, str]:
        """The whole environment of the next command."""
        return {**os.environ, **self.environment()}

    # -- git -------------------------------------------------------------------------------------------------------

    def git(self, *arguments: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """Run git, and give what it prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=data,
            capture_output=True,
            check=False,
            env={**self.environment_whole(), **(env or {})},
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").removesuffix("\n")

    def write(self, path: str, content: str | bytes) -> RepoStory:
        """Write a file of the work tree."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def commit(self, message: str = "Change", *, empty: bool = False) -> str:
        """Commit everything; give the commit's id."""
        self.git("add", "--all", "--force")
        self.git("commit", "-q", "-m", message, *(["--allow-empty"] if empty else []))
        return self.git("rev-parse", "HEAD")

    def train(self, content: str | None = None, path: str = "models/churn.pkl") -> str:
        """Change the model's file and commit it; give the commit's id."""
        return self.write(path, content or f"weights {self.clock}\n").commit("Train")

    def tag(self, name: str, message: str = "by hand", target: str = "HEAD", *, light: bool = False) -> RepoStory:
        """A tag made by Git itself."""
        if light:
            self.git("tag", "--no-sign", name, target)
        else:
            self.git("tag", "-a", "--cleanup=verbatim", "-m", message, name, target)
        return self

    def raw_tag(self, ref: str, raw: bytes) -> str:
        """A tag object of any bytes, however broken, under refs/tags/REF; give its id."""
        oid = self.git("hash-object", "-t", "tag", "-w", "--literally", "--stdin", data=raw)
        self.git("update-ref", f"refs/tags/{ref}", oid)
        return oid

    @property
    def tags(self) -> list[str]:
        """The names of all tags, sorted."""
        return sorted(self.git("tag", "--list").split())

    def refs(self) -> str:
        """All refs and what they point to: equal before and after where nothing was written."""
        return self.git("for-each-ref", "--format=%(refname) %(objectname)")

    # -- the registry ----------------------------------------------------------------------------------------------

    @property
    def registry(self) -> Registry:
        """The Python API on this repository, opened anew. Notes go to `notes`."""
        return Registry(self.path, on_note=self.notes.append)

    def _now(self) -> None:
        os.environ.update(self.environment())  # tests run with a monkeypatched environment of their own; see conftest

    def register(self, artifact: str, version: str | None = None, revision: str = "HEAD", **said: Any) -> RepoStory:
        """Register a version; a commit is made first where HEAD has one of this artifact already."""
        states = self.registry.repository.state(artifact)
        head = self.git("rev-parse", revision)
        if revision == "HEAD" and states.at(head) and not said.get("force"):
            self.commit("Train", empty=True)
        self.registry_at().register(artifact, revision, version=version, **said)
        return self

    def registry_at(self) -> Registry:
        """The Python API, with the clock a minute later."""
        self._now()
        return self.registry

    def assign(self, selector: str, stage: str, **said: Any) -> RepoStory:
        """Put a version into a stage."""
        self.registry_at().assign(selector, stage, **said)
        return self

    def unassign(self, selector: str, stage: str, **said: Any) -> RepoStory:
        """Take a version out of a stage."""
        self.registry_at().unassign(selector, stage, **said)
        return self

    def deregister(self, selector: str, **said: Any) -> RepoStory:
        """Withdraw a version."""
        self.registry_at().deregister(selector, **said)
        return self

    def resolve(self, selector: str) -> str:
        """What a selector means."""
        return self.registry.find(selector)

    def cli(
        self, *arguments: str, data: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Result:
        """Run the command line as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "registry", *arguments],
            cwd=cwd or self.path,
            input=data.encode(),
            capture_output=True,
            check=False,
            env={**self.environment_whole(), **(env or {})},
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

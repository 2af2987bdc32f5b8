"""One step of a workflow, run as a process of its own, and read as GitHub's runner reads it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.story import RepoStory


@dataclass(frozen=True)
class Ran:
    """What a step did: its exit code, what it printed, its outputs and its part of the summary."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def commands(self) -> list[str]:
        """The workflow commands in the log that a runner would obey."""
        return obeyed(self.log)


@dataclass
class Step:
    """A step that runs. It has ended when its block has."""

    process: subprocess.Popen[bytes]
    place: Path
    printed: bytes = b""

    def __enter__(self) -> Step:
        return self

    def __exit__(self, *_: object) -> None:
        self.printed = self.process.communicate()[0]

    def send_signal(self, number: signal.Signals) -> None:
        """Do to it what a runner does where a job is cancelled."""
        self.process.send_signal(number)

    def ran(self) -> Ran:
        """What it did."""
        files = (self.place / name for name in ("output", "summary"))
        output, summary = (file.read_text() if file.exists() else "" for file in files)
        return Ran(self.process.returncode, self.printed.decode(), outputs_of(output), summary)


def run(repo: RepoStory | Path, event: str = "push", ref: str = "refs/heads/main", **more: Any) -> Ran:
    """Run the program as action.yml does, to its end: `start` says how."""
    with start(repo, event, ref, **more) as step:
        pass
    return step.ran()


def start(
    repo: RepoStory | Path,
    event: str = "push",
    ref: str = "refs/heads/main",
    *,
    payload: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    **inputs: str,
) -> Step:
    """Start the program as action.yml does: `inputs` are those of the action, with "_" for "-"."""
    path = repo if isinstance(repo, Path) else repo.path
    place = path.parent / f"step-{len(list(path.parent.glob('step-*')))}"
    place.mkdir()
    said = {"repository": {"default_branch": "main"}, "ref": ref, **(payload or {})}
    (place / "event.json").write_text(json.dumps(said))
    process = subprocess.Popen(
        [sys.executable, "-m", "registry.action"],
        cwd=path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # the runner reads commands out of both
        env={
            **(os.environ if isinstance(repo, Path) else repo.environment_whole()),
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(place / "event.json"),
            "GITHUB_REF": ref,
            "GITHUB_REPOSITORY": "example/models",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(path),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
            **{f"REGISTRY_INPUT_{name.upper()}": value for name, value in inputs.items()},
            **(env or {}),
        },
    )
    return Step(process, place)


def pushed(repo: RepoStory | Path, tag: str, **more: Any) -> Ran:
    """The step that the push of a tag starts."""
    return run(repo, ref=f"refs/tags/{tag}", **more)


def outputs_of(text: str) -> dict[str, str]:
    """The outputs that the runner reads out of a file: FileCommandManager.cs, EnvFileKeyValuePairs."""
    lines = text.split("\n")
    assert lines.pop() == "", "the last line ends"
    found: dict[str, str] = {}
    while lines:
        line = lines.pop(0)
        equals, arrows = line.find("="), line.find("<<")
        if equals >= 0 and (arrows < 0 or equals < arrows):
            name, value = line[:equals], line[equals + 1 :]
        else:
            assert arrows > 0, f"neither name=value nor name<<delimiter: {line!r}"
            name, delimiter = line[:arrows], line[arrows + 2 :]
            end = lines.index(delimiter)
            value, lines = "\n".join(lines[:end]), lines[end + 1 :]
        assert name not in found, f"twice: {name}"
        found[name] = value
    return found


_modern = re.compile(r"\s*::(?P<name>[^\s:]+)(?:\s[^:]*)?::")
_old = re.compile(r"##\[(?P<name>[^\]\s]+)[^\]]*\]")


def obeyed(log: str) -> list[str]:
    """The lines that a runner obeys: ActionCommandManager.cs, TryProcessCommand, with either syntax."""
    stopped = ""
    found = []
    for line in re.split(r"\r\n|\r|\n", log):
        command = _modern.match(line) or _old.search(line)
        if command is None:
            continue
        if stopped:
            stopped = "" if command["name"] == stopped else stopped
        elif command["name"] == "stop-commands":
            stopped = line.partition("::stop-commands::")[2]
        else:
            found.append(line)
    assert not stopped, "commands are on again at the end"
    return found

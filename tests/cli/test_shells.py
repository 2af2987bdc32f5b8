"""Completion in the real shells: keys typed at a terminal, as README.md sets them up."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.story import RepoStory

PATIENCE = 60.0  # seconds of silence after which a shell is given up

SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        'eval "$(_REGISTRY_COMPLETE=bash_source registry)"; COMP_WORDBREAKS=${COMP_WORDBREAKS//[@:=]}',
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit && compinit -u -D; eval "$(_REGISTRY_COMPLETE=zsh_source registry)"',
    ),
    "fish": (["fish", "--no-config", "-i"], "_REGISTRY_COMPLETE=fish_source registry | source"),
}


class Terminal:
    """A shell at a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._said = b""

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._descriptor, keys.encode())

    def until(self, words: str) -> None:
        """Wait until the terminal has shown `words` since it was last waited for."""
        while words.encode() not in self._said:
            ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
            assert ready, f"{words!r} was not shown, but {self._said!r}"
            self._said += os.read(self._descriptor, 65536)
        self._said = self._said.partition(words.encode())[2]


@contextmanager
def shell(command: list[str], environment: dict[str, str]) -> Iterator[Terminal]:
    """A shell of its own at a terminal; it ends with the block."""
    process, descriptor = pty.fork()
    if process == 0:
        os.execvpe(command[0], command, environment)  # noqa: S606
    try:
        yield Terminal(descriptor)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(descriptor)


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_completes_names_versions_and_stages(repo: RepoStory, tmp_path: Path, name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    program = tmp_path / "bin" / "registry"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c 'from registry.cli import main; main()' \"$@\"\n"
    )
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    command, setup = SHELLS[name]

    with shell(command, {**os.environ, "PATH": path, "TERM": "dumb", "PS1": "$ "}) as terminal:
        terminal.type(f"{setup}; echo rea''dy\n")
        terminal.until("ready")
        commit = repo.git("rev-parse", "HEAD")
        for typed, answer in (
            ("resolve --commit ch\t\n", commit), ("resolve --commit churn@v1\t\n", commit),
            ("resolve --commit churn#pr\t\n", commit), ("unassign --dry-run churn pro\t\n", "churn#production!#3"),
        ):  # fmt: skip
            terminal.type(f"registry {typed}")
            terminal.until(answer)

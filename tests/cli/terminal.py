"""A pseudo-terminal of a given width, and what a command draws on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """`text` without colours."""
    return _ESCAPE.sub("", text)


def on_terminal(
    *words: str,
    columns: int = 80,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    typed: str = "",
) -> tuple[int, str]:
    """Run `registry WORDS` on a terminal, with `typed` typed ahead: its exit code and the screen, newlines as \\n.

    `env` is laid over the environment, None takes a variable out; nothing is paged unless it says so.
    """
    return screen([sys.executable, "-m", "registry", *words], columns=columns, cwd=cwd, env=env, typed=typed)


def screen(
    program: Sequence[str],
    *,
    columns: int = 80,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    typed: str = "",
) -> tuple[int, str]:
    """The same for any program."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}}
    laid = {**environment, "TERM": "xterm", "GIT_PAGER": "cat", **(env or {})}
    os.write(ours, typed.encode())
    with subprocess.Popen(
        program, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd,
        env={name: value for name, value in laid.items() if value is not None}, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # EIO: nobody holds the other end any more (pty(7))
                break
            if not block:
                break
            seen += block
    os.close(ours)
    return process.returncode, seen.decode().replace("\r\n", "\n")

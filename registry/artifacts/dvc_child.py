"""The program in which DVC fetches, in a process of its own; `dvc.py` gives its text to an interpreter.

What to fetch and the configuration, with what is secret in it, come as one line through stdin, so that no file holds
them. Stdin stays open as long as the parent lives: where it ends, so does this.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import threading
from typing import Any


def main() -> int:
    """Fetch what the line asks for; what goes wrong is said on stderr."""
    asked = json.loads(_line())
    parent = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    logging.getLogger().addHandler(_Words(logging.WARNING))
    try:
        repo: Any = importlib.import_module("dvc.repo").Repo(config=asked["config"])
        repo.fetch(targets=asked["targets"])
    except Exception as error:  # noqa: BLE001  (whatever it is, the parent says it)
        _say("ERROR", _reason(error))
        return 1
    return 0


def _line() -> bytes:
    said = b""
    while not said.endswith(b"\n"):
        chunk = os.read(0, 1 << 16)
        if not chunk:
            os._exit(1)
        said += chunk
    return said


def _watch(parent: int) -> None:
    while os.read(parent, 1):
        pass
    os._exit(1)


class _Words(logging.Handler):
    """What DVC and its libraries complain about, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        why = _reason(error) if isinstance(error, Exception) else ""
        said = record.getMessage()
        _say(record.levelname, f"{said}: {why}" if why and why not in said else said)


def _reason(error: BaseException) -> str:
    said = str(error) or type(error).__name__
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    root = str(first) or type(first).__name__
    return said if root in said else f"{said}: {root}"


def _say(level: str, text: str) -> None:
    sys.stderr.write(f"{level}: {' '.join(text.split())}\n")


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # no thread of a library's is waited for

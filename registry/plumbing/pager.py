"""Which program shows a long text to the person at a terminal: Git's own choice, but for what a repository says."""

from __future__ import annotations

import os

from registry.errors import GitFailed
from registry.plumbing.process import Git

_DEFAULT = "less"
# Git takes core.pager from the repository's own settings as well; a stranger's repository must run nothing.
_SCOPES = {b"system", b"global", b"command"}


def pager() -> str:
    """The shell's words for it, or "" where the person wants none: GIT_PAGER, core.pager, PAGER, less (git-var(1))."""
    chosen = os.environ.get("GIT_PAGER")
    if chosen is None:
        chosen = _configured()
    if chosen is None:
        chosen = os.environ.get("PAGER", _DEFAULT)
    return "" if chosen == "cat" else chosen


def _configured() -> str | None:
    try:
        said = Git(".").read("config", "-z", "--show-scope", "--get-all", "core.pager", check=False)
    except GitFailed:  # no git, or no directory any more: neither is what was asked
        return None
    fields = said.split(b"\0")
    values = [value for scope, value in zip(fields[::2], fields[1::2], strict=False) if scope in _SCOPES]
    return os.fsdecode(values[-1]) if values else None

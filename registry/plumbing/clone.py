"""Where a clone keeps things, Git's and ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from registry.plumbing.process import Git


@dataclass(frozen=True, slots=True)
class Clone:
    """Where a clone keeps things: git runs in `git`, `git_dir` is this worktree's, `common_dir` all worktrees'."""

    git: Git
    git_dir: Path
    common_dir: Path

    @property
    def room(self) -> Path:
        """Our own directory in the clone."""
        return self.common_dir / "registry"

    @property
    def journal(self) -> Path:
        """What a transaction under way is about to do."""
        return self.room / "journal"

    def lock_file(self, ref: str) -> Path:
        """The file by which Git locks `ref`; HEAD is the worktree's own."""
        return (self.git_dir if ref == "HEAD" else self.common_dir) / f"{ref}.lock"

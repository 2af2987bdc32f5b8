"""Walking back through commits, one parent after the other, in a clone that may not have all of them."""

from __future__ import annotations

from pathlib import Path

from registry.plumbing.process import Git
from registry.plumbing.remote import Progress, Remote, fetch_specs


def first_parents(git: Git, commit: str, count: int) -> list[str]:
    """`commit` and those before it on the line of first parents, which is what a branch was; at most `count`."""
    listing = git.read("rev-list", "--first-parent", f"--max-count={count}", commit)
    return listing.decode().split()


def parents(git: Git, commit: str) -> list[str]:
    """The parents that a commit names, whether they are here or not."""
    # As it is written: asked in any other way, Git leaves out what is not in a shallow clone.
    lines = git.read("cat-file", "commit", commit).partition(b"\n\n")[0].split(b"\n")
    return [line.removeprefix(b"parent ").decode() for line in lines if line.startswith(b"parent ")]


def cut_off(common_dir: Path) -> frozenset[str]:
    """The commits of a shallow clone whose parents are not here: gitformat-shallow(5)."""
    try:
        return frozenset((common_dir / "shallow").read_text().split())
    except OSError:
        return frozenset()


def is_cut_off(common_dir: Path) -> bool:
    """Whether a clone is shallow."""
    return (common_dir / "shallow").exists()


def deepen(git: Git, place: Remote, commit: str, count: int, progress: Progress) -> None:
    """Bring `count` more commits below where the history of `commit` is cut off. Raises GitFailed."""
    fetch_specs(git, place, [commit], progress, (f"--deepen={count}",))

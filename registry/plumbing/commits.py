"""Committing exactly the paths that were named, without touching anything else of the user's (DESIGN part 6)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.plumbing.process import Git
from registry.plumbing.write import RefChange


@dataclass(frozen=True, slots=True)
class Prepared:
    """A commit that no ref names yet. `change` moves the branch (or a detached HEAD) to it, and the index with it."""

    commit: str
    change: RefChange


def prepare(git: Git, room: Path, parent: str | None, paths: Sequence[str], message: str) -> Prepared | None:
    """A commit with `paths` as they are in the work tree, over `parent`; None where that would change nothing.

    `room` is a directory of ours for the index that it is made in: the user's own is neither read nor written, so that
    what is staged stays staged, and is not part of the commit. `paths` are absolute.
    """

    def stage(environment: dict[str, str]) -> None:
        # --force: a file that was named is wanted, even where .gitignore would leave it out.
        git.write("--literal-pathspecs", "add", "--force", "--", *paths, environment=environment)

    return _prepared(git, room, parent, stage, paths, message)


def prepare_text(
    git: Git, room: Path, parent: str | None, place: tuple[str, str], text: str, message: str
) -> Prepared | None:
    """The same with one file that says `text`, whatever it says in the work tree.

    `place` is its path from the root, and the absolute one, which the user's index follows.
    """
    path, file = place

    def stage(environment: dict[str, str]) -> None:
        there = git.read("ls-tree", "--full-tree", parent, "--", path).split() if parent is not None else []
        blob = git.write("hash-object", "-w", "--stdin", data=text.encode()).decode().strip()
        entry = f"{there[0].decode() if there else '100644'} {blob}\t{path}\0".encode(errors="surrogateescape")
        git.write("update-index", "-z", "--index-info", data=entry, environment=environment)

    return _prepared(git, room, parent, stage, [file], message)


def _prepared(
    git: Git,
    room: Path,
    parent: str | None,
    stage: Callable[[dict[str, str]], None],
    paths: Sequence[str],
    message: str,
) -> Prepared | None:
    index = room / f"index.{os.getpid()}"
    environment = {"GIT_INDEX_FILE": str(index)}
    try:
        git.write("read-tree", parent or "--empty", environment=environment)
        stage(environment)
        tree = git.write("write-tree", "--missing-ok", environment=environment).decode().strip()
    finally:
        for leftover in (index, index.with_name(f"{index.name}.lock")):
            leftover.unlink(missing_ok=True)
    return over(git, parent, tree, tuple(paths), message)


def over(git: Git, parent: str | None, tree: str, paths: tuple[str, ...], message: str) -> Prepared | None:
    """A commit of `tree` over `parent`, in which `paths` are others; None where none is."""
    if parent is not None and git.read("rev-parse", f"{parent}^{{tree}}").decode().strip() == tree:
        return None
    parents = ["-p", parent] if parent is not None else []
    # commit-tree looks at no setting, so commit.gpgSign is handed on.
    sign = git.read("config", "--type=bool", "--get", "commit.gpgSign", check=False).strip() == b"true"
    made = git.write("commit-tree", tree, *parents, *(["-S"] if sign else []), data=message.encode() + b"\n")
    commit = made.decode().strip()
    return Prepared(commit, RefChange(_branch(git), parent, commit, paths))


def _branch(git: Git) -> str:
    name = git.read("symbolic-ref", "--quiet", "HEAD", check=False)
    return name.decode(errors="surrogateescape").removesuffix("\n") or "HEAD"

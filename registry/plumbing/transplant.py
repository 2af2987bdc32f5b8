"""Carrying files from one repository into another: their objects, and a parentless commit that holds exactly these."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.errors import Refused
from registry.plumbing.objects import CommitSummary, Entry
from registry.plumbing.process import Git


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is in neither repository: its path and its bytes."""

    path: str
    data: bytes


def carry(source: Git, target: Git, entries: Sequence[Entry]) -> None:
    """Have the blobs of `entries` in `target`. Raises Refused where the two keep objects differently, or GitFailed."""
    oids = list(dict.fromkeys(entry.oid for entry in entries))
    forms = {git.read("rev-parse", "--show-object-format").strip() for git in (source, target)}
    if len(forms) > 1:
        raise Refused("one repository names its objects by SHA-1 and the other by SHA-256", "nothing can be carried")
    if not oids:
        return
    listing = "".join(f"{oid}\n" for oid in oids).encode()
    # One pack, streamed from one git to the other: models are large.
    into = ("index-pack", "--stdin", "--fix-thin")
    source.hand_over("pack-objects", "--stdout", "-q", "--delta-base-offset", data=listing, to=target, into=into)


def parentless(
    target: Git, room: Path, entries: Sequence[Entry], more: Sequence[NewFile], message: str, by: CommitSummary | None
) -> str:
    """A commit without parents that holds `entries` and `more`, and nothing else; no ref names it.

    `by` is whose work it is, None for the writer's. `room` is a directory of ours for the index that it is made in.
    """
    index = room / f"index.{os.getpid()}"
    environment = {"GIT_INDEX_FILE": str(index)}
    lines = [f"{entry.mode} {entry.oid}\t{entry.path}\0" for entry in entries]
    for file in more:
        oid = target.write("hash-object", "-w", "--no-filters", "--stdin", data=file.data).decode().strip()
        lines.append(f"100644 {oid}\t{file.path}\0")
    try:
        target.write("read-tree", "--empty", environment=environment)
        # Git refuses what would lead out of a work tree (.git, "..") here, whoever had it in theirs.
        target.write(
            *("update-index", "-z", "--add", "--index-info"),
            data="".join(lines).encode(errors="surrogateescape"),
            environment=environment,
        )
        tree = target.write("write-tree", environment=environment).decode().strip()
    finally:
        for leftover in (index, index.with_name(f"{index.name}.lock")):
            leftover.unlink(missing_ok=True)
    author = {} if by is None else {
        "GIT_AUTHOR_NAME": by.author or by.email or "unknown",
        "GIT_AUTHOR_EMAIL": by.email,
        "GIT_AUTHOR_DATE": by.date,
    }  # fmt: skip
    return target.write("commit-tree", tree, data=message.encode(), environment=author).decode().strip()

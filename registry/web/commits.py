"""Commits: their ids, and what they say of themselves, many with one question to Git."""

from __future__ import annotations

import re
from collections.abc import Sequence

from registry.core.events import parse_signatory
from registry.plumbing.objects import CommitSummary, read_objects
from registry.repository import Repository

_LIMIT = 1_000_000  # bytes of one commit; of a longer one nothing is shown

_id = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_id(text: str) -> bool:
    """Whether a text is the full id of an object."""
    return _id.fullmatch(text) is not None


def summaries(repository: Repository, commits: Sequence[str]) -> list[CommitSummary | None]:
    """What each commit says of itself, or None where this clone does not have it."""
    found = read_objects(repository.git, commits, only_type="commit", limit=_LIMIT)
    return [_summary(oid, one.data) if one.data is not None else None for oid, one in zip(commits, found, strict=True)]


def _summary(oid: str, raw: bytes) -> CommitSummary:
    head, _, message = raw.decode(errors="replace").partition("\n\n")
    author = next((line.removeprefix("author ") for line in head.split("\n") if line.startswith("author ")), "")
    by = parse_signatory(author)
    # The subject is the first paragraph on one line, as git-log(1) has it in %s.
    subject = " ".join(message.lstrip("\n").partition("\n\n")[0].split("\n")).strip()
    return CommitSummary(oid, subject, by.name, by.email, by.iso)

"""Registry heads: the refs `refs/registry/A@head` by which writers of an artifact compare and swap (DESIGN part 6)."""

from __future__ import annotations

from collections.abc import Iterable

from registry.core import names
from registry.core.events import Event
from registry.plumbing import tags
from registry.plumbing.remote import HEADS
from registry.plumbing.write import RefChange
from registry.repository import Repository


def head_ref(artifact: str, prefix: str = HEADS) -> str:
    """The head of `artifact`, below `prefix`."""
    return f"{prefix}{names.in_tag(artifact)}@head"


def artifact_of(ref: str) -> str | None:
    """The artifact whose head is `ref`, None where it is nobody's."""
    name = names.from_tag(ref[len(HEADS) :].removesuffix("@head"))
    return name if names.is_artifact(name) and head_ref(name) == ref else None


def head_changes(repository: Repository, events: Iterable[Event]) -> list[RefChange]:
    """The moves of heads to the last of `events` of each artifact, in a repository that is bare or has that head.

    DESIGN part 6: there a local write moves it, for the repository may be the one that others publish to.
    """
    last = {head_ref(event.artifact): event.oid for event in events}
    if not last:
        return []
    wanted = list(last) if len(last) == 1 else [HEADS]
    there = tags.tag_ids(repository.git, wanted, "")
    if last.keys() - there.keys() and not repository.bare:
        last = {ref: oid for ref, oid in last.items() if ref in there}
    return [RefChange(ref, there.get(ref), oid) for ref, oid in last.items()]

"""What a checkout by CI leaves out or leaves behind, and how it is mended: with the least fetching (DESIGN part 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from registry.core.names import parse_tag
from registry.errors import Refused, UsageError
from registry.plumbing import changes, history, remote, tags, write
from registry.plumbing.remote import Remote
from registry.plumbing.write import RefChange
from registry.repository import Repository
from registry.writing.standing import WITHDRAWN, Standing, refresh, standings, take_in, unequal

_id = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DEEPER = (1, 2, 8, 32, 128, 512)  # commits, each time: a change has few, and a merge of it is one above


def repair(repository: Repository, tag: str | None, base: str | None, waiting: Callable[[], None]) -> tuple[str, ...]:
    """Make the tags of the artifact that `tag` is about, of all where it is None, those of the remote, and bring the
    history down to `base`. Gives the tags of events that the remote does not have so: they are withdrawn.

    actions/checkout brings one commit, no tags, and the tag that triggered it as a lightweight one, which becomes the
    annotated one that it is. A workspace that is used again has tags of earlier jobs: what the remote has deleted or
    never had would count here, and be published. A clone that was cut off is made a partial one first, so that nobody's
    models come along with tags and commits; Git brings the rest of a commit when somebody asks for it. For clones of CI
    alone: it writes to the clone's configuration, and moves tags. Without a remote, nothing is to be done. Raises
    GitFailed where the remote cannot be asked, UsageError for a `base` that is no full id.
    """
    if base is not None and not _id.fullmatch(base):
        raise UsageError(f"not the full id of a commit: {base!r}", "git rev-parse gives it")
    if repository.pushes or remote.choose(repository.git) is None:
        return ()
    place = repository.remote()
    shallow = history.is_cut_off(repository.clone.common_dir)
    if shallow:
        remote.make_partial(repository.git, place)
    named = parse_tag(tag) if tag is not None else None
    withdrawn: tuple[str, ...] = ()
    if tag is None or named is not None:
        withdrawn = _follow(repository, place, [named.artifact] if named is not None else None, waiting)
    if base is not None:
        remote.bring_commit(repository.git, place, base, repository.progress, alone=shallow)
        if shallow:
            _connect(repository, base)
    return withdrawn


def _follow(
    repository: Repository, place: Remote, artifacts: Sequence[str] | None, waiting: Callable[[], None]
) -> tuple[str, ...]:
    repository.focus(*artifacts or ())
    with repository.locked(waiting) as held:
        refresh(held, repository, place, artifacts)
        found = list(standings(repository, place, artifacts or unequal(repository, place)).values())
        wrong = {name: oid for one in found for name, oid in _wrong(one)}
        there = {name: oid for one in found for name, oid in one.there.items()}
        if wrong:
            before = tags.tag_ids(repository.git, [WITHDRAWN], "")
            kept = {f"{WITHDRAWN}{oid}": oid for oid in wrong.values()}
            moved = [RefChange(f"{tags.PREFIX}{name}", oid, there.get(name)) for name, oid in wrong.items()]
            new = [RefChange(ref, None, oid) for ref, oid in kept.items() if ref not in before]
            write.transact(held, [*new, *moved], "registry: withdraw")
        # A second step: Git makes no tag beside one that it removes, where the one's name leads to the other's.
        brought = take_in(held, found, repository)
        repository.forget()
    if brought.left_out:
        raise Refused(
            f"the tag {brought.left_out[0]} of {place.name} cannot be a tag here beside one that is here",
            "git tag -d deletes that one; a new clone has neither",
        )
    return tuple(event.tag for one in found for event in (*one.unpublished, *one.withheld))


def _wrong(one: Standing) -> Iterator[tuple[str, str]]:
    """The tags of events that the remote does not have, and of what is something else there, and what they are here."""
    light = {event.tag: event.commit for event in one.base.events}  # which taking in makes whole
    yield from ((event.tag, event.oid) for event in (*one.unpublished, *one.withheld) if event.tag not in one.there)
    yield from ((name, one.here[name]) for name in one.differing if one.here[name] != light.get(name))


def _connect(repository: Repository, base: str) -> None:
    """Bring as much history as leads from `base` and from HEAD to a commit that they share."""
    git = repository.git
    for count in _DEEPER:
        if repository.head is None or changes.merge_base(git, repository.head, base) is not None:
            return
        before = history.cut_off(repository.clone.common_dir)
        for commit in (repository.head, base):
            repository.deepen(commit, count)
        if history.cut_off(repository.clone.common_dir) == before:
            return  # there is no more

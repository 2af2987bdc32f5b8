"""What a checkout by CI leaves out, and how it is brought: with the least fetching (DESIGN part 8)."""

from __future__ import annotations

import re
from collections.abc import Callable

from registry.core.names import parse_tag
from registry.errors import UsageError
from registry.plumbing import changes, history, remote
from registry.porcelain.sync import fetch
from registry.repository import Repository

_id = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DEEPER = (1, 2, 8, 32, 128, 512)  # commits, each time: a change has few, and a merge of it is one above


def repair(repository: Repository, tag: str | None, base: str | None, waiting: Callable[[], None]) -> None:
    """Bring the tags of the artifact that `tag` is about, of all where it is None, and the history down to `base`.

    actions/checkout brings one commit, no tags, and the tag that triggered it as a lightweight one, which becomes the
    annotated one that it is. A clone that was cut off is made a partial one first, so that nobody's models come along
    with tags and commits; Git brings the rest of a commit when somebody asks for it. For clones of CI alone: it writes
    to the clone's configuration. Without a remote, nothing is to be done. Raises GitFailed where the remote cannot be
    asked, UsageError for a `base` that is no full id.
    """
    if base is not None and not _id.fullmatch(base):
        raise UsageError(f"not the full id of a commit: {base!r}", "git rev-parse gives it")
    if repository.pushes or remote.choose(repository.git) is None:
        return
    place = repository.remote()
    shallow = history.is_cut_off(repository.clone.common_dir)
    if shallow:
        remote.make_partial(repository.git, place)
    named = parse_tag(tag) if tag is not None else None
    if tag is None or named is not None:
        fetch(repository, [named.artifact] if named is not None else [], None, waiting, unknown=True)
    if base is not None:
        remote.bring_commit(repository.git, place, base, repository.progress, alone=shallow)
        if shallow:
            _connect(repository, base)


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

"""Where in the history of a branch a line of a manifest began to say what it says (DESIGN part 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from registry.core import names
from registry.core.desired import Wish
from registry.core.manifest import Manifest
from registry.errors import GitFailed
from registry.manifests import read
from registry.plumbing import history
from registry.plumbing.objects import Extent
from registry.repository import Repository

_FIRST, _MOST = 2, 64  # commits that are looked at together: most lines are young, and manifests may be large
_GROWTH = 4


def beginnings(repository: Repository, tip: str, wanted: Iterable[Wish]) -> dict[Wish, str]:
    """For each of `wanted`, all of which hold at `tip`: the commit where the present unbroken run of it began.

    The line of first parents is walked, so what a merge brought began with the merge. A shallow clone is deepened as
    far as needed. Raises GitFailed where its remote does not give more.
    """
    began = dict.fromkeys(wanted, tip)
    left = list(began)
    for commit, manifests in _back(repository, tip, sorted({_file(wish) for wish in began})) if left else ():
        left = [wish for wish in left if wish.stands_in(manifests[_file(wish)])]
        if not left:
            break
        began.update(dict.fromkeys(left, commit))
    return began


def _file(wish: Wish) -> str:
    """The one manifest that can say so: no other kind of file has a `version` or an `assign`."""
    return read.manifest_paths(names.directory_of(wish.artifact))[0]


def _back(repository: Repository, tip: str, paths: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Manifest]]]:
    """The commits from `tip` back with the manifests at `paths`. One that is broken says nothing."""
    known: dict[tuple[str, str], Manifest] = {}
    for commits in _chunks(repository, tip):
        places = [(commit, path) for commit in commits for path in paths]
        repository.bring_all(places, Extent.BYTES, strict=True)  # what could not be fetched would look like a break
        found = iter(repository.blobs_at(places))
        for commit in commits:
            at = {}
            for path in paths:
                blob = next(found)
                if blob.type == "blob" and blob.data is None:
                    raise GitFailed(f"{path} at {commit[:7]} is too large to be read", "registry check says more")
                if (path, blob.oid) not in known:
                    known[path, blob.oid] = read.read({} if blob.data is None else {path: blob.data})
                at[path] = known[path, blob.oid]
            yield commit, at


def _chunks(repository: Repository, tip: str) -> Iterator[list[str]]:
    size, last = _FIRST, tip
    more = _FIRST
    commits = history.first_parents(repository.git, tip, size)
    while commits:
        yield commits
        last = commits[-1]
        size = min(size * _GROWTH, _MOST)
        commits = history.first_parents(repository.git, last, size + 1)[1:]
        if not commits and last in history.cut_off(repository.clone.common_dir):
            repository.deepen(tip, more)
            more *= _GROWTH
            commits = history.first_parents(repository.git, last, size + 1)[1:]
            if not commits:
                hint = "git fetch --unshallow brings all of it"
                raise GitFailed(f"the history of {tip[:7]} ends at {last[:7]} in this shallow clone", hint)

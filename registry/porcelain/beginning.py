"""Where in the history of a branch a line of a manifest began to say what it says (DESIGN part 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from registry.core import names
from registry.core.desired import Wish
from registry.errors import GitFailed, Refused
from registry.manifests import read
from registry.plumbing import history
from registry.plumbing.objects import Extent, Object, TooMuch
from registry.repository import Repository

_FIRST, _MOST = 2, 64  # commits that are looked at together: most lines are young, and manifests may be large
_GROWTH = 4
_TOGETHER = 20_000_000  # bytes that are read at once
WALKED = 500_000_000  # bytes of one walk: of a manifest of 1,000 models, some 2,500 changes; about ten minutes


def beginnings(repository: Repository, tip: str, wanted: Iterable[Wish], remote: str | None = None) -> dict[Wish, str]:
    """For each of `wanted`, all of which hold at `tip`: the commit where the present unbroken run of it began.

    The line of first parents is walked, so what a merge brought began with the merge. A shallow clone is deepened as
    far as needed, from `remote` (by default the one that Git would take). Raises GitFailed where that does not give
    more, Refused where there is more to read than anybody waits for.
    """
    began = dict.fromkeys(wanted, tip)
    runs: dict[str, list[Wish]] = {}
    for wish in began:
        runs.setdefault(_file(wish), []).append(wish)
    last, ids, read_ = tip, dict.fromkeys(runs, ""), 0
    for commit, blobs in _back(repository, tip, sorted(runs), remote) if runs else ():
        for path in [path for path in runs if commit == tip or blobs[path].oid != ids[path]]:
            data = blobs[path].data or b""
            if (read_ := read_ + len(data)) > WALKED:
                raise Refused(
                    f"the history of {path} is more than {WALKED // 1_000_000} MB: where its lines began is not known",
                    "registry register makes those versions by hand",
                )
            manifest = read.read({path: data} if blobs[path].data is not None else {})
            left = [wish for wish in runs[path] if wish.stands_in(manifest)]
            began.update(dict.fromkeys(set(runs[path]) - set(left), last))
            runs[path], ids[path] = left, blobs[path].oid
        runs = {path: left for path, left in runs.items() if left}
        if not runs:
            break
        last = commit
    return {**began, **{wish: last for left in runs.values() for wish in left}}


def _file(wish: Wish) -> str:
    """The one manifest that can say so: no other kind of file has a `version` or an `assign`."""
    return read.manifest_paths(names.directory_of(wish.artifact))[0]


def _back(
    repository: Repository, tip: str, paths: Sequence[str], remote: str | None
) -> Iterator[tuple[str, Mapping[str, Object]]]:
    """The commits from `tip` back with what is at `paths`; without bytes where that is no file, or too large."""
    for commits in _chunks(repository, tip, remote):
        places = [(commit, path) for commit in commits for path in paths]
        repository.bring_all(places, Extent.BYTES, strict=True)  # what could not be fetched would look like a break
        yield from _read(repository, commits, paths)


def _read(
    repository: Repository, commits: Sequence[str], paths: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Object]]]:
    """What is at `paths` of each of `commits`, by as many questions as the bytes need. Raises Refused."""
    try:
        found = iter(repository.blobs_at([(c, path) for c in commits for path in paths], total=_TOGETHER))
    except TooMuch:
        if len(commits) == 1:
            raise Refused(
                f"the manifests at {commits[0][:7]} have more than {_TOGETHER // 1_000_000} MB together",
                "put data into files of their own, and their paths into the manifest",
            ) from None
        half = len(commits) // 2
        yield from _read(repository, commits[:half], paths)
        yield from _read(repository, commits[half:], paths)
    else:
        for commit in commits:
            yield commit, {path: next(found) for path in paths}


def _chunks(repository: Repository, tip: str, remote: str | None) -> Iterator[list[str]]:
    """The first parents from `tip` on, a few at first, then more at once."""
    size, deeper = _FIRST, _FIRST
    commits = history.first_parents(repository.git, tip, size)
    while commits:
        yield commits
        size, last = min(size * _GROWTH, _MOST), commits[-1]
        commits = history.first_parents(repository.git, last, size + 1)[1:]
        if not commits and _is_cut_off(repository, last):
            repository.deepen(last, deeper, remote)
            deeper *= _GROWTH
            commits = history.first_parents(repository.git, last, size + 1)[1:]
            if not commits and _is_cut_off(repository, last):
                hint = "git fetch --unshallow brings all of it"
                raise GitFailed(f"the history of {tip[:7]} ends at {last[:7]} in this shallow clone", hint)


def _is_cut_off(repository: Repository, commit: str) -> bool:
    return commit in history.cut_off(repository.clone.common_dir)

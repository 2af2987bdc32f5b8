"""Work that needs a work tree, on a repository that has none: in a clone that is made for it and thrown away."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from registry.errors import GitFailed, NotFound, Taken
from registry.plumbing import remote
from registry.plumbing.process import Git
from registry.porcelain.sync import unpublished
from registry.repository import Repository, open_repository
from registry.writing.publish import pause, publish
from registry.writing.values import Way

T = TypeVar("T")

_TRIES = 10
_FASTER = re.compile(r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref")


def at_work(repository: Repository, work: Callable[[Repository], T], waiting: Callable[[], None]) -> T:
    """What `work` gives, done in a clone of `repository`; its commits and its events are published then, all or none.

    They are published as they are: where somebody was faster, all is done again in a new clone. Raises what `work`
    raises, Taken where others are faster each time, and Refused or GitFailed where the branch may not be pushed to;
    nothing is published then.
    """
    for attempt in range(1, _TRIES + 1):
        with _cloned(repository) as there:
            before = there.head
            done = work(there)
            there.refresh()
            if _published(there, there.head != before, waiting):
                repository.refresh()
                return done
        if attempt < _TRIES:
            pause(attempt)
    raise Taken(f"others were faster at {repository.name}, {_TRIES} times", "try again")


def _published(there: Repository, moved: bool, waiting: Callable[[], None]) -> bool:
    """Whether the branch, if it has `moved`, and the events could be published; not where somebody was faster."""
    if moved:
        _send_bytes(there)
    if not unpublished(there, (), None).tags:
        return not moved or _pushed(there)
    branch = {_branch(there): there.head} if moved and there.head is not None else {}
    try:
        publish(there, there.remote(), None, Way(), waiting, also=branch)
    except Taken:
        return False
    return True


def _send_bytes(there: Repository) -> None:
    """Send what Git LFS keeps for the new commits, as its hook would: the clone that has it is thrown away."""
    kept = there.clone.common_dir / "lfs" / "objects"
    if any(one.is_file() for one in kept.rglob("*")):
        place = there.remote()
        branch = _branch(there).removeprefix("refs/heads/")
        # forceprogress, so that it is heard: silence is taken for a server that hangs.
        words = ("-c", "lfs.forceprogress=true", "lfs", "push", place.in_git, branch)
        there.git.network(*words, progress=there.progress, remote=place.name)


@contextmanager
def _cloned(repository: Repository) -> Iterator[Repository]:
    """A shallow clone of the default branch, written to by whoever writes to `repository`."""
    by = repository.writer()
    url, talking = _address(repository)
    with tempfile.TemporaryDirectory(prefix="registry-") as place:
        # A file of Git LFS stays a pointer: what is committed here is other files.
        git = Git(place, False, (("GIT_LFS_SKIP_SMUDGE", "1"),), talking)
        words = ("clone", "--quiet", "--progress", "--depth=1", "--no-tags", "--end-of-options", url, f"{place}/clone")
        git.network(*words, progress=repository.progress, remote=repository.name)
        there = open_repository(f"{place}/clone")
        there.progress = repository.progress
        there.clone = replace(there.clone, git=replace(there.git, settings=git.settings, talking=talking))
        for key, value in (("user.name", by.name), ("user.email", by.email)):
            there.git.write("config", key, value)
        yield there


def _address(repository: Repository) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Where a clone is made from, and what the git that does it is told besides."""
    if repository.pushes:  # at a URL: its mirror knows it without the password, which the environment has
        return repository.name, repository.git.talking
    return Path(os.path.realpath(repository.clone.common_dir)).as_uri(), ()


def _branch(there: Repository) -> str:
    branch = there.git.read("symbolic-ref", "--quiet", "HEAD", check=False).decode().strip()
    if not branch:
        raise NotFound("the repository has no default branch", "push a branch there first")
    return branch


def _pushed(there: Repository) -> bool:
    """Whether the branch alone could be published; not where somebody was faster."""
    branch = _branch(there)
    place = there.remote()
    words = ("push", "--porcelain", "--progress", "--no-verify", "--end-of-options", place.in_git, f"HEAD:{branch}")
    answer = there.git.network(*words, check=False, progress=there.progress, remote=place.name)
    if answer.code == 0:
        return True
    said = (answer.out + answer.err).decode(errors="replace")
    if (
        _FASTER.search(said) and "File exists" not in said
    ):  # a lock that a killed git left there is nobody who is faster
        return False
    lost = next((line for line in answer.out.decode(errors="replace").splitlines() if line.startswith("!")), "")
    reason = lost.rpartition("\t")[2] or there.git.complaint(words, answer).message
    url = remote.url_of(there.git, place.name)
    raise GitFailed(
        f"{branch.removeprefix('refs/heads/')} of {url} cannot be pushed to: {reason}", "edit it in a clone"
    )

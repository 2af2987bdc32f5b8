"""Picking a commit: the line of a branch, and what the manifest says of an artifact at each commit of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.core import names
from registry.errors import RegistryError
from registry.porcelain.manifests import FILE
from registry.web.commits import is_id
from registry.web.refusal import Refusal

if TYPE_CHECKING:
    from registry.core.manifest import Manifest
    from registry.repository import Repository

SIZE = 15  # all of which are seen: a box that scrolls would cut one in half
_ABSENT = "not in this clone"
_BRANCHES = 100  # to choose from; any other can be typed as a revision


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit to pick. `declared` is what the manifest calls the artifact's file there, None where it declares none;
    `versions` are those of the artifact that it is already."""

    id: str
    subject: str
    author: str
    date: str
    declared: str | None
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picker:
    """A page of commits of a branch, the newest first. `older` begins the next page, "" where there is none; `problem`
    is why there are none."""

    commits: Sequence[Commit]
    branch: str
    branches: Sequence[str]
    before: str
    older: str
    problem: Refusal | None = None


def pick(repository: Repository, artifact: str, branch: str = "", before: str = "") -> Picker:
    """The commits of `branch` (HEAD where none is named), on the line of first parents, those `before` one.

    What cannot be read is said in `problem`: a hash can be typed even so.
    """
    branches = _branches(repository)
    offered = branches[:_BRANCHES]
    before = before if is_id(before) else ""
    if branch and branch not in branches:
        return Picker((), branch, offered, before, "", _no_branch(branch))
    try:
        start = repository.commit(before or (f"refs/heads/{branch}" if branch else "HEAD"))
        rows = _line(repository, start, skip=bool(before))
    except RegistryError as error:
        return Picker((), branch, offered, before, "", Refusal.of(error))
    shown = rows[:SIZE]
    known = names.is_artifact(artifact)
    ids = [row[0] for row in shown]
    declared = _declared(repository, ids, artifact) if known else {}
    already = _already(repository, artifact) if known else {}
    commits = [Commit(*row, declared.get(row[0]), tuple(already.get(row[0], ()))) for row in shown]
    return Picker(commits, branch, offered, before, ids[-1] if len(rows) > SIZE else "")


def wrong_branch(repository: Repository, branch: str) -> Refusal | None:
    """What is wrong with a branch that was chosen; nothing where none was."""
    return _no_branch(branch) if branch and branch not in _branches(repository) else None


def _no_branch(branch: str) -> Refusal:
    return Refusal(f"no branch is called {branch}", "choose one of the list, or HEAD")


def _branches(repository: Repository) -> list[str]:
    if repository.pushes:
        return []  # at a URL, none of them is here
    listing = repository.git.read("for-each-ref", "--sort=-committerdate", "--format=%(refname:lstrip=2)", "refs/heads")
    return listing.decode(errors="replace").splitlines()


def _line(repository: Repository, start: str, *, skip: bool) -> list[tuple[str, str, str, str]]:
    """Each commit's id, subject, author and date; one more than are shown, if there is one."""
    if repository.pushes:
        with suppress(RegistryError):  # what is here has to do
            repository.deepen(start, SIZE + 1)
    listing = repository.git.read(
        "rev-list",
        "--first-parent",
        "--no-commit-header",
        f"--max-count={SIZE + 1}",
        f"--skip={int(skip)}",
        "--encoding=UTF-8",
        "--format=%H%x00%s%x00%an%x00%aI",  # none of which can hold the end of a line
        start,
        "--",
    )
    rows = (line.split("\0") for line in listing.decode(errors="replace").split("\n") if line)
    return [(row[0], row[1], row[2], row[3]) for row in rows if len(row) == 4]


def _declared(repository: Repository, commits: Sequence[str], artifact: str) -> Mapping[str, str]:
    try:
        manifests = repository.manifests_at([(commit, artifact) for commit in commits])
    except RegistryError:
        return {}
    found = dict(zip(commits, manifests, strict=True))
    lacking = [commit for commit, manifest in found.items() if not manifest.files]
    # A partial clone may lack the bytes of a manifest that is there.
    there = repository.ids_at([(commit, FILE) for commit in lacking])
    left_out = {commit for commit, oid in zip(lacking, there, strict=True) if oid}
    said = {commit: _ABSENT if commit in left_out else _words(manifest, artifact) for commit, manifest in found.items()}
    return {commit: words for commit, words in said.items() if words is not None}


def _words(manifest: Manifest, artifact: str) -> str | None:
    there = manifest.artifacts.get(artifact)
    if there is None:
        return None
    return " ".join(word for word in (there.path or "no path", there.version) if word)


def _already(repository: Repository, artifact: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for version in repository.state(artifact).active:
        found.setdefault(version.commit, []).insert(0, version.name)
    return found

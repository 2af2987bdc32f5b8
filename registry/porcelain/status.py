"""`status`: how the work tree and HEAD stand to what is registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from registry.core.events import parse_object
from registry.core.manifest import Declaration, Json
from registry.core.state import VersionState
from registry.errors import GitFailed, Refused
from registry.plumbing import changes, remote, tags, write
from registry.plumbing.remote import Remote
from registry.repository import Repository
from registry.writing.standing import WITHDRAWN, refresh, standings, unequal


@dataclass(frozen=True, slots=True)
class ArtifactStatus:
    """One artifact declared at HEAD.

    `state` is "unregistered" (no version yet), "registered" (HEAD is its latest version), "unchanged" or "changed" (its
    files at HEAD are, or are not, those of its latest version), or "missing" (its path is not at HEAD). `modified` says
    that its files in the work tree are not those of HEAD.
    """

    name: str
    latest: str | None
    state: str
    modified: bool

    def to_json(self) -> dict[str, Json]:
        """The shape of one artifact in `status --json`."""
        return {"name": self.name, "latest": self.latest, "state": self.state, "modified": self.modified}


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """How the tags here stand to those of the remote; `unasked` says why it could not be asked, or is "".

    `unpublished` are here and were never there, `remote_only` there and not here, `differing` something else here and
    there, `deleted` here, and there no more. `moved` are the differing ones that no push settles.
    """

    name: str
    unasked: str
    unpublished: tuple[str, ...]
    remote_only: tuple[str, ...]
    differing: tuple[str, ...]
    deleted: tuple[str, ...]
    moved: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """The shape of `remote` in `status --json`."""
        return {
            "name": self.name,
            "unasked": self.unasked or None,
            "unpublished": list(self.unpublished),
            "remote_only": list(self.remote_only),
            "differing": list(self.differing),
            "deleted": list(self.deleted),
        }


@dataclass(frozen=True, slots=True)
class WithdrawnTag:
    """An event that could not be published, by the id of its tag object, under which it is kept."""

    tag: str
    oid: str

    def to_json(self) -> dict[str, Json]:
        """The shape of one of `withdrawn` in `status --json`."""
        return {"tag": self.tag, "oid": self.oid}


@dataclass(frozen=True, slots=True)
class Status:
    """The whole answer. `branch` is None on a detached HEAD, `head` before the first commit, `remote` without one."""

    head: str | None
    branch: str | None
    interrupted: bool
    undeclared: tuple[str, ...]
    artifacts: tuple[ArtifactStatus, ...]
    remote: RemoteStatus | None
    withdrawn: tuple[WithdrawnTag, ...]

    def to_json(self) -> dict[str, Json]:
        """The shape of `status --json`."""
        return {
            "head": self.head,
            "branch": self.branch,
            "interrupted": self.interrupted,
            "undeclared": list(self.undeclared),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
            "remote": self.remote.to_json() if self.remote is not None else None,
            "withdrawn": [tag.to_json() for tag in self.withdrawn],
        }


def status(repository: Repository, wanted: str | None, waiting: Callable[[], None], *, offline: bool = False) -> Status:
    """Look at what is declared at HEAD, at HEAD's files and at the work tree's, and at the remote's tags."""
    if repository.pushes:
        raise Refused("a URL has no work tree, nor tags of its own, to compare", "registry show lists what is there")
    distant = _remote(repository, wanted, waiting, offline=offline)
    declared = repository.manifest_at_head.artifacts
    states = repository.states
    name = repository.git.read("symbolic-ref", "--quiet", "--short", "HEAD", check=False)
    branch = name.decode(errors="replace").strip() or None
    dirty = _modified(repository, declared.values())
    latest = [(declared[name], states[name].latest if name in states else None) for name in sorted(declared)]
    rows = [
        ArtifactStatus(one.name, version.name if version else None, standing, _is_modified(one, dirty))
        for (one, version), standing in zip(latest, _standings(repository, latest), strict=True)
    ]
    undeclared = tuple(name for name, state in states.items() if name not in declared and not state.deprecated)
    interrupted = write.interrupted(repository.clone)
    return Status(repository.head, branch, interrupted, undeclared, tuple(rows), distant, _withdrawn(repository))


def _remote(
    repository: Repository, wanted: str | None, waiting: Callable[[], None], *, offline: bool
) -> RemoteStatus | None:
    name = remote.choose(repository.git, wanted)
    if name is None:
        return None
    place = repository.remote(name)
    unasked = "" if offline else _ask(repository, place, waiting)
    found = list(standings(repository, place, unequal(repository, place)).values())
    return RemoteStatus(
        name,
        unasked,
        tuple(event.tag for one in found for event in one.unpublished if event.tag not in one.there),
        tuple(tag for one in found for tag in one.missing),
        tuple(tag for one in found for tag in one.differing),
        tuple(tag for one in found for tag in one.deleted),
        tuple(tag for one in found for tag in one.moved),
    )


def _ask(repository: Repository, place: Remote, waiting: Callable[[], None]) -> str:
    """Fetch the remote's tags, but run nothing of a stranger's for that; why it could not be, or ""."""
    clone = repository.clone
    if not remote.harmless(clone.git, place.name):
        return "the repository's own settings name programs that would run; registry fetch asks all the same"
    if write.interrupted(clone):  # the lock mends that, with all that Git runs for it
        return "a command was interrupted while it wrote"
    quiet = Repository(replace(clone, git=remote.without_hooks(clone.git)), repository.bare, repository.progress)
    try:
        with quiet.locked(waiting) as held:
            refresh(held, quiet, place, None)
    except GitFailed as error:
        return error.message
    return ""


def _withdrawn(repository: Repository) -> tuple[WithdrawnTag, ...]:
    kept = tags.read_tags(repository.git, [WITHDRAWN], WITHDRAWN)
    found = [(record.oid, parse_object(record.raw)) for record in kept if record.raw is not None]
    return tuple(WithdrawnTag(tag.tag, oid) for oid, tag in found if tag is not None)


def _is_modified(declared: Declaration, dirty: list[str]) -> bool:
    path = _path(declared)
    return path is not None and any(_within(other, path) for other in dirty)


def _path(declared: Declaration) -> str | None:
    return None if declared.is_url else declared.path


def _standings(repository: Repository, latest: Sequence[tuple[Declaration, VersionState | None]]) -> list[str]:
    """The `state` of each artifact with this latest version; Git is asked once for the files of all."""
    head = repository.head
    places = {
        place: None
        for declared, version in latest
        if version is not None and version.commit != head
        for commit in (version.commit, head)
        for place in _files(declared, commit)
    }
    oids = dict(zip(places, repository.ids_at(list(places)), strict=True))

    def standing(declared: Declaration, version: VersionState | None) -> str:
        if version is None:
            return "unregistered"
        if version.commit == head:
            return "registered"
        old, new = ([oids[place] for place in _files(declared, commit)] for commit in (version.commit, head))
        if _path(declared) is not None and not any(new):
            return "missing"
        return "unchanged" if old == new else "changed"

    return [standing(declared, version) for declared, version in latest]


def _files(declared: Declaration, commit: str | None) -> list[tuple[str, str]]:
    # A DVC output is not in Git itself: the file that stands for it is.
    path = _path(declared)
    return [] if path is None else [(commit or "", path), (commit or "", f"{path}.dvc")]


def _modified(repository: Repository, declared: Iterable[Declaration]) -> list[str]:
    """The declared files that are not HEAD's in the work tree, untracked ones included."""
    if repository.root is None or repository.head is None:
        return []
    paths = [path for path in map(_path, declared) if path is not None]
    return changes.changed_files(repository.git, repository.root, paths)


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/") or directory == "."

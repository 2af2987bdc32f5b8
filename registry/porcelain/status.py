"""`status`: how the work tree and HEAD stand to what is registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.core.manifest import Declaration, Json
from registry.core.state import VersionState
from registry.plumbing import changes, objects, write
from registry.repository import Repository


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
class Status:
    """The whole answer. `branch` is None on a detached HEAD, `head` before the first commit."""

    head: str | None
    branch: str | None
    interrupted: bool
    undeclared: tuple[str, ...]
    artifacts: tuple[ArtifactStatus, ...]

    def to_json(self) -> dict[str, Json]:
        """The shape of `status --json`."""
        return {
            "head": self.head,
            "branch": self.branch,
            "interrupted": self.interrupted,
            "undeclared": list(self.undeclared),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
        }


def status(repository: Repository) -> Status:
    """Look at what is declared at HEAD, at HEAD's files and at the work tree's."""
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
    return Status(repository.head, branch, write.interrupted(repository.clone), undeclared, tuple(rows))


def _is_modified(declared: Declaration, dirty: list[str]) -> bool:
    path = _path(declared)
    return path is not None and any(_within(other, path) for other in dirty)


def _path(declared: Declaration) -> str | None:
    return None if declared.is_url else declared.path


def _standings(repository: Repository, latest: Sequence[tuple[Declaration, VersionState | None]]) -> list[str]:
    """The `state` of each artifact with this latest version; Git is asked once for the files of all."""
    head = repository.head
    names = {
        name: None
        for declared, version in latest
        if version is not None and version.commit != head
        for commit in (version.commit, head)
        for name in _files(declared, commit)
    }
    found = objects.read_objects(repository.git, list(names), only_type="none")
    oids = {name: one.oid for name, one in zip(names, found, strict=True)}

    def standing(declared: Declaration, version: VersionState | None) -> str:
        if version is None:
            return "unregistered"
        if version.commit == head:
            return "registered"
        old, new = ([oids[name] for name in _files(declared, commit)] for commit in (version.commit, head))
        if _path(declared) is not None and not any(new):
            return "missing"
        return "unchanged" if old == new else "changed"

    return [standing(declared, version) for declared, version in latest]


def _files(declared: Declaration, commit: str | None) -> list[str]:
    # A DVC output is not in Git itself: the file that stands for it is.
    path = _path(declared)
    return [] if path is None else [f"{commit}:{path}", f"{commit}:{path}.dvc"]


def _modified(repository: Repository, declared: Iterable[Declaration]) -> list[str]:
    """The declared files that are not HEAD's in the work tree, untracked ones included."""
    if repository.root is None or repository.head is None:
        return []
    paths = [path for path in map(_path, declared) if path is not None]
    return changes.changed_files(repository.git, repository.root, paths)


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/") or directory == "."

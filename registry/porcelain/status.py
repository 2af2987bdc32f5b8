"""`status`: how the work tree and HEAD stand to what is registered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.core.manifest import Declaration, Json
from registry.core.state import ArtifactState
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
    rows = [
        _row(repository, declared[name], states.get(name, ArtifactState(name, ())), dirty) for name in sorted(declared)
    ]
    undeclared = tuple(name for name, state in states.items() if name not in declared and not state.deprecated)
    return Status(repository.head, branch, write.interrupted(repository.clone), undeclared, tuple(rows))


def _row(repository: Repository, declared: Declaration, state: ArtifactState, dirty: list[str]) -> ArtifactStatus:
    latest = state.latest
    path = None if declared.is_url else declared.path
    modified = path is not None and any(_within(other, path) for other in dirty)
    name = latest.name if latest is not None else None
    return ArtifactStatus(declared.name, name, _standing(repository, path, latest.commit if latest else None), modified)


def _standing(repository: Repository, path: str | None, commit: str | None) -> str:
    if commit is None:
        return "unregistered"
    if commit == repository.head:
        return "registered"
    if path is None:
        return "unchanged"
    # A DVC output is not in Git itself: the file that stands for it is.
    names = [f"{revision}:{file}" for revision in (commit, repository.head) for file in (path, f"{path}.dvc")]
    old, old_dvc, new, new_dvc = (found.oid for found in objects.read_objects(repository.git, names, only_type="none"))
    if not new and not new_dvc:
        return "missing"
    return "unchanged" if (old, old_dvc) == (new, new_dvc) else "changed"


def _modified(repository: Repository, declared: Iterable[Declaration]) -> list[str]:
    """The declared files that are not HEAD's in the work tree, untracked ones included."""
    if repository.root is None or repository.head is None:
        return []
    paths = [one.path for one in declared if one.path is not None and not one.is_url]
    return changes.changed_files(repository.git, repository.root, paths)


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/") or directory == "."

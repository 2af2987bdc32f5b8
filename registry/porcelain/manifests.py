"""`init`, `add`, `change`, `remove` and `check`: the manifest in the work tree (DESIGN part 4)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from registry.core import names, policy, signers
from registry.core.manifest import Json
from registry.errors import GitFailed, NotFound, Refused, UsageError
from registry.manifests import check as checking
from registry.manifests import edit, read, trusting
from registry.manifests.check import Problem
from registry.manifests.edit import Section
from registry.manifests.worktree import WorkTree
from registry.plumbing import commits, tags, write
from registry.porcelain import working
from registry.repository import Repository

FILE = "registry.yaml"


@dataclass(frozen=True, slots=True)
class Edited:
    """A manifest that was written: its path from the root, the commit where one was asked for, and notes."""

    path: str
    commit: str | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The shape of `init`, `add` and `remove` with `--json`."""
        return {"path": self.path, "commit": self.commit}


def init(repository: Repository) -> Edited:
    """Write a manifest to begin with. Raises Refused where there is one."""
    path = working.root(repository) / FILE
    if path.exists():
        raise Refused(f"there is a {FILE} already", "registry add NAME --path PATH adds a model to it")
    working.replace(path, edit.NEW_MANIFEST)
    return Edited(FILE)


def add(
    repository: Repository,
    artifact: str,
    fields: Mapping[str, Json],
    waiting: Callable[[], None],
    *,
    commit: bool = False,
) -> Edited:
    """Declare an artifact. `fields` are the entry's keys; its paths are relative to the repository's root.

    Raises ManifestError where it is declared already, UsageError for a bad name or path; nothing is written then.
    """
    names.check_artifact(artifact)
    policy.check_travels(f"{names.in_tag(artifact)}@v0.0.1")
    directory = names.directory_of(artifact)
    file = working.editable(repository, working.root(repository) / directory / FILE)
    section: Section = "models" if fields.get("type", "model") == "model" else "artifacts"
    entry = {key: value for key, value in fields.items() if not (key == "type" and section == "models")}
    entry = _located(entry, directory)
    text = working.text(file) if file.exists() else ""
    if file.exists() is False and not file.parent.is_dir():
        raise NotFound(
            f"there is no directory {directory}", "the name before the colon is a directory of the repository"
        )
    everywhere = [*read.read(work_files(repository)).artifacts, *tags.artifacts_like(repository.git, artifact)]
    policy.check_case(artifact, everywhere, "name")
    changed = edit.add_entry(text, section, artifact.rpartition(":")[2], entry)
    _no_worse(repository, str(PurePosixPath(directory) / FILE), text, changed)
    working.replace(file, changed)
    return _committed(repository, file, f"Declare {artifact}", waiting) if commit else _edited(repository, file)


def change(
    repository: Repository,
    artifact: str,
    fields: Mapping[str, Json],
    waiting: Callable[[], None],
    *,
    commit: bool = False,
) -> Edited:
    """Say `fields` in an artifact's entry instead of what it said there; None takes a key out.

    Raises NotFound where there is no such file, ManifestError with the nearest name where it is not declared there.
    """
    names.check_artifact(artifact)
    directory = names.directory_of(artifact)
    file = _declaring(repository, directory)
    text = working.text(file)
    changed = edit.change_entry(text, artifact.rpartition(":")[2], _located(fields, directory))
    _no_worse(repository, str(PurePosixPath(directory) / FILE), text, changed)
    working.replace(file, changed)
    return _committed(repository, file, f"Change {artifact}", waiting) if commit else _edited(repository, file)


def remove(repository: Repository, artifact: str, waiting: Callable[[], None], *, commit: bool = False) -> Edited:
    """Take an artifact out of its manifest; its tags stay. Raises NotFound where there is no such file, ManifestError
    with the nearest name where it is not declared there."""
    names.check_artifact(artifact)
    file = _declaring(repository, names.directory_of(artifact))
    working.replace(file, edit.remove_entry(working.text(file), artifact.rpartition(":")[2]))
    return _committed(repository, file, f"Remove {artifact}", waiting) if commit else _edited(repository, file)


def _declaring(repository: Repository, directory: str) -> Path:
    """The manifest of a directory. Raises NotFound where there is none."""
    file = working.editable(repository, working.root(repository) / directory / FILE)
    if not file.exists():
        raise NotFound(f"there is no {_edited(repository, file).path}", "registry show lists what is declared where")
    return file


def _located(fields: Mapping[str, Json], directory: str) -> dict[str, Json]:
    """`fields` with their paths as a manifest in `directory` writes them. Raises UsageError for one that leads out."""
    paths = {key: _relative(said, directory) for key in ("path", "card") if isinstance(said := fields.get(key), str)}
    return {**fields, **paths}


def check(repository: Repository) -> list[Problem]:
    """Every problem of the manifests and of `.registry/` in the work tree, in order of file and place."""
    root = working.root(repository)
    files = work_files(repository)
    if not files:
        raise NotFound("there is no manifest", "registry init writes one")
    checked = checking.checked(
        WorkTree(root, files), files, lambda name: [v.name for v in repository.state(name).active]
    )
    return sorted({*checked.problems, *trusting.problems(_trust_files(root), _openpgp(root), checked.nodes)})


def _trust_files(root: Path) -> dict[str, bytes | None]:
    """Those files of `.registry/` that are there, by path; None for what is no plain file, or a larger one."""
    found: dict[str, bytes | None] = {}
    for path in trusting.FILES:
        place = root / path
        if os.path.lexists(place):
            found[path] = None if place.parent.is_symlink() else _plain(place)
    return found


def _plain(place: Path) -> bytes | None:
    try:
        # What is no file is not opened to be read: a link leads out, and nobody may write to a pipe.
        with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(trusting.LIMIT + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None
    return trusting.bounded(data)


def _openpgp(root: Path) -> list[str]:
    """The principals who have a file of OpenPGP keys."""
    directory = root / signers.OPENPGP
    if directory.is_symlink() or directory.parent.is_symlink() or not directory.is_dir():
        return []
    try:
        return [file.stem for file in directory.iterdir() if file.suffix == ".asc"]
    except OSError as error:
        raise GitFailed(f"{signers.OPENPGP} cannot be read: {error.strerror}", "check its permissions") from error


def work_files(repository: Repository) -> dict[str, bytes]:
    """The manifests of the work tree by path: those that Git tracks, and new ones that it does not ignore."""
    root = working.root(repository)
    listing = repository.git.read(
        "-C", os.fspath(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"
    )
    paths = [p for p in listing.decode(errors="surrogateescape").split("\0") if p and read.is_manifest(p)]
    inside = os.path.realpath(root)
    return {
        path: data
        for path in paths
        if Path(os.path.realpath(root / path)).is_relative_to(inside)
        and (data := working.data(root / path)) is not None
    }


def _relative(path: str, directory: str) -> str:
    if "://" in path:
        return path
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise UsageError(f"{path} leads out of the repository", "a path is relative to the repository's root")
    if directory and not pure.is_relative_to(directory):
        raise UsageError(
            f"{path} is not inside {directory}", f"a name {directory}:NAME is for what lies in {directory}"
        )
    return str(pure.relative_to(directory)) if directory else str(pure)


def _no_worse(repository: Repository, path: str, before: str, after: str) -> None:
    """Refuse an edit that brings an error of its own into the manifest."""
    root = working.root(repository)
    old = {problem.message for problem in checking.check(root, {path: before.encode()}) if before}
    for problem in checking.check(root, {path: after.encode()}):
        if problem.severity == "error" and problem.message not in old:
            raise UsageError(problem.message, problem.hint)


def _edited(repository: Repository, file: Path) -> Edited:
    return Edited(file.relative_to(working.root(repository)).as_posix())


def _committed(repository: Repository, file: Path, message: str, waiting: Callable[[], None]) -> Edited:
    repository.writer()
    with repository.locked(waiting) as held:
        prepared = commits.prepare(repository.git, repository.clone.room, repository.head, [str(file)], message)
        if prepared is None:
            return _edited(repository, file)
        notes = write.transact(held, [prepared.change], f"commit: {message}")
    repository.forget()
    return Edited(_edited(repository, file).path, prepared.commit, tuple(notes))

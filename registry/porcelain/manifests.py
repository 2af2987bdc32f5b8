"""`init`, `add`, `change`, `remove` and `check`: the manifest in the work tree (DESIGN part 4)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from registry.core import names, policy, signers
from registry.core.manifest import Json
from registry.errors import GitFailed, ManifestError, NotFound, Refused, Taken, UsageError
from registry.manifests import check as checking
from registry.manifests import edit, read, trusting
from registry.manifests.check import Problem
from registry.manifests.edit import Section
from registry.manifests.worktree import WorkTree
from registry.plumbing import commits, tags, write
from registry.plumbing.commits import Prepared
from registry.plumbing.write import Held, RefChange
from registry.porcelain import working
from registry.repository import Repository

FILE = "registry.yaml"
_TRIES = 5

# An edit of one text, and of the manifest at HEAD and in the work tree at once.
_One: TypeAlias = "Callable[[str], str]"
_Both: TypeAlias = "Callable[[str, str], tuple[str, str]]"


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

    With `commit`, an entry that is in the work tree alone is committed, with those of `fields` that it does not say.
    Raises ManifestError where it is declared already, UsageError for a bad name or path; nothing is written then.
    """
    names.check_artifact(artifact)
    policy.check_travels(f"{names.in_tag(artifact)}@v0.0.1")
    directory = names.directory_of(artifact)
    file = working.editable(repository, working.root(repository) / directory / FILE)
    section: Section = "models" if fields.get("type", "model") == "model" else "artifacts"
    entry = {key: value for key, value in fields.items() if not (key == "type" and section == "models")}
    entry = _located(entry, directory)
    if file.exists() is False and not file.parent.is_dir():
        raise NotFound(
            f"there is no directory {directory}", "the name before the colon is a directory of the repository"
        )
    _check_case(repository, artifact)
    name = artifact.rpartition(":")[2]

    def put(text: str) -> str:
        return edit.add_entry(text, section, name, entry)

    def both(before: str, now: str) -> tuple[str, str]:
        there = edit.entry(now, name)
        if there is None or edit.entry(before, name) is not None:
            return put(before), put(now)
        less = _unsaid(entry, there[1])
        if less is None or there[0] != section:
            return before, put(now)  # raises: it is declared there, and says something else
        whole = edit.changed(there[1], less)
        return edit.add_entry(before, section, name, _quiet(whole)), edit.change_entry(now, name, less)

    return _done(repository, file, put, both, f"Declare {artifact}" if commit else None, waiting)


def change(
    repository: Repository,
    artifact: str,
    fields: Mapping[str, Json],
    waiting: Callable[[], None],
    *,
    commit: bool = False,
) -> Edited:
    """Say `fields` in an artifact's entry instead of what it said there; None takes a key out, and `metadata.KEY` is
    one key of its metadata.

    Raises NotFound where there is no such file, ManifestError with the nearest name where it is not declared there, and
    with `commit` where the work tree says otherwise of one of them.
    """
    names.check_artifact(artifact)
    directory = names.directory_of(artifact)
    file = _declaring(repository, directory)
    name, fields = artifact.rpartition(":")[2], _located(fields, directory)

    def say(text: str) -> str:
        return edit.change_entry(text, name, fields)

    def both(before: str, now: str) -> tuple[str, str]:
        old, new = edit.entry(before, name), edit.entry(now, name)
        if new is None:
            say(now)  # raises
        elif old is None:
            return edit.add_entry(before, new[0], name, _quiet(edit.changed(new[1], fields))), say(now)
        else:
            for field, value in fields.items():
                said = edit.said(new[1], field)
                if said not in (edit.said(old[1], field), value):
                    raise ManifestError(
                        f"{artifact} has another {field} in the work tree than at HEAD", "commit that first, or undo it"
                    )
        return say(before), say(now)

    return _done(repository, file, say, both, f"Change {artifact}" if commit else None, waiting)


def remove(repository: Repository, artifact: str, waiting: Callable[[], None], *, commit: bool = False) -> Edited:
    """Take an artifact out of its manifest; its tags stay. Raises NotFound where there is no such file, ManifestError
    with the nearest name where it is not declared there."""
    file, drop, both = _removal(repository, artifact)
    return _done(repository, file, drop, both, f"Remove {artifact}" if commit else None, waiting)


@contextmanager
def removed(repository: Repository, artifact: str, held: Held) -> Iterator[RefChange | None]:
    """An artifact is taken out of the manifest, and this is what commits that, with more, in the block; where the block
    raises, the file is as it was. None where HEAD does not declare it. Raises what `remove` raises."""
    file, _, both = _removal(repository, artifact)
    with _prepared(repository, held, file, both, f"Remove {artifact}") as (prepared, _):
        yield None if prepared is None else prepared.change


def rename(
    repository: Repository, artifact: str, new: str, waiting: Callable[[], None], *, commit: bool = False
) -> Edited:
    """Give the entry of an artifact another name, and leave it as it is. Raises what `add` and `remove` raise."""
    for name in (artifact, new):
        names.check_artifact(name)
    directory = names.directory_of(artifact)
    if names.directory_of(new) != directory:
        raise UsageError(f"{new} is declared in another manifest than {artifact}", "registry add declares it there")
    policy.check_travels(f"{names.in_tag(new)}@v0.0.1")
    _check_case(repository, new, but=artifact)
    file = _declaring(repository, directory)

    def call(text: str) -> str:
        return edit.rename_entry(text, artifact.rpartition(":")[2], new.rpartition(":")[2])

    def both(before: str, now: str) -> tuple[str, str]:
        return call(before) if edit.entry(before, artifact.rpartition(":")[2]) is not None else before, call(now)

    return _done(repository, file, call, both, f"Rename {artifact} to {new}" if commit else None, waiting)


def _removal(repository: Repository, artifact: str) -> tuple[Path, _One, _Both]:
    names.check_artifact(artifact)
    file = _declaring(repository, names.directory_of(artifact))
    name = artifact.rpartition(":")[2]

    def drop(text: str) -> str:
        return edit.remove_entry(text, name)

    def both(before: str, now: str) -> tuple[str, str]:
        old, new = edit.entry(before, name), edit.entry(now, name)
        if old is None:
            return before, drop(now)
        if new not in (None, old):
            raise ManifestError(
                f"{artifact} is declared otherwise in the work tree than at HEAD", "commit that first, or undo it"
            )
        return drop(before), drop(now) if new is not None else now

    return file, drop, both


def _unsaid(fields: Mapping[str, Json], entry: Mapping[str, Json]) -> dict[str, Json] | None:
    """Those of `fields` that an entry does not say yet; None where it says one otherwise."""
    tags = fields.get("metadata")
    flat = {key: value for key, value in fields.items() if key != "metadata"}
    flat.update({f"metadata.{key}": value for key, value in (tags.items() if isinstance(tags, dict) else ())})
    if any(edit.said(entry, field) not in (None, value) for field, value in flat.items()):
        return None
    return {field: value for field, value in flat.items() if edit.said(entry, field) is None}


def _quiet(entry: Mapping[str, Json]) -> dict[str, Json]:
    """An entry without what it wants of `apply`: a version, or a stage, is for the person to ask for."""
    return {key: value for key, value in entry.items() if key not in {"version", "assign"}}


def _check_case(repository: Repository, artifact: str, but: str | None = None) -> None:
    everywhere = [*read.read(work_files(repository)).artifacts, *tags.artifacts_like(repository.git, artifact)]
    policy.check_case(artifact, [name for name in everywhere if name != but], "name")


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


def _no_worse(repository: Repository, path: str, before: str, after: str) -> tuple[str, ...]:
    """Refuse an edit that brings an error of its own into the manifest; the warnings that it brings, as notes."""
    root = working.root(repository)
    old = {problem.message for problem in checking.check(root, {path: before.encode()}) if before}
    new = [one for one in checking.check(root, {path: after.encode()}) if one.message not in old]
    for problem in new:
        if problem.severity == "error":
            raise UsageError(problem.message, problem.hint)
    return tuple(f"{one.message}: {one.hint}" for one in new)


def _edited(repository: Repository, file: Path) -> Edited:
    return Edited(file.relative_to(working.root(repository)).as_posix())


def _done(
    repository: Repository, file: Path, one: _One, both: _Both, message: str | None, waiting: Callable[[], None]
) -> Edited:
    """Edit a manifest of the work tree; with a `message`, commit the edit as well.

    HEAD gets that edit alone: what else the work tree says otherwise stays there, uncommitted. A manifest that HEAD
    does not have is committed whole.
    """
    if message is None:
        text = working.text(file) if file.exists() else ""
        after = one(text)
        told = _no_worse(repository, _edited(repository, file).path, text, after)
        working.replace(file, after)
        return replace(_edited(repository, file), notes=told)
    repository.writer()
    with repository.locked(waiting) as held:
        for left in reversed(range(_TRIES)):
            repository.forget()  # what HEAD is, is asked under the lock
            try:
                with _prepared(repository, held, file, both, message) as (prepared, told):
                    if prepared is None:
                        return replace(_edited(repository, file), notes=told)
                    notes = write.transact(held, [prepared.change], f"commit: {message}")
                    repository.forget()
                    return Edited(_edited(repository, file).path, prepared.commit, (*told, *notes))
            except Taken:  # by a `git commit`, which does not wait for us
                if not left:
                    raise
    raise AssertionError("the last try gives or raises")


@contextmanager
def _prepared(
    repository: Repository, held: Held, file: Path, both: _Both, message: str
) -> Iterator[tuple[Prepared | None, tuple[str, ...]]]:
    """The work tree's manifest is edited, and this commits the edit, with notes; where the block raises, the file is as
    it was."""
    git, root = repository.git, working.root(repository)
    place = Path(os.path.realpath(file)).relative_to(os.path.realpath(root)).as_posix()  # a link may lead to it
    at_head, now = _at_head(repository, place), working.text(file) if file.exists() else None
    gone = now is None and at_head is not None  # deleted, or not checked out: that is left so
    before = at_head or "" if now is None else now
    _check_staged(repository, file)
    if at_head is None:
        head = work = both("", before)[1]
    else:
        head, work = both(at_head, before)
        _no_worse(repository, _edited(repository, file).path, work, head)  # what comes along has faults of its own
    told = _no_worse(repository, _edited(repository, file).path, before, work)
    where = (place, os.fspath(root / place))
    prepared = commits.prepare_text(git, held.clone.room, repository.head, where, head, message)
    if not gone and work != now:
        working.replace(file, work)
    try:
        yield prepared, told
    except BaseException:
        if not gone and work != now and working.data(file) == work.encode():
            file.unlink() if now is None else working.replace(file, now)
        raise


def _at_head(repository: Repository, path: str) -> str | None:
    """What a manifest says at HEAD, None where HEAD has none. Raises ManifestError where that is no text."""
    if repository.head is None:
        return None
    [found] = repository.blobs_at([(repository.head, path)])
    if found.type != "blob":
        return None
    try:
        return (found.data or b"").decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} at HEAD is not text in UTF-8", "save it as UTF-8, and commit it") from error


def _check_staged(repository: Repository, file: Path) -> None:
    """Nothing of the file is in the index alone, where our commit would bury it. Raises Refused."""
    words = ("--literal-pathspecs", "diff", "--name-only", "--no-ext-diff", "--no-textconv")
    if all(repository.git.read(*words, *which, "--", os.fspath(file)) for which in (("--cached",), ())):
        raise Refused(
            f"{_edited(repository, file).path} is staged otherwise than it is in the work tree",
            "git add it, or commit what is staged, first",
        )

"""The files of a version in the user's cache: fetched once, verified each time that they are given out.

An entry is named by a digest of the commit and of all that the version carries with what was recorded of it, so that
two versions never share one and no name of a stranger becomes a path. Beside its files lies what they were when they
came; an entry that differs from that is made anew. One process at a time looks at an entry, or makes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from registry.artifacts import urls
from registry.artifacts.progress import Progress
from registry.artifacts.staging import Placed, digest
from registry.core.manifest import Declaration
from registry.core.metadata import File
from registry.errors import Refused
from registry.plumbing.userdirs import cache_directory
from registry.porcelain.find import find
from registry.porcelain.pull import carried, pull
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of a version in the cache, all below `directory`: read-only, for every program shares them.

    `path` is where the manifest's `path` lies; without one, the only file, or the directory. `framework` and `type` are
    the manifest's.
    """

    artifact: str
    version: str
    directory: Path
    path: Path
    framework: str
    type: str


def keep(
    repository: Repository,
    selector: str,
    remote: str | None,
    tell: Callable[[Progress], None],
    note: Callable[[str], None],
) -> Kept:
    """The files of a version, verified. Raises what `pull` raises."""
    state, selected = find(repository, selector)
    wanted, recorded = carried(repository, state.name, selected)
    declared = repository.manifest_at(selected.commit, state.name).artifacts.get(state.name)
    entry = cache_directory() / "files" / _key(selected.commit, state.name, wanted, recorded)
    place = entry / "files"
    name = f"{state.name} {selected.subject}"
    waiting = f"another program is fetching {name}; waiting for it"
    try:
        with _held(entry, lambda: note(waiting)):
            known = _known(entry)
            wrong = None if known is None else _differing(place, known)
            if wrong:
                note(f"what was kept of {name} is damaged, and fetched again: {wrong[0]!r}")
                for one in wrong:
                    _remove(place / one)
            if wrong is None or wrong:
                (entry / "known.json").unlink(missing_ok=True)
                known = pull(repository, selector, os.fspath(place), remote, tell, lambda: note(waiting)).files
                _protect(place, known)
                _remember(entry, known)
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename if isinstance(error.filename, str) else os.fspath(entry)
        raise Refused(f"{where} cannot be used: {reason}", "XDG_CACHE_HOME says where files are kept") from error
    path = _path(place, declared, known or ())
    framework, kind = ("", "model") if declared is None else (declared.framework, declared.type)
    return Kept(state.name, selected.subject, place, path, framework, kind)


def _key(commit: str, artifact: str, wanted: Sequence[str], recorded: Mapping[str, File]) -> str:
    said = [commit, artifact, sorted(wanted), sorted([f.path, f.sha256, f.size] for f in recorded.values())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _path(place: Path, declared: Declaration | None, files: Sequence[Placed]) -> Path:
    if declared is not None and declared.path is not None:
        return place / (urls.check(declared.path) if declared.is_url else declared.path)
    return place / files[0].path if len(files) == 1 else place


@contextmanager
def _held(entry: Path, waiting: Callable[[], None]) -> Iterator[None]:
    for above in (entry.parent.parent, entry.parent, entry):
        above.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(entry / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _known(entry: Path) -> tuple[Placed, ...] | None:
    """What the files were when they came; None where that is not known, and they have to come again."""
    try:
        rows = json.loads((entry / "known.json").read_bytes())
        return tuple(Placed(str(path), int(size), str(sha256), store) for path, size, sha256, store in rows)
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _remember(entry: Path, files: Sequence[Placed]) -> None:
    new = entry / "known.json.new"
    new.write_text(json.dumps([[f.path, f.size, f.sha256, f.store] for f in files]))
    new.replace(entry / "known.json")


def _differing(place: Path, known: Sequence[Placed]) -> list[str]:
    """The files that are not what they were, and those that nobody knows."""
    wanted = {file.path: file for file in known}
    there = {path.relative_to(place).as_posix(): path for path in _files(place)}
    damaged = [path for path, file in wanted.items() if path not in there or not _same(there[path], file)]
    return [*damaged, *(path for path in there if path not in wanted)]


def _files(place: Path) -> Iterator[Path]:
    for above, directories, names in os.walk(place):
        yield from (Path(above, name) for name in names)
        yield from (found for name in directories if (found := Path(above, name)).is_symlink())


def _same(place: Path, file: Placed) -> bool:
    try:
        if place.is_symlink():
            return hashlib.sha256(os.fsencode(place.readlink())).hexdigest() == file.sha256
        return place.lstat().st_size == file.size and digest(place) == file.sha256
    except OSError:
        return False


def _protect(place: Path, files: Sequence[Placed]) -> None:
    for file in files:
        found = place / file.path
        if not found.is_symlink():
            found.chmod(found.stat().st_mode & ~0o222)


def _remove(place: Path) -> None:
    with suppress(FileNotFoundError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()

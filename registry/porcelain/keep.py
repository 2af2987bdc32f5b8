"""The files of a version in the user's cache: fetched once, verified each time that they are given out.

Where the SHA-256 of every file is recorded, an entry is named by a digest of these, so that versions and commits of the
same bytes share it; else by a digest of the commit and of all that the version carries. No name of a stranger becomes a
path. Beside its files lies what they were when they came; an entry that differs from that is made anew. One process at
a time looks at an entry, or makes it. A cache that cannot be written gives out what it has.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from registry.artifacts import dvc, paths, urls
from registry.artifacts.progress import Progress
from registry.artifacts.staging import Placed, digest
from registry.core.manifest import Declaration
from registry.core.metadata import File
from registry.errors import GitFailed, NotFound, Refused
from registry.plumbing import objects
from registry.plumbing.objects import Extent
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
    entry = cache_directory() / "files" / _key(repository, selected.commit, state.name, wanted, recorded)
    place = entry / "files"
    name = f"{state.name} {selected.subject}"
    waiting = f"another program is fetching {name}; waiting for it"
    try:
        with _held(entry, lambda: note(waiting)) as writable:
            known = _known(entry)
            wrong = _links(place) if known is None else _differing(place, known)
            if (known is None or wrong) and not writable:
                raise Refused(
                    f"{name} has to be fetched, and {entry} cannot be written", "XDG_CACHE_HOME=DIR names another cache"
                )
            if known is not None and wrong:
                note(f"what was kept of {name} is damaged, and fetched again: {wrong[0] or '.'!r}")
            for one in wrong:
                _remove(place, one)
            if known is None or wrong:
                (entry / "known.json").unlink(missing_ok=True)
                known = pull(repository, selector, os.fspath(place), remote, tell, lambda: note(waiting)).files
                for one in _strays(place, known):
                    _remove(place, one)
                _protect(place, known)
                _remember(entry, known)
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename if isinstance(error.filename, str) else os.fspath(entry)
        raise Refused(f"{where} cannot be used: {reason}", "XDG_CACHE_HOME says where files are kept") from error
    path = _path(place, declared, known)
    if not path.exists():
        raise NotFound(
            f"what the manifest calls the path of {name} is not among its files",
            "it may be a link, which is kept as it is; pull brings what there is",
        )
    framework, kind = ("", "model") if declared is None else (declared.framework, declared.type)
    return Kept(state.name, selected.subject, place, path, framework, kind)


def _key(
    repository: Repository, commit: str, artifact: str, wanted: Sequence[str], recorded: Mapping[str, File]
) -> str:
    said: object = _content(repository, commit, wanted, recorded)
    if said is None:
        said = [commit, artifact, sorted(wanted), sorted([f.path, f.sha256, f.size] for f in recorded.values())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _content(
    repository: Repository, commit: str, wanted: Sequence[str], recorded: Mapping[str, File]
) -> list[list[object]] | None:
    """Every file of a version with its mode, size and SHA-256; None where not all of that is recorded."""
    if any("://" in path for path in wanted) or any(file.sha256 is None for file in recorded.values()):
        return None
    repository.bring_all([(commit, path) for path in wanted], Extent.NAMES)
    try:
        entries = objects.files_at(repository.git, commit, [] if "." in wanted else wanted)
    except GitFailed:
        return None  # a partial clone without these trees
    there = {entry.path: entry for entry in entries if entry.mode != _SUBMODULE}
    # What DVC may add to a directory is not in the tree.
    of_dvc = repository.is_of_dvc(commit) or any(dvc.describes(path) for path in there)
    if there.keys() != recorded.keys() or (of_dvc and any(path not in there for path in wanted)):
        return None
    return [[path, there[path].mode, file.size, file.sha256] for path, file in sorted(recorded.items())]


_SUBMODULE = "160000"


def _path(place: Path, declared: Declaration | None, files: Sequence[Placed]) -> Path:
    if declared is not None and declared.path is not None:
        return place / (urls.check(declared.path) if declared.is_url else declared.path)
    return place / files[0].path if len(files) == 1 else place


@contextmanager
def _held(entry: Path, waiting: Callable[[], None]) -> Iterator[bool]:
    """Have an entry for oneself; whether it can be written."""
    if entry.is_symlink():
        entry.unlink()
    for above in (entry.parent.parent, entry.parent, entry):
        above.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, writable = _lock(entry / "lock")
    kind = fcntl.LOCK_EX if writable else fcntl.LOCK_SH
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(descriptor, kind)
        yield writable
    finally:
        os.close(descriptor)


def _lock(place: Path) -> tuple[int, bool]:
    """The file to lock, opened, and whether for writing."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(place, os.O_RDWR | os.O_CREAT | flags, 0o600), True
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
        return os.open(place, os.O_RDONLY | flags), False


def _known(entry: Path) -> tuple[Placed, ...] | None:
    """What the files were when they came; None where that is not known, and they have to come again."""
    try:
        rows = json.loads((entry / "known.json").read_bytes())
        # Whoever can write there is not to have other files of the user's removed.
        return tuple(Placed(paths.check(path), int(size), str(sha256), store) for path, size, sha256, store in rows)
    except (OSError, ValueError, TypeError, RecursionError, Refused):
        return None


def _remember(entry: Path, files: Sequence[Placed]) -> None:
    new = entry / "known.json.new"
    new.unlink(missing_ok=True)  # it may be a link
    with new.open("x") as file:
        file.write(json.dumps([[f.path, f.size, f.sha256, f.store] for f in files]))
    new.replace(entry / "known.json")


def _differing(place: Path, known: Sequence[Placed]) -> list[str]:
    """The files that are not what they were, and those that nobody knows; "" for all, in the place of a link."""
    if place.is_symlink():
        return [""]
    there = {path.relative_to(place).as_posix(): path for path in _files(place)}
    damaged = [file.path for file in known if file.path not in there or not _same(there[file.path], file)]
    return [*damaged, *_strays(place, known)]


def _strays(place: Path, known: Sequence[Placed]) -> list[str]:
    """The files that nobody knows."""
    wanted = {file.path for file in known}
    there = (path.relative_to(place).as_posix() for path in _files(place))
    return [path for path in there if path not in wanted]


def _links(place: Path) -> list[str]:
    """The links, through which nothing is to be written or removed."""
    if place.is_symlink():
        return [""]
    return [path.relative_to(place).as_posix() for path in _files(place) if path.is_symlink()]


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


def _remove(place: Path, path: str) -> None:
    """Remove what is at `path` below `place`; of a link on the way, the link."""
    found = place
    for part in ("", *path.split("/")):
        found = found / part
        if found.is_symlink():
            break
    with suppress(FileNotFoundError):
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()

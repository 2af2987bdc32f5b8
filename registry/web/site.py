"""The dashboard as static files, which work from any path of any server, and from file://."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from registry.errors import Refused, RegistryError
from registry.web import links, pages, render
from registry.web.page import Dashboard, Source, notes_of
from registry.web.pages.common import artifacts_of, each

MARKER = ".registry-site"  # lists the files that are ours: the next site takes away those that it no longer has
_ROOM = f"{MARKER}."  # how the names of directories begin in which a site is made
_FIRST_LINE = "Written by registry site. These files are replaced by the next one:"


def write(dashboard: Dashboard, directory: Path, *, now: datetime | None = None) -> int:
    """Write all pages, and what they need, into `directory`; gives how many pages.

    They are made in a room of their own in it first, so that a page that cannot be made leaves the old site as it is.
    Other files that lie in a site of ours stay. Raises Refused for a directory with something in it that is no site of
    ours, and RegistryError where a page cannot be made.
    """
    target = directory.resolve()
    before, was_there = _ours(target), target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=_ROOM, dir=target))  # within it, for it may be a file system of its own
    except OSError as error:
        raise Refused(f"{directory} cannot be written: {error.strerror}", "-o names another directory") from error
    try:
        count = _make(dashboard, room, now or datetime.now(timezone.utc))
        files = sorted(_files(room))
        (room / MARKER).write_text("\n".join([_FIRST_LINE, *files, ""]), encoding="utf-8")
        _move(room, target, [*files, MARKER])
        _remove(target, _stale(target, before, files))
    except OSError as error:
        raise Refused(f"the site cannot be written into {directory}: {error}", "-o names another directory") from error
    finally:
        shutil.rmtree(room, ignore_errors=True)
        if not was_there:
            with suppress(OSError):  # a site lies in it
                target.rmdir()
    return count


def unreadable(dashboard: Dashboard) -> list[tuple[Source, RegistryError]]:
    """The repositories that cannot be read, and why. Raises RegistryError where there is no other."""
    return each(dashboard, artifacts_of)[1]


def _ours(target: Path) -> list[str]:
    """The files of the site that lies there. Raises Refused where something else does."""
    if not target.exists():
        return []
    if not target.is_dir():
        raise Refused(f"{target} is a file", "-o names a directory")
    if all(entry.name.startswith(_ROOM) for entry in target.iterdir()):
        return []  # or what a writer left that was killed
    try:
        first, *listed = (target / MARKER).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        first, listed = "", []
    if first != _FIRST_LINE:
        raise Refused(f"{target} has files in it, and is no site of ours", "-o names a new directory, or an empty one")
    return listed


def _make(dashboard: Dashboard, room: Path, now: datetime) -> int:
    """Make all pages; a repository that cannot be read has none of its own, and is named on the first."""
    without = unreadable(dashboard)
    if without and len(without) == len(dashboard.sources):
        raise without[0][1]
    silent = [source for source, _ in without]
    readable = replace(dashboard, sources=[source for source in dashboard.sources if source not in silent])
    paths = list(pages.addresses(readable))
    board = replace(dashboard, files=links.distinct(paths))
    messages = [f"note: {note}" for note in notes_of(dashboard)]
    for path in paths:
        page = pages.at(board, path, {})
        if page is None:
            raise AssertionError(f"an address without a page: {path}")
        file = room / board.files.get(path, path)
        _put(file, render.html(page, board, {"messages": messages}, now=now).encode(errors="replace"))
    for name in render.asset_names():
        found = render.asset(name)
        if found is not None:
            _put(room / "static" / name, found[0])
    _put(room / ".nojekyll", b"")  # GitHub Pages would leave out what begins with "_"
    return len(paths)


def _put(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _files(room: Path) -> Iterator[str]:
    for directory, _, names in os.walk(room):
        for name in names:
            yield (Path(directory) / name).relative_to(room).as_posix()


def _move(room: Path, target: Path, files: Sequence[str]) -> None:
    for file in files:
        if not _is_within(target, PurePosixPath(file)):
            raise Refused(f"{(target / file).parent} is a link, or leads through one", "remove it, or -o names another")
    for file in files:
        to = target / file
        to.parent.mkdir(parents=True, exist_ok=True)
        # Each by a rename, so that no reader meets half of a page; the marker comes last.
        (room / file).replace(to)


def _stale(target: Path, before: Iterable[str], files: Sequence[str]) -> list[str]:
    """The files of an older site that this one has not: a disk may take two spellings for one file."""
    now = {file.lower(): file for file in files}
    gone = sorted(set(before) - set(files))
    return [file for file in gone if file.lower() not in now or not _is_same(target / file, target / now[file.lower()])]


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _remove(target: Path, files: Iterable[str]) -> None:
    """Take away files of an older site. The list of them was in the directory, where others may write."""
    for file in files:
        path = PurePosixPath(file)
        place = target / path
        if not _is_within(target, path):
            continue
        place.unlink(missing_ok=True)
        for parent in [p for p in place.parents if p != target and p.is_relative_to(target)]:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _is_within(target: Path, file: PurePosixPath) -> bool:
    """Whether a file lies below `target`, with no link on the way to it: it would lead out, or to files of others."""
    if file.is_absolute() or ".." in file.parts:
        return False
    return not any((target / parent).is_symlink() for parent in file.parents if parent.parts)

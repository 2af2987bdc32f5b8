"""Files that lie in Git itself: raw bytes, executables, links that stay inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from registry.artifacts import paths
from registry.artifacts.staging import Staging
from registry.core import lfs
from registry.core.lfs import Pointer
from registry.errors import Refused
from registry.plumbing import objects
from registry.plumbing.objects import Entry
from registry.plumbing.process import Git

_LINK = 4096  # bytes; no system follows a longer link


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A pointer of Git LFS in the place of its file."""

    entry: Entry
    pointer: Pointer


def sorted_out(git: Git, commit: str, entries: Sequence[Entry]) -> tuple[list[Entry], list[Elsewhere]]:
    """The entries whose bytes lie in Git, and those that point to Git LFS; submodules, which hold none, are left out.

    Raises Refused where a link leads out, NotFound where a partial clone does not have the bytes.
    """
    for entry in entries:
        paths.check(entry.path)
    links = [entry for entry in entries if entry.is_link]
    for link in objects.leading_out(git, commit, links):
        raise Refused(f"{link.path} is a link that leads out of the repository", "put the file itself there")
    files = [entry for entry in entries if entry.mode in {"100644", "100755", "100664"}]
    small = [entry for entry in files if entry.size is not None and entry.size < lfs.LIMIT]
    elsewhere = []
    for entry, blob in zip(small, objects.read_objects(git, [entry.oid for entry in small]), strict=True):
        pointer = lfs.parse_pointer(blob.data) if blob.data is not None else None
        if pointer is not None:
            elsewhere.append(Elsewhere(entry, pointer))
    pointers = {one.entry.path for one in elsewhere}
    return [entry for entry in [*files, *links] if entry.path not in pointers], elsewhere


def gather(git: Git, entries: Sequence[Entry], staging: Staging) -> None:
    """Write these files, streamed as they are: no filter and no attribute changes them. Raises NotFound or Refused."""
    wanted = []
    for entry in entries:
        staging.meter.expect(entry.size or 0)
        if entry.is_link or not staging.has(entry.path, "git", None, executable=entry.mode == "100755"):
            wanted.append(entry)
    if not wanted:
        return
    for entry, size, pieces in objects.stream(git, wanted):
        _write(entry, size, pieces, staging)


def _write(entry: Entry, size: int, pieces: Iterator[bytes], staging: Staging) -> None:
    if entry.is_link:
        if size > _LINK:
            raise Refused(
                f"{entry.path} is a link that leads nowhere: it has {size} bytes", "put the file itself there"
            )
        target = b"".join(pieces)
        paths.check_link(entry.path, target.decode(errors="surrogateescape"))
        staging.link(entry.path, target)
        return
    with staging.writing(entry.path, "git", executable=entry.mode == "100755") as sink:
        for piece in pieces:
            sink.write(piece)

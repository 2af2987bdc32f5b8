"""The files that a manifest names, as they are in a commit: from one listing of its tree, without a work tree.

Links are followed as a work tree would follow them, so that `check` says the same of both.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from registry.manifests.files import MAX_NAMES, NOWHERE, Files
from registry.manifests.outputs import declares

DVC_LIMIT = 1_000_000  # bytes of a file in which DVC says what it makes: they are of a few lines
_LINK_LIMIT = 4096  # bytes; no system follows a longer one
_LINKS = 40  # links in a row, as many as Linux and Git follow

# The bytes of files by their paths, no longer than that; None for one that is longer, or not there. One question.
Reading = Callable[[Sequence[str], int], Sequence["bytes | None"]]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a tree says of one path: Git's mode, and the id of the object."""

    mode: str
    oid: str


def listed(listing: bytes) -> dict[str, Listed]:
    """What `ls-tree -r -t -z` prints, by path: directories too, and the root as "" (known by all that is below it)."""
    found = {"": Listed("040000", hashlib.sha256(listing).hexdigest())}
    for record in filter(None, listing.decode(errors="surrogateescape").split("\0")):
        head, _, path = record.partition("\t")
        mode, _, oid = head.split(" ")
        found[path] = Listed(mode, oid)
    return found


class CommitTree(Files):
    """Answers questions about the files of a commit.

    `entries` is all that its tree holds; `reading` reads files of it, and is asked at most once for links and once for
    DVC's files, however many there are.
    """

    def __init__(self, entries: Mapping[str, Listed], manifests: Mapping[str, bytes], reading: Reading) -> None:
        super().__init__(manifests)
        self._entries = entries
        self._reading = reading

    def has(self, path: str) -> bool:
        """Whether there is a file, a directory or a link of this name."""
        directory, name = posixpath.split(posixpath.normpath(path))
        parent = self._led(directory)
        return parent is not None and (name == "." or posixpath.join(parent, name) in self._entries)

    def is_directory(self, path: str) -> bool:
        """Whether `path` is a directory; a submodule is one."""
        there = self._at(path)
        return there is not None and there.mode in {"040000", "160000"}

    def led(self, path: str) -> str | None:
        """Where `path` leads, all links followed; None where that is outside of the repository."""
        found = self._led(path)
        return "." if found == "" else found

    def names_in(self, directory: str) -> list[str]:
        """Some of the names in a directory, sorted."""
        led = self._led(directory)
        return self._names.get(led, [])[:MAX_NAMES] if led is not None else []

    def dvc_files_in(self, directory: str) -> dict[str, bytes]:
        """The files of a directory in which DVC says what it makes, by path."""
        led = self._led(directory)
        there = self._dvc_files.get(led, {}) if led is not None else {}
        return {posixpath.join(directory, name): data for name, data in there.items()}

    def id_of(self, path: str) -> str:
        """The id of the file or directory that `path` leads to, or "" where there is none."""
        there = self._at(path)
        return there.oid if there is not None else ""

    def _at(self, path: str) -> Listed | None:
        led = self._led(path)
        return self._entries.get(led) if led is not None else None

    def _led(self, path: str) -> str | None:
        """Where `path` leads, all links followed; None where that is outside of the repository."""
        at, left, followed = "", deque(path.split("/")), 0
        while left:
            part = left.popleft()
            if part in {"", "."}:
                continue
            if part == "..":
                if at == "":
                    return None
                at = posixpath.dirname(at)
                continue
            step = posixpath.join(at, part)
            if step not in self._entries or self._entries[step].mode != "120000":
                at = step
                continue
            followed += 1
            target = self._targets[step]
            if followed > _LINKS:
                return NOWHERE
            if target.startswith("/"):
                return None
            left.extendleft(reversed(target.split("/")))
        return at

    @cached_property
    def _targets(self) -> dict[str, str]:
        links = [path for path, entry in self._entries.items() if entry.mode == "120000"]
        # One that cannot be read is not trusted.
        return {
            path: (data or b"/").decode(errors="surrogateescape")
            for path, data in zip(links, self._reading(links, _LINK_LIMIT), strict=True)
        }

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        names: defaultdict[str, list[str]] = defaultdict(list)
        for path in filter(None, self._entries):
            directory, name = posixpath.split(path)
            names[directory].append(name)
        return {directory: sorted(found) for directory, found in names.items()}

    @cached_property
    def _dvc_files(self) -> dict[str, dict[str, bytes]]:
        """By directory and name; of all directories, for asking Git of one at a time would take a process for each."""
        paths = [
            path
            for path, entry in self._entries.items()
            if entry.mode.startswith("100") and declares(posixpath.basename(path))
        ]
        found: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        for path, data in zip(paths, self._reading(paths, DVC_LIMIT), strict=True):
            if data is not None:
                directory, name = posixpath.split(path)
                found[directory][name] = data
        return found

"""Files of commits whose trees and bytes may not be here: found by walking, and brought by few explicit fetches.

Git itself would fetch them one by one, when each is read (DESIGN part 8). Here a level of trees costs one fetch, for
all commits that are asked about at once, and all bytes one more.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from registry.plumbing.objects import Extent, missing
from registry.plumbing.process import Git

_LINKS = 8  # links in a row that are followed; Git follows 40, and nobody has so many
_LINK_SIZE = 4096  # bytes; no system follows a longer one


Fetch = Callable[[Sequence[str], str], None]  # object ids, and the filter that says what else comes: git-rev-list(1)


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: bytes
    oid: str

    @property
    def is_tree(self) -> bool:
        return self.mode in {b"40000", b"040000"}

    @property
    def is_link(self) -> bool:
        return self.mode == b"120000"

    @property
    def is_submodule(self) -> bool:
        return self.mode == b"160000"


@dataclass(frozen=True, slots=True)
class _Step:
    """A place reached on the way: the tree there, and what is left of the path. `followed` counts links."""

    asked: tuple[str, str]
    root: str
    tree: str
    above: tuple[bytes, ...]
    left: tuple[bytes, ...]
    extent: Extent
    followed: int = 0


def bring(git: Git, places: Iterable[tuple[str, str]], extent: Extent, fetch: Fetch) -> dict[tuple[str, str], str]:
    """Have `places`, each a commit that is here and a path ("." for everything), as far as `extent` says.

    Gives the ids of those that there are. `git` must see a missing object as missing, and fetch nothing on its own.
    What `fetch` could not bring is left out.
    """
    with _Reader.of(git) as reader:
        walk = _Walk(reader, fetch)
        ahead = [step for place in dict.fromkeys(places) if (step := walk.start(place, extent)) is not None]
        while ahead:
            ahead = walk.level(ahead)
        if walk.blobs:
            absent = missing(git, list(walk.blobs))
            if absent:
                fetch(absent, "tree:0")
        return walk.found


class _Walk:
    def __init__(self, reader: _Reader, fetch: Fetch) -> None:
        self._reader, self._fetch = reader, fetch
        self._trees: dict[str, dict[bytes, _Entry]] = {}
        self._seen: set[tuple[str, tuple[bytes, ...], Extent, tuple[str, str] | None]] = set()
        self.blobs: dict[str, None] = {}
        self.found: dict[tuple[str, str], str] = {}

    def start(self, place: tuple[str, str], extent: Extent) -> _Step | None:
        commit, path = place
        raw = self._reader.read(commit, "commit")
        if raw is None or not raw.startswith(b"tree "):
            return None
        root = raw[5 : raw.index(b"\n")].decode()
        parts = () if path == "." else tuple(path.encode(errors="surrogateescape").split(b"/"))
        return _Step(place, root, root, (), parts, extent)

    def level(self, steps: Sequence[_Step]) -> list[_Step]:
        """Go down by one directory, in all places at once."""
        self._have_trees({step.tree for step in steps if not step.left}, "blob:none")
        self._have_trees({step.tree for step in steps if step.left}, "tree:0")
        ahead: list[_Step] = []
        links: list[tuple[_Step, _Entry]] = []
        for step in steps:
            entries = self._trees.get(step.tree)
            if entries is None:
                continue
            names = [step.left[0]] if step.left else list(entries)
            for name in names:
                entry = entries.get(name)
                if entry is not None:
                    self._enter(step, name, entry, ahead, links)
        return [*ahead, *self._through(links)]

    def _enter(
        self, step: _Step, name: bytes, entry: _Entry, ahead: list[_Step], links: list[tuple[_Step, _Entry]]
    ) -> None:
        left = step.left[1:]
        if step.left and not left and not step.followed:
            self.found[step.asked] = entry.oid
        if entry.is_tree:
            key = (entry.oid, left, step.extent, None if not left else step.asked)
            if (left or step.extent is not Extent.ID) and key not in self._seen:
                self._seen.add(key)
                above = (*step.above, name)
                ahead.append(_Step(step.asked, step.root, entry.oid, above, left, step.extent, step.followed))
        elif step.extent is Extent.BYTES and not entry.is_submodule:
            if not left and (not step.followed or entry.is_link):
                self.blobs[entry.oid] = None
            if entry.is_link and step.followed < _LINKS:
                links.append((_Step(step.asked, step.root, "", step.above, left, Extent.BYTES, step.followed), entry))

    def _through(self, links: Sequence[tuple[_Step, _Entry]]) -> Iterable[_Step]:
        """Where links lead, as far as that is inside: whoever asks if they lead out needs the trees on the way."""
        absent = self._reader.absent([entry.oid for _, entry in links], "blob")
        if absent:
            self._fetch(absent, "tree:0")
        for step, entry in links:
            target = self._reader.read(entry.oid, "blob") or b"/"
            path = posixpath.normpath(b"/".join((*step.above, target, *step.left)))
            if target.startswith(b"/") or path.startswith(b"..") or path == b"." or len(target) > _LINK_SIZE:
                continue
            parts = tuple(path.split(b"/"))
            # What a link leads to is not wanted itself; so it ends at a file or a directory.
            yield _Step(step.asked, step.root, step.root, (), parts, Extent.BYTES, step.followed + 1)

    def _have_trees(self, oids: Collection[str], filter_: str) -> None:
        new = [oid for oid in oids if oid not in self._trees]
        absent = self._reader.absent(new, "tree")
        if absent:
            self._fetch(absent, filter_)
        for oid in new:
            raw = self._reader.read(oid, "tree")
            if raw is not None:
                self._trees[oid] = _parsed(raw, len(oid) // 2)


def _parsed(raw: bytes, width: int) -> dict[bytes, _Entry]:
    entries = {}
    at = 0
    while at < len(raw):
        end = raw.find(b"\0", at)
        if end < 0:
            break  # a damaged tree: what it holds before that is there
        mode, _, name = raw[at:end].partition(b" ")
        at = end + 1 + width
        entries[name] = _Entry(mode, raw[end + 1 : at].hex())
    return entries


class _Reader:
    """Objects by id, from one process, which sees what is fetched meanwhile."""

    def __init__(self, ask: IO[bytes], answer: IO[bytes]) -> None:
        self._ask, self._answer = ask, answer
        self._known: dict[str, tuple[str, bytes]] = {}

    @classmethod
    @contextmanager
    def of(cls, git: Git) -> Iterator[_Reader]:
        with git.pipe("cat-file", "--batch") as (ask, answer):
            yield cls(ask, answer)

    def read(self, oid: str, kind: str) -> bytes | None:
        """The bytes of an object of that type, or None."""
        found = self._known.get(oid) or self._asked(oid)
        return found[1] if found is not None and found[0] == kind else None

    def absent(self, oids: Iterable[str], kind: str) -> list[str]:
        """Those that are not here."""
        return [oid for oid in dict.fromkeys(oids) if self.read(oid, kind) is None]

    def _asked(self, oid: str) -> tuple[str, bytes] | None:
        self._ask.write(f"{oid}\n".encode())
        self._ask.flush()
        words = self._answer.readline().split(b" ")
        if len(words) != 3:
            return None
        data = self._answer.read(int(words[2]))
        self._answer.read(1)
        self._known[oid] = (words[1].decode(), data)
        return self._known[oid]

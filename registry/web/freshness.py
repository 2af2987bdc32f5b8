"""A repository that is read again and again: what has not changed since is not read a second time (DESIGN part 8)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from registry.core.events import Event, event_of
from registry.core.names import parse_tag
from registry.core.state import ArtifactState, fold
from registry.errors import RegistryError
from registry.mirrored import MirroredRepository
from registry.plumbing import tags
from registry.plumbing.address import Address
from registry.plumbing.mirror import Mirror
from registry.plumbing.objects import read_objects
from registry.plumbing.process import Git
from registry.plumbing.write import Clone
from registry.repository import Repository

PATIENCE = 30.0  # seconds for which what a server said is taken for true
_UNSETTLED = 100_000_000  # nanoseconds in which a second change could leave the same time behind: file systems tick

Mark: TypeAlias = tuple[int, int, int]  # when a file changed, its size, which file it is


@dataclass
class Watch:
    """The files by which Git moves a ref, and what they looked like."""

    clone: Clone
    _directories: dict[str, tuple[Mark | None, list[str]]] = field(default_factory=dict)
    _seen: Mapping[str, Mark | None] | None = None

    def changed(self) -> bool:
        """Whether a ref may have moved since this was asked last; the first time, yes."""
        now = time.time_ns()
        found = dict(self._marks(now))
        same = found == self._seen
        self._seen = found if all(_settled(mark, now) for mark in found.values()) else None
        return not same

    def forget(self) -> None:
        """The next answer is yes."""
        self._seen = None

    def _marks(self, now: int) -> Iterator[tuple[str, Mark | None]]:
        common, own = self.clone.common_dir, self.clone.git_dir
        files = [own / "HEAD", own / "config.worktree", *(common / name for name in _FILES)]
        yield from ((os.fspath(file), _mark(os.fspath(file))) for file in files)
        # A ref is written beside its place and renamed into it, so its directory changes with it.
        for name in ("tags", "heads", "registry"):
            yield from self._below(os.fspath(common / "refs" / name), now)

    def _below(self, directory: str, now: int) -> Iterator[tuple[str, Mark | None]]:
        mark = _mark(directory)
        before, inside = self._directories.get(directory, (None, []))
        if mark is None or mark != before:
            inside = [] if mark is None else _subdirectories(directory)  # 100,000 files are listed only when one is new
            self._directories[directory] = mark if _settled(mark, now) else None, inside
        yield directory, mark
        for one in inside:
            yield from self._below(one, now)


_FILES = ("HEAD", "packed-refs", "config", "shallow", "reftable/tables.list")


def _mark(path: str) -> Mark | None:
    try:
        found = os.stat(path)  # noqa: PTH116  (a request asks for dozens of them)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _settled(mark: Mark | None, now: int) -> bool:
    return mark is None or abs(now - mark[0]) > _UNSETTLED


def _subdirectories(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


@dataclass
class Ledger:
    """What the tags of a repository said: each tag object is read once, an artifact folded when one of its changed."""

    _ids: dict[str, str] = field(default_factory=dict)
    _events: dict[str, dict[str, Event]] = field(default_factory=dict)
    _states: dict[str, ArtifactState] = field(default_factory=dict)

    def states(self, git: Git) -> Mapping[str, ArtifactState]:
        """The state of every artifact that has an event, by name, as the repository is now."""
        if not self._ids:
            self._begin(git)
            return self._states
        ids = tags.tag_ids(git, [tags.PREFIX])
        new = [name for name, oid in ids.items() if self._ids.get(name) != oid]
        gone = [name for name in self._ids if name not in ids]
        read = list(_events_of(git, {name: ids[name] for name in new}))  # may fail: nothing is forgotten before
        touched = {artifact for name in [*gone, *new] if (artifact := self._drop(name)) is not None}
        for name, event in read:
            if event is not None:
                self._events.setdefault(event.artifact, {})[name] = event
                touched.add(event.artifact)
        self._ids = ids
        if touched:
            self._states = dict(sorted(self._folded(touched)))
        return self._states

    def _begin(self, git: Git) -> None:
        records = tags.read_tags(git)
        groups = tags.by_artifact(tags.events_of(records))
        self._ids = {record.name: record.oid for record in records}
        self._events = {name: {event.tag: event for event in events} for name, events in groups.items()}
        self._states = {name: fold(name, events) for name, events in groups.items()}

    def _drop(self, tag: str) -> str | None:
        """Forget what a tag said; the artifact that it was about."""
        name = parse_tag(tag)
        there = self._events.get(name.artifact, {}) if name is not None else {}
        return name.artifact if name is not None and there.pop(tag, None) is not None else None

    def _folded(self, touched: Iterable[str]) -> Iterator[tuple[str, ArtifactState]]:
        changed = set(touched)
        yield from ((name, state) for name, state in self._states.items() if name not in changed)
        yield from ((name, fold(name, events.values())) for name in changed if (events := self._events.get(name)))


def _events_of(git: Git, ids: Mapping[str, str]) -> Iterator[tuple[str, Event | None]]:
    for (name, oid), found in zip(ids.items(), read_objects(git, [*ids.values()], only_type="tag"), strict=True):
        yield name, event_of(name, oid, found.data) if found.data is not None else None


class FreshClone(Repository):
    """A clone whose every answer is as of the last `freshen`."""

    def __init__(self, clone: Clone, root: Path | None) -> None:
        self._watch = Watch(clone)
        self._ledger = Ledger()
        self._wholeness: dict[str | None, bool] = {}
        self.moment = object()  # another one after each change
        super().__init__(clone, root)

    def freshen(self, *, anew: bool = False) -> bool:
        """Look at the repository as it is now; whether it may have changed."""
        if anew:
            self._watch.forget()
        if not self._watch.changed():
            return False
        self.forget()
        self.moment = object()
        self._wholeness.clear()
        self.__dict__.pop("_promised", None)
        return True

    def expire(self) -> None:
        """Something was written: look again."""
        self._watch.forget()

    @cached_property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact; only tags that are new are read."""
        return self._ledger.states(self.git)

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, out of that of all."""
        return self.states.get(artifact) or ArtifactState(artifact, ())

    def is_whole(self, artifact: str | None) -> bool:
        """Whether this has all tags, asked once as long as nothing changes."""
        if artifact not in self._wholeness:
            self._wholeness[artifact] = super().is_whole(artifact)
        return self._wholeness[artifact]


class FreshMirror(MirroredRepository):
    """A repository at a URL, whose every answer is as of the last `freshen`: one fetch of all that there is."""

    def __init__(self, address: Address) -> None:
        self._ledger = Ledger()
        self._asked: float | None = None
        self._failure: RegistryError | None = None
        self.trouble = ""
        self.moment = object()  # another one whenever the server was asked
        super().__init__(address)

    def freshen(self, *, anew: bool = False) -> bool:
        """Ask the server unless that was done lately; whether it was asked.

        Where it cannot be asked, the answers stay as they are, and `trouble` says why. Where there are none yet, each
        question is answered with that error.
        """
        now = time.monotonic()
        if self._asked is not None and now - self._asked < (1.0 if anew else PATIENCE):
            return False
        before = self.__dict__.get("states")
        heads, fresh = dict(self._heads), set(self._fresh)
        self.refresh()
        self.trouble, self._failure = "", None
        self.moment = object()
        try:
            _ = self.states
        except RegistryError as error:
            if before is None:
                self._failure = error
            else:
                self.__dict__["states"], self.trouble = before, error.message
                self._heads.update(heads)
                self._fresh.update(fresh)
        self._asked = time.monotonic()
        return True

    def expire(self) -> None:
        """Something was written: ask again."""
        self._asked = None

    def focus(self, *artifacts: str) -> None:
        """Nothing: the mirror of all is asked, whatever comes next."""

    def _fetch(self, mirror: Mirror) -> None:
        if self._failure is not None:
            raise self._failure  # a page asks dozens of times
        super()._fetch(mirror)

    @cached_property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact, from one fetch of all tags; only those that are new are read."""
        mirror = self._open(None)
        with self._locked(mirror):
            self._fetch(mirror)
            return self._ledger.states(mirror.git)

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, out of that of all."""
        return self.states.get(artifact) or ArtifactState(artifact, ())

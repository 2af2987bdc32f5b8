"""A repository that is read again and again: what has not changed since is not read a second time (DESIGN part 8)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock, Thread
from typing import Any, TypeAlias, TypeVar

from registry.core.events import Event, event_of
from registry.core.names import parse_tag
from registry.core.overview import Overview, overview
from registry.core.state import ArtifactState, fold
from registry.errors import GitFailed, RegistryError
from registry.mirrored import MirroredRepository
from registry.plumbing import tags
from registry.plumbing.address import Address
from registry.plumbing.clone import Clone
from registry.plumbing.mirror import Mirror
from registry.plumbing.objects import Extent, missing, read_objects
from registry.plumbing.process import Git
from registry.repository import Repository

PATIENCE = 30.0  # seconds for which what a server said is taken for true
WAIT = 3.0  # seconds for which a page waits for a server, once for each time that it is asked
_UNSETTLED = 100_000_000  # nanoseconds in which a second change could leave the same time behind: file systems tick

Mark: TypeAlias = tuple[int, int, int]  # when a file changed, its size, which file it is
T = TypeVar("T")


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
        for name in ("tags", "heads", "registry", "registry-remote"):
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

    trouble = ""  # a mirror may have one

    def __init__(self, clone: Clone, bare: bool) -> None:
        self._watch = Watch(clone)
        self._ledger = Ledger()
        self._wholeness: dict[str | None, bool] = {}
        self.moment = object()  # another one after each change
        super().__init__(clone, bare)

    def ask(self, *, anew: bool = False) -> None:
        """Nothing, for nobody is asked; `anew`, look at everything again."""
        if anew:
            self._watch.forget()

    def wait(self) -> None:
        """Nothing: it is here."""

    def freshen(self) -> bool:
        """Look at the repository as it is now; whether it may have changed."""
        if not self._watch.changed():
            return False
        self.forget()
        self.moment = object()
        self._wholeness.clear()
        self.__dict__.pop("is_partial", None)
        return True

    def expire(self) -> None:
        """Something was written: look again."""
        self._watch.forget()

    @cached_property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact; only tags that are new are read."""
        return self._ledger.states(self.git)

    @cached_property
    def overviews(self) -> Mapping[str, Overview]:
        """What a listing says of every artifact, out of the states."""
        return {name: overview(state) for name, state in self.states.items()}

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, out of that of all."""
        return self.states.get(artifact) or ArtifactState(artifact, ())

    def is_whole(self, artifact: str | None) -> bool:
        """Whether this has all tags, asked once as long as nothing changes."""
        if artifact not in self._wholeness:
            self._wholeness[artifact] = super().is_whole(artifact)
        return self._wholeness[artifact]


class LocalClone(FreshClone):
    """One whose answers come from what is here: of a partial clone, the files that were left out are missing.

    Its readers wait for nobody, and the remote that promised those files may never answer.
    """

    def _walk(self, places: Iterable[tuple[str, str]], extent: Extent) -> dict[tuple[str, str], str]:
        from registry.plumbing import trees  # partial clones alone pay for it

        with self.git.without_remotes() as alone:
            return trees.bring(alone, places, extent, lambda *_: None)


class Errands:
    """What may take its time, as asking a server does: one thing at a time, in a thread that nobody need wait for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: Future[Any] | None = None
        self._since = 0.0

    @property
    def under_way(self) -> bool:
        """Whether the last one has not ended."""
        return self._last is not None and not self._last.done()

    def begin(self, step: Callable[[], T]) -> Future[T] | None:
        """Let `step` be done; None where another one is under way."""
        with self._lock:
            if self.under_way:
                return None
            self._last = future = Future[T]()
            self._since = time.monotonic()
        Thread(target=_fulfil, args=(future, step), daemon=True).start()  # a daemon: who stops does not wait for it
        return future

    def wait(self, seconds: float | None) -> None:
        """Wait until the last one has ended, or is `seconds` old; None waits for ever."""
        if self._last is not None:
            left = None if seconds is None else max(0.0, self._since + seconds - time.monotonic())
            wait([self._last], left)


def _fulfil(future: Future[T], step: Callable[[], T]) -> None:
    try:
        future.set_result(step())
    except BaseException as error:  # noqa: BLE001  (it is raised where the result is looked at)
        future.set_exception(error)


class _Absent(Exception):
    """An object is not in the mirror."""


class _Asker(MirroredRepository):
    """What asks a server for a FreshMirror, in one thread at a time."""

    def __init__(self, address: Address, mirror: Mirror) -> None:
        self._shared = mirror  # of two that are open, neither could be made anew
        super().__init__(address)

    def _open(self, artifact: str | None) -> Mirror:  # noqa: ARG002  (one for all)
        return self._shared

    def walk(self, places: Sequence[tuple[str, str]], extent: Extent) -> dict[tuple[str, str], str]:
        """Have `places` in the mirror, as far as `extent` says."""
        return self._walk(places, extent)

    def look(self, ledger: Ledger) -> tuple[Mapping[str, ArtifactState], str | None]:
        """What the server has now, and its HEAD, with the manifests there in the mirror."""
        self.refresh()
        with self._locked(self._mirror):  # nobody else may fetch before it is read: Git moves refs one by one
            self._fetch(self._mirror)
            states = ledger.states(self.git)
        head = self.head
        if head is not None:
            with suppress(RegistryError):  # who needs them says so
                self.manifest_of(head)
        return states, head


class FreshMirror(MirroredRepository):
    """A repository at a URL, whose every answer is as of the last `freshen`, and which asks no server by itself.

    That is done by another one on the same mirror, in a thread of its own, for a server may never answer: readers wait
    for `patience` seconds (None: as long as it takes) after a question began, and have the last answers after that.
    """

    def __init__(self, address: Address, patience: float | None = WAIT) -> None:
        self._patience = patience
        self._errands = Errands()
        self._ledger = Ledger()
        self._looking: Future[tuple[Mapping[str, ArtifactState], str | None]] | None = None
        self._asked: float | None = None
        self._outdated = False
        self._found: Mapping[str, ArtifactState] | None = None
        self._error: RegistryError | None = None  # of the last answer
        self.moment = object()  # another one whenever the server was asked
        super().__init__(address)
        self._asker = _Asker(address, self._mirror)

    @property
    def trouble(self) -> str:
        """Why the answers are older ones; "" where they are not, or where there are none."""
        if self._found is None:
            return ""
        if self._error is not None:
            return self._error.message
        return f"still asking {self.name}: what is shown may be old" if self._errands.under_way else ""

    def ask(self, *, anew: bool = False) -> None:
        """Let the server be asked unless that was done lately, or is being done."""
        recent = self._asked is not None and time.monotonic() - self._asked < (1.0 if anew else PATIENCE)
        if self._looking is None and not recent:
            self._outdated = False
            self._looking = self._errands.begin(lambda: self._asker.look(self._ledger))

    def wait(self) -> None:
        """Give the server time to answer."""
        self._errands.wait(self._patience)

    def freshen(self) -> bool:
        """Take the server's answer, where one has come; whether it has.

        Where it cannot be asked, the answers stay as they are, and `trouble` says why. Where there are none yet, each
        question is answered with that error.
        """
        if self._looking is None or not self._looking.done():
            return False
        looked, self._looking = self._looking, None
        self._asked = None if self._outdated else time.monotonic()
        self.moment = object()
        try:
            states, head = looked.result()
        except RegistryError as error:
            self._error = error
            return True
        self.refresh()
        self._found, self._error = states, None
        self._heads[None] = head
        self._fresh.add(None)
        return True

    def expire(self) -> None:
        """Something was written: ask again."""
        self._asked, self._outdated = None, True

    def focus(self, *artifacts: str) -> None:
        """Nothing: the mirror of all is asked, whatever comes next."""

    def _fetch(self, mirror: Mirror) -> None:  # noqa: ARG002  (the asker's)
        if self._found is None:
            raise self._error or GitFailed(f"{self.name} has not answered yet", "load the page again in a while")

    @property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact, from one fetch of all tags; only those that are new are read."""
        self._fetch(self._mirror)
        return self._found or {}

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, out of that of all."""
        return self.states.get(artifact) or ArtifactState(artifact, ())

    def _walk(self, places: Iterable[tuple[str, str]], extent: Extent) -> dict[tuple[str, str], str]:
        from registry.plumbing import trees

        def absent(*_: object) -> None:
            raise _Absent

        wanted = list(places)
        with suppress(_Absent):
            if not missing(self.git, sorted({commit for commit, _ in wanted})):
                return trees.bring(self.git, wanted, extent, absent)
        self.wait()  # for what was begun before
        brought = self._errands.begin(lambda: self._asker.walk(wanted, extent))
        if brought is not None:
            self.wait()
        if brought is None or not brought.done():
            raise GitFailed(f"{self.name} does not answer", "load the page again in a while")
        return brought.result()

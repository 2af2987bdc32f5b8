"""The repositories of a dashboard: each with a name of its own, as it is at the time of a request, and a way to act."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from threading import RLock
from typing import TypeAlias, TypeVar

from registry.api import Registry
from registry.errors import NotFound, RegistryError
from registry.mirrored import MirroredRepository
from registry.plumbing import remote
from registry.plumbing.address import Address
from registry.web.freshness import PATIENCE, WAIT, FreshClone, FreshMirror, LocalClone
from registry.web.page import Dashboard, Source
from registry.writing.standing import incomplete

T = TypeVar("T")
Fresh: TypeAlias = "FreshClone | FreshMirror"


class Busy(Exception):
    """Somebody acts on the repository at the moment."""


@dataclass
class Desk:
    """One repository: read by `source`, acted on by a `Registry` of its own, so that a slow push makes no reader wait.

    `given` is how it was named, None for the one here.
    """

    source: Source
    given: str | None
    fresh: Fresh
    lock: RLock = field(default_factory=RLock)
    _notes: list[str] = field(default_factory=list)
    _acting: Registry | None = None
    _asked: float = 0.0

    @property
    def is_url(self) -> bool:
        """Whether it lies at a URL: whatever is written there is published."""
        return self.fresh.pushes

    @property
    def remotes(self) -> tuple[str, ...]:
        """The remotes that can be pushed to; none at a URL, where whatever is written is published at once."""
        return () if self.is_url else tuple(remote.remotes(self.fresh.git))

    def act(
        self, verb: Callable[[Registry], T], *, lately: bool = False, patience: float | None = None
    ) -> tuple[T, list[str]]:
        """What `verb` answers, done to the repository as it is now, and notes for the person; one at a time.

        With `lately`, a server is not asked again within PATIENCE: good enough for what is only tried. With `patience`,
        so many seconds are waited for others, and then Busy is raised: a push may take minutes.
        """
        with self._turn(patience):
            self._notes.clear()
            now = time.monotonic()
            if self._acting is None:
                self._acting, self._asked = Registry(self.given, on_note=self._notes.append), now
            elif not (lately and self.is_url and now - self._asked < PATIENCE):
                self._acting.refresh()
                self._asked = now
            answer = verb(self._acting)
            return answer, list(dict.fromkeys(self._notes))

    @contextmanager
    def _turn(self, patience: float | None) -> Iterator[None]:
        if not self.lock.acquire(timeout=-1 if patience is None else patience):
            raise Busy
        try:
            yield
        finally:
            self.lock.release()


class Sources:
    """All repositories of a dashboard. Reading is one request at a time: a `Registry` is for one thread."""

    def __init__(self, desks: Sequence[Desk], *, acts: bool, static: bool = False) -> None:
        self.desks = tuple(desks)
        self.dashboard = Dashboard(tuple(desk.source for desk in desks), acts=acts, static=static)
        self._lock = RLock()

    @contextmanager
    def reading(self, of: str | None = None, *, anew: bool = False) -> Iterator[Dashboard]:
        """The dashboard as the repositories are now, or the one alone that `of` names; servers are asked again where
        that is due, or `anew`, and no reader waits for long.

        One that cannot be read says so when it is asked something, so that the others can be looked at.
        """
        wanted = [desk for desk in self.desks if of in {None, desk.source.slug}]
        with self._lock:
            for desk in wanted:
                desk.fresh.ask(anew=anew)
        for desk in wanted:
            desk.fresh.wait()
        with self._lock:
            for desk in wanted:
                desk.fresh.freshen()
            yield self.dashboard

    def desk(self, slug: str) -> Desk:
        """The repository that an address names; without a name, the first. Raises NotFound."""
        for desk in self.desks:
            if slug in {"", desk.source.slug}:
                return desk
        raise NotFound(f"no repository here is called {slug}", "the front page lists those that there are")

    @property
    def troubles(self) -> list[str]:
        """What could not be asked of servers, so that older answers have to do."""
        return [f"{desk.source.name}: {words}" for desk in self.desks if (words := desk.fresh.trouble)]


def open_sources(given: Sequence[str], *, acts: bool, static: bool = False) -> Sources:
    """Open the repositories that were named, or the one here. Raises NotFound, UsageError or GitFailed."""
    found: dict[str, tuple[str | None, Registry, Fresh]] = {}
    for one in given or (None,):
        registry, fresh = _open(one, None if static else WAIT)
        found.setdefault(fresh.name, (one, registry, fresh))
    shown = [_name(fresh) for _, _, fresh in found.values()]
    desks: list[Desk] = []
    for (place, (named, registry, fresh)), name in zip(found.items(), shown, strict=True):
        slug = _free(_slug(name), [desk.source.slug for desk in desks])
        shown_as = name if shown.count(name) == 1 else place
        source = Source(slug, shown_as, registry, named is not None, _moment(fresh), partial(_notes, fresh))
        desks.append(Desk(source, named, fresh))
    return Sources(desks, acts=acts, static=static)


def _open(given: str | None, patience: float | None) -> tuple[Registry, Fresh]:
    """A registry for reading, whose notes nobody hears: pages show what they say in words of their own."""
    registry = Registry(given, on_note=lambda _: None)
    opened = registry.repository
    at_url = given is not None and isinstance(opened, MirroredRepository)
    here = FreshClone if patience is None else LocalClone  # who waits for servers waits for a promisor, too
    fresh = FreshMirror(Address.parse(given or ""), patience) if at_url else here(opened.clone, opened.bare)
    registry.repository = fresh
    return registry, fresh


def _moment(fresh: Fresh) -> Callable[[], object]:
    return lambda: fresh.moment


def _notes(fresh: Fresh) -> list[str]:
    """What the command line tells on standard error: that this clone may lack tags."""
    try:
        reason = None if fresh.is_whole(None) else incomplete(fresh, None)
    except RegistryError:
        return []  # whoever reads it says so
    return [f"{reason}; registry fetch brings them"] if reason is not None else []


def _name(fresh: Fresh) -> str:
    """What people call a repository: the last part of its place."""
    last = PurePath(re.split(r"[/:]", fresh.name.rstrip("/"))[-1] if fresh.pushes else fresh.name).name
    return last.removesuffix(".git") or fresh.name


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "repository"


def _free(wanted: str, taken: Sequence[str]) -> str:
    return next(slug for n in range(1, len(taken) + 2) if (slug := f"{wanted}-{n}" if n > 1 else wanted) not in taken)

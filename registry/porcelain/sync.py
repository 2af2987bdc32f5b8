"""`fetch` and `push`: bringing the tags of a clone and of its remote together (DESIGN part 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from registry.core import names
from registry.core.manifest import Json
from registry.plumbing import memory
from registry.porcelain import views
from registry.porcelain.values import EventView, Written
from registry.repository import Repository
from registry.writing.publish import publish
from registry.writing.standing import Standing, refresh, standings, take_in, unequal
from registry.writing.values import Way


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought: the new tags, and what still stands otherwise here than at the remote.

    `left_out` are tags that cannot be refs beside a tag that is here.
    """

    remote: str
    tags: tuple[str, ...]
    unpublished: tuple[str, ...]
    differing: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The shape of `fetch --json`."""
        return {
            "remote": self.remote,
            "tags": list(self.tags),
            "unpublished": list(self.unpublished),
            "differing": list(self.differing),
        }


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The tags that were written here and are not at `remote`; where it was never `asked`, it may have some of them."""

    remote: str
    tags: tuple[str, ...]
    asked: bool


@dataclass(frozen=True, slots=True)
class Left:
    """An event that could not be published: its tag, the id under which it is kept, and why."""

    tag: str
    oid: str
    why: str

    def to_json(self) -> dict[str, Json]:
        """The shape of one withdrawn event in JSON."""
        return {"tag": self.tag, "oid": self.oid, "why": self.why}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push published, what it withdrew, and the versions that have other names now."""

    remote: str
    written: Written
    withdrawn: tuple[Left, ...]
    renamed: dict[str, str]

    @property
    def events(self) -> tuple[EventView, ...]:
        """The events that were published."""
        return self.written.events

    def to_json(self) -> dict[str, Json]:
        """The shape of `push --json`."""
        return {
            "remote": self.remote,
            **self.written.to_json(),
            "withdrawn": [one.to_json() for one in self.withdrawn],
            "renamed": dict(self.renamed),
        }


def fetch(
    repository: Repository,
    artifacts: Sequence[str],
    wanted: str | None,
    waiting: Callable[[], None],
    *,
    unknown: bool = False,
) -> Fetched:
    """Take in the remote's tags of `artifacts`, of all where none is named. No tag that is here moves.

    Raises NotFound for an artifact that nobody knows, unless it may be `unknown`.
    """
    only = [names.check_artifact(name) for name in artifacts] or None
    place = repository.remote(wanted)
    repository.focus(*only or ())
    with repository.locked(waiting) as held:
        refresh(held, repository, place, only)
        found = list(standings(repository, place, only or unequal(repository, place)).values())
        if only is not None and not unknown:
            _check_known(repository, found)
        new = take_in(held, found, repository)
        repository.forget()
    return Fetched(
        place.name,
        new.tags,
        _unpublished(found),
        tuple(name for one in found for name in one.differing),
        new.left_out,
    )


def unpublished(repository: Repository, artifacts: Sequence[str], wanted: str | None) -> Unpublished:
    """What `push` would publish, as far as was fetched: nobody is asked. Of all artifacts, where none is named, those
    are read that have a tag, by its name and id, here or there only.

    Raises NotFound without a remote, UsageError where several could be meant.
    """
    place = repository.remote(wanted)
    found = standings(repository, place, artifacts or unequal(repository, place)).values()
    return Unpublished(place.name, _unpublished(found), bool(memory.known(repository.clone, place.name).asked))


def _unpublished(found: Iterable[Standing]) -> tuple[str, ...]:
    """The names of the tags that a push would publish."""
    return tuple(event.tag for one in found for event in one.unpublished if event.tag not in one.there)


def _check_known(repository: Repository, found: Sequence[Standing]) -> None:
    """Each has a tag here or there, or is declared. Raises NotFound with the nearest name."""
    for one in found:
        if not one.here and not one.there:
            repository.existing(one.base.name)


def _is_known(repository: Repository, name: str) -> bool:
    return repository.state(name).exists or name in repository.manifest_at_head.artifacts


def push(repository: Repository, artifacts: Sequence[str], wanted: str | None, waiting: Callable[[], None]) -> Pushed:
    """Publish what was written here and never pushed, of all artifacts where none is named, in order."""
    only = [names.check_artifact(name) for name in artifacts] or None
    place = repository.remote(wanted)
    repository.focus(*only or ())
    unseen = [] if repository.pushes else [name for name in only or () if not _is_known(repository, name)]
    if unseen:
        with repository.locked(waiting) as held:
            refresh(held, repository, place, unseen)
            _check_known(repository, list(standings(repository, place, unseen).values()))
    done = publish(repository, place, only, Way(), waiting)
    seen = [
        view
        for name in dict.fromkeys(event.artifact for event in done.sent)
        for view in views.events_view(repository.state(name), [e for e in done.sent if e.artifact == name])
    ]
    left = tuple(Left(one.event.tag, one.event.oid, one.why) for one in done.withdrawn)
    return Pushed(place.name, Written(tuple(seen), tuple(done.notes)), left, done.renamed)

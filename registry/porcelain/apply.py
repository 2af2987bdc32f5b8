"""`apply`: what the manifest of the default branch wants is made true, all or none (DESIGN part 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from registry.core.desired import Course
from registry.core.manifest import Manifest
from registry.core.state import ArtifactState
from registry.errors import RegistryError, UsageError
from registry.plumbing import remote
from registry.plumbing.remote import Remote
from registry.porcelain import bounds, views
from registry.porcelain.gitops import Changes, Obstructed
from registry.porcelain.plan import Planner, obstacle, unreadable, wanting
from registry.porcelain.values import EventView, Written
from registry.repository import Repository
from registry.trust import Trust
from registry.writing.publish import NewAll
from registry.writing.pushing import Again
from registry.writing.values import Decision, Outcome, Way
from registry.writing.write import write_all


def apply(
    repository: Repository,
    revision: str | None,
    batch: int | None,
    changes: Changes | None,
    way: Way,
    waiting: Callable[[], None],
    on_batch: Callable[[Written], None] | None = None,
) -> Written:
    """Make true what the manifests want, at `revision` or, by default, at the present tip of the default branch.

    With `batch`, so many tags at most are published by one push; each batch is planned anew, so that one that was cut
    off is taken up by the next call; `on_batch` hears of each at once. Raises Refused or NotFound where something
    cannot be made true: nothing is written then, or no more than the batches before.
    """
    publishes = (way.push or repository.pushes) and not way.dry_run
    if batch is not None and (batch < 1 or not publishes):
        raise UsageError("batches are pushed, of at least one tag each", "--push --push-batch 3, without --dry-run")
    carrying = _Carrying(repository, _place(repository, way), revision, changes, batch)
    repository.focus()
    repository.about()
    done: list[Written] = []
    while True:
        try:
            written = carrying.out(way, waiting)
        except RegistryError as error:
            if done:
                count = sum(len(one.events) for one in done)
                error.hint = f"published before that: {count}; the next apply goes on with the rest"
            raise
        done.append(written)
        if on_batch is not None:
            on_batch(written)
        if batch is None or not written.events:
            break
    notes = dict.fromkeys(note for one in done for note in one.notes)
    return Written(tuple(event for one in done for event in one.events), tuple(notes))


def _place(repository: Repository, way: Way) -> Remote | None:
    """The remote whose default branch is meant; None without one, or where it is not to be asked."""
    if repository.pushes:
        return repository.remote(way.remote)
    if way.offline or (way.remote is None and not way.push and remote.choose(repository.git) is None):
        return None
    return repository.remote(way.remote)


@dataclass
class _Carrying:
    """What is carried out, decided as often as others are faster."""

    repository: Repository
    place: Remote | None
    revision: str | None
    changes: Changes | None
    batch: int | None
    course: Course = field(default_factory=Course)
    tip: str = ""
    now: str = ""

    def __post_init__(self) -> None:
        where = self.place.name if self.place is not None and not self.repository.pushes else None
        self._planner = Planner(self.repository, self.repository.writer(), self.changes, remote=where)

    def out(self, way: Way, waiting: Callable[[], None]) -> Written:
        """Decide, and write it."""
        self._planner.by = self.repository.writer()
        done = write_all(self.repository, NewAll(self._decide, self._rules, self._trust), way, waiting, self.place)
        events = tuple(_in_order(self.course, done))
        by = [] if events else self._by()
        return Written(events, (*self.course.notes, *_notes(done), *by))

    def _by(self) -> list[str]:
        if self.revision is not None or self.place is None or not self.tip:
            return []
        return [f"what counts is {self.tip[:7]}, the default branch of {self.place.name}"]

    def _rules(self, artifact: str) -> Manifest:
        self.now = self.now or self._tip()  # once for all artifacts of an attempt
        return self.repository.manifest_at(self.now, artifact)

    def _trust(self) -> Trust:
        return Trust(self.repository, self.tip, self.tip[:7])

    def _decide(self, states: Mapping[str, ArtifactState]) -> Mapping[str, Decision]:
        # After the tags: so the manifest is not older than what any other run has made true by it.
        tip = self.tip = self._tip()
        self.now = ""
        bounds.manifests(self.repository, tip)
        manifest = self.repository.manifest_of(tip)
        if more := [name for name in wanting(manifest) if name not in states]:
            raise Again(more)
        course = self._planner.course(manifest, tip, states)
        _check(self.repository, manifest, tip, course)
        self.course = course if self.batch is None else course.first(self.batch)
        drafts = self.course.drafts()
        # Also where there is nothing to do: so the outcome tells what was published along with it.
        return {name: Decision(drafts.get(name, ())) for name in states}

    def _tip(self) -> str:
        if self.revision is not None or self.place is None:
            return self.repository.commit(self.revision or "HEAD")
        return self.repository.tip(self.place)


def _check(repository: Repository, manifest: Manifest, tip: str, course: Course) -> None:
    """Nothing is in the way. Raises Obstructed with all that is."""
    found = (*unreadable(repository, manifest, tip), *map(obstacle, course.hindrances))
    if found:
        raise Obstructed(tip, found)


def _in_order(course: Course, done: Mapping[str, Outcome]) -> Iterator[EventView]:
    """The events that were written, in the order of the steps."""
    left = {name: iter(outcome.events) for name, outcome in done.items()}
    for step in course.steps:
        name = step.wish.artifact
        for event in islice(left[name], len(step.drafts)):
            yield views.event_view(event, done[name].after.subject_of(event))


def _notes(done: Mapping[str, Outcome]) -> Sequence[str]:
    moved = [note for outcome in done.values() for note in outcome.notes]
    return list(dict.fromkeys(moved))

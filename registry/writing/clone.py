"""Writing in one clone: look, decide and write under its lock, on a state read afresh (DESIGN part 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from registry.core import draft, policy
from registry.core.draft import Draft, Laid
from registry.core.events import Event, Signatory
from registry.core.state import ArtifactState
from registry.errors import Refused
from registry.plumbing import memory, signing, tags, write
from registry.plumbing.write import Held, RefChange
from registry.repository import Repository
from registry.writing import standing
from registry.writing.guard import Guard
from registry.writing.heads import head_changes
from registry.writing.values import Way


@contextmanager
def writing(
    repository: Repository,
    artifact: str,
    waiting: Callable[[], None],
    way: Way,
    *,
    new: bool = False,
) -> Iterator[Writing]:
    """The state of `artifact` under the clone's lock, for deciding and writing.

    The artifact has to exist, unless it may be `new`: raises NotFound. A clone that may lack tags of it fetches them
    first, unless it is to write offline: raises Refused where it cannot. A dry run takes no lock and writes nothing, so
    that it works where writing does not.
    """
    by = repository.writer()
    repository.forget()
    with nullcontext() if way.dry_run else repository.locked(waiting) as held:
        if held is not None and not way.offline:
            standing.complete(held, repository, artifact, way.remote)
        state = repository.state(artifact) if new else repository.existing(artifact)
        try:
            yield Writing(repository, state, held, by)
        finally:
            repository.forget_tags()


@dataclass(frozen=True, slots=True)
class Done:
    """What was written, and notes for the person."""

    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Writing:
    """A write that is being decided: the state under the lock. `held` is None in a dry run."""

    repository: Repository
    state: ArtifactState
    held: Held | None
    by: Signatory

    def preview(self, drafts: Sequence[Draft]) -> ArtifactState:
        """The state as `drafts` would make it, for deciding on what comes with them."""
        return self.state.with_events(one.event for one in draft.lay(self.state, drafts, self.by))

    def write(self, drafts: Sequence[Draft], *, sign: bool | None = None, also: Sequence[RefChange] = ()) -> Done:
        """Write `drafts` as tags, and move the refs of `also` with them: all or none."""
        if not drafts and not also:
            return Done()
        guard = Guard.of(self.repository)
        wanted = guard.sign(sign, self.state, drafts)
        seal = signing.signer(self.repository.git, wanted) if self.held is not None else None
        laid = draft.lay(self.state, drafts, self.by, seal or bytes)
        guard.check(self.state, laid, sealed=self.held is not None)
        check_names(self.repository, [(self.state, [one.event for one in laid])])
        done = put(self.held, self.repository, laid, also)
        if also:  # a branch may have moved: HEAD's
            self.repository.forget()
        return done

    def delete(self, found: Sequence[tags.TagRecord]) -> None:
        """Delete tags, all or none, if they still are what was found."""
        if self.held is not None and found:
            changes = [RefChange(f"{tags.PREFIX}{record.name}", record.oid, None) for record in found]
            write.transact(self.held, changes, "registry: delete")


def put(held: Held | None, repository: Repository, laid: Sequence[Laid], also: Sequence[RefChange] = ()) -> Done:
    """Store tags, and make their refs in one transaction with `also`; nothing where the lock is not held."""
    events = [one.event for one in laid]
    if held is None:
        return Done(events)
    store(held, laid)
    # How they were meant is kept first: remembered for an event that never comes, it harms nobody.
    memory.remember_intents(held.clone, {one.event.oid: one.intent for one in laid})
    changes = [RefChange(f"{tags.PREFIX}{event.tag}", None, event.oid) for event in events]
    notes = write.transact(held, [*changes, *head_changes(repository, events), *also], "registry")
    return Done(events, notes)


def store(held: Held, laid: Sequence[Laid]) -> None:
    """Store the tag objects; no ref moves."""
    write.write_tags(held, {one.event.oid: one.raw for one in laid})


def check_names(repository: Repository, new: Sequence[tuple[ArtifactState, Sequence[Event]]]) -> None:
    """The tags of the `new` events, each after its artifact's state, travel, and stand in nobody's way. Raises Refused.

    Git is asked as often for many as for one.
    """
    git = repository.git
    for state, events in new:
        for place, event in enumerate(events):
            policy.check_travels(event.tag)
            for what in ("stage", "version"):
                word = getattr(event, what, None)
                if word is not None:
                    policy.check_case(word, (getattr(e, what, "") for e in [*state.events, *events[:place]]), what)
    first = [state.name for state, events in new if events and not state.exists]
    like: defaultdict[str, list[str]] = defaultdict(list)
    for name in [*tags.artifacts_like(git, *first), *first]:  # of a new name, others are looked at, this once
        like[name.lower()].append(name)
    for name in first:
        policy.check_case(name, like[name.lower()], "name")
    for tag, other in tags.in_the_way(git, [event.tag for _, events in new for event in events]):
        if other == tag:
            raise Refused(f"the tag {other} is there already, but is no event", "registry doctor says what it is")
        raise Refused(f"the tags {other} and {tag} cannot both exist", "choose another name")

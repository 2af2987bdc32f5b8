"""Writing in one clone: look, decide and write under its lock, on a state read afresh (DESIGN part 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from registry.core import draft, policy
from registry.core.draft import Draft, Laid
from registry.core.events import Event, Signatory
from registry.core.state import ArtifactState
from registry.errors import GitFailed, Refused
from registry.plumbing import memory, signing, tags, write
from registry.plumbing.process import Git
from registry.plumbing.write import Held, RefChange
from registry.repository import Repository
from registry.writing import standing
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
            repository.forget()


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
        seal = signing.signer(self.repository.git, sign) if self.held is not None else None
        laid = draft.lay(self.state, drafts, self.by, seal or bytes)
        events = [one.event for one in laid]
        check_names(self.repository, self.state, events)
        if self.held is None:
            return Done(events)
        store(self.held, laid)
        # How they were meant is kept first: remembered for an event that never comes, it harms nobody.
        memory.remember_intents(self.held.clone, {one.event.oid: one.intent for one in laid})
        changes = [RefChange(f"{tags.PREFIX}{event.tag}", None, event.oid) for event in events]
        notes = write.transact(self.held, [*changes, *head_changes(self.repository, events), *also], "registry")
        return Done(events, notes)

    def delete(self, found: Sequence[tags.TagRecord]) -> None:
        """Delete tags, all or none, if they still are what was found."""
        if self.held is not None and found:
            changes = [RefChange(f"{tags.PREFIX}{record.name}", record.oid, None) for record in found]
            write.transact(self.held, changes, "registry: delete")


def store(held: Held, laid: Sequence[Laid]) -> None:
    """Store the tag objects; no ref moves."""
    if write.write_tags(held, [one.raw for one in laid]) != [one.event.oid for one in laid]:
        raise GitFailed("Git stored the tags under other ids than expected", "git fsck says whether it is sound")


def check_names(repository: Repository, state: ArtifactState, events: Sequence[Event]) -> None:
    """The tags of `events` travel, and stand in nobody's way. Raises Refused."""
    for event in events:
        policy.check_travels(event.tag)
        stage = getattr(event, "stage", None)
        if stage is not None:
            policy.check_case(stage, (getattr(e, "stage", "") for e in state.events), "stage")
        version = getattr(event, "version", None)
        if version is not None:
            policy.check_case(version, (getattr(e, "version", "") for e in state.events), "version")
    git = repository.git
    if events and not state.exists:  # a new name: others are looked at, this once
        policy.check_case(state.name, tags.artifacts_like(git, state.name), "name")
    for event in events:
        # A pattern without a wildcard matches that ref and all below it: both would stand in the way.
        parts = event.tag.split("/")
        above = ["/".join(parts[:n]) for n in range(1, len(parts))]
        for other in tags.tag_names(git, [tags.PREFIX + event.tag]) + _exactly(git, above):
            if other == event.tag:
                raise Refused(f"the tag {other} is there already, but is no event", "registry doctor says what it is")
            raise Refused(f"the tags {other} and {event.tag} cannot both exist", "choose another name")


def _exactly(git: Git, wanted: Sequence[str]) -> list[str]:
    return [name for name in tags.tag_names(git, [tags.PREFIX + w for w in wanted]) if name in wanted] if wanted else []

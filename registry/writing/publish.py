"""Publishing by compare-and-swap: fetch, decide on what is there, push, and begin again where somebody was faster.

Beside its tags every push moves `refs/registry/A@head`, from where it was seen. So of two writers who saw the same
state exactly one is accepted, whatever refs they touch (DESIGN part 6).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.core import draft, names, select
from registry.core.draft import Laid
from registry.core.events import Event, Signatory
from registry.core.replay import Replayed, Rules, Withdrawn, replay
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.core.version import parse as parse_version
from registry.errors import GitFailed, NotFound, Refused, RegistryError
from registry.plumbing import memory, remote, signing, tags, write
from registry.plumbing.process import Answer
from registry.plumbing.remote import Fate, Pushed, Remote
from registry.plumbing.write import Held, RefChange
from registry.repository import Repository
from registry.writing.clone import check_names, head_change, head_ref, store
from registry.writing.standing import WITHDRAWN, Standing, refresh, standing, take_in, unequal
from registry.writing.values import Decide, Decision, Way

PATIENCE = 60.0  # seconds to go on after lost races
_REFS_AT_ONCE = 1000  # in one push, whose refs stand on a command line


@dataclass(frozen=True, slots=True)
class New:
    """A write that is decided with each attempt, after all that was unpublished before."""

    selector: Selector
    decide: Decide
    new: bool = False


@dataclass
class Published:
    """What came of publishing: for each artifact the state before and after, and what became of unpublished events.

    `before` and `events` are of the new write, where there was one; `sent` are all events that were published.
    """

    before: ArtifactState | None = None
    after: ArtifactState | None = None
    events: list[Event] = field(default_factory=list)
    sent: list[Event] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    attempts: int = 1


@dataclass
class _Plan:
    """One artifact in one attempt. `laid` is what the new write adds to the replayed events."""

    standing: Standing
    replayed: Replayed
    decision: Decision | None = None
    laid: Sequence[Laid] = ()

    @property
    def name(self) -> str:
        return self.standing.base.name

    @property
    def events(self) -> list[Event]:
        return [*(step.event for step in self.replayed.steps), *(one.event for one in self.laid)]

    @property
    def head(self) -> str | None:
        """The last event of ours that is published."""
        return next((event.oid for event in reversed(self.events) if event.ours), None)


class _Again(Exception):
    """The attempt was lost, or has to be made with more artifacts."""

    def __init__(self, more: Iterable[str] = (), *, by_tail: bool = False) -> None:
        super().__init__()
        self.more = sorted(more)
        self.by_tail = by_tail


def publish(
    repository: Repository,
    place: Remote,
    artifacts: Sequence[str] | None,
    way: Way,
    waiting: Callable[[], None],
    new: New | None = None,
) -> Published:
    """Publish the unpublished events of `artifacts` (of all, where None), and the `new` write after them, all or none.

    Raises Refused where the remote refuses or others are faster for a minute, what `decide` raises, and GitFailed where
    the remote cannot be asked; nothing is written then.
    """
    by = repository.writer()
    start, attempt, by_tail = time.monotonic(), 0, False
    touched = None if artifacts is None else list(artifacts)
    while True:
        attempt += 1
        try:
            with write.locked(repository.clone, waiting) as held:
                one = _Attempt(held, repository, place, way, by, touched, by_tail)
                done = one.run(new)
                done.attempts = attempt
                return done
        except _Again as lost:
            if lost.more and touched is not None:
                touched += lost.more
                continue
            by_tail = lost.by_tail and not by_tail
        finally:
            repository.forget()
        if time.monotonic() - start > PATIENCE:
            raise Refused(f"others were faster at {place.name} for a minute", "nothing was written; try again")
        # Outside the lock: others in this clone may go on meanwhile. DESIGN part 8 says why these numbers.
        time.sleep(random.uniform(0, min(1.0, 0.05 * 2**attempt)))  # noqa: S311  (no secret)


@dataclass
class _Attempt:
    held: Held
    repository: Repository
    place: Remote
    way: Way
    by: Signatory
    touched: Sequence[str] | None
    by_tail: bool

    def run(self, new: New | None) -> Published:
        before = self._selected(new)
        self._refresh()
        touched = unequal(self.repository, self.place) if self.touched is None else self.touched
        found = {name: standing(self.repository, self.place, name) for name in touched}
        take_in(self.held, list(found.values()))
        self.repository.forget()
        plans = self._replays(found)
        done = Published()
        if new is not None:
            plan = plans[new.selector.artifact]
            self._decide(plan, new, before)
            done.before = plan.replayed.state
            done.after = plan.replayed.state.with_events(one.event for one in plan.laid)
            done.events = [one.event for one in plan.laid]
            done.notes += plan.decision.notes if plan.decision is not None else ()
        self._look_for_more(plans)
        self._store(plans.values())
        for group in _groups(list(plans.values())):
            done.notes += self._push(group)
            done.notes += self._settle(group)
        for plan in plans.values():
            _tell(done, plan)
        return done

    def _refresh(self) -> None:
        refresh(self.held, self.repository, self.place, self.touched)

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _selected(self, new: New | None) -> tuple[str, str] | None:
        """The version and commit that an exact selector means here, before anything is fetched."""
        if new is None or new.selector.what is None or not _is_exact(new.selector.what):
            return None
        try:
            found = select.select(self.repository.state(new.selector.artifact), new.selector)
        except NotFound:
            return None
        return (found.version.name, found.commit) if found.version is not None else None

    def _decide(self, plan: _Plan, new: New, before: tuple[str, str] | None) -> None:
        state, selector = plan.replayed.state, new.selector
        if not new.new and not state.exists:
            self.repository.existing(selector.artifact)
        if before is not None:
            name, commit = before
            selector = replace(selector, what=plan.replayed.renamed.get(name, name))
            there = state.versions.get(selector.what or "")
            if there is None or there.commit != commit:
                now = f"is {there.commit[:7]}" if there is not None else "is not"
                raise Refused(
                    f"{state.name} {name} is {commit[:7]} here, and {now} at {self.place.name}",
                    "registry status says what differs; registry push settles it",
                )
        plan.decision = new.decide(state, selector)
        if plan.decision.drafts:
            seal = signing.signer(self.repository.git, self.way.sign) or bytes
            plan.laid = draft.lay(state, plan.decision.drafts, self.by, seal)
            events = [one.event for one in plan.laid]
            for tag in (event.tag for event in events if event.tag in plan.standing.deleted):
                raise Refused(
                    f"the tag {tag} was deleted at {self.place.name}, and is still here",
                    f"registry delete '{tag}' deletes it here too",
                )
            check_names(self.repository, state, events)

    def _replays(self, found: Mapping[str, Standing]) -> dict[str, _Plan]:
        """Decide again on what is unpublished. A version that is renamed is renamed where others name it, too."""
        known = memory.intents(self.held.clone) if any(one.unpublished for one in found.values()) else {}
        renamed: dict[str, str] = {}
        while True:
            plans = {}
            for name, one in found.items():
                rules = Rules(self.repository.rules(name), known, renamed, {*one.there, *one.deleted})
                plans[name] = _Plan(one, replay(one.base, one.unpublished, rules, self.by, self._seal))
            more = {
                f"{name}@{old}": f"{name}@{new}"
                for name, plan in plans.items()
                for old, new in plan.replayed.renamed.items()
                if old != new
            }
            if more == renamed:
                return plans
            renamed = more

    def _seal(self, signed: bool) -> Callable[[bytes], bytes]:
        return signing.signer(self.repository.git, True if signed else None) or bytes

    def _look_for_more(self, plans: Mapping[str, _Plan]) -> None:
        """What is published may not name what is not: versions that it was made from come along. Raises _Again."""
        used = {
            use.rpartition("@")[0]
            for plan in plans.values()
            for event in plan.events
            for use in event.keys.get("Uses", ())
            if " " not in use
        }
        renamed = {
            f"{name}@{old}" for name, plan in plans.items() for old, new in plan.replayed.renamed.items() if old != new
        }
        others = {name for name in used if names.is_artifact(name)} - plans.keys()
        more = {name for name in others if standing(self.repository, self.place, name).unpublished}
        if renamed:
            more |= self._users_of(renamed) - plans.keys()
        if more:
            raise _Again(more)

    def _users_of(self, versions: set[str]) -> set[str]:
        there = tags.tag_ids(self.repository.git, [self.place.tags], self.place.tags)
        own = [record for record in tags.read_tags(self.repository.git) if record.name not in there]
        return {e.artifact for e in tags.events_of(own) if versions & set(e.keys.get("Uses", ()))}

    # -- pushing -----------------------------------------------------------------------------------------------------

    def _store(self, plans: Iterable[_Plan]) -> None:
        for plan in plans:
            laid = [*(step.laid for step in plan.replayed.steps if step.laid is not None), *plan.laid]
            if laid:
                store(self.held, laid)

    def _push(self, plans: Sequence[_Plan]) -> list[str]:
        """Push all or none; notes for the person. Raises _Again after a lost race, and Refused."""
        new = {f"{tags.PREFIX}{event.tag}": event.oid for plan in plans for event in plan.events}
        if not new:
            return []
        known = memory.known(self.held.clone, self.place.name)
        heads = {} if known.create_only else {head_ref(p.name): p.head for p in plans if p.head is not None}
        leases = {head_ref(p.name): self._lease(p) for p in plans if head_ref(p.name) in heads}
        pushed, answer = self._pushed({**new, **heads}, leases)
        fates = {one.ref: one.fate for one in pushed}
        if not pushed:
            self._published_unheard(new, answer)
            return []
        if Fate.LOST in fates.values() or all(fates.get(ref) is Fate.THERE for ref in new):
            stale = any(one.fate is Fate.LOST and one.ref in heads for one in pushed)
            raise _Again(by_tail=stale and any(not plan.standing.head for plan in plans))
        if all(fates.get(ref) in {Fate.PUBLISHED, Fate.THERE} for ref in new):
            if all(fates.get(ref) in {Fate.PUBLISHED, Fate.THERE} for ref in heads):
                return []
        elif heads:
            # Which of the refs is not wanted, a hook of the server does not always say: perhaps the tags alone are.
            alone, _ = self._pushed(new, {})
            if any(one.fate is Fate.LOST for one in alone):
                raise _Again
            if not alone or not all(one.fate is Fate.PUBLISHED for one in alone):
                raise refusal(self.place, pushed, answer)
        else:
            raise refusal(self.place, pushed, answer)
        memory.remember(self.held.clone, self.place.name, replace(known, create_only=True))
        return [f"{self.place.name} takes no refs below refs/registry: only its tags tell two writers at once apart"]

    def _pushed(self, refs: Mapping[str, str], leases: Mapping[str, str]) -> tuple[list[Pushed], Answer]:
        git, progress = self.repository.git, self.repository.progress
        return remote.push(git, self.place, refs, leases, progress, self.repository.push_options)

    def _lease(self, plan: _Plan) -> str:
        if plan.standing.head or not self.by_tail:
            return plan.standing.head
        # Where no head can be fetched (uploadpack.hideRefs), it is the tail of the chain that the tags show.
        return next((event.oid for event in reversed(plan.standing.base.events) if event.ours), "")

    def _published_unheard(self, new: Mapping[str, str], answer: Answer) -> None:
        """No answer came. Where the remote has it all the same, all is well; else it raises what was said."""
        complaint = self.repository.git.complaint(["push"], answer)
        try:
            self._refresh()
            there = tags.tag_ids(self.repository.git, [self.place.tags], self.place.tags)
        except GitFailed:
            raise complaint from None
        if any(there.get(ref.removeprefix(tags.PREFIX)) != oid for ref, oid in new.items()):
            raise complaint

    # -- afterwards --------------------------------------------------------------------------------------------------

    def _settle(self, plans: Sequence[_Plan]) -> list[str]:
        """Bring this clone's refs to what is published now, in one step."""
        changes = {change.ref: change for plan in plans for change in _tags(plan)}
        ours = {ref: oid for plan in plans for ref, oid in _own(plan, self.place).items() if ref not in changes}
        now = tags.tag_ids(self.repository.git, list(ours), "") if ours else {}
        changes.update({ref: RefChange(ref, now.get(ref), oid) for ref, oid in ours.items()})
        for plan in plans:
            moved = head_change(self.repository, [event for event in plan.events if event.ours])
            changes.update({change.ref: change for change in moved})
        changes = {ref: change for ref, change in changes.items() if change.old != change.new}
        try:
            if changes:
                write.transact(self.held, list(changes.values()), "registry: publish")
            settled = [event.oid for plan in plans for event in plan.standing.unpublished]
            if settled:
                memory.forget_intents(self.held.clone, settled)
        except RegistryError as error:
            if not any(plan.events for plan in plans):
                raise
            return [f"it is published, but this clone could not take it in: {error.message}; registry fetch does"]
        return []


def unpublish(
    held: Held,
    repository: Repository,
    place: Remote,
    artifacts: Sequence[str],
    records: Sequence[tags.TagRecord],
) -> None:
    """Delete tags at the remote, all or none, if they still are there what they are here. Raises Refused, GitFailed."""
    refresh(held, repository, place, artifacts)
    there = tags.tag_ids(repository.git, [place.tags + record.name for record in records], place.tags)
    for record in records:
        if there.get(record.name, record.oid) != record.oid:
            raise Refused(f"{record.name} is another tag at {place.name}", "registry status says what differs")
    leases = {f"{tags.PREFIX}{name}": oid for name, oid in there.items()}
    if not leases:
        return
    gone: dict[str, str | None] = dict.fromkeys(leases)
    pushed, answer = remote.push(repository.git, place, gone, leases, repository.progress, repository.push_options)
    if not pushed:
        raise repository.git.complaint(["push"], answer)
    if any(one.fate is not Fate.PUBLISHED for one in pushed):
        raise refusal(place, pushed, answer)
    if place.tags != tags.PREFIX:
        changes = [RefChange(place.tags + name, oid, None) for name, oid in there.items()]
        write.transact(held, changes, "registry: delete")


def refusal(place: Remote, pushed: Sequence[Pushed], answer: Answer) -> Refused:
    """What the remote said against a push."""
    refused = next((one for one in pushed if one.fate is Fate.REFUSED), pushed[0])
    said = "; ".join(answer.remote_words[:5])
    words = refused.words.replace("[remote rejected] ", "").strip("()") + (f": {said}" if said else "")
    name = refused.ref.removeprefix(tags.PREFIX)
    return Refused(f"{place.name} refused {name}: {words}", "nothing was written, here or there")


def _is_exact(what: str) -> bool:
    return parse_version(what) is not None or what.isdigit()


def _groups(plans: Sequence[_Plan]) -> list[list[_Plan]]:
    """The plans in as few pushes as their refs fit into."""
    groups: list[list[_Plan]] = [[]]
    room = _REFS_AT_ONCE
    for plan in plans:
        if groups[-1] and len(plan.events) > room:
            groups.append([])
            room = _REFS_AT_ONCE
        groups[-1].append(plan)
        room -= len(plan.events)
    return groups


def _tags(plan: _Plan) -> Iterable[RefChange]:
    """What becomes of the user's tags, once `plan` is published."""
    one = plan.standing
    published = {event.tag: event.oid for event in plan.events}
    here = {**one.here, **{name: one.there[name] for name in one.missing}}  # taken in before
    for tag in dict.fromkeys([*(event.tag for event in one.unpublished), *published]):
        yield RefChange(tags.PREFIX + tag, here.get(tag), published.get(tag, one.there.get(tag)))


def _own(plan: _Plan, place: Remote) -> dict[str, str]:
    """What our own refs shall be then: the remote's as it is now, and those that keep what was withdrawn."""
    refs = {place.tags + event.tag: event.oid for event in plan.events}
    if plan.head is not None:
        refs[f"{place.heads}{names.in_tag(plan.name)}@head"] = plan.head
    return {**refs, **{f"{WITHDRAWN}{lost.event.oid}": lost.event.oid for lost in plan.replayed.withdrawn}}


def _tell(done: Published, plan: _Plan) -> None:
    """Add to `done` what became of the events of one artifact."""
    replayed = plan.replayed
    done.sent += plan.events
    done.withdrawn += replayed.withdrawn
    for old, new in replayed.renamed.items():
        if old != new:
            done.renamed[f"{plan.name}@{old}"] = f"{plan.name}@{new}"
            done.notes.append(f"{plan.name} {old} is {new} now: somebody else has published {old}")
    done.notes += [
        f"{lost.event.tag} is withdrawn, and kept as {lost.event.oid[:12]}: {lost.why}" for lost in replayed.withdrawn
    ]
    done.notes += [f"{event.tag} is left out: it is so already" for event in replayed.done]

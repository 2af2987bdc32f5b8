"""Publishing by compare-and-swap: fetch, decide on what is there, push, and begin again where somebody was faster.

Beside its tags every push moves `refs/registry/A@head`, from where it was seen. So of two writers who saw the same
state exactly one is accepted, whatever refs they touch (DESIGN part 6).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from registry.core import draft, names, policy, select
from registry.core.draft import Intent
from registry.core.events import Event, Signatory
from registry.core.manifest import Manifest
from registry.core.replay import Replayed, Rules, Withdrawn, replay, using
from registry.core.select import Selector
from registry.core.state import VersionState
from registry.errors import NotFound, Refused, RegistryError, Taken
from registry.evidence import Witness
from registry.plumbing import memory, signing, tags
from registry.plumbing.remote import Remote
from registry.plumbing.write import Held
from registry.repository import Repository
from registry.writing.clone import check_names, store
from registry.writing.guard import Guard
from registry.writing.pushing import Again, Plan, Talk
from registry.writing.standing import Standing, refresh, standings, take_in, unequal
from registry.writing.values import Decide, DecideAll, Decision, Outcome, Way

if TYPE_CHECKING:
    from registry.trust import Trust

PATIENCE = 60.0  # seconds to go on after lost races
_LONGEST_PAUSE = 3.0  # seconds; eight writers at once then meet in a third of their tries: docs/benchmarks.md
_ROOM = 1_000_000  # bytes of refs in one push: they stand on its command line, which takes 2 MB on Linux


@dataclass(frozen=True, slots=True)
class New:
    """A write to one artifact that is decided with each attempt, after all that was unpublished before."""

    selector: Selector
    decide: Decide
    new: bool = False


@dataclass(frozen=True, slots=True)
class NewAll:
    """A write to several artifacts, all or none. It raises `Again` with those that it has to know first.

    `rules` gives the manifest that counts for an artifact, also for its unpublished events, which are decided again;
    `trust` whose keys count, once it was decided.
    """

    decide: DecideAll
    rules: Callable[[str], Manifest]
    trust: Callable[[], Trust]


@dataclass
class Published:
    """What came of publishing.

    `outcomes` are of the new write, by artifact; `sent` are all events that were published, `withdrawn` those that
    could not be, and `renamed` are versions by what they are called now.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    sent: list[Event] = field(default_factory=list)
    withdrawn: list[Withdrawn] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def publish(
    repository: Repository,
    place: Remote,
    artifacts: Sequence[str] | None,
    way: Way,
    waiting: Callable[[], None],
    new: New | NewAll | None = None,
    also: Mapping[str, str] | None = None,
) -> Published:
    """Publish the unpublished events of `artifacts` (of all, where None), and the `new` write after them, all or none.

    `also` are other refs, such as a branch, that go with them; then nothing is decided anew, and it raises Taken where
    somebody was faster.

    Raises Refused where the remote refuses or others are faster for a minute, what `decide` raises, and GitFailed where
    the remote cannot be asked; nothing is written then.
    """
    by = repository.writer()
    start, attempt, by_tail, words, done = time.monotonic(), 0, False, "", Published()
    touched = None if artifacts is None else list(artifacts)
    seals = cache(lambda wanted: signing.signer(repository.git, wanted) or bytes)  # looked up once for all attempts
    witness = Witness(repository)
    repository.forget()
    _rehearse(repository, new)
    while True:
        attempt += 1
        try:
            with repository.locked(waiting) as held:
                _Attempt(held, repository, place, way, by, touched, by_tail, seals, witness, also).run(new, done)
                return done
        except Again as lost:
            if lost.more and touched is not None:
                touched += lost.more
                continue
            by_tail, words = lost.by_tail and not by_tail, lost.words
            if also is not None and not by_tail:
                raise Taken(f"others were faster at {place.name}; it said: {words}", "try again") from lost
        finally:
            repository.forget_tags()
        if time.monotonic() - start > PATIENCE:
            raise Refused(f"others were faster at {place.name} for a minute; it said: {words}", "try again")
        pause(attempt)  # outside the lock: others in this clone may go on meanwhile


def pause(attempt: int) -> None:
    """Wait after a lost race, so that those who lost it do not all meet again."""
    time.sleep(random.uniform(0, min(_LONGEST_PAUSE, 0.05 * 2**attempt)))  # noqa: S311  (no secret)


def _rehearse(repository: Repository, new: New | NewAll | None) -> None:
    """Decide once before anything is fetched: whatever was read for it (manifests, digests) is not read again while
    others may be faster."""
    if isinstance(new, New) and not repository.pushes:
        with suppress(RegistryError):
            new.decide(repository.state(new.selector.artifact), new.selector)


@dataclass
class _Attempt:
    held: Held
    repository: Repository
    place: Remote
    way: Way
    by: Signatory
    touched: Sequence[str] | None
    by_tail: bool
    seals: Callable[[bool | None], Callable[[bytes], bytes]]
    witness: Witness
    also: Mapping[str, str] | None = None
    uses: dict[str, str | None] = field(default_factory=dict)  # versions by what they are called now, None: withdrawn

    def run(self, new: New | NewAll | None, done: Published) -> None:
        """Make the attempt, and add to `done` what came of it."""
        before = self._selected(new)
        self._refresh()
        touched = unequal(self.repository, self.place) if self.touched is None else self.touched
        found = standings(self.repository, self.place, touched)
        rules = new.rules if isinstance(new, NewAll) else self.repository.rules
        plans = self._replays(found, rules)
        if self.also is not None and any(one.events != [*one.standing.unpublished] for one in plans.values()):
            raise Taken(f"others were faster at {self.place.name}", "try again")
        if new is not None:
            try:
                self._decide(plans, new, before)
            except RegistryError:
                # So that the person sees what stands against it.
                take_in(self.held, list(found.values()), self.repository)
                raise
        self._look_for_more(plans)
        self._store(plans.values())
        talk = Talk(self.held, self.repository, self.place, self.also or {})
        for group in _groups(list(plans.values())):
            try:
                done.notes += [*talk.push(group, by_tail=self.by_tail), *talk.settle(group)]
            except RegistryError as error:
                if done.sent:
                    error.hint = f"published before that: {len(done.sent)}; registry push goes on with the rest"
                raise
            for plan in group:
                _tell(done, plan)

    def _refresh(self) -> None:
        if self.touched is None or self.touched:
            refresh(self.held, self.repository, self.place, self.touched, thorough=False)

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _selected(self, new: New | NewAll | None) -> VersionState | None:
        """What the selector means here, before anything is fetched: the version that the person saw."""
        if not isinstance(new, New) or self.repository.pushes:
            return None  # what a mirror of the remote has, nobody has looked at
        try:
            return select.select(self.repository.state(new.selector.artifact), new.selector).version
        except NotFound:
            return None

    def _decide(self, plans: Mapping[str, Plan], new: New | NewAll, seen: VersionState | None) -> None:
        fresh = []
        decided = self._decided(plans, new, seen)
        guard = Guard(new.rules, cache(new.trust)) if isinstance(new, NewAll) else Guard.of(self.repository)
        for name, decision in decided.items():
            plan, state, there = plans[name], plans[name].replayed.state, plans[name].standing
            plan.decision = decision
            drafts = [replace(one, keys=using(one.keys, self.uses)) for one in decision.drafts]
            seal = self.seals(guard.sign(self.way.sign, state, drafts))
            plan.laid = draft.lay(state, drafts, self.by, seal) if drafts else ()
            guard.check(state, plan.laid, sealed=True)
            events = [one.event for one in plan.laid]
            policy.check_way([event.tag for event in events], there.there, there.deleted, self.place.name)
            fresh.append((state, events))
        check_names(self.repository, fresh)

    def _decided(
        self, plans: Mapping[str, Plan], new: New | NewAll, seen: VersionState | None
    ) -> Mapping[str, Decision]:
        if isinstance(new, NewAll):
            return new.decide({name: plan.replayed.state for name, plan in plans.items()})
        name, replayed = new.selector.artifact, plans[new.selector.artifact].replayed
        if not new.new and not replayed.state.exists:
            self.repository.existing(name)
        return {name: new.decide(replayed.state, replayed.meant(new.selector, seen, self.place.name))}

    def _replays(self, found: Mapping[str, Standing], rules: Callable[[str], Manifest]) -> dict[str, Plan]:
        """Decide again on what is unpublished. A version that is renamed is renamed where others name it, too."""
        known = memory.intents(self.held.clone) if any(one.unpublished for one in found.values()) else {}
        sent = memory.sending(self.held.clone, self.place.name)
        while True:
            plans = {name: self._replay(rules, one, known, sent) for name, one in found.items()}
            uses = {use: now for plan in plans.values() for use, now in plan.replayed.uses.items()}
            if uses == self.uses:
                return plans
            self.uses = uses

    def _replay(
        self,
        manifest: Callable[[str], Manifest],
        one: Standing,
        known: Mapping[str, Intent],
        sent: memory.Sending | None,
    ) -> Plan:
        # Of a push whose end this clone did not see, the old events have arrived under new names.
        arrived = sent.old if sent is not None and set(sent.new) & set(one.there.values()) else ()
        left = [event for event in one.unpublished if event.oid not in arrived]
        if not left:
            return Plan(one, Replayed(one.base.knowing(one.gone, one.past)))
        rules = Rules(manifest(one.base.name), self.witness, known, self.uses, one.taken)
        return Plan(one, replay(one.base.knowing(one.gone, one.past), left, rules, self.by, self._seal))

    def _seal(self, signed: bool) -> Callable[[bytes], bytes]:
        return self.seals(True if signed else None)

    def _look_for_more(self, plans: Mapping[str, Plan]) -> None:
        """What is published may not name what is not: versions that it was made from come along. Raises Again."""
        used = {
            use.rpartition("@")[0]
            for plan in plans.values()
            for event in plan.events
            for use in event.keys.get("Uses", ())
            if " " not in use
        }
        others = {name for name in used if names.is_artifact(name)} - plans.keys()
        found = standings(self.repository, self.place, sorted(others))
        more = {name for name, one in found.items() if one.unpublished}
        if self.uses:
            more |= self._users_of(set(self.uses)) - plans.keys()
        if more:
            raise Again(more)

    def _users_of(self, versions: set[str]) -> set[str]:
        there = tags.tag_ids(self.repository.git, [self.place.tags], self.place.tags)
        own = [record for record in tags.read_tags(self.repository.git) if record.name not in there]
        return {e.artifact for e in tags.events_of(own) if versions & set(e.keys.get("Uses", ()))}

    def _store(self, plans: Iterable[Plan]) -> None:
        steps = [one for plan in plans for one in [*(step.laid for step in plan.replayed.steps), *plan.laid]]
        laid = [one for one in steps if one is not None]
        if laid:
            store(self.held, laid)


def _groups(plans: Sequence[Plan]) -> list[list[Plan]]:
    """The plans in as few pushes as their refs fit into. What is new comes last, and in one: all of it or none.

    What it was made from is there before it then, and no lost race decides on it twice. Raises Refused where it is too
    much for one push.
    """
    groups: list[list[Plan]] = [[]]
    room = _ROOM
    for plan in sorted(plans, key=lambda plan: plan.decision is not None):
        size = _size(plan)
        if groups[-1] and size > room:
            if groups[-1][-1].decision is not None:
                many = sum(len(plan.laid) for plan in plans)
                raise Refused(f"{many} new tags are too many for one push", "--push-batch 1000 publishes them in parts")
            groups.append([])
            room = _ROOM
        groups[-1].append(plan)
        room -= size
    return groups


def _size(plan: Plan) -> int:
    """About how many bytes of a command line the refs of a plan take."""
    return sum(len(event.tag) + 100 for event in plan.events) + 3 * len(plan.name) + 300


def _tell(done: Published, plan: Plan) -> None:
    """Add to `done` what became of the events of one artifact."""
    replayed = plan.replayed
    done.sent += plan.events
    if plan.decision is not None:
        done.outcomes[plan.name] = Outcome(replayed.state, [one.event for one in plan.laid])
        done.notes += plan.decision.notes
    done.withdrawn += replayed.withdrawn
    for old, new in replayed.renamed.items():
        if old != new:
            done.renamed[f"{plan.name}@{old}"] = f"{plan.name}@{new}"
            done.notes.append(f"{plan.name} {old} is {new} now: others have published since it was made")
    done.notes += [
        f"{lost.event.tag} is withdrawn, and kept as {lost.event.oid[:12]}: {lost.why}" for lost in replayed.withdrawn
    ]
    done.notes += [f"{event.tag} is left out: it is so already" for event in replayed.done]

"""One push: all refs of an attempt with their leases, and what its answer means (DESIGN parts 6 and 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.core.draft import Laid
from registry.core.events import Event
from registry.core.replay import Replayed
from registry.errors import GitFailed, Refused, RegistryError
from registry.plumbing import memory, remote, tags, write
from registry.plumbing.memory import ALL, Sending
from registry.plumbing.process import Answer
from registry.plumbing.remote import Fate, Pushed, Remote
from registry.plumbing.write import Held, RefChange
from registry.repository import Repository
from registry.writing.heads import head_changes, head_ref
from registry.writing.standing import WITHDRAWN, Standing, refresh, standings, transact_fitting
from registry.writing.values import Decision

_DONE = (Fate.PUBLISHED, Fate.THERE)


@dataclass
class Plan:
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


class Again(Exception):
    """The attempt was lost, with these `words` of the remote, or has to be made with `more` artifacts."""

    def __init__(self, more: Iterable[str] = (), *, words: str = "", by_tail: bool = False) -> None:
        super().__init__()
        self.more = sorted(more)
        self.words = words
        self.by_tail = by_tail


@dataclass
class Talk:
    """A remote that is pushed to, under the clone's lock. `also` are refs that go with each push."""

    held: Held
    repository: Repository
    place: Remote
    also: Mapping[str, str] = field(default_factory=dict)

    def push(self, plans: Sequence[Plan], *, by_tail: bool) -> list[str]:
        """Push the events of `plans`, all or none; notes for the person. Raises Again after a lost race, and Refused.

        `by_tail` leases a head that cannot be fetched on the tail of the chain that the tags show.
        """
        new = {f"{tags.PREFIX}{event.tag}": event.oid for plan in plans for event in plan.events}
        if not new:
            return []
        known = memory.known(self.held.clone, self.place.name)
        led = {head_ref(p.name): p for p in plans if p.head is not None and not known.takes_tags_alone(p.name)}
        heads = {ref: plan.head for ref, plan in led.items() if plan.head is not None}
        leases = {ref: self._lease(plan, by_tail=by_tail) for ref, plan in led.items()}
        self._remember(plans, list(new.values()))
        pushed, answer = self._pushed({**new, **heads}, leases)
        if not pushed:
            self._unheard(plans, new, answer)
            return []
        fates = {one.ref: one for one in pushed}
        if lost := _lost(pushed, new):
            stale = any(one.fate is Fate.LOST and one.ref in heads for one in pushed)
            raise Again(words=lost, by_tail=stale and any(not plan.standing.head for plan in plans))
        refused = {ref: plan for ref, plan in led.items() if ref not in fates or fates[ref].fate not in _DONE}
        if not all(ref in fates and fates[ref].fate in _DONE for ref in new):
            if self._others_were_faster(plans):
                raise Again(words=str(refusal(self.place, pushed, answer)))
            if not refused:
                raise refusal(self.place, pushed, answer)
            # Which of the refs is not wanted, a hook of the server does not always say: perhaps the tags alone are.
            alone, _ = self._pushed(new, {})
            if words := _lost(alone, new):
                raise Again(words=words)
            if not alone or any(one.fate is not Fate.PUBLISHED for one in alone):
                raise refusal(self.place, pushed, answer)
            again, _ = self._pushed({ref: heads[ref] for ref in refused}, {ref: leases[ref] for ref in refused})
            if not any(one.fate is Fate.REFUSED for one in again):
                return []  # what was refused was the time, and not the heads
        if not refused:
            return []
        hidden = any("hidden" in one.words for one in pushed)
        names_ = {ALL} if hidden else {plan.name for plan in refused.values()}
        memory.remember(
            self.held.clone, self.place.name, replace(known, create_only=tuple(sorted({*known.create_only, *names_})))
        )
        return [
            f"{self.place.name} does not take {ref}: only tags tell two writers at once apart there" for ref in refused
        ]

    def _others_were_faster(self, plans: Sequence[Plan]) -> bool:
        """Whether the remote has other tags by now than those that were decided upon.

        A hook that judges a push is asked before Git looks at the leases, and refuses what else would be a lost race.
        """
        artifacts = [plan.name for plan in plans]
        try:
            refresh(self.held, self.repository, self.place, artifacts)
        except GitFailed:
            return False  # what was said of the push tells more
        now = standings(self.repository, self.place, artifacts)
        return any(now[plan.name].there != plan.standing.there for plan in plans)

    def _remember(self, plans: Sequence[Plan], new: Sequence[str]) -> None:
        """Keep what stands in the place of what, until the end is seen."""
        withdrawn = {lost.event.oid for plan in plans for lost in plan.replayed.withdrawn}
        old = [event.oid for plan in plans for event in plan.standing.unpublished if event.oid not in withdrawn]
        if old:
            memory.remember_sending(self.held.clone, self.place.name, Sending(tuple(old), tuple(new)))

    def _pushed(self, refs: Mapping[str, str], leases: Mapping[str, str]) -> tuple[list[Pushed], Answer]:
        git, progress = self.repository.git, self.repository.progress
        return remote.push(git, self.place, {**refs, **self.also}, leases, progress, self.repository.push_options)

    def _lease(self, plan: Plan, *, by_tail: bool) -> str:
        if plan.standing.head or not by_tail:
            return plan.standing.head
        # Where no head can be fetched (uploadpack.hideRefs), it is the tail of the chain that the tags show.
        return next((event.oid for event in reversed(plan.standing.base.events) if event.ours), "")

    def _unheard(self, plans: Sequence[Plan], new: Mapping[str, str], answer: Answer) -> None:
        """No answer came. Where the remote has it all the same, all is well; else it raises what was said."""
        complaint = self.repository.git.complaint(["push"], answer)
        try:
            refresh(self.held, self.repository, self.place, [plan.name for plan in plans])
            there = tags.tag_ids(self.repository.git, [self.place.tags], self.place.tags)
        except GitFailed:
            raise complaint from None
        if any(there.get(ref.removeprefix(tags.PREFIX)) != oid for ref, oid in new.items()):
            raise complaint

    def settle(self, plans: Sequence[Plan]) -> list[str]:
        """Bring this clone's refs to what is published now, in one step."""
        changes = {change.ref: change for plan in plans for change in _tags(plan)}
        ours = {ref: oid for plan in plans for ref, oid in _own(plan, self.place).items() if ref not in changes}
        now = tags.tag_ids(self.repository.git, list(ours), "") if ours else {}
        changes.update({ref: RefChange(ref, now.get(ref), oid) for ref, oid in ours.items()})
        moved = head_changes(self.repository, [event for plan in plans for event in plan.events if event.ours])
        changes.update({change.ref: change for change in moved})
        changes = {ref: change for ref, change in changes.items() if change.old != change.new}
        try:
            left = transact_fitting(self.held, list(changes.values()), "registry: publish")
            self._remember_gone(plans)
            settled = [event.oid for plan in plans for event in plan.standing.unpublished]
            if settled:
                memory.forget_intents(self.held.clone, settled)
                memory.forget_sending(self.held.clone)
        except RegistryError as error:
            if not any(plan.events for plan in plans):
                raise
            return [f"it is published, but this clone could not take it in: {error.message}; registry fetch does"]
        return [f"{tag} is left out here: another tag stands in its way" for tag in left]

    def _remember_gone(self, plans: Sequence[Plan]) -> None:
        """Remember what the remote had and has no more: the push has moved the head past what tells it."""
        gone = {event.tag: event.oid for plan in plans for event in plan.standing.withheld}
        if gone:
            known = memory.known(self.held.clone, self.place.name)
            memory.remember(self.held.clone, self.place.name, replace(known, gone={**known.gone, **gone}))


def _tags(plan: Plan) -> Iterable[RefChange]:
    """What becomes of the user's tags, once `plan` is published."""
    one = plan.standing
    published = {event.tag: event.oid for event in plan.events}
    for tag in dict.fromkeys([*(event.tag for event in one.unpublished), *one.missing, *published]):
        yield RefChange(tags.PREFIX + tag, one.here.get(tag), published.get(tag, one.there.get(tag)))


def _own(plan: Plan, place: Remote) -> dict[str, str]:
    """What our own refs shall be then: the remote's as it is now, and those that keep what was withdrawn."""
    refs = {place.tags + event.tag: event.oid for event in plan.events}
    if plan.head is not None:
        refs[head_ref(plan.name, place.heads)] = plan.head
    return {**refs, **{f"{WITHDRAWN}{lost.event.oid}": lost.event.oid for lost in plan.replayed.withdrawn}}


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
    known = memory.known(held.clone, place.name)
    memory.remember(held.clone, place.name, replace(known, gone={**known.gone, **there}))


def _lost(pushed: Sequence[Pushed], new: Mapping[str, str]) -> str:
    """What the remote said of a lost race; "" where none was lost."""
    fates = {one.ref: one.fate for one in pushed}
    if pushed and all(fates.get(ref) is Fate.THERE for ref in new):
        return "all of it is there already"
    return next((_plain(one.words) for one in pushed if one.fate is Fate.LOST), "")


def _plain(words: str) -> str:
    """`[remote rejected] (hook declined)` without the brackets."""
    return words.replace("[rejected] ", "").replace("[remote rejected] ", "").strip("()")


def refusal(place: Remote, pushed: Sequence[Pushed], answer: Answer) -> Refused:
    """What the remote said against a push."""
    refused = next((one for one in pushed if one.fate is Fate.REFUSED), pushed[0])
    said = "; ".join(answer.remote_words[:5])
    words = _plain(refused.words) + (f": {said}" if said else "")
    name = refused.ref.removeprefix(tags.PREFIX)
    return Refused(f"{place.name} refused {name}: {words}", "nothing was published; the tags here are as they were")

"""Deciding again on events that were made apart from others, under the state that those have reached (DESIGN part 6).

An event is never carried over to another model: where the version that it was about is not at the same commit any more,
or was taken by somebody else, it is withdrawn, and all that depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.core import draft, gates, plan, policy
from registry.core.draft import Draft, Intent, Laid
from registry.core.events import (
    Amendment,
    Assignment,
    Deprecation,
    Deregistration,
    Event,
    OfStage,
    OfVersion,
    Registration,
    Signatory,
    Unassignment,
)
from registry.core.gates import Show
from registry.core.manifest import Manifest
from registry.core.names import Form
from registry.core.plan import Choice
from registry.core.select import Selected, Selector
from registry.core.state import ArtifactState, VersionState
from registry.core.version import Version, parse
from registry.errors import NotFound, Refused

_MADE_ANEW = {"Previous", "Counter", "Number", "Version"}


@dataclass(frozen=True, slots=True)
class Step:
    """One event to publish: as it stands, or laid anew in the place of `old`."""

    event: Event
    laid: Laid | None = None
    old: Event | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An event that cannot be published, and why."""

    event: Event
    why: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What becomes of unpublished events: the state with them, what to publish, and what is left out.

    `done` are those whose purpose is fulfilled already. `renamed` maps a version that was free to choose to the one
    that it has become.
    """

    state: ArtifactState
    steps: tuple[Step, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    done: tuple[Event, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def uses(self) -> dict[str, str | None]:
        """What versions are called now, None for those that are withdrawn, as others name them: `churn@v1.0.0`."""
        artifact = self.state.name
        moved = {f"{artifact}@{old}": f"{artifact}@{now}" for old, now in self.renamed.items() if old != now}
        lost = [one.event for one in self.withdrawn]
        return {**moved, **{f"{artifact}@{e.version}": None for e in lost if isinstance(e, Registration)}}

    def meant(self, selector: Selector, seen: VersionState | None, remote: str) -> Selector:
        """A selector as it is to be understood at the `remote`; `seen` is the version that the person saw here.

        Raises Refused where it would mean another model.
        """
        if seen is None:
            return selector
        artifact = self.state.name
        for lost in self.withdrawn:
            if lost.event.oid == seen.registration.oid:
                why = f"{artifact} {seen.name} cannot be published: {lost.why}"
                raise Refused(why, "registry push says what else is withdrawn")
        if not selector.exact:
            return selector
        name = self.renamed.get(seen.name, seen.name)
        there = self.state.versions.get(name)
        if there is None or there.commit != seen.commit:
            now = f"is {there.commit[:7]}" if there is not None else "is not"
            why = f"{artifact} {seen.name} is {seen.commit[:7]} here, and {now} at {remote}"
            raise Refused(why, "registry status says what differs")
        return replace(selector, what=name)


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides besides the state.

    `manifest` is HEAD's, `show` gives what its gates ask for, `intents` say how events were meant. `uses` gives
    versions of other artifacts by what they are called now (`train-set@v0.3.0` to `train-set@v0.4.0`), None where they
    are withdrawn. `taken` are the tags that are there, whatever they are.
    """

    manifest: Manifest
    show: Show
    intents: Mapping[str, Intent] = field(default_factory=dict)
    uses: Mapping[str, str | None] = field(default_factory=dict)
    taken: Collection[str] = ()


def replay(
    base: ArtifactState,
    unpublished: Sequence[Event],
    rules: Rules,
    by: Signatory,
    seal: Callable[[bool], Callable[[bytes], bytes]],
) -> Replayed:
    """Decide on each of `unpublished`, in order, after all of `base`.

    What was decided on just this state stands as it is. Anything else is laid anew by the writer `by`; `seal` gives
    what seals it, told whether the event was signed before. What the state forbids is withdrawn; what is not the
    state's fault (rules that cannot be read, a stage that HEAD does not know, a key that is missing) raises.
    """
    fitting = _passing(base, unpublished[: _fitting(base.events, unpublished, rules)], rules)
    steps = [Step(event) for event in unpublished[:fitting]]
    state = base.with_events(unpublished[:fitting]) if fitting else base
    return _Again(state, steps, rules, by, seal, {e.oid: e for e in [*base.events, *unpublished]}).run(
        unpublished[fitting:]
    )


def _fitting(there: Sequence[Event], unpublished: Sequence[Event], rules: Rules) -> int:
    """How many of the first `unpublished` were decided on the very state that they would follow now."""
    loose = set(draft.loose_ends(there))
    for place, event in enumerate(unpublished):
        if event.tag in rules.taken or any(use in rules.uses for use in event.keys.get("Uses", ())):
            return place
        if not event.ours:
            loose.add(event.oid)
        elif set(event.keys.get("Previous", ())) == loose:
            loose = {event.oid}
        else:
            return place
    return len(unpublished)


def _passing(base: ArtifactState, fitting: Sequence[Event], rules: Rules) -> int:
    """How many of the first of `fitting` the rules allow still: they may be stricter than when those were decided."""
    lifecycle = rules.manifest.lifecycle(base.name) or {}
    for place, event in enumerate(fitting):
        rule = lifecycle.get(event.stage) if isinstance(event, Assignment) and event.ours else None
        if rule is None or not (rule.after or rule.require):
            continue
        state = base.with_events(fitting[:place])
        version = state.versions.get(event.one("Version") or "")
        try:
            if version is not None:
                policy.check_after(lifecycle, state, version, rule.name)
                gates.check(rule, state, version, rules.show)
        except Refused:
            return place
    return len(fitting)


class _Again:
    """A replay under way: the state so far, and what has become of versions."""

    def __init__(
        self,
        state: ArtifactState,
        steps: list[Step],
        rules: Rules,
        by: Signatory,
        seal: Callable[[bool], Callable[[bytes], bytes]],
        events: Mapping[str, Event],
    ) -> None:
        self.state = state
        self.steps = steps
        self.rules = rules
        self.by = by
        self.seal = seal
        self.events = events
        self.withdrawn: list[Withdrawn] = []
        self.done: list[Event] = []
        self.renamed: dict[str, str] = {}
        self.lost: set[str] = set()
        self.anew: dict[str, str] = {}  # the id of each event that was laid anew, by its former one

    def run(self, events: Sequence[Event]) -> Replayed:
        for event in events:
            if event.ours:
                self.seal(event.message.signed)
            if isinstance(event, Assignment) and event.ours:
                policy.check_readable(self.rules.manifest, self.state.name)
                policy.check_stage(self.rules.manifest.lifecycle(self.state.name), event.stage)
            try:
                self._decide(event)
            except (Refused, NotFound) as error:
                self.withdrawn.append(Withdrawn(event, error.message))
                if isinstance(event, Registration):
                    self.lost.add(event.version)
        return Replayed(self.state, tuple(self.steps), tuple(self.withdrawn), tuple(self.done), self.renamed)

    def _decide(self, event: Event) -> None:
        if not event.ours:
            if event.tag in self.rules.taken:
                raise Refused(f"the remote has another tag {event.tag}")
            self._add([Step(event)])
            return
        if self._intent(event).part:
            return  # the event that it came with brings its like again, where it is needed
        drafts = self._drafts(event)
        if not drafts:
            self.done.append(event)
            return
        laid = draft.lay(self.state, drafts, self.by, self.seal(event.message.signed))
        for one in laid:
            if one.event.tag in self.rules.taken:
                raise Refused(f"the remote has another tag {one.event.tag}, which is no event")
        self._add([Step(one.event, one, event if one is laid[-1] else None) for one in laid])
        self.anew[event.oid] = laid[-1].event.oid
        if isinstance(event, Registration):
            self.lost.discard(event.version)
            self.renamed[event.version] = drafts[-1].version or ""

    def _intent(self, event: Event) -> Intent:
        return self.rules.intents.get(event.oid, Intent())

    def _add(self, steps: Sequence[Step]) -> None:
        self.steps += steps
        self.state = self.state.with_events(step.event for step in steps)

    def _drafts(self, event: Event) -> list[Draft]:
        """What `event` comes to now; nothing where its purpose is fulfilled. Raises RegistryError."""
        match event:
            case Registration():
                return [self._registration(event)]
            case Deregistration() | Amendment():
                return self._of_version(event)
            case Assignment():
                return self._assignment(event)
            case Unassignment():
                return self._unassignment(event)
            case Deprecation():
                return [] if self.state.deprecated else [self._as_it_was(event, Form.DEPRECATION, None)]
        raise AssertionError(f"no event of ours: {event.tag}")

    def _registration(self, event: Registration) -> Draft:
        intent = self._intent(event)
        choice = Choice(event.version) if intent.bump is None else Choice(None, intent.bump, intent.pre)
        version = self._own(event, intent) or plan.choose(self.state, choice)
        there = self.state.versions.get(version.text)
        force = intent.force and (there is None or not there.active or self._was_known(event, there))
        overwrite = self.rules.manifest.version_rules(self.state.name).overwrite
        policy.check_new_version(self.state, version, event.commit, force=force, overwrite=overwrite)
        number = (("Number", str(self.state.next_number)),) if there is None else ()
        return self._as_it_was(event, Form.REGISTRATION, version.text, number)

    def _own(self, event: Registration, intent: Intent) -> Version | None:
        """The version that it chose itself, where that was free and would do as the next one still."""
        own, greatest = parse(event.version), self.state.greatest_ever
        if intent.bump is None or own is None or (greatest is not None and own.precedence <= greatest.precedence):
            return None
        return own

    def _was_known(self, event: Event, there: VersionState) -> bool:
        """Whether the writer of `event` knew that registration: whether the chain of Previous leads to it."""
        former = {new: old for old, new in self.anew.items()}
        wanted = former.get(there.registration.oid, there.registration.oid)
        left, seen = [event.oid], set()
        while left:
            oid = left.pop()
            if oid == wanted:
                return True
            if oid in self.events and oid not in seen:
                seen.add(oid)
                left += self.events[oid].keys.get("Previous", ())
        return False

    def _of_version(self, event: Deregistration | Amendment) -> list[Draft]:
        version = self._same_version(event, event.version)
        if isinstance(event, Amendment):
            return [self._as_it_was(event, Form.AMENDMENT, version.name)]
        return [self._as_it_was(event, Form.DEREGISTRATION, version.name)] if version.active else []

    def _assignment(self, event: Assignment) -> list[Draft]:
        named = event.one("Version")
        version = self._same_version(event, named)
        if not version.active:
            raise Refused(f"{self.state.name} {version.name} was deregistered")
        chosen = Selected(self.state.name, version.commit, version)
        force = self._intent(event).force
        return plan.assignment(
            self.rules.manifest,
            self.state,
            chosen,
            event.stage,
            show=self.rules.show,
            body=event.message.body,
            keys=self._keys(event),
            force=force,
        )

    def _unassignment(self, event: Unassignment) -> list[Draft]:
        named = event.one("Version")
        subject = event.commit if named is None else self._same_version(event, named).name
        if subject not in {holding.subject for holding in self.state.holdings.get(event.stage, ())}:
            return []
        return [plan.unassignment(self.state, subject, event.stage, body=event.message.body, keys=self._keys(event))]

    def _same_version(self, event: OfVersion | OfStage, named: str | None) -> VersionState:
        """The version that `event` is about, by its name now. Raises Refused where it is not the same model."""
        if named in self.lost:
            raise Refused(f"it needs {self.state.name} {named}, which is withdrawn")
        name = self.renamed.get(named or "", named)
        there = self.state.versions.get(name or "")
        if there is None:
            raise Refused(f"{self.state.name} {named or event.commit[:7]} is not there")
        if there.commit != event.commit:
            raise Refused(f"{self.state.name} {name} is {there.commit[:7]} there, and not {event.commit[:7]}")
        return there

    def _as_it_was(
        self, event: Event, form: Form, version: str | None, first: tuple[tuple[str, str], ...] = ()
    ) -> Draft:
        old = getattr(event, "version", None)
        subject = event.message.subject
        if version is not None and old is not None and old != version:
            subject = subject.replace(old, version)
        keys = (*first, *self._keys(event))
        return Draft(form, event.artifact, event.commit, subject, version, None, event.message.body, keys)

    def _keys(self, event: Event) -> tuple[tuple[str, str], ...]:
        said = [(key, value) for key, values in event.keys.items() if key not in _MADE_ANEW for value in values]
        return using(said, self.rules.uses)


def using(keys: Iterable[tuple[str, str]], uses: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """`keys`, in which versions of other artifacts have the names that they have now. Raises Refused for a withdrawn
    one."""
    found = []
    for key, value in keys:
        now = uses.get(value, value) if key == "Uses" else value
        if now is None:
            raise Refused(f"it was made from {value}, which is withdrawn")
        found.append((key, now))
    return tuple(found)

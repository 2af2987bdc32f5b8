"""What a manifest wants of the tags, and the events that make it true (DESIGN part 5, `plan` and `apply`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry.core import draft, gates, plan, policy
from registry.core import version as versions_
from registry.core.draft import Draft
from registry.core.events import Signatory
from registry.core.gates import Measure, Show
from registry.core.manifest import Declaration, Manifest, StageRule
from registry.core.plan import Keys
from registry.core.select import Selected
from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound, Refused


@dataclass(frozen=True, slots=True)
class Wish:
    """One line of a manifest: that `version` exists, or, with a `stage`, that the stage resolves to it.

    A `version` of None says that nothing shall be in the stage.
    """

    artifact: str
    version: str | None
    stage: str | None = None

    def fulfilled(self, state: ArtifactState) -> bool:
        """Whether it is true already."""
        if self.stage is not None:
            return state.stages.get(self.stage) == self.version
        there = state.versions.get(self.version or "")
        return there is not None and there.active

    def stands_in(self, manifest: Manifest) -> bool:
        """Whether a manifest says so, too."""
        declared = manifest.artifacts.get(self.artifact)
        return declared is not None and self in _wishes(declared)


def wishes(manifest: Manifest) -> list[Wish]:
    """All that a manifest wants: registrations by name, then assignments in the order of the lifecycle."""
    found = [wish for name in sorted(manifest.artifacts) for wish in _wishes(manifest.artifacts[name])]

    def order(wish: Wish) -> tuple[int, str]:
        if wish.stage is None:
            return -1, wish.artifact
        stages = list(manifest.lifecycle(wish.artifact) or manifest.artifacts[wish.artifact].assign)
        return stages.index(wish.stage) if wish.stage in stages else len(stages), wish.artifact

    return sorted(found, key=order)


def _wishes(declared: Declaration) -> list[Wish]:
    registered = [] if declared.version is None else [Wish(declared.name, declared.version)]
    return registered + [Wish(declared.name, version, stage) for stage, version in declared.assign.items()]


@dataclass(frozen=True, slots=True)
class Step:
    """A wish that is not true yet, the artifact's state before, and the events, one transaction, that make it true."""

    wish: Wish
    state: ArtifactState
    drafts: tuple[Draft, ...]
    measures: tuple[Measure, ...] = ()

    def after(self, by: Signatory) -> ArtifactState:
        """The state that its events make."""
        return self.state.with_events(one.event for one in draft.lay(self.state, self.drafts, by))


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A wish that cannot be made true, and why."""

    wish: Wish
    error: Refused | NotFound
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """How everything that a manifest wants becomes true, in order; `notes` are for the person."""

    steps: tuple[Step, ...] = ()
    hindrances: tuple[Hindrance, ...] = ()
    notes: tuple[str, ...] = ()

    def first(self, tags: int) -> Course:
        """As many of the first steps as make at most so many tags, but one at least: no step is torn apart."""
        kept: list[Step] = []
        for step in self.steps:
            if kept and sum(len(one.drafts) for one in kept) + len(step.drafts) > tags:
                break
            kept.append(step)
        return Course(tuple(kept), (), self.notes)

    def drafts(self) -> dict[str, list[Draft]]:
        """The events of each artifact, in order."""
        found: dict[str, list[Draft]] = {}
        for step in self.steps:
            found.setdefault(step.wish.artifact, []).extend(step.drafts)
        return found


@dataclass(frozen=True, slots=True)
class Means:
    """What a course needs besides the states.

    `register` gives the registration of a wish, with notes; it raises Refused or NotFound. `by` is who writes, `keys`
    what an event of a wish says of where it came from, `show` what its gates ask for; `compare` has the metrics of
    every assignment looked at, gates or not. `check` raises Refused where events would break the policy.
    """

    register: Callable[[Wish, ArtifactState], tuple[Draft, Iterable[str]]]
    by: Signatory
    keys: Callable[[Wish], Keys]
    show: Show
    compare: bool = False
    check: Callable[[ArtifactState, Sequence[Draft]], None] = lambda _state, _drafts: None


def course(manifest: Manifest, states: Mapping[str, ArtifactState], means: Means) -> Course:
    """What has to be done for all that `manifest` wants, each step decided on the state that those before it make."""
    now = dict(states)
    last: dict[str, Step] = {}  # those whose events nobody has asked for yet: most artifacts have one wish
    steps: list[Step] = []
    hindrances: list[Hindrance] = []
    notes: list[str] = []
    lost: set[tuple[str, str | None]] = set()
    for wish in wishes(manifest):
        if wish.artifact in last:
            now[wish.artifact] = last.pop(wish.artifact).after(means.by)
        state = now[wish.artifact]
        try:
            drafts, said = _drafts(manifest, state, wish, means)
            means.check(state, drafts)
        except (Refused, NotFound) as error:
            # Of what hangs on a registration that cannot be, nothing more is said.
            if (wish.artifact, wish.version) not in lost:
                hindrances.append(Hindrance(wish, error, _measures(manifest, state, wish, means)))
            if wish.stage is None:
                lost.add((wish.artifact, wish.version))
            continue
        notes += said
        if drafts:
            last[wish.artifact] = step = Step(wish, state, tuple(drafts), _measures(manifest, state, wish, means))
            steps.append(step)
    return Course(tuple(steps), tuple(hindrances), tuple(dict.fromkeys(notes)))


def _drafts(
    manifest: Manifest, state: ArtifactState, wish: Wish, means: Means
) -> tuple[Sequence[Draft], Iterable[str]]:
    if wish.stage is None:
        if not needs_registration(state, wish):
            return [], _behind(state, wish)
        registration, notes = means.register(wish, state)
        return [registration], notes
    if wish.version is None:
        # Those behind leave first, so that none of them is uncovered on the way.
        holders = [holding.subject for holding in reversed(state.holdings.get(wish.stage, ()))]
        if not holders:  # a stage that is no more may still be emptied
            policy.check_stage(manifest.lifecycle(state.name), wish.stage)
        return [plan.unassignment(state, one, wish.stage, keys=means.keys(wish)) for one in holders], ()
    if wish.fulfilled(state):
        return [], ()
    version = _wanted(state, wish)
    chosen = Selected(state.name, version.commit, version)
    return plan.assignment(manifest, state, chosen, wish.stage, show=means.show, keys=means.keys(wish)), ()


def needs_registration(state: ArtifactState, wish: Wish) -> bool:
    """Whether the version that a wish names has to be registered.

    Raises Refused where it cannot be: it was deregistered, or is lower than one that there is and never was registered.
    """
    version = versions_.check(wish.version or "")
    there = state.versions.get(version.text)
    if there is not None and there.active:
        return False
    if there is not None:
        gone = there.deregistration
        who = f" by {gone.by.name} on {gone.by.iso[:10]}" if gone is not None else ""
        raise Refused(f"{state.name} {version} was deregistered{who}", "raise `version`, or take the line out")
    greatest = state.greatest_ever
    if greatest is not None and version.precedence < greatest.precedence:
        raise Refused(
            f"{state.name} {version} is lower than {greatest}, and was never registered",
            f"raise `version` above {greatest}",
        )
    return True


def _behind(state: ArtifactState, wish: Wish) -> list[str]:
    latest, there = state.latest, state.versions[wish.version or ""]
    if latest is None or there.version.precedence >= latest.version.precedence:
        return []
    return [f"the manifest says {state.name} {there.name}, which is registered; {latest.name} is greater"]


def _wanted(state: ArtifactState, wish: Wish) -> VersionState:
    there = state.versions.get(wish.version or "")
    if there is None:
        raise NotFound(
            f"{state.name} {wish.version} is neither registered nor its `version`",
            "register it first, or set `version` to it",
        )
    if not there.active:
        raise Refused(f"{state.name} {there.name} was deregistered", f"let {wish.stage} be another version, or null")
    return there


def _measures(manifest: Manifest, state: ArtifactState, wish: Wish, means: Means) -> tuple[Measure, ...]:
    version = state.versions.get(wish.version or "")
    if not means.compare or wish.stage is None or version is None:
        return ()
    rule = (manifest.lifecycle(state.name) or {}).get(wish.stage, StageRule(wish.stage))
    return tuple(gates.compared(rule, state, version, means.show))

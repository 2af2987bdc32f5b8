"""`plan`: the tags that would make true what a manifest wants (DESIGN part 5)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from registry.core import desired
from registry.core.desired import Course, Hindrance, Means, Step, Wish, wishes
from registry.core.draft import Draft, lay
from registry.core.events import Event, Signatory
from registry.core.manifest import Manifest
from registry.core.plan import Choice, Keys
from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound, Refused, RegistryError
from registry.evidence import Witness
from registry.manifests import read, wanted
from registry.porcelain import bounds, carried, register, views
from registry.porcelain.beginning import beginnings
from registry.porcelain.carried import Carried, Load
from registry.porcelain.gitops import Change, Changes, Obstacle, Plan, PlanStep
from registry.porcelain.register import Request
from registry.repository import Repository
from registry.trust import Trust
from registry.writing.clone import check_names
from registry.writing.guard import Guard


def plan(repository: Repository, revision: str | None = None) -> Plan:
    """What `apply` would do by the manifests at `revision`, by default HEAD.

    Raises NotFound for one that is none, Refused where nobody could review so much.
    """
    repository.about()
    commit = repository.commit(revision or "HEAD")
    bounds.manifests(repository, commit)
    return planned(repository, repository.manifest_of(commit), commit)


def planned(repository: Repository, manifest: Manifest, head: str, base: str | None = None) -> Plan:
    """What has to be done for all that `manifest`, which is that of the commit `head`, wants.

    What it wants since it left the commit `base` begins with `head`, which stands for the commit that will bring it.
    """
    planner = Planner(repository, _writer(repository), base=base, compare=True)
    states = repository.states_of(wanting(manifest))
    course = planner.course(manifest, head, states)
    notes = [*course.notes, *_unmerged(course, head, base)]
    laid = [[one.event for one in lay(step.state, step.drafts, planner.by)] for step in course.steps]
    return Plan(
        head,
        tuple(_step(step, events) for step, events in zip(course.steps, laid, strict=True)),
        (
            *unreadable(repository, manifest, head),
            *map(obstacle, course.hindrances),
            *_in_the_way(repository, states, course, laid),
        ),
        tuple(dict.fromkeys(notes)),
    )


def _in_the_way(
    repository: Repository, states: Mapping[str, ArtifactState], course: Course, laid: Sequence[Sequence[Event]]
) -> list[Obstacle]:
    """The artifacts whose new tags cannot be: they would not travel, or another name is in their way."""
    new: dict[str, list[Event]] = {}
    for step, events in zip(course.steps, laid, strict=True):
        new.setdefault(step.wish.artifact, []).extend(events)
    pairs = [(states[name], events) for name, events in new.items()]
    if _names_problem(repository, pairs) is None:
        return []  # nearly always, and then one question was enough for all
    found = [(state.name, _names_problem(repository, [(state, events)])) for state, events in pairs]
    return [Obstacle(name, None, one.message, one.hint) for name, one in found if one is not None] or [
        Obstacle("", None, one.message, one.hint) for one in [_names_problem(repository, pairs)] if one is not None
    ]


def _names_problem(
    repository: Repository, new: Sequence[tuple[ArtifactState, Sequence[Event]]]
) -> RegistryError | None:
    try:
        check_names(repository, new)
    except RegistryError as error:
        return error
    return None


def _writer(repository: Repository) -> Signatory:
    try:
        return repository.writer()
    except Refused:  # who only looks need be nobody
        return Signatory("nobody", "nobody@localhost", 0, 0)


def wanting(manifest: Manifest) -> list[str]:
    """The artifacts of which a manifest wants something."""
    return list(dict.fromkeys(wish.artifact for wish in wishes(manifest)))


def unreadable(repository: Repository, manifest: Manifest, commit: str) -> list[Obstacle]:
    """What keeps anybody from knowing all that the manifests at `commit` want: nothing is done by half of them."""
    found = [
        Obstacle("", None, f"{path} at {commit[:7]} cannot be read: {reason}", "registry check says more")
        for path, reason in manifest.broken.items()
        if posixpath.basename(path) == read.OURS
    ]
    paths = [path for path in manifest.files if path not in manifest.broken and posixpath.basename(path) == read.OURS]
    blobs = repository.blobs_at([(commit, path) for path in paths])
    files = {path: blob.data for path, blob in zip(paths, blobs, strict=True) if blob.data is not None}
    return found + [
        Obstacle("", None, f"{path}:{fault.node.line}: {fault.message}", fault.hint)
        for path, fault in wanted.malformed(files)
    ]


def _step(step: Step, laid: Sequence[Event]) -> PlanStep:
    wish = step.wish
    now = step.state.stages.get(wish.stage) if wish.stage is not None else None
    commit = step.drafts[-1].commit if wish.version is not None else None
    after = step.state.with_events(laid)
    events = tuple(views.event_view(event, after.subject_of(event)) for event in laid)
    return PlanStep(wish.artifact, wish.version, wish.stage, commit, now, events, step.measures)


def obstacle(one: Hindrance) -> Obstacle:
    """A hindrance as people see it."""
    return Obstacle(one.wish.artifact, one.wish.stage, one.error.message, one.error.hint, one.measures)


def _unmerged(course: Course, head: str, base: str | None) -> list[str]:
    new = [step for step in course.steps if step.wish.stage is None and step.drafts[-1].commit == head]
    if base is None or base == head or not new:
        return []
    return [f"{head[:7]} stands for the commit that will bring the change to the default branch"]


@dataclass
class Planner:
    """Works out a course, as often as the states change: what commits and manifests say is read once.

    `changes` gives what brought a commit. What is wanted since `base` begins with the commit that is planned for. The
    metrics of every assignment are looked at where they are to be compared. `remote` is where history comes from that a
    shallow clone lacks.
    """

    repository: Repository
    by: Signatory
    changes: Changes | None = None
    base: str | None = None
    compare: bool = False
    remote: str | None = None
    _began: dict[tuple[str, Wish], str] = field(default_factory=dict)
    _loads: dict[tuple[str, str], Carried | RegistryError] = field(default_factory=dict)
    _brought: dict[str, Change | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._witness = Witness(self.repository)

    def course(self, manifest: Manifest, tip: str, states: Mapping[str, ArtifactState]) -> Course:
        """What has to be done for all that `manifest`, at `tip`, wants."""
        self._look(manifest, tip, states)
        guard = Guard(lambda _: manifest, cache(lambda: Trust(self.repository, tip, tip[:7])))
        means = Means(
            lambda wish, state: self._registration(tip, wish, state),
            self.by,
            lambda wish: self._keys(tip, wish),
            self._witness,
            self.compare,
            lambda state, drafts: guard.check_wish(state, drafts, self.by),
        )
        return desired.course(manifest, states, means)

    # -- reading, for all at once --------------------------------------------------------------------------------------

    def _look(self, manifest: Manifest, tip: str, states: Mapping[str, ArtifactState]) -> None:
        open_ = [wish for wish in wishes(manifest) if not wish.fulfilled(states[wish.artifact])]
        new = [wish for wish in open_ if wish.stage is None and _is_possible(states[wish.artifact], wish)]
        self._find_beginnings(tip, open_ if self.changes is not None else new)
        self._carry(tip, new)
        looked_at = [wish for wish in open_ if self.compare or _is_gated(manifest, wish)]
        places = [(state.name, v.commit) for w in looked_at for state in [states[w.artifact]] for v in _both(state, w)]
        entering = {(wish.artifact, wish.version) for wish in looked_at if wish.stage is not None}
        new_places = [(w.artifact, self._began[tip, w]) for w in new if (w.artifact, w.version) in entering]
        self._witness.hear([*places, *new_places])

    def _find_beginnings(self, tip: str, wanted: Iterable[Wish]) -> None:
        left = [wish for wish in wanted if (tip, wish) not in self._began]
        if left and self.base is not None:
            before = self.repository.manifest_of(self.base)
            self._began.update({(tip, wish): tip for wish in left if not wish.stands_in(before)})
            left = [wish for wish in left if (tip, wish) not in self._began]
        if not left:
            return
        found = beginnings(self.repository, tip if self.base is None else self.base, left, self.remote)
        self._began.update({(tip, wish): commit for wish, commit in found.items()})

    def _carry(self, tip: str, new: Iterable[Wish]) -> None:
        places = {(self._began[tip, wish], wish.artifact) for wish in new} - self._loads.keys()
        left = sorted(places)
        manifests = self.repository.manifests_at(left)
        loads = [Load(commit, one.artifacts.get(name)) for (commit, name), one in zip(left, manifests, strict=True)]
        self._loads.update(zip(left, carried.carried_all(self.repository, loads), strict=True))

    # -- what the course asks for --------------------------------------------------------------------------------------

    def _registration(self, tip: str, wish: Wish, state: ArtifactState) -> tuple[Draft, Sequence[str]]:
        commit = self._began[tip, wish]
        request = Request(wish.artifact, commit, Choice(wish.version), keys=self._keys(tip, wish))
        decision = register.plan(self.repository, state, request, commit, lambda: self._carried(commit, wish.artifact))
        return decision.drafts[0], decision.notes

    def _carried(self, commit: str, artifact: str) -> Carried:
        found = self._loads[commit, artifact]
        if isinstance(found, RegistryError):
            raise found
        return found

    def _keys(self, tip: str, wish: Wish) -> Keys:
        if self.changes is None:
            return ()
        self._find_beginnings(tip, [wish])  # that of one which a step before has opened is not known yet
        commit = self._began[tip, wish]
        if commit not in self._brought:
            self._brought[commit] = self.changes(commit)
        change = self._brought[commit]
        return change.keys() if change is not None else ()


def _both(state: ArtifactState, wish: Wish) -> list[VersionState]:
    """The version that shall enter a stage, and the one that is there, so far as they are registered."""
    both = (wish.version, state.stages.get(wish.stage)) if wish.stage is not None else ()
    return [state.versions[name] for name in both if name is not None and name in state.versions]


def _is_gated(manifest: Manifest, wish: Wish) -> bool:
    rule = (manifest.lifecycle(wish.artifact) or {}).get(wish.stage or "")
    return rule is not None and rule.require is not None


def _is_possible(state: ArtifactState, wish: Wish) -> bool:
    try:
        return desired.needs_registration(state, wish)
    except (Refused, NotFound):
        return False

"""`assign`, `unassign`, `move` and `rollback`: which version is in which stage (DESIGN parts 3, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from registry.core import draft, names, plan, select
from registry.core.draft import Draft
from registry.core.events import Signatory
from registry.core.plan import shown
from registry.core.select import Selected, Selector
from registry.core.state import ArtifactState
from registry.errors import NotFound
from registry.evidence import Witness
from registry.porcelain import views
from registry.porcelain.note import Note
from registry.porcelain.values import Written
from registry.repository import Repository
from registry.writing.values import Decision, Outcome, Way
from registry.writing.write import write


@dataclass(frozen=True, slots=True)
class Move:
    """Where a version goes: `into` a stage (None: into none), and `out_of` others.

    With `alone` every other version leaves the stage, and goes into `others_into`, if that is said.
    """

    into: str | None = None
    out_of: Sequence[str] = ()
    alone: bool = False
    others_into: str | None = None


def assign(repository: Repository, text: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]) -> Written:
    """Put a version into a stage. Raises NotFound, Refused (the stage's rules) or UsageError."""
    selector = select.parse(text)
    names.check_stage(stage)

    def decide(state: ArtifactState, selector: Selector) -> Decision:
        return _assignment(repository, state, select.select(state, selector), stage, note, way)

    return _written(write(repository, selector, decide, way, waiting))


def rollback(
    repository: Repository, artifact: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Assign the last other active version that the stage resolved to; twice returns. Raises NotFound."""
    names.check_artifact(artifact)
    names.check_stage(stage)

    def decide(state: ArtifactState, _: Selector) -> Decision:
        back = state.before(stage)
        if back is None:
            raise NotFound(
                f"nothing to go back to: {artifact}#{stage} never was another version that is still active",
                f"registry history '{artifact}#{stage}' lists what it was",
            )
        return _assignment(repository, state, Selected(artifact, back.commit, back), stage, note, way)

    return _written(write(repository, Selector(artifact), decide, way, waiting))


def move(repository: Repository, text: str, where: Move, note: Note, way: Way, waiting: Callable[[], None]) -> Written:
    """Put a version into a stage and take it and others out of some, all or none; what is so already is left.

    Raises NotFound, Refused (the stages' rules) or UsageError.
    """
    selector = select.parse(text)
    for stage in (*where.out_of, *(one for one in (where.into, where.others_into) if one is not None)):
        names.check_stage(stage)
    by = repository.writer()

    def decide(state: ArtifactState, selector: Selector) -> Decision:
        return Decision(_moves(repository, state, select.select(state, selector), where, note, by))

    return _written(write(repository, selector, decide, way, waiting))


def _moves(
    repository: Repository, state: ArtifactState, chosen: Selected, where: Move, note: Note, by: Signatory
) -> list[Draft]:
    rules, body, keys = repository.rules(state.name), note.message, note.keys()
    done: list[Draft] = []

    def put(now: ArtifactState, one: Selected, stage: str, *, alone: bool = False) -> list[Draft]:
        return plan.assignment(rules, now, one, stage, show=Witness(repository), body=body, keys=keys, alone=alone)

    def after() -> ArtifactState:
        return state.with_events(one.event for one in draft.lay(state, done, by))

    held = state.stages_of(chosen.subject)
    others = [one.subject for one in state.holdings.get(where.into or "", ()) if one.subject != chosen.subject]
    left = [stage for stage in dict.fromkeys(where.out_of) if stage in held and stage != where.into]
    done += [plan.unassignment(state, chosen.subject, stage, body=body, keys=keys) for stage in left]
    if where.into is not None:
        done += put(after(), chosen, where.into, alone=where.alone)
    if where.alone and where.others_into is not None:
        for subject in reversed(others):
            version = state.versions.get(subject)
            if version is not None:
                done += put(after(), Selected(state.name, version.commit, version), where.others_into)
    return done


def clear(
    repository: Repository, artifact: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Take every version out of a stage. Raises NotFound where none is in it."""
    names.check_artifact(artifact)
    names.check_stage(stage)

    def decide(state: ArtifactState, _: Selector) -> Decision:
        held = [one.subject for one in reversed(state.holdings.get(stage, ()))]  # those behind first
        if not held:
            raise NotFound(f"nothing of {artifact} is in stage {stage}", "registry stages lists them")
        return Decision([plan.unassignment(state, one, stage, body=note.message, keys=note.keys()) for one in held])

    return _written(write(repository, Selector(artifact), decide, way, waiting))


def unassign(
    repository: Repository, text: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Take a version out of a stage. Raises NotFound where it is not in it."""
    selector = select.parse(text)
    names.check_stage(stage)
    if selector.what is None and selector.stage is None:
        selector = Selector(selector.artifact, stage=stage)  # what is in the stage, where no version is named

    def decide(state: ArtifactState, selector: Selector) -> Decision:
        chosen = select.select(state, selector)
        held = {holding.subject for holding in state.holdings.get(stage, ())}
        if chosen.subject not in held:
            inside = ", ".join(shown(subject) for subject in held) or "no version"
            raise NotFound(f"{state.name} {shown(chosen.subject)} is not in {stage}", f"{inside} is")
        return Decision([plan.unassignment(state, chosen.subject, stage, body=note.message, keys=note.keys())])

    done = write(repository, selector, decide, way, waiting)
    behind = done.after.stages.get(stage)
    uncovered = [f"{done.after.name}#{stage} is now {shown(behind)}, which was behind it"] if behind is not None else []
    return _written(done, *uncovered)


def _assignment(
    repository: Repository, state: ArtifactState, chosen: Selected, stage: str, note: Note, way: Way
) -> Decision:
    manifest = repository.rules(state.name)
    show = Witness(repository)
    drafts = plan.assignment(
        manifest, state, chosen, stage, show=show, force=way.force, body=note.message, keys=note.keys()
    )
    if not drafts:
        return Decision([], [f"{state.name} {chosen.subject} is in {stage} already"])
    return Decision(drafts, plan.notes_on(manifest, state.name, chosen.subject, stage))


def _written(done: Outcome, *notes: str) -> Written:
    return Written(tuple(views.events_view(done.after, done.events)), (*done.notes, *notes))

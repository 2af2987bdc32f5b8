"""`assign`, `unassign` and `rollback`: which version is in which stage (DESIGN parts 3, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable

from registry.core import names, plan, select
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
                f"{artifact}#{stage} never was another version that is still active",
                f"registry history '{artifact}#{stage}' lists what it was",
            )
        return _assignment(repository, state, Selected(artifact, back.commit, back), stage, note, way)

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

"""`assign`, `unassign` and `rollback`: which version is in which stage (DESIGN parts 3, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from registry.core import names, policy, select
from registry.core import version as versions_
from registry.core.draft import Draft
from registry.core.manifest import Lifecycle, Manifest
from registry.core.names import Form
from registry.core.select import Selected
from registry.core.state import ArtifactState
from registry.errors import NotFound
from registry.porcelain import views
from registry.porcelain.note import Note
from registry.porcelain.values import Written
from registry.repository import Repository, Writing


@dataclass(frozen=True, slots=True)
class Way:
    """How a write is made: a signature or Git's setting (None), past "done already" by force, or only shown."""

    sign: bool | None = None
    force: bool = False
    dry_run: bool = False


def assign(repository: Repository, text: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]) -> Written:
    """Put a version into a stage. Raises NotFound, Refused (the stage's rules) or UsageError."""
    selector = select.parse(text)
    names.check_stage(stage)
    with repository.writing(selector.artifact, waiting, dry_run=way.dry_run) as now:
        chosen = select.select(now.state, selector)
        return _assign(repository, now, chosen, stage, note, way)


def rollback(
    repository: Repository, artifact: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Assign the last other active version that the stage resolved to; twice returns. Raises NotFound."""
    names.check_artifact(artifact)
    names.check_stage(stage)
    with repository.writing(artifact, waiting, dry_run=way.dry_run) as now:
        back = now.state.before(stage)
        if back is None:
            raise NotFound(
                f"{artifact}#{stage} never was another version that is still active",
                f"registry history '{artifact}#{stage}' lists what it was",
            )
        return _assign(repository, now, Selected(artifact, back.commit, back), stage, note, way)


def unassign(
    repository: Repository, text: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Take a version out of a stage. Raises NotFound where it is not in it."""
    selector = select.parse(text)
    names.check_stage(stage)
    with repository.writing(selector.artifact, waiting, dry_run=way.dry_run) as now:
        state = now.state
        if selector.what is None and selector.stage is None:
            selector = select.Selector(
                selector.artifact, stage=stage
            )  # what is in the stage, where no version is named
        chosen = select.select(state, selector)
        held = {holding.subject for holding in state.holdings.get(stage, ())}
        if chosen.subject not in held:
            inside = ", ".join(shown(subject) for subject in held) or "no version"
            raise NotFound(f"{state.name} {shown(chosen.subject)} is not in {stage}", f"{inside} is")
        events = now.write([_unassignment(state, chosen.subject, chosen.commit, stage, note)], sign=way.sign).events
        after = state.with_events(events)
        behind = after.stages.get(stage)
        notes = [f"{state.name}#{stage} is now {shown(behind)}, which was behind it"] if behind is not None else []
        return Written(tuple(views.events_view(after, events)), tuple(notes))


def _assign(repository: Repository, now: Writing, chosen: Selected, stage: str, note: Note, way: Way) -> Written:
    state = now.state
    manifest = repository.rules(state.name)
    drafts = plan_assignment(manifest, state, chosen, stage, note, force=way.force)
    if not drafts:
        return Written(notes=(f"{state.name} {chosen.subject} is in {stage} already",))
    events = now.write(drafts, sign=way.sign).events
    notes = notes_on(manifest, state.name, chosen.subject, stage)
    return Written(tuple(views.events_view(state.with_events(events), events)), tuple(notes))


def plan_assignment(
    manifest: Manifest, state: ArtifactState, chosen: Selected, stage: str, note: Note, *, force: bool = False
) -> list[Draft]:
    """The events that put a version into a stage, none where it is what the stage resolves to already.

    `manifest` holds the rules. Raises NotFound for an unknown stage, Refused where a rule forbids it.
    """
    policy.check_readable(manifest, state.name)
    lifecycle = manifest.lifecycle(state.name)
    policy.check_stage(lifecycle, stage)
    if chosen.version is None:
        raise NotFound(
            f"commit {chosen.commit[:7]} of {state.name} has no version to assign",
            f"registry register {state.name} {chosen.commit[:7]} gives it one",
        )
    if state.stages.get(stage) == chosen.subject and not force:
        return []
    policy.check_after(lifecycle, state, chosen.version, stage)
    # Those behind leave first, so that none of them is uncovered on the way (rollback would take it for the last).
    others = [h.subject for h in reversed(state.holdings.get(stage, ())) if h.subject != chosen.subject]
    ends = others if _exclusive(lifecycle, stage) else []
    return [
        *(_unassignment(state, subject, _commit(state, subject), stage, Note(reason=note.reason)) for subject in ends),
        Draft(
            Form.ASSIGNMENT,
            state.name,
            chosen.commit,
            f"Assign {state.name} {chosen.subject} to {stage}",
            stage=stage,
            body=note.message,
            keys=(("Version", chosen.subject), *note.keys()),
        ),
    ]


def _exclusive(lifecycle: Lifecycle | None, stage: str) -> bool:
    return lifecycle is not None and stage in lifecycle and lifecycle[stage].exclusive


def notes_on(manifest: Manifest, artifact: str, subject: str, stage: str) -> list[str]:
    """What a person who assigns by hand should know: rules that hold nobody yet, and a manifest that wants another."""
    notes = _not_enforced(manifest.lifecycle(artifact), stage)
    managed = manifest.artifacts.get(artifact)
    if managed is not None and stage in managed.assign and managed.assign[stage] != subject:
        wanted = managed.assign[stage] or "nothing"
        notes.append(f"{managed.source} wants {wanted} in {stage}: the next apply undoes this")
    return notes


def _not_enforced(lifecycle: Lifecycle | None, stage: str) -> list[str]:
    """The rules of a stage that this version of the program reads, and does not hold anybody to yet."""
    if lifecycle is None or stage not in lifecycle:
        return []
    rule = lifecycle[stage]
    unheld = {"allow": rule.allow, "signed": rule.signed, "approvals": rule.approvals, "require": rule.require}
    words = ", ".join(name for name, wanted in unheld.items() if wanted)
    return [f"{stage} has rules that are not enforced yet: {words}"] if words else []


def _unassignment(state: ArtifactState, subject: str, commit: str, stage: str, note: Note) -> Draft:
    # A bare commit has no version to name: the tag's commit says which one it is.
    key = (("Version", subject),) if subject in state.versions else ()
    return Draft(
        Form.UNASSIGNMENT,
        state.name,
        commit,
        f"Unassign {state.name} {shown(subject)} from {stage}",
        stage=stage,
        body=note.message,
        keys=(*key, *note.keys()),
    )


def _commit(state: ArtifactState, subject: str) -> str:
    return state.versions[subject].commit if subject in state.versions else subject


def shown(subject: str) -> str:
    """A version as text, a commit as seven digits (DESIGN part 3)."""
    return subject if versions_.parse(subject) is not None else subject[:7]

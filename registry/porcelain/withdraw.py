"""An artifact withdrawn as a whole: every version, and its entry in the manifest (DESIGN part 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from registry.core.draft import Draft
from registry.core.names import Form
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.porcelain import manifests
from registry.porcelain.note import Note
from registry.repository import Repository
from registry.writing.clone import writing
from registry.writing.values import Decision, Way
from registry.writing.write import write


def withdraw(
    repository: Repository,
    artifact: str,
    note: Note,
    way: Way,
    waiting: Callable[[], None],
    remove: Callable[[], object] | None,
) -> None:
    """Withdraw every version of an artifact, the newest first, all or none; and where `remove` is given, which does so
    elsewhere, take it out of the manifest.

    In a clone that is not published from, both are one transaction. Else the versions are decided on first, so that
    what a rule forbids is refused before anything is written, and are published in one step.
    """
    if repository.root is not None and not way.push and remove is not None:
        _at_once(repository, artifact, note, way, waiting)
        return

    def decide(state: ArtifactState, _: Selector) -> Decision:
        return Decision(_drafts(state, note))

    write(repository, Selector(artifact), decide, replace(way, push=False, dry_run=True), waiting, new=True)
    if remove is not None and repository.root is None:
        remove()  # a branch that may not be pushed to refuses: nothing is lost so far
    write(repository, Selector(artifact), decide, way, waiting, new=True)
    if remove is not None and repository.root is not None:
        remove()


def _at_once(repository: Repository, artifact: str, note: Note, way: Way, waiting: Callable[[], None]) -> None:
    with writing(repository, artifact, waiting, way, new=True) as now:
        if now.held is None:
            return
        with manifests.removed(repository, artifact, now.held) as change:
            now.write(_drafts(now.state, note), also=[change] if change is not None else [])


def _drafts(state: ArtifactState, note: Note) -> Sequence[Draft]:
    return [
        Draft(
            Form.DEREGISTRATION,
            state.name,
            one.commit,
            f"Deregister {state.name} {one.name}",
            one.name,
            body=note.message,
            keys=note.keys(),
        )
        for one in sorted(state.active, key=lambda one: one.number, reverse=True)
    ]

"""`annotate`, `approve`, `deregister` and `deprecate`: what is said of a version or an artifact after registration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from registry.core import names, policy, select
from registry.core.draft import Draft
from registry.core.metadata import APPROVED
from registry.core.names import Form
from registry.core.select import Selector
from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound, Refused, UsageError
from registry.porcelain import views
from registry.porcelain.note import Facts, Keys, Note
from registry.porcelain.register import used_versions
from registry.porcelain.values import Written
from registry.repository import Repository
from registry.writing.values import Decision, Way
from registry.writing.write import write


def annotate(
    repository: Repository, text: str, facts: Facts, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Add to what is known of a version; what is said again is replaced. Raises UsageError where nothing is said."""
    facts = replace(facts, uses=used_versions(repository, facts.uses))
    keys = facts.keys()
    if not keys and not note.message:
        raise UsageError("there is nothing to annotate with", "such as --label prod or --metric auc=0.93")
    return _of_version(repository, text, Form.AMENDMENT, "Annotate", keys, note, way, waiting)


def approve(
    repository: Repository, text: str, stage: str, note: Note, way: Way, waiting: Callable[[], None]
) -> Written:
    """Approve a version for a stage, signed: what is counted is who has signed, so that an unsigned one says nothing.

    Whoever has approved it since it was registered last has done so already, unless by force. Raises NotFound.
    """
    selector = select.parse(text)
    names.check_stage(stage)

    def decide(state: ArtifactState, selector: Selector) -> Decision:
        version = _version(state, selector)
        manifest = repository.rules(state.name)
        policy.check_readable(manifest, state.name)
        policy.check_stage(manifest.lifecycle(state.name), stage)
        me = repository.writer().email
        mine = [one for one in version.amendments if stage in one.keys.get(APPROVED, ()) and one.by.email == me]
        if mine and not way.force:
            return Decision([], [f"{me} has approved {state.name} {version.name} for {stage} already"])
        subject = f"Approve {state.name} {version.name} for {stage}"
        said = (*note.keys(), (APPROVED, stage))
        form = Form.AMENDMENT
        return Decision([Draft(form, state.name, version.commit, subject, version.name, None, note.message, said)])

    done = write(repository, selector, decide, way, waiting)
    return Written(tuple(views.events_view(done.after, done.events)), tuple(done.notes))


def deregister(
    repository: Repository,
    text: str,
    note: Note,
    way: Way,
    waiting: Callable[[], None],
    keys: Keys = (),
    commit: str | None = None,
) -> Written:
    """Withdraw a version: no selector finds it any more, and it leaves every stage.

    `keys` say more in the tag; `commit` is where it has to be, if that matters: raises Refused where it has moved.
    """
    selector = select.parse(text)
    if selector.what is None and selector.stage is None:
        raise UsageError(f"{text} names no version", f"such as {text}@v1.2.0; registry deprecate is for the artifact")
    return _of_version(repository, text, Form.DEREGISTRATION, "Deregister", keys, note, way, waiting, commit)


def _of_version(
    repository: Repository,
    text: str,
    form: Form,
    verb: str,
    keys: Keys,
    note: Note,
    way: Way,
    waiting: Callable[[], None],
    commit: str | None = None,
) -> Written:
    selector = select.parse(text)

    def decide(state: ArtifactState, selector: Selector) -> Decision:
        version = _version(state, selector)
        if commit is not None and version.commit != commit:
            raise Refused(f"{state.name} {version.name} has moved to {version.commit[:7]}", "look at it, and try again")
        subject = f"{verb} {state.name} {version.name}"
        said = (*note.keys(), *keys)
        return Decision([Draft(form, state.name, version.commit, subject, version.name, None, note.message, said)])

    done = write(repository, selector, decide, way, waiting)
    notes = (*done.notes, *views.moved_stages(done.before, done.after))
    return Written(tuple(views.events_view(done.after, done.events)), notes)


def _version(state: ArtifactState, selector: Selector) -> VersionState:
    chosen = select.select(state, selector)
    if chosen.version is None:
        raise NotFound(f"{selector} is a commit without a version", f"registry register {state.name} gives it one")
    return chosen.version


def deprecate(repository: Repository, artifact: str, note: Note, way: Way, waiting: Callable[[], None]) -> Written:
    """Mark an artifact as no longer to be used; any later event revives it."""
    selector = select.parse(artifact)
    if str(selector) != selector.artifact:
        raise UsageError(f"{artifact} is one version", f"registry deregister '{artifact}' withdraws a version")

    def decide(state: ArtifactState, _: Selector) -> Decision:
        if state.deprecated and not way.force:
            return Decision([], [f"{artifact} is deprecated already"])
        if not state.exists:
            raise NotFound(f"{artifact} has no versions", "registry remove takes it out of the manifest")
        commit, subject = state.events[-1].commit, f"Deprecate {artifact}"
        return Decision([Draft(Form.DEPRECATION, artifact, commit, subject, body=note.message, keys=note.keys())])

    done = write(repository, selector, decide, way, waiting)
    return Written(tuple(views.events_view(done.after, done.events)), tuple(done.notes))

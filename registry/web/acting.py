"""What can be done in a browser: one table of actions, each the shell's own call, with the command that it equals."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, cast

from registry.api import Registry, selector_of
from registry.core import names, policy, select
from registry.core import version as versions_
from registry.core.plan import Choice, choose
from registry.errors import Refused, RegistryError, UsageError
from registry.porcelain.values import EventView, Written
from registry.web import fields as _f
from registry.web.fields import Field, Said, Wrong, about

if TYPE_CHECKING:
    from registry.core.version import Bump

Outcome: TypeAlias = "tuple[tuple[EventView, ...], tuple[str, ...]]"  # events, and notes for the person


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `words` are its command without options, `do` carries it out or shows what it would do.

    `doubt` is the field that a rule's refusal is shown at, "" for the whole form; `check` raises Wrong for a field.
    """

    name: str
    title: str
    button: str
    about: str
    fields: tuple[Field, ...]
    words: Callable[[Said], list[str]]
    do: Callable[[Registry, Said, bool], Outcome]
    check: Callable[[Registry, Said, str], None]
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do: the command that it equals, the events that it would make, or the tags to publish."""

    command: str
    events: tuple[EventView, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def gist(self) -> str:
        """What a person said yes to: not the tags' counters, which others may take meanwhile."""
        said = [f"{e.event} {e.artifact} {e.version} {e.stage} {e.commit}" for e in self.events]
        return "\n".join([*said, *self.tags])


# -- the fields --------------------------------------------------------------------------------------------------------

_NAME = Field("name", "Name", required=True, hint="the artifact, such as churn")
_VERSION = Field("version", "Version", required=True, hint="such as v1.2.0, latest, or a stage that it is in")
_HELD = replace(_VERSION, required=False, hint="what is in the stage, where it is empty")
_STAGE = Field("stage", "Stage", required=True, hint="such as staging")
_NOTE = (
    Field("reason", "Reason", option="--reason", hint="why, in one line"),
    Field("message", "Message", "text", "-m", "your own words, for the tag"),
)
_FACTS = (
    Field("description", "Description", option="--description", hint="what this version is, in one line"),
    Field("labels", "Labels", "lines", "--label", "one a line"),
    Field("metrics", "Metrics", "lines", "--metric", "one a line, such as auc=0.93"),
    Field("params", "Parameters", "lines", "--param", "one a line, such as depth=4", more=True),
    Field("tags", "Tags", "lines", "--tag", "one a line, such as team=growth", more=True),
    Field("run", "Run", option="--run", hint="such as mlflow:ID or dvc:EXP", more=True),
    Field("run_url", "Link to the run", option="--run-url", more=True),
    Field("uses", "Made from", "lines", "--uses", "one a line, such as train-set@v0.3.0", more=True),
)
_FORCE = Field("force", "Do it even so", "tick", "--force", more=True)
_PUSH = Field("push", "Publish it in the same step", "tick", "--push", "with all that is unpublished of it")


def _forced(hint: str) -> Field:
    return replace(_FORCE, hint=hint)


# -- what is done ------------------------------------------------------------------------------------------------------


def _selector(said: Said) -> str:
    return selector_of(_f.line(said, "name") or "", _f.line(said, "version") or "latest")


def _held(said: Said) -> str:
    """A selector in which no version means the one that is in the stage."""
    return _selector(said) if _f.line(said, "version") is not None else _f.line(said, "name") or ""


def _reason(said: Said) -> str | None:
    return _f.line(said, "reason")


def _message(said: Said) -> str:
    return _f.text(said, "message")


def _outcome(written: Written) -> Outcome:
    return written.events, written.notes


def _choice(said: Said) -> Choice:
    return Choice(_f.line(said, "version"), cast("Bump", said.get("bump") or "patch"), _f.line(said, "pre"))


def _register(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    choice = _choice(said)
    return _outcome(
        registry.register_written(
            _f.line(said, "name") or "",
            _f.line(said, "revision") or "HEAD",
            version=choice.version,
            bump=choice.bump,
            pre=choice.pre,
            message=_message(said),
            reason=_reason(said),
            description=_f.line(said, "description"),
            labels=_f.lines(said, "labels"),
            metrics=_f.pairs(said, "metrics"),
            params=_f.pairs(said, "params"),
            tags=_f.pairs(said, "tags"),
            run=_f.line(said, "run"),
            run_url=_f.line(said, "run_url"),
            uses=_f.lines(said, "uses"),
            undeclared=_f.ticked(said, "undeclared"),
            force=_f.ticked(said, "force"),
            push=_f.ticked(said, "push"),
            dry_run=dry_run,
        )
    )


def _register_words(said: Said) -> list[str]:
    revision = _f.line(said, "revision") or "HEAD"
    return [_f.line(said, "name") or "", *([revision] if revision != "HEAD" else [])]


def _assign(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    return _outcome(
        registry.assign(
            _selector(said), _f.line(said, "stage") or "", reason=_reason(said), message=_message(said),
            force=_f.ticked(said, "force"), push=_f.ticked(said, "push"), dry_run=dry_run,
        )
    )  # fmt: skip


def _unassign(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    return _outcome(
        registry.unassign(
            _held(said), _f.line(said, "stage") or "", reason=_reason(said), message=_message(said),
            push=_f.ticked(said, "push"), dry_run=dry_run,
        )
    )  # fmt: skip


def _rollback(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    return _outcome(
        registry.rollback(
            _f.line(said, "name") or "", _f.line(said, "stage") or "", reason=_reason(said), message=_message(said),
            push=_f.ticked(said, "push"), dry_run=dry_run,
        )
    )  # fmt: skip


def _deregister(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    return _outcome(
        registry.deregister(
            _selector(said), reason=_reason(said), message=_message(said),
            push=_f.ticked(said, "push"), dry_run=dry_run,
        )
    )  # fmt: skip


def _deprecate(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    return _outcome(
        registry.deprecate(
            _f.line(said, "name") or "", reason=_reason(said), message=_message(said),
            push=_f.ticked(said, "push"), dry_run=dry_run,
        )
    )  # fmt: skip


def _annotate(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    return _outcome(
        registry.annotate(
            _selector(said),
            message=_message(said),
            reason=_reason(said),
            description=_f.line(said, "description"),
            labels=_f.lines(said, "labels"),
            metrics=_f.pairs(said, "metrics"),
            params=_f.pairs(said, "params"),
            tags=_f.pairs(said, "tags"),
            run=_f.line(said, "run"),
            run_url=_f.line(said, "run_url"),
            uses=_f.lines(said, "uses"),
            deployments=_f.pairs(said, "deployments"),
            push=_f.ticked(said, "push"),
            dry_run=dry_run,
        )
    )


def unpublished(registry: Registry, name: str | None) -> tuple[str, ...]:
    """The tags of an artifact, or of all, that were written here and not published yet."""
    if registry.repository.pushes:
        raise Refused("a URL has nothing unpublished", "what is written there is published at once")
    if name is not None:
        registry.repository.existing(name)
    remote = registry.status(offline=True).remote
    if remote is None:
        registry.repository.remote()  # says why there is none
    found = remote.unpublished if remote is not None else ()
    parsed = ((tag, names.parse_tag(tag)) for tag in found)
    return tuple(tag for tag, parts in parsed if name is None or (parts is not None and parts.artifact == name))


def _push(registry: Registry, said: Said, dry_run: bool) -> Outcome:
    name = _f.line(said, "name")
    if dry_run:
        return (), ()  # `preview` names the tags
    pushed = registry.push(*([name] if name is not None else []))
    withdrawn = [f"{left.tag} was withdrawn: {left.why}" for left in pushed.withdrawn]
    nothing = [f"nothing to publish to {pushed.remote}"] if not pushed.events and not withdrawn else []
    return pushed.events, (*pushed.written.notes, *withdrawn, *nothing)


def _of_version(said: Said) -> list[str]:
    return [_selector(said)]


def _of_stage(said: Said) -> list[str]:
    return [_selector(said), _f.line(said, "stage") or ""]


def _of_held(said: Said) -> list[str]:
    return [_held(said), _f.line(said, "stage") or ""]


def _name_and_stage(said: Said) -> list[str]:
    return [_f.line(said, "name") or "", _f.line(said, "stage") or ""]


def _name_alone(said: Said) -> list[str]:
    return [name for name in [_f.line(said, "name")] if name is not None]


# -- what may be wrong with a field ------------------------------------------------------------------------------------


def _check_known(registry: Registry, said: Said, field: str) -> None:
    """Fields of an action on what is there. Raises RegistryError."""
    name = _f.line(said, "name")
    if name is None:
        return
    repository = registry.repository
    match field:
        case "name":
            names.check_artifact(name)
            repository.focus(name)
            repository.existing(name)
        case "version":
            select.select(repository.state(name), select.parse(_selector(said)))
        case "stage":
            stage = names.check_stage(_f.line(said, "stage") or "")
            policy.check_stage(repository.rules(name).lifecycle(name), stage)
        case "metrics" | "params" | "tags" | "deployments":
            _f.pairs(said, field)
        case _:
            pass


def _check_unassign(registry: Registry, said: Said, field: str) -> None:
    """As `_check_known`, but a stage that the manifest knows no more can still be left, by whatever is in it."""
    if field == "stage":
        names.check_stage(_f.line(said, "stage") or "")
    elif field != "version" or _f.line(said, "version") is not None:
        _check_known(registry, said, field)


def _check_new(registry: Registry, said: Said, field: str) -> None:
    """Fields of `register`. Raises RegistryError."""
    name = names.check_artifact(_f.line(said, "name") or "")
    repository = registry.repository
    repository.focus(name)
    revision = _f.line(said, "revision") or "HEAD"
    match field:
        case "name":
            if not _f.ticked(said, "undeclared") and (commit := _commit(registry, revision)) is not None:
                policy.check_declared(repository.manifest_at(commit, name), name)
        case "revision":
            _check_commit(registry, said, name, repository.commit(revision))
        case "version":
            _check_version(registry, said, name, _commit(registry, revision))
        case "pre":
            if _f.line(said, "pre") is not None and _f.line(said, "version") is not None:
                raise UsageError("the version says it all", "leave one of the two out")
            if _f.line(said, "pre") is not None:
                choose(repository.state(name), _choice(said))
        case "metrics" | "params" | "tags":
            _f.pairs(said, field)
        case _:
            pass


def _commit(registry: Registry, revision: str) -> str | None:
    try:
        return registry.repository.commit(revision)
    except RegistryError:
        return None  # said beside the field of the commit


def _check_commit(registry: Registry, said: Said, name: str, commit: str) -> None:
    """A commit that may be a version, whatever that is called. Raises Refused."""
    state = registry.repository.state(name)
    try:
        version = choose(state, _choice(said))
    except RegistryError:
        return  # said beside the version
    if version.text not in state.versions:
        policy.check_new_version(state, version, commit, _f.ticked(said, "force"), overwrite=True)


def _check_version(registry: Registry, said: Said, name: str, commit: str | None) -> None:
    """A version that was typed. Raises UsageError, Refused."""
    if (text := _f.line(said, "version")) is None:
        return
    version = versions_.check(text)
    state = registry.repository.state(name)
    if commit is not None and version.text in state.versions:
        overwrite = registry.repository.rules(name).version_rules(name).overwrite
        policy.check_new_version(state, version, commit, _f.ticked(said, "force"), overwrite=overwrite)


# -- the table ---------------------------------------------------------------------------------------------------------

_REGISTER = (
    _NAME,
    Field("revision", "Commit", "commit", hint="a branch, a tag, or a hash; HEAD where it is empty"),
    Field("bump", "Next version", "choice", choices=("patch", "minor", "major"), unless="version"),
    Field("version", "Another version", option="--version", hint="instead of the next one, such as v2.0.0"),
    Field("pre", "Pre-release", option="--pre", hint="its name, such as rc", more=True),
    *_NOTE,
    *(replace(field, more=True) for field in _FACTS),
    Field("undeclared", "Without an entry in the manifest", "tick", "--undeclared", more=True),
    _forced("give a commit a second version, or move a version to another commit"),
    _PUSH,
)
_DEPLOYMENTS = Field("deployments", "Deployments", "lines", "--deployment", "one a line, such as eu-west=https://...")

ACTIONS = {
    action.name: action
    for action in (
        Action(
            "register", "Register a version", "Register", "A commit becomes a version.",
            _REGISTER, _register_words, _register, _check_new,
        ),
        Action(
            "assign", "Assign a version to a stage", "Assign", "A version goes into a stage.",
            (_NAME, _VERSION, _STAGE, *_NOTE, _forced("assign what is in the stage already"), _PUSH),
            _of_stage, _assign, _check_known, "stage",
        ),
        Action(
            "unassign", "Unassign a version", "Unassign", "A version leaves a stage.",
            (_NAME, _HELD, _STAGE, *_NOTE, _PUSH),
            _of_held, _unassign, _check_unassign, "stage",
        ),
        Action(
            "rollback", "Roll a stage back", "Roll back", "The version that was in the stage before returns to it.",
            (_NAME, _STAGE, *_NOTE, _PUSH), _name_and_stage, _rollback, _check_known, "stage",
        ),
        Action(
            "annotate", "Annotate a version", "Annotate",
            "Labels replace those that were there; of metrics and the like, those of the same name. "
            "An empty value removes one.",
            (_NAME, _VERSION, *_FACTS, _DEPLOYMENTS, *_NOTE, _PUSH),
            _of_version, _annotate, _check_known,
        ),
        Action(
            "deregister", "Deregister a version", "Deregister",
            "Nothing finds the version any more, and it leaves every stage. History remembers it.",
            (_NAME, _VERSION, *_NOTE, _PUSH), _of_version, _deregister, _check_known, "version",
        ),
        Action(
            "deprecate", "Deprecate", "Deprecate",
            "It is marked as no longer to be used. Whatever happens to it later revives it.",
            (_NAME, *_NOTE, _PUSH), _name_alone, _deprecate, _check_known, "name",
        ),
        Action(
            "push", "Publish", "Publish", "What was written here goes to the remote.",
            (replace(_NAME, required=False, hint="one artifact, or all of them where it is empty"),),
            _name_alone, _push, _check_known, "name",
        ),
    )
}  # fmt: skip


def problems(action: Action, registry: Registry, said: Said) -> dict[str, RegistryError]:
    """What is wrong, by field; "" stands for the whole form. Where nothing is, `preview` is worth a try."""
    found: dict[str, RegistryError] = {}
    for field in action.fields:
        try:
            _f.check(field, said)
        except RegistryError as error:
            found[field.name] = error
    if found:
        return found  # the rest would be said of words that are none
    for field in action.fields:
        try:
            action.check(registry, said, field.name)
        except RegistryError as error:
            found[field.name] = error
            if field.name == "name":
                break  # all others are about what it names
    return found


def preview(action: Action, registry: Registry, said: Said, repo: str | None) -> Preview:
    """What would be done. Raises Wrong with the first field that a rule is about."""
    with about(action.doubt):
        tags = unpublished(registry, _f.line(said, "name")) if action.name == "push" else ()
        events, notes = action.do(registry, said, True)
        return Preview(command(action, said, repo), events, tags, notes)


def carry_out(action: Action, registry: Registry, said: Said) -> Outcome:
    """Do it. Raises Wrong, and then nothing was done."""
    with about(action.doubt):
        return action.do(registry, said, False)


def command(action: Action, said: Said, repo: str | None) -> str:
    """The command of a shell that does the same."""
    words = action.words(said)
    options = [*_f.options(action.fields, said), *(["--repo", repo] if repo is not None else [])]
    # What looks like an option is none after a "--".
    arguments = [*options, "--", *words] if any(word.startswith("-") for word in words) else [*words, *options]
    quoted = " ".join(shlex.quote(word) for word in ("registry", action.name, *arguments))
    # "-m -" would read the message from standard input; so let it.
    return f"printf %s - | {quoted}" if _message(said) == "-" else quoted


_PAST: dict[str, str] = {
    "registration": "Registered {0.artifact} {0.version}",
    "deregistration": "Deregistered {0.artifact} {0.version}",
    "amendment": "Annotated {0.artifact} {0.version}",
    "assignment": "Assigned {0.artifact} {0.version} to {0.stage}",
    "unassignment": "Unassigned {0.artifact} {0.version} from {0.stage}",
    "deprecation": "Deprecated {0.artifact}",
}


def told(action: Action, events: Sequence[EventView]) -> str:
    """What was done, in a line."""
    if action.name == "push":
        return f"Published {len(events)} {'tag' if len(events) == 1 else 'tags'}" if events else "Nothing was published"
    done = [_PAST[event.event].format(event) for event in events] or ["Nothing was to be done"]
    return "; ".join([done[0], *(one[:1].lower() + one[1:] for one in done[1:])])


__all__ = ["ACTIONS", "Action", "Preview", "Wrong", "carry_out", "command", "preview", "problems", "told"]

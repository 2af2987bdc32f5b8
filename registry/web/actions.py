"""What can be done in a browser: one table, each row a verb of the API with its fields and its words in a shell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from registry.api import Registry
from registry.core.version import Bump
from registry.errors import NotFound
from registry.porcelain.values import Written
from registry.web import fields as _f
from registry.web.fields import Field, Said

Verb: TypeAlias = Callable[..., Written]

BUMPS: Mapping[str, Bump] = {"patch": "patch", "minor": "minor", "major": "major"}  # as a form says them


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `words` are what its command says without options: the arguments of `verb`, which is told all other
    fields by keyword. `doubt` is the field that a rule's refusal is shown at, "" for the whole form.
    """

    name: str
    title: str
    button: str
    about: str
    fields: tuple[Field, ...]
    words: Callable[[Said], list[str]]
    verb: Verb
    doubt: str = ""

    def do(self, registry: Registry, said: Said, *, dry_run: bool) -> Written:
        """Carry it out, or look what it would do. Raises RegistryError."""
        return self.verb(registry, *self.words(said), **_f.keywords(self.fields, said), dry_run=dry_run)


def action_of(name: str) -> Action:
    """The action of that name. Raises NotFound."""
    if name not in ACTIONS:
        raise NotFound("there is no such page", f"there is {', '.join(ACTIONS)}")
    return ACTIONS[name]


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
_REMOTE = Field("remote", "Remote", "select", "--remote", "where it is pushed to")
_WAY = (
    Field("push", "Push it in the same step", "tick", "--push", "with all that is not pushed yet of it"),
    _REMOTE,
    Field("offline", "Do not ask the remote", "tick", "--offline", "even if this clone may lack tags", more=True),
)
_DEPLOYMENTS = Field("deployments", "Deployments", "lines", "--deployment", "one a line, such as eu-west=https://...")
_REGISTER = (
    _NAME,
    Field(
        "revision",
        "Commit",
        "commit",
        hint="a branch, a tag, or a hash; otherwise the branch beside it, or HEAD",
    ),
    Field("bump", "Next version", "choice", choices=tuple(BUMPS), unless="version"),
    Field("version", "Another version", option="--version", hint="instead of the next one, such as v2.0.0"),
    Field("pre", "Pre-release", option="--pre", hint="its name, such as rc", more=True),
    *_NOTE,
    *(replace(field, more=True) for field in _FACTS),
    Field("undeclared", "Without an entry in the manifest", "tick", "--undeclared", more=True),
    replace(_FORCE, hint="give a commit a second version, or move a version to another commit"),
    *_WAY,
)


# -- the words of each command -----------------------------------------------------------------------------------------


def _name_alone(said: Said) -> list[str]:
    return [name for name in [_f.line(said, "name")] if name is not None]


def _name_and_stage(said: Said) -> list[str]:
    return [_f.line(said, "name") or "", _f.line(said, "stage") or ""]


def _of_version(said: Said) -> list[str]:
    return [_f.selector(said)]


def _of_stage(said: Said) -> list[str]:
    return [_f.selector(said), _f.line(said, "stage") or ""]


def _of_held(said: Said) -> list[str]:
    return [_f.held(said), _f.line(said, "stage") or ""]


def _of_commit(said: Said) -> list[str]:
    revision = _f.line(said, "revision") or "HEAD"
    return [_f.line(said, "name") or "", *([revision] if revision != "HEAD" else [])]


def _push(registry: Registry, *names: str, remote: str | None, dry_run: bool) -> Written:
    """As the other verbs: dry, it is what `Registry.unpublished` says, and no event is new."""
    if dry_run:
        return Written()
    pushed = registry.push(*names, remote=remote)
    withdrawn = [f"{left.tag} was withdrawn: {left.why}" for left in pushed.withdrawn]
    nothing = [f"nothing to push to {pushed.remote}"] if not pushed.events and not withdrawn else []
    return replace(pushed.written, notes=(*pushed.written.notes, *withdrawn, *nothing))


# -- the table ---------------------------------------------------------------------------------------------------------

ACTIONS = {
    action.name: action
    for action in (
        Action(
            "register", "Register a version", "Register", "A commit becomes a version.",
            _REGISTER, _of_commit, Registry.register_written,
        ),
        Action(
            "assign", "Assign a version to a stage", "Assign", "A version goes into a stage.",
            (_NAME, _VERSION, _STAGE, *_NOTE, replace(_FORCE, hint="assign what is in the stage already"), *_WAY),
            _of_stage, Registry.assign, "stage",
        ),
        Action(
            "unassign", "Unassign a version", "Unassign", "A version leaves a stage.",
            (_NAME, _HELD, _STAGE, *_NOTE, *_WAY), _of_held, Registry.unassign, "stage",
        ),
        Action(
            "rollback", "Roll back a stage", "Roll back", "The version that was in the stage before returns to it.",
            (_NAME, _STAGE, *_NOTE, *_WAY), _name_and_stage, Registry.rollback, "stage",
        ),
        Action(
            "annotate", "Annotate a version", "Annotate",
            "Labels replace those that were there; of metrics and the like, those of the same name. "
            "An empty value removes one.",
            (_NAME, _VERSION, *_FACTS, _DEPLOYMENTS, *_NOTE, *_WAY), _of_version, Registry.annotate,
        ),
        Action(
            "deregister", "Deregister a version", "Deregister",
            "Nothing finds the version any more, and it leaves every stage. History remembers it.",
            (_NAME, _VERSION, *_NOTE, *_WAY), _of_version, Registry.deregister, "version",
        ),
        Action(
            "deprecate", "Deprecate", "Deprecate",
            "It is marked as no longer to be used. Whatever happens to it later revives it.",
            (_NAME, *_NOTE, *_WAY), _name_alone, Registry.deprecate, "name",
        ),
        Action(
            "push", "Push", "Push", "What was written here goes to the remote.",
            (replace(_NAME, required=False, hint="one artifact, or all of them where it is empty"), _REMOTE),
            _name_alone, _push, "name",
        ),
    )
}  # fmt: skip

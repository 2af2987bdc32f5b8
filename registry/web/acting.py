"""Acting in a browser: what an action would do, as a person is asked about it; doing it; and telling what was done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from registry.api import Registry
from registry.core import version as versions
from registry.core.compare import Difference
from registry.core.metadata import Metadata
from registry.errors import NotFound
from registry.porcelain.sync import Unpublished
from registry.porcelain.values import EventView, Written
from registry.web import fields as _f
from registry.web import shell
from registry.web.actions import Action, action_of
from registry.web.fields import Said, about


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do: the command that it equals, the events that it would make, what an annotation changes,
    and, where it publishes, to whom, with which tags that were written before; None where it does not."""

    command: str
    events: tuple[EventView, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[Difference, ...] = ()
    along: Unpublished | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be done."""
        return not self.events and (self.along is None or not self.along.tags)

    @property
    def gist(self) -> str:
        """A digest of what a person says yes to: each event by its kind, artifact, version, stage and commit and what
        it says a version was made from, each change of an annotation, and the remote with the tags that go along.

        The counters of new tags are left out, which others may take meanwhile, and so are notes.
        """
        said = [*_outcome(self.events), *(use for event in self.events for use in event.metadata.uses)]
        said += [f"{change.key} {change.before} {change.after}" for change in self.changes]
        said += [self.along.remote, *self.along.tags] if self.along is not None else []
        return hashlib.sha256("\n".join(said).encode(errors="surrogatepass")).hexdigest()


def attempt(action: Action, registry: Registry, said: Said, place: str | None) -> Preview:
    """What would be written, whatever is pushed along: to find that out takes time where many tags are unpublished.

    `place` is what a command says after --repo. Raises Wrong with the first field that a rule is about.
    """
    with about(action.doubt):
        written = action.do(registry, said, dry_run=True)
        changes = _changes(registry, said, written) if action.name == "annotate" else ()
    return Preview(command(action, said, place), written.events, written.notes, tuple(changes))


def preview(action: Action, registry: Registry, said: Said, place: str | None) -> Preview:
    """All that would be done. Raises Wrong as `attempt` does."""
    tried = attempt(action, registry, said, place)
    with about("remote"):
        return replace(tried, along=_along(action, registry, said))


def catch_up(action: Action, registry: Registry, said: Said) -> None:
    """Have what others have published, where the action publishes. Raises Wrong where the remote cannot be asked."""
    if registry.repository.pushes or not _pushes(action, said):
        return
    name = _f.line(said, "name")
    with about("remote"), suppress(NotFound):  # nobody has it yet: it is the first version
        registry.fetch(*([name] if name is not None else []), remote=_f.line(said, "remote"))


def carry_out(action: Action, registry: Registry, said: Said, shown: Preview) -> Written:
    """Do what was `shown`. Raises Wrong, and then nothing was done.

    Who publishes decides again under what others have published meanwhile, and so might do something else. So the
    versions that were shown are named: then it is done, or refused. What even so became otherwise is told.
    """
    with about(action.doubt):
        exact, outright = _pinned(action, registry, said, shown)
        written = exact.do(registry, outright, dry_run=False)
    if action.name == "push" or _outcome(written.events) == _outcome(shown.events):
        return written
    return replace(written, notes=(*written.notes, "this is not all as it was shown: others have acted meanwhile"))


def _pinned(action: Action, registry: Registry, said: Said, shown: Preview) -> tuple[Action, Said]:
    """An action, said so that it comes to what was `shown` and to nothing else.

    A rollback is the assignment of the version that was shown. A new version is free to take another name later, unless
    it is published at once: then it has the name that was shown.
    """
    if action.name in {"push", "deprecate"}:
        return action, said
    uses = {"uses": "\n".join(use for event in shown.events for use in event.metadata.uses)} if "uses" in said else {}
    if action.name == "register":
        [event] = shown.events
        exact = {**said, **uses, "revision": event.commit}
        if not registry.repository.pushes and not _pushes(action, said):
            return action, exact
        free = {key: value for key, value in exact.items() if key not in {"bump", "pre"}}
        return action, {**free, "version": event.version or ""}
    # Where nothing would be written, it is so already of the version that is meant.
    version = shown.events[-1].version if shown.events else registry.find(_f.selector(said))
    if version is None or versions.parse(version) is None:
        return action, said  # a bare commit in a stage has no name
    named = {**said, **uses, "version": version}
    return action_of("assign") if action.name == "rollback" else action, named


def _pushes(action: Action, said: Said) -> bool:
    return action.name == "push" or _f.ticked(said, "push")


def _outcome(events: Sequence[EventView]) -> list[str]:
    return [f"{e.event} {e.artifact} {e.version} {e.stage} {e.commit}" for e in events]


def command(action: Action, said: Said, place: str | None) -> str:
    """The command of a shell that does the same."""
    quoted = shell.command(action.name, action.words(said), _f.options(action.fields, said), place)
    # "-m -" would read the message from standard input; so let it.
    return f"printf %s - | {quoted}" if _f.text(said, "message") == "-" else quoted


def _along(action: Action, registry: Registry, said: Said) -> Unpublished | None:
    """What a push publishes of what was written before. Raises RegistryError where there is no remote to push to."""
    if registry.repository.pushes:
        return Unpublished(registry.repository.name, (), asked=True)
    if not _pushes(action, said):
        return None
    name = _f.line(said, "name")
    return registry.unpublished(*([name] if name is not None else []), remote=_f.line(said, "remote"))


def _changes(registry: Registry, said: Said, written: Written) -> list[Difference]:
    """What an annotation makes of what was known: each key that it says, as it was and as it would be."""
    before = registry.resolve(_f.selector(said)).metadata
    return [change for event in written.events for change in _differences(before, event.metadata)]


def _differences(before: Metadata, said: Metadata) -> list[Difference]:
    """Each key that an amendment says; one without a value is taken away (DESIGN part 3)."""
    pairs: list[tuple[str, Mapping[str, object], Mapping[str, object]]] = [
        ("metric", before.metrics, said.metrics),
        ("parameter", before.params, said.params),
        ("tag", before.tags, said.tags),
        ("deployment", before.deployments, said.deployments),
    ]
    found = [
        Difference(f"{what} {key}", old.get(key), value if value != "" else None)
        for what, old, new in pairs
        for key, value in new.items()
    ]
    single = [
        ("labels", ", ".join(before.labels) or None, ", ".join(said.labels) or None),
        ("made from", ", ".join(before.uses) or None, ", ".join(said.uses) or None),
        ("description", before.description, said.description),
        ("run", before.run, said.run),
        ("link to the run", before.run_url, said.run_url),
    ]
    return found + [Difference(key, old, new) for key, old, new in single if new is not None]


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
        return f"Pushed {len(events)} {'tag' if len(events) == 1 else 'tags'}" if events else "Nothing was pushed"
    done = [_PAST[event.event].format(event) for event in events] or ["Nothing was to be done"]
    return "; ".join([done[0], *(one[:1].lower() + one[1:] for one in done[1:])])

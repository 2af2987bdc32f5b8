"""Acting in a browser: what an action would do, as a person is asked about it; doing it; and telling what was done."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.api import Registry, Unpublished
from registry.core.compare import Difference
from registry.core.metadata import Metadata
from registry.porcelain.values import EventView, Written
from registry.web import fields as _f
from registry.web.actions import Action
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
    def gist(self) -> str:
        """What a person said yes to, as a digest: without the counters of new tags, which others may take meanwhile."""
        said = [f"{e.event} {e.artifact} {e.version} {e.stage} {e.commit}" for e in self.events]
        said += [f"{change.key} {change.before} {change.after}" for change in self.changes]
        said += [self.along.remote, *self.along.tags] if self.along is not None else []
        return hashlib.sha256("\n".join(said).encode(errors="surrogatepass")).hexdigest()


def preview(action: Action, registry: Registry, said: Said, repo: str | None) -> Preview:
    """What would be done. Raises Wrong with the first field that a rule is about."""
    with about(action.doubt):
        written = action.do(registry, said, dry_run=True)
        changes = _changes(registry, said, written) if action.name == "annotate" else ()
    with about("remote"):
        along = _along(action, registry, said)
    return Preview(command(action, said, repo), written.events, written.notes, tuple(changes), along)


def carry_out(action: Action, registry: Registry, said: Said) -> Written:
    """Do it. Raises Wrong, and then nothing was done."""
    with about(action.doubt):
        return action.do(registry, said, dry_run=False)


def command(action: Action, said: Said, repo: str | None) -> str:
    """The command of a shell that does the same."""
    words = action.words(said)
    options = [*_f.options(action.fields, said), *(["--repo", repo] if repo is not None else [])]
    # What looks like an option is none after a "--".
    arguments = [*options, "--", *words] if any(word.startswith("-") for word in words) else [*words, *options]
    quoted = " ".join(shlex.quote(word) for word in ("registry", action.name, *arguments))
    # "-m -" would read the message from standard input; so let it.
    return f"printf %s - | {quoted}" if _f.text(said, "message") == "-" else quoted


def _along(action: Action, registry: Registry, said: Said) -> Unpublished | None:
    """What a push publishes of what was written before. Raises RegistryError where there is no remote to push to."""
    if registry.repository.pushes:
        return Unpublished(registry.repository.name, (), asked=True)
    if action.name != "push" and not _f.ticked(said, "push"):
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

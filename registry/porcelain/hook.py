"""`hook`: a server's pre-receive hook, which takes no push that the registry's rules forbid (githooks(5)).

It judges by the trusted branch as it was before the push, in one pass, and changes nothing. Refs that are not the
registry's are none of its business.
"""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.core import diagnosis, gates, names, policy
from registry.core.events import Assignment, Event, Registration, event_of
from registry.core.names import parse_tag
from registry.core.push import Objection, objections
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, UsageError
from registry.evidence import Witness
from registry.plumbing import objects, tags
from registry.plumbing.remote import HEADS
from registry.repository import Repository
from registry.trust import Trust, at_head
from registry.writing.heads import artifact_of

_LIMIT = 1_000_000  # bytes of one tag object


@dataclass(frozen=True, slots=True)
class Update:
    """One line that Git gives the hook: a ref, and the ids before and after; None where it is not there."""

    ref: str
    old: str | None
    new: str | None


def parse(said: bytes) -> list[Update]:
    """The standard input of a pre-receive hook. Raises UsageError for what Git would not write."""
    updates = []
    for line in said.decode(errors="surrogateescape").removesuffix("\n").split("\n") if said else ():
        words = line.split(" ", 2)
        if len(words) != 3 or not all(re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", word) for word in words[:2]):
            raise UsageError(f"not a line of a pre-receive hook: {line!r}", "Git runs this: registry hook install REPO")
        old, new = (None if set(word) == {"0"} else word for word in words[:2])
        updates.append(Update(words[2], old, new))
    return updates


def judge(repository: Repository, updates: Iterable[Update]) -> list[Objection]:
    """What stands against a push; nothing where it may pass. Raises RegistryError where that cannot be told."""
    return [*_Judging(repository).all(list(updates))]


class _Judging:
    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.trust: Trust = at_head(repository)
        self.witness = Witness(repository)

    def all(self, updates: Sequence[Update]) -> Iterator[Objection]:
        ours = [one for one in updates if one.ref.startswith((tags.PREFIX, HEADS))]
        heads = [one for one in ours if one.ref.startswith(HEADS)]
        named = [one for one in ours if one.ref.startswith(tags.PREFIX)]
        new: list[tuple[Update, str]] = []
        for one in named:
            tag = one.ref[len(tags.PREFIX) :]
            if parse_tag(tag) is None:
                yield from self._malformed(one, tag)
            elif one.old is not None:
                verb = "deleted" if one.new is None else "moved"
                yield Objection(one.ref, verb, f"a tag of the registry is not {verb}", _UNDO[verb])
            elif one.new is not None:
                new.append((one, tag))
        found: defaultdict[str, list[Event]] = defaultdict(list)
        for outcome in self._events(new):
            if isinstance(outcome, Objection):
                yield outcome
            else:
                found[outcome.artifact].append(outcome)
        touched = [*dict.fromkeys([*found, *filter(None, (artifact_of(one.ref) for one in heads))])]
        states = self.repository.states_of(touched)
        yield from self._twins(states, found)
        after = {name: states[name].with_events(found[name]) if name in found else states[name] for name in touched}
        yield from self._declared([e for events in found.values() for e in events if isinstance(e, Registration)])
        now = self.repository.clock()
        for name, events in found.items():
            yield from self._of_artifact(states[name], after[name], {event.oid for event in events}, now)
        for one in heads:
            yield from _of_head(one, after)

    def _malformed(self, update: Update, tag: str) -> Iterator[Objection]:
        """A tag that is meant for one of our artifacts, or passes for one, and is not in the format."""
        finding = diagnosis.damaged_tag(tag, "tag", b"")
        name = names.from_tag(re.split("[@#]", tag, maxsplit=1)[0])
        if finding is None or update.new is None:
            return
        if not name.isascii() or self._is_known(name):
            yield Objection(update.ref, "malformed", finding.message, finding.hint)

    def _is_known(self, artifact: str) -> bool:
        manifest = self.repository.manifest_at_head
        return artifact in manifest.artifacts or (
            names.is_artifact(artifact) and bool(tags.artifacts_like(self.repository.git, artifact))
        )

    def _events(self, new: Sequence[tuple[Update, str]]) -> Iterator[Event | Objection]:
        ids = [one.new or "" for one, _ in new]
        found = objects.read_objects(self.repository.git, ids, only_type="tag", limit=_LIMIT)
        for (one, tag), read in zip(new, found, strict=True):
            event = event_of(tag, read.oid, read.data) if read.data is not None else None
            if event is not None:
                yield event
                continue
            finding = diagnosis.damaged_tag(tag, read.type, read.data)
            if read.type == "tag" and read.data is None:
                yield Objection(one.ref, "size", "its tag object is larger than 1 MB", "put less into its message")
            elif finding is not None:
                hint = f"registry makes it, or git tag -a '{tag}' COMMIT"
                yield Objection(one.ref, finding.code, finding.message, hint)

    def _twins(self, states: Mapping[str, ArtifactState], found: Mapping[str, Sequence[Event]]) -> Iterator[Objection]:
        first = [name for name in found if not states[name].exists]
        there = (
            [*tags.artifacts_like(self.repository.git, *first), *self.repository.manifest_at_head.names]
            if first
            else []
        )
        for name in first:
            try:
                policy.check_case(name, [*there, *first], "name")
            except Refused as error:
                yield Objection(f"{tags.PREFIX}{found[name][0].tag}", "name", error.message, error.hint)

    def _of_artifact(
        self, state: ArtifactState, after: ArtifactState, new: Collection[str], now: int
    ) -> Iterator[Objection]:
        in_order = [event for event in after.events if event.oid in new]
        yield from objections(state, after, in_order, now)
        for breach in self.trust.judge(after, new):
            yield Objection(f"{tags.PREFIX}{breach.event.tag}", breach.code, breach.why, breach.hint)
        yield from self._gates(state, in_order)

    def _declared(self, registrations: Sequence[Registration]) -> Iterator[Objection]:
        manifests = self.repository.manifests_at((event.commit, event.artifact) for event in registrations)
        for event, manifest in zip(registrations, manifests, strict=True):
            ref = f"{tags.PREFIX}{event.tag}"
            try:
                policy.check_declared(manifest, event.artifact)
            except (NotFound, Refused) as error:
                yield Objection(ref, "undeclared", error.message, error.hint)
                continue
            for problem in manifest.artifacts[event.artifact].unusable:
                yield Objection(ref, "path", f"the manifest's path {problem}", "correct it, and commit that")

    def _gates(self, state: ArtifactState, new: Sequence[Event]) -> Iterator[Objection]:
        lifecycle = self.trust.rules(state.name).lifecycle(state.name) or {}
        gated = {name: rule for name, rule in lifecycle.items() if rule.require is not None}
        for place, event in enumerate(new if gated else ()):
            ref = f"{tags.PREFIX}{event.tag}"
            if isinstance(event, Assignment) and event.stage in gated:
                then, stages = state.with_events(new[:place]), [event.stage]
                version = then.versions.get(then.subject_of(event) or "")
            elif isinstance(event, Registration):  # where it moves, it takes its stages along
                then = state.with_events(new[: place + 1])
                version, stages = then.versions[event.version], then.stages_of(event.version)
            else:
                continue
            for rule in (gated[stage] for stage in stages if stage in gated):
                if version is None:
                    yield Objection(ref, "gate", f"{rule.name} wants a version", "register it first")
                    continue
                for why in gates.failures(rule, then, version, self.witness):
                    yield Objection(ref, "gate", why, f"`require` of {rule.name} wants it so")


_UNDO = {
    "moved": "an event is final: make the next one",
    "deleted": "deregister or unassign it; who keeps the server can delete it there",
}


def _of_head(update: Update, after: Mapping[str, ArtifactState]) -> Iterator[Objection]:
    """A head goes to the end of its artifact's chain, and nowhere else."""
    name = artifact_of(update.ref)
    if name is None:
        yield Objection(update.ref, "head", "it is no head of an artifact", "refs/registry/ is the registry's own")
    elif update.new is None:
        yield Objection(update.ref, "head", "a head is not deleted", "it says where the chain of events ends")
    else:
        end = next((event for event in reversed(after[name].events) if event.ours), None)
        if end is None or update.new != end.oid:
            where = end.tag if end is not None else "nothing"
            why = f"it does not go to the last event of {name}, which is {where}"
            yield Objection(update.ref, "head", why, "registry push moves it")


# -- installing --------------------------------------------------------------------------------------------------------

_MARK = "# git-registry: takes no push that the registry's rules forbid. `registry hook --help` says more."


def install(repository: Repository) -> Path:
    """Write the hook into a repository that others push to. Raises Refused where another hook is there already, and
    where this program would not run in it."""
    # Our own setting, for reading, is the last one: it is not meant.
    elsewhere = repository.git.read("config", "--get-all", "core.hooksPath").decode(errors="replace").splitlines()[:-1]
    file = repository.clone.common_dir / "hooks" / "pre-receive"
    # -I: nothing that lies in the repository, where Git runs it, is taken for Python.
    command = [sys.executable, "-I", "-m", "registry", "hook", "run"]
    tried = subprocess.run([*command[:-2], "--version"], cwd="/", capture_output=True, check=False)
    if tried.returncode != 0:
        raise Refused(
            "this program does not run without the user's settings", "install it into an environment of its own"
        )
    if not repository.bare:
        raise Refused(f"{repository.name} has a work tree: people push to a bare repository", "run it on the server")
    if elsewhere:
        raise Refused(
            f"core.hooksPath is {elsewhere[-1]}: no hook of the repository runs", f"let it run: {shlex.join(command)}"
        )
    text = f"#!/bin/sh\n{_MARK}\nexec {shlex.join(command)}\n"
    try:
        if (file.exists() or file.is_symlink()) and _MARK not in file.read_text(errors="replace"):
            raise Refused(f"there is a pre-receive hook already: {file}", f"let it run: {shlex.join(command)}")
        file.parent.mkdir(exist_ok=True)
        new = file.with_name("pre-receive.new")
        new.write_text(text)
        new.chmod(new.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        new.replace(file)
    except OSError as error:
        raise Refused(
            f"the hook cannot be written: {error.strerror}", "check the permissions of the repository"
        ) from error
    return file

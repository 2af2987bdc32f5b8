"""What is wrong with the tags of a repository, in words (DESIGN parts 2, 3 and 6)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from registry.core import chain, names
from registry.core.draft import DAY
from registry.core.events import Event, OfStage, OfVersion, Registration, natural, parse_object
from registry.core.names import MAX_COUNTER, parse_tag
from registry.core.state import ArtifactState

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong. An error is unreadable or ambiguous; `subject` is a tag, an artifact or a file."""

    severity: Severity
    code: str
    subject: str
    message: str
    hint: str


def damaged_tag(name: str, kind: str, raw: bytes | None) -> Finding | None:
    """Why the tag `name`, whose object is of type `kind` with the bytes `raw`, is no event though it looks like one."""
    if parse_tag(name) is None:
        return _nearly(name)
    if kind == "missing":
        return Finding(
            "error", "missing", name, "its tag object is missing", "git fetch --tags --force brings it again"
        )
    if raw is None:
        what = "commit" if kind == "commit" else kind
        hint = f"git fetch --tags --force, if the remote's is annotated; else registry delete '{name}', and make one"
        return Finding("error", "lightweight", name, f"it is a lightweight tag of a {what}, not annotated", hint)
    found = parse_object(raw)
    if found is None:
        return Finding(
            "error", "unreadable", name, "its tag object cannot be read", f"git cat-file -p '{name}' shows it"
        )
    if found.type != "commit":
        return Finding(
            "error", "target", name, f"it tags a {found.type}, not a commit", f"registry delete '{name}' takes it away"
        )
    if found.tag != name:
        message = f"the tag object inside says {found.tag!r}: it was renamed or copied"
        return Finding("error", "renamed", name, message, f"registry delete '{name}' takes it away")
    return None


_NEARLY = re.compile(r"[^@#]+(?:@v?[0-9][^@#]*|@(?:v|latest|stable|deprecated|created)[^@#]*|#[^@#]+)(?:#.*)?")


def _nearly(name: str) -> Finding | None:
    if _NEARLY.fullmatch(name) is None:
        return None
    return Finding(
        "warning", "malformed", name, "it looks like a registry tag, but is not in the format", _advice(name)
    )


def _advice(name: str) -> str:
    artifact, _, rest = name.partition("@")
    if rest and parse_tag(f"{artifact}@v{rest}") is not None:
        return f"the version lacks its v: {artifact}@v{rest}"
    return "a version is v1.2.3, a name letters and digits, with '-', '_' and '/' between them; git tag -d deletes it"


def without_commits(events: Iterable[Event], missing: Container[str]) -> Iterator[Finding]:
    """The events whose commits are among those that are `missing` from the clone."""
    for event in events:
        if event.commit in missing:
            message = f"its commit {event.commit[:7]} is missing"
            yield Finding("warning", "commit", event.tag, message, "git fetch brings it, where a remote still has it")


def sick_artifacts(states: Mapping[str, ArtifactState], now: int) -> Iterator[Finding]:
    """What is ambiguous or doubtful in the events of each artifact; `now` is the clock, in seconds."""
    yield from _twins("artifact", states, "")
    for state in states.values():
        yield from _of_state(state, now)
        for one in chain.breaks(state):
            if one.event is not None and one.code == "missing":  # forks show in counters, and verify tells of them
                yield Finding("warning", "chain", one.event.tag, one.why, one.hint)


def _of_state(state: ArtifactState, now: int) -> Iterator[Finding]:
    yield from _twins("stage", {e.stage for e in state.events if isinstance(e, OfStage)}, state.name)
    yield from _twins("version", {e.version for e in state.events if isinstance(e, OfVersion)}, state.name)
    yield from _same_counters(state)
    yield from _same_numbers(state)
    for event, subject in zip(state.events, state.subjects, strict=True):
        if isinstance(event, OfStage) and subject is None:
            message = f"it names {event.one('Version')}, which is not registered, or no more: so it counts for nothing"
            hint = f"registry fetch brings what the remote has; registry delete '{event.tag}' takes this one away"
            yield Finding("error", "unregistered", event.tag, message, hint)
        elif isinstance(event, OfStage) and subject not in state.versions:
            message = f"no version of {state.name} is at its commit {event.commit[:7]}"
            hint = f"registry register {state.name} {event.commit[:7]} makes one"
            yield Finding("error", "no-version", event.tag, message, hint)
        if isinstance(event, OfVersion) and event.version not in state.versions:
            message = f"{event.version} was never registered, or that tag is gone"
            yield Finding("error", "unregistered", event.tag, message, "registry fetch brings what the remote has")
        if event.by.seconds > now + DAY:
            message = f"its date {event.by.iso} is more than a day ahead of the clock"
            hint = f"check the clock of {event.by.name}, who wrote it"
            yield Finding("warning", "future", event.tag, message, hint)
        if event.counter is not None and event.counter > MAX_COUNTER - 1000:
            message = f"its counter {event.counter} leaves almost none for further events"
            yield Finding("error", "counter", event.tag, message, f"registry delete '{event.tag}' takes it away")
        problem = names.travel_problem(event.tag)
        if problem is not None:
            yield Finding("warning", "travel", event.tag, problem, "some clones cannot have this tag")


def _twins(what: str, words: Iterable[str], where: str) -> Iterator[Finding]:
    folded: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        folded[word.lower()].append(word)
    for group in folded.values():
        if len(group) > 1:
            one, *others = sorted(group)
            message = f"the {what} names {', '.join([one, *others])} differ in case only"
            hint = "a clone on a file system that ignores case cannot have both: go on with one of them"
            yield Finding("error", "case", where or one, message, hint)


def _same_counters(state: ArtifactState) -> Iterator[Finding]:
    tags: defaultdict[int, list[str]] = defaultdict(list)
    for event in state.events:
        if event.counter is not None:
            tags[event.counter].append(event.tag)
    for counter, group in sorted(tags.items()):
        if len(group) > 1:
            message = f"{', '.join(group)} have the same counter {counter}: their dates decide which came first"
            hint = "two clones wrote without seeing each other: do again what should come last"
            yield Finding("error", "counters", group[-1], message, hint)


def _same_numbers(state: ArtifactState) -> Iterator[Finding]:
    for v in state.versions.values():
        claimed = v.first.one("Number")
        if isinstance(v.first, Registration) and claimed is not None and claimed != str(v.number):
            why = "another version has" if natural(claimed) is not None else "is no number"
            message = f"it claims the number {claimed}, which {why}; it is number {v.number}"
            yield Finding("error", "numbers", v.first.tag, message, "name this version by SemVer, not by number")

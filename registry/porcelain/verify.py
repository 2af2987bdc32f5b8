"""`verify`: whether every event keeps the policy, is signed by whom it says, and stands in a whole chain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from registry.core import chain, names, select, signers
from registry.core.events import Event
from registry.core.manifest import Json
from registry.core.state import ArtifactState, fold
from registry.core.trust import Proof, has_rules
from registry.errors import Refused, UsageError
from registry.plumbing import memory, remote, tags
from registry.plumbing.remote import HEADS
from registry.porcelain import working
from registry.porcelain.reading import history
from registry.repository import Repository
from registry.trust import Trust
from registry.writing.heads import head_ref


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that is not to be trusted: at the event `tag`, or in the artifact as a whole where None.

    `code` names the rule. `author`, `email` and `date` (ISO 8601 with offset) are what the event claims of itself.
    """

    artifact: str
    tag: str | None
    code: str
    message: str
    hint: str
    author: str = ""
    email: str = ""
    date: str | None = None

    @property
    def subject(self) -> str:
        """What it is about, for people."""
        return self.tag or self.artifact

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the `failures` and `warnings` of `verify --json`."""
        return {
            "artifact": self.artifact,
            "tag": self.tag,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "author": self.author,
            "email": self.email,
            "date": self.date,
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and what failed.

    `policy` names the revision that was gone by, `commit` is its full id. Of the `events`, `signed` hold a signature,
    `proven` one of their very taggers, and `accepted` are those of the baseline. `asks` says whether that policy asks
    for anything at all. `warnings` are remarkable, and break nothing.
    """

    policy: str
    commit: str | None
    artifacts: int
    events: int
    signed: int
    proven: int
    accepted: int
    asks: bool
    failures: tuple[Failure, ...]
    warnings: tuple[Failure, ...]

    @property
    def trusted(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    def to_json(self) -> dict[str, Json]:
        """The shape of `verify --json`."""
        return {
            "trusted": self.trusted,
            "policy": {"revision": self.policy, "commit": self.commit},
            "artifacts": self.artifacts,
            "events": self.events,
            "signed": self.signed,
            "proven": self.proven,
            "accepted": self.accepted,
            "failures": [one.to_json() for one in self.failures],
            "warnings": [one.to_json() for one in self.warnings],
        }


def verify(repository: Repository, text: str | None, trust: Trust) -> Verification:
    """Judge all events, or those that a selector is about as `history` lists them.

    Raises NotFound, UsageError, and Refused where the policy cannot be read.
    """
    if text is None:
        repository.about()
        trust.read_all()
        states, only = dict(repository.states), None
    else:
        artifact = select.parse(text).artifact
        only = {view.source.oid for view in history(repository, text)}
        states = {artifact: repository.state(artifact)}
    events = [event for state in states.values() for event in state.events if only is None or event.oid in only]
    trust.hear(event for event in events if event.message.signed)
    found = _failures(repository, states, trust, only)
    lost = _lost(repository, states, trust.accepted) if text is None else []
    return Verification(
        policy=trust.name,
        commit=trust.commit,
        artifacts=len(states),
        events=len(events),
        signed=sum(event.message.signed for event in events),
        proven=sum(trust.prove(event).principal is not None for event in events),
        accepted=sum(trust.accepted.get(event.tag) == event.oid for event in events),
        asks=any(has_rules(trust.rules(name), name) for name in states),
        failures=(*found, *lost),
        warnings=tuple(_deleted(repository, states)),
    )


def insist(repository: Repository, artifact: str, trust: Trust) -> None:
    """Everything that is known of `artifact` is to be trusted: raises Refused with what is not, else returns."""
    state = repository.state(artifact)
    trust.hear(event for event in state.events if event.message.signed)
    accepted = {tag: oid for tag, oid in trust.accepted.items() if _artifact_of(tag) == artifact}
    states = {artifact: state}
    failures = [*_failures(repository, states, trust, None), *_lost(repository, states, accepted)]
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        why = f"{artifact} is not to be trusted by {trust.name}: {failures[0].subject}: {failures[0].message}{more}"
        raise Refused(why, f"registry verify {artifact} says all")


def signatures(repository: Repository, wanted: Iterable[str], trust: Trust) -> dict[str, Proof]:
    """What the signature of each of these tags proves; those that are no events are left out."""
    those = {*wanted}
    states = repository.states_of(sorted({_artifact_of(tag) for tag in those}))
    events = [event for state in states.values() for event in state.events if event.tag in those]
    trust.hear(events)
    return {event.tag: trust.prove(event) for event in events}


def _failures(
    repository: Repository, states: Mapping[str, ArtifactState], trust: Trust, only: Collection[str] | None
) -> Iterator[Failure]:
    heads = _heads(repository, states)
    for name, state in states.items():
        for breach in trust.judge(state, only):
            yield _failure(name, breach.event, breach.code, breach.why, breach.hint)
        broken = [*chain.breaks(state)]
        for published, head in heads(state):
            broken += chain.strayed(published, head)
        for one in broken:
            known = one.event is not None and trust.accepted.get(one.event.tag) == one.event.oid
            if not known and (only is None or one.event is None or one.event.oid in only):
                yield _failure(name, one.event, one.code, one.why, one.hint)


def _failure(artifact: str, event: Event | None, code: str, why: str, hint: str) -> Failure:
    if event is None:
        return Failure(artifact, None, code, why, hint)
    return Failure(artifact, event.tag, code, why, hint, event.by.name, event.by.email, event.by.iso)


def _heads(
    repository: Repository, wanted: Iterable[str]
) -> Callable[[ArtifactState], Iterator[tuple[ArtifactState, str]]]:
    """For each artifact of `wanted`: its head here, and its remote's, each with the events that are published there."""
    git = repository.git
    one = names_[0] if len(names_ := [*wanted]) == 1 else None  # of one, nobody else's refs are listed

    def listed(prefix: str, patterns: Sequence[str]) -> dict[str, str]:
        return tags.tag_ids(git, [prefix] if one is None else patterns, prefix)

    here = listed(HEADS, [head_ref(one or "")])
    name = None if repository.pushes else remote.choose(git)
    place = remote.of_clone(name) if name is not None else None
    there = listed(place.heads, [head_ref(one or "", place.heads)]) if place is not None else {}
    published = listed(place.tags, tags.patterns(one or "", place.tags)) if place is not None and there else {}

    def heads(state: ArtifactState) -> Iterator[tuple[ArtifactState, str]]:
        ref = head_ref(state.name, "")
        if ref in there:
            yield fold(state.name, [e for e in state.events if published.get(e.tag) == e.oid]), there[ref]
        elif ref in here:
            yield state, here[ref]

    return heads


def _lost(
    repository: Repository, states: Mapping[str, ArtifactState], accepted: Mapping[str, str]
) -> Iterator[Failure]:
    """Events of the baseline that are missing, or another object."""
    there = {event.tag: event.oid for state in states.values() for event in state.events}
    refs = None
    for tag, oid in accepted.items():
        if there.get(tag) == oid:
            continue
        if refs is None:  # what is no event may be listed, too
            refs = tags.tag_ids(repository.git, [tags.PREFIX])
        now = refs.get(tag)
        if now != oid:
            what = "it is missing" if now is None else f"it is {now[:12]}"
            why = f"{what}, and the baseline has it as {oid[:12]}"
            yield Failure(_artifact_of(tag), tag, "baseline", why, "somebody deleted or moved it")


def _artifact_of(tag: str) -> str:
    found = names.parse_tag(tag)
    return found.artifact if found is not None else tag


def _deleted(repository: Repository, states: Mapping[str, ArtifactState]) -> Iterator[Failure]:
    """What this clone remembers of its remote, and is there no more."""
    name = None if repository.pushes else remote.choose(repository.git)
    gone = memory.known(repository.clone, name).gone if name is not None else {}
    for tag, oid in sorted(gone.items()):
        artifact = _artifact_of(tag)
        if artifact in states:
            why = f"{name} had it as {oid[:12]}, and has it no more"
            yield Failure(artifact, tag, "deleted", why, "a deletion that nobody announced is to be asked about")


# -- the baseline ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline that was written: how many events it lists, and those of them that would fail without it."""

    path: str
    events: int
    failing: tuple[Failure, ...]

    def to_json(self) -> dict[str, Json]:
        """The shape of `verify --write-baseline --json`."""
        return {"path": self.path, "events": self.events, "failing": [one.to_json() for one in self.failing]}


def write_baseline(repository: Repository, text: str | None, trust: Trust) -> Baseline:
    """Write every event as it is now to `.registry/baseline` in the work tree; of one artifact, and keep the others.

    Nothing is committed. Raises UsageError where there is no work tree, or for less than an artifact.
    """
    if repository.root is None or repository.pushes:
        raise UsageError("a baseline is written to a work tree", "run it in a clone, and commit it there")
    artifact = None if text is None else select.parse(text).artifact
    if artifact != text:
        raise UsageError(f"{text} is less than an artifact", f"registry verify {artifact} --write-baseline")
    found = verify(repository, text, trust)
    states = repository.states if artifact is None else {artifact: repository.state(artifact)}
    events = {event.tag: event.oid for state in states.values() for event in state.events}
    file = working.editable(repository, repository.root / signers.BASELINE)
    if artifact is not None:
        events |= {tag: oid for tag, oid in _kept(file).items() if _artifact_of(tag) != artifact}
    file.parent.mkdir(exist_ok=True)
    working.replace(file, signers.baseline(events))
    shown = tuple(replace(one, hint="") for one in found.failures)
    return Baseline(signers.BASELINE, len(events), shown)


def _kept(file: Path) -> dict[str, str]:
    found, wrong = signers.accepted(working.text(file))
    if wrong:
        raise Refused(f"{signers.BASELINE}, line {wrong[0].line}: {wrong[0].message}", "mend it, or delete the file")
    return found

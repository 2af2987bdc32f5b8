"""Whether events may be trusted: each is judged by the policy, and by who is proven to have signed it (DESIGN part 4).

One judge serves three faces: who writes is told before a tag is made, the server's hook before it takes one, and
`verify` years later. No date of a tag decides anything, since every date is its writer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from registry.core.draft import Draft
from registry.core.events import (
    Amendment,
    Assignment,
    Deprecation,
    Deregistration,
    Event,
    OfVersion,
    Registration,
    Unassignment,
)
from registry.core.manifest import Json, Manifest, StageRule
from registry.core.metadata import APPROVED
from registry.core.names import Form
from registry.core.state import ArtifactState, Subject


@dataclass(frozen=True, slots=True)
class Proof:
    """What a tag's signature proves: `principal` is the tagger's e-mail where that very principal has signed.

    Otherwise it is None, and `why` says in words what there is instead.
    """

    principal: str | None
    why: str = ""

    @property
    def brief(self) -> str:
        """Whoever has signed, in a word or two; "" where nobody has."""
        return self.principal or ("" if self == UNSIGNED else "not proven")

    def to_json(self) -> dict[str, Json]:
        """What `--show-signature` adds to an event in JSON."""
        return {"signer": self.principal, "signature": "proven" if self.principal is not None else self.why}


UNSIGNED = Proof(None, "it is not signed")

# What the signature of an event proves. It is asked for only where a rule wants to know.
Prove: TypeAlias = "Callable[[Event], Proof]"


@dataclass(frozen=True, slots=True)
class Breach:
    """An event that breaks the policy: `code` names the rule, `why` says it in words, `hint` what to do."""

    event: Event
    code: str
    why: str
    hint: str = ""


def members(teams: Mapping[str, tuple[str, ...]], allow: Iterable[str]) -> frozenset[str]:
    """The principals that `allow:` means. A team that nobody declares has no members."""
    return frozenset(who for word in allow for who in (teams.get(word[1:], ()) if word.startswith("@") else (word,)))


def has_rules(manifest: Manifest, artifact: str) -> bool:
    """Whether the policy says who may change the artifact, or wants a signature or an approval."""
    stages = (manifest.lifecycle(artifact) or {}).values()
    return manifest.version_rules(artifact).signed or any(s.allow or s.signed or s.approvals for s in stages)


def wants_signature(manifest: Manifest, state: ArtifactState, drafts: Iterable[Draft]) -> bool:
    """Whether the policy wants one of `drafts` to be signed; an approval always has to be."""
    rules = manifest.lifecycle(state.name) or {}
    signed = {name for name, rule in rules.items() if rule.signed}
    approved = {name for name, rule in rules.items() if rule.signed or rule.approvals}
    versions = manifest.version_rules(state.name).signed

    def wants(one: Draft) -> bool:
        if one.form is Form.ASSIGNMENT:
            return one.stage in approved
        if one.form is Form.UNASSIGNMENT:
            return one.stage in signed
        if versions or any(key == APPROVED for key, _ in one.keys):
            return True
        moves = one.version is not None and one.form is not Form.AMENDMENT
        entered = approved if one.form is Form.REGISTRATION else signed
        return moves and not entered.isdisjoint(state.stages_of(one.version or ""))

    return any(wants(one) for one in drafts)


def judge(
    state: ArtifactState, manifest: Manifest, prove: Prove, only: Collection[str] | None = None
) -> Iterator[Breach]:
    """The breaches of the policy by the events of `state`, in order, each judged on what the events before it made.

    `manifest` is the policy; `only` names the events that are judged, by id: all of them where None. The others have
    happened all the same.
    """
    judging = _Judging(state.name, manifest, prove)
    for event, subject in zip(state.events, state.subjects, strict=True):
        if only is None or event.oid in only:
            yield from judging.look_at(event, subject)
        judging.take_in(event, subject)


class _Judging:
    """What the events so far have made, as far as the next one is judged by it."""

    def __init__(self, artifact: str, manifest: Manifest, prove: Prove) -> None:
        self.lifecycle = manifest.lifecycle(artifact)
        self.versions = manifest.version_rules(artifact)
        self.teams = manifest.teams
        self.artifact = artifact
        self.prove = prove
        self.commits: dict[str, str] = {}  # of each active version
        self.held: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.been: defaultdict[str, set[str]] = defaultdict(set)  # each version's stages since it was registered last
        self.approvals: dict[str, defaultdict[str, list[Event]]] = {}  # of each active version, by stage: the same

    # -- what an event breaks ------------------------------------------------------------------------------------

    def look_at(self, event: Event, subject: Subject) -> Iterator[Breach]:
        match event:
            case Registration():
                yield from self._signed_version(event)
                yield from self._moved(event)
            case Deregistration():
                yield from self._signed_version(event)
                for stage in self._stages_of(event.version):
                    yield from self._may_change(event, self._rule(stage))
            case Amendment() | Deprecation():
                yield from self._signed_version(event)
            case Assignment():
                yield from self._assigned(event, subject)
            case Unassignment():
                yield from self._may_change(event, self._rule(event.stage))

    def _signed_version(self, event: OfVersion | Deprecation) -> Iterator[Breach]:
        if self.versions.signed and (proof := self.prove(event)).principal is None:
            yield _unproven(event, proof, "versions have to be signed")

    def _moved(self, event: Registration) -> Iterator[Breach]:
        """A version that is registered again elsewhere takes its stages along: it enters each of them anew."""
        there = self.commits.get(event.version)
        if there is None:
            return
        if not self.versions.overwrite:
            what = f"moves {event.version} from {there[:7]} to {event.commit[:7]}"
            what = what if there != event.commit else f"registers {event.version} again, which replaces what it says"
            why = f"it {what}, and the policy forbids that"
            yield Breach(event, "overwrite", why, "register the next version instead")
        if there == event.commit:
            return
        for stage in self._stages_of(event.version):
            yield from self._enters(event, event.version, stage, anew=True)

    def _assigned(self, event: Assignment, subject: Subject) -> Iterator[Breach]:
        if self.lifecycle is not None and event.stage not in self.lifecycle:
            there = f"there is {', '.join(self.lifecycle)}"
            yield Breach(event, "stage", f"no stage {event.stage} in the policy", there)
        named = event.one("Version")
        commit = self.commits.get(subject or "")
        if named is not None and commit is None:
            yield Breach(event, "unregistered", f"{named} was not registered then", "register it first")
        elif commit is not None and commit != event.commit:
            why = f"it assigns {event.commit[:7]}, but {subject} is {commit[:7]}"
            yield Breach(event, "commit", why, "a tag of the version was moved or replaced")
        yield from self._enters(event, subject or event.commit, event.stage)

    def _enters(self, event: Event, subject: str, stage: str, *, anew: bool = False) -> Iterator[Breach]:
        rule = self._rule(stage)
        if rule is None:
            return
        yield from self._may_change(event, rule)
        if rule.after is not None and (anew or rule.after not in self.been[subject]):
            why = f"{_short(subject)} had not been in {rule.after}, which {stage} wants before"
            yield Breach(event, "after", why, self._remedy("assign", subject, rule.after))
        others = [_short(other) for other in self.held.get(stage, ()) if other != subject]
        if rule.exclusive and others:
            why = f"{', '.join(others)} was in {stage}, which is exclusive"
            yield Breach(event, "exclusive", why, "unassign it first, as registry assign does by itself")
        yield from self._approved(event, subject, rule, () if anew else self._approvals(subject, stage))

    def _approved(self, event: Event, subject: str, rule: StageRule, approvals: Iterable[Event]) -> Iterator[Breach]:
        if not rule.approvals:
            return
        if not rule.signed and (proof := self.prove(event)).principal is None:
            yield _unproven(event, proof, f"{rule.name}, which others have to approve, wants a signature")
        proven = {self.prove(approval).principal for approval in approvals} - {None, event.by.email}
        if len(proven) < rule.approvals:
            by = f" ({', '.join(sorted(who for who in proven if who is not None))})" if proven else ""
            why = f"{len(proven)} of {rule.approvals} approvals for {rule.name}{by}"
            hint = f"{self._remedy('approve', subject, rule.name)}, by others than {event.by.email}"
            yield Breach(event, "approvals", why, hint)

    def _remedy(self, verb: str, subject: str, stage: str) -> str:
        """The command that is missing; a commit without a version has no name that commands take."""
        if subject in self.commits:
            return f"registry {verb} '{self.artifact}@{subject}' {stage}"
        return f"registry register {self.artifact} {_short(subject)}, and {verb} that version for {stage}"

    def _may_change(self, event: Event, rule: StageRule | None) -> Iterator[Breach]:
        """Whoever changes what is in a stage is one of those who may, and has signed where that is wanted."""
        if rule is None:
            return
        if rule.signed and (proof := self.prove(event)).principal is None:
            yield _unproven(event, proof, f"{rule.name} wants a signature")
        elif rule.allow and event.by.email not in members(self.teams, rule.allow):
            why = f"{event.by.email or 'nobody'} may not change {rule.name}"
            yield Breach(event, "allow", why, f"{', '.join(rule.allow)} may")

    # -- what an event makes -------------------------------------------------------------------------------------

    def take_in(self, event: Event, subject: Subject) -> None:
        match event:
            case Registration():
                self.commits[event.version] = event.commit
                self.been.pop(event.version, None)
                self.approvals[event.version] = defaultdict(list)
            case Deregistration():
                self.commits.pop(event.version, None)
                for holders in self.held.values():
                    holders.pop(event.version, None)
            case Amendment() if event.commit == self.commits.get(event.version):
                for stage in event.keys.get(APPROVED, ()):
                    self.approvals[event.version][stage].append(event)
            case Assignment() if subject is not None:
                self.held[event.stage][subject] = None
                self.been[subject].add(event.stage)
            case Unassignment() if subject is not None:
                self.held[event.stage].pop(subject, None)

    def _approvals(self, version: str, stage: str) -> Sequence[Event]:
        return self.approvals[version][stage] if version in self.approvals else ()

    def _stages_of(self, version: str) -> list[str]:
        return [stage for stage, holders in self.held.items() if version in holders]

    def _rule(self, stage: str) -> StageRule | None:
        return (self.lifecycle or {}).get(stage)


def _unproven(event: Event, proof: Proof, rule: str) -> Breach:
    hint = "make it with --sign; user.signingKey says with which key"
    if proof != UNSIGNED:
        hint = ".registry/allowed_signers says whose keys count"
    return Breach(event, "signed", f"{proof.why}, and {rule}", hint)


def _short(subject: str) -> str:
    return subject if subject.startswith("v") else subject[:7]

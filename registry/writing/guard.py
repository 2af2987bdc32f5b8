"""What the policy says of events that are about to be made, so that a writer hears it before a server does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from registry.core import draft, trust
from registry.core.draft import Draft, Laid
from registry.core.events import Event, Signatory
from registry.core.manifest import Manifest
from registry.core.state import ArtifactState
from registry.core.trust import Breach, Proof
from registry.errors import Refused
from registry.repository import Repository

if TYPE_CHECKING:
    from registry.trust import Trust


@dataclass(frozen=True)
class Guard:
    """The rules for an artifact, and whose keys prove that they are kept: asked for only where they say so."""

    rules: Callable[[str], Manifest]
    trust: Callable[[], Trust]

    @classmethod
    def of(cls, repository: Repository) -> Guard:
        """What a writer is held to: HEAD's."""

        def trust() -> Trust:
            from registry.trust import at_head  # most policies ask for no signature

            return at_head(repository)

        return cls(repository.rules, cache(trust))

    def sign(self, said: bool | None, state: ArtifactState, drafts: Sequence[Draft]) -> bool | None:
        """Whether to sign: as was said, else where the policy wants it, else as Git's settings say (None).

        Raises Refused where the policy wants what the person does not.
        """
        if said is True or not drafts or not trust.wants_signature(self.rules(state.name), state, drafts):
            return said
        if said is False:
            raise Refused(f"the policy wants {state.name}'s tag to be signed", "leave out --no-sign")
        return True

    def check(self, state: ArtifactState, laid: Sequence[Laid], *, sealed: bool) -> None:
        """The new events keep the policy. Raises Refused. What is not `sealed` yet would be signed by its writer."""
        if not laid or not trust.has_rules(self.rules(state.name), state.name):
            return
        if sealed:
            self.trust().hear((one.event for one in laid), {one.event.oid: one.raw for one in laid})
        for breach in self._breaches(state, [one.event for one in laid], sealed=sealed):
            raise Refused(f"{breach.event.tag}: {breach.why}", breach.hint)

    def check_wish(self, state: ArtifactState, drafts: Sequence[Draft], by: Signatory) -> None:
        """What a manifest wants would keep the policy, whoever may carry it out. Raises Refused."""
        if not drafts or not trust.has_rules(self.rules(state.name), state.name):
            return
        events = [one.event for one in draft.lay(state, drafts, by)]
        for breach in self._breaches(state, events, sealed=False):
            if breach.code != "allow":
                raise Refused(breach.why, breach.hint)

    def _breaches(self, state: ArtifactState, events: Sequence[Event], *, sealed: bool) -> list[Breach]:
        new = {event.oid for event in events}

        def prove(event: Event) -> Proof:
            return self.trust().prove(event) if sealed or event.oid not in new else Proof(event.by.email)

        return [*trust.judge(state.with_events(events), self.rules(state.name), prove, new)]

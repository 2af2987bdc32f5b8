"""What is asked of a write, what is decided, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from registry.core.draft import Draft
from registry.core.events import Event
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.errors import UsageError


@dataclass(frozen=True, slots=True)
class Way:
    """How a write is made.

    `sign` None leaves it to Git's setting; `force` goes past "done already"; `dry_run` only shows; `push` publishes to
    `remote` (None: the one that Git would take); `offline` does without asking the remote where it would be asked.
    """

    sign: bool | None = None
    force: bool = False
    dry_run: bool = False
    push: bool = False
    remote: str | None = None
    offline: bool = False

    def __post_init__(self) -> None:
        if self.push and self.offline:
            raise UsageError("--push and --offline exclude each other", "registry push publishes it later")


@dataclass(frozen=True, slots=True)
class Decision:
    """The events to write, in order, none where there is nothing to do, and notes for the person."""

    drafts: Sequence[Draft]
    notes: Sequence[str] = ()


# A decision is taken on a state, perhaps several times: after a lost race, on the state that won. The selector is given
# back with it, for the version that it names may have been renamed on the way.
Decide: TypeAlias = Callable[[ArtifactState, Selector], Decision]


# The same on several artifacts at once, by name. What is not in the answer is left as it is.
DecideAll: TypeAlias = Callable[[Mapping[str, ArtifactState]], Mapping[str, Decision]]


@dataclass(frozen=True)
class Outcome:
    """What was written: the state before and after, the events, and notes for the person."""

    before: ArtifactState
    events: Sequence[Event]
    notes: Sequence[str] = field(default_factory=list)

    @cached_property
    def after(self) -> ArtifactState:
        """The state that the events made."""
        return self.before.with_events(self.events)

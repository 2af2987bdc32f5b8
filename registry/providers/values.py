"""What a provider is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from registry.plumbing.process import Git


@dataclass(frozen=True, slots=True)
class Place:
    """The repository in which a run becomes a version: its Git, and the URL of its remote, "" where it has none."""

    git: Git
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a run: a page about it, its metrics and parameters, and what a person should know of that.

    `asked` is not a provider's to say: it is whether one has answered.
    """

    url: str | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    asked: bool = False


class Provider(Protocol):
    """Knows the runs of one tool. It may also have `promoted(run, version, place)`, which marks a run there as one that
    became `version` (`churn@v1.2.0`)."""

    def resolve(self, run: str, place: Place) -> Found:
        """What is known of `run`, the part after the colon. May raise anything: that costs a note."""

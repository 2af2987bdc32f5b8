"""What a manifest wants and the tags do not say yet: the values of `plan`, `apply` and `review` (DESIGN part 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from registry.core.gates import Measure
from registry.core.manifest import Json
from registry.core.message import one_line
from registry.core.plan import Keys
from registry.errors import Refused
from registry.porcelain.values import EventView

__all__ = ["Change", "Changes", "Measure", "Obstacle", "Obstructed", "Plan", "PlanStep", "told_by"]


@dataclass(frozen=True, slots=True)
class Change:
    """The merged change (a pull request) that brought something: its URL, and the principals who approved it."""

    url: str
    approved_by: tuple[str, ...] = ()

    def keys(self) -> Keys:
        """The keys of the block of every event that it brought. Raises UsageError for what does not fit on a line."""
        return (
            ("Change", one_line(self.url, "the change's URL")),
            *(("Approved-By", one_line(who, "who approved")) for who in self.approved_by),
        )


# The change that brought a commit of the default branch, given the commit's full id; None where nobody knows.
Changes: TypeAlias = "Callable[[str], Change | None]"


def told_by(environment: Mapping[str, str]) -> Change | None:
    """The change that the environment of a run tells of: REGISTRY_CHANGE, a URL, with REGISTRY_APPROVED_BY, principals
    separated by commas; or the merge request that GitLab runs for (CI_MERGE_REQUEST_*)."""
    url = environment.get("REGISTRY_CHANGE", "").strip()
    project, number = (environment.get(f"CI_MERGE_REQUEST_{part}", "") for part in ("PROJECT_URL", "IID"))
    if not url and project and number:
        url = f"{project}/-/merge_requests/{number}"
    approved = [name.strip() for name in environment.get("REGISTRY_APPROVED_BY", "").split(",")]
    return Change(url, tuple(name for name in approved if name)) if url else None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One line of a manifest that is not true yet, and the events that make it true, in one transaction.

    `stage` is None where `version` shall be registered; `version` is None where nothing shall be in the stage. `commit`
    is what is registered or assigned, `now` what the stage resolves to at present (None: nothing); `metrics` compare
    the two.
    """

    artifact: str
    version: str | None
    stage: str | None
    commit: str | None
    now: str | None
    events: tuple[EventView, ...]
    metrics: tuple[Measure, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the `steps` of `plan --json`."""
        return {
            "artifact": self.artifact,
            "version": self.version,
            "stage": self.stage,
            "commit": self.commit,
            "now": self.now,
            "events": [event.to_json() for event in self.events],
            "metrics": [measure.to_json() for measure in self.metrics],
        }


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A line of a manifest that cannot be made true: `stage` is None where the line is `version`.

    `artifact` is "" where a manifest, or a line of it, cannot be understood at all.
    """

    artifact: str
    stage: str | None
    message: str
    hint: str = ""
    metrics: tuple[Measure, ...] = ()

    @property
    def words(self) -> str:
        """The message, and whose it is where it does not say so itself."""
        line = f"{self.artifact}: {self.stage or 'version'}"
        return self.message if self.artifact in self.message else f"{line}: {self.message}"

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the `obstacles` of `plan --json`."""
        return {
            "artifact": self.artifact,
            "stage": self.stage,
            "message": self.message,
            "hint": self.hint,
            "metrics": [measure.to_json() for measure in self.metrics],
        }


class Obstructed(Refused):
    """What the manifest at `commit` wants is not carried out: `obstacles`, one at least, stand in the way.

    The message has the first one, and how many there are beside it.
    """

    def __init__(self, commit: str, obstacles: Sequence[Obstacle]) -> None:
        first, *others = obstacles
        super().__init__(
            f"{first.words} (and {len(others)} more)" if others else first.words,
            f"registry plan --rev {commit[:7]} lists all of it" if others else first.hint,
        )
        self.commit = commit
        self.obstacles = tuple(obstacles)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `apply` would do by the manifest at `commit`: nothing at all while there is an obstacle."""

    commit: str
    steps: tuple[PlanStep, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def events(self) -> Sequence[EventView]:
        """All events that would be made, in order."""
        return [event for step in self.steps for event in step.events]

    def to_json(self) -> dict[str, Json]:
        """The shape of `plan --json`."""
        return {
            "commit": self.commit,
            "steps": [step.to_json() for step in self.steps],
            "obstacles": [obstacle.to_json() for obstacle in self.obstacles],
            "notes": list(self.notes),
        }

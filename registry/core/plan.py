"""What a write shall say, decided on a state: the events that an assignment takes, and which version comes next.

Nothing is written here, so that the same decision can be taken again under another state (DESIGN part 6).
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.core import gates, policy
from registry.core import version as versions
from registry.core.draft import Draft, Intent
from registry.core.gates import Show
from registry.core.manifest import Manifest
from registry.core.names import Form
from registry.core.select import Selected
from registry.core.state import ArtifactState
from registry.core.version import Bump, Version
from registry.errors import NotFound, UsageError

Keys = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which version it shall be: that one, or the next by `bump`, as a pre-release where `pre` names one."""

    version: str | None = None
    bump: Bump = "patch"
    pre: str | None = None

    def __post_init__(self) -> None:
        if self.bump not in {"major", "minor", "patch"}:
            raise UsageError(f"not a part of a version: {self.bump!r}", "major, minor or patch")
        for text in (self.version, self.pre):
            if text is not None and not isinstance(text, str):
                raise UsageError(f"not a version: {text!r}", "a version is a text such as 'v1.2.0'")

    def intent(self, *, force: bool) -> Intent:
        """How a registration by this choice is meant, for whoever has to decide it again."""
        return Intent(bump=self.bump if self.version is None else None, pre=self.pre, force=force)


def choose(state: ArtifactState, choice: Choice) -> Version:
    """The version that is asked for, or the next one."""
    if choice.version is not None:
        return versions.check(choice.version)
    return policy.next_version(state, choice.bump, choice.pre)


def assignment(
    manifest: Manifest,
    state: ArtifactState,
    chosen: Selected,
    stage: str,
    *,
    show: Show,
    body: str = "",
    keys: Keys = (),
    force: bool = False,
    alone: bool = False,
) -> list[Draft]:
    """The events that put a version into a stage, none where it is what the stage resolves to already.

    `manifest` holds the rules; `show` gives what its gates ask for; `body` and `keys` are what the person said. With
    `alone` every other holder leaves first, as where the rules say `exclusive`. Raises NotFound for an unknown stage,
    Refused where a rule forbids it.
    """
    policy.check_readable(manifest, state.name)
    lifecycle = manifest.lifecycle(state.name)
    policy.check_stage(lifecycle, stage)
    if chosen.version is None:
        raise NotFound(
            f"commit {chosen.commit[:7]} of {state.name} has no version to assign",
            f"registry register {state.name} {chosen.commit[:7]} gives it one",
        )
    # Those behind leave first, so that none of them is uncovered on the way (rollback would take it for the last).
    others = [h.subject for h in reversed(state.holdings.get(stage, ())) if h.subject != chosen.subject]
    reasons = tuple((key, value) for key, value in keys if key in {"Reason", "Change", "Approved-By"})
    if state.stages.get(stage) == chosen.subject and not force:
        return [unassignment(state, subject, stage, keys=reasons) for subject in others] if alone else []
    policy.check_after(lifecycle, state, chosen.version, stage)
    gates.check(lifecycle.get(stage) if lifecycle is not None else None, state, chosen.version, show)
    exclusive = lifecycle is not None and stage in lifecycle and lifecycle[stage].exclusive
    ends = others if alone or exclusive else []
    return [
        *(unassignment(state, subject, stage, keys=reasons, intent=Intent(part=True)) for subject in ends),
        Draft(
            Form.ASSIGNMENT,
            state.name,
            chosen.commit,
            f"Assign {state.name} {chosen.subject} to {stage}",
            stage=stage,
            body=body,
            keys=(("Version", chosen.subject), *keys),
            intent=Intent(force=force),
        ),
    ]


def unassignment(
    state: ArtifactState, subject: str, stage: str, *, body: str = "", keys: Keys = (), intent: Intent | None = None
) -> Draft:
    """The event that takes a version (or a bare commit) out of a stage."""
    known = subject in state.versions
    return Draft(
        Form.UNASSIGNMENT,
        state.name,
        state.versions[subject].commit if known else subject,
        f"Unassign {state.name} {shown(subject)} from {stage}",
        stage=stage,
        body=body,
        # A bare commit has no version to name: the tag's commit says which one it is.
        keys=(*((("Version", subject),) if known else ()), *keys),
        intent=intent or Intent(),
    )


def notes_on(manifest: Manifest, artifact: str, subject: str, stage: str) -> list[str]:
    """What a person who assigns by hand should know: that the manifest wants another version there."""
    managed = manifest.artifacts.get(artifact)
    if managed is None or stage not in managed.assign or managed.assign[stage] == subject:
        return []
    wanted = managed.assign[stage] or "nothing"
    return [f"{managed.source} wants {wanted} in {stage}: the next apply undoes this"]


def shown(subject: str) -> str:
    """A version as text, a commit as seven digits (DESIGN part 3)."""
    return subject if versions.parse(subject) is not None else subject[:7]

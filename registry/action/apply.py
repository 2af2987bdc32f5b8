"""A push to the default branch: make true what the manifest wants, and say what was done."""

from __future__ import annotations

import os
from collections.abc import Sequence

from registry import markdown
from registry.action.annotations import Annotation, annotate_all
from registry.action.changes import changes_for
from registry.action.checkout import repair
from registry.action.runner import Runner
from registry.action.say import Voice
from registry.action.summary import apply_summary
from registry.api import Registry
from registry.core.facts import Facts, StageChange, stage_changes
from registry.porcelain.gitops import Obstructed
from registry.porcelain.values import Written

OUTPUTS = ("events", "stages", "count")


def apply(registry: Registry, runner: Runner, voice: Voice) -> int:
    """Carry the plan out and publish it; 1 where a line of the manifest cannot be made true.

    Whatever happens then, later jobs learn of what was published before: no later run would tell them of it.
    """
    repair(registry, voice)
    changes = changes_for(runner, os.environ, lambda note: voice.annotate("notice", note, title="git-registry"))
    done: list[Written] = []
    try:
        registry.apply(push=True, batch=runner.inputs.push_batch, changes=changes, on_batch=done.append)
    except Obstructed as error:
        _tell(registry, done, voice, whole=False)
        annotate_all(
            voice,
            [Annotation("error", one.words, one.hint) for one in error.obstacles],
            f"registry plan --rev {error.commit[:7]}",
        )
        voice.summary(markdown.obstructed(error))
        return 1
    except BaseException:  # a job that was cancelled, too
        _tell(registry, done, voice, whole=False)
        raise
    _tell(registry, done, voice, whole=True)
    return 0


def nothing(runner: Runner, voice: Voice) -> int:
    """A push to a branch from which nothing is applied."""
    voice.log(f"nothing to do on {runner.ref}: the manifest is applied on {runner.default_branch}")
    voice.output({"events": "[]", "stages": "[]", "count": "0"})
    return 0


def _tell(registry: Registry, done: Sequence[Written], voice: Voice, *, whole: bool) -> None:
    registry.refresh()
    events = [registry.facts(event.tag) for written in done for event in written.events]
    by_artifact: dict[str, list[Facts]] = {}
    for facts in events:
        by_artifact.setdefault(facts.event.artifact, []).append(facts)
    stages = [one for name, told in by_artifact.items() for one in _changes(registry, name, told)]
    voice.output(
        {
            "events": voice.listed("events", [facts.to_json() for facts in events]),
            "stages": voice.listed("stages", [stage.to_json() for stage in stages]),
            "count": str(len(events)),
        }
    )
    if events or whole:
        voice.summary(apply_summary(events, [note for written in done for note in written.notes]))


def _changes(registry: Registry, artifact: str, told: Sequence[Facts]) -> list[StageChange]:
    return stage_changes(registry.repository.state(artifact), told)

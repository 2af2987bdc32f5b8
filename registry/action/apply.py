"""A push to the default branch: make true what the manifest wants, and say what was done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from registry import markdown
from registry.action.annotations import Annotation, annotate_all
from registry.action.changes import changes_for
from registry.action.checkout import repair
from registry.action.runner import Runner
from registry.action.say import Voice
from registry.action.summary import apply_summary
from registry.api import Registry
from registry.errors import NotFound, Refused, RegistryError
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
        _tell_after(error, registry, done, voice)
        _refused(error, voice)
        return 1
    except BaseException as error:  # a job that was cancelled, too
        _tell_after(error, registry, done, voice)
        raise
    _tell(registry, _tags(done), [note for written in done for note in written.notes], voice)
    return 0


def nothing(runner: Runner, voice: Voice) -> int:
    """A push to a branch from which nothing is applied."""
    voice.log(f"nothing to do on {runner.ref}: the manifest is applied on {runner.default_branch}")
    voice.output({"events": "[]", "stages": "[]", "count": "0"})
    return 0


def _refused(error: Obstructed, voice: Voice) -> None:
    annotations = [Annotation("error", one.words, one.hint) for one in error.obstacles]
    annotate_all(voice, annotations, f"registry plan --rev {error.commit[:7]}")
    voice.summary(markdown.obstructed(error))


def _tell_after(error: BaseException, registry: Registry, done: Sequence[Written], voice: Voice) -> None:
    """Tell what was published before `error`. What keeps that from being told is said, and hides the error from nobody.

    A push that was cut off may have arrived, so the server is asked. It may have events of others, too, by now: to hear
    of those twice harms nobody, since it is the present stages that are deployed.
    """
    tags = _tags(done)
    try:
        if not isinstance(error, Refused):
            tags += _arrived(registry)
        _tell(registry, tags, None, voice)
    except RegistryError as other:
        voice.annotate("error", f"what was published cannot be told: {other.message}", title="git-registry")


def _arrived(registry: Registry) -> list[str]:
    """The events that came to the server since it was asked last, each artifact's in order."""
    new = registry.fetch().tags
    registry.refresh()
    found = []
    for tag in new:
        with suppress(NotFound):  # a tag that is none
            found.append(registry.facts(tag))
    return [facts.event.tag for facts in sorted(found, key=lambda facts: len(facts.then.events))]


def _tags(done: Sequence[Written]) -> list[str]:
    return [event.tag for written in done for event in written.events]


def _tell(registry: Registry, tags: Sequence[str], notes: Sequence[str] | None, voice: Voice) -> None:
    """The outputs, and the summary; without `notes`, which come with success, a summary of nothing says nothing."""
    registry.refresh()
    events = [registry.facts(tag) for tag in tags]
    voice.output(
        {
            "events": voice.listed("events", [facts.to_json() for facts in events]),
            "stages": voice.listed("stages", [stage.to_json() for stage in registry.touched(events)]),
            "count": str(len(events)),
        }
    )
    if events or notes is not None:
        voice.summary(apply_summary(events, notes or ()))

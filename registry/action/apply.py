"""A push to the default branch: make true what the manifest wants, and say what was done."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from registry.action.changes import changes_for
from registry.action.runner import Runner
from registry.action.say import OUTPUT_LIMIT, Voice
from registry.action.summary import apply_summary
from registry.api import Registry
from registry.core.facts import Facts

OUTPUTS = ("events", "count")

_MATRIX = 256  # jobs that a host makes of one matrix


def apply(registry: Registry, runner: Runner, voice: Voice) -> int:
    """Carry the plan out and publish it. Raises RegistryError where a line of the manifest cannot be made true."""
    registry.repair()
    changes = changes_for(runner, os.environ, lambda note: voice.annotate("notice", note, title="git-registry"))
    written = registry.apply(push=True, batch=runner.inputs.push_batch, changes=changes)
    registry.refresh()
    events = [registry.facts(event.tag) for event in written.events]
    voice.summary(apply_summary(events, written.notes))
    voice.output("events", _events(events, voice))
    voice.output("count", str(len(events)))
    return 0


def nothing(runner: Runner, voice: Voice) -> int:
    """A push to a branch from which nothing is applied."""
    voice.log(f"nothing to do on {runner.ref}: the manifest is applied on {runner.default_branch}")
    voice.output_all({"events": "[]", "count": "0"})
    return 0


def _events(events: Sequence[Facts], voice: Voice) -> str:
    """The events as a list in JSON: the first ones where they are too many for an output."""
    rows = [json.dumps(facts.to_json(), separators=(",", ":")) for facts in events]
    size, fitting = 0, 0
    while fitting < len(rows) and (size := size + len(rows[fitting]) + 1) < OUTPUT_LIMIT:
        fitting += 1
    if fitting < len(rows):
        voice.annotate("warning", f"the output events has the first {fitting} of {len(rows)}: more do not fit")
    if fitting > _MATRIX:
        voice.annotate("warning", f"the output events has {fitting} entries: a matrix takes {_MATRIX}")
    return f"[{','.join(rows[:fitting])}]"

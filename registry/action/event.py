"""A tag was pushed: which event it is, as outputs and a summary, and the files of its version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from registry.action.checkout import repair
from registry.action.runner import Runner
from registry.action.say import OUTPUT_LIMIT, Voice
from registry.action.summary import event_summary
from registry.api import Registry
from registry.core.events import OfVersion
from registry.core.facts import Facts, StageNow, image_name, image_tag
from registry.core.manifest import Json
from registry.core.names import Form, parse_tag
from registry.errors import NotFound, Refused, UsageError
from registry.porcelain.event import EventDetail
from registry.porcelain.values import metadata_json

_TEXT = 20_000  # characters of a description

OUTPUTS = (
    "is-registry-tag", "event", "artifact", "version", "stage", "tag", "commit", "number", "type", "path",
    "description", "labels", "metadata", "image-name", "image-tag", "previous-version", "current", "stages",
    "directory",
)  # fmt: skip


def event(registry: Registry, runner: Runner, voice: Voice) -> int:
    """Say which event the tag is. Raises RegistryError where a tag that was asked for is not there."""
    tag = runner.tag
    if tag is None:
        raise UsageError("there is no tag", "run it when a tag was pushed, or give `tag`")
    name = parse_tag(tag)  # before anything else is done with it
    if name is None or name.form is Form.CREATION:
        voice.log(f"{tag} is not a tag of the registry: nothing to do")
        return _not_ours(voice)
    repair(registry, voice, tag)
    try:
        found = registry.event(tag)
    except NotFound as error:
        if runner.inputs.tag:
            raise
        hint = f" (hint: {error.hint})" if error.hint else ""
        voice.annotate("warning", f"{error.message}{hint}", title="No event")
        return _not_ours(voice)
    _warn(found.facts, voice)
    values = _outputs(found, registry.touched([found.facts]), voice)
    # What is known is said before anything is pulled: that may fail, and `current` says why.
    voice.output({name: values[name] for name in OUTPUTS if name != "directory"})
    directory = _pull(registry, runner, found.facts, voice)
    voice.output({"directory": directory})
    voice.summary(event_summary(found.facts, found.state, {**values, "directory": directory}))
    return 0


def _not_ours(voice: Voice) -> int:
    voice.output({**dict.fromkeys(OUTPUTS, ""), "is-registry-tag": "false"})
    return 0


def _warn(facts: Facts, voice: Voice) -> None:
    named = facts.event.version if isinstance(facts.event, OfVersion) else facts.event.one("Version")
    if facts.version is None and named is not None:
        voice.annotate(
            "warning", f"{facts.event.tag} counts for nothing: {facts.event.artifact} {named} was never registered"
        )
    elif facts.commit != facts.event.commit:
        voice.annotate(
            "warning",
            f"{facts.event.tag} is at commit {facts.event.commit[:7]}, and {facts.event.artifact} {facts.version} at "
            f"{facts.commit[:7]}, which counts",
        )


def _outputs(found: EventDetail, stages: Sequence[StageNow], voice: Voice) -> dict[str, str]:
    facts, declared, known = found.facts, found.declared, found.metadata
    description = known.description or ""
    return {
        "is-registry-tag": "true",
        "event": facts.event.kind,
        "artifact": facts.event.artifact,
        "version": facts.version or "",
        "stage": facts.stage or "",
        "tag": facts.event.tag,
        "commit": facts.commit,
        "number": "" if facts.number is None else str(facts.number),
        "type": declared.type,
        "path": declared.path or "",
        "description": _fitting("description", description, description[:_TEXT], voice),
        "labels": _fitting("labels", json.dumps(list(dict.fromkeys((*declared.labels, *known.labels)))), "[]", voice),
        "metadata": _metadata(metadata_json(known), voice),
        "image-name": image_name(facts.event.artifact),
        "image-tag": image_tag(facts.version or ""),
        "previous-version": facts.previous or "",
        "current": "true" if facts.current else "false",
        "stages": voice.listed("stages", [stage.to_json() for stage in stages]),
    }


def _fitting(name: str, value: str, shorter: str, voice: Voice) -> str:
    """`value`, or `shorter` where it is too long for an output."""
    if len(value) <= _TEXT:
        return value
    voice.annotate("warning", f"the output {name} is not whole: it is too long for a workflow")
    return shorter


def _metadata(metadata: Mapping[str, Json], voice: Voice) -> str:
    """`metadata` as JSON, without what is too large for an output: the largest first."""
    left = {key: json.dumps(value) for key, value in metadata.items()}
    while sum(map(len, left.values())) > OUTPUT_LIMIT:
        largest = max(left, key=lambda key: len(left[key]))
        voice.annotate("warning", f"the output metadata has no {largest!r}: it is too large for a workflow")
        left[largest] = "null"
    return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in left.items()) + "}"


def _pull(registry: Registry, runner: Runner, facts: Facts, voice: Voice) -> str:
    """Bring the files of the version, and give their directory; "" where none are wanted, or none can be meant.

    Raises Refused where the name has come to mean another commit: other files than those of the event; UsageError where
    a link in the checkout, which somebody else may have made, leads out of the workspace.
    """
    if not runner.inputs.pull:
        return ""
    if facts.version is None or facts.event.kind not in {"registration", "assignment", "amendment"}:
        voice.log(f"no files are pulled: the event is a {facts.event.kind}")
        return ""
    artifact, version = facts.event.artifact, facts.version
    bare = facts.selected is not None and facts.selected.version is None
    selector = f"{artifact}#{facts.stage}" if bare else f"{artifact}@{version}"
    if registry.resolve(selector).commit != facts.commit:
        raise Refused(
            f"{selector} is not commit {facts.commit[:7]} any more, as it was when {facts.event.tag} was made",
            "skip old events: if: steps.ID.outputs.current == 'true'",
        )
    if not Path(runner.inputs.output_dir).is_absolute():  # which is the workflow's own word
        runner.inside(runner.inputs.output_dir)
    return registry.pull(selector, runner.inputs.output_dir or None).directory

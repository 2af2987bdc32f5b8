"""The vectors of docs/vectors, as data and as what Git would have of them."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from registry.core.chain import breaks, strayed
from registry.core.diagnosis import damaged_tag, sick_artifacts
from registry.core.draft import digest, loose_ends, object_id
from registry.core.events import event_of
from registry.core.metadata import Metadata
from registry.core.names import in_tag
from registry.core.select import parse, select
from registry.core.state import ArtifactState, VersionState, fold
from registry.errors import NotFound
from registry.plumbing.tags import by_artifact

DOCS = Path(__file__).parents[2] / "docs"
VECTORS = DOCS / "vectors"

Case = dict[str, Any]


@cache
def vectors(name: str) -> dict[str, Any]:
    """The file docs/vectors/NAME.json."""
    found: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    assert found["format"] == name
    return found


def text_or_bytes(case: Case, key: str) -> bytes:
    """The bytes that a case gives as text under `key`, or in base64 under `key_base64`."""
    return base64.b64decode(case[f"{key}_base64"]) if f"{key}_base64" in case else str(case[key]).encode()


def raw_tag(tag: Case) -> bytes | None:
    """The bytes of a tag's object (format.md 5.1); None for a lightweight tag."""
    if "lightweight" in tag:
        return None
    if "tagger" not in tag:
        return text_or_bytes(tag, "object")
    by = tag["tagger"]
    headers = f"object {tag['commit']}\ntype commit\ntag {tag['tag']}\n"
    tagger = f"tagger {by['name']} <{by['email']}> {by['seconds']} {by['zone']}\n"
    return f"{headers}{tagger}\n{tag['message']}".encode()


def tag_id(tag: Case) -> str:
    """The id of a tag's object, or what a lightweight tag points to."""
    raw = raw_tag(tag)
    return str(tag["lightweight"]) if raw is None else object_id(raw, 40)


def commit_id(raw: str) -> str:
    """The id that Git gives a commit."""
    return digest(b"commit %d\0%b" % (len(raw.encode()), raw.encode()), 40)


def states(case: Case) -> dict[str, ArtifactState]:
    """What our pure rules read in the tags of a case."""
    found = ((tag["tag"], tag_id(tag), raw) for tag in case["tags"] if (raw := raw_tag(tag)) is not None)
    events = (event for tag, oid, raw in found if (event := event_of(tag, oid, raw)) is not None)
    return {name: fold(name, those) for name, those in by_artifact(events).items()}


def said(state: ArtifactState, expected: Case) -> Case:
    """A state in the shape of a case's `artifacts`, with those optional keys that `expected` has."""
    found: Case = {
        "order": [event.tag for event in state.events],
        "versions": [
            {
                "version": v.name,
                "number": v.number,
                "commit": v.commit,
                "active": v.active,
                "stages": state.stages_of(v.name),
                "registration": v.registration.tag,
            }
            for v in state.versions.values()
        ],
        "stages": {stage: [one.subject for one in holders] for stage, holders in state.holdings.items()},
        "latest": name_of(state.latest),
        "stable": name_of(state.stable),
        "newest": name_of(state.newest),
        "deprecated": state.deprecated,
    }
    if "next" in expected:
        previous = loose_ends(state.events)
        found["next"] = {"counter": state.counter + 1, "number": state.number + 1, "previous": previous}
    if "metadata" in expected:
        wanted = expected["metadata"]
        found["metadata"] = {v: told(state.versions[v].metadata, wanted[v]) for v in wanted}
    if "selectors" in expected:
        found["selectors"] = {text: selected(state, text) for text in expected["selectors"]}
    return found


def name_of(version: VersionState | None) -> str | None:
    """The version as text, or None."""
    return None if version is None else version.name


def told(metadata: Metadata, wanted: Case) -> Case:
    """Metadata as JSON, those of its fields that are `wanted`."""
    whole: Case = {
        "metrics": dict(metadata.metrics),
        "params": dict(metadata.params),
        "tags": dict(metadata.tags),
        "labels": list(metadata.labels),
        "uses": list(metadata.uses),
        "artifacts": [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in metadata.artifacts],
        "deployments": dict(metadata.deployments),
        "run": metadata.run,
        "run_url": metadata.run_url,
        "description": metadata.description,
        "content": metadata.content,
        "other": {key: list(values) for key, values in metadata.other.items()},
    }
    return {key: whole[key] for key in wanted}


def selected(state: ArtifactState, text: str) -> str | None:
    """What a selector means: a version, a commit's full id, or None where there is no such thing."""
    try:
        return select(state, parse(text)).subject
    except NotFound:
        return None


def problems(case: Case) -> list[tuple[str, str]]:
    """What is to be reported of the tags of a case: code and subject."""
    kinds = [("commit" if "lightweight" in tag else "tag", tag) for tag in case["tags"]]
    broken = [damaged_tag(tag["tag"], kind, raw_tag(tag)) for kind, tag in kinds]
    sick = sick_artifacts(states(case), case["now"])
    told = [one for one in [*broken, *sick] if one is not None]
    return sorted((one.code, one.subject) for one in told if one.code != "chain")  # which cases say by themselves


def chain(case: Case) -> list[tuple[str, str | None]]:
    """Where the chains of a case are broken: code and tag, None for a head."""
    found = states(case)
    heads = case.get("heads", {})
    strays = [one for name, state in found.items() if name in heads for one in strayed(state, heads[name])]
    both = [*(one for state in found.values() for one in breaks(state)), *strays]
    return [(one.code, None if one.event is None else one.event.tag) for one in both]


def written(artifact: str) -> str:
    """The artifact as tags write it."""
    return in_tag(artifact)

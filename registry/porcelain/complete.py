"""What a word that is typed into a shell could become: by the names of tags and manifests, for somebody waits.

What needs more than names (a deregistration, an unassignment) is asked of the state. Where a clone keeps what listings
say, the names are those of the last listing: nobody reads 100,000 to complete one. `reading.complete` says the same of
the repository as it is now, and slowly.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry.core.names import Form, from_tag, in_tag, is_artifact, is_stage, parse_tag
from registry.errors import GitFailed
from registry.plumbing import kept, refnames
from registry.plumbing.process import Git

if TYPE_CHECKING:
    from registry.core.state import ArtifactState

_MANIFESTS = ("registry.yaml", "dvc.yaml", "artifacts.yaml", ".gto")
_LIMIT = 10_000_000  # bytes; a larger manifest is not read


def here(path: str | None) -> Git:
    """Git in the repository at or above `path`; without one, as Git finds it from here."""
    return Git(path or ".", inherit=path is None)


def selectors(git: Git, typed: str) -> list[str]:
    """Artifacts; after an "@" the versions of one, the greatest first, after a "#" the stages that hold one."""
    artifact, sign, _ = typed.partition("@" if "@" in typed else "#")
    if not sign:
        return artifacts(git, typed)
    if not is_artifact(artifact):
        return []
    words = _versions(git, artifact) if sign == "@" else _held(git, artifact)
    found = [f"{artifact}{sign}{word}" for word in words]
    return [selector for selector in found if selector.startswith(typed)]


def artifacts(git: Git, typed: str) -> list[str]:
    """The artifacts that have a tag or are declared at HEAD, and begin so."""
    known = _kept(git)
    names = {*_declared(git)[0], *(_tagged(git, typed) if known is None else (one.name for one in known))}
    found = sorted(name for name in names if name.startswith(typed) and is_artifact(name))
    return found or ([] if known is None else sorted(_tagged(git, typed)))  # perhaps one that is new since


def stages(git: Git) -> list[str]:
    """The stages of the lifecycles at HEAD, in order, then those that tags name."""
    known = _kept(git)
    if known is None:
        found = {tag.stage for name in refnames.tag_names(git) if "#" in name and (tag := parse_tag(name))}
    else:
        found = {str(stage) for one in known for stage in one.stages}
    return list(dict.fromkeys([*_declared(git)[1], *sorted(stage for stage in found if stage and is_stage(stage))]))


def _versions(git: Git, artifact: str) -> list[str]:
    from registry.core import version as versions

    tags = [parse_tag(name) for name in refnames.tag_names(git, [f"{refnames.PREFIX}{in_tag(artifact)}@*"])]
    own = [tag for tag in tags if tag is not None and tag.version is not None]
    if any(tag.form is Form.DEREGISTRATION for tag in own):
        names = [v.name for v in reversed(_state(git, artifact).active)]
    else:
        there = {tag.version or "": None for tag in own if tag.form is Form.REGISTRATION}
        parsed = [found for name in there if (found := versions.parse(name)) is not None]
        names = [found.text for found in sorted(parsed, key=lambda v: v.precedence, reverse=True)]
    return ["latest", *names] if own else []


def _held(git: Git, artifact: str) -> list[str]:
    tags = [tag for name in refnames.tag_names(git, refnames.patterns(artifact)) if (tag := parse_tag(name))]
    if any(tag.form in {Form.DEREGISTRATION, Form.UNASSIGNMENT} for tag in tags):
        return list(_state(git, artifact).stages)
    return sorted({tag.stage for tag in tags if tag.artifact == artifact and tag.stage is not None})


def _state(git: Git, artifact: str) -> ArtifactState:
    from registry.core.state import fold
    from registry.plumbing import tags

    found = tags.events_of(tags.each_tag(git, tags.patterns(artifact)))
    return fold(artifact, (event for event in found if event.artifact == artifact))


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    stages: tuple[str, ...]


def _kept(git: Git) -> list[_Row] | None:
    """What the clone keeps of its listings, None where it keeps nothing."""
    place = os.fsdecode(git.read("rev-parse", "--path-format=absolute", "--git-common-dir")).removesuffix("\n")
    words = kept.load(Path(place, "registry", kept.NAME))
    try:
        rows = [] if words is None else [row for _, row in words["artifacts"].values() if row is not None]
        return None if words is None else [_Row(str(row[0]), tuple(map(str, row[2]))) for row in rows]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None  # damaged: the names of the tags are read


def _tagged(git: Git, typed: str) -> set[str]:
    names = {refnames.owner(name) for name in refnames.tag_names(git, refnames.beginning(typed.rstrip(":")))}
    return {artifact for name in names if is_artifact(artifact := from_tag(name))}


def _declared(git: Git) -> tuple[list[str], list[str]]:
    """The artifacts and the stages that the manifests at HEAD declare; of what is not here, nothing."""
    from registry.core import names
    from registry.manifests.skim import skim

    artifacts: list[str] = []
    stages: list[str] = []
    for path, source in _manifests(git):
        found = skim(path, source)
        if found is None:
            from registry.manifests import read  # YAML takes as long as all the rest

            manifest = read.read({path: source})
            artifacts += manifest.names
            lifecycles = [manifest.stages, *(one.stages for one in manifest.artifacts.values())]
            stages += [stage for lifecycle in lifecycles for stage in lifecycle or ()]
        else:
            directory = path.rpartition("/")[0]
            artifacts += [names.qualified(directory, name) for name in found.artifacts]
            stages += found.stages
    return artifacts, stages


def _manifests(git: Git) -> Iterator[tuple[str, bytes]]:
    from registry.plumbing import objects

    try:
        listing = git.read("ls-tree", "-r", "-z", "--full-tree", "HEAD")
    except GitFailed:
        return  # nothing is committed yet
    records = (record.partition(b"\t") for record in listing.split(b"\0") if record)
    found = [
        (os.fsdecode(path), head.split()[2].decode())
        for head, _, path in records
        if path.rpartition(b"/")[2].decode(errors="replace") in _MANIFESTS and b"\n" not in path
    ]
    wanted = [(path, oid) for path, oid in found if "/" not in path or path.endswith(("registry.yaml", "dvc.yaml"))]
    blobs = objects.read_objects(git, [oid for _, oid in wanted], only_type="blob", limit=_LIMIT)
    for (path, _), blob in zip(wanted, blobs, strict=True):
        if blob.data is not None:
            yield path, blob.data

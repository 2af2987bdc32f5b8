"""What versions were made from, and what was made from them: `lineage` for many pages, its edges read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.core.state import ArtifactState
from registry.web import links
from registry.web.memory import kept
from registry.web.page import Source

_MOST = 200  # versions shown each way

Edges = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Kin:
    """A version that another one leads to, so many `steps` away: as it was said, and its page where it has one."""

    text: str
    steps: int
    path: str | None


def of(source: Source, artifact: str, version: str) -> tuple[list[Kin], list[Kin]]:
    """What a version was made from, and what was made from it, nearest first, each once."""
    states = source.registry.repository.states
    up, down = kept(("kin", source.slug), source.moment(), lambda: _edges(states))
    start = f"{artifact}@{version}"
    return _walk(source, start, up), _walk(source, start, down)


def _edges(states: Mapping[str, ArtifactState]) -> tuple[Edges, Edges]:
    up: defaultdict[str, list[str]] = defaultdict(list)
    down: defaultdict[str, list[str]] = defaultdict(list)
    for state in states.values():
        for v in state.versions.values():
            # Few versions say it: the metadata of the others is not put together to find that out.
            if any("Uses" in event.keys for event in (v.registration, *v.amendments)):
                for used in v.metadata.uses:
                    up[f"{state.name}@{v.name}"].append(used)
                    down[used].append(f"{state.name}@{v.name}")
    return up, down


def _walk(source: Source, start: str, edges: Edges) -> list[Kin]:
    seen = {start}
    found: list[Kin] = []
    ahead, steps = [start], 0
    while ahead and len(found) < _MOST:
        steps += 1
        fresh = dict.fromkeys(other for one in ahead for other in edges.get(one, ()) if other not in seen)
        seen.update(fresh)
        found += [Kin(other, steps, _path(source, other)) for other in fresh]
        ahead = list(fresh)
    return found[:_MOST]


def _path(source: Source, text: str) -> str | None:
    artifact, _, name = text.partition("@")
    state = source.registry.repository.states.get(artifact)
    return links.version(source.slug, artifact, name) if state is not None and name in state.versions else None

"""`lineage`: where a version came from, and what was made from it, both ways."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass

from registry.core.manifest import Json
from registry.plumbing.objects import CommitSummary, summarize
from registry.porcelain import views
from registry.porcelain.find import find
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Step:
    """One version reached from `of`, so many steps away. Each is followed once, however many ways lead to it."""

    version: str
    of: str
    steps: int

    def to_json(self) -> Json:
        """The shape of one entry of `uses` and `used_by`."""
        return {"version": self.version, "of": self.of, "steps": self.steps}


@dataclass(frozen=True, slots=True)
class Lineage:
    """A version, its run and commit, what it was made from and what was made from it."""

    artifact: str
    version: str
    commit: str
    summary: CommitSummary | None
    run: str | None
    run_url: str | None
    uses: tuple[Step, ...]
    used_by: tuple[Step, ...]

    def to_json(self) -> dict[str, Json]:
        """The shape of `lineage --json`."""
        return {
            "artifact": self.artifact,
            "version": self.version,
            "commit": asdict(self.summary) if self.summary else {"id": self.commit},
            "run": self.run,
            "run_url": self.run_url,
            "uses": [step.to_json() for step in self.uses],
            "used_by": [step.to_json() for step in self.used_by],
        }


def lineage(repository: Repository, text: str) -> Lineage:
    """The lineage of one version. Raises NotFound or UsageError."""
    state, selected = find(repository, text)
    view = views.selected_view(repository, state, selected)
    name = f"{state.name}@{selected.subject}"
    up, down = _edges(repository)
    return Lineage(
        artifact=state.name,
        version=selected.subject,
        commit=selected.commit,
        summary=summarize(repository.git, selected.commit),
        run=view.metadata.run,
        run_url=view.metadata.run_url,
        uses=_walk(name, up),
        used_by=_walk(name, down),
    )


Edges = dict[str, list[str]]


def _edges(repository: Repository) -> tuple[Edges, Edges]:
    up: defaultdict[str, list[str]] = defaultdict(list)
    down: defaultdict[str, list[str]] = defaultdict(list)
    for state in repository.states.values():
        for v in state.versions.values():
            for used in v.metadata.uses:
                up[f"{state.name}@{v.name}"].append(used)
                down[used].append(f"{state.name}@{v.name}")
    return up, down


def _walk(start: str, edges: Edges) -> tuple[Step, ...]:
    """All that `start` leads to, each before what it leads to itself; a circle ends where it closes."""
    steps: list[Step] = []
    seen = {start}
    ahead = [Step(other, start, 1) for other in reversed(edges.get(start, []))]
    while ahead:
        step = ahead.pop()
        steps.append(step)
        if step.version not in seen:
            seen.add(step.version)
            ahead += [Step(other, step.version, step.steps + 1) for other in reversed(edges.get(step.version, []))]
    return tuple(steps)

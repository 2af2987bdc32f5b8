"""The run that a version comes from: noticed, looked up where it was tracked, and marked there afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial

from registry import evidence
from registry.errors import RegistryError
from registry.porcelain.note import Facts
from registry.providers import ask, surroundings
from registry.providers.values import Place
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a version with its run, notes, and whether the run could be asked."""

    facts: Facts
    notes: tuple[str, ...] = ()
    known: bool = False


def told(repository: Repository, facts: Facts, artifact: str, commit: str | None) -> Told:
    """`facts` with what is known of the run, as far as neither the person nor the files at `commit` say it.

    Where no run was said, the workflow that this is part of is taken; `run=""` says that there is none.
    """
    if facts.run is None:
        found = surroundings.of_ci(os.environ) if facts.run_url is None else None
        if found is None:
            return Told(facts)
        note = f"{found.run} is recorded as the run, from {found.where}; --run '' leaves it out"
        return Told(replace(facts, run=found.run, run_url=found.url), (note,))
    if not facts.run.strip():
        return Told(replace(facts, run=None))
    known = ask.look_up(facts.run.strip(), partial(_place, repository))
    metrics, params = _said(repository, artifact, commit)
    more = replace(
        facts,
        run_url=facts.run_url if facts.run_url is not None else known.url,
        metrics={**{name: v for name, v in known.metrics.items() if name not in metrics}, **facts.metrics},
        params={**{name: v for name, v in known.params.items() if name not in params}, **facts.params},
    )
    return Told(more, known.notes, known.asked)


def _said(repository: Repository, artifact: str, commit: str | None) -> evidence.Values:
    """What the files at a commit say."""
    if commit is None:
        return {}, {}
    declared = repository.manifest_at(commit, artifact).artifacts.get(artifact)
    return evidence.values(repository, [(commit, declared)])[0]


def marked(repository: Repository, facts: Facts, version: str) -> list[str]:
    """Mark the run, where it was tracked, as one that became `version`; notes."""
    return list(ask.promoted(facts.run, version, partial(_place, repository))) if facts.run else []


def _place(repository: Repository) -> Place:
    from registry.plumbing import remote

    try:
        name = remote.choose(repository.git)
        return Place(repository.git, remote.url_of(repository.git, name) if name is not None else "")
    except RegistryError:  # several, and none of them is meant
        return Place(repository.git)

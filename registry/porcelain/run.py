"""The run that a version comes from: noticed, looked up where it was tracked, and marked there afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial

from registry import evidence
from registry.core.hiding import without_user
from registry.core.metadata import Metadata
from registry.errors import RegistryError
from registry.porcelain.note import Facts
from registry.providers import ask, surroundings
from registry.providers.ask import cut
from registry.providers.values import Place
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a version with its run, notes, and whether the run could be asked."""

    facts: Facts
    notes: tuple[str, ...] = ()
    known: bool = False


def told(
    repository: Repository, facts: Facts, artifact: str, commit: str | None, there: Metadata | None = None
) -> Told:
    """`facts` with what is known of the run, as far as neither the person nor the files at `commit` say it, nor
    `there`, what is known of the version already: what was removed of it stays removed.

    Where no run was said, the workflow that this is part of is taken; `run=""` says that there is none.
    """
    facts, notes = _plain(facts)
    if facts.run is None:
        found = surroundings.of_ci(os.environ) if facts.run_url is None else None
        if found is None:
            return Told(facts, notes)
        note = f"{found.run} is recorded as the run, from {found.where}; --run '' leaves it out"
        return Told(replace(facts, run=found.run, run_url=found.url), (note,))
    if not facts.run.strip():
        return Told(replace(facts, run=None), notes)
    known = ask.look_up(facts.run.strip(), partial(_place, repository), repository.progress)
    metrics, params = _said(repository, artifact, commit)
    there = there or Metadata()
    there_too = there.run_url is not None and there.run in {None, facts.run}  # that link is about this run
    metric_names = {*metrics, *there.metrics, *there.removed_metrics}
    param_names = {*params, *there.params, *there.removed_params}
    more = replace(
        facts,
        run_url=facts.run_url if facts.run_url is not None or there_too else known.url,
        metrics={**{name: v for name, v in known.metrics.items() if name not in metric_names}, **facts.metrics},
        params={**{name: v for name, v in known.params.items() if name not in param_names}, **facts.params},
    )
    return Told(more, (*notes, *known.notes), known.asked)


def _plain(facts: Facts) -> tuple[Facts, tuple[str, ...]]:
    """`facts` without a password in what names the run, and notes on that."""
    run, url = (said and without_user(said) for said in (facts.run, facts.run_url))
    lost = [new for old, new in ((facts.run, run), (facts.run_url, url)) if new is not None and new != old]
    notes = [f"{cut(one)} is recorded without the user and the password in it" for one in dict.fromkeys(lost)]
    return replace(facts, run=run, run_url=url), tuple(notes)


def _said(repository: Repository, artifact: str, commit: str | None) -> evidence.Values:
    """What the files at a commit say."""
    if commit is None:
        return {}, {}
    declared = repository.manifest_at(commit, artifact).artifacts.get(artifact)
    return evidence.values(repository, [(commit, declared)])[0]


def marked(repository: Repository, facts: Facts, version: str) -> list[str]:
    """Mark the run, where it was tracked, as one that became `version`; notes."""
    if not facts.run:
        return []
    return list(ask.promoted(facts.run, version, partial(_place, repository), repository.progress))


def _place(repository: Repository) -> Place:
    from registry.plumbing import remote

    try:
        name = remote.choose(repository.git)
        return Place(repository.git, remote.url_of(repository.git, name) if name is not None else "")
    except RegistryError:  # several, and none of them is meant
        return Place(repository.git)

"""Writing, to one artifact or to several: in this clone alone, or published in the same step (DESIGN part 6)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from registry.core import draft
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.plumbing import signing
from registry.plumbing.remote import Remote
from registry.repository import Repository
from registry.writing.clone import check_names, put, writing
from registry.writing.guard import Guard
from registry.writing.values import Decide, Outcome, Way

if TYPE_CHECKING:
    from registry.writing.publish import NewAll


def write(
    repository: Repository,
    selector: Selector,
    decide: Decide,
    way: Way,
    waiting: Callable[[], None],
    *,
    new: bool = False,
) -> Outcome:
    """Look at the artifact that `selector` is about, decide, and write what was decided, all or nothing.

    The artifact has to exist, unless it may be `new`. Raises what `decide` raises, and then nothing is written.
    """
    repository.focus(selector.artifact)
    if (way.push or repository.pushes) and not way.dry_run:
        from registry.writing.publish import New, publish  # what stays in this clone needs none of it

        place = repository.remote(way.remote)
        sent = publish(repository, place, [selector.artifact], way, waiting, New(selector, decide, new))
        return replace(sent.outcomes[selector.artifact], notes=sent.notes)
    with writing(repository, selector.artifact, waiting, way, new=new) as now:
        decision = decide(now.state, selector)
        done = now.write(decision.drafts, sign=way.sign)
        return Outcome(now.state, done.events, [*decision.notes, *done.notes])


def write_all(
    repository: Repository,
    new: NewAll,
    way: Way,
    waiting: Callable[[], None],
    place: Remote | None,
) -> dict[str, Outcome]:
    """Decide on several artifacts and write what was decided, all or nothing; the outcomes by artifact.

    The tags of what `new` has to know first are fetched from `place`, where there is one. Raises what `new.decide`
    raises, and then nothing is written.
    """
    from registry.writing.pushing import Again
    from registry.writing.standing import refresh, standings, take_in

    if (way.push or repository.pushes) and not way.dry_run:
        from registry.writing.publish import publish

        sent = publish(repository, place or repository.remote(way.remote), [], way, waiting, new)
        made = {event.oid for one in sent.outcomes.values() for event in one.events}
        along = [
            f"{event.tag} was written here before, and is published with it"
            for event in sent.sent
            if event.oid not in made
        ]
        notes = iter([[*along, *sent.notes]])  # they are of the whole, so they are told once
        return {name: replace(one, notes=next(notes, [])) for name, one in sent.outcomes.items()}
    by = repository.writer()
    repository.forget()
    with nullcontext() if way.dry_run else repository.locked(waiting) as held:
        states: dict[str, ArtifactState] = {}
        while True:
            try:
                decisions = new.decide(states)
                break
            except Again as lacking:
                if held is not None and place is not None:
                    refresh(held, repository, place, lacking.more)
                    take_in(held, list(standings(repository, place, lacking.more).values()), repository)
                    repository.forget_tags()
                states.update(repository.states_of(lacking.more))
        guard = Guard(new.rules, cache(new.trust))
        wanted = {name: guard.sign(way.sign, states[name], one.drafts) for name, one in decisions.items()}
        seals = cache(lambda sign: signing.signer(repository.git, sign) or bytes if held is not None else bytes)
        laid = {name: draft.lay(states[name], one.drafts, by, seals(wanted[name])) for name, one in decisions.items()}
        for name, those in laid.items():
            guard.check(states[name], those, sealed=held is not None)
        check_names(repository, [(states[name], [one.event for one in those]) for name, those in laid.items()])
        done = put(held, repository, [one for those in laid.values() for one in those])
        repository.forget()
    notes = iter([done.notes])
    return {name: Outcome(states[name], [one.event for one in those], next(notes, [])) for name, those in laid.items()}

"""One write: in this clone alone, or published in the same step (DESIGN part 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from registry.core.select import Selector
from registry.repository import Repository
from registry.writing.clone import writing
from registry.writing.publish import New, publish
from registry.writing.values import Decide, Outcome, Way


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
        place = repository.remote(way.remote)
        sent = publish(repository, place, [selector.artifact], way, waiting, New(selector, decide, new))
        return replace(sent.outcomes[selector.artifact], notes=sent.notes)
    with writing(repository, selector.artifact, waiting, way, new=new) as now:
        decision = decide(now.state, selector)
        done = now.write(decision.drafts, sign=way.sign)
        return Outcome(now.state, now.state.with_events(done.events), done.events, [*decision.notes, *done.notes])

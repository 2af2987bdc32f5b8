"""Answers kept as long as repositories do not change: a page asked for again is not thought out again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")

_answers: dict[Hashable, tuple[object, object]] = {}


def kept(name: Hashable, moment: object, make: Callable[[], T]) -> T:
    """What `make` answers, or answered when it was last called under this `name` at this `moment`.

    `moment` is `Source.moment` of each repository that the answer is made from, and whatever else it depends on: it is
    another one once something has changed, so that nothing here grows stale.
    """
    there = _answers.get(name)
    if there is not None and there[0] == moment:
        return cast("T", there[1])
    answer = make()
    _answers[name] = (moment, answer)
    return answer

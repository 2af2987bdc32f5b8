"""Answers kept as long as what they were made from is there: a page asked for again is not thought out again."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")

# A repository that changed has other states and another manifest: other objects, so that nothing here grows stale.
_answers: dict[Hashable, tuple[tuple[object, ...], object]] = {}


def kept(name: Hashable, made_from: tuple[object, ...], make: Callable[[], T]) -> T:
    """What `make` answers, or answered when it was last called under this `name` with these very objects."""
    there = _answers.get(name)
    if there is not None and len(there[0]) == len(made_from) and all(map(operator.is_, there[0], made_from)):
        return cast("T", there[1])
    answer = make()
    _answers[name] = (made_from, answer)
    return answer

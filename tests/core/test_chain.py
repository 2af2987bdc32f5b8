"""Whether the chain of an artifact's events is whole (DESIGN part 2)."""

from __future__ import annotations

import pytest

from registry.core.chain import breaks, strayed
from registry.core.events import Event
from registry.core.state import fold
from tests.core.build import commit, event


def after(*previous: str) -> tuple[str, ...]:
    return tuple(f"Previous: oid of {one}" for one in previous)


FIRST = event("churn@v1.0.0", 1, keys=("Counter: 1",))
SECOND = event("churn#a#2", 2, keys=after("churn@v1.0.0"))
THIRD = event("churn#b#3", 3, keys=after("churn#a#2"))
GTO = event("churn@v0.1.0", 0)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([GTO], []),
        ([GTO, event("churn#a#1", 1)], []),  # other tools' events have no chain
        ([FIRST, SECOND, THIRD], []),
        ([GTO, event("churn#a#1", 1, keys=after("churn@v0.1.0"))], []),  # the first one of ours takes in GTO's
        ([FIRST, SECOND, event("churn@v0.2.0", 2, commit(9)), THIRD], []),  # not taken in yet
        ([FIRST, SECOND, event("churn#a#3", 3, keys=after("churn#a#2", "churn#a#2"))], []),  # once is enough
        ([SECOND, THIRD], [("churn#a#2", "missing")]),
        ([FIRST, THIRD], [("churn#b#3", "missing")]),
        ([FIRST, SECOND], []),  # the newest that is gone is not seen by this
        ([FIRST, SECOND, event("churn#b#3", 3, keys=after("churn@v1.0.0"))], [("churn#b#3", "fork")]),
        ([FIRST, SECOND, event("churn#b#3", 3, ours=True)], [("churn#b#3", "fork")]),  # a second beginning
        ([FIRST, SECOND, event("churn#b#3", 3, keys=after("nobody"))], [("churn#b#3", "missing")]),
        ([GTO, FIRST, SECOND, event("churn#b#3", 3, keys=after("churn@v0.1.0"))], [("churn#b#3", "fork")]),
        (
            [FIRST, event("churn#b#2", 2, keys=after("churn#a#3")), event("churn#a#3", 3, keys=after("churn@v1.0.0"))],
            [("churn#b#2", "order")],
        ),
        (  # one that was put in the place of another, and what followed that one
            [FIRST, event("churn#x#2", 2, keys=after("churn@v1.0.0")), THIRD],
            [("churn#b#3", "missing")],
        ),
    ],
)
def test_where_a_chain_is_broken(events: list[Event], expected: list[tuple[str, str]]) -> None:
    for order in (events, events[::-1]):
        found = [(one.event.tag if one.event else "", one.code) for one in breaks(fold("churn", order))]
        assert found == expected


def test_every_break_says_what_to_do() -> None:
    broken = [FIRST, THIRD, event("churn#x#4", 4, ours=True), event("churn#y#5", 5, keys=after("nobody"))]

    found = [*breaks(fold("churn", broken)), *strayed(fold("churn", broken), "oid of gone")]

    assert len(found) == 4
    assert all(one.why and one.hint and "\n" not in one.why for one in found)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("oid of churn#b#3", []),
        ("oid of churn#a#2", ["behind"]),
        ("oid of churn@v1.0.0", ["behind"]),
        ("0" * 40, ["head"]),
        ("oid of churn@v0.2.0", []),  # GTO's, which nobody follows yet
    ],
)
def test_where_the_head_stands(head: str, expected: list[str]) -> None:
    state = fold("churn", [FIRST, SECOND, THIRD, event("churn@v0.2.0", 4, commit(9))])

    assert [one.code for one in strayed(state, head)] == expected


def test_a_head_that_went_back_with_all_that_followed_is_not_seen() -> None:
    """The deletion of the newest event together with its head: the issue says who sees it, and the chain is not it."""
    state = fold("churn", [FIRST, SECOND])

    assert [*breaks(state), *strayed(state, SECOND.oid)] == []

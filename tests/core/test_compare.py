"""What differs between two mappings."""

from __future__ import annotations

import pytest

from registry.core.compare import Difference, differences


def test_the_keys_that_differ_in_order() -> None:
    found = differences({"b": 1, "same": 2, "gone": "x"}, {"new": None, "same": 2, "b": 3, "more": True})

    assert found == [Difference("b", 1, 3), Difference("gone", "x", None), Difference("more", None, True)]
    assert differences({}, {}) == []


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (1, 3, 2.0), (0.9, 0.93, 0.03), (2, 1.5, -0.5), (1e-13, 2e-13, 1e-13), (10**308, 0, -1e308),
        ("1", 2, None), (None, 1, None), (1, None, None), (True, 2, None), (10**400, 1, None),
    ],
)  # fmt: skip
def test_how_much_a_number_grew(before: object, after: object, change: float | None) -> None:
    assert Difference("auc", before, after).change == change

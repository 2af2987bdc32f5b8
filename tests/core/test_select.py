"""Selectors and ranges: DESIGN part 3."""

from __future__ import annotations

import pytest

from registry.core import select
from registry.core.ranges import parse_range
from registry.core.version import check
from registry.errors import NotFound, UsageError
from tests.core.build import commit, event, state

CHURN = state(
    event("churn@v0.9.0", 1, commit(1)),
    event("churn@v1.0.0", 2, commit(2)),
    event("churn@v1.2.0", 3, commit(3)),
    event("churn@v1.2.3", 4, commit(4)),
    event("churn@v1.10.0", 5, commit(5)),
    event("churn@v2.0.0-rc.1", 6, commit(6)),
    event("churn@v1.1.0", 7, commit(7)),
    event("churn@v1.3.0", 8, commit(8)),
    event("churn@v1.3.0!", 9, commit(8)),
    event("churn#production#1", 10, commit(4)),
    event("churn#bare#2", 11, commit(99)),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("churn", "v2.0.0-rc.1"), ("churn@latest", "v2.0.0-rc.1"), ("churn@greatest", "v2.0.0-rc.1"),
        ("churn@stable", "v1.10.0"), ("churn@newest", "v1.1.0"), ("churn@v1.2.0", "v1.2.0"), ("churn@v1", "v1.10.0"),
        ("churn@v1.2", "v1.2.3"), ("churn@v0", "v0.9.0"), ("churn@1", "v0.9.0"), ("churn@7", "v1.1.0"),
        ("churn@^1.2", "v1.10.0"), ("churn@~1.2.0", "v1.2.3"), ("churn@>=1.0,<1.2", "v1.1.0"), ("churn@<1", "v0.9.0"),
        ("churn@>=2.0.0-rc.0", "v2.0.0-rc.1"), ("churn@!=1.10.0,<2", "v1.2.3"), ("churn@=1.2", "v1.2.3"),
        ("churn#production", "v1.2.3"), ("churn#bare", commit(99)),
    ],
)  # fmt: skip
def test_what_a_selector_means(text: str, expected: str) -> None:
    assert select.select(CHURN, select.parse(text)).subject == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "churn@v7.0.0",
            "churn@v7.0.0 is not there",
            "there is v2.0.0-rc.1, v1.10.0, v1.2.3, v1.2.0, v1.1.0 and 2 more",
        ),
        ("churn@v1.3.0", "churn@v1.3.0 was deregistered by Ana on 1970-01-01", "there is"),
        ("churn@8", "churn@v1.3.0 was deregistered", "there is"),
        ("churn@99", "churn@99 is not there", "there is"),
        ("churn@^3", "churn@^3 is not there", "there is"),
        ("churn@v3", "churn@v3 is not there", "there is"),
        ("churn#prodution", "nothing of churn is in stage prodution", "did you mean churn#production?"),
        ("churn#qa", "nothing of churn is in stage qa", f"there is production (v1.2.3), bare ({commit(99)[:7]})"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(text: str, message: str, hint: str) -> None:
    with pytest.raises(NotFound) as error:
        select.select(CHURN, select.parse(text))

    assert message in error.value.message
    assert hint in error.value.hint


def test_an_artifact_without_versions_says_how_to_make_one() -> None:
    with pytest.raises(NotFound) as error:
        select.select(state(), select.parse("churn"))

    assert "registry register churn" in error.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@v1.0.0",
        "churn@",
        "churn#",
        "churn@1.2.0",
        "churn@vlatest",
        "churn@0",
        "ch urn",
        "churn#a b",
        "churn@v1.0.0#x",
    ],
)
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(UsageError):
        select.parse(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("^1.2", "v1.2.0 v1.9.9", "v1.1.9 v2.0.0 v1.3.0-rc.1"),
        ("^1.2.3", "v1.2.3 v1.9.0", "v1.2.2 v2.0.0"),
        ("^0.2", "v0.2.0 v0.2.9", "v0.3.0 v0.1.0"),
        ("^0.0.3", "v0.0.3", "v0.0.4 v0.0.2"),
        ("^0", "v0.0.1 v0.9.0", "v1.0.0"),
        ("~1.2.3", "v1.2.3 v1.2.9", "v1.3.0 v1.2.2"),
        ("~1", "v1.0.0 v1.9.0", "v2.0.0"),
        (">=1.0,<2", "v1.0.0 v1.9.9", "v2.0.0 v0.9.9 v2.0.0-rc.1 v1.5.0-rc.1"),
        (">1.2", "v1.3.0", "v1.2.0 v1.2.9"),
        ("<=1.2", "v1.2.9", "v1.3.0"),
        ("==1.2.0", "v1.2.0", "v1.2.1"),
        ("!=1.2", "v1.3.0", "v1.2.0 v1.2.5"),
        (">=1.0.0-rc.1,<2", "v1.0.0-rc.2 v1.5.0-rc.1", "v1.0.0-rc.0 v2.0.0-rc.1"),
        (">= 1.0 , < v2", "v1.0.0", "v2.0.0"),
    ],
)
def test_ranges(text: str, inside: str, outside: str) -> None:
    found = parse_range(text)

    assert all(found.allows(check(version)) for version in inside.split())
    assert not any(found.allows(check(version)) for version in outside.split())


@pytest.mark.parametrize("text", ["^", "^x", ">=1.0,", ">=1.0-rc", "~1.2.3.4", "<>1", ">=01.0", "^1.2,nonsense"])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse_range(text)

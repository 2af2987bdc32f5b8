"""Versions: SemVer 2.0.0 behind a v."""

from __future__ import annotations

import pytest

from registry.core import version as versions
from registry.core.version import Bump
from registry.errors import UsageError

# SemVer clause 11, and numbers that no int() would take.
ASCENDING = [
    "v0.0.1", "v0.9.0", "v1.0.0-0", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta",
    "v1.0.0-beta.2", "v1.0.0-beta.11", "v1.0.0-rc.1", "v1.0.0", "v1.0.1", "v1.10.0", "v2.0.0",
    "v" + "9" * 5000 + ".0.0",
]  # fmt: skip


def test_precedence() -> None:
    keys = [versions.check(text).precedence for text in ASCENDING]

    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_build_metadata_has_no_precedence_and_is_not_equal() -> None:
    one, other = versions.check("v1.0.0+a"), versions.check("v1.0.0+b")

    assert one.precedence == other.precedence
    assert one != other


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.0.0", "v1.0.0"), ("v1.0", "v1.0.0"), ("1", "v1.0.0"), ("v1.0.new", "v1.2.0"), ("", "leave --version out"),
        ("v1.0.0-", "v1.2.0"), ("v1.0.0.lock", "v1.2.0"), ("V1.0.0", "did you mean v1.0.0?"),
        ("v1.0.0\n", "v1.2.0"), ("v\u0661.0.0", "v1"),
    ],
)  # fmt: skip
def test_what_is_no_version_is_told_so(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        versions.check(text)

    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("old", "part", "pre", "new"),
    [
        ("v1.2.3", "patch", None, "v1.2.4"),
        ("v1.2.3", "minor", None, "v1.3.0"),
        ("v1.2.3", "major", None, "v2.0.0"),
        ("v1.2.1-rc.1", "patch", None, "v1.2.1"),
        ("v1.2.1-rc.1", "minor", None, "v1.3.0"),
        ("v1.3.0-rc.1", "minor", None, "v1.3.0"),
        ("v1.2.3+build", "patch", None, "v1.2.4"),
        ("v1.2.0", "patch", "rc", "v1.2.1-rc.1"),
        ("v1.2.1-rc.1", "patch", "rc", "v1.2.1-rc.2"),
        ("v1.2.1-rc.9", "patch", "rc", "v1.2.1-rc.10"),
        ("v1.2.1-alpha.3", "patch", "rc", "v1.2.1-rc.1"),
        ("v1.2.1-rc.1", "patch", "beta", "v1.2.2-beta.1"),
        ("v1.2.0", "minor", "rc", "v1.3.0-rc.1"),
        ("v1.3.0-rc.1", "minor", "rc", "v1.3.0-rc.2"),
        ("v1.3.0-rc.1", "major", "rc", "v2.0.0-rc.1"),
    ],
)
def test_the_next_version(old: str, part: Bump, pre: str | None, new: str) -> None:
    assert versions.bump(versions.check(old), part, pre).text == new


@pytest.mark.parametrize("pre", ["", "r c", "rc!", "é", "1", "a.b"])
def test_a_pre_release_name_that_is_none(pre: str) -> None:
    with pytest.raises(UsageError):
        versions.bump(versions.check("v1.0.0"), "patch", pre)

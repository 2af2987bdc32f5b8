"""What `doctor` says: each mistake in words, and nothing of tags that are not ours (DESIGN parts 2 and 3)."""

from __future__ import annotations

import pytest

from registry.core import diagnosis
from registry.core.diagnosis import Finding, damaged_tag
from registry.core.draft import DAY
from registry.core.events import Event
from registry.core.names import MAX_COUNTER
from registry.core.state import fold
from tests.core.build import commit, event

NOW = 1_000_000
HEADERS = b"object " + b"a" * 40 + b"\ntype %b\ntag %b\ntagger A <a@b> 1 +0000\n\nx\n"


def raw(tag: str = "churn@v1.0.0", kind: str = "commit") -> bytes:
    return HEADERS % (kind.encode(), tag.encode())


@pytest.mark.parametrize(
    ("name", "kind", "data", "code"),
    [
        ("churn@v1.0.0", "tag", raw(), None),
        ("churn@created", "tag", raw("churn@created"), None),
        ("churn@v1.0.0", "commit", None, "lightweight"),
        ("churn#prod", "blob", None, "lightweight"),
        ("churn@v1.0.0", "missing", None, "missing"),
        ("churn@v1.0.0", "tag", b"nonsense", "unreadable"),
        ("churn@v1.0.0", "tag", raw(kind="blob"), "target"),
        ("churn@v1.0.0", "tag", raw(kind="tag"), "target"),
        ("churn@v1.0.0", "tag", raw("other@v1.0.0"), "renamed"),
        ("churn@1.0.0", "tag", raw("churn@1.0.0"), "malformed"),
        ("churn@v1.0", "commit", None, "malformed"),
        ("churn@latest", "tag", raw(), "malformed"),
        ("ch*rn#prod", "tag", raw(), "malformed"),
        # What others keep in refs/tags is not ours.
        ("v1.0.0", "tag", raw("v1.0.0"), None),
        ("init-project", "tag", raw("init-project"), None),
        ("release/2024", "commit", None, None),
        ("me@home", "tag", raw("me@home"), None),
        ("tree", "tree", None, None),
    ],
)
def test_what_looks_like_a_mistake(name: str, kind: str, data: bytes | None, code: str | None) -> None:
    found = damaged_tag(name, kind, data)

    assert (found.code if found is not None else None) == code
    if found is not None:
        assert found.subject == name
        assert found.hint
        assert found.severity == ("warning" if code == "malformed" else "error")


def test_a_version_without_its_v_is_told_so() -> None:
    found = damaged_tag("churn@1.0.0", "tag", raw())

    assert found is not None
    assert found.hint == "the version lacks its v: churn@v1.0.0"


def findings(*events: Event, more: dict[str, list[Event]] | None = None) -> list[Finding]:
    groups = {"churn": list(events), **(more or {})}
    states = {name: fold(name, those) for name, those in groups.items() if those}
    return list(diagnosis.sick_artifacts(states, NOW))


def codes(*events: Event) -> list[tuple[str, str]]:
    return [(found.code, found.subject) for found in findings(*events)]


FIRST = event("churn@v1.0.0", 1, commit(1))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), []),
        # The first and the third kind of assignment are reported, the second is in order.
        ((event("churn#prod#1", 2, keys=("Version: v9.0.0",)),), [("unregistered", "churn#prod#1")]),
        ((event("churn#prod!#1", 2, keys=("Version: nonsense",)),), [("unregistered", "churn#prod!#1")]),
        ((event("churn#prod#1", 2, commit(1)),), []),
        ((event("churn#prod#1", 2, commit(9)),), [("no-version", "churn#prod#1")]),
        ((event("churn#prod#1", 2, commit(9), ("Version: v1.0.0",)),), []),
        ((event("churn@v9.0.0!", 2),), [("unregistered", "churn@v9.0.0!")]),
        ((event("churn@v9.0.0=#1", 2),), [("unregistered", "churn@v9.0.0=#1")]),
        ((event("churn@v1.0.0!#1", 2), event("churn@v1.0.0#2", 3)), []),
        ((event("churn@deprecated#1", NOW + DAY),), []),
        ((event("churn@deprecated#1", NOW + DAY + 1),), [("future", "churn@deprecated#1")]),
        ((event("churn#a#1", 2, commit(1)), event("churn#b#1", 3, commit(1))), [("counters", "churn#b#1")]),
        ((event(f"churn#a#{MAX_COUNTER}", 2, commit(1)),), [("counter", f"churn#a#{MAX_COUNTER}")]),
        ((event("churn#Prod#1", 2, commit(1)), event("churn#prod#2", 3, commit(1))), [("case", "churn")]),
        ((event("churn@v2.0.0-RC", 2), event("churn@v2.0.0-rc", 3)), [("case", "churn")]),
        ((event("churn#aux#1", 2, commit(1)),), [("travel", "churn#aux#1")]),
        (
            (event("churn@v2.0.0", 2, keys=("Number: 3",)), event("churn@v3.0.0", 3, keys=("Number: 3",))),
            [("numbers", "churn@v3.0.0")],
        ),
        ((event("churn@v2.0.0", 2, keys=("Number: two",)),), [("numbers", "churn@v2.0.0")]),
        ((event("churn@v2.0.0", 2, keys=("Number: 2",)),), []),
    ],
)
def test_what_is_ambiguous_or_doubtful(events: tuple[Event, ...], expected: list[tuple[str, str]]) -> None:
    assert codes(FIRST, *events) == expected


def test_why_a_number_does_not_stand() -> None:
    twice = findings(event("churn@v2.0.0", 2, keys=("Number: 3",)), event("churn@v3.0.0", 3, keys=("Number: 3",)))
    none = findings(event("churn@v2.0.0", 2, keys=("Number: two",)))

    assert "claims the number 3, which another version has; it is number 1" in twice[0].message
    assert "claims the number two, which is no number; it is number 1" in none[0].message


def test_artifacts_that_differ_in_case_only() -> None:
    found = findings(FIRST, more={"Churn": [event("Churn@v1.0.0", 1)]})

    assert [(f.code, f.severity, f.subject) for f in found] == [("case", "error", "Churn")]
    assert "Churn, churn differ in case only" in found[0].message

"""From the bytes of a tag object to an event: DESIGN part 2."""

from __future__ import annotations

import pytest

from registry.core.events import Registration, Signatory, event_of, natural, parse_object, parse_signatory

RAW = (
    b"object " + b"a" * 40 + b"\ntype commit\ntag churn@v1.0.0\ntagger Ana <ana@example.com> 1767225600 +0130\n\n"
    b"Register churn v1.0.0\n\nGood.\n\nRegistry: 1\nCounter: 4\n"
)


def test_a_registration() -> None:
    event = event_of("churn@v1.0.0", "oid", RAW)

    assert isinstance(event, Registration)
    assert (event.artifact, event.version, event.counter, event.commit) == ("churn", "v1.0.0", 4, "a" * 40)
    assert event.by == Signatory("Ana", "ana@example.com", 1767225600, 90)
    assert event.by.iso == "2026-01-01T01:30:00+01:30"
    assert (event.message.subject, event.message.body) == ("Register churn v1.0.0", "Good.")


@pytest.mark.parametrize(
    ("tag", "old", "new"),
    [
        ("churn@v2.0.0", b"", b""),  # the name inside differs
        ("churn@v1.0.0", b"type commit", b"type blob"),
        ("churn@v1.0.0", b"type commit", b"type tag"),
        ("churn@v1.0.0", b"object aaaa", b"object zzzz"),
        ("churn@v1.0.0", b"tag churn", b"gat churn"),
        ("cnn", b"", b""),
    ],
)
def test_what_is_no_event(tag: str, old: bytes, new: bytes) -> None:
    assert event_of(tag, "oid", RAW.replace(old, new) if old else RAW) is None


def test_gtos_creation_is_ignored() -> None:
    assert event_of("churn@created", "oid", RAW.replace(b"churn@v1.0.0\n", b"churn@created\n", 1)) is None


def test_the_counter_in_the_name_wins() -> None:
    event = event_of("churn@v1.0.0#9", "oid", RAW.replace(b"tag churn@v1.0.0\n", b"tag churn@v1.0.0#9\n"))

    assert event is not None
    assert event.counter == 9


def test_latin_1_and_other_headers_are_read() -> None:
    raw = RAW.replace(b"Good.", b"G\xfct.").replace(b"+0130\n\n", b"+0130\nencoding ISO-8859-1\n\n")
    event = event_of("churn@v1.0.0", "oid", raw)

    assert event is not None
    assert event.message.body == "Güt."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana <a@b> 10 +0000", Signatory("Ana", "a@b", 10, 0)),
        ("Ana <a@b> 10 -0830", Signatory("Ana", "a@b", 10, -510)),
        ("Ana <a@b>", Signatory("Ana", "a@b", 0, 0)),
        ("<> 10 +0000", Signatory("", "", 10, 0)),
        ("", Signatory("", "", 0, 0)),
        ("nonsense", Signatory("nonsense", "", 0, 0)),
    ],
)
def test_who_made_a_tag(text: str, expected: Signatory) -> None:
    assert parse_signatory(text) == expected


@pytest.mark.parametrize("seconds", [-(10**18), -1, 0, 10**18])
@pytest.mark.parametrize("offset", [-6039, -720, 0, 840, 6039])
def test_every_date_can_be_shown(seconds: int, offset: int) -> None:
    assert "T" in Signatory("", "", seconds, offset).iso


def test_a_tag_without_a_tagger_is_one() -> None:
    raw = RAW.replace(b"tagger Ana <ana@example.com> 1767225600 +0130\n", b"")

    found = parse_object(raw)
    assert found is not None
    assert found.tagger.seconds == 0


@pytest.mark.parametrize(
    ("text", "n"), [("1", 1), ("0", None), ("01", None), ("-1", None), (str(2**63), None), ("²", None)]
)
def test_natural_numbers(text: str, n: int | None) -> None:
    assert natural(text) == n

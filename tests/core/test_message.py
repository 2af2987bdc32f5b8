"""The message of a tag: DESIGN part 2."""

from __future__ import annotations

import pytest

from registry.core import message
from registry.errors import UsageError


def test_a_message_is_subject_words_and_block() -> None:
    text = message.compose(
        "Assign churn v1.2.0 to production", "Tests passed.\n\nAll of them.", [("Version", "v1.2.0")]
    )

    assert text == (
        "Assign churn v1.2.0 to production\n\nTests passed.\n\nAll of them.\n\nRegistry: 1\nVersion: v1.2.0\n"
    )
    found = message.parse(text)
    assert (found.subject, found.body) == ("Assign churn v1.2.0 to production", "Tests passed.\n\nAll of them.")
    assert found.keys == {"Version": ("v1.2.0",)}


def test_keys_repeat_and_unknown_ones_are_kept() -> None:
    found = message.parse("x\n\nRegistry: 1\nLabel: a\nLabel: b\nOf-Tomorrow: c: d\nnot a key\n")

    assert found.keys == {"Label": ("a", "b"), "Of-Tomorrow": ("c: d",)}


def test_a_message_without_a_block_is_all_words() -> None:
    found = message.parse("Assigning stage dev to artifact churn\n\nbecause\n")

    assert not found.ours
    assert found.keys == {}
    assert found.body == "Assigning stage dev to artifact churn\n\nbecause"


@pytest.mark.parametrize(
    "text",
    [
        "x\n\nRegistry: 1\nNumber: 7\n\nlast words",
        "x\n\nRegistry: 11\nNumber: 7",
        "x\n\nNumber: 7\nRegistry: 1",
        "x\nRegistry: 1\nNumber: 7",
        "x\n\n Registry: 1\nNumber: 7",
        "x\n\nregistry: 1\nNumber: 7",
    ],
)
def test_only_a_last_paragraph_that_begins_so_is_the_block(text: str) -> None:
    assert message.parse(text).keys == {}


@pytest.mark.parametrize("kind", ["PGP SIGNATURE", "SSH SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE"])
def test_a_signature_is_cut_off(kind: str) -> None:
    found = message.parse(f"x\n\nRegistry: 1\nNumber: 7\n-----BEGIN {kind}-----\nabc\n-----END {kind}-----\n")

    assert found.signed
    assert found.keys == {"Number": ("7",)}


@pytest.mark.parametrize(
    "body", ["-----BEGIN SSH SIGNATURE-----", "a\n-----BEGIN PGP SIGNATURE-----\nb", "\x00", "\x1b[2J"]
)
def test_words_that_would_be_read_as_something_else_are_refused(body: str) -> None:
    with pytest.raises(UsageError):
        message.compose("subject", body, [])


@pytest.mark.parametrize("value", ["a\nNumber: 9", "a\rb", "a\x85b", "a\u2028b", "\ud800"])
def test_a_value_holds_no_line_of_its_own(value: str) -> None:
    with pytest.raises(UsageError):
        message.compose("subject", "", [("Reason", value)])


def test_line_ends_of_windows_become_plain() -> None:
    assert message.parse(message.compose("s", "one\r\ntwo\r\n", [])).body == "one\ntwo"

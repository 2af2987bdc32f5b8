"""What somebody careless or hostile may write: it costs nobody else anything, and passes for nothing of ours."""

from __future__ import annotations

import pytest

from registry.core import message
from registry.core.draft import DAY, Draft, lay
from registry.core.events import Signatory, event_of, parse_signatory
from registry.core.names import MAX_COUNTER, Form, parse_tag
from registry.core.state import fold
from registry.core.version import check
from registry.errors import Refused, UsageError
from tests.core.build import HEAD, commit, event, state

ANA = Signatory("Ana", "ana@example.com", 1000, 0)


@pytest.mark.parametrize(
    "text",
    ["<" * 1_000_000, "<> " * 300_000, "a <b" * 250_000 + ">", ">" + "<" * 1_000_000, "<a> " + "1" * 1_000_000],
)
def test_a_tagger_of_a_megabyte_is_read_in_one_pass(text: str) -> None:
    assert parse_signatory(text).seconds == 0  # a pattern that tries every "<" would still be at it tomorrow


def test_a_key_repeated_a_hundred_thousand_times_is_read_in_one_pass() -> None:
    found = message.parse("x\n\nRegistry: 1\n" + "Label: a\n" * 100_000)

    assert len(found.keys["Label"]) == 100_000


@pytest.mark.parametrize(
    "tag", ["a/" * 50_000, "m@v1.0.0-" + "a." * 50_000, "m@v1.0.0-" + "0" * 100_000, "=" * 100_000]
)
def test_a_long_name_is_read_in_one_pass(tag: str) -> None:
    assert parse_tag(tag) is None


def test_a_version_of_ten_thousand_digits_is_compared_and_not_counted() -> None:
    huge = "v" + "9" * 10_000 + ".0.0"
    found = state(event("churn@v1.0.0", 1, commit(1)), event(f"churn@{huge}", 2, commit(2)))

    assert found.latest is not None
    assert found.latest.name == huge


@pytest.mark.parametrize("subject", ["", " ", "\n", "two\nlines", "a\tb", "a\rb", "-----BEGIN PGP SIGNATURE-----"])
def test_a_subject_is_one_line_of_words(subject: str) -> None:
    with pytest.raises(UsageError):
        message.compose(subject, "Number: 7", [])


@pytest.mark.parametrize("key", ["", "label", "Two Words", "A:b", "A\nNumber", "Ümlaut", "1st", " Label"])
def test_a_key_that_cannot_be_read_back_is_not_written(key: str) -> None:
    with pytest.raises(UsageError, match="not a name for a key"):
        message.compose("Register", "", [(key, "x")])


@pytest.mark.parametrize(
    "body",
    [
        "Registry: 1\nNumber: 7",
        "words\n\nRegistry: 1\nNumber: 7\nPrevious: 0\n",
        "words\n\n\n\nRegistry: 1\nNumber: 7\n\n\n",
        "words\r\n\r\nRegistry: 1\r\nNumber: 7\r\n",
        " \n\nRegistry: 1\nNumber: 7\n\n ",
        " -----BEGIN PGP SIGNATURE-----\nNumber: 7",
    ],
)
def test_words_that_look_like_our_block_stay_words(body: str) -> None:
    found = message.parse(message.compose("Register churn v1.0.0", body, [("Counter", "1")]))

    assert found.keys == {"Counter": ("1",)}
    assert found.subject == "Register churn v1.0.0"
    assert found.body == body.replace("\r\n", "\n").strip("\n")


def test_what_stands_after_the_block_undoes_it() -> None:
    text = message.compose("Register", "", [("Number", "7")])

    assert message.parse(text + "\nmore words\n").keys == {}


def test_the_last_signature_is_the_one_that_git_takes() -> None:
    inner = "x\n\nRegistry: 1\nNumber: 7\n-----BEGIN SSH SIGNATURE-----\na\n-----END SSH SIGNATURE-----\n"

    assert message.parse(inner + "-----BEGIN PGP SIGNATURE-----\nb\n").keys["Number"] == ("7",)
    assert message.parse("-----BEGIN SSH SIGNATURE-----\n" + "y\n\nRegistry: 1\nNumber: 8\n").keys == {}
    quoted = "-----BEGIN SSH SIGNATURE-----\n\nRegistry: 1\nNumber: 9\n-----BEGIN PGP SIGNATURE-----\nb\n"
    assert message.parse(quoted).keys["Number"] == ("9",)


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_signed_event_says_that_it_is_signed() -> None:
    def seal(raw: bytes) -> bytes:
        return raw + b"-----BEGIN SSH SIGNATURE-----\nabc\n-----END SSH SIGNATURE-----\n"

    [laid] = lay(fold("churn", []), [Draft(Form.REGISTRATION, "churn", HEAD, "Register", "v1.0.0")], ANA, seal)

    assert laid.event.message.signed
    assert laid.event == event_of("churn@v1.0.0", laid.event.oid, laid.raw)


def test_one_write_may_register_withdraw_and_register_again() -> None:
    drafts = [
        Draft(form, "churn", HEAD, "x", "v1.0.0")
        for form in (Form.REGISTRATION, Form.DEREGISTRATION, Form.REGISTRATION, Form.AMENDMENT)
    ]

    laid = lay(fold("churn", []), drafts, ANA)

    assert [one.event.tag for one in laid] == ["churn@v1.0.0", "churn@v1.0.0!#2", "churn@v1.0.0#3", "churn@v1.0.0=#4"]
    assert [one.event.keys.get("Counter") for one in laid] == [("1",), None, None, None]


def test_the_last_counter_is_used_and_not_passed() -> None:
    found = state(event(f"churn#prod#{MAX_COUNTER - 1}", 1))
    draft = Draft(Form.ASSIGNMENT, "churn", HEAD, "x", stage="prod")

    assert lay(found, [draft], ANA)[0].event.counter == MAX_COUNTER
    with pytest.raises(Refused, match="used up"):
        lay(found, [draft, draft], ANA)


@pytest.mark.parametrize(("ahead", "expected"), [(DAY - 1, DAY), (DAY, DAY + 1), (DAY + 1, 0)])
def test_a_date_is_followed_to_a_day_ahead_and_no_further(ahead: int, expected: int) -> None:
    found = state(event("churn@v1.0.0", 1000 + ahead))

    [laid] = lay(found, [Draft(Form.ASSIGNMENT, "churn", HEAD, "x", stage="prod")], ANA)

    assert laid.event.by.seconds == 1000 + expected


def test_a_foreign_number_that_is_too_great_harms_no_other() -> None:
    found = state(
        event("churn@v1.0.0", 1, keys=(f"Number: {2**63 - 1}",)),
        event("churn@v2.0.0", 2, keys=(f"Number: {2**63}",)),
        event("churn@v3.0.0", 3, keys=(f"Number: {2**63}",)),
    )

    assert [v.number for v in found.versions.values()] == [2**63 - 1, 1, 2]


@pytest.mark.parametrize("text", ["v01.0", "01", "v1.02"])
def test_no_hint_names_a_version_that_is_none(text: str) -> None:
    with pytest.raises(UsageError) as error:
        check(text)

    assert "such as v1.2.0" in error.value.hint

"""New events: names, counters, the chain and dates (DESIGN parts 2 and 6)."""

from __future__ import annotations

import hashlib

import pytest

from registry.core.draft import DAY, Draft, lay, loose_ends
from registry.core.events import Signatory, event_of
from registry.core.names import Form
from registry.core.state import ArtifactState, fold
from registry.errors import Refused
from tests.core.build import HEAD, event, state

ANA = Signatory("Ana", "ana@example.com", 1000, 90)


def registration(version: str = "v1.0.0") -> Draft:
    return Draft(Form.REGISTRATION, "churn", HEAD, "Register", version)


def assignment(stage: str = "prod") -> Draft:
    return Draft(Form.ASSIGNMENT, "churn", HEAD, "Assign", stage=stage, keys=(("Version", "v1.0.0"),))


def test_a_first_registration_is_plain_and_says_its_counter() -> None:
    [laid] = lay(fold("churn", []), [registration()], ANA)

    assert laid.event.tag == "churn@v1.0.0"
    assert laid.event.counter == 1
    assert laid.raw.startswith(b"object " + HEAD.encode() + b"\ntype commit\ntag churn@v1.0.0\ntagger Ana <ana@example")
    assert b"> 1000 +0130\n" in laid.raw


def test_what_is_laid_is_what_will_be_read() -> None:
    for laid in lay(state(event("churn@v1.0.0", 1)), [registration("v2.0.0"), assignment()], ANA):
        assert event_of(laid.event.tag, laid.event.oid, laid.raw) == laid.event
        assert laid.event.oid == hashlib.sha1(b"tag %d\0" % len(laid.raw) + laid.raw).hexdigest()  # noqa: S324  (Git's)


def test_a_registration_again_has_its_counter_in_its_name() -> None:
    [laid] = lay(state(event("churn@v1.0.0", 1), event("churn@v1.0.0!#4", 2)), [registration()], ANA)

    assert laid.event.tag == "churn@v1.0.0#5"


def test_counters_dates_and_the_chain_go_on_within_one_write() -> None:
    first, second = lay(state(event("churn@v1.0.0", 5000, keys=("Counter: 3",))), [assignment(), assignment("qa")], ANA)

    assert (first.event.counter, second.event.counter) == (4, 5)
    assert (first.event.by.seconds, second.event.by.seconds) == (5001, 5002)
    assert first.event.keys["Previous"] == ("oid of churn@v1.0.0",)
    assert second.event.keys["Previous"] == (first.event.oid,)


def test_the_seal_is_part_of_what_the_next_one_names() -> None:
    first, second = lay(state(event("churn@v1.0.0", 1)), [assignment(), assignment("qa")], ANA, lambda raw: raw + b"!")

    assert first.raw.endswith(b"!")
    assert second.event.keys["Previous"] == (first.event.oid,)


@pytest.mark.parametrize(("there", "expected"), [(999, 1000), (1000, 1001), (5000, 5001), (1000 + DAY + 1, 1000)])
def test_a_date_is_later_than_every_believable_one(there: int, expected: int) -> None:
    [laid] = lay(state(event("churn@v1.0.0", there)), [assignment()], ANA)

    assert laid.event.by.seconds == expected


def test_the_first_of_ours_takes_in_all_of_gtos() -> None:
    found = state(event("churn@v1.0.0", 1), event("churn#prod#1", 2), event("churn@v2.0.0", 3))

    assert loose_ends(found.events) == ["oid of churn@v1.0.0", "oid of churn#prod#1", "oid of churn@v2.0.0"]


def test_then_it_is_our_tail_first_and_what_nobody_named() -> None:
    found = state(
        event("churn@v1.0.0", 1),
        event("churn#prod#1", 2, keys=("Previous: oid of churn@v1.0.0", "Version: v1.0.0")),
        event("churn#dev#2", 3),
        event("churn@v2.0.0", 1),
    )

    assert loose_ends(found.events) == ["oid of churn#prod#1", "oid of churn@v2.0.0", "oid of churn#dev#2"]


def test_of_a_fork_the_last_comes_first() -> None:
    found = state(
        event("churn@v1.0.0", 1, keys=("Counter: 1",)),
        event("churn#a#2", 2, keys=("Previous: oid of churn@v1.0.0",)),
        event("churn#b#3", 3, keys=("Previous: oid of churn@v1.0.0",)),
    )

    assert loose_ends(found.events) == ["oid of churn#b#3", "oid of churn#a#2"]


def test_used_up_counters_are_told() -> None:
    with pytest.raises(Refused, match="used up"):
        lay(state(event(f"churn#prod#{2**63 - 1}", 1)), [assignment()], ANA)


def test_a_sha_256_repository_gets_its_own_ids() -> None:
    draft = Draft(Form.REGISTRATION, "churn", "b" * 64, "Register", "v1.0.0")

    [laid] = lay(ArtifactState("churn", ()), [draft], ANA)

    assert len(laid.event.oid) == 64

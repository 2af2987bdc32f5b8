"""What holds of all names, messages, orders and states, not of chosen ones."""

from __future__ import annotations

import re
from itertools import pairwise

import semver
from hypothesis import given
from hypothesis import strategies as st

from registry.core import message, names
from registry.core import version as versions
from registry.core.events import Event, event_of, parse_object, parse_signatory
from registry.core.message import MAGIC
from registry.core.names import MAX_COUNTER, Form, TagName, parse_tag
from registry.core.order import ordered
from registry.core.state import fold
from registry.core.version import Bump
from registry.errors import UsageError
from tests.core.build import commit, event

words = st.from_regex(re.compile(names.WORD_PATTERN), fullmatch=True).filter(lambda text: "//" not in text)
directories = st.from_regex(r"[a-z0-9_][a-z0-9_-]{0,8}(/[a-z0-9_]{1,5}){0,2}", fullmatch=True)
artifacts = st.one_of(words, st.builds("{}:{}".format, directories, words))
version_texts = st.from_regex(re.compile(names.VERSION_PATTERN), fullmatch=True).filter(
    lambda text: not text.endswith(".lock")
)
counters = st.integers(1, MAX_COUNTER)


@given(artifacts, version_texts, words, counters)
def test_every_name_that_is_written_is_read_back(artifact: str, version: str, stage: str, counter: int) -> None:
    for name in (
        TagName(Form.REGISTRATION, artifact, version),
        TagName(Form.REGISTRATION, artifact, version, counter=counter),
        TagName(Form.DEREGISTRATION, artifact, version, counter=counter),
        TagName(Form.AMENDMENT, artifact, version, counter=counter),
        TagName(Form.ASSIGNMENT, artifact, stage=stage, counter=counter),
        TagName(Form.UNASSIGNMENT, artifact, stage=stage, counter=counter),
        TagName(Form.DEPRECATION, artifact, counter=counter),
    ):
        assert parse_tag(str(name)) == name


@given(st.one_of(st.text(), st.from_regex(r"[a-z/=.]+[@#][a-z0-9v.!=#+-]*")))
def test_every_name_that_is_read_is_written_the_same(text: str) -> None:
    name = parse_tag(text)

    assert name is None or str(name) == text


@given(version_texts, version_texts)
def test_precedence_is_semvers(one: str, other: str) -> None:
    ours = versions.check(one).precedence, versions.check(other).precedence
    theirs = semver.Version.parse(one[1:]).compare(other[1:])

    assert (ours[0] > ours[1]) - (ours[0] < ours[1]) == theirs


@given(version_texts, st.sampled_from(["major", "minor", "patch"]), st.sampled_from([None, "rc", "beta", "a-b"]))
def test_a_bump_goes_up_and_is_semvers(text: str, part: Bump, pre: str | None) -> None:
    old = versions.check(text)
    new = versions.bump(old, part, pre)

    assert new.precedence > old.precedence
    if pre is None:
        assert new.text[1:] == str(semver.Version.parse(text[1:]).replace(build=None).next_version(part))
    else:
        assert new.is_prerelease


nasty = st.lists(
    st.sampled_from(
        [MAGIC, "Number: 7", "Version: v9.9.9", "", " ", "\t", "Registry: 1 ", "-----BEGIN SSH SIGNATURE-----", "\r\n",
         "-----BEGIN PGP SIGNATURE-----", "x", "\u2028", "\x0c", "\x85", "-----END PGP SIGNATURE-----", "é", "#"]
    ),
    max_size=12,
)  # fmt: skip
bodies = st.one_of(nasty.map("\n".join), nasty.map("\n\n".join), st.text())
keys = st.lists(st.tuples(st.sampled_from(["Number", "Label", "Reason", "Of-Tomorrow"]), st.one_of(st.text(), bodies)))


@given(bodies, bodies, keys)
def test_no_message_can_forge_or_hide_metadata(subject: str, body: str, said: list[tuple[str, str]]) -> None:
    try:
        text = message.compose(subject, body, said)
    except UsageError:
        return  # refused is as good

    found = message.parse(text)
    assert found.ours
    assert not found.signed
    assert [(key, value) for key, values in found.keys.items() for value in values] == sorted(
        ((key, value.strip()) for key, value in said), key=lambda pair: [key for key, _ in said].index(pair[0])
    )
    assert found.body == body.replace("\r\n", "\n").strip("\n")


@given(st.binary())
def test_any_bytes_are_an_event_or_none(raw: bytes) -> None:
    head = b"object " + b"a" * 40 + b"\ntype commit\ntag churn@v1.0.0\n"

    assert event_of("churn@v1.0.0", "oid", raw) is None
    assert parse_object(head + raw) is not None
    event_of("churn@v1.0.0", "oid", head + b"tagger " + raw)
    event_of("churn@v1.0.0", "oid", head + b"tagger A <a@b> 1 +0000\n\n" + raw)


@given(st.text())
def test_any_text_is_a_date(text: str) -> None:
    assert "T" in parse_signatory(text).iso
    assert "T" in parse_signatory(f"A <a> {text}").iso


some_tags = st.sampled_from(
    ["churn@v1.0.0", "churn@v1.0.0#{n}", "churn@v1.0.0!#{n}", "churn@v1.0.0!", "churn@v2.0.0", "churn@v2.0.0+b",
     "churn@v2.0.0=#{n}", "churn#prod#{n}", "churn#prod!#{n}", "churn#prod", "churn#qa#{n}", "churn@deprecated#{n}"]
)  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    found: dict[str, Event] = {}
    for _ in range(draw(st.integers(0, 12))):
        tag = draw(some_tags).format(n=draw(st.integers(1, 8)))
        said = tuple(draw(st.lists(st.sampled_from(["Version: v1.0.0", "Version: v9.0.0", "Number: 2", "Counter: 3"]))))
        found[tag] = event(tag, draw(st.integers(0, 6)), commit(draw(st.integers(1, 3))), said)
    return list(found.values())


@given(events(), st.randoms(use_true_random=False))
def test_the_order_of_the_listing_changes_nothing(found: list[Event], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random, which hypothesis does not say

    one, other = fold("churn", found), fold("churn", shuffled)

    assert one.events == other.events
    assert one.versions == other.versions
    assert one.holdings == other.holdings


@given(events())
def test_counters_are_never_out_of_order_and_numbers_never_shared(found: list[Event]) -> None:
    order = ordered(found)
    ours = [event.counter for event in order if event.counter is not None and event.ours]
    seen_by_gto = [
        event.counter
        for event in order
        if event.counter is not None and event.tag.endswith(f"#{event.counter}") and "=" not in event.tag
    ]
    numbers = [version.number for version in fold("churn", found).versions.values()]

    assert all(one <= other for one, other in pairwise(ours))
    assert all(one <= other for one, other in pairwise(seen_by_gto))
    assert len(set(numbers)) == len(numbers)


@given(events())
def test_without_counters_the_dates_decide(found: list[Event]) -> None:
    dates = [event.by.seconds for event in ordered(event for event in found if event.counter is None)]

    assert dates == sorted(dates)


@given(events())
def test_what_holds_a_stage_is_active_or_no_version_at_all(found: list[Event]) -> None:
    state = fold("churn", found)

    for holders in state.holdings.values():
        assert holders
        assert all(h.subject not in state.versions or state.versions[h.subject].active for h in holders)

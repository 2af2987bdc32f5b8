"""docs/format.md holds together: its sections, its grammar, its example, and the vectors that name them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.vectors.grammar import CORE, PAGE, matches, rules, tokens
from tests.vectors.read import DOCS, VECTORS, Case, raw_tag, text_or_bytes, vectors

FILES = sorted(file.stem for file in VECTORS.glob("*.json"))

_named = re.compile(r"\(([0-9]+\.[0-9]+(?:, [0-9]+\.[0-9]+)*)\)\.$")


# -- sections ----------------------------------------------------------------------------------------------------------


def sections() -> dict[str, str]:
    """The numbered sections of the page, and what stands in them."""
    pieces = re.split(r"^#{2,3} ([0-9]+(?:\.[0-9]+)?)\.? .*$", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def whys(value: object) -> Iterator[str]:
    """Every `why` in a file."""
    if isinstance(value, dict):
        if "why" in value:
            yield str(value["why"])
        for one in value.values():
            yield from whys(one)
    elif isinstance(value, list):
        for one in value:
            yield from whys(one)


def test_every_case_says_why_and_names_its_sections() -> None:
    said = [why for name in FILES for why in whys(vectors(name))]

    assert [why for why in said if _named.search(why) is None] == []
    assert len(said) > 400


def test_every_section_with_a_rule_is_named_by_a_vector() -> None:
    found = (_named.search(why) for name in FILES for why in whys(vectors(name)))
    named = {section for one in found if one is not None for section in one.group(1).split(", ")}
    there = sections()

    assert named <= there.keys()
    assert {number for number, text in there.items() if re.search(r"\b(MUST|SHOULD)\b", text)} - {"1.1"} <= named


def test_sections_are_numbered_without_gaps_and_references_lead_somewhere() -> None:
    numbers = [tuple(map(int, number.split("."))) for number in sections()]
    top = [number[0] for number in numbers if len(number) == 1]

    assert top == list(range(1, len(top) + 1))
    for chapter in top:
        below = [number[1] for number in numbers if number[0] == chapter and len(number) > 1]
        assert below == list(range(1, len(below) + 1))
    referred = re.findall(r"\(([0-9]+\.[0-9]+)\)|\bof ([0-9]+\.[0-9]+)\b|\bby ([0-9]+\.[0-9]+)\b", PAGE)
    assert {number for group in referred for number in group if number} <= sections().keys()


def test_the_worked_example_is_the_vector() -> None:
    [case] = [case for case in vectors("registries")["cases"] if case["name"] == "worked-example"]
    first, *others = case["tags"]

    dumped = "".join(re.findall(r"^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+) ", PAGE, re.MULTILINE))
    assert bytes.fromhex(dumped) == raw_tag(first)
    assert first["id"] in PAGE
    for tag in others:
        raw = raw_tag(tag)
        assert raw is not None
        assert f"`{tag['id']}`, {len(raw)} bytes:\n\n```text\n{raw.decode()}```" in PAGE


def test_the_pages_name_files_and_cases_that_are_there() -> None:
    for page in ("format.md", "ordering.md", "immutable.md", "vectors/README.md"):
        text = (DOCS / page).read_text()
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            assert "://" in link or ((DOCS / page).parent / link).exists(), (page, link)
        cases = {case["name"] for case in vectors("registries")["cases"]}
        assert set(re.findall(r"\bcases? `([a-z0-9-]+)`", text)) <= cases, page
    assert all(f"`{name}.json`" in (VECTORS / "README.md").read_text() for name in FILES)


# -- the grammar -------------------------------------------------------------------------------------------------------


def test_every_rule_that_is_used_is_defined_and_every_other_is_a_beginning() -> None:
    defined = rules()
    used = {token for text in defined.values() for kind, token in tokens(text) if kind == "rule"}

    assert used <= defined.keys() | CORE.keys()
    beginnings = {"head-ref", "tag", "tag-object", "tagger", "block", "selector", "new-message"}
    assert defined.keys() - used == beginnings


PROSE = re.compile(r"\.lock|[0-9]{19}")  # what the page says in words: no .lock, counters and numbers to 2^63-1


def test_the_grammar_of_tag_names_is_that_of_the_vectors() -> None:
    names = vectors("names")

    assert [one["tag"] for one in names["valid"] if not matches("tag", one["tag"])] == []
    accepted = [one["tag"] for one in names["invalid"] if matches("tag", one["tag"])]
    assert [tag for tag in accepted if not PROSE.search(tag)] == []
    for one in names["valid"]:
        assert matches(one["parsed"]["form"], one["tag"])
        assert matches("named-artifact", one["parsed"]["artifact"])
    assert all(matches("head-ref", one["head"]) for one in names["artifacts"]["valid"])
    assert [one for one in names["artifacts"]["invalid"] if matches("named-artifact", one["artifact"])] == [
        {"artifact": "a.lock:b", "why": "Not a name for an artifact (4.3)."}
    ]


def test_the_grammar_of_versions_is_that_of_the_vectors() -> None:
    versions = vectors("versions")

    assert all(matches("version", one["version"]) for one in versions["valid"])
    accepted = [one["version"] for one in versions["invalid"] if matches("version", one["version"])]
    assert [version for version in accepted if not PROSE.search(version)] == []


@pytest.mark.parametrize("versions", vectors("selectors")["lists"], ids=lambda versions: versions["name"])
def test_the_grammar_of_selectors_is_that_of_the_vectors(versions: Case) -> None:
    for case in versions["cases"]:
        wrong = case.get("error") == "usage" and not PROSE.search(case["selector"])
        assert matches("selector", case["selector"]) is not wrong or PROSE.search(case["selector"]), case


def test_the_grammar_of_objects_is_that_of_the_vectors() -> None:
    for case in vectors("objects")["cases"]:
        raw = text_or_bytes(case, "object").decode("latin-1")
        assert matches("tag-object", raw) is (case["parsed"] is not None), case
    for case in vectors("registries")["cases"]:
        for tag in case["tags"]:
            if "tagger" in tag and "\x1b" not in tag["tagger"]["name"]:
                raw_bytes = raw_tag(tag)
                assert raw_bytes is not None
                line = raw_bytes.split(b"\n")[3].removeprefix(b"tagger ").decode("latin-1")
                assert matches("tagger", line)


def test_the_grammar_of_messages_is_that_of_the_vectors() -> None:
    messages = vectors("messages")

    assert all(matches("new-message", case["message"]) for case in messages["compose"])
    for case in vectors("writing")["cases"]:
        assert all(matches("new-message", tag["object"].partition("\n\n")[2]) for tag in case["written"])
    for case in messages["parse"]:
        if case["block"] and "message" in case and not case["signed"]:
            text = case["message"].strip("\n")
            assert matches("block", text.rpartition("\n\n")[2]), case

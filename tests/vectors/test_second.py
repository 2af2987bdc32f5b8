"""The page alone is enough: a reader written from it passes the vectors too."""

from __future__ import annotations

import pytest

from tests.vectors import second
from tests.vectors.read import Case, raw_tag, tag_id, vectors


@pytest.mark.parametrize("case", vectors("registries")["cases"], ids=lambda case: case["name"])
def test_a_second_reader_passes(case: Case) -> None:
    objects = [(tag["tag"], tag_id(tag), raw) for tag in case["tags"] if (raw := raw_tag(tag)) is not None]
    events = [event for name, oid, raw in objects if (event := second.event(name, oid, raw)) is not None]
    artifacts = sorted({event.artifact for event in events})

    assert artifacts == sorted(case["artifacts"])
    for artifact in artifacts:
        found = second.state([event for event in events if event.artifact == artifact])
        expected = case["artifacts"][artifact]
        assert {key: found[key] for key in expected if key in found} == {
            key: expected[key] for key in expected if key in found
        }


def test_a_second_reader_knows_the_names() -> None:
    for case in vectors("names")["valid"]:
        said, expected = second.parts(case["tag"]), case["parsed"]
        assert said is not None
        assert {**said, "named": None, "kind": None} == {
            "kind": None,
            "artifact": expected["artifact"],
            "version": expected.get("version"),
            "stage": expected.get("stage"),
            "named": None,
        }
        assert (said["kind"], said["named"]) == (expected["form"], expected.get("counter"))
    assert [case["tag"] for case in vectors("names")["invalid"] if second.parts(case["tag"]) is not None] == []


def test_a_second_reader_knows_the_blocks() -> None:
    for case in vectors("messages")["parse"]:
        if "message" in case:
            assert second.block(case["message"]) == (case["keys"] if case["block"] else None), case

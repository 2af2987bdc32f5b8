"""Whole registries: the pure fold, and the same tags in a real repository (docs/vectors/registries.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.errors import NotFound
from tests.story import RepoStory
from tests.vectors.read import Case, chain, commit_id, problems, raw_tag, said, states, tag_id, vectors

CASES: list[Case] = vectors("registries")["cases"]
COMMITS: dict[str, str] = vectors("registries")["commits"]

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])


@each_case
def test_the_ids_are_those_of_the_bytes(case: Case) -> None:
    given = {tag["tag"]: tag["id"] for tag in case["tags"] if "id" in tag}

    assert given == {tag["tag"]: tag_id(tag) for tag in case["tags"] if "lightweight" not in tag}
    assert {commit_id(raw): raw for raw in COMMITS.values()} == COMMITS


@each_case
def test_our_fold_passes(case: Case) -> None:
    found = states(case)

    assert {name: said(state, case["artifacts"].get(name, {})) for name, state in found.items()} == case["artifacts"]


@each_case
def test_a_fold_in_any_order_of_tags_passes(case: Case) -> None:
    assert states({**case, "tags": case["tags"][::-1]}) == states(case)


@each_case
def test_what_is_no_event_is_ignored(case: Case) -> None:
    events = {event.tag for state in states(case).values() for event in state.events}

    assert sorted(tag["tag"] for tag in case["tags"] if tag["tag"] not in events) == sorted(case.get("ignored", []))


@each_case
def test_our_doctor_reports_the_problems(case: Case) -> None:
    assert problems(case) == sorted((one["code"], one["subject"]) for one in case.get("problems", []))
    assert chain(case) == [(one["code"], one["tag"]) for one in case.get("chain", [])]


# -- real Git ----------------------------------------------------------------------------------------------------------


def laid(case: Case, path: Path) -> RepoStory:
    """A repository with the commits and tags of a case."""
    story = RepoStory.begin(path)
    story.git("hash-object", "-t", "tree", "-w", "--stdin", data=b"")
    for oid, text in COMMITS.items():
        assert story.git("hash-object", "-t", "commit", "-w", "--stdin", data=text.encode()) == oid
    refs = [f"{next(iter(COMMITS))} refs/heads/main\n"]
    for tag in case["tags"]:
        raw = raw_tag(tag)
        if raw is not None:
            flags = ("-t", "tag", "-w", "--literally", "--stdin")
            assert story.git("hash-object", *flags, data=raw) == tag["id"]
        refs.append(f"{tag_id(tag)} refs/tags/{tag['tag']}\n")
    # By hand, for update-ref refuses objects that cannot be read; packed, for names may differ in case only.
    (path / ".git" / "packed-refs").write_text("".join(refs))
    return story


@each_case
def test_a_real_repository_passes(case: Case, tmp_path: Path) -> None:
    registry = laid(case, tmp_path / "repo").registry

    shown = {one.name: one for one in registry.show(deprecated=True)}
    assert set(shown) == set(case["artifacts"])
    for name, expected in case["artifacts"].items():
        assert shown[name].latest == expected["latest"]
        assert shown[name].stages == {stage: holders[0] for stage, holders in expected["stages"].items()}
        assert shown[name].deprecated == expected["deprecated"]
        assert [event.tag for event in registry.history(name)] == expected["order"]
        listed = {v.version: (v.number, v.commit, v.active, list(v.stages)) for v in registry.list_versions(name)}
        assert listed == {
            v["version"]: (v["number"], v["commit"], v["active"], v["stages"]) for v in expected["versions"]
        }
        for word in ("latest", "stable", "newest"):
            assert _found(registry, f"{name}@{word}") == expected[word]
        for selector, answer in expected.get("selectors", {}).items():
            assert _found(registry, selector) == answer


def _found(registry: Any, selector: str) -> str | None:
    try:
        return str(registry.find(selector))
    except NotFound:
        return None


SAMPLE = (
    "worked-example",
    "gto-stages",
    "forced-move",
    "one-artifact-harms-no-other",
    "paths",
    "bare-commit",
    "signed",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_command_line_passes(name: str, tmp_path: Path) -> None:
    [case] = [case for case in CASES if case["name"] == name]
    story = laid(case, tmp_path / "repo")

    shown = json.loads(story.cli("show", "--json", "--deprecated").out)["artifacts"]
    assert {one["name"]: (one["latest"], one["stages"], one["deprecated"]) for one in shown} == {
        artifact: (e["latest"], {stage: holders[0] for stage, holders in e["stages"].items()}, e["deprecated"])
        for artifact, e in case["artifacts"].items()
    }
    for artifact, expected in case["artifacts"].items():
        told = json.loads(story.cli("history", artifact, "--json").out)["events"]
        assert [event["tag"] for event in told] == expected["order"]
        for stage, holders in expected["stages"].items():
            answer = json.loads(story.cli("resolve", f"{artifact}#{stage}", "--json").out)
            assert answer["version"] == holders[0]
        if expected["latest"] is None:
            assert story.cli("resolve", artifact).code == 1
        else:
            assert story.cli("resolve", artifact).out == expected["latest"] + "\n"


@pytest.mark.parametrize("name", ["lightweight", "renamed", "damaged-objects", "case-twins", "bare-commit"])
def test_doctor_names_the_problems_in_a_real_repository(name: str, tmp_path: Path) -> None:
    [case] = [case for case in CASES if case["name"] == name]

    findings = json.loads(laid(case, tmp_path / "repo").cli("doctor", "--json").out)["findings"]

    told = {(one["code"], one["subject"]) for one in findings}
    assert {(one["code"], one["subject"]) for one in case["problems"]} <= told

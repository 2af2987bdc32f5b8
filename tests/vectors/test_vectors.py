"""Our implementation passes the pure vectors of docs/vectors."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from registry.core import message, metadata, names, policy, select, version
from registry.core.draft import Draft, Laid, lay
from registry.core.events import (
    Amendment,
    Event,
    Registration,
    Signatory,
    build,
    parse_object,
    parse_signatory,
)
from registry.core.names import Form, TagName, parse_tag
from registry.core.state import ArtifactState, fold
from registry.errors import NotFound, Refused, RegistryError, UsageError
from registry.writing.heads import artifact_of, head_ref
from tests.story import RepoStory
from tests.vectors.read import Case, name_of, states, text_or_bytes, told, vectors


def each(file: str, *path: str) -> pytest.MarkDecorator:
    """The cases of a file below these keys, each a test of its own."""
    found: Any = vectors(file)
    for key in path:
        found = found[key]
    return pytest.mark.parametrize("case", found, ids=lambda case: case.get("name", case["why"])[:60])


# -- names -------------------------------------------------------------------------------------------------------------


@each("names", "valid")
def test_a_tag_name_is_taken_apart(case: Case) -> None:
    said = case["parsed"]
    expected = TagName(
        Form(said["form"]), said["artifact"], said.get("version"), said.get("stage"), said.get("counter")
    )

    assert parse_tag(case["tag"]) == expected
    assert str(expected) == case["tag"]


@each("names", "invalid")
def test_another_tag_is_not(case: Case) -> None:
    assert parse_tag(case["tag"]) is None


@each("names", "artifacts", "valid")
def test_an_artifact_has_a_form_in_tags_and_a_head(case: Case) -> None:
    assert names.is_artifact(case["artifact"])
    assert names.in_tag(case["artifact"]) == case["in_tag"]
    assert head_ref(case["artifact"]) == case["head"]
    assert artifact_of(case["head"]) == case["artifact"]


@each("names", "artifacts", "invalid")
def test_another_word_is_no_artifact(case: Case) -> None:
    assert not names.is_artifact(case["artifact"])


@each("names", "travel")
def test_a_name_travels_or_not(case: Case) -> None:
    assert parse_tag(case["tag"]) is not None
    assert (names.travel_problem(case["tag"]) is None) is case["travels"]


# -- versions ----------------------------------------------------------------------------------------------------------


@each("versions", "valid")
def test_a_version_is_one(case: Case) -> None:
    found = version.parse(case["version"])

    assert found is not None
    assert found.text == case["version"]
    assert found.is_prerelease is case["prerelease"]


@each("versions", "invalid")
def test_another_text_is_none(case: Case) -> None:
    assert version.parse(case["version"]) is None


def test_versions_have_their_precedence() -> None:
    groups = [[version.check(text).precedence for text in group] for group in vectors("versions")["order"]["groups"]]

    assert all(one == group[0] for group in groups for one in group)
    assert all(low[0] < high[0] for low, high in combinations(groups, 2))


# -- messages and objects ----------------------------------------------------------------------------------------------


def decoded(raw: bytes) -> str:
    """Bytes as text (format.md 5.4), by way of a tag object."""
    found = parse_object(b"object %b\ntype commit\ntag x\n\n%b" % (b"0" * 40, raw))
    assert found is not None
    return found.message


@each("messages", "parse")
def test_a_message_is_taken_apart(case: Case) -> None:
    found = message.parse(decoded(text_or_bytes(case, "message")))

    assert (found.subject, found.body) == (case["subject"], case["body"])
    assert (found.ours, found.signed) == (case["block"], case["signed"])
    assert {key: list(values) for key, values in found.keys.items()} == case["keys"]
    assert list(found.keys) == list(case["keys"])


@each("messages", "compose")
def test_a_message_is_written(case: Case) -> None:
    assert message.compose(case["subject"], case["body"], map(tuple, case["keys"])) == case["message"]


@each("messages", "refuse")
def test_a_message_that_would_be_read_as_something_else_is_not_written(case: Case) -> None:
    with pytest.raises(UsageError):
        message.compose(case["subject"], case["body"], map(tuple, case["keys"]))


@each("objects", "cases")
def test_a_tag_object_is_taken_apart(case: Case) -> None:
    found = parse_object(text_or_bytes(case, "object"))

    if case["parsed"] is None:
        assert found is None
        return
    assert found is not None
    by = found.tagger
    assert case["parsed"] == {
        "object": found.object,
        "type": found.type,
        "tag": found.tag,
        "tagger": {"name": by.name, "email": by.email, "seconds": by.seconds, "offset": by.offset},
        "message": found.message,
    }


# -- metadata ----------------------------------------------------------------------------------------------------------


@each("metadata", "cases")
def test_keys_become_metadata(case: Case) -> None:
    registration = made("churn@v1.0.0", 0, case["registration"])
    amendments = [made(f"churn@v1.0.0=#{n}", n, lines) for n, lines in enumerate(case["amendments"], 2)]
    assert isinstance(registration, Registration)

    found = metadata.gather(registration, [one for one in amendments if isinstance(one, Amendment)])

    expected = case["metadata"]
    assert told(found, expected) == expected
    for name in ("metrics", "params"):  # 1 and 1.0 are equal, and not the same
        values = expected.get(name, {})
        assert {k: type(v) for k, v in getattr(found, name).items() if k in values} == {
            k: type(v) for k, v in values.items()
        }


def made(tag: str, seconds: int, lines: list[str] | None = None, commit: str = "0" * 40) -> Event:
    """An event of another tool, or of ours with these lines in its block."""
    name = parse_tag(tag)
    assert name is not None
    block = "" if lines is None else "\n\n" + "\n".join(["Registry: 1", *lines])
    return build(
        name, f"id of {tag}", commit, Signatory("Ana", "ana@example.com", seconds, 0), message.parse(f"x{block}")
    )


# -- selectors ---------------------------------------------------------------------------------------------------------


def told_of(versions: Case) -> ArtifactState:
    """The state that a list of selectors.json stands for (docs/vectors/README.md)."""
    commits = {text: f"{n:040x}" for n, text in enumerate(versions["versions"], 1)}
    events = [made(f"churn@{text}", n, None, commit) for n, (text, commit) in enumerate(commits.items())]
    clock = len(events)
    for text in versions["deregistered"]:
        clock += 1
        events.append(made(f"churn@{text}!", clock, None, commits[text]))
    for stage, text in versions["stages"].items():
        clock += 1
        events.append(made(f"churn#{stage}", clock, None, commits[text]))
    return fold("churn", events)


SELECTORS = [(versions, case) for versions in vectors("selectors")["lists"] for case in versions["cases"]]


@pytest.mark.parametrize(
    ("versions", "case"), SELECTORS, ids=[f"{versions['name']}-{case['selector']}" for versions, case in SELECTORS]
)
def test_a_selector_means_a_version(versions: Case, case: Case) -> None:
    state = told_of(versions)

    if "answer" in case:
        found = select.select(state, select.parse(case["selector"]))
        assert name_of(found.version) == case["answer"]
        return
    with pytest.raises({"not found": NotFound, "usage": UsageError}[case["error"]]):
        select.select(state, select.parse(case["selector"]))


# -- writing -----------------------------------------------------------------------------------------------------------


@each("writing", "cases")
def test_events_are_laid_as_they_are_written(case: Case) -> None:
    before = states({"tags": case["before"]}).get("churn", fold("churn", []))

    laid = lay(before, [draft_of(event) for event in case["events"]], writer_of(case["writer"]))

    assert [shown(one) for one in laid] == case["written"]
    assert case["head"] == {"ref": head_ref("churn"), "new": laid[-1].event.oid}


def draft_of(event: Case) -> Draft:
    """What one of the events of a case shall say."""
    keys = tuple((key, value) for key, value in event["keys"])
    return Draft(
        Form(event["event"]), "churn", event["commit"], event["subject"], event.get("version"), event.get("stage"),
        event.get("body", ""), keys,
    )  # fmt: skip


def writer_of(said: Case) -> Signatory:
    """Who writes, by the clock."""
    return parse_signatory(f"{said['name']} <{said['email']}> {said['seconds']} {said['zone']}")


def shown(one: Laid) -> Case:
    """A tag that was laid, in the shape of a case."""
    return {"tag": one.event.tag, "id": one.event.oid, "object": one.raw.decode()}


def told_by(tags: list[Case]) -> ArtifactState:
    """The state of tags of which only name and commit are said, a second after each other."""
    return fold("churn", [made(tag["tag"], n, None, tag["commit"]) for n, tag in enumerate(tags)])


@each("writing", "register")
def test_a_version_may_be_registered_or_not(case: Case) -> None:
    state, wanted = told_by(case["before"]), version.check(case["version"])

    def register() -> None:
        policy.check_new_version(state, wanted, case["commit"], force=case["move"], overwrite=True)

    if case["refused"]:
        with pytest.raises(Refused):
            register()
    else:
        register()


@each("writing", "choose")
def test_a_version_that_is_free_to_choose_is_above_all_others(case: Case) -> None:
    assert policy.next_version(told_by(case["before"]), case["bump"], None).text == case["version"]


@each("writing", "taken")
def test_a_tag_in_the_way_is_not_overwritten(case: Case, empty: RepoStory) -> None:
    empty.commit("One", empty=True)
    empty.tag(case["before"][0]["tag"]).tag(case["lightweight"]["tag"], light=True)
    refs = empty.refs()

    with pytest.raises(RegistryError):
        empty.assign(f"churn@{case['version']}", case["stage"])

    assert empty.refs() == refs

"""The commands that write: what they print, their JSON, dry runs, messages from standard input, deletion."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Typing
from tests.cli.test_reading import EVENT_KEYS
from tests.story import RepoStory


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        (["register", "fraud", "--undeclared"], ["fraud@v0.0.1"]),
        (["register", "fraud", "--version", "v1.0.0", "-m", "x", "--metric", "a=1", "--tag", "b=c"], ["fraud@v1.0.0"]),
        (["register", "fraud", "--pre", "rc"], ["fraud@v0.0.1-rc.1"]),
        (["register", "churn", "--major", "--force"], ["churn@v1.0.0"]),
        (["assign", "churn", "staging", "--reason", "r"], ["churn#staging#5"]),
        (["assign", "churn#staging", "staging", "--force"], ["churn#staging#5"]),
        (["unassign", "churn#staging", "staging"], ["churn#staging!#5"]),
        (["unassign", "churn", "production"], ["churn#production!#5"]),
        (["annotate", "churn@v0.0.1", "--deployment", "eu-west=https://x", "--label", "a"], ["churn@v0.0.1=#5"]),
        (["deregister", "churn@v0.0.1"], ["churn@v0.0.1!#5"]),
        (["deprecate", "churn", "-m", "old"], ["churn@deprecated#5"]),
    ],
)
def test_a_write_prints_its_tags_and_a_dry_run_the_same(
    life: RepoStory, typed: Typing, words: list[str], tags: list[str]
) -> None:
    before = life.refs()
    planned = typed(*words, "--dry-run")
    assert (planned.code, planned.out.split()) == (0, tags)
    assert "nothing was written: this was a dry run" in planned.err
    events = typed.json(*words, "--dry-run")["events"] if "unassign" not in words and "deregister" not in words else []
    assert life.refs() == before

    written = typed(*words)

    assert (written.code, written.out.split()) == (0, tags)
    made = typed.json("check-ref", tags[0])
    assert [event["tag"] for event in events] in ([], tags)
    assert list(made) == EVENT_KEYS
    assert all(event["metadata"] == made["metadata"] for event in events)


def test_a_write_as_json_is_its_events(life: RepoStory, typed: Typing) -> None:
    [event] = typed.json("assign", "churn", "staging", "--reason", "r", "-m", "words")["events"]

    assert event == typed.json("check-ref", "churn#staging#5")
    assert (event["reason"], event["message"], event["version"]) == ("r", "words", "v0.1.0")
    [event] = typed.json("register", "fraud", "--metric", "auc=0.5", "--param", "kind=tree")["events"]
    assert (event["metadata"]["metrics"], event["metadata"]["params"]) == ({"auc": 0.5}, {"kind": "tree"})


def test_what_is_done_already_is_done(life: RepoStory, typed: Typing) -> None:
    before = life.refs()

    done = typed("assign", "churn@v0.0.1", "staging")

    assert (done.code, done.out, done.err) == (0, "", "note: churn v0.0.1 is in staging already\n")
    assert typed("assign", "churn@v0.0.1", "staging", "--json").out == '{"events": []}\n'
    assert life.refs() == before


def test_an_exclusive_stage_prints_both_tags(life: RepoStory, typed: Typing) -> None:
    life.write("registry.yaml", "stages: {staging: {exclusive: true}}\nmodels: {churn: {}}\n").commit()

    assert typed("assign", "churn", "staging").out.split() == ["churn#staging!#5", "churn#staging#6"]
    assert typed("rollback", "churn", "staging").out.split() == ["churn#staging!#7", "churn#staging#8"]
    assert typed.lines("resolve", "churn#staging") == [["v0.0.1"]]


def test_unassigning_says_what_it_uncovers(life: RepoStory, typed: Typing) -> None:
    life.assign("churn", "staging")

    assert typed("unassign", "churn", "staging").err == "note: churn#staging is now v0.0.1, which was behind it\n"


def test_a_message_from_standard_input(life: RepoStory, typed: Typing) -> None:
    typed("register", "fraud", "-m", "-", data="Tests passed\n\nand more: é\n")

    assert typed.json("check-ref", "fraud@v0.0.1")["message"] == "Tests passed\n\nand more: é"
    typed("annotate", "fraud", "-m", "-", data="")
    assert typed("annotate", "fraud", "-m", "-", data="").code == 2


def test_annotating_adds_replaces_and_removes(life: RepoStory, typed: Typing) -> None:
    typed(
        "annotate",
        "churn#production",
        "--deployment",
        "eu=https://eu",
        "--deployment",
        "us=https://us",
        "--metric",
        "f=1",
    )
    typed("annotate", "churn@v0.0.1", "--deployment", "us=", "--metric", "f=2.5", "--description", "Old")

    known = typed.json("resolve", "churn@v0.0.1")["metadata"]
    assert (known["deployments"], known["metrics"]["f"], known["description"]) == ({"eu": "https://eu"}, 2.5, "Old")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["register", "churn"], 1, "is churn v0.1.0 already"),
        (["register", "chrun"], 1, "did you mean churn?"),
        (["register", "churn", "nope"], 1, "no commit is called nope"),
        (["register", "churn", "--version", ""], 2, "the version is empty"),
        (["register", "churn", "--version", "1.0.0"], 2, "did you mean v1.0.0?"),
        (["register", "churn", "--version", "v1.0"], 2, "not a version"),
        (["register", "churn", "--version", "v2.0.0", "--minor"], 2, "--version says it all"),
        (["register", "churn", "--version", "v0.0.1"], 1, "is registered already"),
        (["register", "fraud", "--metric", "auc"], 2, "not a metric"),
        (["register", "fraud", "--content", "{"], 2, "the content is not JSON"),
        (["register", "fraud", "--artifact", "../x"], 2, "outside the repository"),
        (["register", "fraud", "--artifact", "nothing.pkl"], 1, "is not there at commit"),
        (["register", "fraud", "--uses", "train@latest"], 1, "did you mean train-set?"),
        (["assign", "churn", "prodction"], 1, "did you mean production?"),
        (["assign", "churn@v0.1.0", "production"], 1, "has not been in staging"),
        (["assign", "churn", "a b"], 2, "not a name for a stage"),
        (["unassign", "churn@v0.1.0", "staging"], 1, "v0.0.1 is"),
        (["rollback", "churn", "production"], 1, "never was another version"),
        (["deregister", "churn"], 2, "churn names no version"),
        (["deprecate", "fraud"], 1, "fraud has no versions"),
        (["deprecate", "churn@v0.0.1"], 2, "is one version"),
        (["annotate", "churn"], 2, "nothing to annotate with"),
        (["delete", "churn@v9.0.0"], 1, "there is no tag churn@v9.0.0"),
        (["delete", "release-1"], 2, "is not a registry tag"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(
    life: RepoStory, typed: Typing, words: list[str], code: int, said: str
) -> None:
    before = life.refs()

    assert said in typed.refused(*words, code=code)

    assert life.refs() == before


def test_without_a_manifest_or_a_commit_the_next_step_is_said(empty: RepoStory, typed: Typing) -> None:
    assert "no commit" in typed.refused("register", "churn")
    empty.commit(empty=True)
    assert "registry init" in typed.refused("register", "churn")
    assert typed("register", "churn", "--undeclared").out == "churn@v0.0.1\n"


def test_nobody_in_particular_cannot_write(life: RepoStory, typed: Typing) -> None:
    life.git("config", "--unset", "user.name")
    life.git("config", "--unset", "user.email")
    life.git("config", "user.useConfigOnly", "true")

    said = typed.refused("deprecate", "churn")

    assert said.startswith("Git does not know who you are | git config --global user.name")
    assert typed.lines("resolve", "churn") == [["v0.1.0"]]


# -- delete --------------------------------------------------------------------------------------------------------


def test_deletion_is_refused_where_nobody_can_be_asked(life: RepoStory, typed: Typing) -> None:
    before = life.refs()

    done = typed("delete", "churn#staging#3")

    assert (done.code, done.out) == (2, "")
    assert "assignment of churn v0.0.1" in done.err
    assert done.err.splitlines()[-1] == "hint: say --yes if you mean it"
    assert life.refs() == before


def test_deletion(life: RepoStory, typed: Typing) -> None:
    assert typed("delete", "churn#staging#3", "--dry-run").err == "nothing was deleted: this was a dry run\n"
    done = typed("delete", "churn#staging#3", "refs/tags/churn#production#4", "--yes")

    assert (done.code, done.out) == (0, "churn#staging#3\nchurn#production#4\n")
    assert life.tags == ["churn@v0.0.1", "churn@v0.1.0", "train-set@v0.0.1"]
    assert [e["tag"] for e in typed.json("delete", "churn@v0.1.0", "--yes")["events"]] == ["churn@v0.1.0"]


def test_deletion_is_of_all_or_none(life: RepoStory, typed: Typing) -> None:
    before = life.refs()

    assert "there is no tag churn@v9.0.0" in typed.refused("delete", "churn@v0.1.0", "churn@v9.0.0", "--yes")

    assert life.refs() == before

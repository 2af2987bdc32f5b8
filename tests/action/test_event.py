"""A tag is pushed, and a workflow learns what it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry.action.event import OUTPUTS
from tests.action.step import pushed, run
from tests.story import RepoStory


def test_a_registration_is_told_in_full(repo: RepoStory) -> None:
    repo.write(
        "registry.yaml",
        "models:\n  churn:\n    path: models/churn.pkl\n    description: Who leaves\n    labels: [tabular]\n"
        "    metrics: metrics.json\n",
    )
    repo.write("metrics.json", '{"auc": 0.9}').commit("Measure")
    repo.register("churn", "v1.0.0").register("churn", "v1.1.0+cpu", labels=["fast"], params={"depth": 4})

    ran = pushed(repo, "churn@v1.1.0+cpu")

    metadata = json.loads(ran.outputs["metadata"])
    assert ran.code == 0, ran.log
    assert (metadata["metrics"], metadata["params"]) == ({"auc": 0.9}, {"depth": 4})
    assert {name: value for name, value in ran.outputs.items() if name != "metadata"} == {
        "is-registry-tag": "true",
        "event": "registration",
        "artifact": "churn",
        "version": "v1.1.0+cpu",
        "stage": "",
        "tag": "churn@v1.1.0+cpu",
        "commit": repo.git("rev-parse", "HEAD"),
        "number": "2",
        "type": "model",
        "path": "models/churn.pkl",
        "description": "Who leaves",
        "labels": '["tabular", "fast"]',
        "image-name": "churn",
        "image-tag": "v1.1.0_cpu",
        "previous-version": "v1.0.0",
        "current": "true",
        "stages": "[]",
        "directory": "",
    }
    assert "## Registration: `churn` `v1.1.0+cpu`" in ran.summary
    assert "| `v1.0.0` | 1 |" in ran.summary


def test_an_assignment_tells_what_the_stage_held_before(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production").register("churn", "v2.0.0")
    repo.assign("churn@v2.0.0", "production", reason="Tests passed")

    ran = pushed(repo, repo.registry.history("churn")[-1].tag)

    assert (ran.outputs["event"], ran.outputs["stage"]) == ("assignment", "production")
    assert (ran.outputs["version"], ran.outputs["previous-version"]) == ("v2.0.0", "v1.0.0")
    assert "`Tests passed`" in ran.summary


def test_the_workflow_of_an_old_event_run_again_tells_of_that_event_and_that_it_is_over(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    old = repo.registry.history("churn")[-1].tag
    first = pushed(repo, old)
    repo.register("churn", "v2.0.0").assign("churn@v2.0.0", "production")

    again = pushed(repo, old)

    assert first.outputs["current"] == "true"
    [stage] = json.loads(again.outputs["stages"])
    assert (stage["version"], stage["previous-version"]) == ("v2.0.0", None)  # what is there now, for who deploys it
    assert again.outputs == {**first.outputs, "current": "false", "stages": again.outputs["stages"]}
    assert "no longer so" in again.summary


@pytest.mark.parametrize("undo", ["unassign", "deregister", "force"])
def test_an_event_that_was_undone_is_not_current(repo: RepoStory, undo: str) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    commit = repo.git("rev-parse", "HEAD")
    old = repo.registry.history("churn")[-1].tag
    if undo == "unassign":
        repo.unassign("churn", "production")
    elif undo == "deregister":
        repo.deregister("churn@v1.0.0")
    else:
        repo.train()
        repo.register("churn", "v1.0.0", force=True)

    ran = pushed(repo, old)

    assert (ran.outputs["version"], ran.outputs["current"]) == ("v1.0.0", "false")
    assert ran.outputs["commit"] == commit


@pytest.mark.parametrize("tag", ["v1.0.0", "release-2026", "churn@1.0", "churn@created", "a b@v1"])
def test_a_tag_that_is_not_ours_is_no_failure(repo: RepoStory, tag: str) -> None:
    ran = pushed(repo, tag)

    assert ran.code == 0
    assert ran.outputs == {**dict.fromkeys(OUTPUTS, ""), "is-registry-tag": "false"}
    assert ran.commands == []


@pytest.mark.parametrize("target", ["HEAD", "HEAD:models/churn.pkl"])
def test_a_tag_in_our_format_that_is_no_event_is_warned_of(repo: RepoStory, target: str) -> None:
    repo.tag("churn@v1.0.0", target=target, light=True)

    ran = pushed(repo, "churn@v1.0.0")

    assert ran.code == 0
    assert ran.outputs["is-registry-tag"] == "false"
    [warning] = ran.commands
    assert warning.startswith("::warning title=No event::churn@v1.0.0 is not an event")


def test_a_tag_that_was_asked_for_and_is_not_there_is_a_failure(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")

    ran = run(repo, "workflow_dispatch", tag="churn@v9.0.0")

    assert ran.code == 1
    assert ran.commands == [
        "::error title=git-registry::there is no tag churn@v9.0.0 (hint: git fetch --tags brings those of the remote)"
    ]


@pytest.mark.parametrize("named", ["v6.6.6", "$(touch owned)"])
def test_an_assignment_of_a_version_that_never_was_counts_for_nothing(repo: RepoStory, named: str) -> None:
    repo.register("churn", "v1.0.0")
    repo.tag("churn#production#9", f"Assign\n\nRegistry: 1\nVersion: {named}")

    ran = pushed(repo, "churn#production#9", pull="true")

    assert (ran.outputs["event"], ran.outputs["version"], ran.outputs["current"]) == ("assignment", "", "false")
    assert (ran.outputs["previous-version"], ran.outputs["stages"]) == ("", "[]")
    assert f"counts for nothing: churn {named}" in ran.commands[0]


def test_a_tag_at_another_commit_than_its_version_tells_the_version_s(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    commit = repo.git("rev-parse", "HEAD")
    repo.train()
    repo.tag("churn#production#9", "Assign\n\nRegistry: 1\nVersion: v1.0.0")

    ran = pushed(repo, "churn#production#9")

    assert ran.outputs["commit"] == commit
    assert "which counts" in ran.commands[0]


def test_a_deprecation_is_about_no_version(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    repo.registry_at().deprecate("churn")

    ran = pushed(repo, repo.registry.history("churn")[-1].tag)

    assert (ran.outputs["event"], ran.outputs["version"], ran.outputs["image-tag"]) == ("deprecation", "", "")
    assert (ran.outputs["path"], ran.outputs["current"]) == ("models/churn.pkl", "true")


def test_gto_s_assignment_of_a_bare_commit_is_told(repo: RepoStory) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.tag("churn#production#1", "Assigning stage production")

    ran = pushed(repo, "churn#production#1", pull="true", output_dir="out")

    assert (ran.outputs["version"], ran.outputs["number"], ran.outputs["image-tag"]) == (commit, "", commit)
    assert (repo.path / "out" / "models" / "churn.pkl").read_text() == "weights 1\n"


# -- pull --------------------------------------------------------------------------------------------------------------


def test_the_files_of_the_version_are_pulled(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").train("weights 2\n")

    ran = pushed(repo, "churn@v1.0.0", pull="true", output_dir="out dir")

    assert ran.code == 0, ran.log
    assert ran.outputs["directory"] == "out dir"
    assert (repo.path / "out dir" / "models" / "churn.pkl").read_text() == "weights 1\n"


def test_other_files_than_those_of_the_event_are_not_pulled(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn", "production").train()
    repo.register("churn", "v1.0.0", force=True)

    ran = pushed(repo, "churn#production#2", pull="true", output_dir="out")

    assert ran.code == 1
    assert "is not commit" in ran.commands[-1]
    assert not (repo.path / "out").exists()


def test_nothing_is_pulled_for_a_version_that_leaves(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").deregister("churn@v1.0.0")

    ran = pushed(repo, repo.registry.history("churn")[-1].tag, pull="true")

    assert (ran.code, ran.outputs["event"], ran.outputs["directory"]) == (0, "deregistration", "")


# -- what it does on which event ---------------------------------------------------------------------------------------


def test_a_push_to_another_branch_is_nothing_to_do(repo: RepoStory) -> None:
    ran = run(repo, ref="refs/heads/feature")

    assert (ran.code, ran.outputs) == (0, {"events": "[]", "stages": "[]", "count": "0"})
    assert "nothing to do" in ran.log


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"mode": "revieww"}, "not a mode: 'revieww'"),
        ({"pull": "yes"}, "pull is neither true nor false: 'yes'"),
        ({"push_batch": "0"}, "push-batch is no number"),
        ({"push_batch": "\u0663"}, "push-batch is no number"),
        ({"mode": "event"}, "there is no tag"),
    ],
)
def test_inputs_that_mean_nothing_are_refused(repo: RepoStory, inputs: dict[str, Any], words: str) -> None:
    ran = run(repo, **inputs)

    assert ran.code == 1
    assert words in ran.commands[0]


def test_an_event_that_says_nothing_asks_for_the_mode(repo: RepoStory) -> None:
    ran = run(repo, "issues")

    assert ran.code == 1
    assert "give `mode`" in ran.commands[0]


def test_a_place_without_a_repository_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    ran = pushed(tmp_path / "empty", "churn@v1.0.0")

    assert ran.code == 1
    assert "not a Git repository" in ran.commands[0]


@pytest.mark.parametrize(("tag", "words"), [("churn@v9.9.9!#9", "Deregister"), ("churn@v9.9.9=#9", "Amend")])
def test_what_is_about_a_version_that_never_was_counts_for_nothing(repo: RepoStory, tag: str, words: str) -> None:
    repo.register("churn", "v1.0.0")
    repo.tag(tag, words)

    ran = pushed(repo, tag, pull="true")

    assert (ran.code, ran.outputs["is-registry-tag"]) == (0, "true")
    assert (ran.outputs["version"], ran.outputs["number"], ran.outputs["directory"]) == ("", "", "")
    assert ran.commands == [f"::warning::{tag} counts for nothing: churn v9.9.9 was never registered"]


def test_files_are_not_pulled_through_a_link_out_of_the_workspace(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    (tmp_path / "elsewhere").mkdir()
    (repo.path / "image").symlink_to(tmp_path / "elsewhere")

    ran = pushed(repo, "churn@v1.0.0", pull="true", output_dir="image/model")

    assert ran.code == 1
    assert "output-dir leads out of the workspace" in ran.commands[-1]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_whichever_event_is_heard_last_the_present_stage_is_told(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production").train()
    repo.register("churn", "v2.0.0").assign("churn@v2.0.0", "production").unassign("churn@v2.0.0", "production")

    ran = [pushed(repo, f"churn#production{sign}") for sign in ("#4", "!#5")]

    told = [stage for one in ran for stage in json.loads(one.outputs["stages"])]
    assert [(one["version"], one["previous-version"], one["tag"]) for one in told] == [
        ("v1.0.0", "v1.0.0", "churn#production#4"),
        ("v1.0.0", "v2.0.0", "churn#production!#5"),
    ]

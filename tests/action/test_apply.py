"""A push to the default branch: what the manifest wants is made true and published, and later jobs learn of it."""

from __future__ import annotations

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from registry.action.checkout import EMAIL, NAME
from registry.action.say import Voice
from registry.core.facts import facts_of
from tests.action.gh import GRANTED, FakeGh
from tests.action.step import run, start
from tests.story import RepoStory

WANTING = "models:\n  churn:\n    path: models/churn.pkl\n    version: v1.0.0\n    assign: {production: v1.0.0}\n"


@pytest.fixture
def pushed(repo: RepoStory, tmp_path: Path) -> RepoStory:
    """`repo`, whose manifest wants a version in production, and which is pushed to `origin`."""
    repo.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "origin.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repo.write("registry.yaml", WANTING).commit("Want v1.0.0 in production")
    repo.git("push", "-q", "-u", "origin", "main")
    return repo


def _tags_at_origin(repo: RepoStory) -> list[str]:
    return sorted(
        line.partition("refs/tags/")[2] for line in repo.git("ls-remote", "--refs", "--tags", "origin").splitlines()
    )


def test_the_manifest_is_applied_and_later_jobs_learn_of_it(pushed: RepoStory) -> None:
    commit = pushed.git("rev-parse", "HEAD")

    ran = run(pushed)

    assert ran.code == 0, ran.log
    assert _tags_at_origin(pushed) == ["churn#production#2", "churn@v1.0.0"]
    image = {"image-name": "churn", "image-tag": "v1.0.0"}
    common = {"artifact": "churn", "version": "v1.0.0", "commit": commit, "number": 1, **image}
    assert json.loads(ran.outputs["events"]) == [
        {**common, "event": "registration", "stage": None, "tag": "churn@v1.0.0", "previous-version": None},
        {**common, "event": "assignment", "stage": "production", "tag": "churn#production#2", "previous-version": None},
    ]
    assert json.loads(ran.outputs["stages"]) == [
        {"artifact": "churn", "stage": "production", "version": "v1.0.0", "commit": commit, "tag": "churn#production#2",
         **image, "previous-version": None},
    ]  # fmt: skip
    assert ran.outputs["count"] == "2"
    assert "`churn#production#2`" in ran.summary


def test_a_second_apply_does_nothing(pushed: RepoStory) -> None:
    run(pushed)

    ran = run(pushed)

    assert (ran.code, ran.outputs) == (0, {"events": "[]", "stages": "[]", "count": "0"})
    assert "Nothing to apply" in ran.summary


def test_a_line_that_cannot_be_made_true_fails_and_nothing_is_written(pushed: RepoStory) -> None:
    pushed.write("registry.yaml", WANTING.replace("production: v1.0.0", "production: v6.6.6")).commit(
        "Ask for too much"
    )
    pushed.git("push", "-q")

    ran = run(pushed)

    assert ran.code == 1
    assert ran.commands[-1].startswith("::error title=git-registry::")
    assert "v6.6.6" in ran.summary
    assert (ran.outputs["events"], ran.outputs["stages"]) == ("[]", "[]")
    assert _tags_at_origin(pushed) == []


def test_all_that_is_in_the_way_is_said(pushed: RepoStory) -> None:
    lines = [f"  m{number}: {{assign: {{production: v6.6.{number}}}}}\n" for number in range(60)]
    pushed.write("registry.yaml", WANTING + "".join(lines)).commit("Ask for far too much")
    pushed.git("push", "-q")

    ran = run(pushed)

    errors = [one for one in ran.commands if one.startswith("::error title=git-registry::")]
    assert (ran.code, len(errors)) == (1, 50)
    assert "11 errors more, of 60 in all" in errors[-1]
    assert "nothing was done" in ran.summary
    assert all(f"`m{number}`" in ran.summary for number in range(60))


def test_tags_are_pushed_in_batches(pushed: RepoStory) -> None:
    ran = run(pushed, push_batch="1")

    assert (ran.code, ran.outputs["count"]) == (0, "2"), ran.log


def test_a_runner_without_a_name_writes_as_the_host_s_bot(pushed: RepoStory) -> None:
    pushed.git("config", "--unset", "user.name")
    pushed.git("config", "--unset", "user.email")

    ran = run(pushed)

    assert ran.code == 0, ran.log
    assert pushed.git("log", "-1", "--format=%an", "churn@v1.0.0") == "Ana"
    assert pushed.git("tag", "--list", "--format=%(taggername) %(taggeremail)", "churn@*") == f"{NAME} <{EMAIL}>"


def test_the_pull_request_and_its_approvers_are_recorded(
    pushed: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = pushed.git("rev-parse", "HEAD")
    url = "https://github.com/example/models/pull/7"
    pull: dict[str, Any] = {"number": 7, "html_url": url, "merged_at": "2026-01-01", "base": {"ref": "main"}}
    answers = {
        f"repos/example/models/commits/{commit}/pulls": [pull],
        "repos/example/models/pulls/7/reviews?per_page=100&page=1": [
            {"user": {"login": "bo", "id": 2}, "state": "APPROVED", "author_association": "OWNER"}
        ],
    }
    FakeGh.answering(tmp_path / "gh", answers)
    monkeypatch.setenv("PATH", f"{tmp_path / 'gh'}:{os.environ['PATH']}")

    ran = run(pushed, token=GRANTED)

    message = pushed.git("tag", "--list", "--format=%(contents)", "churn#production#2")
    assert ran.code == 0, ran.log
    assert f"Change: {url}" in message
    assert "Approved-By: 2+bo@users.noreply.github.com" in message
    assert GRANTED not in ran.log


def test_without_gh_it_is_applied_all_the_same(
    pushed: RepoStory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    FakeGh.answering(tmp_path / "gh", {})
    monkeypatch.setenv("PATH", f"{tmp_path / 'gh'}:{os.environ['PATH']}")

    ran = run(pushed, token=GRANTED)

    assert (ran.code, ran.outputs["count"]) == (0, "2")
    assert [one.partition("::no change")[0] for one in ran.commands] == ["::notice title=git-registry"]


def test_two_runs_at_once_do_the_work_once(pushed: RepoStory, tmp_path: Path) -> None:
    jobs = [tmp_path / name / "clone" for name in ("one", "other")]
    for job in jobs:
        pushed.git("clone", "-q", str(tmp_path / "origin.git"), str(job))

    with ThreadPoolExecutor() as pool:
        ran = list(pool.map(run, jobs))

    assert [one.code for one in ran] == [0, 0], ran
    assert sorted(tag["tag"] for one in ran for tag in json.loads(one.outputs["events"])) == _tags_at_origin(pushed)
    assert len(_tags_at_origin(pushed)) == 2


@pytest.mark.parametrize(("count", "kept", "errors"), [(200, 200, 0), (2000, 256, 1)])
def test_more_events_than_a_workflow_takes_are_cut_and_said(
    repo: RepoStory, capsys: pytest.CaptureFixture[str], count: int, kept: int, errors: int
) -> None:
    repo.register("churn", "v1.0.0")
    facts = facts_of(repo.registry.repository.state("churn"), "churn@v1.0.0")
    assert facts is not None

    said = json.loads(Voice(sys.stdout).listed("events", [facts.to_json()] * count))

    assert kept <= len(said) <= count
    assert len(json.dumps(said, separators=(",", ":"))) <= 100_000
    assert capsys.readouterr().out.count("::error") == errors


# -- what goes wrong on the way ----------------------------------------------------------------------------------------


def test_nothing_is_written_where_nobody_could_learn_of_it(pushed: RepoStory) -> None:
    ran = run(pushed, env={"GITHUB_OUTPUT": str(pushed.path / "no" / "output")})

    assert ran.code == 1
    assert ran.commands[-1].startswith("::error title=git-registry::the outputs cannot be written: ")
    assert _tags_at_origin(pushed) == []


def test_a_summary_that_cannot_be_written_is_a_warning(pushed: RepoStory) -> None:
    ran = run(pushed, env={"GITHUB_STEP_SUMMARY": str(pushed.path / "no" / "summary")})

    assert (ran.code, ran.outputs["count"]) == (0, "2"), ran.log
    assert ran.commands[-1].startswith("::warning title=git-registry::the summary cannot be written: ")


def test_what_was_published_before_a_batch_failed_is_told(pushed: RepoStory, tmp_path: Path) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\nif grep "#production#"; then echo "no stages today" >&2; exit 1; fi\n')
    hook.chmod(0o755)

    ran = run(pushed, push_batch="1")

    assert ran.code == 1
    assert _tags_at_origin(pushed) == ["churn@v1.0.0"]
    assert [event["tag"] for event in json.loads(ran.outputs["events"])] == ["churn@v1.0.0"]
    assert (ran.outputs["stages"], ran.outputs["count"]) == ("[]", "1")
    assert "`churn@v1.0.0`" in ran.summary


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_step_tells_what_it_published(pushed: RepoStory, tmp_path: Path, sign: signal.Signals) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    asked = tmp_path / "asked"
    os.mkfifo(asked)
    hook.write_text(f'#!/bin/sh\nif grep "#production#"; then echo >"{asked}"; exec sleep 60; fi\n')
    hook.chmod(0o755)

    with start(pushed, push_batch="1") as step:
        asked.read_text()  # the first batch is there, and the second on its way
        step.send_signal(sign)

    ran = step.ran()
    assert ran.code == 130, ran.log
    assert [event["tag"] for event in json.loads(ran.outputs["events"])] == ["churn@v1.0.0"]
    assert ran.commands[-1] == "::error title=git-registry::the step was cancelled"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_push_that_arrived_before_the_step_was_cancelled_is_told(
    pushed: RepoStory, tmp_path: Path, sign: signal.Signals
) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "post-receive"
    asked = tmp_path / "asked"
    os.mkfifo(asked)
    hook.write_text(f'#!/bin/sh\necho >"{asked}"; exec sleep 60\n')
    hook.chmod(0o755)

    with start(pushed) as step:
        asked.read_text()  # the tags are there, and the answer is not
        step.send_signal(sign)

    ran = step.ran()
    assert ran.code == 130, ran.log
    assert [event["tag"] for event in json.loads(ran.outputs["events"])] == ["churn@v1.0.0", "churn#production#2"]
    assert [stage["version"] for stage in json.loads(ran.outputs["stages"])] == ["v1.0.0"]


def test_what_went_wrong_first_is_said_though_the_outputs_cannot_be_written(pushed: RepoStory, tmp_path: Path) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    outputs = tmp_path / "outputs"
    hook.write_text(f'#!/bin/sh\nrm -f "{outputs}"; mkdir "{outputs}"; echo "no tags today" >&2; exit 1\n')
    hook.chmod(0o755)

    ran = run(pushed, env={"GITHUB_OUTPUT": str(outputs)})

    assert ran.code == 1
    assert any("what was published cannot be told" in one for one in ran.commands)
    assert "no tags today" in ran.commands[-1]


# -- a workspace that is used again ------------------------------------------------------------------------------------


def test_a_tag_that_was_deleted_at_the_server_does_not_come_back(pushed: RepoStory, tmp_path: Path) -> None:
    run(pushed)
    job = tmp_path / "runner" / "clone"
    pushed.git("clone", "-q", str(tmp_path / "origin.git"), str(job))
    pushed.git("push", "-q", "origin", ":refs/tags/churn#production#2", ":refs/registry/churn@head")
    pushed.write("registry.yaml", "models: {churn: {path: models/churn.pkl, version: v1.1.0}}\n")
    pushed.write("models/churn.pkl", "weights 2\n").commit("Train again")
    pushed.git("push", "-q", "origin", "main")

    ran = run(job)

    assert ran.code == 0, ran.log
    assert _tags_at_origin(pushed) == ["churn@v1.0.0", "churn@v1.1.0"]
    assert [event["tag"] for event in json.loads(ran.outputs["events"])] == ["churn@v1.1.0"]
    assert "these tags are not so at the remote, and do not count: churn#production#2" in ran.commands[0]


def test_a_tag_that_was_planted_is_not_published(pushed: RepoStory, tmp_path: Path) -> None:
    job = tmp_path / "runner" / "clone"
    pushed.git("clone", "-q", str(tmp_path / "origin.git"), str(job))
    words = ("-c", "user.name=Eve", "-c", "user.email=eve@example.com", "-C", str(job), "tag", "-m", "x", "-a")
    for tag in ("churn#production#9", "other@v6.6.6"):
        pushed.git(*words, tag)

    ran = run(job)

    assert ran.code == 0, ran.log
    assert _tags_at_origin(pushed) == ["churn#production#2", "churn@v1.0.0"]
    assert pushed.git("-C", str(job), "for-each-ref", "--format=%(contents)", "refs/registry-withdrawn").split() == [
        "x",
        "x",
    ]


def test_the_name_of_a_tag_that_was_deleted_at_the_server_is_not_used_again(pushed: RepoStory, tmp_path: Path) -> None:
    run(pushed)
    pushed.git("push", "-q", "origin", ":refs/tags/churn#production#2")
    fresh = tmp_path / "runner" / "clone"
    pushed.git("clone", "-q", str(tmp_path / "origin.git"), str(fresh))

    ran = run(fresh)

    assert [event["tag"] for event in json.loads(ran.outputs["events"])] == ["churn#production#3"], ran.log

"""A pull request is reviewed: on the lines of its manifests, in the summary, and in one comment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.action.gh import GRANTED, FakeGh
from tests.action.step import Ran, run
from tests.story import RepoStory
from tests.trust.story import Keys

WANTING = "models:\n  churn:\n    path: models/churn.pkl\n    version: v1.0.0\n    assign: {production: v1.0.0}\n"
BROKEN = "models:\n  churn:\n    path: models/churn.pkl\n    frmwork: x\n"


def propose(repo: RepoStory, manifest: str) -> dict[str, Any]:
    """A branch with that manifest, merged as the host merges it to try; the payload of its event."""
    repo.git("switch", "-q", "-c", "change")
    repo.write("registry.yaml", manifest).commit("Change the manifest")
    ends = {"base": {"sha": repo.git("rev-parse", "main")}, "head": {"sha": repo.git("rev-parse", "change")}}
    repo.git("switch", "-q", "--detach", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "change")
    return {"pull_request": {"number": 7, **ends}}


def reviewed(repo: RepoStory | Path, payload: dict[str, Any], event: str = "pull_request", **more: Any) -> Ran:
    """The step that a pull request starts."""
    ref = "refs/pull/7/merge" if event == "pull_request" else "refs/heads/main"
    return run(repo, event, ref, payload=payload, **more)


def test_a_change_is_reviewed(repo: RepoStory) -> None:
    ran = reviewed(repo, propose(repo, WANTING))

    assert (ran.code, ran.commands) == (0, []), ran.log
    assert "`churn@v1.0.0`" in ran.summary
    assert "`churn#production#2`" in ran.summary
    assert repo.tags == []


def test_what_is_wrong_stands_on_its_line(repo: RepoStory) -> None:
    ran = reviewed(repo, propose(repo, BROKEN))

    assert ran.code == 1
    [error] = ran.commands
    assert error.startswith("::error file=registry.yaml,line=4,col=5,title=git-registry::")
    assert "frmwork" in ran.summary


def test_of_many_problems_the_errors_are_shown_and_the_rest_is_counted(repo: RepoStory) -> None:
    warned = "".join(f"  a{n}: {{path: models/churn.pkl, metrics: gone{n}.json}}\n" for n in range(60))
    wrong = "".join(f"  z{n}: {{path: gone{n}.pkl}}\n" for n in range(40))
    ran = reviewed(repo, propose(repo, f"models:\n{warned}{wrong}"))

    levels = [one.partition(" ")[0] for one in ran.commands]
    assert levels == ["::error"] * 40 + ["::warning"] * 10
    assert ran.commands[-1].endswith("::51 warnings more, of 100 in all: registry review --json has them")


def test_as_many_as_are_shown_are_all_of_them(repo: RepoStory) -> None:
    wrong = "".join(f"  z{n}: {{path: gone{n}.pkl}}\n" for n in range(50))
    ran = reviewed(repo, propose(repo, f"models:\n{wrong}"))

    assert len(ran.commands) == 50
    assert "more, of" not in ran.commands[-1]


def test_the_line_is_found_where_the_workspace_has_the_repository(repo: RepoStory) -> None:
    ran = reviewed(
        repo, propose(repo, BROKEN), env={"GITHUB_WORKSPACE": str(repo.path.parent)}, repository_path=repo.path.name
    )

    assert f"file={repo.path.name}/registry.yaml,line=4" in ran.commands[0]


def test_a_line_that_cannot_be_made_true_is_an_error_on_its_line(repo: RepoStory) -> None:
    ran = reviewed(repo, propose(repo, WANTING.replace("production: v1.0.0", "production: v6.6.6")))

    assert ran.code == 1
    assert [one for one in ran.commands if one.startswith("::error file=registry.yaml,line=5,")]


def test_only_what_the_change_changes_is_told(repo: RepoStory) -> None:
    payload = propose(repo, WANTING)
    repo.git("switch", "-q", "main")
    repo.write("other/registry.yaml", "models:\n  late: {}\n").commit("Meanwhile")
    repo.git("switch", "-q", "--detach", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "change")

    ran = reviewed(repo, payload)

    assert ran.code == 0, ran.log
    assert "late" not in ran.summary


def test_a_merge_that_the_change_itself_made_is_not_taken_for_the_host_s(repo: RepoStory) -> None:
    repo.git("switch", "-q", "-c", "change")
    repo.write("registry.yaml", WANTING).commit("Want v1.0.0")
    repo.git("switch", "-q", "main")
    base = repo.commit("Meanwhile", empty=True)
    repo.git("switch", "-q", "change")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge main", "main")
    head = repo.git("rev-parse", "HEAD")

    ran = reviewed(repo, {"pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": head}}})

    assert "`churn@v1.0.0`" in ran.summary


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
def test_a_shallow_checkout_is_enough(repo: RepoStory, tmp_path: Path, event: str) -> None:
    payload = propose(repo, WANTING)
    repo.git("update-ref", "refs/pull/7/merge", "HEAD")
    repo.git("update-ref", "refs/pull/7/head", "change")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repo.git("init", "-q", str(clone))
    wanted = "refs/heads/main" if event == "pull_request_target" else "refs/pull/7/merge"
    for words in (
        ["remote", "add", "origin", repo.path.as_uri()],
        ["fetch", "-q", "--no-tags", "--depth=1", "origin", wanted],
        ["checkout", "-q", "--detach", "FETCH_HEAD"],
    ):
        repo.git("-C", str(clone), *words)
    if event == "merge_group":
        payload = {
            "merge_group": {"base_sha": repo.git("rev-parse", "main"), "head_sha": repo.git("rev-parse", "HEAD")}
        }

    ran = reviewed(clone, payload, event)

    assert ran.code == 0, ran.log
    assert "`churn@v1.0.0`" in ran.summary


def test_an_event_without_a_change_is_said(repo: RepoStory) -> None:
    ran = run(
        repo, "push", mode="review", payload={"pull_request": {"base": {"sha": "--output=x"}, "head": {"sha": "y"}}}
    )

    assert ran.code == 1
    assert "does not say what to review" in ran.commands[0]


def test_hostile_words_of_a_change_are_text(repo: RepoStory) -> None:
    words = "::error::forged\n##[error]forged <script> ${{ x }} ![x](y)"
    entry = {"path": "models/churn.pkl", "description": words, "type": "::add-mask::x", "::error::key": 1}
    ran = reviewed(repo, propose(repo, json.dumps({"models": {"churn": entry}})))

    assert all(one.startswith(("::error file=registry.yaml,", "::warning file=registry.yaml,")) for one in ran.commands)
    assert "##[" not in ran.log
    assert not [line for line in ran.summary.splitlines() if line.startswith(("<", "!"))]


# -- the comment -------------------------------------------------------------------------------------------------------


def _gh(place: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> FakeGh:
    import os

    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return FakeGh.answering(place, answers)


def test_the_review_is_a_comment_where_that_is_wanted(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    answers = {
        "graphql": {"data": {"repository": {"pullRequest": {"comments": page}}}},
        "repos/example/models/issues/7/comments POST": {},
    }
    gh = _gh(tmp_path / "gh", monkeypatch, answers)

    ran = reviewed(repo, propose(repo, WANTING), comment="true", token=GRANTED)

    assert (ran.code, ran.commands) == (0, [])
    assert "`churn@v1.0.0`" in json.loads(gh.asked[-1]["data"])["body"]
    assert GRANTED not in ran.log


def test_a_comment_that_cannot_be_made_is_a_warning(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _gh(tmp_path / "gh", monkeypatch, {})

    ran = reviewed(repo, propose(repo, WANTING), comment="true", token=GRANTED)

    assert ran.code == 0
    assert ran.commands[0].startswith("::warning title=git-registry::there is no comment: gh api graphql: gh: HTTP 403")


def test_without_being_asked_nobody_comments(repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gh = _gh(tmp_path / "gh", monkeypatch, {})

    reviewed(repo, propose(repo, WANTING), token=GRANTED)

    assert gh.asked == []


def test_a_whole_checkout_of_the_base_is_enough(repo: RepoStory, tmp_path: Path) -> None:
    payload = propose(repo, WANTING)
    repo.git("update-ref", "refs/pull/7/head", "change")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.git("clone", "-q", "--branch", "main", "--single-branch", repo.path.as_uri(), str(tmp_path / "clone"))

    ran = reviewed(tmp_path / "clone", payload, "pull_request_target")

    assert ran.code == 0, ran.log
    assert not (tmp_path / "clone/.git/shallow").exists()


def test_a_change_of_nothing_but_the_keys_is_told(repo: RepoStory, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys")
    repo.git("switch", "-q", "-c", "change")
    repo.write(".registry/allowed_signers", keys.allowed("mallory") + "nonsense\n").commit("Change who is trusted")
    ends = {"base": {"sha": repo.git("rev-parse", "main")}, "head": {"sha": repo.git("rev-parse", "change")}}

    ran = reviewed(repo, {"pull_request": {"number": 7, **ends}}, "pull_request_target")

    assert ran.code == 1
    [error] = ran.commands
    assert error.startswith("::error file=.registry/allowed_signers,line=2,col=1,title=git-registry::")
    assert "This changes what is trusted. Keys: 2 added." in ran.summary
    assert "| added | `mallory@example.com` | `ssh-ed25519 SHA256:" in ran.summary

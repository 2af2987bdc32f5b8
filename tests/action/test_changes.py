"""Which merged pull request brought a commit, and who approved it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.action.changes import changes_for
from registry.action.runner import Inputs, Runner
from registry.porcelain.gitops import Change
from tests.action.gh import GRANTED, FakeGh

COMMIT = "1" * 40
PULLS = f"repos/example/models/commits/{COMMIT}/pulls"
REVIEWS = "repos/example/models/pulls/7/reviews?per_page=100&page=1"
URL = "https://github.com/example/models/pull/7"
MERGED = {"number": 7, "html_url": URL, "merged_at": "2026-01-01T00:00:00Z", "base": {"ref": "main"}}

Answers = Callable[[dict[str, Any]], FakeGh]


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Puts a gh with these answers on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'gh'}:{os.environ['PATH']}")
    return lambda said: FakeGh.answering(tmp_path / "gh", said)


def _runner(token: str = GRANTED, server: str = "https://github.com") -> Runner:
    payload: dict[str, Any] = {"repository": {"default_branch": "main"}}
    return Runner("push", "refs/heads/main", payload, "example/models", server, ".", None, None, Inputs(token=token))


def _review(login: str, number: int, state: str, association: str = "MEMBER") -> dict[str, Any]:
    return {"user": {"login": login, "id": number}, "state": state, "author_association": association}


def test_the_merged_pull_request_and_its_approvers_are_found(answers: Answers) -> None:
    reviews = [
        _review("ana", 1, "APPROVED"),
        _review("bo", 2, "APPROVED"),
        _review("bo", 2, "CHANGES_REQUESTED"),
        _review("cy", 3, "CHANGES_REQUESTED"),
        _review("cy", 3, "APPROVED"),
        _review("cy", 3, "COMMENTED"),
        _review("di", 4, "COMMENTED"),
        _review("ed", 5, "DISMISSED"),
        _review("stranger", 8, "APPROVED", "NONE"),
        _review("contributor", 9, "APPROVED", "CONTRIBUTOR"),
        _review("::error::x\n", 6, "APPROVED"),
        {"user": None, "state": "APPROVED"},
    ]
    gh = answers({PULLS: [{**MERGED, "merged_at": None, "number": 6}, MERGED], REVIEWS: reviews})
    changes = changes_for(_runner(), {}, pytest.fail)

    found = [changes(COMMIT), changes(COMMIT)]

    assert found == [Change(URL, ("1+ana@users.noreply.github.com", "3+cy@users.noreply.github.com"))] * 2
    assert [(one["arguments"][1], one["token"]) for one in gh.asked] == [(PULLS, GRANTED), (REVIEWS, GRANTED)]
    assert not any(GRANTED in word for one in gh.asked for word in one["arguments"])


def test_a_pull_request_into_another_branch_is_none(answers: Answers) -> None:
    answers({PULLS: [{**MERGED, "base": {"ref": "release"}}]})

    assert changes_for(_runner(), {}, pytest.fail)(COMMIT) is None


@pytest.mark.parametrize("said", [{}, {PULLS: [MERGED]}])
def test_a_host_that_does_not_answer_is_noted_once_and_asked_no_more(answers: Answers, said: dict[str, Any]) -> None:
    gh = answers(said)
    notes: list[str] = []
    changes = changes_for(_runner(), {}, notes.append)

    assert (changes(COMMIT), changes("2" * 40)) == (None, None)
    assert len(notes) == 1
    assert "HTTP 403" in notes[0]
    assert len(gh.asked) == len(said) + 1


def test_an_answer_of_another_shape_is_no_change(answers: Answers) -> None:
    answers({PULLS: {"message": "moved"}})

    assert changes_for(_runner(), {}, pytest.fail)(COMMIT) is None


def test_without_a_token_nobody_is_asked(answers: Answers) -> None:
    gh = answers({})
    notes: list[str] = []

    assert changes_for(_runner(token=""), {}, notes.append)(COMMIT) is None
    assert notes == ["no change and no approvals are recorded: there is no token"]
    assert gh.asked == []


def test_the_environment_says_it_for_all_commits(answers: Answers) -> None:
    gh = answers({})
    said = {"REGISTRY_CHANGE": "https://git.example.com/7", "REGISTRY_APPROVED_BY": "ana@example.com, bo@example.com,"}

    changes = changes_for(_runner(), said, pytest.fail)

    assert changes(COMMIT) == Change("https://git.example.com/7", ("ana@example.com", "bo@example.com"))
    assert gh.asked == []


def test_gitlab_s_merge_request_is_taken_from_its_variables() -> None:
    said = {"CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.com/a/b", "CI_MERGE_REQUEST_IID": "7"}

    assert changes_for(_runner(), said, pytest.fail)(COMMIT) == Change("https://gitlab.com/a/b/-/merge_requests/7")


def test_approvers_of_another_host_have_addresses_of_that_host(answers: Answers) -> None:
    answers({PULLS: [MERGED], REVIEWS: [_review("ana", 1, "APPROVED")]})

    found = changes_for(_runner(server="https://git.example.com"), {}, pytest.fail)(COMMIT)

    assert found is not None
    assert found.approved_by == ("1+ana@users.noreply.git.example.com",)

"""One comment on a pull request, found again by its marker and its author."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from registry.action.comment import comment, marker_of
from registry.action.gh import GhFailed
from registry.action.runner import Inputs, Runner
from tests.action.gh import GRANTED, FakeGh

MARKER = "<!-- git-registry review -->"
CREATE = "repos/example/models/issues/7/comments POST"


@pytest.fixture(autouse=True)
def _gh_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'gh'}:{os.environ['PATH']}")


def _runner(repository: str = "example/models", number: object = 7) -> Runner:
    payload: dict[str, Any] = {"pull_request": {"number": number}}
    inputs = Inputs(token=GRANTED, comment=True)
    return Runner("pull_request", "", payload, repository, "https://github.com", ".", None, None, inputs)


def _comments(*nodes: dict[str, Any]) -> dict[str, Any]:
    page = {"nodes": list(nodes), "pageInfo": {"hasNextPage": False, "endCursor": None}}
    return {"data": {"repository": {"pullRequest": {"comments": page}}}}


def test_a_first_comment_is_made(tmp_path: Path) -> None:
    forged = {"databaseId": 3, "viewerDidAuthor": False, "body": f"{MARKER}\nfrom somebody else"}
    other = {"databaseId": 4, "viewerDidAuthor": True, "body": f"said by us, about {MARKER}"}
    gh = FakeGh.answering(tmp_path / "gh", {"graphql": _comments(forged, other), CREATE: {}})

    comment(_runner(), "## Review `$(touch owned)` @x")

    assert json.loads(gh.asked[-1]["data"]) == {"body": f"{MARKER}\n## Review `$(touch owned)` @x"}
    assert not any("owned" in word or GRANTED in word for one in gh.asked for word in one["arguments"])
    assert json.loads(gh.asked[0]["data"])["variables"] == {
        "owner": "example", "name": "models", "number": 7, "after": None,
    }  # fmt: skip


def test_our_comment_is_written_anew(tmp_path: Path) -> None:
    ours = {"databaseId": 5, "viewerDidAuthor": True, "body": f"{MARKER}\nold"}
    change = "repos/example/models/issues/comments/5 PATCH"
    gh = FakeGh.answering(tmp_path / "gh", {"graphql": _comments(ours), change: {}})

    comment(_runner(), "new")

    assert json.loads(gh.asked[-1]["data"]) == {"body": f"{MARKER}\nnew"}


def test_a_comment_that_is_too_long_is_cut(tmp_path: Path) -> None:
    gh = FakeGh.answering(tmp_path / "gh", {"graphql": _comments(), CREATE: {}})

    comment(_runner(), "x" * 100_000)

    body = json.loads(gh.asked[-1]["data"])["body"]
    assert len(body) < 65_536
    assert "too long" in body


@pytest.mark.parametrize(
    ("runner", "words"),
    [
        (_runner(repository="a/b/../c"), "not a repository"),
        (_runner(number=None), "no pull request"),
        (_runner(), "HTTP 403"),
    ],
)
def test_what_keeps_a_comment_from_being_made_is_said(tmp_path: Path, runner: Runner, words: str) -> None:
    FakeGh.answering(tmp_path / "gh", {})

    with pytest.raises(GhFailed, match=words):
        comment(runner, "text")


def test_repositories_below_several_paths_have_a_comment_each() -> None:
    markers = [marker_of(path) for path in ("", "models", "data", "--><img>")]

    assert len(set(markers)) == 4
    assert all(marker.count("-->") == 1 and marker.endswith("-->") for marker in markers)

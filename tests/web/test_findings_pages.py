"""What once was wrong on the pages, and stays right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.api import Registry
from registry.core.text import safe
from registry.web import links, render, usage
from registry.web.page import Dashboard, Source
from registry.web.pages import models
from registry.web.sources import open_sources
from tests.story import RepoStory
from tests.web.test_pages import NOW, Document, dashboard, look, read
from tests.web.visitor import Visitor, command_on


def _commands(page: Document, words: str) -> list[str]:
    return [word for word in page.words if f"registry {words}" in word]


def test_the_link_to_a_commit_follows_the_remote(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    moments = [object()]
    board = Dashboard([Source("host-test", "one", repo.registry, moment=lambda: moments[-1])])
    path = "version/host-test/churn@v1.0.0.html"
    repo.git("remote", "add", "origin", "https://github.com/example/old.git")
    assert "https://github.com/example/old/commit/" in " ".join(look(board, path).links)

    repo.git("remote", "set-url", "origin", "https://github.com/example/new.git")
    moments.append(object())

    assert "https://github.com/example/new/commit/" in " ".join(look(board, path).links)


# -- commands ----------------------------------------------------------------------------------------------------------


def test_commands_for_one_of_several_repositories_name_it(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0").register("churn", "v1.1.0")
    other = RepoStory.begin(tmp_path / "the other")
    other.write("registry.yaml", "models: {fraud: {}}\n").commit()
    board = dashboard(repo, other)
    there = f"--repo '{other.path}'" if " " in str(other.path) else f"--repo {other.path}"

    assert all(f"--repo {repo.path}" in said for said in _commands(look(board, "model/one/churn.html"), "pull"))
    assert _commands(look(board, "model/two/fraud.html"), f"register fraud {there}")
    assert _commands(look(board, "history/two/fraud.html"), f"register fraud {there}")
    assert _commands(look(board, "version/one/churn@v1.0.0.html"), f"pull churn@v1.0.0 --repo {repo.path}")
    [said] = _commands(look(board, "compare/one/churn@v1.0.0...v1.1.0.html"), "diff")
    assert said == f"registry diff churn@v1.0.0 churn@v1.1.0 --repo {repo.path}"


def test_commands_for_a_repository_at_a_url_name_it(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    board = Dashboard([Source("at-url", "one", Registry(repo.path.as_uri()))], static=True)

    page = look(board, "model/at-url/churn.html")

    for words in ("resolve", "pull", "show"):
        assert f"--repo {repo.path.as_uri()}" in _commands(page, words)[0]
    assert usage.first(board, board.sources[0]) == [f"registry register my-model --repo {repo.path.as_uri()}"]


def test_commands_for_the_repository_that_one_is_in_are_short(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path / "models")
    board = open_sources((), acts=True).dashboard

    assert usage.command(board, board.sources[0], "doctor") == "registry doctor"
    assert usage.command(dashboard(repo, static=True), board.sources[0], "doctor") == "registry doctor"


@pytest.mark.parametrize("named", [".", "models", "../repo"])
def test_a_repository_that_was_named_is_named_so_that_the_command_works_from_anywhere(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    repo.write("registry.yaml", "models: {churn: {}}\n").train()
    monkeypatch.chdir(repo.path)
    visitor = Visitor(named)

    page = read(visitor.get("model/repo/churn.html").text)
    asked = visitor.ask("register", name="churn")
    checked = visitor.get("act/check.json", None, action="register", name="churn").json()

    assert {*_commands(page, "register churn")} == {f"registry register churn --repo {repo.path}"}
    assert f"Registry({str(repo.path)!r})" in page.text
    assert command_on(asked) == checked["command"] == f"registry register churn --repo {repo.path}"


def test_what_is_used_is_the_last_stage_that_is_declared(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "zoo")
    assert _commands(look(dashboard(repo), "model/one/churn.html"), "pull 'churn#zoo'")

    repo.write("registry.yaml", "stages: {staging: {}, production: {}}\nmodels: {churn: {}}\n").commit()
    assert _commands(look(dashboard(repo), "model/one/churn.html"), "pull churn@latest")
    repo.assign("churn@v1.0.0", "staging")
    assert _commands(look(dashboard(repo), "model/one/churn.html"), "pull 'churn#staging'")


def test_what_has_to_be_filled_in_says_so(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")

    page = look(dashboard(repo), "model/one/churn.html")

    assert "uses: git-registry/git-registry@HASH # pin the release's full hash" in page.text


def test_where_nothing_can_be_used_the_page_says_how_to_register(repo: RepoStory) -> None:
    page = look(dashboard(repo), "model/one/churn.html")

    assert "How to register the first version" in page.text
    assert not _commands(page, "pull")
    assert not _commands(page, "resolve")
    assert "GitHub workflow" not in page.text


# -- the models page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["a\u200bb", "two\nlines", 'quo"ted', "<b>", "plain"])
def test_a_label_that_is_chosen_finds_its_models(repo: RepoStory, label: str) -> None:
    manifest = {"models": {"churn": {"labels": [label]}, "other": {"labels": ["x"]}}}
    repo.write("registry.yaml", json.dumps(manifest)).commit()
    board = dashboard(repo)
    first = look(board)
    [choice] = [option["value"] for option in first.all("option") if option["value"] == label]

    page = look(board, label=choice)

    [row] = [row for row in page.all("tr") if "data-name" in row]
    assert row["data-name"] == "churn"
    assert choice in json.loads(row["data-labels"])
    assert [option["value"] for option in page.all("option") if "selected" in option] == [choice]
    assert " ".join(safe(label).split()) in first.text
    assert look(board, label=choice.replace("\n", "\r\n")).all("tr") == page.all("tr"), "as a browser sends it"


def test_a_filter_that_sees_one_page_of_many_says_so(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "SIZE", 2)
    repo.write("registry.yaml", "models: {a: {}, b: {}, c: {}}\n").commit()

    first, second = (look(dashboard(repo, static=True), path) for path in ("index.html", "index~2.html"))

    assert "what is on this page; others are on page 2" in first.text
    assert "what is on this page; others are on page 1" in second.text
    assert "on this page" not in look(dashboard(repo)).text


# -- one model ---------------------------------------------------------------------------------------------------------


def test_the_chart_shows_the_last_100_versions_and_what_is_latest(repo: RepoStory) -> None:
    for n in range(102):
        repo.tag(f"churn@v0.0.{n}", f"x\n\nRegistry: 1\nCounter: {n + 1}\nMetric: auc={n}\n")
    repo.tag("churn@v1.0.0-rc.1", "x\n\nRegistry: 1\nCounter: 103\n")
    board = dashboard(repo)

    page, second = (look(board, "model/one/churn.html", page=number) for number in ("1", "2"))

    assert "The last 100 versions." in page.text
    assert "auc \u2013 latest" in page.text  # it has none; that of an older one is not its
    assert not page.all("circle")[1:]  # the mark's own
    assert [len(line["points"].split()) for line in page.all("polyline")] == [99]
    assert not second.all("polyline")
    for words in ("How to use it", "History", "Metrics over versions"):
        assert words in page.text
        assert words not in second.text


def test_few_versions_are_marked(repo: RepoStory) -> None:
    for n in range(3):
        repo.tag(f"churn@v0.0.{n}", f"x\n\nRegistry: 1\nCounter: {n + 1}\nMetric: auc={n}\n")

    page = look(dashboard(repo), "model/one/churn.html")

    assert [dot["class"] for dot in page.all("circle") if "class" in dot] == ["dot", "dot", "dot last"]
    assert "The last" not in page.text


def test_many_stages_with_nothing_in_them_are_one_line(repo: RepoStory) -> None:
    stages = ", ".join(f"s{n}: {{}}" for n in range(8))
    repo.write("registry.yaml", f"stages: {{{stages}}}\nmodels: {{churn: {{}}}}\n").commit()
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "s3")

    assert "nothing in: s0, s1, s2, s4, s5, s6, s7" in look(dashboard(repo), "model/one/churn.html").text


# -- and others --------------------------------------------------------------------------------------------------------


def test_two_versions_without_a_change_in_numbers_have_no_column_for_it(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0", metrics={"auc": 1}, labels=["a"]).register("churn", "v1.1.0", metrics={"auc": 1})
    repo.register("churn", "v1.2.0", metrics={"auc": 2})

    same = look(dashboard(repo), "compare/one/churn@v1.0.0...v1.1.0.html")
    other = look(dashboard(repo), "compare/one/churn@v1.1.0...v1.2.0.html")

    assert "Change" not in same.text
    assert "Change" in other.text
    assert "+1" in other.text


@pytest.mark.parametrize(
    ("iso", "words"), [("1970-01-01T00:00:00+00:00", "date unknown"), ("2020-01-05", "6 years ago")]
)
def test_a_date_before_there_was_git_is_none(iso: str, words: str) -> None:
    assert render.ago(iso, NOW) == words


def test_a_run_leads_to_the_form_for_another_version_of_it(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0", run="mlflow:1")
    path = "version/one/churn@v1.0.0.html"
    link = "../../act/register.html" + links.query({"repo": "one", "name": "churn", "run": "mlflow:1"})

    assert link in look(dashboard(repo, acts=True), path).links
    assert link not in look(dashboard(repo), path).links

"""What an adversary found in the forms: what is lost, what is not told, what cannot work."""

from __future__ import annotations

import html
import os
import subprocess
from pathlib import Path

import pytest

from registry.web import actions, hints
from tests.story import RepoStory
from tests.web.test_pages import Document, read
from tests.web.visitor import Answer, Visitor, command_on, form_of

MANIFEST = """\
stages:
  staging: {}
  production: {}
models:
  churn: {path: models/churn.pkl}
  price: {}
"""


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """One version of churn, in staging, and a commit that is no version yet."""
    repo.write("registry.yaml", MANIFEST)
    repo.train()
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "staging")
    repo.train()
    os.environ.update(repo.environment())
    return repo


def _remote(story: RepoStory, tmp_path: Path, name: str) -> Path:
    place = tmp_path / f"{name}.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(place)], check=True)
    story.git("remote", "add", name, str(place))
    story.git("push", "-q", name, "main")
    return place


def _tags_at(place: Path) -> list[str]:
    return subprocess.run(["git", "tag"], cwd=place, capture_output=True, check=True, text=True).stdout.split()


def _doc(page: Answer) -> Document:
    return read(page.text)


# -- what is published along -------------------------------------------------------------------------------------------


def test_the_question_says_where_to_and_what_is_pushed_along(story: RepoStory, tmp_path: Path) -> None:
    place = _remote(story, tmp_path, "origin")
    story.registry.push()
    story.assign("churn@v1.0.0", "production")
    visitor = Visitor()

    asked = visitor.ask("register", name="churn", push="yes")
    alone = visitor.ask("register", name="churn")

    text = _doc(asked).text
    assert "It is pushed to origin in the same step" in text
    assert "Written before, and not at origin yet: churn#production#3" in text
    assert "churn#staging#2" not in text
    assert "origin" not in _doc(alone).text
    visitor.sure(asked)
    assert {"churn#production#3", "churn@v1.0.1"} <= set(_tags_at(place))


def test_what_would_be_pushed_along_since_is_asked_again(story: RepoStory, tmp_path: Path) -> None:
    place = _remote(story, tmp_path, "origin")
    story.registry.push()
    visitor = Visitor()
    asked = visitor.ask("annotate", name="churn", version="v1.0.0", labels="good", push="yes")
    story.assign("churn@v1.0.0", "production")

    again = visitor.post("act/annotate.html", {**form_of(asked).said, "sure": "yes"})

    assert again.status_code == 409
    assert "churn#production#3" in again.text
    assert "churn#production#3" not in _tags_at(place)


def test_a_push_names_the_remote_and_the_tags(story: RepoStory, tmp_path: Path) -> None:
    _remote(story, tmp_path, "origin")
    visitor = Visitor()

    text = _doc(visitor.ask("push")).text

    assert "What is pushed to origin churn#staging#2 churn@v1.0.0" in text or "churn@v1.0.0 churn#staging#2" in text
    assert "origin was never asked for its tags" in text


# -- which remote ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["push", "register"])
def test_of_several_remotes_one_is_chosen(story: RepoStory, tmp_path: Path, action: str) -> None:
    one, other = _remote(story, tmp_path, "one"), _remote(story, tmp_path, "other")
    visitor = Visitor()

    unclear = visitor.ask(action, name="churn", push="yes")
    asked = visitor.ask(action, name="churn", push="yes", remote="other")

    assert unclear.status_code == 422
    told = html.unescape(unclear.text.split('id="error-remote"', 1)[1].split("</output>")[0])
    assert "there are several remotes: one, other; say which one with “Remote”" in told
    assert "--remote other" in command_on(asked)
    visitor.sure(asked)
    assert "churn@v1.0.0" in _tags_at(other)
    assert _tags_at(one) == []


def test_one_remote_is_not_asked_for(story: RepoStory, tmp_path: Path) -> None:
    visitor = Visitor()
    assert 'name="push"' not in visitor.get("act/assign.html").text
    assert 'name="offline"' not in visitor.get("act/assign.html").text

    _remote(story, tmp_path, "origin")
    page = visitor.get("act/assign.html").text
    assert 'name="remote"' not in page
    assert 'name="push"' in page
    assert 'name="offline"' in page


def test_where_the_remote_is_gone_the_hint_names_the_box_and_the_box_works(
    story: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--no-tags", story.path.as_uri(), str(clone)], check=True)
    subprocess.run(["git", "remote", "set-url", "origin", (tmp_path / "gone").as_uri()], cwd=clone, check=True)
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Ana")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "ana@example.com")
    visitor = Visitor(str(clone))

    refused = visitor.sure(visitor.ask("register", name="price"))
    offline = visitor.ask("register", name="price", offline="yes")

    assert refused.status_code == 422
    assert form_of(refused).said["name"] == "price"
    assert "“Do not ask the remote” writes all the same" in html.unescape(refused.text)
    assert "--offline" in command_on(offline)
    assert visitor.sure(offline).status_code == 303


def test_pushing_offline_is_told_where_it_was_ticked(story: RepoStory, tmp_path: Path) -> None:
    _remote(story, tmp_path, "origin")

    again = Visitor().ask("deprecate", name="churn", push="yes", offline="yes")

    assert "choose one of the two" in again.text.split('id="error-offline"', 1)[1].split("</output>")[0]


@pytest.mark.parametrize(
    ("hint", "here"),
    [
        ("leave --version out for the next one", "leave “Another version” out for the next one"),
        ("say --run, not --run-url", "say “Run”, not “Link to the run”"),
        ("say --runs", "in a shell: say --runs"),
        ("registry doctor says what it is", "in a shell: registry doctor says what it is"),
        ("did you mean churn?", "did you mean churn?"),
        ("wait for it; git fsck says if it left a lock", "in a shell: wait for it; git fsck says if it left a lock"),
    ],
)
def test_a_hint_for_a_shell_is_one_for_a_browser(hint: str, here: str) -> None:
    assert hints.advice(hint, actions.ACTIONS["register"].fields) == here


# -- one word per action -----------------------------------------------------------------------------------------------


def test_every_action_is_called_what_the_shell_calls_it() -> None:
    for name, action in actions.ACTIONS.items():
        assert action.button.lower().replace(" ", "") == name
        assert action.title.lower().replace(" ", "").startswith(name)


@pytest.mark.parametrize("path", ["", "model/repo/churn.html", "version/repo/churn@v1.0.0.html", "act/push.html"])
def test_no_page_has_other_words_for_them(story: RepoStory, tmp_path: Path, path: str) -> None:
    _remote(story, tmp_path, "origin")
    story.deregister("churn@v1.0.0")

    words = _doc(Visitor().get(path)).text.lower()

    for other in ("withdr", "take out", "took", "publish"):
        assert other not in words


# -- nothing that was typed is lost ------------------------------------------------------------------------------------


def test_going_back_finds_what_was_typed(story: RepoStory) -> None:
    visitor = Visitor()
    started = visitor.send("GET", "/act/register.html?name=churn")
    address = started.headers["location"]
    form = form_of(visitor.send("GET", address)).said
    commit = story.git("rev-parse", "HEAD")
    said = {**form, "message": "Two\nlines", "pick": commit, "bump": "major", "params": "a=1"}

    asked = visitor.post("act/register.html", said)
    back = form_of(visitor.send("GET", address)).said

    assert asked.status_code == 200
    assert {name: back[name] for name in ("name", "message", "pick", "bump", "params")} == {
        "name": "churn", "message": "Two\nlines", "pick": commit, "bump": "major", "params": "a=1"
    }  # fmt: skip
    [change] = [a["href"] for a in _doc(asked).all("a") if "form=" in a["href"]]
    assert form_of(visitor.send("GET", f"/act/register.html{change}")).said == back


def test_going_back_after_an_error_finds_what_was_typed(story: RepoStory) -> None:
    visitor = Visitor()
    address = visitor.send("GET", "/act/assign.html?name=churn").headers["location"]
    form = form_of(visitor.send("GET", address)).said

    again = visitor.post("act/assign.html", {**form, "version": "v9.9.9", "stage": "staging", "reason": "Kept"})
    back = form_of(visitor.send("GET", address)).said

    assert again.status_code == 422
    assert back["reason"] == "Kept"
    assert back["version"] == "v9.9.9"


def test_a_form_that_has_acted_says_so_and_can_be_sent_as_another_one(story: RepoStory) -> None:
    visitor = Visitor()
    address = visitor.send("GET", "/act/assign.html?name=churn").headers["location"]
    form = {**form_of(visitor.send("GET", address)).said, "version": "v1.0.0", "stage": "production"}
    asked = visitor.post("act/assign.html", form)
    visitor.sure(asked)

    question = visitor.send("GET", f"{address}&ask=1")
    other = visitor.post("act/assign.html", {**form, "stage": "staging", "force": "yes"})

    assert "this was done already" in question.text
    assert form_of(question).said["stage"] == "production"
    assert "Assign churn v1.0.0 to staging" not in question.text
    assert visitor.sure(other).status_code == 303
    assert story.tags.count("churn#staging#4") == 1


@pytest.mark.parametrize("step", [{}, {"ask": "1"}, {"refused": "1"}])
def test_a_forgotten_form_says_so_and_begins_anew(story: RepoStory, step: dict[str, str]) -> None:
    visitor = Visitor()
    page = visitor.get("act/assign.html", None, name="churn", form="of-another-day", **step)

    assert page.status_code == 410
    assert "this form was forgotten" in page.text
    said = form_of(page).said
    assert said["name"] == "churn"
    again = visitor.post("act/assign.html", {**said, "version": "v1.0.0", "stage": "production"})
    assert visitor.sure(again).status_code == 303


def test_the_form_of_another_action_is_a_forgotten_one(story: RepoStory) -> None:
    visitor = Visitor()
    sent = form_of(visitor.ask("assign", name="churn", version="v1.0.0", stage="production")).said

    page = visitor.send("GET", f"/act/deregister.html?form={sent['once']}&ask=1")
    crossed = visitor.post("act/deregister.html", {**sent, "sure": "yes"})

    assert page.status_code == 410
    assert crossed.status_code == 409
    assert "churn@v1.0.0!#3" not in story.tags


def test_who_only_looks_at_forms_makes_none_forgotten(story: RepoStory) -> None:
    visitor = Visitor()
    asked = visitor.ask("assign", name="churn", version="v1.0.0", stage="production")

    for _ in range(250):
        visitor.app.asking.get(actions.ACTIONS["assign"], {"name": "churn"})
        visitor.app.asking.get(actions.ACTIONS["assign"], {"form": "looked-at", "new": "1"})

    assert visitor.sure(asked).status_code == 303
    assert story.resolve("churn#production") == "v1.0.0"


# -- what is not offered -----------------------------------------------------------------------------------------------


def test_a_push_that_cannot_be_is_not_offered(story: RepoStory, tmp_path: Path) -> None:
    visitor = Visitor()
    alone = visitor.get("act/push.html")
    _remote(story, tmp_path, "origin")
    story.registry.push()
    pushed = visitor.get("act/push.html")
    story.assign("churn@v1.0.0", "production")
    waiting = visitor.get("act/push.html")

    assert "Nothing to push: there is no remote" in _doc(alone).text
    assert "Nothing to push: all is at origin already" in _doc(pushed).text
    for page, disabled in ((alone, True), (pushed, True), (waiting, False)):
        buttons = [one for one in _doc(page).all("button") if one.get("class") == "primary"]
        assert ["disabled" in one for one in buttons] == [disabled]


def test_the_models_page_offers_a_push_without_looking_for_what_waits(
    story: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor()
    assert "act/push.html?repo=repo" not in _doc(visitor.get("")).links
    _remote(story, tmp_path, "origin")
    story.registry.push()
    looked: list[object] = []
    monkeypatch.setattr("registry.porcelain.sync.unpublished", lambda *asked: looked.append(asked))

    assert "act/push.html?repo=repo" in _doc(visitor.get("")).links
    ticked = visitor.get("act/check.json", None, action="register", name="churn", push="yes").json()
    pushing = visitor.get("act/check.json", None, action="push").json()

    assert ticked["command"] == "registry register churn --push"
    assert pushing == {"errors": {}, "suggested": {}, "command": "registry push"}
    assert looked == []


def test_only_stages_that_can_be_rolled_back_are_suggested(story: RepoStory) -> None:
    story.register("churn", "v2.0.0").assign("churn@v1.0.0", "production").assign("churn@v2.0.0", "production")

    page = Visitor().get("act/rollback.html", name="churn")

    assert form_of(page).offered["stage"] == ["production"]


# -- what an annotation changes ----------------------------------------------------------------------------------------


def test_an_annotation_is_shown_by_key_as_it_was_and_as_it_will_be(story: RepoStory) -> None:
    story.registry.annotate("churn@v1.0.0", metrics={"auc": 0.9, "f1": 0.7}, labels=["old"])

    asked = Visitor().ask(
        "annotate", name="churn", version="v1.0.0",
        metrics="auc=0.95\nf1=\nloss=0.1", labels="new\nbetter", description="<b>Fine</b>",
    )  # fmt: skip

    text = _doc(asked).text
    assert "metric auc 0.9 0.95" in text
    assert "metric f1 0.7 removed" in text
    assert "metric loss \u2013 0.1" in text
    assert "labels old new, better" in text
    assert "description \u2013 <b>Fine</b>" in text
    assert "<b>Fine" not in asked.text


# -- notes -------------------------------------------------------------------------------------------------------------


def test_notes_are_told_after_the_act(story: RepoStory) -> None:
    story.write("registry.yaml", MANIFEST + "    assign: {production: v1.0.0}\n").commit("Manage price")
    story.write("registry.yaml", MANIFEST.replace("churn: {path", "churn: {assign: {production: null}, path"))
    story.commit("Manage production")
    visitor = Visitor()

    done = visitor.do("assign", name="churn", version="v1.0.0", stage="production")

    assert "Assigned churn v1.0.0 to production" in done.text
    assert "wants nothing in production: the next apply undoes this" in done.text


def test_what_the_api_says_beside_its_answer_is_told_too(story: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.api import Registry

    exists = Registry.deprecate

    def deprecate(registry: Registry, *words: str, **how: bool) -> object:
        registry._on_note("said aside")
        return exists(registry, *words, **how)  # type: ignore[arg-type]

    action = actions.ACTIONS["deprecate"]
    monkeypatch.setitem(actions.ACTIONS, "deprecate", _with(action, deprecate))
    visitor = Visitor()
    asked = visitor.ask("deprecate", name="churn")

    assert "said aside" in asked.text
    assert "note: said aside" in visitor.follow(visitor.sure(asked)).text


def _with(action: actions.Action, verb: object) -> actions.Action:
    from dataclasses import replace

    return replace(action, verb=verb)  # type: ignore[arg-type]


# -- the picker --------------------------------------------------------------------------------------------------------


def test_the_columns_of_the_commits_are_about_the_name_that_is_typed(story: RepoStory) -> None:
    visitor = Visitor()
    first = visitor.get("act/register.html", name="churn")
    here = {"action": "register", "commits": "1"}
    registered, declared = story.git("rev-parse", "churn@v1.0.0^{commit}"), story.git("rev-parse", "HEAD")

    churn = visitor.get("act/check.json", None, **here, name="churn").json()["commits"]
    price = visitor.get("act/check.json", None, **here, name="price").json()["commits"]
    nobody = visitor.get("act/check.json", None, **here, name="nobody").json()["commits"]
    sent = visitor.post("act/register.html", {**form_of(first).said, "name": "price", "show": ""})

    assert churn[registered] == {"declared": "models/churn.pkl", "versions": ["v1.0.0"]}
    assert price[registered] == {"declared": "no path", "versions": []}
    assert nobody[declared] == {"declared": None, "versions": []}
    assert "no path" in sent.text
    assert "models/churn.pkl" not in sent.text
    assert "commits" not in visitor.get("act/check.json", action="register", name="churn").json()


@pytest.mark.parametrize("branch", ["a'b\"c", "x\u202egnp", "a&b"])
def test_a_branch_is_sent_as_it_is_and_shown_as_safe(story: RepoStory, branch: str) -> None:
    story.git("checkout", "-q", "-b", branch)
    story.commit("On a branch", empty=True)
    story.git("checkout", "-q", "main")
    visitor = Visitor()
    first = visitor.get("act/register.html", name="churn")

    values = [option["value"] for option in _doc(first).all("option")]
    there = visitor.post("act/register.html", {**form_of(first).said, "branch": branch, "show": ""})

    assert branch in values
    assert "On a branch" in there.text
    assert "\u202e" not in _doc(there).text

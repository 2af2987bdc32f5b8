"""Acting in a browser: each action from its form to its tags, and the command that it equals."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from registry.core.text import safe
from registry.web.picker import SIZE
from tests.story import RepoStory
from tests.web.visitor import Visitor, command_on, form_of

LIFECYCLE = """\
stages:
  staging: {}
  production: {after: staging}
models:
  churn: {path: models/churn.pkl}
"""


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """Two versions of churn, the first in staging and production, and a commit that is no version yet."""
    repo.write("registry.yaml", LIFECYCLE)
    repo.train()
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "staging").assign("churn@v1.0.0", "production")
    repo.train()
    repo.register("churn", "v1.1.0").assign("churn@v1.1.0", "staging").assign("churn@v1.1.0", "production")
    repo.train()
    repo.commit("Nothing new", empty=True)
    os.environ.update(repo.environment())
    return repo


DEEDS = {
    "register": ({"name": "churn", "bump": "minor"}, "registry register churn --minor", "churn@v1.2.0"),
    "assign": (
        {"name": "churn", "version": "v1.0.0", "stage": "staging", "reason": "Better, isn't it"},
        "registry assign churn@v1.0.0 staging --reason 'Better, isn'\"'\"'t it'",
        "churn#staging#7",
    ),
    "unassign": (
        {"name": "churn", "version": "v1.1.0", "stage": "production"},
        "registry unassign churn@v1.1.0 production",
        "churn#production!#7",
    ),
    "rollback": (
        {"name": "churn", "stage": "production", "message": "Two\nlines"},
        "registry rollback churn production -m 'Two\nlines'",
        "churn#production#7",
    ),
    "annotate": (
        {"name": "churn", "version": "production", "metrics": "a=0.9\nloss = 3", "labels": "a b\nc", "run": "mlflow:1"},
        "registry annotate 'churn#production' --label 'a b' --label c --metric a=0.9 --metric loss=3 --run mlflow:1",
        "churn@v1.1.0=#7",
    ),
    "deregister": ({"name": "churn", "version": "v1.1.0"}, "registry deregister churn@v1.1.0", "churn@v1.1.0!#7"),
    "deprecate": ({"name": "churn", "reason": "-x"}, "registry deprecate churn --reason -x", "churn@deprecated#7"),
}  # fmt: skip


@pytest.mark.parametrize("action", DEEDS)
def test_an_action_is_shown_with_its_command_and_done_when_one_is_sure(story: RepoStory, action: str) -> None:
    said, command, tag = DEEDS[action]
    visitor = Visitor()
    before = story.tags

    asked = visitor.ask(action, **said)

    assert command_on(asked) == command
    assert tag in asked.text
    assert story.tags == before, "asking writes nothing"

    done = visitor.sure(asked)

    assert done.status_code == 303
    assert done.headers["location"].startswith("/model/repo/churn.html?said=")
    assert sorted({*story.tags} - {*before}) == [tag]


def _tag_without_dates(path: Path, tag: str) -> str:
    raw = subprocess.run(["git", "cat-file", "tag", f"refs/tags/{tag}"], cwd=path, capture_output=True, check=True)
    return "\n".join(line for line in raw.stdout.decode().split("\n") if not line.startswith("tagger "))


HARD = {
    "register": {"name": "churn", "revision": "HEAD~1", "version": "v9.0.0-rc.1",
                 "message": "'; rm -rf /; $(x) `y`\n\n!#",
                 "params": "a=--b\nk = v = w", "tags": "t=", "description": "--force", "run_url": "https://x/?a=1&b=2"},
    "assign": {"name": "churn", "version": "^1.0", "stage": "staging", "message": "-", "force": "yes"},
    "deprecate": {"name": "churn", "message": "-\nx",
                  "reason": "\u00e9\U0001f600 \u200d'\\ \u0645\u06cc\u200c\u062e x\u202ey"},
}  # fmt: skip


@pytest.mark.parametrize("action", [*DEEDS, *(f"hard {name}" for name in HARD)])
def test_the_command_that_is_shown_makes_the_same_tag(
    story: RepoStory, tmp_path: Path, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = action.removeprefix("hard ")
    said = HARD[name] if action != name else DEEDS[name][0]
    twin = tmp_path / "twin"
    shutil.copytree(story.path, twin)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "registry").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m registry "$@"\n')
    (tools / "registry").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    before = {*story.tags}
    visitor = Visitor()

    asked = visitor.ask(name, **said)
    command = command_on(asked)
    visitor.sure(asked)
    subprocess.run(["bash", "-c", command], cwd=twin, check=True, capture_output=True)

    [tag] = {*story.tags} - before
    assert _tag_without_dates(twin, tag) == _tag_without_dates(story.path, tag)


def test_a_message_says_once_what_was_done(story: RepoStory) -> None:
    visitor = Visitor()
    done = visitor.sure(visitor.ask("assign", name="churn", version="v1.0.0", stage="staging"))

    assert "Assigned churn v1.0.0 to staging" in visitor.follow(done).text
    assert "Assigned churn v1.0.0 to staging" not in visitor.follow(done).text


def test_a_form_sent_twice_acts_once(story: RepoStory) -> None:
    visitor = Visitor()
    asked = visitor.ask("rollback", name="churn", stage="production")

    first = visitor.sure(asked)
    tags = story.tags
    second = visitor.sure(asked)

    assert second.status_code == 303
    assert second.headers["location"] == first.headers["location"].split("?")[0]
    assert story.tags == tags
    assert story.resolve("churn#production") == "v1.0.0"


def test_a_double_click_acts_once(story: RepoStory) -> None:
    visitor = Visitor()
    asked = visitor.ask("rollback", name="churn", stage="production")
    codes: list[int] = []
    clicks = [threading.Thread(target=lambda: codes.append(visitor.sure(asked).status_code)) for _ in range(4)]

    for click in clicks:
        click.start()
    for click in clicks:
        click.join()

    assert codes == [303] * 4
    assert story.resolve("churn#production") == "v1.0.0"


def test_what_changed_since_it_was_shown_is_shown_again(story: RepoStory) -> None:
    one, other = Visitor(), Visitor()
    asked = one.ask("rollback", name="churn", stage="production")
    other.do("rollback", name="churn", stage="production")
    tags = story.tags

    again = one.sure(asked)

    assert again.status_code == 409
    assert "Something has changed" in again.text
    assert story.tags == tags
    assert form_of(again).said["stage"] == "production"


def test_two_tabs_do_what_each_was_asked(story: RepoStory) -> None:
    visitor = Visitor()
    one = visitor.ask("assign", name="churn", version="v1.0.0", stage="staging")
    other = visitor.ask("annotate", name="churn", version="v1.0.0", labels="good")

    assert visitor.sure(other).status_code == 303
    assert visitor.sure(one).status_code == 303
    assert story.resolve("churn#staging") == "v1.0.0"


def test_an_old_form_is_asked_again_with_what_was_typed(story: RepoStory) -> None:
    visitor = Visitor()
    asked = visitor.ask("assign", name="churn", version="v1.0.0", stage="staging", reason="Kept")

    again = visitor.post("act/assign.html", {**form_of(asked).said, "once": "of-another-day", "sure": "yes"})

    assert again.status_code == 409
    assert "too old" in again.text
    assert form_of(again).said["reason"] == "Kept"


@pytest.mark.parametrize(
    ("action", "said", "field", "words"),
    [
        ("register", {"name": "chrun"}, "name", "did you mean churn?"),
        ("register", {"name": "churn", "revision": "nowhere"}, "revision", "no commit is called nowhere"),
        ("register", {"name": "churn", "revision": "HEAD~2"}, "revision", "is churn v1.1.0 already"),
        ("register", {"name": "churn", "version": "1.2"}, "version", "all three numbers are needed"),
        ("register", {"name": "churn", "version": "v1.0.0"}, "version", "is registered already"),
        ("register", {"name": "churn", "version": "v2.0.0", "pre": "rc"}, "pre", "the version says it all"),
        ("register", {"name": "churn", "metrics": "auc"}, "metrics", "is not NAME=VALUE"),
        ("register", {"name": "churn", "reason": "a\tb"}, "reason", "control character"),
        ("register", {"name": ""}, "name", "name is missing"),
        ("assign", {"name": "churn", "version": "v3.0.0", "stage": "staging"}, "version", "churn"),
        ("assign", {"name": "churn", "version": "v1.0.0", "stage": "stagin"}, "stage", "did you mean staging?"),
        ("rollback", {"name": "churn", "stage": "nope"}, "stage", "no stage nope"),
        ("deregister", {"name": "churn", "version": "v0.0.9"}, "version", "churn"),
        ("annotate", {"name": "churn", "version": "v1.0.0"}, "", "there is nothing to annotate with"),
        ("push", {}, "", "this repository has no remote; in a shell: git remote add origin URL"),
    ],
)
def test_an_error_stands_at_its_field_and_what_was_typed_stays(
    story: RepoStory, action: str, said: dict[str, str], field: str, words: str
) -> None:
    again = Visitor().ask(action, **said)

    assert again.status_code == 422
    place = again.text.split(f'id="error-{field}"' if field else '<p class="error" role="alert">', 1)[1]
    assert words in place.split("</output>" if field else "</p>")[0]
    typed = form_of(again).said
    assert {name: typed.get(name, "") for name in said} == said


HOSTILE = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "{{7*7}}{% raw %}",
    "\u202egnp.exe",
    "a" * 6000,
]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_typed_never_becomes_markup(story: RepoStory, value: str) -> None:
    visitor = Visitor()
    for page in (
        visitor.ask("register", name=value, revision=value, message=f"{value}\n{value}", labels=value),
        visitor.ask("assign", name="churn", version="v1.0.0", stage="staging", reason=value[:4000], message=value),
        visitor.get("act/assign.html", name=value, version=value, stage=value, said=value),
    ):
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "49{" not in page.text
        assert page.status_code in {200, 422}


@pytest.mark.parametrize("value", ["a\0b", "a\x1b[31mb", "a\nb", "\x7f"])
def test_control_characters_are_refused_where_a_line_is_asked(story: RepoStory, value: str) -> None:
    for action in ("register", "assign", "annotate", "deregister", "rollback", "unassign", "deprecate"):
        again = Visitor().ask(action, name=value, version=value, stage=value, revision=value)
        assert again.status_code == 422, action
        assert "control character" in again.text


def test_a_message_keeps_its_lines_and_letters_on_the_way(story: RepoStory) -> None:
    message = '  First \u200d\U0001f468\u200d\U0001f469\n\n\tsecond & <third>\n"quoted"'
    visitor = Visitor()
    asked = visitor.ask("assign", name="churn", version="v1.0.0", stage="staging", message=message)
    back = visitor.post("act/assign.html", {**form_of(asked).said, "show": ""})

    assert form_of(back).said["message"] == message
    visitor.sure(asked)
    assert story.registry.history("churn")[-1].message == message.strip()


def test_what_is_done_already_says_so(story: RepoStory) -> None:
    visitor = Visitor()
    asked = visitor.ask("assign", name="churn", version="v1.1.0", stage="staging")

    assert "Nothing would be written" in asked.text
    assert "is in staging already" in asked.text
    assert "Yes, assign" not in asked.text
    assert "Back to churn" in asked.text
    tags = story.tags
    assert "Nothing would be written" in visitor.sure(asked).text, "whoever says yes is told again"
    assert story.tags == tags


def test_the_form_suggests_what_there_is(story: RepoStory) -> None:
    visitor = Visitor()

    assign = form_of(visitor.get("act/assign.html", name="churn", stage="production"))
    register = visitor.get("act/register.html", name="churn", commit="HEAD~1")

    assert assign.offered == {
        "name": ["churn"],
        "version": ["v1.1.0", "v1.0.0"],
        "stage": ["staging", "production"],
    }
    assert assign.said["stage"] == "production"
    assert form_of(register).said["revision"] == "HEAD~1"
    for version in ("v1.1.1", "v1.2.0", "v2.0.0"):
        assert version in register.text


def test_a_link_prefills_no_free_words(story: RepoStory) -> None:
    page = Visitor().get("act/assign.html", name="churn", reason="Said by a stranger", message="Free money")

    assert "stranger" not in page.text
    assert "Free money" not in page.text


def test_errors_come_while_one_types(story: RepoStory) -> None:
    visitor = Visitor()

    good = visitor.get("act/check.json", action="register", name="churn", bump="major").json()
    bad = visitor.get("act/check.json", action="register", name="churn", version="v1").json()
    taken = visitor.get("act/check.json", action="register", name="churn", revision="HEAD~2").json()

    assert good == {
        "errors": {},
        "suggested": {"patch": "v1.1.1", "minor": "v1.2.0", "major": "v2.0.0"},
        "command": "registry register churn --major",
    }
    assert list(bad["errors"]) == ["version"]
    assert list(taken["errors"]) == ["revision"]
    assert visitor.get("act/check.json", {"Sec-Fetch-Site": "cross-site"}, action="register").status_code == 403
    assert visitor.get("act/check.json", action="format-disk").status_code == 404


def test_an_unassignment_without_a_version_is_of_what_is_in_the_stage(story: RepoStory) -> None:
    visitor = Visitor()
    commit = story.git("rev-parse", "HEAD")

    prefilled = form_of(visitor.get("act/unassign.html", name="churn", stage="production", version=commit)).said
    asked = visitor.ask("unassign", name="churn", stage="production")

    assert prefilled["version"] == ""
    assert command_on(asked) == "registry unassign churn production"
    assert "is now v1.0.0" in visitor.do("unassign", name="churn", stage="production").text.replace("&#39;", "'")


# -- publishing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(story: RepoStory, tmp_path: Path) -> Path:
    """The same with a remote, to which all but the last tag is published."""
    remote = tmp_path / "shared.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    story.git("remote", "add", "origin", str(remote))
    story.git("push", "-q", "origin", "main")
    story.registry.push()
    return remote


def _tags_at(remote: Path) -> list[str]:
    listing = subprocess.run(["git", "tag"], cwd=remote, capture_output=True, check=True, text=True)
    return listing.stdout.split()


def test_what_is_unpublished_is_shown_and_published(story: RepoStory, shared: Path) -> None:
    story.assign("churn@v1.0.0", "staging")
    visitor = Visitor()

    assert "churn#staging#7" in visitor.get("act/push.html").text
    asked = visitor.ask("push", name="churn")
    assert command_on(asked) == "registry push churn"
    assert "churn#staging#7" in asked.text
    assert "churn#staging#7" not in _tags_at(shared)

    after = visitor.sure(asked)
    assert after.headers["location"].startswith("/model/repo/churn.html")
    assert "churn#staging#7" in _tags_at(shared)


def test_an_action_can_be_published_in_the_same_step(story: RepoStory, shared: Path) -> None:
    visitor = Visitor()
    asked = visitor.ask("register", name="churn", push="yes")

    assert command_on(asked) == "registry register churn --push"
    visitor.sure(asked)
    assert "churn@v1.1.1" in _tags_at(shared)


def test_at_a_url_it_is_written_there(story: RepoStory, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Ana")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "ana@example.com")
    visitor = Visitor(shared.as_uri())

    form = form_of(visitor.get("act/register.html", name="churn"))
    assert "push" not in form.said
    asked = visitor.ask("register", name="churn", revision="main")
    assert command_on(asked) == f"registry register churn main --repo {shared.as_uri()}"
    visitor.sure(asked)

    assert "churn@v1.1.1" in _tags_at(shared)
    assert "v1.1.1" in visitor.get("model/shared/churn.html").text


def test_a_named_repository_is_named_in_the_command(story: RepoStory, tmp_path: Path) -> None:
    other = RepoStory.begin(tmp_path / "other one")
    other.write("registry.yaml", "models:\n  price: {}\n")
    other.commit()
    visitor = Visitor(".", str(other.path))

    asked = visitor.ask("register", repo="other-one", name="price")

    assert command_on(asked) == f"registry register price --repo '{other.path}'"
    visitor.sure(asked)
    assert other.tags == ["price@v0.0.1"]


# -- picking a commit --------------------------------------------------------------------------------------------------


def test_a_commit_is_picked(story: RepoStory) -> None:
    page = Visitor().get("act/register.html", name="churn")
    commit = story.git("rev-parse", "HEAD~1")

    assert "Nothing new" in page.text
    assert "models/churn.pkl" in page.text
    assert page.text.count(">v1.1.0</span>") == 1
    assert "not declared" not in page.text
    asked = Visitor().ask("register", name="churn", pick=commit)
    assert command_on(asked) == f"registry register churn {commit}"


def test_the_commits_before_the_declaration_say_so(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models:\n  churn: {}\n  price: {path: models/price.pkl}\n").commit("Declare price")

    page = Visitor().get("act/register.html", name="price")

    assert page.text.count("not declared") == 1
    assert page.text.count("models/price.pkl") == 1


def test_older_commits_are_a_page_away(repo: RepoStory) -> None:
    for n in range(SIZE + 10):
        repo.commit(f"Step {n}.", empty=True)
    visitor = Visitor()
    first = visitor.get("act/register.html", name="churn")
    [older] = [value for name, value in form_of(first).buttons if name == "show" and value]

    second = visitor.post("act/register.html", {**form_of(first).said, "message": "Kept", "show": older})

    assert f"Step {SIZE + 9}." in first.text
    assert "Step 9." not in first.text
    assert "Step 9." in second.text
    assert "Step 10." not in second.text
    assert form_of(second).said["message"] == "Kept"
    assert [value for name, value in form_of(second).buttons if name == "show"] == [""]


def test_another_branch_is_chosen(story: RepoStory) -> None:
    story.git("checkout", "-q", "-b", "try/out")
    story.commit("On a branch", empty=True)
    story.git("checkout", "-q", "main")
    visitor = Visitor()
    first = visitor.get("act/register.html", name="churn")

    second = visitor.post("act/register.html", {**form_of(first).said, "branch": "try/out", "show": ""})

    assert "On a branch" not in first.text
    assert "On a branch" in second.text


@pytest.mark.parametrize("words", ["--all", "HEAD\0", "../../x", "main:registry.yaml", "\u00e9"])
def test_a_hostile_page_of_commits_is_the_first_one(story: RepoStory, words: str) -> None:
    page = Visitor().get("act/register.html", name="churn", show=words)

    assert "Nothing new" in page.text


@pytest.mark.parametrize(
    "branch", ["nope", "--all", "HEAD\0", "../../x", "main:registry.yaml", "main~1", "\u00e9\u202e"]
)
def test_a_branch_that_is_none_is_told_in_place(story: RepoStory, branch: str) -> None:
    visitor = Visitor()
    first = form_of(visitor.get("act/register.html", name="churn")).said

    pages = [
        visitor.get("act/register.html", name="churn", branch=branch),
        visitor.post("act/register.html", {**first, "branch": branch, "show": ""}),
        visitor.post("act/register.html", {**first, "branch": branch}),
        visitor.post("act/register.html", {**first, "branch": branch, "pick": story.git("rev-parse", "HEAD~1")}),
    ]

    for page in pages:
        assert page.status_code == 422
        told = page.text.split('id="error-branch"', 1)[1].split("</output>")[0]
        assert f"no branch is called {html.escape(safe(branch))}" in told
        assert "Nothing new" not in page.text, "these are the commits of HEAD"
        assert form_of(page).said["name"] == "churn"


def test_a_branch_without_a_commit_means_its_tip(story: RepoStory) -> None:
    story.git("checkout", "-q", "-b", "try/out")
    story.commit("On a branch", empty=True)
    tip = story.git("rev-parse", "HEAD")
    story.git("checkout", "-q", "main")

    asked = Visitor().ask("register", name="churn", branch="try/out")

    assert command_on(asked) == "registry register churn refs/heads/try/out"
    assert tip in asked.text


def test_where_nothing_is_committed_the_form_says_so(empty: RepoStory) -> None:
    page = Visitor().get("act/register.html")

    assert page.status_code == 200
    assert "no commits yet" in page.text


def test_what_a_commit_says_never_becomes_markup(story: RepoStory) -> None:
    story.git("-c", "user.name=<b>Eve</b>", "commit", "-q", "--allow-empty", "-m", "<script>alert(1)</script> \u202e")

    page = Visitor().get("act/register.html", name="churn")

    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\u202e" in page.text
    assert "<b>Eve" not in page.text


def test_a_run_is_registered_from_its_entry(story: RepoStory) -> None:
    visitor = Visitor()
    form = form_of(visitor.get("act/register.html", name="churn", run="mlflow:1", commit="HEAD"))

    asked = visitor.post("act/register.html", form.said)

    assert command_on(asked) == "registry register churn --run mlflow:1"


def test_who_git_does_not_know_is_told_what_to_do(story: RepoStory) -> None:
    story.git("config", "--unset", "user.name")
    story.git("config", "--unset", "user.email")
    story.git("config", "user.useConfigOnly", "true")

    again = Visitor().ask("deprecate", name="churn")

    assert again.status_code == 422
    assert "git config --global user.name" in again.text


def test_several_people_act_at_once(story: RepoStory) -> None:
    visitors = [Visitor() for _ in range(4)]
    asked = [v.ask("annotate", name="churn", version="v1.0.0", tags=f"n{i}={i}") for i, v in enumerate(visitors)]
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda v=v, page=page: codes.append(v.sure(page).status_code))
        for v, page in zip(visitors, asked, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert codes == [303] * 4
    assert dict(story.registry.resolve("churn@v1.0.0").metadata.tags) == {f"n{i}": str(i) for i in range(4)}

"""What an adversary found in the forms: the click does what was confirmed, once, and says what it could not do."""

from __future__ import annotations

import gc
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from registry.core.state import ArtifactState
from registry.core.text import safe
from registry.porcelain.values import Written
from registry.web import acting, shell
from registry.web.fields import Wrong
from registry.web.refusal import Refusal
from tests.story import RepoStory
from tests.web.serving import served
from tests.web.test_pages import read
from tests.web.visitor import Answer, Visitor, command_on, form_of

MANIFEST = """\
stages:
  staging: {}
  production: {}
models:
  churn: {path: models/churn.pkl}
  price: {}
"""


@dataclass(frozen=True)
class Clones:
    """A clone in which somebody looks at the dashboard, and another one in which somebody else is faster."""

    story: RepoStory
    other: RepoStory
    shared: Path

    @property
    def published(self) -> set[str]:
        """The tags that all can see."""
        listing = subprocess.run(["git", "tag"], cwd=self.shared, capture_output=True, check=True, text=True)
        return set(listing.stdout.split())


@pytest.fixture
def clones(repo: RepoStory, tmp_path: Path) -> Clones:
    """Four versions of churn at a remote: the first two were in production, one after the other."""
    shared = tmp_path / "shared.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(shared)], check=True)
    repo.write("registry.yaml", MANIFEST)
    for n in range(4):
        repo.train()
        repo.register("churn", f"v0.0.{n + 1}")
    repo.assign("churn@v0.0.1", "production").assign("churn@v0.0.2", "production")
    repo.train()
    repo.git("remote", "add", "origin", str(shared))
    repo.git("push", "-q", "origin", "main")
    repo.registry.push()
    other = RepoStory(tmp_path / "other", clock=repo.clock)
    subprocess.run(["git", "clone", "-q", str(shared), str(other.path)], check=True)
    other.git("config", "user.name", "Bo")
    other.git("config", "user.email", "bo@example.com")
    os.environ.update(repo.environment())
    return Clones(repo, other, shared)


# What each form says, what somebody else does meanwhile, and which tag must not be made then.
FASTER: dict[str, tuple[dict[str, str], Callable[[RepoStory], object], str]] = {
    "rollback": (
        {"stage": "production"},
        lambda other: other.registry_at().assign("churn@v0.0.4", "production", push=True),
        "v0.0.2",  # where production would go back to then
    ),
    "assign": (
        {"version": "latest", "stage": "staging"},
        lambda other: other.registry_at().register("churn", "HEAD", push=True),
        "v0.0.5",
    ),
    "register": (
        {},
        lambda other: (other.commit("Of Bo", empty=True), other.registry_at().register("churn", "HEAD", push=True)),
        "v0.0.6",
    ),
    "unassign": (
        {"stage": "production"},
        lambda other: other.registry_at().assign("churn@v0.0.3", "production", push=True),
        "v0.0.3",
    ),
    "annotate": (
        {"version": "production", "labels": "good"},
        lambda other: other.registry_at().assign("churn@v0.0.3", "production", push=True),
        "v0.0.3",
    ),
    "deregister": (
        {"version": "latest"},
        lambda other: other.registry_at().register("churn", "HEAD", push=True),
        "v0.0.5",
    ),
}


def _ours(clones: Clones) -> list[tuple[str, str | None]]:
    """What Ana has published last, with the versions."""
    clones.story.registry.fetch("churn")
    return [(event.event, event.version) for event in clones.story.registry.history("churn") if event.author == "Ana"]


@pytest.mark.parametrize("action", FASTER)
def test_who_was_faster_before_the_click_is_asked_about_anew(clones: Clones, action: str) -> None:
    said, meanwhile, _ = FASTER[action]
    visitor = Visitor()
    asked = visitor.ask(action, name="churn", push="yes", **said)
    meanwhile(clones.other)
    published = clones.published

    again = visitor.sure(asked)

    assert again.status_code == 409
    assert "Something has changed" in again.text
    assert clones.published == published
    assert visitor.sure(Answer(again.path, 200, again.headers, again.content)).status_code == 303
    assert clones.published > published


@pytest.mark.parametrize("action", FASTER)
def test_who_is_faster_during_the_click_changes_nothing_of_what_was_confirmed(
    clones: Clones, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, meanwhile, wrong = FASTER[action]
    visitor = Visitor()
    asked = visitor.ask(action, name="churn", push="yes", **said)
    before = _ours(clones)
    carry_out = acting.carry_out

    def late(*asked: object) -> Written:
        meanwhile(clones.other)  # after all that was looked at
        return carry_out(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(acting, "carry_out", late)
    answer = visitor.sure(asked)
    monkeypatch.undo()

    done = _ours(clones)[len(before) :]
    assert wrong not in [version for _, version in done]
    if answer.status_code == 303:
        [(_, version)] = done
        assert f" {version} " in read(asked.text).text
    else:
        assert answer.status_code == 409
        assert "Something has changed" in answer.text
        assert done == []


def test_a_rollback_leads_to_the_version_that_was_confirmed(clones: Clones) -> None:
    visitor = Visitor()

    done = visitor.do("rollback", name="churn", stage="production", push="yes")

    assert "Assigned churn v0.0.1 to production" in done.text
    assert clones.story.resolve("churn#production") == "v0.0.1"


def test_what_is_registered_here_alone_stays_free_to_take_another_name(clones: Clones) -> None:
    visitor = Visitor()
    visitor.do("register", name="churn")
    clones.other.commit("Of Bo", empty=True)
    clones.other.registry_at().register("churn", push=True)

    clones.story.registry.push()

    assert clones.story.resolve("churn@latest") == "v0.0.6"


def test_what_could_not_be_held_to_is_told(clones: Clones, monkeypatch: pytest.MonkeyPatch) -> None:
    exclusive = MANIFEST.replace("production: {}", "production: {exclusive: true}")
    clones.story.write("registry.yaml", exclusive).commit("One at a time")
    visitor = Visitor()
    asked = visitor.ask("assign", name="churn", version="v0.0.3", stage="production", push="yes")
    carry_out = acting.carry_out

    def late(*asked: object) -> Written:
        clones.other.registry_at().assign("churn@v0.0.4", "production", push=True)
        return carry_out(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(acting, "carry_out", late)
    done = visitor.follow(visitor.sure(asked))

    assert clones.story.resolve("churn#production") == "v0.0.3"
    assert "this is not all as it was shown: others have acted meanwhile" in done.text


# -- once, and not at another's expense --------------------------------------------------------------------------------


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """Two versions of churn, in no stage."""
    repo.write("registry.yaml", MANIFEST)
    for n in range(2):
        repo.train()
        repo.register("churn", f"v0.0.{n + 1}")
    repo.train()
    os.environ.update(repo.environment())
    return repo


def _tabs(visitor: Visitor) -> tuple[Answer, Answer]:
    """Two questions of one form, in which something else was typed in each tab."""
    form = form_of(visitor.get("act/assign.html", name="churn")).said
    one = visitor.post("act/assign.html", {**form, "version": "v0.0.1", "stage": "staging"})
    return one, visitor.post("act/assign.html", {**form, "version": "v0.0.2", "stage": "production"})


@pytest.mark.parametrize("last", [False, True])
def test_two_tabs_of_one_form_do_what_each_was_asked_once(story: RepoStory, last: bool) -> None:
    visitor = Visitor()
    tabs = _tabs(visitor)
    one, other = reversed(tabs) if last else tabs

    first, second = visitor.sure(one), visitor.sure(other)
    again = [visitor.sure(one), visitor.sure(other)]

    assert "Assigned churn" in visitor.follow(first).text
    assert "Assigned churn" in visitor.follow(second).text
    assert story.resolve("churn#staging") == "v0.0.1"
    assert story.resolve("churn#production") == "v0.0.2"
    assert [answer.headers["location"] for answer in again] == ["/model/repo/churn.html"] * 2
    assert len([tag for tag in story.tags if "#" in tag]) == 2


def test_what_changed_for_one_tab_is_asked_about_what_was_typed_there(story: RepoStory) -> None:
    story.assign("churn@v0.0.1", "production").assign("churn@v0.0.2", "production")
    visitor = Visitor()
    form = form_of(visitor.get("act/rollback.html", name="churn")).said
    one = visitor.post("act/rollback.html", {**form, "stage": "production", "reason": "Of one"})
    other = visitor.post("act/rollback.html", {**form, "stage": "production", "reason": "Of the other"})
    visitor.sure(other)

    again = visitor.sure(one)

    assert again.status_code == 409
    assert "Something has changed" in again.text
    assert "Of one" in command_on(again)
    assert "was done already" not in again.text


def test_what_was_refused_is_forgotten_once_it_is_done(story: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor()
    asked = visitor.ask("assign", name="churn", version="v0.0.1", stage="staging")
    once = form_of(asked).said["once"]
    drafts = visitor.app.asking.drafts

    def refuses(*_: object) -> Written:
        raise Wrong("stage", Refusal("the disk is full"))

    with monkeypatch.context() as full:
        full.setattr(acting, "carry_out", refuses)
        again = visitor.sure(asked)
    assert "the disk is full" in again.text
    assert visitor.sure(asked).status_code == 303

    draft = drafts.of(once, "assign")
    assert draft is not None
    assert not draft.refused
    assert drafts.of(once, "deregister") is None


def test_a_refused_form_keeps_words_and_nothing_that_was_looked_at(story: RepoStory) -> None:
    visitor = Visitor()

    again = visitor.ask("assign", name="churn", version="v9.9.9", stage="staging")

    assert again.status_code == 422
    draft = visitor.app.asking.drafts.of(form_of(again).said["once"], "assign")
    assert draft is not None
    assert list(draft.refused) == ["version"]
    kept = _reached(draft)
    assert draft.refused["version"] in kept
    assert not [one for one in kept if isinstance(one, (BaseException, TracebackType, FrameType, ArtifactState))]


def _reached(start: object) -> list[object]:
    """All values that one keeps alive; not the code that they are of."""
    found: dict[int, object] = {}
    left = [start]
    while left:
        one = left.pop()
        if id(one) not in found and not isinstance(one, (type, ModuleType, FunctionType)):
            found[id(one)] = one
            left += gc.get_referents(one)
    return list(found.values())


# -- while a push takes its time ---------------------------------------------------------------------------------------


def test_what_is_typed_is_looked_at_later_while_somebody_acts(story: RepoStory) -> None:
    visitor = Visitor()
    desk = visitor.app.sources.desk("")
    pushed, begun = threading.Event(), threading.Event()

    def push(_: object) -> None:
        begun.set()
        pushed.wait(60)

    pushing = threading.Thread(target=lambda: desk.act(push))
    pushing.start()
    assert begun.wait(60)
    start = time.monotonic()
    answers = [visitor.get("act/check.json", None, action=action, name="churn") for action in ("assign", "register")]
    took = time.monotonic() - start
    pushed.set()
    pushing.join()

    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"busy": True})] * 2
    assert took < 5
    after = visitor.get("act/check.json", None, action="register", name="churn").json()
    assert after["command"] == "registry register churn"


# -- the command to copy -----------------------------------------------------------------------------------------------

HIDDEN = [
    "done \U0001f469\u200d\U0001f4bb ok", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "a\u2028b\x85c\x0bd",
    "\u202egnp.exe", "it's \u200b\\ \\x41 `id` $HOME \"x\" !!", "two\n\u200blines\n\n\tof it",
    "\ufefface\u200dbad", "plain's",
]  # fmt: skip


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("text", HIDDEN)
def test_a_word_is_the_same_in_a_shell_and_hides_nothing(text: str, locale: str) -> None:
    shown = shell.word(text)

    said = subprocess.run(["bash", "-c", f"printf %s {shown}"], capture_output=True, check=True, env={"LC_ALL": locale})
    assert said.stdout.decode() == text
    assert "\n".join(safe(line) for line in shown.split("\n")) == shown


# -- forms without a script --------------------------------------------------------------------------------------------


def test_of_a_commit_that_is_picked_and_one_that_is_typed_neither_wins(story: RepoStory) -> None:
    visitor = Visitor()
    form = form_of(visitor.get("act/register.html", name="price")).said
    picked = story.git("rev-parse", "HEAD~1")

    both = visitor.post("act/register.html", {**form, "pick": picked, "revision": "HEAD"})
    one = visitor.post("act/register.html", {**form, "pick": picked})

    assert both.status_code == 422
    assert "choose one of the two" in both.text.split('id="error-revision"', 1)[1].split("</output>")[0]
    assert form_of(both).said["revision"] == "HEAD"
    assert form_of(both).said["pick"] == picked
    assert picked in command_on(one)


def test_a_refused_form_leads_to_what_is_wrong(story: RepoStory) -> None:
    page = read(Visitor().ask("register", name="churn", version="1.2", metrics="auc", params="depth").text)

    assert page.elements[0][0] == "html"
    assert "Error: Register a version" in page.text
    assert {"#version", "#metrics", "#params"} <= set(page.links)
    focused = [attributes.get("name") for _, attributes in page.elements if "autofocus" in attributes]
    assert focused == ["version"]
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert {"version", "metrics", "params"} <= ids
    assert [one for one in page.all("details") if "open" in one]


def test_where_nothing_would_be_pushed_there_is_nothing_to_say_yes_to(clones: Clones) -> None:
    asked = Visitor().ask("push", name="churn")

    assert "Nothing would be pushed" in asked.text
    assert "Yes, push" not in asked.text


# -- the models --------------------------------------------------------------------------------------------------------


def test_models_stand_in_the_order_of_their_names_whatever_their_case(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {zoo: {}, Apple: {}, beer: {}, Cider: {}}\n").commit()
    visitor = Visitor()

    plain, sorted_ = visitor.get("").text, visitor.get("", None, sort="name").text

    for text in (plain, sorted_):
        places = [text.index(f'data-name="{name}"') for name in ("apple", "beer", "cider", "zoo")]
        assert places == sorted(places)


# -- another server of this machine ------------------------------------------------------------------------------------


def test_no_other_server_of_this_machine_is_sent_the_cookie(story: RepoStory) -> None:
    with served(story) as ui:
        place = urlsplit(ui.url)
        jar = CookieJar()
        opener = build_opener(HTTPCookieProcessor(jar))
        with opener.open(ui.address) as page:
            assert page.status == 200
            assert page.url == ui.url

        for port, path in ((ui.port + 1, "/"), (ui.port + 1, "/model/x.html"), (ui.port, "/")):
            asked = Request(f"http://127.0.0.1:{port}{path}")
            jar.add_cookie_header(asked)
            assert not asked.has_header("Cookie")
        with pytest.raises(HTTPError) as refused, opener.open(f"http://{place.netloc}/"):
            pass
        assert refused.value.code == 403
        refused.value.close()


def test_outside_of_the_room_nothing_is_told(story: RepoStory) -> None:
    visitor = Visitor()
    guard = visitor.app.guard

    for path in ("/", "/index.html", "/model/repo/churn.html", f"{guard.room}", f"{guard.room}x/", "//", "/%2e%2e/"):
        answer = visitor.send_outside("GET", path)
        assert answer.status_code == 403
        assert "churn" not in answer.text
    assert visitor.send_outside("GET", "/static/style.css").status_code == 200
    assert visitor.send_outside("GET", f"/model/repo/churn.html?token={guard.secret}").status_code == 303

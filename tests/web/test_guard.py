"""What strangers try: pages of others in the same browser, names led to this machine, forms that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.web import pages
from registry.web.guard import LIMIT
from tests.story import RepoStory
from tests.web.visitor import HERE, HOST, Answer, Visitor, form_of


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """One version of churn, in staging."""
    return repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "staging")


@pytest.fixture
def visitor(story: RepoStory) -> Visitor:
    """A browser at its dashboard."""
    return Visitor()


def _deed(visitor: Visitor) -> dict[str, str]:
    """A form that one is sure of."""
    asked = visitor.ask("deregister", name="churn", version="v1.0.0")
    return {**form_of(asked).said, "sure": "yes"}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7777", "127.0.0.1", "127.0.0.1:80", "localhost:7778", "localhost.evil.example:7777",
     "127.0.0.1:7777.evil.example", "", "127.0.0.2:7777", "[::1]", "user@127.0.0.1:7777", "127.0.0.1:7777, evil"],
)  # fmt: skip
def test_another_name_for_this_machine_is_told_nothing(visitor: Visitor, host: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = visitor.send(method, "/", {"Host": host})
        assert answer.status_code == 421
        assert b"repo" not in answer.content.replace(b"report", b"")


@pytest.mark.parametrize("host", [HOST, "localhost:7777", "LOCALHOST:7777", "[::1]:7777"])
def test_our_own_names_are_answered(visitor: Visitor, host: str) -> None:
    assert visitor.send("GET", "/", {"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://127.0.0.1:7777"},
        {"Origin": "http://127.0.0.1:7778"},
        {"Origin": "http://localhost:7777"},
        {"Origin": f"{HERE}.evil.example"},
        {"Origin": "http://evil.example", "Referer": f"{HERE}/act/deregister.html"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing(story: RepoStory, visitor: Visitor, headers: dict[str, str]) -> None:
    before = story.refs()

    assert visitor.post("act/deregister.html", _deed(visitor), **headers).status_code == 403
    assert story.refs() == before


@pytest.mark.parametrize("referer", [None, "http://evil.example/", f"{HERE}.evil.example/", "http://127.0.0.1:77770/"])
def test_without_an_origin_the_referer_has_to_be_ours(story: RepoStory, visitor: Visitor, referer: str | None) -> None:
    before = story.refs()
    said = _deed(visitor)
    body = "&".join(f"{name}={value}" for name, value in said.items()).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **({"Referer": referer} if referer else {})}

    assert visitor.send("POST", "/act/deregister.html", headers, body).status_code == 403
    assert story.refs() == before
    ours = {**headers, "Referer": f"{HERE}/act/deregister.html"}
    assert visitor.send("POST", "/act/deregister.html", ours, body).status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "\u00e9", "a" * 10_000])
def test_a_wrong_token_does_nothing(story: RepoStory, visitor: Visitor, token: str) -> None:
    before = story.refs()

    assert visitor.post("act/deregister.html", {**_deed(visitor), "token": token}).status_code == 403
    assert story.refs() == before


def test_no_token_does_nothing(story: RepoStory, visitor: Visitor) -> None:
    before = story.refs()
    said = _deed(visitor)
    del said["token"]

    assert visitor.post("act/deregister.html", said).status_code == 403
    assert story.refs() == before


def test_the_token_of_another_server_does_nothing(story: RepoStory, visitor: Visitor) -> None:
    said = {**_deed(visitor), "token": Visitor().app.guard.token}

    assert visitor.post("act/deregister.html", said).status_code == 403


def test_asking_with_get_does_nothing(story: RepoStory, visitor: Visitor) -> None:
    before = story.refs()

    answer = visitor.get("act/deregister.html", None, **_deed(visitor))

    assert answer.status_code == 200
    assert "<form" in answer.text
    assert story.refs() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_not_understood(visitor: Visitor, method: str) -> None:
    answer = visitor.send(method, "/act/deregister.html", {"Origin": HERE})

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["", "index.html", "model/repo/churn.html", "act/check.json", "static/act.js"])
def test_a_page_takes_no_form(visitor: Visitor, path: str) -> None:
    assert visitor.post(path, {"token": visitor.app.guard.token}).status_code == 405


def test_a_form_that_is_too_long_is_refused(story: RepoStory, visitor: Visitor) -> None:
    body = b"message=" + b"a" * LIMIT
    kind = {"Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"}

    for said in ({"Content-Length": str(len(body))}, {}, {"Content-Length": "10"}, {"Content-Length": "-1"}):
        answer = visitor.send("POST", "/act/assign.html", {**kind, **said}, body, parts=50)
        assert answer.status_code == 413
    assert visitor.send("POST", "/act/assign.html", {**kind, "Content-Length": "9" * 5000}).status_code == 413


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", ""])
def test_other_kinds_of_forms_are_refused(visitor: Visitor, kind: str) -> None:
    assert visitor.post("act/assign.html", {}, **{"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join(b"a%d=" % n for n in range(500)), b"%"])
def test_broken_forms_are_refused(visitor: Visitor, body: bytes) -> None:
    kind = {"Origin": HERE, "Content-Type": "application/x-www-form-urlencoded"}

    assert visitor.send("POST", "/act/assign.html", kind, body).status_code in {400, 403}


OUTSIDE = [
    "static/../server.py", "static/%2e%2e/server.py", "static/..%2fserver.py", "static/..%5cserver.py",
    "static//etc/passwd", "static/%2fetc%2fpasswd",
    "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "static/act.js%00.png", "static/",
    "static/../../pyproject.toml", "registry.yaml", "models/churn.pkl", ".git/config", "static/.git/config",
    "file:///etc/passwd", "model/repo/../../../etc/passwd.html", "model/repo/..%2f..%2fx.html",
    "model//etc/passwd.html",
    "templates/base.html", "act/form.html", "act/../static/act.js", "version/repo/churn@..html", "~",
    "%", "%ff", "//evil.example/",
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_file_is_served_but_our_own(visitor: Visitor, path: str) -> None:
    answer = visitor.send("GET", f"/{path}")

    assert answer.status_code in {400, 404}
    for secret in (b"root:", b"models:", b"[core]", b"weights 1", b"def ", b"{% block"):
        assert secret not in answer.content


def _answers(visitor: Visitor) -> list[Answer]:
    return [
        visitor.get(""),
        visitor.get("model/repo/churn.html"),
        visitor.get("static/act.js"),
        visitor.get("act/assign.html"),
        visitor.get("act/check.json", action="assign"),
        visitor.ask("assign", name="churn", version="v1.0.0", stage="production"),
        visitor.sure(visitor.ask("assign", name="churn", version="v1.0.0", stage="production")),
        visitor.get("nowhere"),
        visitor.send("GET", "/", {"Host": "evil.example"}),
        visitor.send("DELETE", "/"),
        visitor.post("act/assign.html", {}),
        visitor.post("act/assign.html", {}, Origin="http://evil.example"),
    ]


def test_every_answer_carries_the_rules_for_the_browser(visitor: Visitor) -> None:
    for answer in _answers(visitor):
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "set-cookie" not in headers


def test_no_page_holds_script_or_style_of_its_own(visitor: Visitor) -> None:
    for answer in _answers(visitor):
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text
        for script in answer.text.split("<script")[1:]:
            assert script.startswith(" src="), script[:80]


def test_errors_are_pages_in_our_own_words(visitor: Visitor) -> None:
    missing = visitor.get("model/repo/chrun.html")
    nowhere = visitor.get("deep/er/nowhere.html")

    assert missing.status_code == 404
    assert "did you mean churn?" in missing.text
    assert nowhere.status_code == 404
    assert 'href="../../static/' in nowhere.text, "its style is found from there"


def test_a_bug_says_nothing_of_this_machine(visitor: Visitor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: object) -> None:
        raise ValueError(f"secret at {tmp_path}")

    monkeypatch.delenv("REGISTRY_DEBUG")
    monkeypatch.setattr(pages, "at", fails)
    answer = visitor.get("")

    assert answer.status_code == 500
    assert "a bug in git-registry" in answer.text
    assert "secret" not in answer.text
    assert str(tmp_path) not in answer.text
    assert "Traceback" not in answer.text


def test_read_only_has_no_forms_at_all(story: RepoStory) -> None:
    visitor = Visitor(acts=False)
    before = story.refs()
    acting = Visitor()
    said = {**_deed(acting), "token": visitor.app.guard.token}

    for action in ("register", "assign", "unassign", "rollback", "annotate", "deregister", "deprecate", "push"):
        assert visitor.get(f"act/{action}.html").status_code == 404
        assert visitor.post(f"act/{action}.html", said).status_code == 404
    assert visitor.get("act/check.json", action="assign").status_code == 404
    assert story.refs() == before
    page = visitor.get("model/repo/churn.html")
    assert page.status_code == 200
    assert "act/" not in page.text
    assert visitor.app.guard.token not in page.text


# -- who is let in -----------------------------------------------------------------------------------------------------


def test_without_the_secret_nothing_is_told_but_where_it_is(story: RepoStory, visitor: Visitor) -> None:
    before = story.refs()
    deed = _deed(visitor)
    wrong = visitor.cookie[:-1] + ("a" if visitor.cookie[-1] != "a" else "b")
    for cookie in ("", wrong, visitor.cookie.partition("=")[2], f"other={visitor.cookie.partition('=')[2]}", "\u00e9"):
        visitor.cookie = cookie
        for answer in (
            visitor.get(""),
            visitor.get("model/repo/churn.html"),
            visitor.get("deep/er/nowhere.html"),
            visitor.get("static/nothing.js"),
            visitor.get("act/deregister.html"),
            visitor.get("act/check.json", action="assign"),
            visitor.send("GET", "/?token=wrong"),
            visitor.post("act/deregister.html", deed),
            visitor.send("HEAD", "/"),
        ):
            assert answer.status_code == 403
            assert "registry ui" in answer.text
            assert "?token=" in answer.text
            for told in ("churn", str(story.path), visitor.app.guard.token, visitor.app.guard.secret):
                assert told not in answer.text
        assert visitor.get("static/style.css").status_code == 200
    assert story.refs() == before


def test_the_address_that_is_printed_opens_it(visitor: Visitor) -> None:
    cookie, visitor.cookie = visitor.cookie, ""
    address = visitor.app.guard.address

    first = visitor.send("GET", address.removeprefix(HERE))

    assert first.status_code == 303
    assert first.headers["location"] == "/"
    name, *rules = first.headers["set-cookie"].split("; ")
    assert name == cookie
    assert {"HttpOnly", "SameSite=Strict", f"Path={visitor.app.guard.room}/"} == set(rules)
    visitor.cookie = f"theme=dark; {cookie}; other=1"
    assert "churn" in visitor.get("").text


@pytest.mark.parametrize("path", ["/model/repo/churn.html?page=1&", "//evil.example/?", "///evil.example/?"])
def test_it_leads_on_to_the_page_that_was_asked_for_and_to_no_other_host(visitor: Visitor, path: str) -> None:
    led = visitor.send("GET", f"{path}token={visitor.app.guard.secret}").headers["location"]

    assert visitor.app.guard.secret not in led
    assert led in {"/model/repo/churn.html?page=1", "/evil.example/"}


def test_the_secret_of_another_server_opens_nothing(visitor: Visitor) -> None:
    other = Visitor()

    assert visitor.get("", {"Cookie": other.cookie}).status_code == 403
    assert visitor.get("", {"Cookie": ""}, token=other.app.guard.secret).status_code == 403
    assert visitor.send("GET", "/", {"Host": "evil.example"}).status_code == 421

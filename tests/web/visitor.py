"""Somebody with a browser that shows forms: what is asked of the dashboard, and what it shows."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote, urlencode

from registry.web.guard import Guard
from registry.web.server import App
from registry.web.sources import open_sources

HOST = "127.0.0.1:7777"
HERE = f"http://{HOST}"


@dataclass(frozen=True)
class Answer:
    """What came back of a request for `path`."""

    path: str
    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The document."""
        return self.content.decode()

    def json(self) -> Any:
        """The value that it is."""
        return json.loads(self.content)


@dataclass
class Form:
    """The form of a page: what would be sent, and where to."""

    action: str = ""
    said: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    offered: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form = Form()
        self.area: str | None = None
        self.list = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        match tag:
            case "form" if said.get("method") == "post":
                self.form.action = said["action"]
            case "input" if name and said.get("type", "text") in {"text", "hidden"}:
                self.form.said[name] = said.get("value", "")
            case "input" if name and "checked" in said:
                self.form.said[name] = said.get("value", "")
            case "textarea":
                self.area = name
                self.form.said[name] = ""
            case "button" if name:
                self.form.buttons.append((name, said.get("value", "")))
            case "datalist":
                self.list = said["id"].removeprefix("list-")
            case "option" if self.list:
                self.form.offered.setdefault(self.list, []).append(said["value"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = None
        if tag == "datalist":
            self.list = ""

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.form.said[self.area] += data


def form_of(page: Answer) -> Form:
    """The form that a page shows."""
    reader = _Reader()
    reader.feed(page.text)
    reader.form.said = {name: value.removeprefix("\n") for name, value in reader.form.said.items()}
    return reader.form


class Visitor:
    """A browser on this machine, at the dashboard of some repositories."""

    def __init__(self, *repos: str, acts: bool = True) -> None:
        self.app = App(open_sources(repos, acts=acts), Guard(7777))
        self.cookie = self.app.guard.cookie.partition(";")[0]  # as one who came with the address that was printed

    def send(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"", parts: int = 1
    ) -> Answer:
        """One request as it is, its body in so many parts; addresses are as seen from the room of the pages."""
        return self.send_outside(method, f"{self.app.guard.room}{target}", headers, body, parts)

    def send_outside(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b"", parts: int = 1
    ) -> Answer:
        """One request to any address of the server."""
        lines = {
            "host": HOST,
            "cookie": self.cookie,
            **{name.lower(): value for name, value in (headers or {}).items()},
        }
        raw, _, query = target.partition("?")
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
            "path": unquote(raw), "raw_path": raw.encode(), "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
            "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 7777),
        }  # fmt: skip
        size = -(-len(body) // parts) or 1
        pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            piece = pieces.pop(0) if pieces else b""
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        headers_back = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        room = self.app.guard.room
        if "location" in headers_back:
            assert headers_back["location"].startswith(f"{room}/")
            headers_back["location"] = headers_back["location"].removeprefix(room)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(raw.removeprefix(room), sent[0]["status"], headers_back, content)

    def follow(self, answer: Answer) -> Answer:
        """The page that an answer leads to."""
        assert answer.status_code == 303, answer.text
        return self.send("GET", answer.headers["location"])

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        """Look at a page; a form has an address of its own."""
        said = f"?{urlencode(query)}" if query else ""
        return self._to_the_form(self.send("GET", f"/{quote(path, safe='/@=~+%')}{said}", headers))

    def _to_the_form(self, answer: Answer) -> Answer:
        while answer.status_code == 303 and answer.headers["location"].startswith("/act/"):
            answer = self.send("GET", answer.headers["location"])
        return answer

    def post(self, path: str, said: Mapping[str, str], **headers: str) -> Answer:
        """Send a form as it is, as a browser does: with the line ends of the network; the form that it leads to."""
        body = urlencode({name: "\r\n".join(value.split("\n")) for name, value in said.items()}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        return self._to_the_form(self.send("POST", f"/{path}", {"Origin": HERE, **kind, **headers}, body))

    def ask(self, action: str, **said: str) -> Answer:
        """Fill in the form of an action, and send it: the page that asks whether one is sure, or the form again."""
        form = form_of(self.get(f"act/{action}.html", repo=said.get("repo", "")))
        return self.post(f"act/{action}.html", {**form.said, **said})

    def sure(self, asked: Answer) -> Answer:
        """Say yes to a page that asks."""
        assert asked.status_code == 200, asked.text
        return self.post(asked.path.removeprefix("/"), {**form_of(asked).said, "sure": "yes"})

    def do(self, action: str, **said: str) -> Answer:
        """The whole way: fill in, say yes, and look at the page that it leads to."""
        return self.follow(self.sure(self.ask(action, **said)))


def command_on(page: Answer) -> str:
    """The command that a page says it equals."""
    inside = page.text.split('<pre class="command"', 1)[1].split("<code>", 1)[1].split("</code>", 1)[0]
    return html.unescape(inside)

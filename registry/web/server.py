"""The dashboard as a server on this machine: pages as the repositories are now, and forms that act (DESIGN part 5)."""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from registry.core.text import safe
from registry.errors import NotFound, Refused, RegistryError, UsageError
from registry.web import links, pages, render
from registry.web.actions import action_of
from registry.web.asking import Asking, Led, Shown
from registry.web.guard import HEADERS, LIMIT, Denied, Guard
from registry.web.page import Dashboard, Page, notes_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from registry.web.sources import Sources

PORT = 7777
_STATUS = ((NotFound, 404), (UsageError, 400), (Refused, 403))
_FIELDS = 200  # fields of one form or query
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request, as far as it matters. `depth` is how many directories the browser sees above the page."""

    method: str
    path: str
    depth: int
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes
    type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class App:
    """The server's application (ASGI). What is asked is answered in a thread; one rule for every answer is HEADERS."""

    def __init__(self, sources: Sources, guard: Guard, *, lasting: bool = False) -> None:
        self.sources = sources
        self._lasting = lasting
        self.guard = guard
        self.asking = Asking(sources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            answer = await self._answered(request)
        except ClientDisconnect:
            return
        headers = {**HEADERS, **answer.headers, "Content-Type": answer.type}
        await Response(answer.body, answer.status, headers)(scope, receive, send)

    async def _answered(self, request: Request) -> Answer:
        try:
            self.guard.check(request.method, request.headers)
            form = await _body(request) if request.method == "POST" else b""
            query = _parsed(request.scope["query_string"])
            depth = request.scope.get("raw_path", b"/").partition(b"?")[0].count(b"/") - 1
            visit = Visit(request.method, request.scope["path"], depth, query, request.headers, _parsed(form))
        except Denied as denied:
            return _denied(denied)
        answer = await run_in_threadpool(self.answer, visit)
        if self._lasting and answer.status == 200 and answer.type == _HTML:
            self._lasting = False
            # What 100,000 tags said is there to stay: to look through it for garbage again and again takes 0.3 s each.
            gc.collect()
            gc.freeze()
        return answer

    def answer(self, visit: Visit) -> Answer:
        """Answer a request that the guard let through; whatever goes wrong is a page, too."""
        path = self.guard.within(visit.path)
        if path is None:
            return self._at_the_door(visit) or self._locked(visit)
        visit = replace(visit, path=path, depth=visit.depth - 1)
        try:
            return self._routed(visit)
        except Denied as denied:
            return self._problem(visit, denied.status, denied.reason)
        except RegistryError as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
            return self._problem(visit, status, error.message, error.hint)
        except Exception:  # noqa: BLE001  (a bug costs one page, and says nothing of this machine)
            if os.environ.get("REGISTRY_DEBUG"):
                traceback.print_exc(file=sys.stderr)
            return self._problem(visit, 500, "a bug in git-registry", "REGISTRY_DEBUG=1 registry ui says where")

    def _routed(self, visit: Visit) -> Answer:
        if (answer := self._at_the_door(visit)) is not None:
            return answer
        if not self.guard.admits(visit.headers):
            return self._locked(visit)
        path = visit.path.removeprefix("/") or "index.html"
        if path.count("/") != visit.depth:  # %2F: its links would lead elsewhere
            raise NotFound("there is no such page")
        if path.startswith("act/"):
            return self._act(path.removeprefix("act/"), visit)
        if visit.method == "POST":
            raise Denied(405, "nothing is sent to this page")
        return self._page(path, visit)

    def _at_the_door(self, visit: Visit) -> Answer | None:
        """What anybody gets: files of the program, which are no secret, and with the secret the way in."""
        if visit.method == "POST":
            return None
        if (asset := _asset(visit.path.removeprefix("/"))) is not None:
            return asset
        if not self.guard.opens(visit.query.get("token", "")):
            return None
        rest: dict[str, object] = {name: value for name, value in visit.query.items() if name != "token"}
        address = f"/{quote(visit.path.lstrip('/'), safe='/@=~+')}{links.query(rest)}"
        return self._led(address, {"Set-Cookie": self.guard.cookie})

    def _locked(self, visit: Visit) -> Answer:
        return Answer(403, render.locked(max(visit.depth, 0)).encode(), _HTML)

    def _led(self, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The way to an address of ours."""
        return Answer(303, b"", _TEXT, {"Location": f"{self.guard.room}{address}", **(headers or {})})

    def _page(self, path: str, visit: Visit) -> Answer:
        if "refresh" in visit.query:
            self.guard.check_visit(visit.headers)
        with self.sources.reading(_repository(path), anew="refresh" in visit.query) as dashboard:
            page = pages.at(dashboard, path, visit.query)
            if page is None:
                raise NotFound("there is no such page", "the front page leads to all of them")
            told = self.asking.messages.hear(visit.query.get("said", "")) if visit.method == "GET" else None
            words = [told.words, *(f"note: {note}" for note in told.notes)] if told is not None else []
            notes = [f"note: {note}" for note in notes_of(dashboard)]
            return self._html(page, dashboard, 200, [*words, *self.sources.troubles, *notes])

    def _act(self, name: str, visit: Visit) -> Answer:
        if not self.sources.dashboard.acts:
            raise NotFound("this dashboard is read only", "registry ui without --read-only acts")
        self.guard.check_visit(visit.headers)
        if name == "check.json":
            if visit.method == "POST":
                raise Denied(405, "nothing is sent to this page")
            return Answer(200, json.dumps(self.asking.check(visit.query)).encode(), "application/json")
        action = action_of(name.removesuffix(".html") if name.endswith(".html") else "")
        if visit.method == "POST":
            self.guard.check_token(visit.form.get("token", ""))
            answer: Shown | Led = self.asking.post(action, visit.form)
        else:
            answer = self.asking.get(action, visit.query)
        if isinstance(answer, Led):
            return self._led(answer.address)
        return self._html(answer.page, self.sources.dashboard, answer.status)

    def _html(self, page: Page, dashboard: Dashboard, status: int, messages: Sequence[str] = ()) -> Answer:
        extra = {"token": self.guard.token if dashboard.acts else "", "messages": messages}
        return Answer(status, render.html(page, dashboard, extra).encode(errors="replace"), _HTML)

    def _problem(self, visit: Visit, status: int, message: str, hint: str = "") -> Answer:
        """What went wrong, as a page; as plain text where even that cannot be made."""
        try:
            place = "-/" * max(visit.depth, 0) + "problem.html"
            page = Page(place, safe(message), "act/problem.html", {"status": status, "words": message, "hint": hint})
            answer = self._html(page, self.sources.dashboard, status)
        except Exception:  # noqa: BLE001  (an error in an error page is shown without the page)
            answer = _plain(status, message)
        return Answer(status, answer.body, answer.type, {"Allow": "GET, HEAD"} if status == 405 else {})


def _repository(path: str) -> str | None:
    """The repository that a page is about; None where it is about all."""
    stem = links.split(path)
    place = links.parse(stem[0]) if stem is not None else None
    return place.slug if place is not None else None


def _asset(path: str) -> Answer | None:
    """One of our own files (style, script, icon), or None."""
    if path == "favicon.ico":
        path = "static/favicon.svg"
    found = render.asset(path.removeprefix("static/")) if path.startswith("static/") else None
    return Answer(200, *found) if found is not None else None


def _plain(status: int, words: str) -> Answer:
    return Answer(status, f"{safe(words)}\n".encode(errors="replace"), _TEXT)


def _denied(denied: Denied) -> Answer:
    """What a stranger is told: nothing of what is here."""
    plain = _plain(denied.status, denied.reason)
    return Answer(plain.status, plain.body, plain.type, {"Allow": "GET, HEAD, POST"} if denied.status == 405 else {})


async def _body(request: Request) -> bytes:
    """What was sent. Raises Denied where it is too long, whatever its length was said to be."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LIMIT:
            raise Denied(413, f"a form holds at most {LIMIT // 1_000_000} MB")
        parts.append(part)
    return b"".join(parts)


def _parsed(said: bytes) -> dict[str, str]:
    """The fields of a form or a query, the last value of each name. Raises Denied for what is none."""
    try:
        return dict(parse_qsl(said.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="replace"))
    except ValueError as error:
        raise Denied(400, "that is no form") from error


def listening(port: int | None) -> socket.socket:
    """A socket on this machine alone: at `port`, 0 for any that is free; None is the usual one where that is free.

    Raises Refused where the port is taken.
    """
    for wanted in [PORT, 0] if port is None else [port]:
        here = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            here.bind(("127.0.0.1", wanted))
            here.listen(128)
            return here
        except OSError as error:
            here.close()
            reason = error.strerror or str(error)
        except OverflowError:
            here.close()
            reason = "no such port"
    if port is None:  # any that is free would have done
        raise Refused(f"cannot listen at any port: {reason}", "registry site -o DIR writes files instead")
    raise Refused(f"cannot listen at port {port}: {reason}", "--port 0 takes one that is free")


def serve(sources: Sources, here: socket.socket, guard: Guard) -> None:
    """Answer at `here`, whose port is the guard's, until somebody says stop (SIGINT, SIGTERM)."""
    import uvicorn  # a third of the start-up: only a server needs it

    app = App(sources, guard, lasting=True)
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[here])

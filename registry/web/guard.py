"""Who may ask what of the server: a browser that was given the secret, from our own pages; no rebound name, no form of
another site.

Any user and any program of this machine reaches the port. Who started the server is told an address with a secret in
it; a browser that comes with that one gets a cookie, and whoever has neither sees nothing.

A browser sends a host's cookies to all of its ports, so also to a server of another user of this machine, should a
person look at that one. So the pages lie below a directory that nobody guesses, and the cookie is sent there alone. (A
host of our own, such as RANDOM.localhost, would part them, too; but not everywhere is such a name resolved, and where
it is, [::1] may be asked first, where somebody else may listen.)
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

LIMIT = 1_000_000  # bytes of a form

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: a browser would say "Origin: null" with our own forms, too (Fetch, "append a request origin").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Denied(Exception):
    """A request that is not answered: the status, and why in one line."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Guard:
    """The rules of one server. `secret` opens it; `token` stands in our forms, where no other site can read it; `room`
    is the directory that the pages lie in."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    room: str = field(default_factory=lambda: f"/{secrets.token_urlsafe(16)}")

    @property
    def address(self) -> str:
        """The address to open, for nobody but the person who started the server."""
        return f"http://127.0.0.1:{self.port}/?token={self.secret}"

    @property
    def cookie(self) -> str:
        """What a browser is given that came with the secret. It keeps the cookies of all ports in one place."""
        return f"{self._cookie}={self.secret}; Path={self.room}/; HttpOnly; SameSite=Strict"

    @property
    def _cookie(self) -> str:
        return f"git-registry-{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names by which a browser on this machine may call us."""
        names = ("127.0.0.1", "localhost", "[::1]")
        return frozenset(names if self.port == 80 else (f"{name}:{self.port}" for name in names))

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """A request by its first lines. Raises Denied.

        Whoever leads a name of their own to this machine (DNS rebinding) is told by the Host header; a page of somebody
        else that sends a form here, by Origin or Referer, which no script can forge.
        """
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            raise Denied(421, "this server answers to 127.0.0.1 and localhost alone")
        if method not in {"GET", "HEAD", "POST"}:
            raise Denied(405, f"{method} is not understood here")
        if method == "POST":
            self._check_origin(host, headers)
            self._check_size(headers)

    def within(self, path: str) -> str | None:
        """A path in the room, as seen from there; None for one outside."""
        return path.removeprefix(self.room) if path.startswith(f"{self.room}/") else None

    def opens(self, said: str) -> bool:
        """Whether this is the secret."""
        return secrets.compare_digest(said.encode(errors="replace"), self.secret.encode())

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from a browser that was let in."""
        cookies = (cookie.strip().partition("=") for cookie in headers.get("cookie", "").split(";"))
        return any(name == self._cookie and self.opens(value) for name, _, value in cookies)

    def check_visit(self, headers: Mapping[str, str]) -> None:
        """A request that costs something, or changes what is remembered here. Raises Denied where a page of anybody
        else led to it, of another port of this machine, too; browsers that say nothing are let through."""
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Denied(403, "another site asked for this")

    def check_token(self, said: str) -> None:
        """The token of a form. Raises Denied."""
        if not secrets.compare_digest(said.encode(errors="replace"), self.token.encode()):
            raise Denied(403, "the form is not of this server, or the server was started again: load the page anew")

    def _check_origin(self, host: str, headers: Mapping[str, str]) -> None:
        ours = f"http://{host}"
        origin = headers.get("origin")
        if origin is None:
            referer = headers.get("referer", "")
            origin = ours if referer.lower().startswith(f"{ours}/") else None
        if origin is None or origin.lower() != ours:
            raise Denied(403, "another site sent this form")
        self.check_visit(headers)

    def _check_size(self, headers: Mapping[str, str]) -> None:
        said = headers.get("content-length", "")
        if said and (not said.isascii() or not said.isdigit() or len(said) > 18 or int(said) > LIMIT):
            raise Denied(413, f"a form holds at most {LIMIT // 1_000_000} MB")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise Denied(415, "a form is sent as application/x-www-form-urlencoded")

"""Pages as HTML: every word of a stranger's is escaped, and shown without what hides or turns the writing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from registry._version import __version__
from registry.core.text import safe
from registry.web import card, dates, hints, links, usage
from registry.web.page import Dashboard, Page

_HERE = Path(__file__).parent
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FIRST = datetime(2005, 1, 1, tzinfo=timezone.utc)  # Git is not older: such a date is no date
_SHORT = 12  # digits of a SHA-256 on a page


def html(
    page: Page, dashboard: Dashboard, extra: Mapping[str, object] | None = None, *, now: datetime | None = None
) -> str:
    """The whole document of a page.

    `extra` may hold `token`, for forms, and `messages`, to be shown on top. Dates are told as seen from `now`.
    """
    moment = now or datetime.now(timezone.utc)
    known = {
        "token": "",
        "messages": (),
        **page.context,
        **(extra or {}),
        "page": page,
        "dashboard": dashboard,
        "several": len(dashboard.sources) > 1,
        "now": moment.isoformat(timespec="seconds"),
        "program": __version__,
        "to": lambda path: links.relative(page.path, dashboard.files.get(path, path)),
        "act": lambda verb, **said: links.relative(page.path, f"act/{verb}.html") + links.query(said),
        "ago": lambda iso: ago(iso, moment),
        "command": lambda source, *words: usage.command(dashboard, source, *words),
    }
    return _environment().get_template(page.template).render(known)


def locked(depth: int) -> str:
    """The page for who does not have the secret, so many directories below the root: nothing of what is here."""
    return _environment().get_template("locked.html").render(root="../" * depth)


def asset(name: str) -> tuple[bytes, str] | None:
    """A file of the pages' own (style, script, icon) and its type; None where there is none of that name."""
    return _assets().get(name)


def asset_names() -> list[str]:
    """The names of all of them."""
    return sorted(_assets())


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    # Read as a whole, so that a name that was asked for never becomes a path.
    files = sorted((_HERE / "static").iterdir())
    return {file.name: (file.read_bytes(), _TYPES[file.suffix]) for file in files if file.suffix in _TYPES}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        exact=dates.exact,
        lines=lines,
        value=value,
        size=size,
        short=short,
        advice=hints.advice,
        exactly=exactly,
        web_link=card.web_link,
    )
    environment.globals.update(links=links)
    return environment


def _shown(said: object) -> object:
    """What stands for a value on a page: of text, no character that hides or turns the direction of writing."""
    if isinstance(said, Markup):
        return said
    return safe(said) if isinstance(said, str) else said


def exactly(text: str) -> Markup:
    """Text as it is, escaped and nothing else: for what a browser sends back, and nobody sees."""
    return escape(text)


def ago(iso: str, now: datetime) -> str:
    """How long ago a date is, where it can be true."""
    moment = dates.parse(iso)
    return "date unknown" if moment is not None and moment < _FIRST else dates.ago(iso, now)


def lines(text: str) -> Markup:
    """Text of several lines, each made safe; the element that holds it keeps their ends (`white-space: pre-wrap`)."""
    return Markup("\n").join(safe(line) for line in text.splitlines())


def value(found: object) -> str:
    """A metric, a parameter or any other value, as JSON would spell it; text as it is."""
    if isinstance(found, str):
        return found
    if isinstance(found, float):
        return f"{found:.6g}" if abs(found) < 1e15 else f"{found:g}"
    return json.dumps(found, ensure_ascii=False, default=str)


def size(count: int) -> str:
    """So many bytes, as people say it."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5:
            return f"{amount:.3g} {unit}"
    return f"{amount / 1000:,.0f} PB"


def short(subject: str) -> str:
    """A version as text; of a commit or a digest the first digits."""
    if subject.startswith("v"):
        return subject
    return subject[: _SHORT if len(subject) == 64 else 7]

"""Model cards: Markdown that strangers wrote, as HTML in which nothing of theirs is markup of its own.

The parser knows no HTML (`html: False`), so that tags in a card are words. Of what it makes itself, only the elements
stay, with two attributes: the `href` of a link that leads to the web or to a mailbox, and the `start` of a list. Images
are never loaded: their text and a link stand for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from registry.core.text import safe

_RENDERED = 50_000  # characters of a card that become HTML: the parser takes seconds for what was made to be slow
_KEPT = 200  # cards as HTML
_link = re.compile(r"(?:https?://[^\s]+|mailto:[^\s@]+@[^\s@]+)", re.IGNORECASE)
_ALIGN = {"text-align:right": "right", "text-align:center": "center"}
_LOWEST = 6
_CUT = Markup("<p><em>The card goes on: only its first 50 kB are shown here.</em></p>\n")


def web_link(url: str | None) -> str | None:
    """`url` where it leads to the web, else None: no script, no file, nothing that a browser would run."""
    if url is None or not re.fullmatch(r"https?://[^\s]+", url, re.IGNORECASE):
        return None
    return url if safe(url) == url else None


@lru_cache(_KEPT)
def html(text: str, *, top: int = 3) -> Markup:
    """A card as HTML. Its headings begin at the level `top`, below those of the page. Of a long one, the beginning."""
    shown = text[:_RENDERED]
    if len(shown) < len(text):
        shown = shown[: shown.rfind("\n") + 1] or shown
    lines = "\n".join(safe(line) for line in shown.splitlines())
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = list(_tamed(parser.parse(lines), top - 1))
    made = Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704  (the renderer escapes all text, and _tamed leaves no attribute of a stranger's)
    return made if len(shown) == len(text) else made + _CUT


def _tamed(tokens: Sequence[Token], down: int) -> Iterator[Token]:
    dropped: list[bool] = []  # of each link that is open, whether it is only words
    for token in tokens:
        if token.type == "image":
            yield from _instead_of_image(token)
            continue
        if token.type == "link_open":
            href = str(token.attrs.get("href", ""))
            dropped.append(not (_link.fullmatch(href) and safe(href) == href))
            if dropped[-1]:
                continue
            token.attrs = _outward(href)
        elif token.type == "link_close":
            if dropped.pop():
                continue
        else:
            _undress(token, down)
        if token.children is not None:
            token.children = list(_tamed(token.children, down))
        yield token


def _undress(token: Token, down: int) -> None:
    """Leave a token no attribute but those that say nothing of a stranger's."""
    align = _ALIGN.get(str(token.attrs.get("style", "")))
    start = token.attrs.get("start")
    token.attrs = {}
    if align is not None:
        token.attrs["class"] = align
    if token.type == "ordered_list_open" and isinstance(start, int):
        token.attrs["start"] = start
    if token.type == "fence":
        token.info = ""  # it would become a class
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(int(token.tag[1:]) + down, _LOWEST)}"


def _instead_of_image(token: Token) -> Iterator[Token]:
    words = token.content.strip() or "image"
    src = str(token.attrs.get("src", ""))
    if web_link(src) is None:
        yield Token("text", "", 0, content=f"[{words}]")
        return
    yield Token("link_open", "a", 1, attrs=_outward(src))
    yield Token("text", "", 0, content=f"[image: {words}]")
    yield Token("link_close", "a", -1)


def _outward(href: str) -> dict[str, str | int | float]:
    return {"href": href, "rel": "noopener noreferrer nofollow"}

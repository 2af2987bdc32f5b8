"""What a page of the documentation tells its reader to type, in order.

Comments of HTML, which no reader sees, say what a test needs to follow: `<!-- test: setup ... -->` is typed where it
stands, and `setup python` is run; `file NAME`, `fails` and `skip REASON` are about the next block; `needs PACKAGE...`
is about the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PIECE = re.compile(
    r"^<!-- test: (?P<word>\w+)(?P<said>.*?)-->$|^(?P<margin> *)```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
WORDS = ("setup", "file", "fails", "skip", "needs")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block, or a hidden setup. `line` is that of its first line of text, from 1; `word` says how it is to
    be followed, "" as it stands, and `said` what stood after it."""

    page: str
    line: int
    language: str
    text: str
    word: str = ""
    said: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page that tells something: the root's, those of docs/ and of the examples."""
    return sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md"), *_ROOT.glob("examples/**/*.md")])


def name(page: Path) -> str:
    """A page as a person names it."""
    return page.relative_to(_ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order. Raises ValueError for a word that is none of `WORDS`."""
    text = page.read_text()
    word = said = ""
    for found in _PIECE.finditer(text):
        if found["word"] is not None:
            if found["word"] not in WORDS:
                raise ValueError(f"{name(page)}: no such word: {found['word']}")
            line = text.count("\n", 0, found.start()) + 1
            if found["word"] in {"setup", "needs"}:
                language = "python" if found["said"].startswith(" python\n") else "sh"
                hidden = found["said"].removeprefix(" python\n").strip()
                yield Block(name(page), line, language, hidden, found["word"])
            else:
                word, said = found["word"], found["said"].strip()
            continue
        margin = found["margin"]
        lines = [one.removeprefix(margin) for one in found["text"].splitlines()]
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(name(page), line, found["language"], "\n".join(lines), word, said)
        word = said = ""

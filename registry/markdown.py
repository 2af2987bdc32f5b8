"""Markdown for hosts' summaries and comments: whatever strangers wrote stands in code, where nothing is markup.

In a code span or a code block GitHub-flavoured Markdown knows no markup, HTML, links, mentions or references to issues
(https://github.github.com/gfm/#code-spans), so that nobody has to list the characters that could be some.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from registry.core.text import safe

_LONGEST = 60_000  # characters of one block: hosts cut a summary off at 1 MB, and a comment at 65,536 characters


def code(text: str) -> str:
    """`text` as one code span, on one line; nothing where it is empty. Fit for a cell of a table, too."""
    shown = safe(text).replace("\t", " ").strip()
    if not shown:
        return ""
    fence = "`" * (_longest_run(shown) + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") else ""  # else it would make the fence longer
    # A table is cut at every |, even in code, and a backslash before it may belong to another backslash.
    return f"{fence}{blank}{shown}{blank}{fence}".replace("|", r"\x7c")


def block(text: str) -> str:
    """`text` as a block of code, its lines kept."""
    lines = [safe(line) for line in text[:_LONGEST].splitlines()]
    if len(text) > _LONGEST:
        lines.append("...")
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; columns without any content are left out, "" without rows."""
    used = [place for place, _ in enumerate(titles) if any(row[place] for row in rows)]
    lines = [
        [titles[place] for place in used],
        ["---" for _ in used],
        *([row[place] for place in used] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)

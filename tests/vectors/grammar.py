"""The grammar of docs/format.md as regular expressions, taken from the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tests.vectors.read import DOCS

PAGE = (DOCS / "format.md").read_text()

CORE = {
    "ALPHA": "[A-Za-z]",
    "DIGIT": "[0-9]",
    "SP": " ",
    "WSP": "[ \t]",
    "LF": "\n",
    "OCTET": "[\x00-\xff]",
}

_token = re.compile(
    r"\s*(?:(?P<text>(?:%s)?\"[^\"]*\")|(?P<range>%x[0-9A-F]+(?:-[0-9A-F]+)?)|(?P<times>[0-9]*\*[0-9]*|[0-9]+)"
    r"|(?P<rule>[A-Za-z][A-Za-z0-9-]*)|(?P<sign>[()\[\]/]))"
)


def rules() -> dict[str, str]:
    """The rules of all grammars of the page, each once."""
    blocks = "\n".join(re.findall(r"^```abnf\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    lines = re.findall(r"^([A-Za-z][A-Za-z0-9-]*) += (.*(?:\n +.*)*)", blocks, re.MULTILINE)
    names = [name for name, _ in lines]
    assert len(names) == len({*names}), "a rule is defined twice"
    assert len(lines) == len([line for line in blocks.split("\n") if line and not line.startswith(" ")])
    return dict(lines)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """A rule's elements: kind and text."""
    at = 0
    while text[at:].strip():
        found = _token.match(text, at)
        assert found is not None, text[at:]
        assert found.lastgroup is not None
        yield found.lastgroup, found.group(found.lastgroup)
        at = found.end()


@cache
def pattern(rule: str) -> str:
    """A rule as a regular expression: none of the page refers to itself."""
    return CORE[rule] if rule in CORE else f"(?:{_pattern(rules()[rule])})"


def _pattern(text: str) -> str:
    said: list[str] = []
    times = ""
    closing: list[str] = []  # what ends each group that is open, with the repetition before it
    for kind, token in tokens(text):
        match kind, token:
            case "times", _:
                times = _times(token)
                continue
            case "sign", "(" | "[":
                said.append("(?:")
                closing.append({"(": ")" + times, "[": ")?"}[token])
                times = ""
                continue
            case "sign", ")" | "]":
                said.append(closing.pop())
                continue
            case "sign", _:
                said.append("|")
                continue
            case "text", _:
                assert token.startswith("%s") or not re.search("[A-Za-z]", token), "a string that ignores case"
                one = f"(?:{re.escape(token.removeprefix('%s').strip(chr(34)))})"
            case "range", _:
                one = "[" + "-".join(f"\\U{int(code, 16):08x}" for code in token[2:].split("-")) + "]"
            case _:
                one = pattern(token)
        said.append(one + times)
        times = ""
    return "".join(said)


def _times(token: str) -> str:
    low, star, high = token.partition("*")
    return f"{{{low or 0},{high}}}" if star else f"{{{token}}}"


def matches(rule: str, text: str) -> bool:
    """Whether the whole of `text` is what the rule says."""
    return re.fullmatch(pattern(rule), text) is not None

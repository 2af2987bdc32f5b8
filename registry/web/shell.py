"""Commands of a shell, as pages show them to be copied."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from registry.core.text import safe


def command(verb: str, words: Sequence[str], options: Sequence[str], place: str | None) -> str:
    """A command of `registry`: `words` are what it says without options, `place` the repository, where it must name it.

    Every command that a page shows is made here.
    """
    said = [*options, *(["--repo", place] if place is not None else [])]
    # What looks like an option is none after a "--".
    arguments = [*said, "--", *words] if any(one.startswith("-") for one in words) else [*words, *said]
    return " ".join(map(word, ("registry", verb, *arguments)))


def word(text: str) -> str:
    """One word for a shell, quoted where it has to be.

    Characters that no page shows as they are (they hide, or turn the writing) are spelt in bash's `$'...'`, so that
    what is pasted says what was meant: by their bytes, for `\\u` is understood in a locale of UTF-8 alone.
    """
    if all(safe(line) == line for line in text.split("\n")):
        return shlex.quote(text)
    return f"$'{''.join(map(_spelt, text))}'"


def _spelt(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if letter == "\n" or safe(letter) == letter:
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode(errors="surrogatepass"))

"""The message of a tag: subject, the person's own words, and our last paragraph (DESIGN part 2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from types import MappingProxyType

from registry.errors import UsageError

Keys = Mapping[str, tuple[str, ...]]

NO_KEYS: Keys = MappingProxyType({})
MAGIC = "Registry: 1"

# What Git takes for the beginning of a signature, at the beginning of a line: gpg-interface.c, get_format_by_sig().
SIGNATURES = (
    "-----BEGIN PGP SIGNATURE-----",
    "-----BEGIN PGP MESSAGE-----",
    "-----BEGIN SIGNED MESSAGE-----",
    "-----BEGIN SSH SIGNATURE-----",
)
_signature = re.compile("^(?:" + "|".join(SIGNATURES) + ")", re.MULTILINE)
_control = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but tab and line feed
_key = re.compile(r"[A-Z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Message:
    """A message taken apart.

    `subject` is the first paragraph on one line, `body` what follows it, `keys` the values of each key of our block in
    order. `ours` says whether there is such a block at all. `text` is everything but the signature.
    """

    text: str
    keys: Keys
    ours: bool
    signed: bool

    @property
    def subject(self) -> str:
        """The first paragraph, on one line."""
        return " ".join(self._own_words().partition("\n\n")[0].split("\n"))

    @property
    def body(self) -> str:
        """What the person said: all between the subject and our block; without a block, the whole message."""
        return self._own_words().partition("\n\n")[2].strip("\n") if self.ours else self.text

    def _own_words(self) -> str:
        return self.text.rpartition("\n\n")[0] if self.ours else self.text


def parse(raw: str) -> Message:
    """Take apart the message of a tag object, as it stands after the headers' blank line."""
    signed = False
    if "-----BEGIN " in raw:
        # As Git does, the last such line counts: parse_signed_buffer().
        starts = [found.start() for found in _signature.finditer(raw)]
        if starts:
            signed = True
            raw = raw[: starts[-1]]
    text = raw.strip("\n")
    end = text.rfind("\n\n")
    start = end + 2 if end >= 0 else 0
    if not text.startswith(MAGIC, start) or text[start + len(MAGIC) :][:1] not in {"", "\n"}:
        return Message(text, NO_KEYS, ours=False, signed=signed)
    return Message(text, _keys(text[start:].split("\n")[1:]), True, signed)


def _keys(lines: Sequence[str]) -> Keys:
    keys: dict[str, tuple[str, ...]] = {}
    several: dict[str, list[str]] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and key not in keys:
            keys[intern(key)] = (value.strip(),)  # the names are few, and kept once
        elif colon:
            several.setdefault(key, [*keys[key]]).append(value.strip())
    for key, values in several.items():
        keys[key] = tuple(values)
    return keys


def compose(subject: str, body: str, keys: Iterable[tuple[str, str]]) -> str:
    """The message of a new tag. Raises UsageError where a text would be read back as something else.

    The block stands last, so that nothing in `subject` or `body` can pass for it; only a line that Git takes for a
    signature could hide it, and is refused.
    """
    words = check_text(body, "the message").strip("\n")
    paragraphs = [one_line(subject, "the subject")]
    if not paragraphs[0]:
        raise UsageError("the subject is empty", "say in one line what is done")  # the body would be taken for it
    if words:
        paragraphs.append(words)
    block = [MAGIC, *(f"{check_key(key)}: {one_line(value, key)}" for key, value in keys)]
    return "\n\n".join([*paragraphs, "\n".join(block)]) + "\n"


def check_key(key: str) -> str:
    """`key`, if it can stand before a colon in the block. Raises UsageError."""
    if _key.fullmatch(key) is None:
        raise UsageError(f"not a name for a key: {key!r}", "a capital, then letters, digits and '-', such as Run-URL")
    return key


def check_text(text: str, what: str) -> str:
    """`text` with plain line ends. Raises UsageError where it holds control characters or looks like a signature."""
    plain = text.replace("\r\n", "\n")
    if (found := _control.search(plain)) is not None:
        raise UsageError(f"{what} holds the control character {found.group()!r}", "leave it out")
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} is not text in UTF-8", "say it in UTF-8") from error
    if _signature.search(plain) is not None:
        raise UsageError(f"{what} holds a line that Git would take for a signature", "indent that line")
    return plain


def one_line(text: str, what: str) -> str:
    """`text`, stripped, where it fits on one line of the block. Raises UsageError."""
    stripped = text.strip()
    if "\n" in stripped or "\t" in stripped:
        raise UsageError(f"{what} is more than one line", "say it in one line, or in the message with -m")
    return check_text(stripped, what)

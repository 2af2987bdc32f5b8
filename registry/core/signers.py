"""The files of `.registry/`: who may sign, and which events are accepted as they are (DESIGN part 4, ssh-keygen(1)).

`allowed_signers` is SSH's own format: principals, options, a key. ssh-keygen reads it when a signature is verified;
here it is only looked at, for what should be said of it. `baseline` is ours: a line `TAG OBJECT-ID` an event.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

ALLOWED_SIGNERS = ".registry/allowed_signers"
OPENPGP = ".registry/openpgp/"  # EMAIL.asc: the public keys of that principal
BASELINE = ".registry/baseline"

# PRINCIPALS [OPTIONS] KEYTYPE KEY [COMMENT]: options hold no space but between quotes (ssh-keygen(1), ALLOWED SIGNERS).
_line = re.compile(
    r"(?P<principals>\"[^\"]*\"|\S+)[ \t]+(?:(?P<options>(?:[^\s\"]|\"[^\"]*\")+)[ \t]+)??"
    r"(?P<type>(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)[ \t]+(?P<key>[A-Za-z0-9+/]+={0,2})(?:[ \t].*)?"
)
_date = re.compile(r"\bvalid-(?:after|before)=\"?([^\",\s]*)\"?", re.IGNORECASE)
_stamp = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?(Z?)")

_LONGEST = 100_000  # characters of a line; the longest key has a few thousand


@dataclass(frozen=True, slots=True)
class Signer:
    """A line of an allowed-signers file: who may sign (patterns, separated by commas), and with which key."""

    principals: str
    options: str
    type: str
    key: str

    @property
    def fingerprint(self) -> str:
        """The key in short, as `ssh-keygen -l` says it: nobody finds another one with the same. "" where it is none."""
        try:
            blob = base64.b64decode(self.key + "=" * (-len(self.key) % 4))
        except binascii.Error:
            return ""
        return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for more than those whom it names."""
        return re.search("[*?]", self.principals) is not None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to be said of a line of one of the files; `line` counts from 1."""

    line: int
    severity: str
    message: str
    hint: str


def remarks(text: str) -> Iterator[Remark]:
    """What is wrong with, or doubtful in, an allowed-signers file."""
    for number, line in _lines(text):
        found = _signer(line)
        if found is None:
            hint = "PRINCIPAL KEYTYPE KEY, as in ana@example.com ssh-ed25519 AAAA..."
            yield Remark(number, "error", "not a line of allowed signers", hint)
            continue
        if found.is_pattern:
            hint = "with it, one key signs in the name of many: name each by the e-mail that they tag with"
            yield Remark(number, "warning", f"the principal {found.principals} has a wildcard", hint)
        for date in _date.findall(found.options):
            stamp = _stamp.fullmatch(date)
            if stamp is None:
                yield Remark(number, "error", f"not a date: {date}", "YYYYMMDD or YYYYMMDDHHMM[SS], with a Z for UTC")
            elif not stamp[7]:
                yield Remark(number, "warning", f"the date {date} is everybody's local time", f"{date}Z is UTC")


def listed(text: str) -> Iterator[Signer | str]:
    """Who may sign, line by line; a line that cannot be read is given as it is: ssh-keygen may understand it."""
    for _, line in _lines(text):
        yield _signer(line) or line


def _signer(line: str) -> Signer | None:
    found = _line.fullmatch(line) if len(line) <= _LONGEST else None
    if found is None:
        return None
    return Signer(found["principals"].strip('"'), found["options"] or "", found["type"], found["key"])


def dates(text: str) -> set[str] | None:
    """The dates at which a key begins or ends to be valid, as `YYYYMMDDHHMMSS` in UTC; None where one is not readable.

    A date without Z is local time to ssh-keygen, which we run in UTC.
    """
    found = set()
    for _, line in _lines(text):
        for date in _date.findall(line):
            stamp = _stamp.fullmatch(date)
            if stamp is None:
                return None
            found.add("".join(part or "00" for part in stamp.groups()[:6]))
    return found


def accepted(text: str) -> tuple[dict[str, str], list[Remark]]:
    """The events of a baseline, object ids by tag, and the lines that are none."""
    found: dict[str, str] = {}
    wrong = []
    for number, line in _lines(text):
        tag, space, oid = line.partition(" ")
        if space and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", oid):
            if found.setdefault(tag, oid) != oid:
                wrong.append(Remark(number, "error", f"{tag} is listed with another id before", "it can have one only"))
        else:
            hint = "TAG OBJECT-ID, as registry verify --write-baseline writes it"
            wrong.append(Remark(number, "error", f"not a line of a baseline: {line[:60]!r}", hint))
    return found, wrong


def baseline(events: Mapping[str, str]) -> str:
    """The text of a baseline."""
    head = (
        "# Events that were looked at and are accepted as they are: TAG OBJECT-ID. A tag that is listed here and is\n"
        "# missing, or another object, fails `registry verify`, which writes this file with --write-baseline.\n"
    )
    return head + "".join(f"{tag} {oid}\n" for tag, oid in sorted(events.items()))


def _lines(text: str) -> Iterable[tuple[int, str]]:
    """The lines that say something, numbered from 1."""
    # As ssh-keygen sees them: what looked like a comment to us alone would be a key that nobody notices.
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.lstrip(" \t").rstrip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped

"""The events of an artifact, one annotated tag each (DESIGN part 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from sys import intern
from typing import ClassVar

from registry.core import message
from registry.core.message import Keys, Message
from registry.core.names import MAX_COUNTER, Form, TagName, parse_tag


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who made a tag, and when: `seconds` since the epoch and the zone's `offset` in minutes, as Git keeps them."""

    name: str
    email: str
    seconds: int
    offset: int

    @property
    def iso(self) -> str:
        """The date in ISO 8601 with offset; one that no calendar holds is put to the calendar's end."""
        zone = timezone(timedelta(minutes=self.offset if abs(self.offset) < 24 * 60 else 0))
        seconds = min(max(self.seconds, _MIN_SECONDS), _MAX_SECONDS)
        return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)).astimezone(zone).isoformat()


# Two days inside what datetime can hold, so that no offset leads out of it.
_MIN_SECONDS = -62135596800 + 2 * 86400
_MAX_SECONDS = 253402300799 - 2 * 86400

NOBODY = Signatory("", "", 0, 0)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `oid` is the tag object's id, `commit` the commit's; `counter` is None for GTO's registrations."""

    kind: ClassVar[str]
    rank: ClassVar[int]  # DESIGN part 3: what comes first on a tie of dates

    artifact: str
    tag: str
    oid: str
    commit: str
    counter: int | None
    by: Signatory
    message: Message

    @property
    def keys(self) -> Keys:
        """What our block says."""
        return self.message.keys

    @property
    def ours(self) -> bool:
        """Whether a program of this format wrote it, which makes it part of the chain of `Previous`."""
        return self.message.ours

    def one(self, key: str) -> str | None:
        """The last value of `key`, or None."""
        values = self.message.keys.get(key)
        return values[-1] if values else None


@dataclass(frozen=True, slots=True)
class OfVersion(Event):
    """An event whose tag names the version."""

    version: str


@dataclass(frozen=True, slots=True)
class Registration(OfVersion):
    """The version exists, at this commit."""

    kind: ClassVar[str] = "registration"
    rank: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Deregistration(OfVersion):
    """The version is withdrawn."""

    kind: ClassVar[str] = "deregistration"
    rank: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Amendment(OfVersion):
    """The version's metadata is added to."""

    kind: ClassVar[str] = "amendment"
    rank: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class Deprecation(Event):
    """The artifact is deprecated."""

    kind: ClassVar[str] = "deprecation"
    rank: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class OfStage(Event):
    """An event whose tag names the stage; which version it concerns is for `registry.core.state` to say."""

    stage: str


@dataclass(frozen=True, slots=True)
class Assignment(OfStage):
    """A version enters the stage."""

    kind: ClassVar[str] = "assignment"
    rank: ClassVar[int] = 3


@dataclass(frozen=True, slots=True)
class Unassignment(OfStage):
    """A version leaves the stage."""

    kind: ClassVar[str] = "unassignment"
    rank: ClassVar[int] = 4


@dataclass(frozen=True, slots=True)
class TagObject:
    """An annotated tag as Git keeps it: the headers that matter here, and the message."""

    object: str
    type: str
    tag: str
    tagger: Signatory
    message: str


_headers = re.compile(rb"object ([0-9a-f]{40}|[0-9a-f]{64})\ntype ([a-z]+)\ntag ([^\n]*)\n(?:tagger ([^\n]*)\n)?")
# Neither part can take what the next one begins with, so that a broken tag with many "<" is still read in one pass.
_signatory = re.compile(r"([^<]*)<([^>]*)>(?: (-?[0-9]{1,19}) ([+-][0-9]{2,4}))?")
_counter = re.compile(r"[1-9][0-9]{0,18}")


def parse_object(raw: bytes) -> TagObject | None:
    """The tag object `raw`, or None where its headers are not those of one (git-mktag(1))."""
    found = _headers.match(raw)
    if found is None:
        return None
    oid, kind, tag, tagger = found.groups()
    _, _, text = raw.partition(b"\n\n")
    return TagObject(oid.decode(), kind.decode(), _text(tag), parse_signatory(_text(tagger or b"")), _text(text))


def _text(raw: bytes) -> str:
    # Git writes UTF-8 unless told otherwise; what is not UTF-8 is read as Latin-1, which takes every byte.
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def parse_signatory(text: str) -> Signatory:
    """`Name <email> seconds zone`, as Git writes it; what is missing is empty or 0, never an error."""
    found = _signatory.match(text)
    if found is None:
        return Signatory(text, "", 0, 0) if text else NOBODY
    name, email, seconds, zone = found.groups()
    name, email = intern(name.removesuffix(" ")), intern(email)  # many tags are made by few
    return Signatory(name, email, int(seconds), _minutes(zone)) if seconds else Signatory(name, email, 0, 0)


@lru_cache(maxsize=64)
def _minutes(zone: str) -> int:
    minutes = int(zone[1:-2] or 0) * 60 + int(zone[-2:])
    return -minutes if zone[0] == "-" else minutes


def event_of(tag: str, oid: str, raw: bytes) -> Event | None:
    """The event that the annotated tag `tag` (without refs/tags/) with the object `raw` is, or None: not ours."""
    name = parse_tag(tag)
    if name is None or name.form is Form.CREATION:
        return None
    found = parse_object(raw)
    if found is None or found.type != "commit" or found.tag != tag:
        return None
    return _built(name, tag, oid, found.object, found.tagger, message.parse(found.message))


def build(name: TagName, oid: str, commit: str, by: Signatory, said: Message) -> Event:
    """The event of the tag `name`. A form that is no event (GTO's creation) is a mistake of the caller's."""
    return _built(name, str(name), oid, commit, by, said)


def _built(name: TagName, tag: str, oid: str, commit: str, by: Signatory, said: Message) -> Event:
    counter = name.counter
    if counter is None and said.ours:
        counter = _counter_key(said)
    if name.version is not None:
        return _OF_VERSION[name.form](name.artifact, tag, oid, commit, counter, by, said, name.version)
    if name.stage is not None:
        return _OF_STAGE[name.form](name.artifact, tag, oid, commit, counter, by, said, intern(name.stage))
    if name.form is Form.DEPRECATION:
        return Deprecation(name.artifact, tag, oid, commit, counter, by, said)
    raise AssertionError(f"no event: {name}")


_OF_VERSION: dict[Form, type[OfVersion]] = {
    Form.REGISTRATION: Registration,
    Form.DEREGISTRATION: Deregistration,
    Form.AMENDMENT: Amendment,
}
_OF_STAGE: dict[Form, type[OfStage]] = {Form.ASSIGNMENT: Assignment, Form.UNASSIGNMENT: Unassignment}


def _counter_key(said: Message) -> int | None:
    return natural(said.keys["Counter"][-1]) if "Counter" in said.keys else None


def natural(text: str) -> int | None:
    """The number 1, 2, 3, ... up to 2^63-1 that `text` spells, or None."""
    return n if _counter.fullmatch(text) and (n := int(text)) <= MAX_COUNTER else None

"""What a change of the files of `.registry/` means: whose keys count, and which events are accepted as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from registry.core import signers
from registry.core.manifest import Json
from registry.core.signers import Signer

About: TypeAlias = Literal["key", "event"]


@dataclass(frozen=True, slots=True)
class TrustFiles:
    """The files of `.registry/` at one commit; `openpgp` has the id of each principal's file of keys.

    "" is a file that is not there, None one that cannot be read: before a change it counts as empty, so that nothing
    new is overlooked; after it, nothing is said of it.
    """

    allowed: str | None = ""
    baseline: str | None = ""
    openpgp: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrustChange:
    """A key that counts from now on, or no more, or an event that is accepted as it is, or no more.

    `subject` is whose key it is, or the event's tag; `value` the key in short with its options, or the id of the tag
    object. `remark` is what a reviewer should know of it, or "".
    """

    kind: Literal["added", "removed", "changed"]
    about: About
    subject: str
    value: str
    remark: str = ""

    @property
    def short(self) -> str:
        """`value`, for people: the first digits of an id."""
        return self.value[:12] if self.about == "event" else self.value

    def to_json(self) -> dict[str, Json]:
        """The shape of one of the changes under `trust` of `review --json`."""
        return asdict(self)


def changes(before: TrustFiles, after: TrustFiles, tags: Mapping[str, str]) -> list[TrustChange]:
    """All that changed: keys, then accepted events; of each, what a reviewer must not overlook first.

    `tags` are all tags that there are, and their ids.
    """
    found = [*_keys(before.allowed, after.allowed), *_openpgp(before.openpgp, after.openpgp)]
    found += _events(before.baseline, after.baseline, tags)
    return sorted(found, key=_weight)


def _weight(change: TrustChange) -> tuple[bool, bool, bool]:
    return change.about == "event", not change.remark, change.kind == "removed"


def _keys(before: str | None, after: str | None) -> Iterator[TrustChange]:
    if after is None:
        return
    was, is_ = dict.fromkeys(signers.listed(before or "")), dict.fromkeys(signers.listed(after))
    yield from (_key("added", one) for one in is_ if one not in was)
    yield from (_key("removed", one) for one in was if one not in is_)


def _key(kind: Literal["added", "removed"], one: Signer | str) -> TrustChange:
    if isinstance(one, str):
        return TrustChange(kind, "key", one, "", "this line cannot be read")
    value = " ".join(filter(None, (one.type, one.fingerprint or "not a key", one.options)))
    said = []
    if kind == "added" and "cert-authority" in one.options.lower():
        said.append("whatever key it certifies counts")
    if kind == "added" and one.is_pattern:
        said.append("it counts for whomever the pattern fits")
    return TrustChange(kind, "key", one.principals, value, "; ".join(said))


def _openpgp(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[TrustChange]:
    for who in sorted({*before, *after}):
        was, is_ = before.get(who), after.get(who)
        if was is None:
            yield TrustChange("added", "key", who, "OpenPGP")
        elif is_ is None:
            yield TrustChange("removed", "key", who, "OpenPGP")
        elif was != is_:
            yield TrustChange("changed", "key", who, "OpenPGP", "the file has other keys than before")


def _events(before: str | None, after: str | None, tags: Mapping[str, str]) -> Iterator[TrustChange]:
    if after is None:
        return
    was, is_ = signers.accepted(before or "")[0], signers.accepted(after)[0]
    for tag, oid in is_.items():
        if was.get(tag) != oid:
            yield TrustChange("added", "event", tag, oid, _not_there(oid, tags.get(tag)))
    yield from (TrustChange("removed", "event", tag, oid) for tag, oid in was.items() if is_.get(tag) != oid)


def _not_there(oid: str, there: str | None) -> str:
    if there is None:
        return "there is no such tag here"
    return "" if there == oid else f"the tag is {there[:12]} here"


# -- in words ----------------------------------------------------------------------------------------------------------

# What the lines of a list are about, in its order.
GROUPS: Mapping[About, str] = {"key": "keys", "event": "accepted events"}
SHOWN = 20  # lines of each; --json has all


def counts(found: Iterable[TrustChange]) -> str:
    """How much there is to review, in a few words; "" where there is nothing."""
    found = list(found)
    said = []
    for about, name in GROUPS.items():
        kinds = [one.kind for one in found if one.about == about]
        some = [f"{count} {kind}" for kind in ("added", "removed", "changed") if (count := kinds.count(kind))]
        if some:
            said.append(f"{name}: {', '.join(some)}")
    lost = sum(one.about == "event" and bool(one.remark) for one in found)
    return "; ".join([*said, *([f"accepted, and not there: {lost}"] if lost else [])])

"""A second reader, written from docs/format.md alone: it takes its grammar from the page, and nothing from registry.

Slow and plain, a section a function. What it shares with ours is the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from tests.vectors.grammar import pattern

KINDS = ("registration", "deregistration", "deprecation", "assignment", "unassignment", "amendment", "creation")
LIMIT = 2**63 - 1


@dataclass(eq=False)
class Tag:
    """One event."""

    kind: str
    artifact: str
    tag: str
    oid: str
    commit: str
    date: int
    keys: dict[str, list[str]] | None
    version: str | None = None
    stage: str | None = None
    named: int | None = None  # the counter in the name
    effective: int = 0
    concerns: str | None = None
    counter: int | None = field(init=False)

    def __post_init__(self) -> None:
        said = (self.keys or {}).get("Counter", [""])[-1]
        self.counter = self.named if self.named is not None else natural(said)  # 7.1

    @property
    def ours(self) -> bool:
        """Whether it has a block."""
        return self.keys is not None


def natural(text: str) -> int | None:
    """4.2."""
    found = re.fullmatch(pattern("positive"), text) if len(text) < 20 else None
    return int(text) if found and int(text) <= LIMIT else None


def parts(name: str) -> dict[str, Any] | None:
    """4.1 to 4.3."""
    for kind in KINDS:
        if re.fullmatch(pattern(kind), name) is None:
            continue
        counter = "" if kind == "amendment" else "?"
        tail = rf"[!=]?(?:#(?P<counter>[0-9]+)){counter}"
        whole = re.fullmatch(rf"(?P<artifact>[^@#]*)(?:@(?P<version>[^#!=]*)|#(?P<stage>[^#!]*)){tail}", name)
        assert whole is not None
        written, digits, version = whole["artifact"], whole["counter"], whole["version"]
        directory = written.rpartition("=")[0]
        if digits and natural(digits) is None:
            return None
        if (version or "").endswith(".lock") or any(one.endswith(".lock") for one in directory.split("/")):
            return None
        return {
            "kind": kind,
            "artifact": written.replace("=", ":"),
            "version": version if kind in {"registration", "deregistration", "amendment"} else None,
            "stage": whole["stage"],
            "named": natural(digits) if digits else None,
        }
    return None


def text_of(raw: bytes) -> str:
    """5.4."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def date_of(line: bytes) -> int:
    """5.3."""
    _, opened, rest = text_of(line).partition("<")
    _, closed, after = rest.partition(">")
    found = re.match(r" (-?[0-9]{1,19}) [+-][0-9]{2}", after) if opened and closed else None
    return int(found[1]) if found else 0


def block(message: str) -> dict[str, list[str]] | None:
    """6.1, 6.2, 6.4."""
    lines = message.split("\n")
    headings = ("PGP SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE", "SSH SIGNATURE")
    starts = [n for n, line in enumerate(lines) if line.startswith(tuple(f"-----BEGIN {h}-----" for h in headings))]
    text = "\n".join(lines[: starts[-1]] if starts else lines).strip("\n")
    first, *others = text.split("\n\n")[-1].lstrip("\n").split("\n")
    if first != "Registry: 1":
        return None
    keys: dict[str, list[str]] = {}
    for line in others:
        key, colon, value = line.partition(":")
        if colon:
            keys.setdefault(key, []).append(value.strip())
    return keys


def event(name: str, oid: str, raw: bytes) -> Tag | None:
    """5.1, 5.2."""
    said = parts(name)
    headers, _, message = raw.partition(b"\n\n")
    lines = (headers + b"\n").split(b"\n")[:-1]
    if (
        said is None
        or said["kind"] == "creation"
        or len(lines) < 3
        or not raw.startswith(b"\n".join(lines[:3]) + b"\n")
    ):
        return None
    if re.fullmatch(rb"object ([0-9a-f]{40}|[0-9a-f]{64})", lines[0]) is None:
        return None
    if lines[1] != b"type commit" or lines[2] != b"tag " + name.encode():
        return None
    tagger = lines[3].removeprefix(b"tagger ") if lines[3:] and lines[3].startswith(b"tagger ") else b""
    return Tag(
        tag=name, oid=oid, commit=lines[0][7:].decode(), date=date_of(tagger), keys=block(text_of(message)), **said
    )


# -- 3.2 and 7 ---------------------------------------------------------------------------------------------------------


def number(digits: str) -> tuple[int, str]:
    """Numbers of any length."""
    return len(digits), digits


def precedence(version: str) -> tuple[Any, ...]:
    """3.2."""
    core, dash, pre = version[1:].partition("+")[0].partition("-")
    identifiers = [(0, *number(one)) if one.isdigit() else (1, one) for one in pre.split(".")] if dash else []
    return (*map(number, core.split(".")), not dash, identifiers)


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1."""
    return int(one > other) - int(one < other)


def in_order(events: list[Tag]) -> list[Tag]:
    """7.2 to 7.4."""
    undoing = {"deregistration", "unassignment"}
    counted = sorted(
        (e for e in events if e.counter is not None), key=lambda e: (e.counter, e.date, e.kind in undoing, e.tag)
    )
    for place, e in enumerate(counted):
        in_name = e.named is not None and e.kind != "amendment"
        e.effective = max([e.date, *(b.effective for b in counted[:place] if in_name or b.ours)])

    def uncounted(one: Tag, other: Tag) -> int:
        return (
            compare(one.date, other.date)
            or compare(KINDS.index(one.kind), KINDS.index(other.kind))
            or (compare(precedence(one.version), precedence(other.version)) if one.version and other.version else 0)
            or compare(one.tag, other.tag)
        )

    others = sorted((e for e in events if e.counter is None), key=cmp_to_key(uncounted))
    for e in others:
        e.effective = e.date
    return sorted([*others, *counted], key=lambda e: (e.effective, e.counter is not None))  # stable


# -- 8 -----------------------------------------------------------------------------------------------------------------


def state(events: list[Tag]) -> dict[str, Any]:
    """What registries.json says of an artifact, but for what it says of some alone."""
    order = in_order(events)
    registrations = [e for e in order if e.kind == "registration"]
    names = list(dict.fromkeys(str(e.version) for e in registrations))
    first = {v: next(e for e in registrations if e.version == v) for v in names}
    last = {v: next(e for e in reversed(registrations) if e.version == v) for v in names}
    ends = {v: [e for e in order if e.version == v and e.kind in KINDS[:2]][-1] for v in names}
    active = [v for v in names if ends[v].kind == "registration"]

    def greatness(v: str) -> tuple[Any, int]:
        return precedence(v), order.index(last[v])

    # 8.2
    numbers: dict[str, int] = {}
    for v in names:
        claim = natural((first[v].keys or {}).get("Number", [""])[-1])
        if claim is not None and claim not in numbers.values():
            numbers[v] = claim
    for v in names:
        if v not in numbers:
            numbers[v] = next(n for n in range(1, len(names) + 1) if n not in numbers.values())

    # 8.4, 8.5
    held: dict[str, list[str]] = {}
    since: dict[tuple[str, str], int] = {}
    for place, e in enumerate(order):
        if e.stage is not None:
            said = (e.keys or {}).get("Version")
            there = [v for v in names if last[v].commit == e.commit]
            there = [v for v in there if v in active] or there
            concerned = said[-1] if said is not None else max(there, key=greatness) if there else e.commit
            if said is not None and concerned not in names:
                continue
            holders = held.setdefault(e.stage, [])
            held[e.stage] = [h for h in holders if h != concerned]
            if e.kind == "assignment":
                held[e.stage].insert(0, concerned)
                since[e.stage, concerned] = place
        elif e.kind == "deregistration":
            held = {stage: [h for h in holders if h != e.version] for stage, holders in held.items()}
    held = {stage: [h for h in holders if h not in names or h in active] for stage, holders in held.items()}
    held = {stage: holders for stage, holders in held.items() if holders}

    named = {oid for e in order if e.keys for oid in e.keys.get("Previous", [])}
    loose = [e for e in order if e.oid not in named]
    tail = [e for e in loose if e.ours][-1:]
    releases = [v for v in active if precedence(v)[3]]
    return {
        "order": [e.tag for e in order],
        "versions": [
            {
                "version": v,
                "number": numbers[v],
                "commit": last[v].commit,
                "active": v in active,
                "stages": sorted((s for s in held if v in held[s]), key=lambda s: -since[s, v]),
                "registration": last[v].tag,
            }
            for v in names
        ],
        "stages": held,
        "latest": max(active, key=greatness, default=None),
        "stable": max(releases, key=greatness, default=None),
        "newest": max(active, key=lambda v: order.index(last[v]), default=None),
        "deprecated": order[-1].kind == "deprecation",
        "next": {
            "counter": max((e.counter for e in order if e.counter is not None), default=0) + 1,
            "number": max(numbers.values(), default=0) + 1,
            "previous": [e.oid for e in [*tail, *(e for e in loose if e not in tail)]],
        },
    }

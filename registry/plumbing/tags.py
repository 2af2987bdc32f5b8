"""Reading tags: from `refs/tags` to events, as bytes, in one process (DESIGN part 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from registry.core.events import Event, event_of
from registry.core.names import parse_tag
from registry.errors import GitFailed
from registry.plumbing import refnames
from registry.plumbing.objects import read_objects, stream_tags
from registry.plumbing.process import Git

PREFIX, owner, patterns, tag_names = refnames.PREFIX, refnames.owner, refnames.patterns, refnames.tag_names

# %(raw) is taken by its size, so that nothing in a message can end a record; it is left out where the tag is none, for
# it would be a whole blob. %(raw:size) and %(raw) came with Git 2.34.
_FORMAT = (
    "--format=%(objecttype) %(objectname) %(refname)"
    "%(if:equals=tag)%(objecttype)%(then) %(raw:size)%0a%(raw)%(else) -%(end)"
)


@dataclass(frozen=True, slots=True)
class TagRecord:
    """One ref below refs/tags. `raw` is the tag object's bytes; None where the ref is no annotated tag.

    `type` is the object's ("tag", "commit", "tree", "blob"), or "missing".
    """

    name: str
    oid: str
    type: str
    raw: bytes | None


def read_tags(git: Git, only: Iterable[str] = (PREFIX,), prefix: str = PREFIX) -> list[TagRecord]:
    """Every tag that matches one of the patterns `only`, by name. A damaged one costs nobody else anything.

    All patterns begin with `prefix`, which no name holds.
    """
    return list(each_tag(git, only, prefix))


def each_tag(git: Git, only: Iterable[str], prefix: str = PREFIX) -> Iterator[TagRecord]:
    """`read_tags`, one after the other: nobody has to hold all of them."""
    try:
        listing = git.read("for-each-ref", _FORMAT, "--", *only)
    except GitFailed:
        # One missing object makes for-each-ref stop before it has printed anything: ask one by one.
        yield from _slowly(git, only, prefix)
    else:
        yield from _records(listing, prefix)


def all_tags(git: Git) -> Iterator[TagRecord]:
    """Every tag, those of an artifact together, each while git reads those that follow.

    Asked for contents, for-each-ref prints nothing before it has read all: ref_array_sort(), up to Git 2.44.
    """
    try:
        listing = git.read("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)", "--", PREFIX)
    except GitFailed:
        yield from together(_slowly(git, [PREFIX], PREFIX))  # a missing object
        return
    refs = listing.decode(errors="replace")  # at once: for each name it takes three times as long
    lines = (line.split(" ") for line in refs.split("\n")[:-1])
    found = together(TagRecord(name[len(PREFIX) :], oid, kind, None) for kind, oid, name in lines)
    contents = stream_tags(git, [record.oid for record in found if record.type == "tag"])
    for record in found:
        yield TagRecord(record.name, record.oid, record.type, next(contents)) if record.type == "tag" else record


def together(records: Iterable[TagRecord]) -> list[TagRecord]:
    """`records`, in their order but those of an artifact together: by name `m#s` and `m@v` have `m-x@v` between."""
    return sorted(records, key=lambda record: owner(record.name))


def _records(listing: bytes, prefix: str) -> Iterator[TagRecord]:
    at = 0
    while at < len(listing):
        end = listing.index(b"\n", at)
        # A ref's name holds no space (git-check-ref-format(1)), so three spaces make four fields.
        kind, oid, name, size = listing[at:end].split(b" ")
        raw = None
        if size != b"-":
            raw = listing[end + 1 : end + 1 + int(size)]
            end += int(size) + 1
        yield TagRecord(_short(name, prefix), oid.decode(), kind.decode(), raw)
        at = end + 1


def _slowly(git: Git, only: Iterable[str], prefix: str) -> Iterator[TagRecord]:
    listing = git.read("for-each-ref", "--format=%(objectname) %(refname)", "--", *only)
    refs = [line.split(b" ") for line in listing.splitlines()]
    found = read_objects(git, [oid.decode() for oid, _ in refs], only_type="tag")
    for (oid, name), read in zip(refs, found, strict=True):
        yield TagRecord(_short(name, prefix), oid.decode(), read.type, read.data)


def _short(refname: bytes, prefix: str) -> str:
    return refname.decode(errors="replace")[len(prefix) :]


def events_of(records: Iterable[TagRecord]) -> Iterator[Event]:
    """The events among `records`; everything else is skipped (DESIGN part 2)."""
    for record in records:
        if record.raw is not None and (event := event_of(record.name, record.oid, record.raw)) is not None:
            yield event


def by_artifact(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Events by the artifact that they are about, artifacts by name."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.artifact, []).append(event)
    return dict(sorted(groups.items()))


def tag_ids(git: Git, only: Iterable[str], prefix: str = PREFIX) -> dict[str, str]:
    """The tags that match, and the id of the object that each points to, without reading any."""
    listing = git.read("for-each-ref", "--format=%(objectname) %(refname)", "--", *only)
    pairs = (line.split(b" ") for line in listing.splitlines())
    return {_short(name, prefix): oid.decode() for oid, name in pairs}


_FEW = 4  # tags that are asked about one by one: of more, the names of all are read once


def in_the_way(git: Git, wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each of the `wanted` names with a tag beside which it cannot be a ref: itself, one above it or one below it."""
    if len(wanted) <= _FEW:
        for name in wanted:
            # A pattern without a wildcard matches that ref and all below it.
            above = [PREFIX + higher for higher in _above(name)]
            found = tag_names(git, above) if above else []
            others = [*tag_names(git, [PREFIX + name]), *(other for other in found if PREFIX + other in above)]
            yield from ((name, other) for other in others)
        return
    there = set(tag_names(git))
    below = {higher: other for other in there for higher in _above(other)}
    for name in wanted:
        others = [other for other in (name, *_above(name)) if other in there]
        yield from ((name, other) for other in [*others, *([below[name]] if name in below else [])])


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def artifacts_like(git: Git, *artifacts: str) -> list[str]:
    """The artifacts with tags whose names differ from one of `artifacts` in case only, or not at all."""
    few = len(artifacts) <= _FEW
    wanted = [pattern for artifact in artifacts for pattern in patterns(artifact)] if few else [PREFIX]
    parsed = (parse_tag(name) for name in (tag_names(git, wanted, any_case=True) if artifacts else []))
    lower = {artifact.lower() for artifact in artifacts}
    return sorted({name.artifact for name in parsed if name is not None and name.artifact.lower() in lower})

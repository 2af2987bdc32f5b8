"""How the tags of a clone stand to those of its remote: what is unpublished, what is missing, what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from registry.core.events import Event, event_of, parse_object
from registry.core.names import in_tag, parse_tag
from registry.core.state import ArtifactState, fold
from registry.errors import GitFailed, Refused, UsageError
from registry.plumbing import history, memory, objects, remote, tags, write
from registry.plumbing.memory import ALL, Known
from registry.plumbing.process import Git
from registry.plumbing.remote import Remote
from registry.plumbing.tags import TagRecord
from registry.plumbing.write import Held, RefChange
from registry.repository import Repository
from registry.writing.heads import head_changes

_MANY = 200  # artifacts whose names are not worth a command line: all tags are fetched instead
_FEW = 20  # artifacts that are asked for by name; of more, all tags are read once
WITHDRAWN = "refs/registry-withdrawn/"  # each ref is called by the id of the tag object that it keeps


@dataclass(frozen=True, slots=True)
class Standing:
    """One artifact here and at the remote, as last fetched.

    `base` is the remote's state, `there` and `here` are the tags and what they point to, whatever it is. `unpublished`
    are the events, in order, that the remote never had, `withheld` those that it had and has no more (or has as
    something else); `head` is its registry head, "" where there is none. `gone` are the names of tags that it had and
    has no more, whether they are here or not: nobody may have them again; `past` are the events of those that can be
    read, here or through its head.
    """

    base: ArtifactState
    there: Mapping[str, str]
    here: Mapping[str, str]
    unpublished: tuple[Event, ...]
    withheld: tuple[Event, ...]
    head: str
    gone: tuple[str, ...] = ()
    past: tuple[Event, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The tags that are there and not here."""
        return [name for name in self.there if name not in self.here]

    @property
    def differing(self) -> list[str]:
        """The tags that point to something else here and there."""
        return [name for name, oid in self.here.items() if self.there.get(name, oid) != oid]

    @property
    def moved(self) -> list[str]:
        """The differing tags that no push settles: what is here is no event, or the remote had it once."""
        own = {event.tag for event in self.unpublished}
        return [name for name in self.differing if name not in own]

    @property
    def deleted(self) -> list[str]:
        """The events that are here, and that the remote had once and has no more."""
        return [event.tag for event in self.withheld if event.tag not in self.there]

    @property
    def taken(self) -> set[str]:
        """The names that no new tag may have: tags there, and those here that are not to be published."""
        return {*self.there, *self.here.keys() - {event.tag for event in self.unpublished}}


def standings(repository: Repository, place: Remote, artifacts: Sequence[str]) -> dict[str, Standing]:
    """How the tags of each of `artifacts` stand, from what was last fetched; however many, Git is asked thrice."""
    git = repository.git
    if not artifacts:
        return {}

    def read(prefix: str, one: Callable[[str], list[str]]) -> dict[str, list[TagRecord]]:
        only = [pattern for name in artifacts for pattern in one(name)] if len(artifacts) <= _FEW else [prefix]
        found: dict[str, list[TagRecord]] = {name: [] for name in artifacts}
        for record in tags.read_tags(git, only, prefix):
            named = parse_tag(record.name.removesuffix("@head") + "@v0.0.0" if prefix == place.heads else record.name)
            if named is not None and named.artifact in found:
                found[named.artifact].append(record)
        return found

    local = read(tags.PREFIX, tags.patterns)
    distant = read(place.tags, lambda name: tags.patterns(name, place.tags))
    heads = read(place.heads, lambda name: [f"{place.heads}{in_tag(name)}@head"])
    gone: dict[str, dict[str, str]] = {name: {} for name in artifacts}
    for tag, oid in memory.known(repository.clone, place.name).gone.items():
        if (named := parse_tag(tag)) is not None and named.artifact in gone:
            gone[named.artifact][tag] = oid
    kept = _kept(git, [oid for tags_of in gone.values() for oid in tags_of.values()])
    return {
        name: _standing(name, local[name], distant[name], next(iter(heads[name]), None), gone[name], kept)
        for name in artifacts
    }


def _kept(git: Git, oids: Sequence[str]) -> dict[str, Event]:
    """The events of tags that are gone, as far as Git still has their objects; by id."""
    found = zip(oids, objects.read_objects(git, oids, only_type="tag"), strict=True)
    events = {oid: _event(oid, one.data) for oid, one in found if one.data is not None}
    return {oid: event for oid, event in events.items() if event is not None}


def standing(repository: Repository, place: Remote, artifact: str) -> Standing:
    """How the tags of one artifact stand."""
    return standings(repository, place, [artifact])[artifact]


def _standing(
    artifact: str,
    local: Sequence[TagRecord],
    distant: Sequence[TagRecord],
    head: TagRecord | None,
    gone: Mapping[str, str],
    kept: Mapping[str, Event],
) -> Standing:
    there = {record.name: record.oid for record in distant}
    seen = fold(artifact, tags.events_of(local))
    base = fold(artifact, tags.events_of(distant))
    left = [event for event in seen.events if there.get(event.tag) != event.oid]
    last = _event(head.oid, head.raw) if head is not None and head.raw is not None else None
    had = _shown(base.events, left, last) if left else set()
    had.update(event.oid for event in left if gone.get(event.tag) == event.oid)
    past = {tag: kept[oid] for tag, oid in gone.items() if oid in kept}
    if last is not None:
        past[last.tag] = last
    return Standing(
        base,
        there,
        {record.name: record.oid for record in local},
        tuple(event for event in left if event.oid not in had),
        tuple(event for event in left if event.oid in had),
        head.oid if head is not None else "",
        tuple({name: None for name in (*gone, *([] if last is None else [last.tag])) if name not in there}),
        tuple(event for tag, event in past.items() if tag not in there),
    )


def _event(oid: str, raw: bytes) -> Event | None:
    tag = parse_object(raw)
    return event_of(tag.tag, oid, raw) if tag is not None else None


def _shown(there: Sequence[Event], here: Sequence[Event], head: Event | None) -> set[str]:
    """The ids of the events that the remote must have had: those that its events and its head name, or lead to.

    A head moves with the tags that it was pushed with, and an event is pushed after all those that it names.
    """
    events = {event.oid: event for event in [*here, *there]}
    left = [event.oid for event in there]
    if head is not None:
        left.append(head.oid)
        events[head.oid] = head
    shown: set[str] = set()
    while left:
        oid = left.pop()
        if oid not in shown:
            shown.add(oid)
            left += events[oid].keys.get("Previous", ()) if oid in events else ()
    return shown


def unequal(repository: Repository, place: Remote) -> list[str]:
    """The artifacts with a tag that is here or at the remote only, or differs, from names and ids alone."""
    here = tags.tag_ids(repository.git, [tags.PREFIX])
    there = tags.tag_ids(repository.git, [place.tags], place.tags)
    names = (parse_tag(name) for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    return sorted({name.artifact for name in names if name is not None})


# -- fetching --------------------------------------------------------------------------------------------------------


def refresh(
    held: Held, repository: Repository, place: Remote, artifacts: Sequence[str] | None, *, thorough: bool = True
) -> None:
    """Ask the remote for its tags of `artifacts` (of all, where None). The user's own tags do not move.

    What it had once and has no more is remembered, so that it does not come back; where this is not to be `thorough`,
    what only the chain tells is left to the caller. Raises GitFailed with the remote's words.
    """
    clone, git = held.clone, repository.git
    artifacts = None if artifacts is not None and len(artifacts) > _MANY else artifacts
    if place.tags == tags.PREFIX:  # a mirror: what the remote deleted is gone there as well
        repository.fetch(place, artifacts)
        return
    url = remote.url_of(git, place.name)
    known = memory.known(clone, place.name)
    if known.url != url:
        _drop(held, place)
        known = Known(url=url)
    known = _settled(git, place, known)  # of a fetch that was cut off
    patterns = [place.tags] if artifacts is None else [p for a in artifacts for p in tags.patterns(a, place.tags)]
    before = tags.tag_ids(git, patterns, place.tags)
    if before:
        memory.remember(clone, place.name, replace(known, before=before))
    try:
        _fetch(held, repository, place, artifacts)
    except GitFailed as error:
        if "File exists" not in error.message or not _cleared(held):
            raise
        _fetch(held, repository, place, artifacts)
    asked = (ALL,) if artifacts is None or ALL in known.asked else tuple(sorted({*known.asked, *artifacts}))
    after = _settled(git, place, replace(known, before=before, asked=asked))
    if thorough:  # for the next push may move the head past what tells it
        after = replace(after, gone={**after.gone, **_withheld(repository, place, after, artifacts)})
    if after != known or before:
        memory.remember(clone, place.name, after)


def _fetch(held: Held, repository: Repository, place: Remote, artifacts: Sequence[str] | None) -> None:
    if history.is_cut_off(held.clone.common_dir):
        _delete(held, remote.fetch_shallow(repository.git, place, artifacts, repository.progress))
    else:
        remote.fetch(repository.git, place, artifacts, repository.progress)


def _cleared(held: Held) -> bool:
    """Remove the locks that a killed fetch left on our own refs; whether there were any.

    Whoever fetches holds the clone's lock, as we do now; only a git whose parent was killed may still be at it, and it
    is given time.
    """
    place = held.clone.common_dir / remote.SEEN
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*.lock")}
    if before:
        time.sleep(write.SECOND_LOOK)
    stale = [path for path, then in before.items() if path.exists() and path.stat().st_mtime_ns == then]
    for path in stale:
        path.unlink(missing_ok=True)
    return bool(stale)


def _settled(git: Git, place: Remote, known: Known) -> Known:
    """What is known once the tags of before a fetch are compared with those of now."""
    if not known.before:
        return replace(known, before=None)
    now = (
        tags.tag_ids(git, [place.tags + name for name in known.before], place.tags)
        if len(known.before) < 500
        else (tags.tag_ids(git, [place.tags], place.tags))
    )
    lost = {name: oid for name, oid in known.before.items() if now.get(name) != oid}
    kept = {name: oid for name, oid in known.gone.items() if now.get(name) != oid}
    return replace(known, gone={**kept, **lost}, before=None)


def _withheld(repository: Repository, place: Remote, known: Known, artifacts: Sequence[str] | None) -> dict[str, str]:
    """The tags that only Git brought here, and that the remote had and has no more; nothing is read where none are."""
    git = repository.git
    wanted = [""] if artifacts is None else [p for a in artifacts for p in tags.patterns(a, "")]
    here = tags.tag_ids(git, [tags.PREFIX + pattern for pattern in wanted]) if wanted else {}
    there = tags.tag_ids(git, [place.tags + pattern for pattern in wanted], place.tags) if here else {}
    odd = (parse_tag(name) for name, oid in here.items() if oid not in {there.get(name), known.gone.get(name)})
    found = sorted({name.artifact for name in odd if name is not None})
    return {e.tag: e.oid for one in standings(repository, place, found).values() for e in one.withheld}


def _drop(held: Held, place: Remote) -> None:
    """Forget the refs of a remote that lies elsewhere now."""
    listing = held.clone.git.read("for-each-ref", "--format=%(refname)", "--", place.tags, place.heads)
    _delete(held, listing.decode(errors="surrogateescape").splitlines())


def _delete(held: Held, refs: Sequence[str]) -> None:
    git = held.clone.git
    found = tags.tag_ids(git, refs, "") if refs else {}
    if found:
        write.transact(held, [RefChange(ref, oid, None) for ref, oid in found.items()], "registry: forget")


@dataclass(frozen=True, slots=True)
class Brought:
    """The tags that were taken in, and those that could not be: beside a tag that is here they cannot be refs."""

    tags: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def take_in(held: Held, found: Sequence[Standing], repository: Repository | None = None) -> Brought:
    """Make the tags that are there and not here. What differs is left as it is, but for a lightweight tag of the very
    commit: so actions/checkout brings the tag that it was started by, and the annotated one says all that it says.

    In a `repository` that others may publish to, its registry heads follow, so that who saw it before has lost.
    """
    new = {f"{tags.PREFIX}{name}": one.there[name] for one in found for name in one.missing}
    changes = [RefChange(ref, None, oid) for ref, oid in new.items()]
    light = {e.tag: e for one in found for e in one.base.events if one.here.get(e.tag) == e.commit}
    changes += [RefChange(f"{tags.PREFIX}{tag}", event.commit, event.oid) for tag, event in light.items()]
    if repository is not None:
        missing = [e for one in found for e in one.base.events if e.ours and e.tag not in one.here]
        changes += head_changes(repository, missing)
    left = transact_fitting(held, changes, "registry: fetch")
    names = {ref.removeprefix(tags.PREFIX) for ref in new} | light.keys()
    return Brought(tuple(sorted(names - set(left))), tuple(left))


def transact_fitting(held: Held, changes: Sequence[RefChange], reason: str) -> list[str]:
    """Make `changes` in one step, without the tags that cannot be refs beside others here; the names of those."""
    wanted = [change for change in changes if change.old != change.new]
    if not wanted:
        return []
    try:
        write.transact(held, wanted, reason)
    except Refused:
        ours = {change.ref for change in wanted}
        others = tags.tag_ids(held.clone.git, [tags.PREFIX], "").keys() - ours
        above = {ref[:at] for ref in others for at, sign in enumerate(ref) if sign == "/"}
        stuck = [change for change in wanted if change.old is None and (change.ref in above or _below(change, others))]
        if not stuck:
            raise
        lost = {change.new for change in stuck}
        # A registry head goes with its tag: it would say that the tag was here.
        heads = [change for change in wanted if change.ref.startswith(remote.HEADS) and change.new in lost]
        rest = [change for change in wanted if change not in stuck and change not in heads]
        transact_fitting(held, rest, reason)
        return sorted(change.ref.removeprefix(tags.PREFIX) for change in stuck)
    return []


def _below(change: RefChange, others: Set[str]) -> bool:
    parts = change.ref.split("/")
    return any("/".join(parts[:end]) in others for end in range(3, len(parts)))


# -- a clone that does not have all tags -----------------------------------------------------------------------------


def incomplete(repository: Repository, artifact: str | None) -> str | None:
    """Why this clone may lack tags of `artifact` (of any, where None) that its remote has; None where it has all.

    A clone by Git brings all tags, unless it was told to bring less. Cheap where it is an ordinary clone.
    """
    if repository.pushes:
        return None  # a mirror has asked for what it answers
    clone, git = repository.clone, repository.git
    shallow = history.is_cut_off(clone.common_dir)
    some = repository.state(artifact).exists if artifact is not None else bool(repository.overviews)
    if some and not shallow and remote.bring_tags(git):
        return None
    try:
        name = remote.choose(git)
    except UsageError:
        return None  # several, and none to be preferred: whoever made it so fetches from them by hand
    if name is None:
        return None
    known = memory.known(clone, name)
    if known.asked and (known.has_asked(artifact) if artifact is not None else ALL in known.asked):
        return None if some else _seen_only(git, name, artifact)
    if shallow:
        return f"the tags of {name} were never fetched into this shallow clone"
    brings = remote.settings_of(git).get(name, remote.ORDINARY)
    if not brings.tags:
        return f"the tags of {name} were never fetched into this clone"
    if not brings.branches:
        return f"tags of other branches of {name} were never fetched into this clone"
    fetched = some or git.read("for-each-ref", "--count=1", "--", f"refs/remotes/{name}/", tags.PREFIX) != b""
    return None if fetched else f"the tags of {name} were never fetched"


def _seen_only(git: Git, name: str, artifact: str | None) -> str | None:
    """What to say where `status` has looked at a remote's tags and none of them is here, where resolving looks."""
    place = remote.of_clone(name)
    only = [place.tags] if artifact is None else tags.patterns(artifact, place.tags)
    return f"the tags of {name} are not in this clone" if tags.tag_ids(git, only, place.tags) else None


def complete(held: Held, repository: Repository, artifact: str, wanted: str | None = None) -> None:
    """Fetch the tags of `artifact` where this clone may lack some. Raises Refused where the remote cannot be asked."""
    reason = incomplete(repository, artifact)
    if reason is None:
        return
    place = remote.of_clone(remote.needed(repository.git, wanted))
    try:
        refresh(held, repository, place, [artifact])
    except GitFailed as error:
        raise Refused(
            f"{reason}, and it cannot be asked: {error.message}",
            "--offline writes all the same, after the versions that are here",
        ) from error
    take_in(held, [standing(repository, place, artifact)], repository)
    repository.forget()

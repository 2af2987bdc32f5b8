"""How the tags of a clone stand to those of its remote: what is unpublished, what is missing, what differs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from registry.core.events import Event
from registry.core.names import in_tag, parse_tag
from registry.core.state import ArtifactState, fold
from registry.errors import GitFailed, Refused, UsageError
from registry.plumbing import memory, remote, tags, write
from registry.plumbing.memory import ALL, Known
from registry.plumbing.process import Git
from registry.plumbing.remote import Remote
from registry.plumbing.write import Held, RefChange
from registry.repository import Repository

WITHDRAWN = "refs/registry-withdrawn/"  # each ref is called by the id of the tag object that it keeps


@dataclass(frozen=True, slots=True)
class Standing:
    """One artifact here and at the remote, as last fetched.

    `base` is the remote's state, `there` and `here` are the tags and what they point to, whatever it is. `unpublished`
    are the events, in order, that the remote never had; `head` is its registry head, "" where there is none.
    """

    base: ArtifactState
    there: Mapping[str, str]
    here: Mapping[str, str]
    unpublished: tuple[Event, ...]
    head: str

    @property
    def missing(self) -> list[str]:
        """The tags that are there and not here."""
        return [name for name in self.there if name not in self.here]

    @property
    def differing(self) -> list[str]:
        """The tags that point to something else here and there."""
        return [name for name, oid in self.here.items() if self.there.get(name, oid) != oid]

    @property
    def deleted(self) -> list[str]:
        """The tags that are here, and that the remote had once and has no more."""
        own = {event.tag for event in self.unpublished}
        return [name for name in self.here if name not in self.there and name not in own]


def standing(repository: Repository, place: Remote, artifact: str) -> Standing:
    """How the tags of `artifact` stand, from what was last fetched."""
    git = repository.git
    local = tags.read_tags(git, tags.patterns(artifact))
    distant = tags.read_tags(git, tags.patterns(artifact, place.tags), place.tags)
    there = {record.name: record.oid for record in distant}
    here = {record.name: record.oid for record in local}
    gone = memory.known(repository.clone, place.name).gone
    seen = fold(artifact, (event for event in tags.events_of(local) if event.artifact == artifact))
    return Standing(
        fold(artifact, (event for event in tags.events_of(distant) if event.artifact == artifact)),
        there,
        here,
        tuple(e for e in seen.events if there.get(e.tag) != e.oid and gone.get(e.tag) != e.oid),
        _head(git, place, artifact),
    )


def _head(git: Git, place: Remote, artifact: str) -> str:
    ref = f"{place.heads}{in_tag(artifact)}@head"
    return git.read("rev-parse", "--verify", "--quiet", ref, check=False).decode().strip()


def unequal(repository: Repository, place: Remote) -> list[str]:
    """The artifacts with a tag that is here or at the remote only, or differs, from names and ids alone."""
    here = tags.tag_ids(repository.git, [tags.PREFIX])
    there = tags.tag_ids(repository.git, [place.tags], place.tags)
    names = (parse_tag(name) for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    return sorted({name.artifact for name in names if name is not None})


# -- fetching --------------------------------------------------------------------------------------------------------


def refresh(held: Held, repository: Repository, place: Remote, artifacts: Sequence[str] | None) -> None:
    """Ask the remote for its tags of `artifacts` (of all, where None). The user's own tags do not move.

    What it had once and has no more is remembered, so that it does not come back. Raises GitFailed with its words.
    """
    clone, git = held.clone, repository.git
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
    if after != known or before:
        memory.remember(clone, place.name, after)


def _fetch(held: Held, repository: Repository, place: Remote, artifacts: Sequence[str] | None) -> None:
    if (held.clone.common_dir / "shallow").exists():
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


def _drop(held: Held, place: Remote) -> None:
    """Forget the refs of a remote that lies elsewhere now."""
    listing = held.clone.git.read("for-each-ref", "--format=%(refname)", "--", place.tags, place.heads)
    _delete(held, listing.decode(errors="surrogateescape").splitlines())


def _delete(held: Held, refs: Sequence[str]) -> None:
    git = held.clone.git
    found = tags.tag_ids(git, refs, "") if refs else {}
    if found:
        write.transact(held, [RefChange(ref, oid, None) for ref, oid in found.items()], "registry: forget")


def take_in(held: Held, found: Sequence[Standing]) -> list[str]:
    """Make the tags that are there and not here; their names. What differs is left as it is."""
    missing = {name: one.there[name] for one in found for name in one.missing}
    if missing:
        changes = [RefChange(f"{tags.PREFIX}{name}", None, oid) for name, oid in missing.items()]
        write.transact(held, changes, "registry: fetch")
    return sorted(missing)


# -- a clone that does not have all tags -----------------------------------------------------------------------------


def incomplete(repository: Repository, artifact: str | None) -> str | None:
    """Why this clone may lack tags of `artifact` (of any, where None) that its remote has; None where it has all.

    A clone by Git brings all tags, unless it was told to bring less. Cheap where it is an ordinary clone.
    """
    if repository.pushes:
        return None  # a mirror has asked for what it answers
    clone, git = repository.clone, repository.git
    shallow = (clone.common_dir / "shallow").exists()
    if not shallow and (repository.state(artifact).exists if artifact is not None else bool(repository.states)):
        return None
    try:
        name = remote.choose(git)
    except UsageError:
        return None  # several, and none to be preferred: whoever made it so fetches from them by hand
    if name is None:
        return None
    known = memory.known(clone, name)
    if known.asked and (known.has_asked(artifact) if artifact is not None else ALL in known.asked):
        return None
    if shallow:
        return f"the tags of {name} were never fetched into this shallow clone"
    settings = git.read("config", "--get-regexp", rf"^remote\.{_quoted(name)}\.(tagopt|fetch|mirror)$", check=False)
    said = settings.decode(errors="replace").lower()
    if "--no-tags" in said:
        return f"the tags of {name} were never fetched into this clone"
    everything = "refs/heads/*:" in said or "refs/*:" in said or ".mirror true" in said
    fetched = git.read("for-each-ref", "--count=1", "--", f"refs/remotes/{name}/", tags.PREFIX) != b""
    if not fetched:
        return f"the tags of {name} were never fetched"
    return None if everything else f"tags of other branches of {name} were never fetched into this clone"


def _quoted(name: str) -> str:
    return "".join(c if c.isalnum() else f"[{c}]" if c not in "^\\" else f"\\{c}" for c in name)


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
    take_in(held, [standing(repository, place, artifact)])
    repository.forget()

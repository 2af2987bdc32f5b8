"""A repository at a URL, read and written without a clone: by mirrors in the user's cache directory (DESIGN part 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from registry.core.state import ArtifactState, fold
from registry.errors import NotFound, UsageError
from registry.plumbing import objects, tags
from registry.plumbing.address import Address
from registry.plumbing.mirror import Mirror
from registry.plumbing.objects import Extent
from registry.plumbing.remote import Remote
from registry.plumbing.write import Held, locked
from registry.repository import Repository

if TYPE_CHECKING:
    from registry.core.overview import Overview

_id = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# What git-check-ref-format(1) has no names with; ^ and ~ walk through history, which is not here.
_no_name = re.compile(r"[\x00-\x20\x7f:?*\[\\^~+]|\.\.|@\{|^-|^$")


def at_url(url: str) -> Repository:
    """The repository at a URL. Raises UsageError for one that is none; the server is asked when something is read."""
    return MirroredRepository(Address.parse(url))


class MirroredRepository(Repository):
    """A repository at a URL. What is asked is asked of the mirror of one artifact, or of the one of all.

    Tags are fetched once, when they are first asked for: `refresh` lets them be fetched again. A write is pushed.
    """

    pushes: ClassVar[bool] = True
    # The server tells what it has before the pack is made: else the commit of a tag would be sent, with its trees,
    # where no ref of the server ends in it.
    push_options: ClassVar[Sequence[str]] = ("-c", "push.negotiate=true")

    def __init__(self, address: Address) -> None:
        self._address = address
        self._mirrors: dict[str | None, Mirror] = {}
        self._fresh: set[str | None] = set()
        self._heads: dict[str | None, str | None] = {}
        self._commits: dict[tuple[str | None, str], str] = {}
        self._held: Held | None = None
        self._mirror = self._open(None)
        super().__init__(self._mirror.clone, bare=True)

    @property
    def name(self) -> str:
        """The URL, without a password."""
        return self._address.url

    def remote(self, wanted: str | None = None) -> Remote:
        """The remote of the mirror. Raises UsageError where another one is wanted."""
        if wanted is not None:
            raise UsageError("a URL has no remotes", "leave out --remote, or --repo names a clone")
        return self._mirror.place

    # -- mirrors -------------------------------------------------------------------------------------------------

    def _open(self, artifact: str | None) -> Mirror:
        if artifact not in self._mirrors:
            self._mirrors[artifact] = Mirror.open(self._address, artifact)
        return self._mirrors[artifact]

    def focus(self, *artifacts: str) -> None:
        """From now on, ask the mirror of this artifact; of none or of several, the one of all."""
        mirror = self._open(artifacts[0] if len(set(artifacts)) == 1 else None)
        if mirror is not self._mirror:
            self._mirror, self.clone = mirror, mirror.clone
            self._brought.clear()
            self._forget_head()

    def about(self, *artifacts: str) -> None:
        """`focus`, and fetch the tags unless that was done. Raises GitFailed, NotFound."""
        self.focus(*artifacts)
        self._fetch(self._mirror)

    @contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[Held]:
        """Hold the lock of the mirror that is asked."""
        with locked(self.clone, waiting) as held:
            self._held = held
            try:
                yield held
            finally:
                self._held = None

    @contextmanager
    def _locked(self, mirror: Mirror) -> Iterator[None]:
        if self._held is not None and self._held.clone is mirror.clone:
            yield
        else:
            with locked(mirror.clone, lambda: self.progress("waiting for another registry command")) as held:
                before, self._held = self._held, held
                try:
                    yield
                finally:
                    self._held = before

    def fetch(self, place: Remote, artifacts: Sequence[str] | None) -> None:  # noqa: ARG002  (the mirror's own)
        """Fetch into the mirror that is asked, under its lock, again where that was done."""
        one = self._mirror.artifact
        self._mirror.refresh(None if one is None else [one], self.progress)
        self._fresh.add(one)

    def tip(self, place: Remote) -> str:  # noqa: ARG002  (the mirror's own)
        """The commit that the server's default branch has now. Raises GitFailed, NotFound."""
        self._heads.clear()
        self.forget()
        return self.commit("HEAD")

    def deepen(self, commit: str, count: int, wanted: str | None = None) -> None:  # noqa: ARG002  (the mirror's own)
        """Bring `count` more commits, without their trees, where the history of `commit` is cut off."""
        with self._locked(self._mirror):
            self._mirror.deepen(commit, count, self.progress)

    def _fetch(self, mirror: Mirror) -> None:
        one = mirror.artifact
        if one in self._fresh:
            return
        with self._locked(mirror):
            if one is None:
                has_head = mirror.refresh(None, self.progress, head=True)
                self._heads[None] = mirror.kept_head() if has_head else None
            else:
                mirror.refresh([one], self.progress)
        self._fresh.add(one)

    def is_whole(self, artifact: str | None) -> bool:  # noqa: ARG002  (the same for all)
        """Yes: a mirror asks for what it answers."""
        return True

    # -- tags ----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Forget what was read and what was fetched."""
        self._states.clear()
        self._fresh.clear()
        self._heads.clear()
        self._commits.clear()
        self.forget()

    def forget(self) -> None:
        """Forget what was read of the mirror that is written to: what others have is not asked under its lock."""
        if self._mirror.artifact is None:
            self._states.clear()
        else:
            self._states.pop(self._mirror.artifact, None)
        for name in ("states", "overviews"):
            self.__dict__.pop(name, None)
        self._forget_head()

    def _forget_head(self) -> None:
        for name in ("head", "manifest_at_head"):
            self.__dict__.pop(name, None)

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, from its own tags alone."""
        if artifact not in self._states:
            mirror = self._open(artifact)
            if self._held is None:
                if self._mirror.artifact is None and None in self._fresh:
                    with self._locked(self._mirror):
                        return super().state(artifact)
                self.focus(artifact)
            elif self._held.clone is mirror.clone or self._mirror.artifact is None:
                return super().state(artifact)
            # Read before another command may fetch: Git moves refs one by one, so half of a push could be seen.
            with self._locked(mirror):
                self._fetch(mirror)
                found = list(tags.events_of(tags.each_tag(mirror.git, tags.patterns(artifact))))
            self._states[artifact] = fold(artifact, (event for event in found if event.artifact == artifact))
        elif self._held is None and self._mirror.artifact not in {None, artifact}:
            self.focus(artifact)
        return self._states[artifact]

    @cached_property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact, from one fetch of all tags."""
        with self._all() as mirror:
            groups = tags.by_artifact(tags.events_of(tags.all_tags(mirror.git)))
        return {name: fold(name, events) for name, events in groups.items()}

    @cached_property
    def overviews(self) -> Mapping[str, Overview]:
        """What a listing says of every artifact, from one fetch of all tags."""
        from registry.plumbing import cache  # most questions are about one artifact

        with self._all() as mirror:
            return cache.overviews(mirror.clone)

    @contextmanager
    def _all(self) -> Iterator[Mirror]:
        """The mirror of all tags, as they are now, while nobody else fetches into it."""
        mirror = self._open(None)
        if self._held is None and not self._fresh:
            self.focus()
        with self._locked(mirror):
            self._fetch(mirror)
            yield mirror

    def _known_names(self) -> set[str]:
        return {*self.manifest_at_head.artifacts}  # to name others by their tags would fetch them all

    # -- commits and files ---------------------------------------------------------------------------------------

    @cached_property
    def head(self) -> str | None:
        """The commit of the server's default branch, or None where it has none."""
        one = self._mirror.artifact
        if one is None:
            self._fetch(self._mirror)  # it comes with the tags
        if one not in self._heads:
            with self._locked(self._mirror):
                self._heads[one] = self._mirror.fetch_name("HEAD", self.progress)
        return self._heads[one]

    def commit(self, revision: str) -> str:
        """The commit that a branch, a tag, HEAD or a full id means on the server. Raises NotFound."""
        if revision == "HEAD":
            if self.head is None:
                raise NotFound(f"{self.name} has no commits yet", "push one first, with the manifest for one")
            return self.head
        key = (self._mirror.artifact, revision)
        if key not in self._commits:
            if _no_name.search(revision):
                raise NotFound(f"no commit is called {revision} at a URL", "a branch, a tag or a full id names one")
            found = self._here(revision) if _id.fullmatch(revision) else None
            if found is None:
                with self._locked(self._mirror):
                    found = self._mirror.fetch_name(revision, self.progress)
            if found is None:
                raise NotFound(
                    f"no commit is called {revision} at {self.name}", "a branch, a tag or a full id names one"
                )
            self._commits[key] = found
        return self._commits[key]

    def _here(self, oid: str) -> str | None:
        listing = self.git.read("cat-file", "--batch-check=%(objecttype)", data=f"{oid}\n".encode())
        return oid if listing.strip() == b"commit" else None

    @cached_property
    def is_partial(self) -> bool:
        return True

    def _walk(self, places: Iterable[tuple[str, str]], extent: Extent) -> dict[tuple[str, str], str]:
        from registry.plumbing import trees  # most answers are in the tags alone

        mirror = self._mirror
        wanted = list(places)

        def fetch(oids: Sequence[str], filter_: str) -> None:
            with self._locked(mirror):
                mirror.fetch_objects(oids, filter_, self.progress)

        absent = objects.missing(mirror.git, sorted({commit for commit, _ in wanted}))
        for commit in absent:
            with self._locked(mirror):
                mirror.fetch_name(commit, self.progress)
        return trees.bring(mirror.git, wanted, extent, fetch)

    def bring_all(self, places: Iterable[tuple[str, str]], extent: Extent, *, strict: bool = True) -> None:  # noqa: ARG002
        """Have `places` here as far as `extent` says. Raises GitFailed where the server does not give them."""
        super().bring_all(places, extent, strict=True)  # there is nothing else that could do

"""Who is trusted in a repository: the keys, the policy and the accepted events at one commit (DESIGN part 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from registry.core import policy, signers, trust
from registry.core.events import Event
from registry.core.manifest import Manifest
from registry.core.state import ArtifactState
from registry.core.trust import Proof
from registry.errors import NotFound, Refused
from registry.plumbing import objects, remote
from registry.plumbing.objects import Extent
from registry.plumbing.signatures import Signers, prove
from registry.repository import Repository

_LIMIT = 10 * 1000 * 1000  # bytes of one of the files


@dataclass
class Trust:
    """The policy of a repository as `commit` has it, None before the first one; `name` is what people call that.

    Proofs are kept, so that a signature is verified once.
    """

    repository: Repository
    commit: str | None
    name: str
    _proofs: dict[str, Proof] = field(default_factory=dict)
    _whole: Manifest | None = None

    @cached_property
    def signers(self) -> Signers:
        """The keys that may sign. Raises Refused where they cannot be read."""
        if self.commit is None:
            return Signers()
        room = signers.OPENPGP.rstrip("/")
        self.repository.bring_all([(self.commit, room)], Extent.NAMES)
        listed = [one.path for one in objects.files_at(self.repository.git, self.commit, [room])]
        keys = [path for path in listed if path.endswith(".asc") and path.count("/") == signers.OPENPGP.count("/")]
        ssh, *openpgp = self._read([signers.ALLOWED_SIGNERS, *keys])
        who = [path[len(signers.OPENPGP) : -len(".asc")] for path in keys]
        return Signers(ssh or b"", {name: key for name, key in zip(who, openpgp, strict=True) if key is not None})

    @cached_property
    def accepted(self) -> Mapping[str, str]:
        """The events that are accepted as they are, object ids by tag. Raises Refused where the list is damaged."""
        [said] = self._read([signers.BASELINE]) if self.commit is not None else [None]
        found, wrong = signers.accepted(said.decode(errors="replace")) if said is not None else ({}, [])
        if wrong:
            raise Refused(f"{signers.BASELINE} at {self.name}, line {wrong[0].line}: {wrong[0].message}", wrong[0].hint)
        return found

    def rules(self, artifact: str) -> Manifest:
        """The policy for one artifact. Raises Refused where it cannot be read, for then nothing is proven."""
        if self.commit is None:
            return Manifest()
        if self._whole is None:
            manifest = self.repository.manifest_at(self.commit, artifact)
            # In a partial clone a manifest may be there without its bytes: it is broken then, for its rules still hold.
            manifest = manifest if manifest.files else self.repository.manifest_of(self.commit)
        else:
            manifest = self._whole
        policy.check_readable(manifest, artifact)
        return manifest

    def read_all(self) -> None:
        """Read the policy for all artifacts at once."""
        if self.commit is not None:
            self._whole = self.repository.manifest_of(self.commit)

    def _read(self, paths: list[str]) -> list[bytes | None]:
        found = self.repository.blobs_at([(self.commit or "", path) for path in paths], _LIMIT)
        links = {one.path for one in objects.files_at(self.repository.git, self.commit or "", paths) if one.is_link}
        if links:
            # Git keeps where it leads: that text could be read as lines, and a checkout would show others.
            raise Refused(f"{min(links)} at {self.name} is a link", "put the file itself there")
        for path, one in zip(paths, found, strict=True):
            if one.data is None and one.type != "missing":
                raise Refused(f"{path} at {self.name} cannot be read", "it has to be a file of less than 10 MB")
        missing = [path for path, one in zip(paths, found, strict=True) if one.type == "missing"]
        # A partial clone may lack the bytes of what is there: a baseline that nobody could fetch is not an empty one.
        if absent := objects.files_at(self.repository.git, self.commit or "", missing) if missing else []:
            raise Refused(f"{absent[0].path} at {self.name} is not in this clone", "git fetch brings it")
        return [one.data for one in found]

    def prove(self, event: Event) -> Proof:
        """What the signature of one event proves."""
        if event.oid not in self._proofs:
            self.hear([event])
        return self._proofs[event.oid]

    def hear(self, events: Iterable[Event], raws: Mapping[str, bytes] | None = None) -> None:
        """Verify the signatures of several events at once; `raws` are tag objects that Git does not have yet, by id."""
        left = [event for event in events if event.oid not in self._proofs]
        for event in left:
            if not event.message.signed:
                self._proofs[event.oid] = trust.UNSIGNED
        signed = [event.oid for event in left if event.message.signed]
        known = raws or {}
        stored = iter(objects.read_objects(self.repository.git, [oid for oid in signed if oid not in known]))
        bodies = [known[oid] if oid in known else next(stored).data for oid in signed]
        say = self.repository.progress
        proofs = prove(bodies, self.signers, lambda done: say(f"Verifying signatures: {done} of {len(signed)}"))
        say("")
        self._proofs.update(zip(signed, proofs, strict=True))

    def judge(self, state: ArtifactState, only: Iterable[str] | None = None) -> list[trust.Breach]:
        """The breaches of the policy by the events of one artifact, or by those `only` (ids), that nobody accepted."""
        wanted = {event.oid for event in state.events} if only is None else {*only}
        wanted -= {event.oid for event in state.events if self.accepted.get(event.tag) == event.oid}
        return [*trust.judge(state, self.rules(state.name), self.prove, wanted)]


def at_head(repository: Repository) -> Trust:
    """Who is trusted by HEAD's rules, as whoever writes goes by."""
    return Trust(repository, repository.head, "HEAD")


def at_tip(repository: Repository) -> Trust:
    """Who is trusted by the remote's default branch as it is now: the remote is asked, and nothing else counts.

    Raises NotFound where there is no remote, or no such branch, and GitFailed.
    """
    place = repository.remote()
    return Trust(repository, repository.tip(place), f"the default branch of {place.name}")


def trusted(repository: Repository, revision: str | None = None) -> Trust:
    """Who is trusted by `revision`; without one, by the remote's default branch as last fetched, else by HEAD.

    Raises NotFound for an unknown revision, and where there is a remote whose default branch is not known.
    """
    if revision is not None:
        return Trust(repository, repository.commit(revision), revision)
    if repository.pushes:  # of a URL, HEAD is the server's
        return Trust(repository, repository.head, f"the default branch of {repository.name}")
    name = remote.choose(repository.git)
    if name is None:
        return Trust(repository, repository.head, "HEAD")
    branch = f"refs/remotes/{name}/HEAD"
    try:
        return Trust(repository, repository.commit(branch), f"{name}/HEAD")
    except NotFound as error:
        raise NotFound(
            f"nobody knows which branch of {name} is trusted: it has no default branch here",
            f"git remote set-head {name} --auto asks it; --policy REV says it",
        ) from error

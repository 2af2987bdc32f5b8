"""One open repository: its tags, states and manifests, each read once and only when asked for (DESIGN part 7)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from registry.core import draft, names, policy
from registry.core.draft import Draft
from registry.core.events import Event, Signatory, parse_signatory
from registry.core.select import nearest
from registry.core.state import ArtifactState, fold
from registry.errors import GitFailed, NotFound, Refused, UsageError
from registry.plumbing import objects, signing, tags, write
from registry.plumbing.process import Git
from registry.plumbing.write import Clone, Held, RefChange

if TYPE_CHECKING:
    from registry.core.manifest import Manifest

MANIFEST_LIMIT = 10 * 1000 * 1000  # bytes; a larger manifest is not read


def open_repository(path: str | None = None) -> Repository:
    """The repository at or above `path`; without one, as Git finds it from here. Raises NotFound or GitFailed."""
    if path is not None and "://" in path:
        raise NotFound(f"{path} is a URL, and repositories are read in a clone so far", "git clone it, and go there")
    git = Git(path or ".", inherit=path is None)
    try:
        inside, *places = _lines(git, "--is-inside-work-tree", "--git-dir", "--git-common-dir")
        if len(places) != 2:  # a newline in the path
            places = ["\n".join(_lines(git, question)) for question in ("--git-dir", "--git-common-dir")]
    except GitFailed as error:
        if "not a git repository" in error.message:
            where = str(Path(path or ".").absolute())
            raise NotFound(
                f"not a Git repository: {where}", "run it inside one or name it with --repo; git init makes one"
            ) from error
        if "dubious ownership" in error.message:
            where = str(Path(path or ".").absolute())
            raise GitFailed(
                error.message, f"if you trust it: git config --global --add safe.directory {where}"
            ) from error
        raise
    root = Path("\n".join(_lines(git, "--show-toplevel"))) if inside == "true" else None
    return Repository(Clone(git, Path(places[0]), Path(places[1])), root)


def _lines(git: Git, *questions: str) -> list[str]:
    answer = git.read("rev-parse", "--path-format=absolute", *questions)
    return answer.decode(errors="surrogateescape").removesuffix("\n").split("\n")


@dataclass
class Repository:
    """A repository. `root` is the top of the work tree, None where there is none."""

    clone: Clone
    root: Path | None

    def __post_init__(self) -> None:
        self._states: dict[str, ArtifactState] = {}
        self._manifests: dict[tuple[str, ...], Manifest] = {}

    @property
    def git(self) -> Git:
        """Git, in this repository."""
        return self.clone.git

    def forget(self) -> None:
        """Forget what was read, for something has been written."""
        self._states.clear()
        for name in ("states", "head", "manifest_at_head"):
            self.__dict__.pop(name, None)

    def inside(self, path: str | os.PathLike[str]) -> str:
        """`path` relative to the root, with "/". A relative one is taken from the current directory where that lies
        in the work tree, else from the root. Raises UsageError where it leads out of the repository."""
        root = self.root or Path()
        here = Path.cwd()
        base = here if self.root is not None and here.is_relative_to(root) else root
        led = Path(os.path.normpath(base / path))  # without following links, as Git sees paths
        if not led.is_relative_to(root):
            led = led.parent.resolve() / led.name  # the repository itself may be reached through a link
        if not led.is_relative_to(root) or led.parts[:1] == ("..",):
            raise UsageError(
                f"{os.fspath(path)} is outside the repository", "a version carries files of its repository"
            )
        return led.relative_to(root).as_posix()

    # -- tags ----------------------------------------------------------------------------------------------------

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, from its own tags alone; empty where it has none."""
        if artifact not in self._states:
            found = tags.events_of(tags.read_tags(self.git, tags.patterns(artifact)))
            self._states[artifact] = fold(artifact, (event for event in found if event.artifact == artifact))
        return self._states[artifact]

    @cached_property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact that has an event, by name."""
        groups = tags.by_artifact(tags.events_of(tags.read_tags(self.git)))
        return {name: fold(name, events) for name, events in groups.items()}

    def existing(self, artifact: str) -> ArtifactState:
        """The state of an artifact that has an event or is declared. Raises NotFound with the nearest name."""
        state = self.state(artifact)
        if state.exists or artifact in self.manifest_at_head.artifacts:
            return state
        known = {*self.states, *self.manifest_at_head.artifacts}
        close = nearest(artifact, known)
        for file, reason in self.manifest_at_head.broken.items():
            if close is None:
                raise NotFound(f"no artifact is called {artifact}", f"{file} at HEAD cannot be read: {reason}")
        there = f"there is {', '.join(sorted(known)[:5])}" + (f" and {len(known) - 5} more" if len(known) > 5 else "")
        hint = f"did you mean {close}?" if close else there if known else f"registry add {artifact} declares it"
        raise NotFound(f"no artifact is called {artifact}", hint)

    # -- commits and manifests -----------------------------------------------------------------------------------

    def commit(self, revision: str) -> str:
        """The full id of the commit that `revision` names. Raises NotFound."""
        return objects.resolve_commit(self.git, revision)

    @cached_property
    def head(self) -> str | None:
        """The commit of HEAD, or None where nothing is committed yet."""
        try:
            return self.commit("HEAD")
        except NotFound:
            return None

    @cached_property
    def manifest_at_head(self) -> Manifest:
        """All manifests at HEAD, for listing, stages and rules; empty before the first commit."""
        from registry.manifests import read  # YAML takes time to import; most reads need none

        if self.head is None:
            return read.read({})
        listing = self.git.read("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.head)
        paths = [path for path in listing.decode(errors="surrogateescape").split("\0") if read.is_manifest(path)]
        found = self._blobs([f"{self.head}:{path}" for path in paths])
        manifest = self._manifest(paths, found)
        absent = {
            path: "1:1: its bytes are not in this clone"
            for path, obj in zip(paths, found, strict=True)
            if obj.type == "missing"
        }
        return replace(manifest, broken={**manifest.broken, **absent}, files=(*manifest.files, *absent))

    def rules(self, artifact: str) -> Manifest:
        """The manifests at HEAD as far as they are about one artifact: its declaration, stages and rules."""
        if self.head is None:
            return self.manifest_at_head
        manifest = self.manifest_at(self.head, artifact)
        # In a partial clone a manifest may be there without its bytes: it is broken then, for its rules still hold.
        return manifest if manifest.files else self.manifest_at_head

    def manifest_at(self, commit: str, artifact: str) -> Manifest:
        """What the manifests at `commit` that could declare `artifact` say, and the root's general rules."""
        return self.manifests_at([(commit, artifact)])[0]

    def manifests_at(self, wanted: Iterable[tuple[str, str]]) -> list[Manifest]:
        """`manifest_at` for each commit and artifact, with one question to Git; the same bytes are parsed once."""
        from registry.manifests import read

        places = [(commit, names.directory_of(artifact)) for commit, artifact in wanted]
        paths = {
            (commit, directory): list(dict.fromkeys([*read.manifest_paths(directory), *read.manifest_paths("")]))
            for commit, directory in places
        }
        found = iter(self._blobs([f"{commit}:{path}" for (commit, _), those in paths.items() for path in those]))
        manifests = {place: self._manifest(those, [next(found) for _ in those]) for place, those in paths.items()}
        return [manifests[place] for place in places]

    def _blobs(self, names_: Sequence[str]) -> list[objects.Object]:
        return objects.read_objects(self.git, names_, only_type="blob", limit=MANIFEST_LIMIT)

    def _manifest(self, paths: Sequence[str], found: Sequence[objects.Object]) -> Manifest:
        from registry.manifests import read

        there = [(path, obj) for path, obj in zip(paths, found, strict=True) if obj.type == "blob"]
        key = tuple(f"{path}\0{obj.oid}" for path, obj in there)
        if key not in self._manifests:
            files = {path: obj.data for path, obj in there if obj.data is not None}
            manifest = read.read(files)
            too_large = {path: "1:1: larger than 10 MB" for path, obj in there if obj.data is None}
            if too_large:
                manifest = replace(
                    manifest, broken={**manifest.broken, **too_large}, files=(*manifest.files, *too_large)
                )
            self._manifests[key] = manifest
        return self._manifests[key]

    # -- writing -------------------------------------------------------------------------------------------------

    def writer(self) -> Signatory:
        """Who writes, and the clock, by Git's own rules (git-var(1)). Raises Refused where there is no identity."""
        try:
            ident = self.git.read("var", "GIT_COMMITTER_IDENT").decode(errors="replace").rstrip("\n")
        except GitFailed as error:
            raise Refused(
                "Git does not know who you are",
                "git config --global user.name 'Your Name' && git config --global user.email you@example.com",
            ) from error
        return parse_signatory(ident)

    @contextmanager
    def writing(
        self, artifact: str, waiting: Callable[[], None], *, new: bool = False, dry_run: bool = False
    ) -> Iterator[Writing]:
        """Look, decide and write under the clone's lock, on a state read afresh.

        The artifact has to exist, unless it may be `new`: raises NotFound. A dry run takes no lock and writes
        nothing, so that it works where writing does not.
        """
        by = self.writer()
        self.forget()
        with nullcontext() if dry_run else write.locked(self.clone, waiting) as held:
            state = self.state(artifact) if new else self.existing(artifact)
            try:
                yield Writing(self, state, held, by)
            finally:
                self.forget()


@dataclass(frozen=True, slots=True)
class Done:
    """What was written, and notes for the person."""

    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Writing:
    """A write that is being decided: the state under the lock. `held` is None in a dry run."""

    repository: Repository
    state: ArtifactState
    held: Held | None
    by: Signatory

    def preview(self, drafts: Sequence[Draft]) -> ArtifactState:
        """The state as `drafts` would make it, for deciding on what comes with them."""
        return self.state.with_events(one.event for one in draft.lay(self.state, drafts, self.by))

    def write(self, drafts: Sequence[Draft], *, sign: bool | None = None, also: Sequence[RefChange] = ()) -> Done:
        """Write `drafts` as tags, and move the refs of `also` with them: all or none."""
        if not drafts and not also:
            return Done()
        seal = signing.signer(self.repository.git, sign) if self.held is not None else None
        laid = draft.lay(self.state, drafts, self.by, seal or bytes)
        events = [one.event for one in laid]
        self._check_names(events)
        if self.held is None:
            return Done(events)
        stored = write.write_tags(self.held, [one.raw for one in laid])
        if stored != [event.oid for event in events]:
            raise GitFailed("Git stored the tags under other ids than expected", "git fsck says whether it is sound")
        changes = [RefChange(f"{tags.PREFIX}{event.tag}", None, event.oid) for event in events]
        notes = write.transact(self.held, [*changes, *self._head(events), *also], "registry")
        return Done(events, notes)

    def delete(self, found: Sequence[tags.TagRecord]) -> None:
        """Delete tags, all or none, if they still are what was found."""
        if self.held is not None and found:
            changes = [RefChange(f"{tags.PREFIX}{record.name}", record.oid, None) for record in found]
            write.transact(self.held, changes, "registry: delete")

    def _head(self, events: Sequence[Event]) -> list[RefChange]:
        # DESIGN part 6: a local write moves A@head in its own repository where that is bare or has the ref.
        if not events:
            return []
        ref = f"refs/registry/{names.in_tag(self.state.name)}@head"
        git = self.repository.git
        old = git.read("rev-parse", "--verify", "--quiet", ref, check=False).decode().strip() or None
        if old is None and git.read("rev-parse", "--is-bare-repository").strip() != b"true":
            return []
        return [RefChange(ref, old, events[-1].oid)]

    def _check_names(self, events: Sequence[Event]) -> None:
        for event in events:
            policy.check_travels(event.tag)
            stage = getattr(event, "stage", None)
            if stage is not None:
                policy.check_case(stage, (getattr(e, "stage", "") for e in self.state.events), "stage")
            version = getattr(event, "version", None)
            if version is not None:
                policy.check_case(version, (getattr(e, "version", "") for e in self.state.events), "version")
        git = self.repository.git
        if events and not self.state.exists:  # a new name: others are looked at, this once
            policy.check_case(self.state.name, tags.artifacts_like(git, self.state.name), "name")
        for event in events:
            # A pattern without a wildcard matches that ref and all below it: both would stand in the way.
            parts = event.tag.split("/")
            above = ["/".join(parts[:n]) for n in range(1, len(parts))]
            for other in tags.tag_names(git, [tags.PREFIX + event.tag]) + _exactly(git, above):
                if other == event.tag:
                    raise Refused(
                        f"the tag {other} is there already, but is no event", "registry doctor says what it is"
                    )
                raise Refused(f"the tags {other} and {event.tag} cannot both exist", "choose another name")


def _exactly(git: Git, wanted: Sequence[str]) -> list[str]:
    return [name for name in tags.tag_names(git, [tags.PREFIX + w for w in wanted]) if name in wanted] if wanted else []

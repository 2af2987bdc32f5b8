"""One open repository: its tags, states and manifests, each read once and only when asked for (DESIGN part 7)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from registry.core import names
from registry.core.events import Signatory, parse_signatory
from registry.core.select import nearest
from registry.core.state import ArtifactState, fold
from registry.errors import GitFailed, NotFound, Refused, UsageError
from registry.plumbing import history, objects, remote, tags
from registry.plumbing.clone import Clone
from registry.plumbing.objects import Extent
from registry.plumbing.process import Git
from registry.plumbing.remote import Remote

if TYPE_CHECKING:
    from registry.core.manifest import Manifest
    from registry.core.overview import Overview
    from registry.plumbing.write import Held

_FEW = 20  # artifacts whose tags are read one by one; of more, all tags are read once
MANIFEST_LIMIT = 10 * 1000 * 1000  # bytes; a larger manifest is not read

_PARSED = 16  # manifests that are kept with all that they declare; what they say of one artifact is kept of all
_Key: TypeAlias = "tuple[tuple[str, str], ...]"  # the files of a manifest, with the ids of their bytes

_DVC = ".dvc/config"  # every project of DVC has it; asked for along with manifests, it costs no process
_ABSENT = "1:1: its bytes are not in this clone"


def open_repository(path: str | None = None) -> Repository:
    """The repository at or above `path`; without one, as Git finds it from here. Raises NotFound or GitFailed."""
    git = Git(path or ".", inherit=path is None)
    try:
        bare, *places = _lines(git, "--is-bare-repository", "--git-dir", "--git-common-dir")
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
    return Repository(Clone(git, Path(places[0]), Path(places[1])), bare == "true")


def _lines(git: Git, *questions: str, check: bool = True) -> list[str]:
    answer = git.read("rev-parse", "--path-format=absolute", *questions, check=check)
    return answer.decode(errors="surrogateescape").removesuffix("\n").split("\n")


def _blobs(paths: Sequence[str], found: Sequence[objects.Object]) -> dict[str, objects.Object]:
    """Those of `paths` that are files, and what was found there."""
    return {path: obj for path, obj in zip(paths, found, strict=True) if obj.type == "blob"}


def _key(blobs: Mapping[str, objects.Object]) -> _Key:
    return tuple((path, obj.oid) for path, obj in blobs.items())


def _read(blobs: Mapping[str, objects.Object]) -> Manifest:
    """What these manifests say together."""
    from registry.manifests import read

    manifest = read.read({path: obj.data for path, obj in blobs.items() if obj.data is not None})
    too_large = {path: "1:1: larger than 10 MB" for path, obj in blobs.items() if obj.data is None}
    return replace(manifest, broken={**manifest.broken, **too_large}, files=(*manifest.files, *too_large))


@dataclass
class Repository:
    """A repository, `bare` as Git says; `progress` hears of the network."""

    clone: Clone
    bare: bool
    progress: Callable[[str], None] = lambda _: None

    # Whether the clone's own settings may name the programs that its remote is asked with, where it lacks files: a
    # clone that somebody else made may not (DESIGN part 7). CI's was made for the job, with the settings for it.
    trusted: bool = False

    # What a mirror of a URL does otherwise: whatever is written there is pushed, and little is fetched.
    pushes: ClassVar[bool] = False
    push_options: ClassVar[Sequence[str]] = ()

    def remote(self, wanted: str | None = None) -> Remote:
        """The remote to fetch from and to publish to: the one named, or the one that Git would take.

        Raises NotFound where there is none, UsageError where several could be meant.
        """
        return remote.of_clone(remote.needed(self.git, wanted))

    def __post_init__(self) -> None:
        self._brought: set[tuple[Extent, str, str]] = set()
        self._states: dict[str, ArtifactState] = {}
        self._parsed: dict[_Key, Manifest] = {}
        self._of_dvc: set[str] = set()
        self._keys: dict[tuple[str, str], _Key] = {}
        self._same: dict[_Key, _Key] = {}
        self._about: dict[tuple[_Key, str], Manifest] = {}
        self._whole: dict[str, Manifest] = {}

    @property
    def git(self) -> Git:
        """Git, in this repository."""
        return self.clone.git

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return os.fspath(self.root or self.clone.git_dir)

    @cached_property
    def root(self) -> Path | None:
        """The top of the work tree, None where there is none."""
        # Outside of a work tree the second question is an error, or about one that is elsewhere.
        inside, *top = _lines(self.git, "--is-inside-work-tree", "--show-toplevel", check=False)
        return Path("\n".join(top)) if inside == "true" else None

    def about(self, *artifacts: str) -> None:
        """Have the tags of `artifacts` here, of all where none is named. At a URL they are fetched, once a command."""

    def focus(self, *artifacts: str) -> None:
        """What is done next is about `artifacts`. A URL has a mirror for each; nothing is fetched yet."""

    def locked(self, waiting: Callable[[], None]) -> AbstractContextManager[Held]:
        """Hold the lock of the clone: `plumbing.write.locked`."""
        from registry.plumbing.write import locked  # whoever only reads needs none of it

        return locked(self.clone, waiting)

    def fetch(self, place: Remote, artifacts: Sequence[str] | None) -> None:
        """Bring the remote's tags of `artifacts`, of all where None, under the lock. Raises GitFailed."""
        remote.fetch(self.git, place, artifacts, self.progress)

    def tip(self, place: Remote) -> str:
        """The commit that the default branch of a remote has now, brought here. Raises GitFailed, NotFound."""
        return remote.fetch_tip(self.git, place, self.progress)

    def deepen(self, commit: str, count: int, wanted: str | None = None) -> None:
        """Bring `count` more commits from the remote `wanted` where the history of `commit` is cut off.

        Raises GitFailed, NotFound.
        """
        history.deepen(self.git, self.remote(wanted), commit, count, self.progress)

    def refresh(self) -> None:
        """Forget what was read: the next answer is what is there then, at a URL by another fetch."""
        self.forget()

    def forget(self) -> None:
        """Forget what was read, for something has been written."""
        self.forget_tags()
        for name in ("head", "manifest_at_head"):
            self.__dict__.pop(name, None)

    def forget_tags(self) -> None:
        """Forget what the tags said."""
        self._states.clear()
        for name in ("states", "overviews"):
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

    def is_whole(self, artifact: str | None) -> bool:
        """Whether this has all tags of `artifact` (of any, where None) without a doubt, as an ordinary clone has."""
        if history.is_cut_off(self.clone.common_dir):
            return False
        read = "states" in self.__dict__  # else the overviews are quicker, and of use to most
        some = bool(self.states if read else self.overviews) if artifact is None else self.state(artifact).exists
        return some and remote.bring_tags(self.git)

    # -- tags ----------------------------------------------------------------------------------------------------

    def state(self, artifact: str) -> ArtifactState:
        """The state of one artifact, from its own tags alone; empty where it has none."""
        if artifact not in self._states:
            found = tags.events_of(tags.each_tag(self.git, tags.patterns(artifact)))
            self._states[artifact] = fold(artifact, (event for event in found if event.artifact == artifact))
        return self._states[artifact]

    @cached_property
    def states(self) -> Mapping[str, ArtifactState]:
        """The state of every artifact that has an event, by name."""
        groups = tags.by_artifact(tags.events_of(tags.all_tags(self.git)))
        return {name: fold(name, events) for name, events in groups.items()}

    @cached_property
    def overviews(self) -> Mapping[str, Overview]:
        """What a listing says of every artifact that has an event, by name."""
        if "states" in self.__dict__:
            from registry.core.overview import overview

            return {name: overview(state) for name, state in self.states.items()}
        from registry.plumbing import cache  # most questions are about one artifact

        return cache.overviews(self.clone)

    def states_of(self, artifacts: Sequence[str]) -> dict[str, ArtifactState]:
        """The state of each of `artifacts`, without a process for each where they are many."""
        if len(artifacts) <= _FEW:
            return {name: self.state(name) for name in artifacts}
        return {name: self.states.get(name, ArtifactState(name, ())) for name in artifacts}

    def existing(self, artifact: str) -> ArtifactState:
        """The state of an artifact that has an event or is declared. Raises NotFound with the nearest name."""
        state = self.state(artifact)
        if state.exists or artifact in self.manifest_at_head.artifacts:
            return state
        known = self._known_names()
        close = nearest(artifact, known)
        for file, reason in self.manifest_at_head.broken.items():
            if close is None:
                raise NotFound(f"no artifact is called {artifact}", f"{file} at HEAD cannot be read: {reason}")
        there = f"there is {', '.join(sorted(known)[:5])}" + (f" and {len(known) - 5} more" if len(known) > 5 else "")
        hint = f"did you mean {close}?" if close else there if known else f"registry add {artifact} declares it"
        raise NotFound(f"no artifact is called {artifact}", hint)

    def _known_names(self) -> set[str]:
        return {*self.overviews, *self.manifest_at_head.artifacts}

    # -- commits and manifests -----------------------------------------------------------------------------------

    def commit(self, revision: str) -> str:
        """The full id of the commit that `revision` names. Raises NotFound."""
        return objects.resolve_commit(self.git, revision)

    def parents(self, commit: str) -> list[str]:
        """The full ids of the parents that a commit names; a shallow clone may lack them."""
        return history.parents(self.git, commit)

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

        return read.read({}) if self.head is None else self.manifest_of(self.head)

    def manifest_of(self, commit: str) -> Manifest:
        """All manifests at a commit, taken together."""
        if commit not in self._whole:  # a commit never changes
            self._whole[commit] = self._read_manifest_of(commit)
        return self._whole[commit]

    def _read_manifest_of(self, commit: str) -> Manifest:
        from registry.manifests import read

        self.bring_all([(commit, ".")], Extent.NAMES)
        try:
            listing = self.git.read("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
        except GitFailed:
            if not self.is_partial:
                raise
            return replace(read.read({}), broken={"registry.yaml": _ABSENT}, files=("registry.yaml",))
        paths = [path for path in listing.decode(errors="surrogateescape").split("\0") if read.is_manifest(path)]
        found = self.blobs_at([(commit, path) for path in paths])
        manifest = self._parse(_blobs(paths, found))
        absent = {path: _ABSENT for path, obj in zip(paths, found, strict=True) if obj.type == "missing"}
        return replace(manifest, broken={**manifest.broken, **absent}, files=(*manifest.files, *absent))

    def rules(self, artifact: str) -> Manifest:
        """The manifests at HEAD as far as they are about one artifact: its declaration, stages and rules."""
        if self.head is None:
            return self.manifest_at_head
        manifest = self.manifest_at(self.head, artifact)
        # In a partial clone a manifest may be there without its bytes: it is broken then, for its rules still hold.
        return manifest if manifest.files else self.manifest_at_head

    def manifest_at(self, commit: str, artifact: str) -> Manifest:
        """What the manifests at `commit` that could declare `artifact` say of it, and the root's general rules."""
        key = self._keys.get((commit, names.directory_of(artifact)))  # a commit never changes, so nothing is forgotten
        if key is not None and (key, artifact) in self._about:
            return self._about[key, artifact]
        if key is not None and key in self._parsed:  # others were asked about there
            self._about[key, artifact] = self._keep(key, self._parsed[key]).about(artifact)
            return self._about[key, artifact]
        return self.manifests_at([(commit, artifact)])[0]

    def manifests_at(self, wanted: Iterable[tuple[str, str]]) -> list[Manifest]:
        """`manifest_at` for each commit and artifact, with one question to Git; the same bytes are parsed once."""
        from registry.manifests import read

        asked = [((commit, names.directory_of(artifact)), artifact) for commit, artifact in wanted]
        places: dict[tuple[str, str], list[str]] = {}
        for place, artifact in asked:
            places.setdefault(place, []).append(artifact)
        paths = {p: list(dict.fromkeys([*read.manifest_paths(p[1]), *read.manifest_paths(""), _DVC])) for p in places}
        found = iter(self.blobs_at([(commit, path) for (commit, _), those in paths.items() for path in those]))
        for place, artifacts in places.items():
            there = _blobs(paths[place], [next(found) for _ in paths[place]])
            if there.pop(_DVC, None) is not None or any(path.endswith("dvc.yaml") for path in there):
                self._of_dvc.add(place[0])
            key = _key(there)
            self._keys[place] = key = self._same.setdefault(key, key)  # few manifests, many commits
            if left := [artifact for artifact in artifacts if (key, artifact) not in self._about]:
                manifest = self._parse(there)
                self._about.update(((key, artifact), manifest.about(artifact)) for artifact in left)
        return [self._about[self._keys[place], artifact] for place, artifact in asked]

    def is_of_dvc(self, commit: str) -> bool:
        """Whether DVC may have a word in what a commit has; known of commits whose manifests were read."""
        return commit in self._of_dvc

    def _parse(self, blobs: Mapping[str, objects.Object]) -> Manifest:
        key = _key(blobs)
        return self._keep(key, self._parsed[key] if key in self._parsed else _read(blobs))

    def _keep(self, key: _Key, manifest: Manifest) -> Manifest:
        self._parsed.pop(key, None)
        self._parsed[key] = manifest  # the one that was used last goes last
        if len(self._parsed) > _PARSED:
            del self._parsed[next(iter(self._parsed))]
        return manifest

    def blobs_at(
        self, places: Sequence[tuple[str, str]], limit: int = MANIFEST_LIMIT, total: int | None = None
    ) -> list[objects.Object]:
        """The files at `places`, each a commit and a path, in turn; those larger than `limit` without their bytes.

        What is not here is fetched, in one go, where there is somewhere to fetch it from. Raises TooMuch where they
        have more bytes than `total`.
        """
        self.bring_all(places, Extent.BYTES)
        names_ = [f"{commit}:{path}" for commit, path in places]
        return objects.read_objects(self.git, names_, only_type="blob", limit=limit, total=total)

    # -- a clone without everything ------------------------------------------------------------------------------

    def bring(self, commit: str, paths: Sequence[str]) -> None:
        """Have the files at and below `paths` of `commit` here. Raises GitFailed where they cannot be fetched."""
        self.bring_all([(commit, path) for path in paths], Extent.BYTES, strict=True)

    def bring_all(self, places: Iterable[tuple[str, str]], extent: Extent, *, strict: bool = False) -> None:
        """Have `places`, each a commit and a path, here as far as `extent` says.

        By one fetch for each level of directories, and one for the bytes, and only in a clone that was promised them by
        a remote. Where that one cannot be asked, what is here has to do, unless it is `strict`: raises GitFailed.
        """
        if self.is_partial:
            left = [place for place in dict.fromkeys(places) if (extent, *place) not in self._brought]
            if left:
                try:
                    self._walk(left, extent)
                except GitFailed:
                    if strict:
                        raise
                self._brought.update((extent, *place) for place in left)

    def ids_at(self, places: Sequence[tuple[str, str]]) -> list[str]:
        """The id of what is at each place, or ""; nobody's bytes are needed for that."""
        if self.is_partial:
            try:
                found = self._walk(places, Extent.ID)
            except GitFailed:
                found = {}
            return [found.get(place, "") for place in places]
        names_ = [f"{commit}:{path}" for commit, path in places]
        return [one.oid for one in objects.read_objects(self.git, names_, only_type="none")]

    @cached_property
    def is_partial(self) -> bool:
        """Whether this is a partial clone: it may lack what a remote has promised to give."""
        try:
            said = (self.clone.common_dir / "config").read_bytes().lower()
        except OSError:
            return False
        return b"promisor" in said or b"partialclone" in said

    def _walk(self, places: Iterable[tuple[str, str]], extent: Extent) -> dict[tuple[str, str], str]:
        from registry.plumbing import trees  # partial clones alone pay for it

        name = remote.promisor(self.git, trusted=self.trusted)

        def fetch(oids: Sequence[str], filter_: str) -> None:
            if name is not None:
                remote.fetch_objects(self.git, name, oids, filter_, self.progress)

        with self.git.without_remotes() as alone:
            return trees.bring(alone, places, extent, fetch)

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

    def clock(self) -> int:
        """Seconds since the epoch by Git's clock, which GIT_COMMITTER_DATE moves; nobody need be anybody for that."""
        who = ("-c", "user.name=clock", "-c", "user.email=clock@localhost")
        ident = self.git.read(*who, "var", "GIT_COMMITTER_IDENT", check=False)
        return parse_signatory(ident.decode(errors="replace").strip()).seconds

"""Mirrors of URLs: small bare repositories under the user's cache directory, refreshed under a lock (DESIGN part 8).

One for each URL and artifact, and one more for everything. Nothing in them is precious: a damaged one is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from registry.errors import GitFailed, NotFound
from registry.plumbing import remote
from registry.plumbing.address import Address
from registry.plumbing.clone import Clone
from registry.plumbing.process import Git
from registry.plumbing.remote import HEADS, Progress, Remote
from registry.plumbing.userdirs import cache_directory

HEAD = "refs/registry-url/HEAD"  # where the server's HEAD is kept
_ASKED = "refs/registry-url/asked"  # where a branch or another name is kept that somebody asked for
_ALONE = "alone"  # the directory in a mirror from which single objects are fetched
_FRESH_AFTER = 64  # packs, one of each fetch that brought something; then beginning anew is cheaper than reading them
_TRIES, _PAUSE = 3, 0.5  # how often and how long a lock of another git is waited for

# Said to a git that fetches, and to no other: where a remote is a promisor by the configuration, reading and pushing
# would fetch what is missing, object by object.
_PARTIAL = (("remote.origin.promisor", "true"), ("remote.origin.partialclonefilter", "tree:0"))

T = TypeVar("T")


# -- mirrors -----------------------------------------------------------------------------------------------------------


@dataclass
class Mirror:
    """The mirror of one address for one artifact, or for all (None). Fetching wants its clone's lock to be held."""

    address: Address
    artifact: str | None
    clone: Clone
    used: int  # a descriptor, locked while this process may read from the mirror
    fetching: Git
    asked: str | None = None  # the name that was asked for last

    @classmethod
    def open(cls, address: Address, artifact: str | None) -> Mirror:
        """The mirror, made where there is none. Raises GitFailed where the cache directory cannot be written."""
        name = hashlib.sha256(f"{address.url}\0{artifact or ''}".encode(errors="surrogateescape")).hexdigest()
        words = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{address.url.rstrip('/').rpartition('/')[2]}-{artifact or 'all'}")
        path = cache_directory() / f"{words[-60:].strip('.-')}-{name}"
        try:
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            path.mkdir(0o700, exist_ok=True)
            (path / "registry").mkdir(exist_ok=True)
            _furnish(path, address)
            used = os.open(path / "registry" / "used", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(used, fcntl.LOCK_SH)
        except OSError as error:
            raise GitFailed(
                f"{path.parent} cannot be written: {error.strerror}", "XDG_CACHE_HOME=DIR names another cache directory"
            ) from error
        # GIT_DIR: Git looks for no other repository around, and trusts this one whatever safe.bareRepository says.
        # It runs where the user is: GIT_ASKPASS and the like may be relative paths.
        git = Git(".", False, (("GIT_DIR", str(path)),), address.talking())
        return cls(address, artifact, Clone(git, path, path), used, replace(git, talking=address.talking(*_PARTIAL)))

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            os.close(self.used)

    @property
    def git(self) -> Git:
        """Git, in the mirror."""
        return self.clone.git

    @property
    def place(self) -> Remote:
        """The remote of the mirror."""
        return remote.of_mirror(self.address.url)

    # -- fetching ------------------------------------------------------------------------------------------------------

    def refresh(self, artifacts: Sequence[str] | None, progress: Progress, *, head: bool = False) -> bool:
        """Bring what the server has of `artifacts`, by what changed, and forget what it deleted.

        Gives whether it has a HEAD, where that is wanted, too. Raises GitFailed.
        """
        specs = remote.specs_of(self.place, artifacts)
        if self._packs() > _FRESH_AFTER:
            self._renew()
        if head:
            try:
                self._fetch([*specs, f"+HEAD:{HEAD}"], progress, "--prune")
            except NotFound:  # an empty repository
                pass
            else:
                return True
        self._fetch(specs, progress, "--prune")
        return False

    def kept_head(self) -> str | None:
        """The commit of the server's HEAD, as last fetched."""
        return self._commit(HEAD)

    def fetch_name(self, name: str, progress: Progress) -> str | None:
        """The commit that the server calls `name`: HEAD, a branch, a tag, or a full id; None where there is none."""
        kept = HEAD if name == "HEAD" else _ASKED
        self.asked = name if kept == _ASKED else self.asked
        try:
            self._fetch([f"+{name}:{kept}"], progress, "--depth=1")
        except NotFound:
            return None
        return self._commit(kept)

    def deepen(self, commit: str, count: int, progress: Progress) -> None:
        """Bring `count` more commits where the history of `commit` is cut off. Raises GitFailed."""
        self._fetch([commit], progress, f"--deepen={count}")

    def _commit(self, ref: str) -> str | None:
        found = self.git.read("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", check=False)
        return found.decode().strip() or None

    def _fetch(self, specs: Sequence[str], progress: Progress, *options: str) -> None:
        def run() -> None:
            # A fetch with a depth brings all tags again, one without those that are new; but in an empty mirror that
            # would be all history. What is here already bounds it later: the commits between, without their trees.
            depth = () if (self.clone.common_dir / "shallow").exists() else ("--depth=1",)
            words = ("--filter=tree:0", *options)
            try:
                remote.fetch_specs(self.fetching, self.place, specs, progress, [*dict.fromkeys([*depth, *words])])
            except GitFailed as error:
                if "dumb http transport" in error.message:  # mere files, so all history; a promisor would wait for ever
                    remote.fetch_specs(self.git, self.place, specs, progress, options)
                    return
                if not depth or "without a word" not in error.message:
                    raise
                # So Git 2.39 fails where nothing matches and there is a depth, in a repository without anything.
                remote.fetch_specs(self.fetching, self.place, specs, progress, words)

        try:
            self._careful(run)
        except GitFailed as error:
            raise worded(error, self.address) from error

    def fetch_objects(self, oids: Sequence[str], filter_: str, progress: Progress) -> None:
        """Bring trees and blobs by id. What the server does not give is left out. Raises GitFailed."""
        # From a repository of its own, on the same objects: without refs Git does not look for what they lead to, and
        # without a shallow file it does not send a line for each tagged commit.
        path = self.clone.common_dir
        alone = (("GIT_DIR", str(path / _ALONE)), ("GIT_OBJECT_DIRECTORY", str(path / "objects")))
        git = replace(self.fetching, settings=alone)
        left = list(oids)
        while left:
            try:
                self._careful(lambda: remote.fetch_objects(git, self.place.in_git, left, filter_, progress))
            except GitFailed as error:
                gone = re.search(_NOT_THERE, error.message)
                if gone is None:
                    raise worded(error, self.address) from error
                if gone.group(1) not in left or "unadvertised" in error.message:
                    self._fetch_whole(progress)  # the server answers for its refs alone
                    return
                left.remove(gone.group(1))
            else:
                return

    def _fetch_whole(self, progress: Progress) -> None:
        """Bring the refs that are here anew, with all that their commits hold."""
        listing = self.git.read("for-each-ref", "--format=%(refname)").decode(errors="surrogateescape").split()
        names = {HEAD: "HEAD", _ASKED: self.asked}
        kept = {ref: names.get(ref, ref) for ref in listing if not ref.startswith(HEADS)}
        specs = [f"+{name}:{ref}" for ref, name in kept.items() if name is not None]
        remote.fetch_specs(self.fetching, self.place, specs, progress, ("--depth=1", "--refetch", "--no-filter"))

    # -- damage --------------------------------------------------------------------------------------------------------

    def _careful(self, step: Callable[[], T]) -> T:
        """Do it; where Git stumbles over what a killed one left, in a mirror made anew."""
        for _ in range(_TRIES):
            try:
                return step()
            except GitFailed as error:
                if re.search(_OTHER_HASH, error.message):
                    now = self.git.read("rev-parse", "--show-object-format").strip()
                    self._renew("sha1" if now == b"sha256" else "sha256")
                    return step()
                if not re.search(_DAMAGE, error.message.replace(self.address.url, "")):
                    raise
                if "File exists" in error.message:
                    time.sleep(_PAUSE)  # perhaps a git is at work whose registry command was killed
                elif not self._renew():
                    raise
        if not self._renew():
            raise GitFailed("another git holds the mirror", f"remove {self.clone.common_dir}")
        return step()

    def _packs(self) -> int:
        try:
            return sum(file.suffix == ".pack" for file in (self.clone.common_dir / "objects" / "pack").iterdir())
        except OSError:
            return 0

    def _renew(self, form: str | None = None) -> bool:
        """Throw away what the mirror holds, unless somebody else may be reading; whether it is done."""
        import shutil  # for damage alone

        path = self.clone.common_dir
        try:
            fcntl.flock(self.used, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        try:
            for entry in list(path.iterdir()):
                if entry.name == "registry":
                    (entry / "journal").unlink(missing_ok=True)
                elif entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)
            _furnish(path, self.address, form or "sha1")
        finally:
            fcntl.flock(self.used, fcntl.LOCK_SH)
        return True


_OTHER_HASH = "does not match|mismatched algorithms|not support this repository's object format"
_DAMAGE = (
    r"File exists|corrupt|bad (?:object|config|sha1|tree|signature)|shallow"
    r"|unable to (?:read|resolve|write|create|open)"
    r"|[Cc]ould not read (?!from remote|Username|Password)|could not parse"
    r"|loose object|not a git repository|did not send all necessary|packed-refs"
    r"|index-pack|unpack-objects|invalid (?:object|index|sha1)|missing (?:blob|tree|commit|object)|unexpected line"
    r"|broken|packfile .* (?:cannot|does not)|inflate|revision walk"
)
_NOT_THERE = r"(?:not our ref|unadvertised object) ([0-9a-f]{40,64})"


def _furnish(path: Path, address: Address, form: str | None = None) -> None:
    """Give a directory what makes it a bare repository, and put right what a killed writer left half done."""
    forms = [form] if form else ["sha1", "sha256"]
    wanted = {"HEAD": ["ref: refs/heads/main\n"], "config": [_settings(address, form) for form in forms]}
    for place in (path, path / _ALONE):
        for name in ("objects", "refs"):
            (place / name).mkdir(parents=True, exist_ok=True)
        for name, texts in wanted.items():
            _have(place / name, texts)


def _have(file: Path, texts: Sequence[str]) -> None:
    """Let the file hold one of `texts`, the first where it holds something else."""
    try:
        there = file.read_text(errors="surrogateescape")
    except OSError:
        there = ""
    if there not in texts:
        new = file.with_name(f"{file.name}.new-{os.getpid()}")
        new.write_text(texts[0], errors="surrogateescape")
        new.replace(file)


def _settings(address: Address, form: str) -> str:
    url = address.url.replace("\\", "\\\\").replace('"', '\\"')
    extension = "[extensions]\n\tobjectFormat = sha256\n" if form == "sha256" else ""
    return (
        f"[core]\n\trepositoryFormatVersion = {int(bool(extension))}\n\tbare = true\n\thooksPath = /dev/null\n"
        f"\tlogAllRefUpdates = false\n{extension}"
        f'[gc]\n\tauto = 0\n[remote "origin"]\n\turl = "{url}"\n'
    )


# -- words -------------------------------------------------------------------------------------------------------------


def worded(error: GitFailed, address: Address) -> GitFailed | NotFound:
    """What Git says of a server, in words for people."""
    url = address.url
    said = error.message.replace(url, "it")  # what a URL is called says nothing
    if re.search("couldn't find remote ref|not our ref|unadvertised object", said):
        return NotFound(f"{url} has no {said.rpartition(' ')[2]}", "a branch, a tag or the full id of a commit")
    if re.search(r"could not read (Username|Password)|Authentication failed|Permission denied|error: 40[13]", said):
        hint = "Git asks its credential helpers, agents and GIT_ASKPASS: gitcredentials(7); see if git ls-remote works"
        return GitFailed(f"{url} wants another login, or one at all: {_last(said)}", hint)
    if re.search(r"not found|does not appear to be a git repository|does not exist|No such file|error: 404", said):
        return NotFound(
            f"there is no repository at {url}, or not for you", "check the URL; git ls-remote asks the same"
        )
    if re.search(r"Could not resolve|Failed to connect|Couldn't connect|Connection (refused|timed out)|No route", said):
        return GitFailed(f"{url} cannot be reached: {_last(said)}", "check the URL and the network")
    return GitFailed(f"{url} cannot be read: {said.removeprefix('git fetch: ')}", error.hint)


def _last(said: str) -> str:
    return said.removeprefix("git fetch: ").rpartition("': ")[2]

"""Files in Git LFS: from the clone where it has them, else through git-lfs from the remote (git-lfs docs/api)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from registry.artifacts.blobs import Elsewhere
from registry.artifacts.staging import Staging
from registry.errors import GitFailed, StoreFailed
from registry.plumbing import remote as remotes
from registry.plumbing.process import Git

# The commit that asks for the objects is nobody's, and is not kept.
_NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "git-registry"), ("EMAIL", "registry@localhost"), ("DATE", "@0 +0000"))
}


def gather(git: Git, commit: str, wanted: Sequence[Elsewhere], remote: str | None, staging: Staging) -> None:
    """Write the files that these pointers stand for; `remote` is whose server is asked, or None for the usual one.

    Raises StoreFailed, or Refused where the bytes are others.
    """
    left = []
    for one in wanted:
        staging.meter.expect(one.pointer.size)
        if not staging.has(one.entry.path, "lfs", one.pointer.sha256, executable=one.entry.mode == "100755"):
            left.append(one)
    if not left:
        return
    stores = [_storage(git), staging.work("lfs")]
    missing = [one for one in left if _found(stores, one) is None]
    if missing and (beside := _of_local_remote(git, remote)) is not None:
        stores.append(beside)
        missing = [one for one in missing if _found(stores, one) is None]
    if missing:
        _fetch(git, commit, missing, remote, staging)
    for one in left:
        place = _found(stores, one)
        if place is None:
            raise StoreFailed(
                f"the bytes of {one.entry.path} are not on the Git LFS server", "git lfs push brings them"
            )
        executable = one.entry.mode == "100755"
        staging.copy(one.entry.path, "lfs", place, one.pointer.sha256, executable=executable)


def _storage(git: Git) -> Path:
    common = _line(git, "rev-parse", "--path-format=absolute", "--git-common-dir")
    return Path(common) / (_line(git, "config", "--get", "lfs.storage") or "lfs")


def _of_local_remote(git: Git, wanted: str | None) -> Path | None:
    """The objects' place in a remote that lies on this machine.

    git-lfs, given a directory of ours to store into, would look for the remote's objects in that directory as well.
    """
    name = remotes.choose(git, wanted)
    url = "" if name is None else _line(git, "remote", "get-url", "--", name)
    if url.startswith("file://"):
        url = unquote(urlsplit(url).path, errors="surrogateescape")
    elif not url or "://" in url or "::" in url or ":" in url.partition("/")[0]:
        return None
    top = _line(git, "rev-parse", "--show-toplevel") or _line(git, "rev-parse", "--absolute-git-dir")
    place = Path(top) / url
    # In the order in which Git takes them: gitrepository-layout, git-clone(1).
    for found in (place / ".git", place, place.with_name(f"{place.name}.git")):
        if found.is_file():  # of a linked work tree or a submodule
            line = found.read_text(errors="surrogateescape").removeprefix("gitdir:").strip()
            found = found.parent / line  # noqa: PLW2901
        if (found / "commondir").is_file():
            found = found / (found / "commondir").read_text(errors="surrogateescape").strip()  # noqa: PLW2901
        if (found / "objects").is_dir():
            return found / (_line(git, "config", "--file", str(found / "config"), "--get", "lfs.storage") or "lfs")
    return None


def _found(stores: Sequence[Path], one: Elsewhere) -> Path | None:
    oid = one.pointer.sha256
    places = [store / "objects" / oid[:2] / oid[2:4] / oid for store in stores]
    return next((place for place in places if place.is_file() and place.stat().st_size == one.pointer.size), None)


def _fetch(git: Git, commit: str, missing: Sequence[Elsewhere], remote: str | None, staging: Staging) -> None:
    """Bring the objects into the staging, not into the clone.

    `git lfs fetch` fetches what a commit points to. A commit made for this, of the pointers alone, asks for exactly
    these in one batch, whatever their paths are and however little of the tree a partial clone has.
    """
    there = _line(git, "rev-parse", "--path-format=absolute", "--git-path", "objects")
    asking = replace(
        git,
        settings=(
            *git.settings,
            *_NOBODY.items(),
            ("GIT_OBJECT_DIRECTORY", str(staging.work("lfs-question"))),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", _quoted(there)),
        ),
    )
    pointers = {one.pointer.sha256: one for one in missing}
    listing = "".join(f"100644 blob {one.entry.oid}\t{sha256}\0" for sha256, one in sorted(pointers.items()))
    tree = asking.write("mktree", "-z", data=listing.encode()).decode().strip()
    question = asking.write("commit-tree", "--no-gpg-sign", tree, "-m", "Wanted").decode().strip()
    settings = {
        "lfs.storage": str(staging.work("lfs")),
        "lfs.fetchinclude": "",
        "lfs.fetchexclude": "",
        "lfs.forceprogress": "true",  # so that it is heard: silence is taken for a server that hangs
    }
    url = _url(git, commit)
    if url:
        settings["lfs.url"] = url
    asked = remotes.choose(git, remote) or url
    if not asked:
        raise StoreFailed(
            f"the bytes of {missing[0].entry.path} are in Git LFS and not in this clone, which has no remote to ask",
            "git remote add names one",
        )
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    try:
        with staging.meter.watching(staging.work("lfs")):
            asking.network(*options, "lfs", "fetch", asked, question)
    except GitFailed as error:
        if "'lfs' is not a git command" in error.message:
            raise StoreFailed(
                f"{missing[0].entry.path} is in Git LFS, and git-lfs is not installed",
                "install it, such as with apt-get install git-lfs or brew install git-lfs",
            ) from error
        said = error.message.removeprefix("git lfs: ")
        raise StoreFailed(f"Git LFS cannot bring {missing[0].entry.path}: {said}", error.hint) from error


def _url(git: Git, commit: str) -> str:
    """Where the server is, as the commit says it: git-lfs itself looks into the work tree, which may not be there."""
    if _line(git, "rev-parse", "--is-bare-repository") != "true" or _line(git, "config", "--get", "lfs.url"):
        return ""
    url = _line(git, "config", "--blob", f"{commit}:.lfsconfig", "--get", "lfs.url")
    return url if url.startswith(("https://", "http://", "ssh://")) else ""


def _line(git: Git, *arguments: str) -> str:
    return os.fsdecode(git.read(*arguments, check=False)).removesuffix("\n")


def _quoted(place: str) -> str:
    # Git separates these paths by ":", and unquotes those in quotes: git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES.
    if ":" not in place and not place.startswith('"'):
        return place
    escaped = place.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

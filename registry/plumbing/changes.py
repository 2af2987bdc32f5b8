"""What differs: the work tree from HEAD, and one commit from another; nothing that the repository names is run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from registry.core import lfs
from registry.errors import GitFailed
from registry.plumbing.objects import read_objects
from registry.plumbing.process import Git

_CHUNK = 1 << 20


def changed_files(git: Git, root: Path, paths: Sequence[str]) -> list[str]:
    """The files at or below `paths` that differ from HEAD's, in the work tree or staged, and new ones.

    `git status` alone would run the filters that a stranger's configuration names, to compare what was touched; so no
    filter runs here, and a file of Git LFS is known by its digest.
    """
    if not paths:
        return []
    git = _without_filters(Git(os.fspath(root), git.inherit, git.settings))
    # --ignore-submodules: for those Git would run itself inside them, with their configuration.
    flags = ("--porcelain=v2", "-z", "--no-renames", "--ignore-submodules=all", "--untracked-files=all")
    listing = git.read("--literal-pathspecs", "status", *flags, "--", *dict.fromkeys(paths))
    found = list(_differences(listing))
    same = _same(git, root, {path: oid for path, oid in found if oid is not None and "\n" not in path})
    return [path for path, _ in found if path not in same]


def same_at(git: Git, root: Path | None, commit: str, path: str) -> bool:
    """Whether the file or directory `path` of the work tree is as it is at `commit`."""
    if root is None:
        return False
    git = _without_filters(Git(os.fspath(root), git.inherit, git.settings))
    listing = git.read("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit, "--", path)
    there: dict[str, str] = {}
    for record in filter(None, listing.decode(errors="surrogateescape").split("\0")):
        head, _, name = record.partition("\t")
        there[name] = head.split(" ")[2]
    file = root / path
    here = [path] if not file.is_dir() else [f.relative_to(root).as_posix() for f in file.rglob("*") if f.is_file()]
    if set(here) != set(there) or any("\n" in name for name in here):
        return False
    listing = "".join(f"{name}\n" for name in here).encode(errors="surrogateescape")
    found = git.read("hash-object", "--stdin-paths", data=listing).decode().split()
    different = [(name, there[name]) for name, oid in zip(here, found, strict=True) if oid != there[name]]
    blobs = read_objects(git, [oid for _, oid in different], only_type="blob", limit=lfs.LIMIT)
    return all(is_lfs_file(root / name, blob.data) for (name, _), blob in zip(different, blobs, strict=True))


def _differences(listing: bytes) -> Iterator[tuple[str, str | None]]:
    """Each path, and, where the bytes of a regular file alone differ from the index, the id that they have there:
    git-status(1), porcelain format 2."""
    for record in filter(None, listing.decode(errors="surrogateescape").split("\0")):
        kind, _, rest = record.partition(" ")
        if kind == "?":
            yield rest, None
            continue
        # XY SUBMODULE MODE-HEAD MODE-INDEX MODE-HERE ID-HEAD ID-INDEX PATH; what is unmerged ("u") has two more.
        fields = rest.split(" ", 9 if kind == "u" else 7)
        regular = kind == "1" and fields[0] == ".M" and fields[3] == fields[4] and fields[4].startswith("100")
        yield fields[-1], fields[6] if regular else None


def _same(git: Git, root: Path, touched: Mapping[str, str]) -> set[str]:
    """Those of the `touched` paths that have the bytes of their ids all the same, or of the files that those mean.

    Git goes by the size of a file, where other line ends may make another one.
    """
    if not touched:
        return set()
    listing = "".join(f"{path}\n" for path in touched).encode(errors="surrogateescape")
    try:
        present = git.read("hash-object", "--stdin-paths", data=listing).decode().split()
    except GitFailed:
        return set()  # unreadable, or gone since
    different = [path for path, oid in zip(touched, present, strict=True) if oid != touched[path]]
    blobs = read_objects(git, [touched[path] for path in different], only_type="blob", limit=lfs.LIMIT)
    files = {path for path, blob in zip(different, blobs, strict=True) if is_lfs_file(root / path, blob.data)}
    return (touched.keys() - set(different)) | files


def is_lfs_file(path: Path, blob: bytes | None) -> bool:
    """Whether the file has the bytes that the pointer in Git stands for."""
    pointer = lfs.parse_pointer(blob or b"")
    if pointer is None:
        return False
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == pointer.sha256


def _without_filters(git: Git) -> Git:
    """Git with every filter driver that any of its configuration files names switched off."""
    listing = git.read(
        "config", "--name-only", "-z", "--get-regexp", r"^filter\..*\.(clean|process|required)$", check=False
    )
    found = sorted({key.rpartition(".")[0] for key in listing.decode(errors="surrogateescape").split("\0") if key})
    off = [
        setting
        for key in found
        for setting in ((f"{key}.clean", ""), (f"{key}.process", ""), (f"{key}.required", "false"))
    ]
    before = {**os.environ, **dict(git.settings)}.get("GIT_CONFIG_COUNT", "")
    start = int(before) if before.isdigit() else 0
    # By the environment and not with -c, for a driver's name may hold "=": git-config(1), GIT_CONFIG_COUNT.
    settings = [("GIT_CONFIG_COUNT", str(start + len(off)))]
    for n, (key, value) in enumerate(off, start):
        settings += [(f"GIT_CONFIG_KEY_{n}", key), (f"GIT_CONFIG_VALUE_{n}", value)]
    return Git(git.directory, git.inherit, (*git.settings, *settings))


def merge_base(git: Git, one: str, other: str) -> str | None:
    """The last commit that the histories of two commits share, or None: there is none, or it is not in this clone."""
    return git.read("merge-base", one, other, check=False).decode().strip() or None


def commits_beyond(git: Git, commit: str, other: str) -> int:
    """How many commits `commit` has in its history, so far as that is in this clone, that `other` has not."""
    return int(git.read("rev-list", "--count", commit, f"^{other}"))


def tree_of(git: Git, commit: str) -> bytes:
    """All that the tree of a commit holds, directories too, as `ls-tree -z` lists it."""
    return git.read("ls-tree", "-r", "-t", "-z", "--full-tree", commit)

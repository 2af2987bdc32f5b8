"""A directory that lies anywhere, as a tree of this repository: byte by byte, or not at all.

It is copied into a work tree that is thrown away, and added there with an index of its own: the attributes that count
are the commit's, so that Git LFS takes what it should, and nothing of the user's is read, moved or written.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from registry.core import lfs
from registry.errors import GitFailed, Refused
from registry.plumbing import commits
from registry.plumbing.changes import is_lfs_file
from registry.plumbing.clone import Clone
from registry.plumbing.commits import Prepared
from registry.plumbing.following import follow
from registry.plumbing.objects import read_objects
from registry.plumbing.process import Git
from registry.plumbing.write import quoted

_TREE, _FILES = "040000", ("100644", "100755")
_named = re.compile("'(.+)'")  # the file that Git says cannot be left as it is

MANIFESTS = ("registry.yaml", "dvc.yaml")  # which are read wherever they lie: registry/manifests/read.py


class InTheWay(Refused):
    """What the user has not committed is where files are to go."""


def plant(clone: Clone, commit: str | None, source: Path, path: str, leaving_out: Collection[str] = ()) -> str:
    """The tree of the files of `source`, stored as those at `path` of `commit` would be; no ref and no file changes.

    `leaving_out` are names at its top. Raises Refused for what Git would not keep as it is, OSError for what cannot be
    read.
    """
    with tempfile.TemporaryDirectory(prefix="registry-") as place:
        top = Path(place, "files")
        names = list(_copied(source, top / path, leaving_out))
        if not names:
            raise Refused(f"there are no files in {source}", "a version carries some")
        own = {"GIT_DIR": clone.git_dir, "GIT_WORK_TREE": top, "GIT_INDEX_FILE": Path(place, "index")}
        settings = (*clone.git.settings, *((name, os.fspath(value)) for name, value in own.items()))
        git = replace(clone.git, directory=os.fspath(top), settings=settings)
        git.write("read-tree", spliced(git, commit, path, None))
        # --force and --sparse: a model is wanted whole, whatever .gitignore and a sparse checkout say.
        words = ("--literal-pathspecs", "add", "--force", "--sparse", "--", path)
        git.write("-c", "core.fsmonitor=false", *words)
        tree = git.write("write-tree", "--missing-ok", f"--prefix={path}/").decode().strip()
        _check(git, top / path, names, tree)
        return tree


def prepare(git: Git, parent: str | None, path: str, tree: str, message: str, *, here: bool) -> Prepared | None:
    """A commit over `parent` that has `tree` at `path`; None where that would change nothing.

    The work tree is to follow, unless the files are `here`: raises InTheWay where something would be overwritten.
    """
    root = git.read("rev-parse", "--path-format=absolute", "--show-toplevel").decode(errors="surrogateescape")
    place = os.fspath(Path(root.removesuffix("\n"), path))
    prepared = commits.over(git, parent, spliced(git, parent, path, tree), (place,), message)
    if prepared is None or here:
        return prepared
    try:
        follow(git, parent, prepared.commit, dry=True)
    except GitFailed as error:
        said = _named.search(error.message)
        if said is None or ".lock'" in error.message:
            raise
        raise InTheWay(
            f"{said[1]} in the work tree is not as it was committed, and would be overwritten",
            "git status says what differs: commit it, restore it, or move it away",
        ) from error
    return replace(prepared, change=replace(prepared.change, paths=(), files=True))


def _copied(source: Path, to: Path, leaving_out: Collection[str]) -> Iterator[str]:
    """Copy files, and say their names; links become what they lead to, as where MLflow and others copy a model.

    Raises Refused for what is no file of the directory.
    """
    if source.is_file():
        to.mkdir(parents=True)
        shutil.copy(source, to / source.name)
        yield source.name
        return
    root = Path(os.path.realpath(source))
    ahead: list[tuple[Path, str, tuple[Path, ...]]] = [(root, "", (root,))]
    while ahead:
        here, above, way = ahead.pop()
        (to / above).mkdir(parents=True, exist_ok=True)
        for entry in sorted(os.scandir(here), key=lambda one: one.name):
            if not above and entry.name in leaving_out:
                continue
            real, name = Path(os.path.realpath(entry.path)), f"{above}{entry.name}"
            if entry.name.lower() == ".git":
                raise Refused(
                    f"{entry.path} is of a repository inside the model", "leave it out: its files can be kept"
                )
            if entry.name in MANIFESTS:
                raise Refused(f"{entry.path} would declare models of its own here", "give that file another name")
            if not real.is_relative_to(root):
                raise Refused(f"{entry.path} is a link that leads out of the model", "put the file itself there")
            if real.is_dir() and real not in way:
                ahead.append((real, f"{name}/", (*way, real)))
            elif real.is_file():
                shutil.copy(real, to / name)
                yield name
            else:
                raise Refused(f"{entry.path} is neither a file nor a directory", "leave it out")


def spliced(git: Git, commit: str | None, path: str, tree: str | None) -> str:
    """The tree of `commit` with `tree` at `path`, None for nothing there. Raises Refused where a file is above it."""
    root = None if commit is None else git.read("rev-parse", f"{commit}^{{tree}}").decode().strip()
    return _spliced(git, root, "", path.split("/"), tree)


def _spliced(git: Git, old: str | None, above: str, path: Sequence[str], tree: str | None) -> str:
    name, *below = path
    listing = b"" if old is None else git.read("ls-tree", "-z", "--full-tree", old)
    records = [one for one in listing.decode(errors="surrogateescape").split("\0") if one]
    entries = {record.partition("\t")[2]: record.partition("\t")[0].split(" ") for record in records}
    there = entries.pop(name, None)
    if below:
        if there is not None and there[1] != "tree":
            raise Refused(f"{above}{name} is a file, and no directory for models", "another path=DIR in the URI")
        tree = _spliced(git, None if there is None else there[2], f"{above}{name}/", below, tree)
    if tree is not None:
        entries[name] = [_TREE, "tree", tree]
    new = "".join(f"{' '.join(words)}\t{one}\0" for one, words in entries.items())
    # --missing: a partial clone need not have what the others are.
    return git.write("mktree", "-z", "--missing", data=new.encode(errors="surrogateescape")).decode().strip()


def _check(git: Git, place: Path, names: Sequence[str], tree: str) -> None:
    """The tree holds just these files, each with its own bytes, or with those that Git LFS keeps for them."""
    listing = git.read("ls-tree", "-r", "-z", "--full-tree", tree).decode(errors="surrogateescape")
    there = {one.partition("\t")[2]: one.partition("\t")[0].split(" ") for one in listing.split("\0") if one}
    for name in sorted(there.keys() ^ set(names)) + [name for name, words in there.items() if words[0] not in _FILES]:
        raise Refused(f"{name} cannot be kept in Git as it is", "leave it out, or give it another name")
    lines = "".join(f"{quoted(place / name)}\n" for name in names).encode(errors="surrogateescape")
    own = git.read("hash-object", "--no-filters", "--stdin-paths", data=lines).decode().split()
    changed = [name for name, oid in zip(names, own, strict=True) if there[name][2] != oid]
    blobs = read_objects(git, [there[name][2] for name in changed], only_type="blob", limit=lfs.LIMIT)
    for name, blob in zip(changed, blobs, strict=True):
        if not is_lfs_file(place / name, blob.data):
            raise Refused(
                f"{name} would not stay as it is: .gitattributes or Git's settings change its line ends, or filter it",
                "the attributes -text and -filter for it keep what is there",
            )

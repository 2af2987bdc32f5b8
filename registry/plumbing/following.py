"""The user's index and work tree, brought from one commit to the next; nothing that is not committed is overwritten."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from registry.errors import GitFailed
from registry.plumbing.process import Git


def follow(git: Git, old: str | None, new: str, *, dry: bool = False, again: bool = False) -> None:
    """Bring index and work tree from the commit `old` to `new`.

    `dry` only sees whether that can be done; `again` comes after a git that was killed in the midst of it, which writes
    the files first and the index last. Raises GitFailed naming a file in the way: one that is not as `old` has it.
    """
    git.write("update-index", "-q", "--unmerged", "--refresh")  # what was merely touched is as it was
    before = old or git.write("mktree").decode().strip()
    place = git.read("rev-parse", "--path-format=absolute", "--show-toplevel").decode(errors="surrogateescape")
    root = Path(place.removesuffix("\n"))
    here = _take_up(git, root, before, new) if again else set()
    for path in _in_the_way(git, root, before, new):
        if path in here:
            continue
        raise GitFailed(f"git read-tree: '{path}' is not in Git, and would be overwritten", "move it away")
    git.write("read-tree", *(["--dry-run"] if dry else []), "-m", "-u", before, new)


def _take_up(git: Git, root: Path, old: str, new: str) -> set[str]:
    """Let the index know those files that are as `new` has them already, where it has them as `old` has."""
    listing = git.read("diff-tree", "-r", "-z", "--no-renames", old, new).decode(errors="surrogateescape")
    words = listing.split("\0")
    changed = {path: record[1:].split(" ") for record, path in zip(words[::2], words[1::2], strict=False) if path}
    staged = git.read("ls-files", "--stage", "-z", "--full-name", ":/").decode(errors="surrogateescape")
    index = {one.partition("\t")[2]: one.split(" ")[1] for one in staged.split("\0") if one}
    none = "0" * len(next(iter(changed.values()), ("", "", ""))[2])
    wanted = [
        path
        for path, (_, mode, before, after, _) in changed.items()
        if mode.startswith("100")
        and "\n" not in path
        and index.get(path, none) in {before, after}
        and (root / path).is_file()
        and not (root / path).is_symlink()
    ]
    if not wanted:
        return set()
    lines = "".join(f"{path}\n" for path in wanted).encode(errors="surrogateescape")
    there = replace(git, directory=os.fspath(root)).read("hash-object", "--stdin-paths", data=lines).decode().split()
    same = [path for path, oid in zip(wanted, there, strict=True) if oid == changed[path][3]]
    new_entries = "".join(f"{changed[path][1]} {changed[path][3]}\t{path}\0" for path in same)
    git.write("update-index", "-z", "--index-info", data=new_entries.encode(errors="surrogateescape"))
    git.write("update-index", "-q", "--refresh")
    return set(same)


def _in_the_way(git: Git, root: Path, old: str, new: str) -> Iterator[str]:
    """What lies where new files are to go. Git itself spares only what is not ignored: git-read-tree(1)."""
    words = ("diff-tree", "-r", "-z", "--no-renames", "--name-only")
    added, gone = (
        {path for path in listing.decode(errors="surrogateescape").split("\0") if path}
        for listing in (git.read(*words, f"--diff-filter={kind}", old, new) for kind in "AD")
    )
    for path in sorted(added):
        for above in [*reversed(Path(path).parents)][1:]:
            place = root / above
            if (place.is_symlink() or place.exists()) and not _is_directory(place) and above.as_posix() not in gone:
                yield above.as_posix()
        yield from (one for one in _files(root, path) if one not in gone)


def _files(root: Path, path: str) -> Iterator[str]:
    """What there is at a path of the work tree, or below it."""
    place = root / path
    if not _is_directory(place):
        yield from [path] if os.path.lexists(place) else []
        return
    for above, directories, names in os.walk(place):
        links = [name for name in directories if Path(above, name).is_symlink()]
        yield from (Path(above, name).relative_to(root).as_posix() for name in [*names, *links])


def _is_directory(place: Path) -> bool:
    return place.is_dir() and not place.is_symlink()

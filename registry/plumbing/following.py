"""The user's index and work tree, brought from one commit to the next; nothing that is not committed is overwritten."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from registry.errors import GitFailed
from registry.plumbing.process import Git


def follow(git: Git, old: str | None, new: str, *, dry: bool = False) -> None:
    """Bring index and work tree from the commit `old` to `new`; `dry`, only see whether that can be done.

    Raises GitFailed naming a file in the way: one that is not as `old` has it.
    """
    git.write("update-index", "-q", "--unmerged", "--refresh")  # what was merely touched is as it was
    before = old or git.write("mktree").decode().strip()
    place = git.read("rev-parse", "--path-format=absolute", "--show-toplevel").decode(errors="surrogateescape")
    for path in _in_the_way(git, Path(place.removesuffix("\n")), before, new):
        raise GitFailed(f"git read-tree: '{path}' is not in Git, and would be overwritten", "move it away")
    git.write("read-tree", *(["--dry-run"] if dry else []), "-m", "-u", before, new)


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

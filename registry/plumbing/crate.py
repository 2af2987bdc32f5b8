"""A repository for one push, which holds the refs that are pushed and no others.

Git looks for each ref of a push's command line among all refs that are here: with 100,000 tags, 300 of them take half a
minute in which nothing is said. Here a pattern means all refs that there are.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from registry.plumbing.process import Git

_PLACES = ("--git-common-dir", "--git-dir", "--git-path", "objects", "--show-object-format")


@contextmanager
def packed(git: Git, refs: Mapping[str, str]) -> Iterator[Git]:
    """Git in a repository with just `refs`, each with its object id, and the objects and the settings of `git`'s.

    It lies inside of that one, so that settings for directories hold, and is gone at the end.
    """
    answer = git.read("rev-parse", "--path-format=absolute", *_PLACES).decode(errors="surrogateescape").splitlines()
    common, private, objects, form = (Path(answer[0]), Path(answer[1]), answer[2], answer[3])
    root = git.read("rev-parse", "--show-toplevel", check=False).decode(errors="surrogateescape").rstrip("\n")
    room = common / "registry"
    room.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="push-", dir=room) as place:
        crate = Path(place)
        (crate / "refs").mkdir()
        (crate / "HEAD").write_text("ref: refs/heads/none\n")
        (crate / "config").write_text(_config(form, [common / "config", private / "config.worktree"]))
        lines = [f"{oid} {ref}\n" for ref, oid in sorted(refs.items())]
        (crate / "packed-refs").write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        if (common / "shallow").exists():
            shutil.copy(common / "shallow", crate)
        here = root or os.fspath(common)  # a relative URL is relative to the top, and so is what a push starts
        settings = {"GIT_DIR": place, "GIT_OBJECT_DIRECTORY": objects, "GIT_WORK_TREE": here}
        yield replace(git, directory=here, settings=(*dict(git.settings).items(), *settings.items()))


def _config(form: str, files: list[Path]) -> str:
    """Settings that are those of `files`, so far as they exist, for a repository whose ids have the `form`."""
    sha256 = "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tobjectFormat = sha256\n"
    paths = [os.fspath(file).replace("\\", "\\\\").replace('"', '\\"') for file in files if file.exists()]
    return (sha256 if form == "sha256" else "") + "".join(f'[include]\n\tpath = "{path}"\n' for path in paths)

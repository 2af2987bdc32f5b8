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

_PLACES = ("--git-common-dir", "--git-path", "objects", "--show-object-format")


@contextmanager
def packed(git: Git, refs: Mapping[str, str]) -> Iterator[Git]:
    """Git in a repository with just `refs`, each with its object id, and the objects and the settings of `git`'s.

    It lies inside of that one, so that settings for directories hold, and is gone at the end.
    """
    answer = git.read("rev-parse", "--path-format=absolute", *_PLACES).decode(errors="surrogateescape").splitlines()
    common, objects, form = Path(answer[0]), answer[1], answer[2]
    root = git.read("rev-parse", "--show-toplevel", check=False).decode(errors="surrogateescape").rstrip("\n")
    room = common / "registry"
    room.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="push-", dir=room) as place:
        crate = Path(place)
        (crate / "refs").mkdir()
        (crate / "HEAD").write_text("ref: refs/heads/none\n")
        (crate / "config").write_text(_SHA256 if form == "sha256" else "")
        lines = [f"{oid} {ref}\n" for ref, oid in sorted(refs.items())]
        (crate / "packed-refs").write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        if (common / "shallow").exists():
            shutil.copy(common / "shallow", crate)
        here = root or os.fspath(common)  # a relative URL is relative to the top, and so is what a push starts
        settings = {"GIT_DIR": place, "GIT_OBJECT_DIRECTORY": objects, "GIT_WORK_TREE": here, **_own_settings(git)}
        yield replace(git, directory=here, settings=(*dict(git.settings).items(), *settings.items()))


_SHA256 = "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tobjectFormat = sha256\n"


def _own_settings(git: Git) -> dict[str, str]:
    """The settings of the repository itself, and of the files that it includes for its own directory, as variables.

    Before those that the environment gives already, which count for more. Some are credentials, so no file is written.
    """
    listing = git.read("config", "-z", "--show-scope", "--includes", "--list").decode(errors="surrogateescape")
    parts = listing.split("\0")
    pairs = [
        (key, value)
        for scope, entry in zip(parts[0::2], parts[1::2], strict=False)
        if scope in {"local", "worktree"}
        for key, equals, value in [entry.partition("\n")]
        if equals  # a key without any value cannot be said by a variable, and none of those is about a push
    ]
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    pairs += [
        (os.environ.get(f"GIT_CONFIG_KEY_{place}", ""), os.environ.get(f"GIT_CONFIG_VALUE_{place}", ""))
        for place in range(int(count) if count.isdigit() else 0)
    ]
    found = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for place, (key, value) in enumerate(pairs):
        found.update({f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value})
    return found

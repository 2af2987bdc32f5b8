"""Which paths may be written below a directory: the names in manifests, trees, tags and listings are a stranger's."""

from __future__ import annotations

import posixpath
import re

from registry.errors import Refused

# What macOS leaves out when it compares names: Git's own list (utf8.c, next_hfs_char).
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def check(path: str) -> str:
    """`path`, where it stays below the directory that it is written to. Raises Refused."""
    if (problem := _problem(path)) is not None:
        raise Refused(f"{path!r} {problem}, so it is not written", "somebody made it by hand: look at who")
    return path


def _problem(path: str) -> str | None:
    if path == "" or "\0" in path:
        return "is not a path"
    if path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", path):
        return "is absolute"
    parts = re.split(r"[\\/]", path)  # a backslash separates on Windows, where the directory may be looked at
    if ".." in parts:
        return "leads out of its directory"
    if "" in parts or "." in parts:
        return "is not a plain path"
    return "lies inside of .git" if any(_is_git(part) for part in parts) else None


def _is_git(part: str) -> bool:
    # Windows drops dots and blanks at the end and knows a short name and streams (CVE-2014-9390, CVE-2019-1352).
    name = _IGNORED.sub("", part).lower().partition(":")[0].rstrip(". ")
    return name in {".git", "git~1"}


def check_link(path: str, target: str) -> None:
    """Nothing, where a link at `path` to `target` stays inside. Raises Refused. Links on the way are not followed."""
    led = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target == "" or target.startswith("/") or led == ".." or led.startswith("../"):
        raise Refused(f"{path} is a link that leads out of the repository", "put the file itself there")

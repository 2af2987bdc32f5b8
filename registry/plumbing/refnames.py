"""The names of tags, without what they say: all that completing a word needs, and quick to import."""

from __future__ import annotations

from collections.abc import Iterable

from registry.core.names import in_tag
from registry.plumbing.process import Git

PREFIX = "refs/tags/"


def patterns(artifact: str, prefix: str = PREFIX) -> list[str]:
    """The refs of one artifact, for git-for-each-ref(1): `*` does not cross a slash, and stages may hold one."""
    name = in_tag(artifact)
    return [f"{prefix}{name}@*", f"{prefix}{name}#*", f"{prefix}{name}#*/**"]


def beginning(artifact: str) -> list[str]:
    """The refs of every artifact whose name begins so."""
    name = in_tag(artifact)
    return [f"{PREFIX}{name}*", f"{PREFIX}{name}*/**"] if name else [PREFIX]


def owner(tag: str) -> str:
    """The artifact that `tag` could be of, as tags write it, or "": neither sign is one of names (DESIGN part 2)."""
    name, sign, _ = tag.replace("#", "@").partition("@")
    return name if sign else ""


def tag_names(git: Git, only: Iterable[str] = (PREFIX,), *, any_case: bool = False) -> list[str]:
    """The names alone of the tags that match."""
    flags = ["--ignore-case"] if any_case else []
    listing = git.read("for-each-ref", "--format=%(refname)", *flags, "--", *only)
    return [name[len(PREFIX) :] for name in listing.decode(errors="replace").split("\n")[:-1]]

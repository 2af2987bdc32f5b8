"""What waits to be pushed, for pages that offer it: the form itself looks closer."""

from __future__ import annotations

from registry.errors import RegistryError
from registry.plumbing import memory, remote
from registry.web.memory import kept
from registry.web.page import Source


def why_no_push(source: Source) -> str:
    """Why there is nothing to push from a repository, in words; "" where there may be something."""
    return kept(("no push", source.slug), source.moment(), lambda: _why(source))


def _why(source: Source) -> str:
    repository = source.registry.repository
    if repository.pushes:
        return "what is written at a URL is published at once"
    try:
        there = remote.remotes(repository.git)
        if len(there) > 1:
            return ""  # the form asks which one
        if not there:
            return "there is no remote to push to"
        # Where nobody ever asked, everything may be new: to find out would take long where that is much.
        if not memory.known(repository.clone, there[0]).asked or source.registry.unpublished(remote=there[0]).tags:
            return ""
    except RegistryError:
        return ""  # whoever tries is told
    return f"all is at {there[0]} already"

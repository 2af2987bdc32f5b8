"""Whether a push can be offered at all: what waits is looked at where it is asked for, for that takes time."""

from __future__ import annotations

from registry.errors import RegistryError
from registry.plumbing import remote
from registry.web.memory import kept
from registry.web.page import Source


def why_no_push(source: Source) -> str:
    """Why nothing can ever be pushed from a repository, in words; "" where it can."""
    return kept(("no push", source.slug), source.moment(), lambda: _why(source))


def _why(source: Source) -> str:
    repository = source.registry.repository
    if repository.pushes:
        return "what is written at a URL is published at once"
    try:
        return "" if remote.remotes(repository.git) else "there is no remote to push to"
    except RegistryError:
        return ""  # whoever tries is told

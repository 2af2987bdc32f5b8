"""A registry URI of MLflow's, such as `git+https://example.com/team/models.git?store=git`, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from registry.errors import UsageError

SCHEMES = ("git+file", "git+https", "git+http", "git+ssh")
_OPTIONS = ("store", "path", "push")
_PUSH = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_path = re.compile(r"[\w.+-][\w.+ -]*(/[\w.+-][\w.+ -]*)*(?<! )")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the registry is, as `registry.Registry` takes it, and what is to be done with models.

    `keeps` says whether their files are committed, below `path`; `push` whether what a clone writes is published.
    """

    where: str
    keeps: bool = False
    path: str = "models"
    push: bool = False


def parse(uri: str) -> Place:
    """The place that a URI names. Raises UsageError."""
    scheme, _, rest = uri.partition(":")
    uri = f"{scheme.lower()}:{rest}"
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise UsageError(f"not a registry in Git: {error}", f"it begins with one of {', '.join(SCHEMES)}") from error
    if parts.scheme not in SCHEMES:
        raise UsageError(f"not a registry in Git: {uri}", f"it begins with one of {', '.join(SCHEMES)}")
    if "#" in uri:
        raise UsageError("a registry URI has no part after #", "%23 is the sign itself, in a path")
    said = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(said.keys() - set(_OPTIONS))
    if unknown:
        raise UsageError(f"no option is called {unknown[0]!r}", f"{', '.join(_OPTIONS)} are there")
    if said.get("store", "git") != "git":
        raise UsageError(f"models are not kept in {said['store']!r}", "store=git commits them; without it they stay")
    push = _PUSH.get(said.get("push", "false").lower())
    if push is None:
        raise UsageError(f"push is true or false, and not {said['push']!r}", "push=true publishes what is written")
    return Place(_where(uri), "store" in said, _directory(said.get("path", "models")), push)


def _directory(path: str) -> str:
    """A directory of the repository's own, in which manifests could name files."""
    found = path.strip("/")
    if not _path.fullmatch(found) or any(part.lower() in {"", ".", "..", ".git"} for part in found.split("/")):
        raise UsageError(f"not a directory for models: {path!r}", "path=kept/ml is one of the repository's own")
    return found


def _where(uri: str) -> str:
    # A URL of Git's own is handed on as it was written: urlunsplit would quote it anew.
    plain = uri.partition("?")[0].removeprefix("git+")
    if not plain.startswith("file:"):
        return plain
    parts = urlsplit(plain)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise UsageError(f"not a path of this machine: {uri}", "git+file:///path/to/repository, with three slashes")
    return unquote(parts.path)

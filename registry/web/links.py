"""Addresses: where each page lies below the site's root, and the way from one page to another."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from registry.core.names import is_artifact

_path = re.compile(
    r"(?P<kind>model|history|version|compare)/(?P<slug>[A-Za-z0-9-]+)/(?P<name>[^@~]+)(?:@(?P<what>[^@~]+))?"
)
_numbered = re.compile(r"(?P<stem>[^~]+)(?:~(?P<page>[1-9][0-9]{0,5}))?\.html")


@dataclass(frozen=True, slots=True)
class Place:
    """What the path of a page about one artifact says. `what` is a version, or of `compare` two: `A...B`."""

    kind: str
    slug: str
    artifact: str
    what: str | None


def split(path: str) -> tuple[str, int] | None:
    """A path without its ending, and the number that `~2` gives the page of a long list; None for no page at all."""
    found = _numbered.fullmatch(path)
    return (found["stem"], int(found["page"] or 1)) if found is not None else None


def parse(stem: str) -> Place | None:
    """The place of a page about one artifact; None where the path is no such place."""
    found = _path.fullmatch(stem)
    if found is None:
        return None
    artifact = found["name"].replace("=/", "/").replace("=", ":")
    return Place(found["kind"], found["slug"], artifact, found["what"]) if is_artifact(artifact) else None


def model(slug: str, artifact: str) -> str:
    """The page of an artifact."""
    return f"model/{slug}/{_name(artifact)}.html"


def history(slug: str, artifact: str) -> str:
    """The page of all that happened to an artifact."""
    return f"history/{slug}/{_name(artifact)}.html"


def version(slug: str, artifact: str, name: str) -> str:
    """The page of one version."""
    return f"version/{slug}/{_name(artifact)}@{name}.html"


def compare(slug: str, artifact: str, one: str, other: str) -> str:
    """The page of two versions side by side."""
    return f"compare/{slug}/{_name(artifact)}@{one}...{other}.html"


def _name(artifact: str) -> str:
    # As in tags. A directory called x.html could not lie beside the page of the model x: no name has "=/" in it.
    return artifact.replace(".html/", ".html=/").replace(":", "=")


def numbered(path: str, page: int) -> str:
    """The path of a later page of a long list, as a static site has it. No name holds a "~"."""
    return path if page == 1 else f"{path.removesuffix('.html')}~{page}.html"


def distinct(paths: Iterable[str]) -> dict[str, str]:
    """Where pages lie on a disk that takes capitals for small letters, of those that cannot lie at their own paths.

    Of names that differ in case only, the one in small letters keeps its own; a name of others gets a "~" and letters
    that follow from it alone, so that it is the same in each site in which the names meet. No name holds a "~".
    """
    places = [tuple(path.split("/")) for path in paths]
    alike: defaultdict[tuple[tuple[str, ...], str], set[str]] = defaultdict(set)
    for place in places:
        for depth, part in enumerate(place):
            alike[place[:depth], part.lower()].add(part)
    found = {}
    for place in places:
        parts = [
            part if part == part.lower() or len(alike[place[:depth], part.lower()]) == 1 else _marked(part)
            for depth, part in enumerate(place)
        ]
        if tuple(parts) != place:
            found["/".join(place)] = "/".join(parts)
    return found


def _marked(part: str) -> str:
    stem, dot, ending = part.rpartition(".html")
    mark = f"~{hashlib.sha256(part.encode()).hexdigest()[:8]}"
    return f"{stem}{mark}{dot}{ending}" if dot and not ending else f"{part}{mark}"


def relative(here: str, there: str) -> str:
    """The link from the page `here` to `there`, which works under any prefix and from file://."""
    return "../" * here.count("/") + quote(there, safe="/@=~+")


def query(said: dict[str, object]) -> str:
    """What stands behind an address: "" or "?a=b"; what is empty is left out."""
    words = {key: value for key, value in said.items() if value not in (None, "", 0, False)}
    return f"?{urlencode(words, errors='replace')}" if words else ""

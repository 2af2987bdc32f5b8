"""Events from a few words, for tests of rules that need no repository."""

from __future__ import annotations

from registry.core.events import Event, Signatory, build
from registry.core.message import parse
from registry.core.names import parse_tag
from registry.core.state import ArtifactState, fold

HEAD = "a" * 40


def commit(n: int) -> str:
    """The id of the n-th commit of a story."""
    return f"{n:040x}"


def event(tag: str, at: int = 0, where: str = HEAD, keys: tuple[str, ...] = (), *, ours: bool = False) -> Event:
    """The event of a tag, made at second `at` on the commit `where`; `keys` such as "Version: v1.0.0" make it ours."""
    name = parse_tag(tag)
    assert name is not None, tag
    block = "\n\n" + "\n".join(["Registry: 1", *keys]) if keys or ours else ""
    said = parse(f"About {tag}{block}\n")
    return build(name, f"oid of {tag}", where, Signatory("Ana", "ana@example.com", at, 0), said)


def state(*events: Event) -> ArtifactState:
    """The state of `churn` after these events, in whatever order."""
    return fold("churn", events)

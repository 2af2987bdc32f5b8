"""What may be said to the verbs of the API by keyword, and what they make of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypedDict, cast

from registry.errors import UsageError

if TYPE_CHECKING:
    from registry.core.version import Bump
    from registry.porcelain.copy import Journey
    from registry.porcelain.note import Note
    from registry.porcelain.register import Request
    from registry.writing.values import Way

Path: TypeAlias = "str | os.PathLike[str]"
Files: TypeAlias = "Sequence[Path | tuple[str, Path]] | Mapping[str, Path]"  # with names, without, or both


class How(TypedDict, total=False):
    """How a write is made, each by keyword.

    `sign` says whether to sign (left out: Git's tag.gpgSign); `dry_run` shows what would be written, and writes
    nothing. `push` publishes it in the same step, with all that is unpublished of the artifact, to `remote` (left out:
    the branch's upstream, else origin, else the only one). `offline` does not ask the remote, even where this clone may
    lack some of its tags.
    """

    sign: bool | None
    dry_run: bool
    push: bool
    remote: str | None
    offline: bool


class Travelling(How, total=False):
    """As what a version arrives in another repository, each by keyword; `How` it is written there, too.

    `name` and `version` are what it is called there (left out: the same), `with_stages` puts it into the stages that it
    is in here; `message` and `reason` are words of its registration there.
    """

    name: str | None
    version: str | None
    with_stages: bool
    message: str
    reason: str | None


class Registering(How, total=False):
    """What may be said when a version is registered, each by keyword; `How` it is made too.

    `version` is a SemVer such as "v1.2.0"; without it the next one is taken, by `bump`, as a pre-release where `pre`
    names one ("rc"). `artifacts` are further files that the version carries, `uses` selectors of what it was made from,
    `content` any value that JSON can spell. `undeclared` does without a manifest entry, `force` gives a commit a second
    version or moves a version. `unused` raises Taken where the version's name is taken, or was once.
    """

    version: str | None
    bump: Bump
    pre: str | None
    message: str
    reason: str | None
    description: str | None
    labels: Sequence[str]
    run: str | None
    run_url: str | None
    metrics: Mapping[str, object]
    params: Mapping[str, object]
    tags: Mapping[str, object]
    artifacts: Files
    uses: Sequence[str]
    content: object
    undeclared: bool
    force: bool
    unused: bool


def as_way(how: How, *, force: bool = False) -> Way:
    """How a write is made. Raises TypeError for what is no keyword of `How`."""
    unknown = sorted(how.keys() - How.__annotations__.keys())
    if unknown:
        raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}")
    from registry.writing.values import Way

    return Way(force=force, **how)


def how_of(said: Mapping[str, object], known: type[How], verb: str) -> How:
    """Of what was `said`, how to write it. Raises TypeError for what is not `known`."""
    unknown = sorted(said.keys() - {*known.__annotations__, *How.__annotations__})
    if unknown:
        raise TypeError(f"{verb}() got an unexpected keyword argument {unknown[0]!r}")
    return cast("How", {name: said[name] for name in How.__annotations__ if name in said})


def as_journey(said: Travelling) -> tuple[Journey, Note, Way]:
    """What `Registry.copy` was asked. Raises TypeError."""
    from registry.porcelain.copy import Journey
    from registry.porcelain.note import Note

    where = Journey(said.get("name"), said.get("version"), said.get("with_stages", False))
    return where, Note(said.get("message", ""), said.get("reason")), as_way(how_of(said, Travelling, "copy"))


def as_request(artifact: str, revision: str, said: Registering, inside: Callable[[Path], str]) -> Request:
    """What `Registry.register` was asked; `inside` gives a path relative to the repository's root.

    Raises TypeError, UsageError.
    """
    from registry.core.plan import Choice
    from registry.porcelain.note import Facts, Note
    from registry.porcelain.register import Request

    how = how_of(said, Registering, "register")
    facts = Facts(
        description=said.get("description"),
        labels=said.get("labels", ()),
        run=said.get("run"),
        run_url=said.get("run_url"),
        metrics=said.get("metrics", {}),
        params=said.get("params", {}),
        tags=said.get("tags", {}),
        uses=said.get("uses", ()),
        content=said.get("content"),
    )
    return Request(
        artifact,
        revision,
        Choice(said.get("version"), said.get("bump", "patch"), said.get("pre")),
        Note(said.get("message", ""), said.get("reason")),
        facts,
        tuple((name, inside(path)) for name, path in _named(said.get("artifacts", ()))),
        undeclared=said.get("undeclared", False),
        way=as_way(how, force=said.get("force", False)),
        unused=said.get("unused", False),
    )


def _named(files: Files) -> Iterator[tuple[str, str | os.PathLike[str]]]:
    """Each file with its name, "" where it has none. Raises UsageError."""
    if isinstance(files, (str, os.PathLike)):
        raise UsageError(f"artifacts is one path: {os.fspath(files)}", "put it into a list")
    pairs = files.items() if isinstance(files, Mapping) else [f if isinstance(f, tuple) else ("", f) for f in files]
    names = [name for name, _ in pairs if name]
    for name, path in pairs:
        if names.count(name) > 1:
            raise UsageError(f"two files are called {name}", "give them names of their own")
        yield name, path

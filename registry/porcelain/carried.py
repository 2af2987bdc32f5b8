"""The files that a version carries: which they are, with their digests, and what keeps a commit from having them."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from registry.core import lfs
from registry.core.manifest import Declaration
from registry.core.metadata import File
from registry.errors import NotFound, Refused, RegistryError
from registry.plumbing import objects
from registry.plumbing.objects import Entry, Extent
from registry.porcelain import bounds
from registry.repository import Repository

_MB = 1000 * 1000
WARN_ABOVE = 50 * _MB  # bytes of one file in plain Git: hosts warn above this,
REFUSE_ABOVE = 100 * _MB  # and refuse a push above that

Carried: TypeAlias = "tuple[list[File], list[str]]"


def carried(repository: Repository, commit: str, declared: Declaration | None, further: Sequence[str]) -> Carried:
    """The files of a version at `commit`, with digests, and warnings. Raises NotFound or Refused.

    An output of DVC has its bytes elsewhere, so it is named without a digest; a URL is not asked at all.
    """
    [found] = carried_all(repository, [Load(commit, declared, tuple(further))])
    if isinstance(found, RegistryError):
        raise found
    return found


@dataclass(frozen=True, slots=True)
class Load:
    """What a version at `commit` is to carry: the files that its manifest entry names, and `further` ones."""

    commit: str
    declared: Declaration | None
    further: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """The paths in Git, each once."""
        paths = [] if self.declared is None else [p for p in self.declared.artifacts.values() if "://" not in p]
        if self.declared is not None and self.declared.path is not None and not self.declared.is_url:
            paths.insert(0, self.declared.path)
        return list(dict.fromkeys([*paths, *self.further]))

    @property
    def urls(self) -> list[str]:
        """The URLs of its manifest entry, each once."""
        declared = self.declared
        said = () if declared is None else (declared.path or "", *declared.artifacts.values())
        return [url for url in dict.fromkeys(said) if "://" in url]


def _unfit(urls: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What `pull` will say of URLs that it brings nothing from; as mere addresses they may be of use."""
    from registry.core.hiding import without_secrets  # few versions lie at URLs
    from registry.core.urls import problem

    for url in urls:
        if (found := problem(url, without_secrets(url))) is not None:
            yield found


def carried_all(repository: Repository, loads: Sequence[Load]) -> list[Carried | RegistryError]:
    """`carried` for several versions, with one question to Git for each commit and one for all bytes.

    Where one cannot be carried, its error stands in its place.
    """
    trees: dict[str, _Tree] = {}
    for commit in dict.fromkeys(load.commit for load in loads):
        trees[commit] = _tree(
            repository, commit, {path for load in loads if load.commit == commit for path in load.paths}
        )
    packed = [_packed(repository, load, trees[load.commit]) for load in loads]
    entries = (one for found in packed if isinstance(found, tuple) for one in found[0] if isinstance(one, Entry))
    there = list({(one.oid, one.path): one for one in entries}.values())  # any number of models may name one large file
    files = dict(zip(((one.oid, one.path) for one in there), _digested(repository, there), strict=True))
    return [
        ([one if isinstance(one, File) else files[one.oid, one.path] for one in found[0]], found[1])
        if isinstance(found, tuple)
        else found
        for found in packed
    ]


_Packed: TypeAlias = "tuple[list[File | Entry], list[str]]"


@dataclass(frozen=True, slots=True)
class _Tree:
    """What a commit has at the paths that are asked for.

    `files` are those at and below each path, `leading_out` the links among them that lead out of the repository.
    `outputs` are what DVC makes at and below each path and Git has not, or why that cannot be said; `links` says of a
    path that is a link, or lies behind one, which link that is and where it leads.
    """

    files: Mapping[str, Sequence[Entry]]
    leading_out: Collection[str]
    outputs: Mapping[str, Sequence[str] | Refused]
    links: Mapping[str, tuple[str, str]]


def _packed(repository: Repository, load: Load, tree: _Tree) -> _Packed | RegistryError:
    """What one version carries: entries of Git's tree, and files whose bytes lie elsewhere; and warnings."""
    carries: dict[str, File | Entry] = {}
    notes: list[str] = []
    try:
        for path in load.paths:
            found = tree.files[path]
            for entry in found:
                if entry.path in tree.leading_out:
                    raise Refused(
                        f"{entry.path} is a link that leads out of the repository", "put the file itself there"
                    )
            if path in tree.links:
                raise Refused(*_linked(path, *tree.links[path]))
            outputs = tree.outputs.get(path, ())
            if isinstance(outputs, Refused):
                raise outputs
            if not found and not outputs:
                raise NotFound(*_missing(repository, load.commit, path, typed=path in load.further))
            carries.update((output, File(output)) for output in outputs)
            for entry in found:
                notes += _check_size(entry)
            carries.update((entry.path, entry) for entry in found if entry.size is not None)
        if load.urls:
            notes += [f"{said}: {hint}" for said, hint in _unfit(load.urls)]
    except (NotFound, Refused) as error:
        return error
    return list(carries.values()), notes


_FEW_PATHS = 500  # of more, the whole tree is listed


def _tree(repository: Repository, commit: str, paths: Collection[str]) -> _Tree:
    """What there is at `paths`, by a number of questions that does not grow with them."""
    if not paths:
        return _Tree({}, (), {}, {})
    repository.bring(commit, sorted(paths))
    listing = None
    if "." in paths or len(paths) > _FEW_PATHS:
        repository.bring_all([(commit, ".")], Extent.NAMES)
        listing = objects.files_at(repository.git, commit)
    files = _files(objects.files_at(repository.git, commit, sorted(paths)) if listing is None else listing, paths)
    links = {entry.path: entry for found in files.values() for entry in found if entry.is_link}
    outputs = _outputs(repository, commit, files, listing)
    return _Tree(
        files,
        {link.path for link in objects.leading_out(repository.git, commit, list(links.values()))},
        outputs,
        _links(repository, commit, files, outputs, listing),
    )


def _files(entries: Iterable[Entry], paths: Collection[str]) -> dict[str, list[Entry]]:
    """Those of `entries` that are, or lie below, each of `paths`; "." is the whole tree."""
    found: dict[str, list[Entry]] = {path: [] for path in paths}
    for entry in entries:
        parts = entry.path.split("/")
        for path in (".", *("/".join(parts[:n]) for n in range(1, len(parts) + 1))):
            if path in found:
                found[path].append(entry)
    return found


def _outputs(
    repository: Repository, commit: str, files: Mapping[str, Sequence[Entry]], listing: Sequence[Entry] | None
) -> Mapping[str, Sequence[str] | Refused]:
    """What DVC makes at or below each of the paths of `files`, and Git has not. `listing` is the whole tree, where it
    is known."""
    mixed = repository.is_of_dvc(commit)
    below = {path: _described(path, entries) for path, entries in files.items()}
    paths = [
        path
        for path, entries in files.items()
        if not entries or below[path] or (mixed and (path == "." or entries[0].path != path))
    ]
    if not paths:
        return {}
    from registry.artifacts import dvc  # YAML takes time to import
    from registry.manifests.outputs import dvc_outputs, is_output

    # Without a list of all files, those that may not be there are asked for: of millions, the tree has a few.
    there = None if listing is None else {entry.path for entry in listing}
    asked = (file for path in paths for file in (*_describing(path), *below[path]))
    wanted = list(dict.fromkeys(file for file in asked if there is None or file in there))
    read = bounds.dvc_files(repository, commit, wanted, _MB)
    said = {file: data for file, data in zip(wanted, read, strict=True) if data is not None}
    declared = dvc_outputs(said)
    whole = [path for path in paths if not files[path] and is_output(path, declared)]  # perhaps still to be made
    found: dict[str, Sequence[str] | Refused] = {path: [path] for path in whole}
    left = [path for path in paths if path not in found]
    if not left:
        return found
    try:
        outs = dvc.outputs(said)
    except Refused as error:
        return {**found, **dict.fromkeys(left, error)}
    in_git = {entry.path for path in left for entry in files[path]}
    in_git |= {above for path in in_git for above in _above(path)}
    made = sorted(one.path for one in outs if one.path not in in_git)
    for path in left:
        start, end = ("", None) if path == "." else (f"{path}/", f"{path}0")  # "0" comes after "/"
        found[path] = made[bisect_left(made, start) : None if end is None else bisect_left(made, end)]
    return found


def _described(path: str, found: Iterable[Entry]) -> list[str]:
    """The files below `path` in which DVC says what it makes."""
    names = [entry.path for entry in found if entry.path != path]
    return [name for name in names if name.endswith(".dvc") or name.rpartition("/")[2] in {"dvc.yaml", "dvc.lock"}]


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


_LINK_SIZE = 4096  # bytes; no system follows a longer link


def _links(
    repository: Repository,
    commit: str,
    files: Mapping[str, Sequence[Entry]],
    outputs: Mapping[str, Sequence[str] | Refused],
    listing: Sequence[Entry] | None,
) -> dict[str, tuple[str, str]]:
    """Of the paths of `files`, those that are a link or lie behind one: that link, and where its text leads."""
    links = {entry.path: entry for path, found in files.items() for entry in found if entry.path == path}
    lost = [path for path, found in files.items() if not found and not outputs.get(path) and "\n" not in path]
    above = list(dict.fromkeys(one for path in lost for one in _above(path)))
    if listing is not None:
        there = {entry.path: entry for entry in listing} if above else {}
        links.update((one, there[one]) for one in above if one in there)
    elif above:
        blobs = objects.read_objects(repository.git, [f"{commit}:{one}" for one in above], only_type="none")
        plain = [one for one, blob in zip(above, blobs, strict=True) if blob.type == "blob"]  # a file, or a link
        links.update(
            (entry.path, entry) for entry in (objects.files_at(repository.git, commit, plain) if plain else ())
        )
    links = {path: entry for path, entry in links.items() if entry.is_link}
    read = objects.read_objects(
        repository.git, [link.oid for link in links.values()], only_type="blob", limit=_LINK_SIZE
    )
    targets = {
        path: posixpath.join(posixpath.dirname(path), (one.data or b"/").decode(errors="surrogateescape"))
        for path, one in zip(links, read, strict=True)
    }
    behind = (
        (path, one) for path in (*lost, *links) for one in (path, *_above(path)) if one in links and path in files
    )
    led = {path: (one, posixpath.normpath(targets[one] + path[len(one) :])) for path, one in behind}
    # git-annex has its objects there; so the link is what there is.
    return {path: (one, target) for path, (one, target) in led.items() if ".git" not in target.split("/")}


def _linked(path: str, link: str, target: str) -> tuple[str, str]:
    """What to say of a path that is a link, or lies behind one."""
    if target.startswith(("/", "..")):
        return f"{link} is a link that leads out of the repository", "put the file itself there"
    shown = "".join(c if c.isprintable() else "?" for c in target)
    hint = "put the file itself there" if target == path else f"name {shown} instead of {path}"
    return f"{link} is a link, and a version carries files", hint


def _describing(path: str) -> Iterator[str]:
    """The files in which DVC could say that it makes `path`, or a directory above it."""
    line = ""
    for part in path.split("/"):
        yield f"{line}dvc.yaml"
        yield f"{line}dvc.lock"
        yield f"{line}{part}.dvc"
        line += f"{part}/"


def _missing(repository: Repository, commit: str, path: str, *, typed: bool) -> tuple[str, str]:
    if repository.root is not None and (repository.root / path).exists():
        return f"{path} is not in commit {commit[:7]}, only in the work tree", f"git add {path} and commit it first"
    return (
        f"{path} is not there at commit {commit[:7]}",
        "check the path" if typed else "commit it, or correct the path in the manifest",
    )


def _check_size(entry: Entry) -> list[str]:
    size = entry.size or 0
    advice = "git lfs track, or dvc add, keeps large files out of Git's history"
    if size > REFUSE_ABOVE:
        raise Refused(f"{entry.path} has {size / _MB:.0f} MB in plain Git, where hosts refuse more than 100 MB", advice)
    return [f"{entry.path} has {size / _MB:.0f} MB in plain Git: {advice}"] if size > WARN_ABOVE else []


def _digested(repository: Repository, entries: Sequence[Entry]) -> list[File]:
    import hashlib  # a version may carry no files

    known: dict[str, tuple[str, int]] = {}
    small = list(dict.fromkeys(entry.oid for entry in entries if (entry.size or 0) < lfs.LIMIT))
    for oid, blob in zip(small, objects.read_objects(repository.git, small), strict=True):
        if blob.data is not None:
            pointer = lfs.parse_pointer(blob.data)
            own = hashlib.sha256(blob.data).hexdigest(), len(blob.data)
            known[oid] = own if pointer is None else (pointer.sha256, pointer.size)
    large = list({entry.oid: entry for entry in entries if entry.oid not in known}.values())
    for entry, sum_ in zip(large, objects.digest(repository.git, large) if large else (), strict=True):
        known[entry.oid] = sum_, entry.size or 0
    return [File(entry.path, *known[entry.oid]) for entry in entries]

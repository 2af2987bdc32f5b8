"""`register`: a commit becomes a version (DESIGN parts 4, 5 and 6)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeAlias

from registry.core import lfs, metadata, names, policy, select
from registry.core import version as versions_
from registry.core.draft import Draft
from registry.core.manifest import Declaration
from registry.core.metadata import File
from registry.core.names import Form
from registry.core.plan import Choice, Keys, choose
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, RegistryError, UsageError
from registry.plumbing import changes, objects
from registry.plumbing.objects import Entry
from registry.porcelain import reading, views
from registry.porcelain.note import Facts, Note
from registry.porcelain.values import Written
from registry.repository import Repository
from registry.writing.values import Decision, Way
from registry.writing.write import write

_MB = 1000 * 1000
WARN_ABOVE = 50 * _MB  # bytes of one file in plain Git: hosts warn above this,
REFUSE_ABOVE = 100 * _MB  # and refuse a push above that


@dataclass(frozen=True, slots=True)
class Request:
    """All that `register` is told. `artifacts` are further files: a name (or "") and a path from the root; `keys` are
    further keys of the block."""

    artifact: str
    revision: str = "HEAD"
    choice: Choice = field(default_factory=Choice)
    note: Note = field(default_factory=Note)
    facts: Facts = field(default_factory=Facts)
    artifacts: Sequence[tuple[str, str]] = ()
    undeclared: bool = False
    way: Way = field(default_factory=Way)
    keys: Keys = ()


def register(repository: Repository, request: Request, waiting: Callable[[], None]) -> Written:
    """Make a commit a version. Raises NotFound, Refused or UsageError, and then nothing is written."""
    names.check_artifact(request.artifact)
    if request.choice.version is not None:
        versions_.check(request.choice.version)
    repository.focus(request.artifact)
    commit = repository.commit(request.revision)
    used_versions(repository, request.facts.uses)  # decided again later; at a URL they are fetched now, unlocked

    carry = carrying(repository, request, commit)

    def decide(state: ArtifactState, _: Selector) -> Decision:
        return plan(repository, state, request, commit, carry)

    done = write(repository, Selector(request.artifact), decide, request.way, waiting, new=True)
    moved = views.moved_stages(done.before, done.after)
    notes = (*done.notes, *moved, *unsaved(repository, request.artifact, commit))
    return Written(tuple(views.events_view(done.after, done.events)), notes)


Carried: TypeAlias = "tuple[list[File], list[str]]"


def carrying(repository: Repository, request: Request, commit: str) -> Callable[[], Carried]:
    """`carried` for a request, read once however often it is decided on: models are large."""

    @cache
    def carry() -> Carried:
        declared = repository.manifest_at(commit, request.artifact).artifacts.get(request.artifact)
        return carried(repository, commit, declared, [path for _, path in request.artifacts])

    return carry


def plan(
    repository: Repository, state: ArtifactState, request: Request, commit: str, carry: Callable[[], Carried]
) -> Decision:
    """The registration that `request` asks for, in `state`."""
    manifest = repository.manifest_at(commit, request.artifact)
    if not request.undeclared:
        policy.check_declared(manifest, request.artifact)
    version = choose(state, request.choice)
    rules = repository.rules(request.artifact)  # HEAD's, as for stages: an old commit may not know them yet
    if request.way.force:
        policy.check_readable(rules, request.artifact)
    overwrite = rules.version_rules(request.artifact).overwrite
    policy.check_new_version(state, version, commit, force=request.way.force, overwrite=overwrite)
    declared = manifest.artifacts.get(request.artifact)
    if declared is not None and declared.unusable and not request.undeclared:
        raise Refused(f"the manifest's path {declared.unusable[0]}", f"correct {declared.source}, and commit it")
    files, notes = carry()
    uses = used_versions(repository, request.facts.uses)
    first = version.text not in state.versions
    keys = [
        *([("Number", str(state.number + 1))] if first else []),
        *request.note.keys(),
        *replace(request.facts, uses=uses).keys(),
        *(("Artifact", metadata.spell_file(file)) for file in files),
        *(("Artifact-Name", f"{name}={path}") for name, path in request.artifacts if name),
        *request.keys,
    ]
    subject = f"Register {request.artifact} {version}"
    body = request.note.message
    intent = request.choice.intent(force=request.way.force)
    laid = Draft(Form.REGISTRATION, request.artifact, commit, subject, version.text, None, body, tuple(keys), intent)
    return Decision([laid], notes)


def unsaved(repository: Repository, artifact: str, commit: str) -> list[str]:
    """Notes on files of HEAD's version that are changed in the work tree, for those changes are not registered."""
    declared = repository.manifest_at(commit, artifact).artifacts.get(artifact)
    if declared is None or repository.root is None or commit != repository.head:
        return []
    paths = [declared.path] if declared.path is not None and not declared.is_url else []
    paths += [*declared.metrics, *declared.params, *(path for path in declared.artifacts.values() if "://" not in path)]
    changed = changes.changed_files(repository.git, repository.root, paths)
    return [f"{path} is changed in the work tree; what HEAD has is registered" for path in sorted(set(changed))]


def used_versions(repository: Repository, texts: Sequence[str]) -> list[str]:
    """What a version was made from, each as one exact version. Raises NotFound, Refused or UsageError."""
    return [_used(repository, text) for text in texts]


def _used(repository: Repository, text: str) -> str:
    """`train-set@latest` as the version that it is now; `URL train-set@v0.3.0` as it stands."""
    url, _, selector = text.strip().rpartition(" ")
    if url:
        found = select.parse(selector)
        if found.what is None or versions_.parse(found.what) is None:
            raise UsageError(f"{text!r} does not name one version", "of another repository, say 'URL train-set@v0.3.0'")
        return f"{url.strip()} {found}"
    state, selected = reading.find(repository, selector)
    if selected.version is None:
        raise Refused(f"{text} is a commit without a version", "register it first")
    return f"{state.name}@{selected.version.name}"


# -- the files that a version carries ----------------------------------------------------------------------------------


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


def carried_all(repository: Repository, loads: Sequence[Load]) -> list[Carried | RegistryError]:
    """`carried` for several versions, with one question to Git for each commit and one for all bytes.

    Where one cannot be carried, its error stands in its place.
    """
    entries: dict[tuple[str, str], list[Entry]] = {}
    for commit in dict.fromkeys(load.commit for load in loads):
        paths = list(dict.fromkeys(path for load in loads if load.commit == commit for path in load.paths))
        if paths:
            repository.bring(commit, paths)
            entries.update({(commit, path): found for path, found in _entries(repository, commit, paths).items()})
    packed = [_packed(repository, load, entries) for load in loads]
    there = [one for found in packed if isinstance(found, tuple) for one in found[0] if isinstance(one, Entry)]
    files = dict(zip(((one.oid, one.path) for one in there), _digested(repository, there), strict=True))
    return [
        ([one if isinstance(one, File) else files[one.oid, one.path] for one in found[0]], found[1])
        if isinstance(found, tuple)
        else found
        for found in packed
    ]


_Packed: TypeAlias = "tuple[list[File | Entry], list[str]]"


def _packed(
    repository: Repository, load: Load, entries: Mapping[tuple[str, str], Sequence[Entry]]
) -> _Packed | RegistryError:
    """What one version carries: entries of Git's tree, and files whose bytes lie elsewhere; and warnings."""
    carries: dict[str, File | Entry] = {}
    notes: list[str] = []
    try:
        for path in load.paths:
            found = entries[load.commit, path]
            if not found:
                if not _is_dvc_output(repository, load.commit, path):
                    raise NotFound(*_missing(repository, load.commit, path, typed=path in load.further))
                carries[path] = File(path)
            for link in objects.leading_out(repository.git, load.commit, [e for e in found if e.is_link]):
                raise Refused(f"{link.path} is a link that leads out of the repository", "put the file itself there")
            for entry in found:
                notes += _check_size(entry)
            carries.update((entry.path, entry) for entry in found if entry.size is not None)
    except (NotFound, Refused) as error:
        return error
    return list(carries.values()), notes


_FEW_PATHS = 500  # of more, the whole tree is listed


def _entries(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, list[Entry]]:
    """The files at and below each of `paths`; "." is the whole tree."""
    whole = "." in paths or len(paths) > _FEW_PATHS
    found: dict[str, list[Entry]] = {path: [] for path in paths}
    for entry in objects.files_at(repository.git, commit, () if whole else paths):
        parts = entry.path.split("/")
        for path in (".", *("/".join(parts[:n]) for n in range(1, len(parts) + 1))):
            if path in found:
                found[path].append(entry)
    return found


def _missing(repository: Repository, commit: str, path: str, *, typed: bool) -> tuple[str, str]:
    if repository.root is not None and (repository.root / path).exists():
        return f"{path} is not in commit {commit[:7]}, only in the work tree", f"git add {path} and commit it first"
    return (
        f"{path} is not there at commit {commit[:7]}",
        "check the path" if typed else "commit it, or correct the path in the manifest",
    )


def _is_dvc_output(repository: Repository, commit: str, path: str) -> bool:
    from registry.manifests.read import dvc_outputs  # YAML takes time to import

    parts = path.split("/")
    lines = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]  # the path, and every directory above it
    files = [*(f"{line}.dvc" for line in lines), *(posixpath.join(line, "dvc.yaml") for line in ["", *lines[:-1]])]
    found = repository.blobs_at([(commit, file) for file in files], _MB)
    outputs = dvc_outputs({file: blob.data for file, blob in zip(files, found, strict=True) if blob.data is not None})
    return any(line in outputs for line in lines)


def _check_size(entry: Entry) -> list[str]:
    size = entry.size or 0
    advice = "git lfs track, or dvc add, keeps large files out of Git's history"
    if size > REFUSE_ABOVE:
        raise Refused(f"{entry.path} has {size / _MB:.0f} MB in plain Git, where hosts refuse more than 100 MB", advice)
    return [f"{entry.path} has {size / _MB:.0f} MB in plain Git: {advice}"] if size > WARN_ABOVE else []


def _digested(repository: Repository, entries: Sequence[Entry]) -> list[File]:
    small = [e for e in entries if (e.size or 0) < lfs.LIMIT]
    pointers = {
        entry.oid: file
        for entry, blob in zip(small, objects.read_objects(repository.git, [e.oid for e in small]), strict=True)
        if blob.data is not None and (file := lfs.parse_pointer(blob.data)) is not None
    }
    plain = [e for e in entries if e.oid not in pointers]
    digests = dict(zip((e.oid for e in plain), objects.digest(repository.git, plain), strict=True)) if plain else {}
    return [
        File(e.path, pointers[e.oid].sha256, pointers[e.oid].size)
        if e.oid in pointers
        else File(e.path, digests[e.oid], e.size)
        for e in entries
    ]

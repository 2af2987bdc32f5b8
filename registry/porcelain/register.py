"""`register`: a commit becomes a version (DESIGN parts 4, 5 and 6)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeAlias

from registry.core import lfs, metadata, names, policy, select
from registry.core import version as versions_
from registry.core.draft import Draft
from registry.core.manifest import Declaration
from registry.core.metadata import File
from registry.core.names import Form
from registry.core.plan import Choice, choose
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, UsageError
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
    """All that `register` is told. `artifacts` are further files: a name (or "") and a path from the root."""

    artifact: str
    revision: str = "HEAD"
    choice: Choice = field(default_factory=Choice)
    note: Note = field(default_factory=Note)
    facts: Facts = field(default_factory=Facts)
    artifacts: Sequence[tuple[str, str]] = ()
    undeclared: bool = False
    way: Way = field(default_factory=Way)


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
    paths = [] if declared is None else [path for path in declared.artifacts.values() if "://" not in path]
    if declared is not None and declared.path is not None and not declared.is_url:
        paths.insert(0, declared.path)
    paths += [path for path in further if path not in paths]
    if not paths:
        return [], []
    repository.bring(commit, paths)
    entries = objects.files_at(repository.git, commit, [p for p in paths if p != "."] if "." not in paths else [])
    files: list[File] = []
    notes: list[str] = []
    for path in paths:
        found = [e for e in entries if path in {".", e.path} or e.path.startswith(f"{path}/")]
        if not found:
            if not _is_dvc_output(repository, commit, path):
                raise NotFound(*_missing(repository, commit, path, typed=path in further))
            files.append(File(path))
            continue
        for link in objects.leading_out(repository.git, commit, [e for e in found if e.is_link]):
            raise Refused(f"{link.path} is a link that leads out of the repository", "put the file itself there")
        for entry in found:
            notes += _check_size(entry)
        files += _digested(repository, [e for e in found if e.size is not None])
    return list(dict.fromkeys(files)), notes


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

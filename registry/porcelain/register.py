"""`register`: a commit becomes a version (DESIGN parts 4, 5 and 6)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from registry.core import metadata, names, policy, select
from registry.core import version as versions_
from registry.core.draft import Draft
from registry.core.metadata import Metadata
from registry.core.names import Form
from registry.core.plan import Choice, Keys, choose
from registry.core.select import Selector
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, Taken, UsageError
from registry.plumbing import changes, objects
from registry.porcelain import carried, views
from registry.porcelain.carried import Carried
from registry.porcelain.find import find
from registry.porcelain.note import Facts, Note
from registry.porcelain.values import Written
from registry.providers import CI
from registry.repository import Repository
from registry.writing.values import Decision, Way
from registry.writing.write import write


@dataclass(frozen=True, slots=True)
class Request:
    """All that `register` is told. `artifacts` are further files: a name (or "") and a path from the root; `keys` are
    further keys of the block. `unused` is for a version whose name nobody has ever had."""

    artifact: str
    revision: str = "HEAD"
    choice: Choice = field(default_factory=Choice)
    note: Note = field(default_factory=Note)
    facts: Facts = field(default_factory=Facts)
    artifacts: Sequence[tuple[str, str]] = ()
    undeclared: bool = False
    way: Way = field(default_factory=Way)
    keys: Keys = ()
    unused: bool = False


def register(repository: Repository, request: Request, waiting: Callable[[], None]) -> Written:
    """Make a commit a version. Raises NotFound, Refused or UsageError, and then nothing is written."""
    names.check_artifact(request.artifact)
    if request.choice.version is not None:
        versions_.check(request.choice.version)
    repository.focus(request.artifact)
    commit = repository.commit(request.revision)
    request, told, mark = with_run(repository, request, commit)
    used_versions(repository, request.facts.uses)  # decided again later; at a URL they are fetched now, unlocked

    carry = carrying(repository, request, commit)

    def decide(state: ArtifactState, _: Selector) -> Decision:
        return plan(repository, state, request, commit, carry)

    done = write(repository, Selector(request.artifact), decide, request.way, waiting, new=True)
    moved = views.moved_stages(done.before, done.after)
    events = tuple(views.events_view(done.after, done.events))
    marks = [] if request.way.dry_run else [note for event in events if event.version for note in mark(event.version)]
    notes = (*told, *done.notes, *moved, *unsaved(repository, request.artifact, commit), *marks)
    return Written(events, notes)


def with_run(
    repository: Repository, request: Request, commit: str | None, there: Metadata | None = None
) -> tuple[Request, Sequence[str], Callable[[str], Sequence[str]]]:
    """The request with what is known of its run, and notes; and what marks the run, where it was tracked, as one that
    became a version, with notes on that. Asks for a bounded time. `there` is what is known of a version that exists."""
    facts = request.facts
    if facts.run is None and facts.run_url is None and not any(name in os.environ for name in CI):
        return request, (), lambda _: ()
    from registry.porcelain import run

    told = run.told(repository, facts, request.artifact, commit, there)

    def mark(version: str) -> Sequence[str]:
        return run.marked(repository, told.facts, f"{request.artifact}@{version}") if told.known else ()

    return replace(request, facts=told.facts), told.notes, mark


def carrying(repository: Repository, request: Request, commit: str) -> Callable[[], Carried]:
    """`carried` for a request, read once however often it is decided on: models are large."""

    @cache
    def carry() -> Carried:
        declared = repository.manifest_at(commit, request.artifact).artifacts.get(request.artifact)
        return carried.carried(repository, commit, declared, [path for _, path in request.artifacts])

    return carry


def plan(
    repository: Repository, state: ArtifactState, request: Request, commit: str, carry: Callable[[], Carried]
) -> Decision:
    """The registration that `request` asks for, in `state`."""
    manifest = repository.manifest_at(commit, request.artifact)
    if not request.undeclared:
        try:
            policy.check_declared(manifest, request.artifact)
        except NotFound as error:
            raise _uncommitted(repository, request.artifact, commit) or error from None
    version = choose(state, request.choice)
    if request.unused and version.text in state.versions:
        raise Taken(f"{request.artifact} {version} has been registered before", "leave the version out for the next")
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
        *([("Number", str(state.next_number))] if first else []),
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


def _uncommitted(repository: Repository, artifact: str, commit: str) -> NotFound | None:
    """What to say where the manifest in the work tree is not the one at HEAD, which does not declare the artifact."""
    if repository.root is None or commit != repository.head:
        return None
    path = "/".join(filter(None, [names.directory_of(artifact), "registry.yaml"]))
    if not changes.changed_files(repository.git, repository.root, [path]):
        return None
    return NotFound(
        f"{artifact} is not in the manifest at HEAD, and {path} is changed in the work tree",
        f"if it is declared there: git add {path} && git commit",
    )


def unsaved(repository: Repository, artifact: str, commit: str) -> list[str]:
    """Notes on files of HEAD's version that are changed in the work tree, for those changes are not registered."""
    declared = repository.manifest_at(commit, artifact).artifacts.get(artifact)
    if declared is None or repository.root is None or commit != repository.head:
        return []
    paths = [declared.path] if declared.path is not None and not declared.is_url else []
    paths += [*declared.metrics, *declared.params, *(path for path in declared.artifacts.values() if "://" not in path)]
    changed = sorted(set(changes.changed_files(repository.git, repository.root, paths)))
    if not changed:
        return []
    there = {entry.path for entry in objects.files_at(repository.git, commit, changed)}
    return [
        f"{path} is {'changed' if path in there else 'new'} in the work tree; what HEAD has is registered"
        for path in changed
    ]


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
    state, selected = find(repository, selector)
    if selected.version is None:
        raise Refused(f"{text} is a commit without a version", "register it first")
    return f"{state.name}@{selected.version.name}"

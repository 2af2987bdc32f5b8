"""`copy` and `transfer`: a version travels to another repository (DESIGN part 5).

It arrives as one parentless commit that holds exactly its files and its manifest entry, and that its tag alone holds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from registry import evidence
from registry.artifacts import blobs, dvc, lfs
from registry.artifacts.progress import Meter, Progress
from registry.artifacts.staging import staging
from registry.core import draft, metadata, names, plan, policy
from registry.core import version as versions
from registry.core.draft import Draft, Intent
from registry.core.manifest import Declaration, Json
from registry.core.names import Form
from registry.core.select import Selected, Selector
from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound, Refused
from registry.evidence import Witness
from registry.manifests import edit
from registry.plumbing import objects, remote, transplant
from registry.plumbing.objects import Entry
from registry.plumbing.transplant import NewFile
from registry.porcelain import reading, views
from registry.porcelain.amend import deregister
from registry.porcelain.note import Note
from registry.porcelain.values import Written
from registry.repository import Repository
from registry.writing.values import Decision, Way
from registry.writing.write import write

FILE = "registry.yaml"
_MADE_ANEW = {"Previous", "Counter", "Number", "Version", "Reason", "Artifact-Name"}


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a version goes: its name and version there (None: the same), with the stages that it holds, or without."""

    name: str | None = None
    version: str | None = None
    with_stages: bool = False


@dataclass(frozen=True, slots=True)
class _Luggage:
    """What travels of a version."""

    version: VersionState
    declared: Declaration | None
    entries: Sequence[Entry]
    origin: str  # URL@commit
    stages: Sequence[str]
    values: Sequence[tuple[str, str]]  # of files that stay behind, as keys


def copy(
    source: Repository,
    text: str,
    target: Repository,
    journey: Journey,
    note: Note,
    way: Way,
    waiting: Callable[[], None],
) -> Written:
    """Copy a version. What arrived already, from there, is not copied again. Raises NotFound, Refused."""
    state, version = _chosen(source, text)
    name = names.check_artifact(journey.name or state.name)
    wanted = versions.check(journey.version or version.name)
    luggage = _packed(source, state, version, journey)
    entry = _entry(luggage.declared, name)
    by = target.writer()
    before = target.state(name).versions.get(wanted.text)
    if before is not None and _came(before, luggage):
        commit = before.commit
    elif way.dry_run:
        commit = luggage.version.commit
    else:
        transplant.carry(source.git, target.git, luggage.entries)
        _carry_large(source, target, luggage, waiting)
        commit = _arrived(source, target, luggage, entry, f"{name} {wanted}")

    def decide(there: ArtifactState, _: Selector) -> Decision:
        drafts, notes = _registration(source, target, there, luggage, name, wanted, commit, note, way)
        after = there.with_events(one.event for one in draft.lay(there, drafts, by))
        for stage in luggage.stages:
            found = after.versions[wanted.text]
            more = plan.assignment(
                target.rules(name), after, Selected(name, found.commit, found), stage, show=Witness(target)
            )
            after = after.with_events(one.event for one in draft.lay(after, more, by))
            drafts += more
        return Decision(drafts, notes)

    done = write(target, Selector(name), decide, way, waiting, new=True)
    return Written(tuple(views.events_view(done.after, done.events)), tuple(done.notes))


def transfer(
    source: Repository,
    text: str,
    target: Repository,
    journey: Journey,
    note: Note,
    way: Way,
    waiting: Callable[[], None],
) -> Written:
    """Copy a version, and withdraw it where it was. Interrupted in between, it can be run again."""
    state, version = _chosen(source, text)
    arrived = copy(source, text, target, journey, note, way, waiting)
    name, wanted = journey.name or state.name, journey.version or version.name
    moved = (("Moved-To", f"{_place(target)} {name}@{wanted}"),)
    left = deregister(source, f"{state.name}@{version.name}", note, way, waiting, moved, version.commit)
    return Written((*arrived.events, *left.events), (*arrived.notes, *left.notes))


def _chosen(source: Repository, text: str) -> tuple[ArtifactState, VersionState]:
    state, selected = reading.find(source, text)
    if selected.version is None:
        raise NotFound(f"{text} is a commit without a version", f"registry register {state.name} gives it one")
    return state, selected.version


def _place(repository: Repository) -> str:
    """How others may reach a repository: the URL of its remote, else where it lies; never with a password."""
    name = remote.choose(repository.git)
    return (
        remote.url_of(repository.git, name)
        if name is not None
        else os.fspath(repository.root or repository.clone.git_dir)
    )


# -- packing ---------------------------------------------------------------------------------------------------------


def _packed(source: Repository, state: ArtifactState, version: VersionState, journey: Journey) -> _Luggage:
    declared = source.manifest_at(version.commit, state.name).artifacts.get(state.name)
    paths = _paths(declared, version)
    entries: list[Entry] = []
    if paths:
        everything = [] if "." in paths else paths
        described = [] if "." in paths else dvc.candidates(paths, [])
        source.bring(version.commit, [*paths, *described])
        entries = [
            entry
            for entry in objects.files_at(source.git, version.commit, [*everything, *described])
            if entry.path != _manifest(state.name)
        ]
    for entry in entries:
        if entry.size is None:
            raise Refused(f"{entry.path} is a submodule, or not in this clone", "it cannot be carried")
    stages = list(reversed(state.stages_of(version.name))) if journey.with_stages else []
    origin = f"{_place(source)}@{version.commit}"
    return _Luggage(version, declared, entries, origin, stages, _implied(source, version, declared))


def _implied(source: Repository, version: VersionState, declared: Declaration | None) -> list[tuple[str, str]]:
    """The metrics and parameters in files that DVC alone names. The files stay behind, and so does what names them."""
    if declared is None:
        return []
    [whole] = evidence.values(source, [(version.commit, declared)])
    [own] = evidence.values(source, [(version.commit, replace(declared, path=None))])
    said = version.metadata
    hidden = (said.metrics.keys() | said.removed_metrics, said.params.keys() | said.removed_params)
    found = [
        (key, f"{name}={metadata.spell(value)}")
        for key, values, mine, other in zip(("Metric", "Param"), whole, own, hidden, strict=True)
        for name, value in values.items()
        if name not in mine and name not in other and "=" not in name
    ]
    return [(key, pair) for key, pair in found if pair.isprintable()]


def _paths(declared: Declaration | None, version: VersionState) -> list[str]:
    """All that a version is made of: what it carries, and the files that its manifest entry names."""
    paths = [file.path for file in version.metadata.artifacts]
    if declared is not None:
        card = [declared.card] if isinstance(declared.card, str) else []
        own = [declared.path] if declared.path is not None else []
        paths += [*own, *declared.artifacts.values(), *declared.metrics, *declared.params, *card]
    return list(dict.fromkeys(path for path in paths if "://" not in path))


def _manifest(artifact: str) -> str:
    return str(PurePosixPath(names.directory_of(artifact)) / FILE)


def _entry(declared: Declaration | None, name: str) -> NewFile:
    """The manifest that arrives: the entry alone. Its wishes (version, assign) and rules are of the place it was in."""
    fields: dict[str, Json] = {}
    if declared is not None:
        directory = names.directory_of(name)
        fields = {
            "type": declared.type,
            "path": _relative(declared.path, directory),
            "description": declared.description,
            "framework": declared.framework,
            "labels": list(declared.labels),
            "owners": list(declared.owners),
            "card": _relative(declared.card, directory)
            if isinstance(declared.card, str)
            else dict(declared.card)
            if declared.card is not None
            else None,
            "metrics": [_relative(path, directory) for path in declared.metrics],
            "params": [_relative(path, directory) for path in declared.params],
            "artifacts": {key: _relative(path, directory) for key, path in declared.artifacts.items()},
            "metadata": dict(declared.metadata),
        }
    section: edit.Section = "models" if fields.get("type", "model") == "model" else "artifacts"
    said = {key: value for key, value in fields.items() if value and not (key == "type" and section == "models")}
    text = edit.add_entry("", section, name.rpartition(":")[2], said)
    return NewFile(_manifest(name), text.encode())


def _relative(path: str | None, directory: str) -> str | None:
    if path is None or "://" in path or not directory:
        return path
    if not PurePosixPath(path).is_relative_to(directory):
        raise Refused(f"{path} is not inside {directory}", f"a name {directory}:NAME is for what lies in {directory}")
    return str(PurePosixPath(path).relative_to(directory))


# -- arriving --------------------------------------------------------------------------------------------------------


def _arrived(source: Repository, target: Repository, luggage: _Luggage, entry: NewFile, what: str) -> str:
    room = target.clone.room
    room.mkdir(exist_ok=True)
    by = objects.summarize(source.git, luggage.version.commit)
    message = f"Copy {what}\n\nCopied-From: {luggage.origin}\n"
    return transplant.parentless(target.git, room, luggage.entries, [entry], message, by)


def _carry_large(
    source: Repository,
    target: Repository,
    luggage: _Luggage,
    waiting: Callable[[], None],
) -> None:
    """Bring the objects of Git LFS into the target's store; to a URL, they are pushed from there."""
    _, elsewhere = blobs.sorted_out(source.git, luggage.version.commit, luggage.entries)
    if not elsewhere:
        return
    store = target.clone.common_dir / "lfs" / "objects"

    def tell(progress: Progress) -> None:
        source.progress(f"{progress.done / 1e6:.0f} of {progress.total / 1e6:.0f} MB")

    with tempfile.TemporaryDirectory(dir=target.clone.common_dir, prefix="registry-") as place:
        with staging(Path(place) / "lfs", {}, Meter(tell), waiting) as gathered:
            lfs.gather(source.git, luggage.version.commit, elsewhere, None, gathered)
            gathered.move_in()
        source.progress("")
        for one in elsewhere:
            oid = one.pointer.sha256
            to = store / oid[:2] / oid[2:4] / oid
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(Path(place) / "lfs" / one.entry.path, to)
    if target.pushes:
        oids = list(dict.fromkeys(one.pointer.sha256 for one in elsewhere))
        where = target.remote().name
        target.git.network("lfs", "push", "--object-id", where, *oids, progress=target.progress, remote=where)


def _registration(
    source: Repository,
    target: Repository,
    there: ArtifactState,
    luggage: _Luggage,
    name: str,
    wanted: versions.Version,
    commit: str,
    note: Note,
    way: Way,
) -> tuple[list[Draft], list[str]]:
    """The registration in the target, or a note that it is there already."""
    before = there.versions.get(wanted.text)
    if before is not None and _came(before, luggage):
        return [], [f"{name} {wanted} is there already, from {luggage.origin}"]
    overwrite = target.rules(name).version_rules(name).overwrite
    policy.check_new_version(there, wanted, commit, force=way.force, overwrite=overwrite)
    first = luggage.version.first
    version = luggage.version
    travelling = metadata.overlaid(version.registration, version.amendments)
    known = [(key, _use(source, value) if key == "Uses" else value) for key, value in travelling]
    kept = {key for key, _ in known}
    keys = [
        *([("Number", str(there.next_number))] if before is None else []),
        *note.keys(),
        *((key, value) for key, value in known if key not in {*_MADE_ANEW, "Copied-From", "Moved-To"}),
        *luggage.values,
        ("Copied-From", luggage.origin),
        *([("Original-Date", first.by.iso)] if "Original-Date" not in kept else []),
        *([("Original-Author", f"{first.by.name} <{first.by.email}>")] if "Original-Author" not in kept else []),
    ]
    body = note.message or version.registration.message.body
    subject = f"Register {name} {wanted}"
    intent = Intent(force=way.force)
    return [Draft(Form.REGISTRATION, name, commit, subject, wanted.text, None, body, tuple(keys), intent)], []


def _came(there: VersionState, luggage: _Luggage) -> bool:
    return there.active and there.registration.one("Copied-From") == luggage.origin


def _use(source: Repository, use: str) -> str:
    """What a version was made from, as it is named from elsewhere."""
    return use if " " in use else f"{_place(source)} {use}"

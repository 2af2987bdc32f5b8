"""`import gto`: what GTO's files declare, declared in `registry.yaml` (DESIGN part 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.core.manifest import Declaration, Json, Manifest
from registry.errors import ManifestError, NotFound
from registry.manifests import documents, edit, read
from registry.manifests.documents import DocumentError
from registry.manifests.dump import dumped
from registry.porcelain import working
from registry.porcelain.manifests import work_files
from registry.porcelain.values import EventView
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Imported:
    """What was brought over: artifacts declared anew, stages of the lifecycle, and events that were written.

    `path` is the manifest that was written, None where nothing was; `there` counts the events, of MLflow the versions,
    that were here before.
    """

    path: str | None = None
    artifacts: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    there: int = 0
    events: tuple[EventView, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The shape of `import --json`."""
        return {
            "path": self.path,
            "artifacts": list(self.artifacts),
            "stages": list(self.stages),
            "there": self.there,
            "events": [event.to_json() for event in self.events],
        }


def from_gto(repository: Repository, *, dry_run: bool = False) -> Imported:
    """Declare in `registry.yaml` of the work tree what `artifacts.yaml` and `.gto` declare, in one edit.

    What is declared there already stays as it is. Raises NotFound where there is neither file, nor any tag.
    """
    files = work_files(repository)
    gto = read.read({path: data for path, data in files.items() if path in {read.GTO, read.GTO_CONFIG}})
    ours = read.read({path: data for path, data in files.items() if path == read.OURS})
    there = sum(len(state.events) for state in repository.states.values())
    if not gto.files and not there:
        raise NotFound("there is nothing of GTO's here", f"neither {read.GTO} nor {read.GTO_CONFIG} nor any tag")
    for file, reason in gto.broken.items():
        raise ManifestError(f"{file} cannot be read: {reason}", "correct it first")
    new = {name: said for name, said in gto.artifacts.items() if name not in ours.artifacts}
    stages = tuple(gto.stages or ()) if ours.stages is None else ()
    notes = [*_unread(files, gto), *_unusable(new), *_left(gto, ours)]
    path = None
    if new or stages:
        path = read.OURS
        text = declared(repository, {name: fields(said) for name, said in new.items()}, stages, dry_run=dry_run)
        notes += [] if text is None else [text]
    return Imported(path, tuple(new), stages, there, (), tuple(notes))


_KEYS = ("type", "path", "description", "labels", "custom")  # of an artifact of GTO's


def _unread(files: Mapping[str, bytes], gto: Manifest) -> Iterator[str]:
    """What GTO's files say and nobody here can: names, stages, and keys of another kind."""
    said = {path: documents.plain(documents.parse(files[path])) for path in gto.files if path in files}
    found = said.get(read.GTO)
    if not isinstance(found, dict | None):
        yield f"{read.GTO} is no mapping of names, and nothing of it is taken"
    for name, entry in found.items() if isinstance(found, dict) else ():
        if name not in gto.artifacts:
            yield f"{read.GTO}: {name!r} cannot be a name here, and is left out"
        elif not isinstance(entry, dict | None):
            yield f"{read.GTO}: what it says of {name} is no mapping, and is left out"
        elif entry:
            kept = _taken(gto.artifacts[name])
            lost = [key for key, value in entry.items() if value and (key not in _KEYS or not kept(key, value))]
            if lost:
                yield f"{read.GTO}: of {name} {', '.join(lost)} cannot be read, and is left out"
    config = said.get(read.GTO_CONFIG)
    stages = config.get("stages") if isinstance(config, dict) else None
    if stages is not None and not isinstance(stages, list):
        yield f"{read.GTO_CONFIG}: its stages are no list, and are left out"
    for stage in stages if isinstance(stages, list) else ():
        if stage not in (gto.stages or ()):
            yield f"{read.GTO_CONFIG}: {stage!r} cannot be a stage here, and is left out"


def _taken(said: Declaration) -> Callable[[str, Json], bool]:
    """Whether a key of an entry of GTO's has come over; what is wrong with a path is said elsewhere."""
    there = {"type": said.type, "description": said.description, "labels": list(said.labels)}
    return lambda key, value: there.get(key, value) == value and (key != "path" or isinstance(value, str))


def _unusable(new: Mapping[str, Declaration]) -> list[str]:
    return [f"{name}: its path {problem}, and is left out" for name, said in new.items() for problem in said.unusable]


def _left(gto: Manifest, ours: Manifest) -> list[str]:
    same = [name for name in gto.artifacts if name in ours.artifacts]
    return [f"{', '.join(same)}: declared in {read.OURS} already, which is left as it is"] if same else []


def fields(said: Declaration) -> dict[str, Json]:
    """A declaration of another file as an entry of ours."""
    entry: dict[str, Json] = {
        "type": said.type,
        "path": said.path,
        "description": said.description,
        "labels": list(said.labels),
        "metadata": dict(said.metadata),
    }
    return {key: value for key, value in entry.items() if value}


def declared(
    repository: Repository,
    entries: Mapping[str, Mapping[str, Json]],
    stages: Sequence[str] = (),
    *,
    dry_run: bool = False,
) -> str | None:
    """Declare artifacts and stages in the `registry.yaml` of the work tree, in one edit.

    A file that is not there is for `check` to say. A note where the stages could not be written. Raises ManifestError
    where an entry cannot be added.
    """
    root = working.root(repository)
    file = working.editable(repository, root / read.OURS)
    before = working.text(file) if file.exists() else ""
    text, note = before, None
    if stages:
        text, note = _with_stages(text, stages)
    for name, said in entries.items():
        section: edit.Section = "models" if said.get("type", "model") == "model" else "artifacts"
        kept = {key: value for key, value in said.items() if not (key == "type" and section == "models")}
        text = edit.add_entry(text, section, name, kept)
    if not dry_run and text != before:
        working.replace(file, text)
    return note


def _with_stages(text: str, stages: Sequence[str]) -> tuple[str, str | None]:
    """A manifest with a lifecycle, and a note where it is written in a style that cannot be added to."""
    block = dumped({"stages": {stage: {} for stage in stages}}, 2)
    gap = "" if not text or text.endswith("\n") else "\n"
    new = f"{text}{gap}{block}"
    try:
        before, after = documents.plain(documents.parse(text)), documents.plain(documents.parse(new))
    except DocumentError:
        after = before = None
    wanted: dict[str, Json] = {
        **(before if isinstance(before, dict) else {}),
        "stages": {stage: {} for stage in stages},
    }
    if after != wanted:
        return text, f"the stages are left out: write them into {read.OURS}: {', '.join(stages)}"
    return new, None

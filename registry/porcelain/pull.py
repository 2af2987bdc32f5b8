"""`pull`: the files that a version carries, into a directory (DESIGN parts 4 and 5)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.artifacts import blobs, dvc, lfs, paths, urls
from registry.artifacts.dvc import Output, Project
from registry.artifacts.progress import Meter, Progress
from registry.artifacts.staging import Placed, Staging, check_target, staging
from registry.core.manifest import Declaration, Json
from registry.core.metadata import File
from registry.core.select import Selected
from registry.errors import NotFound, Refused, UsageError
from registry.plumbing import objects
from registry.plumbing.objects import Entry
from registry.porcelain import reading
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was pulled: every file of the version below `directory`, whether it was brought or was there already.

    `version` is None where a stage holds a commit without a version.
    """

    artifact: str
    version: str | None
    commit: str
    directory: str
    files: tuple[Placed, ...]

    def to_json(self) -> dict[str, Json]:
        """The shape of `pull --json`."""
        return {
            "artifact": self.artifact,
            "version": self.version,
            "commit": self.commit,
            "directory": self.directory,
            "files": [{"path": f.path, "size": f.size, "sha256": f.sha256, "store": f.store} for f in self.files],
        }


def pull(
    repository: Repository,
    selector: str,
    output: str | None,
    remote: str | None,
    tell: Callable[[Progress], None],
    waiting: Callable[[], None],
) -> Pulled:
    """Bring the files of a version into a directory. Raises NotFound, Refused or StoreFailed, and nothing has moved."""
    if output == "":
        raise UsageError("the directory has no name", "such as -o churn, or -o . for the one here")
    if remote is not None:
        repository.remote(remote)  # there has to be one
    state, selected = reading.find(repository, selector)
    version = None if selected.version is None else selected.version.name
    wanted, recorded = carried(repository, state.name, selected)
    directory = output or f"{_in_path(state.name)}-{version or selected.commit[:7]}"
    check_target(Path(directory))
    try:
        with staging(Path(directory), recorded, Meter(tell), waiting) as place:
            _gather(repository, selected.commit, wanted, remote, place)
            place.move_in()
            files = place.placed
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename if isinstance(error.filename, str) else directory
        raise Refused(f"{where} cannot be used: {reason}", "check its permissions and the disk") from error
    return Pulled(state.name, version, selected.commit, directory, files)


def _in_path(artifact: str) -> str:
    """The name as one segment of a path; neither sign is one of names, so no two names become the same."""
    return artifact.replace("/", "+").replace(":", "=")


def carried(repository: Repository, artifact: str, selected: Selected) -> tuple[list[str], Mapping[str, File]]:
    """The paths and URLs of a version, and what was recorded of them. Raises NotFound or Refused."""
    found = repository.manifest_at(selected.commit, artifact)
    declared = found.artifacts.get(artifact)
    files = () if selected.version is None else selected.version.metadata.artifacts
    if declared is not None and declared.unusable and not files:
        raise Refused(f"the manifest's path {declared.unusable[0]}", f"{declared.source} at {selected.commit[:7]}")
    recorded = {file.path: file for file in files}
    wanted = list(dict.fromkeys([*_declared(declared), *recorded]))
    if not wanted:
        name = f"{artifact} {selected.subject[:7] if selected.version is None else selected.subject}"
        broken = next((f"{file} at that commit cannot be read: {why}" for file, why in found.broken.items()), None)
        hint = broken or f"a path: in the manifest, or register {artifact} --artifact PATH, gives it files"
        raise NotFound(f"{name} carries no files", hint)
    return wanted, recorded


def _declared(declared: Declaration | None) -> Sequence[str]:
    if declared is None:
        return ()
    return [*([declared.path] if declared.path is not None else []), *declared.artifacts.values()]


def _gather(repository: Repository, commit: str, wanted: Sequence[str], remote: str | None, place: Staging) -> None:
    """Bring everything into the staging: first what is here, then what has to be fetched."""
    outside = [path for path in wanted if "://" in path]
    inside = [path for path in wanted if "://" not in path]
    for path in inside:
        if path != ".":
            paths.check(path)
    for url in outside:
        urls.check(url)
    git = repository.git
    entries: list[Entry] = []
    outputs: list[Output] = []
    if inside:
        top = _topmost(inside)
        repository.bring(commit, [*top, ".lfsconfig"])
        entries = objects.files_at(git, commit, [] if "." in top else top)
        outputs = _outputs(repository, commit, inside, entries)
    here, elsewhere = blobs.sorted_out(git, commit, entries)
    blobs.gather(git, here, place)
    lfs.gather(git, commit, elsewhere, remote, place)
    root = None if repository.root is None else os.fspath(repository.root)
    dvc.gather(Project(git, commit, root), outputs, place)
    for url in outside:
        urls.gather(url, place)


def _topmost(inside: Sequence[str]) -> list[str]:
    """`inside` without what lies below another one: of a directory every file may be recorded."""
    all_ = set(inside)
    return ["."] if "." in all_ else [path for path in inside if not all_.intersection(_above(path))]


def _outputs(repository: Repository, commit: str, inside: Sequence[str], entries: Sequence[Entry]) -> list[Output]:
    """The outputs of DVC at or below `inside`; each path has to be one, or to be in Git. Raises NotFound."""
    there = {entry.path for entry in entries}
    directories = {above for path in there for above in _above(path)}
    described = [path for path in there if dvc.describes(path)]
    absent = [path for path in inside if path not in there and path not in directories and path != "."]
    # DVC may make what lies in a directory, of which Git has a file or two.
    mixed = repository.is_of_dvc(commit) and any(path == "." or path in directories for path in inside)
    if not described and not absent and not mixed:
        return []
    files = dvc.candidates(_topmost(inside), described)
    repository.bring(commit, [*files, dvc.CONFIG])
    found = objects.read_objects(
        repository.git, [f"{commit}:{file}" for file in files], only_type="blob", limit=dvc.LIMIT
    )
    known = dvc.outputs({file: blob.data for file, blob in zip(files, found, strict=True) if blob.data is not None})
    in_git = there | directories
    outputs = {path: dvc.within(path, known, in_git) for path in {*_topmost(inside), *absent}}
    for path in absent:
        if not outputs[path]:
            raise NotFound(
                f"{path} is not there at commit {commit[:7]}",
                "neither Git nor DVC has it: commit it, or correct the path",
            )
    return list(dict.fromkeys(one for path in _topmost(inside) for one in outputs[path]))


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]

"""What a version shows for itself at its commit: the metrics and parameters of its files, and its model card."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from registry.core.gates import Evidence
from registry.core.manifest import Declaration
from registry.core.metadata import Scalar
from registry.core.state import VersionState
from registry.errors import ManifestError, Refused
from registry.plumbing.objects import Object, TooMuch
from registry.repository import Repository

_TOTAL = 50 * 1000 * 1000  # bytes of the files that are read at once: whoever wants something of a gate may name any

Values = tuple[dict[str, Scalar], dict[str, Scalar]]


class Witness:
    """Shows the evidence of versions, each read once: by its commit, wherever the version was written so far."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._at: dict[tuple[str, str], Evidence] = {}

    def __call__(self, artifact: str, version: VersionState) -> Evidence:
        """The metrics of the files at its commit, under those of its tags, and whether it has a card."""
        self.hear([(artifact, version.commit)])
        found = self._at[artifact, version.commit]
        return Evidence(version.metadata.over(dict(found.metrics), {}, None).metrics, found.card)

    def hear(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read the evidence of several versions at once, each an artifact and a commit.

        Raises Refused where that is more than anybody can review.
        """
        left = sorted(set(wanted) - self._at.keys())
        manifests = self._repository.manifests_at((commit, artifact) for artifact, commit in left)
        declared = [one.artifacts.get(artifact) for one, (artifact, _) in zip(manifests, left, strict=True)]
        asked = [(commit, said) for (_, commit), said in zip(left, declared, strict=True)]
        files = iter(
            self._repository.ids_at([(c, d.card) for c, d in asked if d is not None and isinstance(d.card, str)])
        )
        for place, said, (metrics, _) in zip(left, declared, values(self._repository, asked, _TOTAL), strict=True):
            card = said.card if said is not None else None
            self._at[place] = Evidence(metrics, bool(next(files)) if isinstance(card, str) else bool(card))


def values(
    repository: Repository, wanted: Sequence[tuple[str, Declaration | None]], total: int | None = None
) -> list[Values]:
    """Metrics and params of the files that each declaration names at its commit, over those of the files that DVC names
    for what is at its path. What cannot be read is left out.

    Raises Refused where the files have more bytes together than `total`.
    """
    asked = [
        (index, place, commit, path)
        for index, (commit, declared) in enumerate(wanted)
        if declared is not None
        for place, paths in enumerate((declared.metrics, declared.params))
        for path in paths
        if "\n" not in path
    ]
    near = [
        (index, commit, file)
        for index, (commit, declared) in enumerate(wanted)
        for file in _pipelines(repository, commit, declared)
    ]
    found = _blobs(repository, [*((c, path) for _, _, c, path in asked), *((c, file) for _, c, file in near)], total)
    answers: list[Values] = [({}, {}) for _ in wanted]
    parsed: dict[str, dict[str, Scalar]] = {}
    pipelines = [(*one, blob) for one, blob in zip(near, found[len(asked) :], strict=True) if blob.data is not None]
    if pipelines:
        implied = _implied(repository, wanted, pipelines, total)
        blobs = _blobs(repository, [(commit, path) for _, _, commit, path in implied], total)
        _lay(answers, parsed, implied, blobs)
    _lay(answers, parsed, asked, found[: len(asked)])
    return answers


_Asked = tuple[int, int, str, str]  # whose, metrics or params, commit, path


def _pipelines(repository: Repository, commit: str, declared: Declaration | None) -> list[str]:
    """Each dvc.yaml that could say how what is at a declaration's path is made, from the root down."""
    if declared is None or declared.path is None or declared.is_url or not repository.is_of_dvc(commit):
        return []
    parts = declared.path.split("/")
    above = [posixpath.join(*parts[:count], "dvc.yaml") for count in range(len(parts))]
    return list(dict.fromkeys([*above, posixpath.join(posixpath.dirname(declared.source), "dvc.yaml")]))


def _implied(
    repository: Repository,
    wanted: Sequence[tuple[str, Declaration | None]],
    found: Sequence[tuple[int, str, str, Object]],
    total: int | None,
) -> list[_Asked]:
    """The files that DVC names, at each commit, for what each declaration is about. `found` are the pipelines."""
    from registry.manifests.pipeline import Named, locks, named_for  # for projects of DVC alone

    locked = [(index, commit, lock) for index, commit, file, blob in found for lock in locks({file: blob.data or b""})]
    blobs = _blobs(repository, [(commit, lock) for _, commit, lock in locked], total)
    of: dict[int, dict[str, Object]] = {}
    for index, _, file, blob in (*found, *((*one, blob) for one, blob in zip(locked, blobs, strict=True))):
        of.setdefault(index, {})[file] = blob
    known: dict[tuple[str, ...], Named] = {}  # the same files at many commits are read once
    asked: list[_Asked] = []
    for index, files in of.items():
        commit, said = wanted[index]
        about = said.path if said is not None and said.path is not None else ""
        key = (about, *(word for file, blob in files.items() for word in (file, blob.oid)))
        if key not in known:
            known[key] = named_for(about, {file: blob.data or b"" for file, blob in files.items()})
        asked += [(index, place, commit, path) for place, those in enumerate(known[key]) for path in those]
    return asked


def _blobs(repository: Repository, places: Sequence[tuple[str, str]], total: int | None) -> list[Object]:
    try:
        return repository.blobs_at(places, total=total)
    except TooMuch as error:
        raise Refused(f"metrics and params: {error.message}", "put fewer into the files that a model names") from error


def _lay(
    answers: Sequence[Values], parsed: dict[str, dict[str, Scalar]], asked: Sequence[_Asked], blobs: Sequence[Object]
) -> None:
    """Lay the values of each file over what is in the answer that it belongs to."""
    for (index, place, _, path), blob in zip(asked, blobs, strict=True):
        if blob.data is None:
            continue
        if blob.oid not in parsed:
            parsed[blob.oid] = _read_values(path, blob.data)
        answers[index][place].update(parsed[blob.oid])


def _read_values(path: str, data: bytes) -> dict[str, Scalar]:
    from registry.manifests.read import read_values  # YAML takes time to import

    try:
        return read_values(path, data)
    except ManifestError:
        return {}  # an old broken file costs that version its metrics, nothing else

"""`diff A B`: what changed from one version to another (DESIGN part 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from registry.core.compare import Difference, differences
from registry.core.manifest import Declaration, Json
from registry.core.metadata import File
from registry.errors import RegistryError
from registry.porcelain import carried, views
from registry.porcelain.find import find
from registry.porcelain.values import ModelVersion
from registry.repository import Repository

_NOT_COMPARED = ("name", "source", "stages", "versions", "unusable")  # two are the place, two rules, one a fault


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions and all in which they differ."""

    before: ModelVersion
    after: ModelVersion
    entry: list[Difference]
    metadata: list[Difference]
    metrics: list[Difference]
    params: list[Difference]
    labels: list[Difference]
    stages: list[Difference]
    files: list[Difference]

    @property
    def sections(self) -> dict[str, list[Difference]]:
        """The groups of differences by their names, in the order in which they are shown."""
        names = ("entry", "metadata", "metrics", "params", "labels", "stages", "files")
        return {name: getattr(self, name) for name in names}

    def to_json(self) -> dict[str, Json]:
        """The shape of `diff --json`."""
        shape: dict[str, Json] = {"a": self.before.to_json(), "b": self.after.to_json()}
        for name, found in self.sections.items():
            shape[name] = [_row(difference, with_change=name == "metrics") for difference in found]
        return shape


def _row(difference: Difference, *, with_change: bool) -> Json:
    row: dict[str, object] = {"key": difference.key, "a": difference.before, "b": difference.after}
    if with_change:
        row["change"] = difference.change
    return row  # type: ignore[return-value]  # the values come from JSON or from YAML read as JSON


def diff(repository: Repository, one: str, other: str) -> Comparison:
    """Compare two versions, of one artifact or of two. Raises NotFound or UsageError."""
    (before, old), (after, new) = (_side(repository, text) for text in (one, other))
    return Comparison(
        before,
        after,
        entry=differences(_entry(old), _entry(new)),
        metadata=differences(_metadata(before), _metadata(after)),
        metrics=differences(before.metadata.metrics, after.metadata.metrics),
        params=differences(before.metadata.params, after.metadata.params),
        labels=differences(dict.fromkeys(before.metadata.labels, True), dict.fromkeys(after.metadata.labels, True)),
        stages=differences(dict.fromkeys(before.stages, True), dict.fromkeys(after.stages, True)),
        files=differences(_files(repository, before, old), _files(repository, after, new)),
    )


def _side(repository: Repository, text: str) -> tuple[ModelVersion, Declaration | None]:
    state, selected = find(repository, text)
    declared = repository.manifest_at(selected.commit, state.name).artifacts.get(state.name)
    return views.selected_view(repository, state, selected), declared


def _entry(declared: Declaration | None) -> dict[str, object]:
    if declared is None:
        return {}
    said = {key: _plain(value) for key, value in asdict(declared).items() if key not in _NOT_COMPARED}
    return {key: value for key, value in said.items() if value not in (None, "", [], {})}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


def _metadata(version: ModelVersion) -> dict[str, object]:
    known = version.metadata
    return {
        **{f"tags.{key}": value for key, value in known.tags.items()},
        **{f"deployments.{key}": value for key, value in known.deployments.items()},
        **{key: list(values) for key, values in known.other.items()},
        **{
            key: value
            for key, value in (
                ("description", known.description),
                ("run", known.run),
                ("run_url", known.run_url),
                ("uses", list(known.uses)),
                ("content", known.content),
            )
            if value not in (None, [])
        },
    }


def _files(repository: Repository, version: ModelVersion, declared: Declaration | None) -> dict[str, object]:
    """The files by path; of a version that recorded none (GTO's), from its commit."""
    files = version.metadata.artifacts
    if not files:
        try:
            files = tuple(carried.carried(repository, version.commit, declared, [])[0])
        except RegistryError:  # the file is gone or too large: then there is nothing to compare
            files = ()
    return {file.path: _file(file) for file in files}


def _file(file: File) -> dict[str, Json]:
    return {"sha256": file.sha256, "size": file.size}

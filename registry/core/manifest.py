"""What a manifest says, as values (DESIGN part 4). Reading the YAML is `registry.manifests`' work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Requirements:
    """Gates of a stage: `metrics` maps a metric to a condition such as `>=0.9`."""

    metrics: Mapping[str, str] = field(default_factory=dict)
    no_worse_than: str | None = None
    card: bool = False


@dataclass(frozen=True, slots=True)
class StageRule:
    """The rules of one stage. `after` is the stage that a version must have held first."""

    name: str
    after: str | None = None
    exclusive: bool = False
    allow: tuple[str, ...] = ()
    signed: bool = False
    approvals: int = 0
    require: Requirements | None = None


@dataclass(frozen=True, slots=True)
class VersionRules:
    """The rules for versions: must registrations be signed, may `--force` move one (`overwrite: forbid` says no)."""

    signed: bool = False
    overwrite: bool = True


Lifecycle: TypeAlias = Mapping[str, StageRule]  # in the order of the manifest


@dataclass(frozen=True, slots=True)
class Declaration:
    """One artifact as a manifest declares it.

    `name` is the full one (`cv:pool`). Every path is relative to the repository's root, with "/"; `path` may also be a
    URL. `source` is the file that declares it. `stages` and `versions` are the artifact's own rules, if it has any.
    `unusable` says why a path that it names is left out here.
    """

    name: str
    source: str
    type: str = "model"
    path: str | None = None
    description: str = ""
    framework: str = ""
    labels: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    card: str | Mapping[str, Json] | None = None
    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    artifacts: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Json] = field(default_factory=dict)
    version: str | None = None
    assign: Mapping[str, str | None] = field(default_factory=dict)
    stages: Lifecycle | None = None
    versions: VersionRules | None = None
    unusable: tuple[str, ...] = ()

    @property
    def is_url(self) -> bool:
        """Whether the bytes lie outside Git, at a URL."""
        return self.path is not None and "://" in self.path


@dataclass(frozen=True, slots=True)
class Manifest:
    """All manifests of one tree, taken together.

    `stages` is None where none is declared: any stage name goes. `broken` maps a file that could not be read to one
    line that says why, with its line and column; `doubts` does the same for rules of stages and versions that say what
    cannot be understood: of an artifact's own by its name, of the general ones by "". `files` are all manifests that
    there are, in the order in which they were taken; none means that the repository has no manifest at all. `names`
    are all that is declared, even where `artifacts` is about one alone.
    """

    stages: Lifecycle | None = None
    versions: VersionRules = VersionRules()
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    artifacts: Mapping[str, Declaration] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def about(self, artifact: str) -> Manifest:
        """This, with the declaration of one artifact alone."""
        declared = self.artifacts.get(artifact)
        return replace(self, artifacts={} if declared is None else {artifact: declared})

    def lifecycle(self, artifact: str) -> Lifecycle | None:
        """The stages of `artifact` in order with their rules: its own, else the general ones, else None (any)."""
        declared = self.artifacts.get(artifact)
        return declared.stages if declared is not None and declared.stages is not None else self.stages

    def version_rules(self, artifact: str) -> VersionRules:
        """The rules for versions of `artifact`: its own, else the general ones."""
        declared = self.artifacts.get(artifact)
        return declared.versions if declared is not None and declared.versions is not None else self.versions

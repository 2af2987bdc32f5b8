"""One version of a model, as a program uses it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from registry.api.registry import Registry
from registry.core.select import selector_of
from registry.errors import RegistryError

if TYPE_CHECKING:
    import pathlib

    from registry.artifacts.progress import Progress
    from registry.core.metadata import Metadata
    from registry.porcelain.pull import Pulled
    from registry.porcelain.values import ModelVersion, StageCondition


class Model:
    """One version of a model that a program uses, looked up when it is first asked about; reading creates nothing.

    `version` is a stage ("production"), "latest", "stable", "newest", a number, a SemVer or a range of them. Raises
    NotFound when it is asked about and is not there.
    """

    def __init__(
        self, name: str, version: str | int = "latest", *, repo: str | os.PathLike[str] | Registry | None = None
    ) -> None:
        self.name = name
        self._wanted = version
        self._repo = repo

    def __repr__(self) -> str:
        return f"Model({self.name!r}, version={self._wanted!r})"

    def _repr_html_(self) -> str:
        from registry.porcelain import html  # for notebooks

        return html.page(lambda: html.model(self._registry.repository, self.resolved), repr(self))

    def __getitem__(self, version: str | int) -> Model:
        """Another version of the same model."""
        return Model(self.name, version, repo=self._registry)

    __iter__: ClassVar[None] = None  # Python would count from 0 through __getitem__

    def _ipython_key_completions_(self) -> list[str]:
        try:
            words = [word for sign in "@#" for word in self._registry.complete(f"{self.name}{sign}")]
        except RegistryError:
            return []  # nothing to complete; a notebook would print a traceback
        return [word[len(self.name) + 1 :] for word in words]

    @cached_property
    def _registry(self) -> Registry:
        return self._repo if isinstance(self._repo, Registry) else Registry(self._repo)

    @cached_property
    def resolved(self) -> ModelVersion:
        """The version that this is."""
        return self._registry.get_version(self.name, self._wanted)

    def _selector(self) -> str:
        # What was answered before is meant, whatever has become of the stage since; a bare commit has no other name.
        found = self.resolved
        return selector_of(self.name, found.version if found.number is not None else self._wanted)

    def pull(
        self,
        output: str | os.PathLike[str] | None = None,
        *,
        remote: str | None = None,
        verify: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Pulled:
        """Bring its files into the directory `output`, by default NAME-VERSION, as `Registry.pull` does."""
        return self._registry.pull(self._selector(), output, remote=remote, verify=verify, on_progress=on_progress)

    def path(
        self,
        *,
        remote: str | None = None,
        verify: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> pathlib.Path:
        """Its file or directory, in the user's cache: see `Registry.keep`. Nothing may be written there."""
        return self._registry.keep(self._selector(), remote=remote, verify=verify, on_progress=on_progress).path

    def load(
        self,
        format: str | None = None,  # noqa: A002  (the reader's word)
        *,
        trusted: Sequence[str] = (),
        remote: str | None = None,
        verify: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Any:
        """What its file holds: an ONNX session, the tensors of safetensors, the object of skops.

        The suffix says which, else the manifest's `framework`. "joblib" and "pickle" have to be asked for by name, for
        loading one runs code of whoever made it. `trusted` are types that a skops file may hold beside those that are
        known to be harmless. Raises Refused where it is not safe, RegistryError where a package is missing.
        """
        from registry.porcelain.load import load

        kept = self._registry.keep(self._selector(), remote=remote, verify=verify, on_progress=on_progress)
        return load(kept, format, trusted)

    @property
    def version(self) -> str:
        """The version as text."""
        return self.resolved.version

    @property
    def number(self) -> int | None:
        """Its number among the model's versions, from 1."""
        return self.resolved.number

    @property
    def commit(self) -> str:
        """The full id of its commit."""
        return self.resolved.commit

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that it holds, assigned last first."""
        return self.resolved.stages

    @property
    def stage_conditions(self) -> tuple[StageCondition, ...]:
        """Every time that it entered a stage, oldest first."""
        return self.resolved.stage_conditions

    @property
    def metadata(self) -> Metadata:
        """What is known of it."""
        return self.resolved.metadata

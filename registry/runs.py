"""A training run that becomes a version: its files committed, registered and assigned, all or nothing."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ContextDecorator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from registry.core import names, plan, policy
from registry.core import version as versions
from registry.core.draft import Draft
from registry.core.names import Form
from registry.core.select import Selected
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, RegistryError, UsageError
from registry.evidence import Witness
from registry.plumbing import changes, commits, planting
from registry.plumbing.commits import Prepared
from registry.porcelain import register, views
from registry.porcelain.note import Facts
from registry.porcelain.register import Request
from registry.writing.clone import writing
from registry.writing.publish import publish
from registry.writing.values import Way

if TYPE_CHECKING:
    from registry.porcelain.values import ModelVersion
    from registry.providers.surroundings import Noticed
    from registry.repository import Repository
    from registry.writing.clone import Writing

F = TypeVar("F", bound=Callable[..., Any])

_active: ContextVar[tuple[Run, ...]] = ContextVar("registry_runs", default=())


def active_run() -> Run:
    """The innermost run that is under way, for code that was not handed it. Raises NotFound where there is none."""
    runs = _active.get()
    if not runs:
        raise NotFound("no run is under way", "with registry.promote(NAME) begins one")
    return runs[-1]


@dataclass
class _Logged:
    metrics: dict[str, object] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    tags: dict[str, object] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # path from the root: name, or ""
    tree: tuple[str, str, bool] | None = None  # a path from the root, the tree to be there, whether its files are


class Run(ContextDecorator):
    """What is logged between the beginning and the end of a run, and what becomes of it.

    At the end of a `with` block, or of a decorated function, the files that were logged are committed (those alone),
    the version is registered at that commit and assigned to `stage`, in one transaction. A block that raises registers
    nothing and leaves HEAD, index and files as it left them. `push` publishes the version after that: where the remote
    cannot be reached, it is registered here all the same. Where the version exists already, the run is attached to
    it: what is logged amends it. Of runs on one artifact inside each other, the inner one takes precedence: the outer
    is then attached to the version that the inner one made.
    """

    def __init__(
        self,
        repository: Repository,
        request: Request,
        stage: str | None,
        waiting: Callable[[], None],
        tell: Callable[[str], None],
        version_of: Callable[[str, str], ModelVersion],
    ) -> None:
        self._repository = repository
        self._request = request
        self._stage = stage
        self._waiting = waiting
        self._tell = tell
        self._version_of = version_of
        self._begin()

    def _begin(self) -> None:
        self._logged = _Logged()
        self._cancelled = False
        self._attached: str | None = None
        self._version: ModelVersion | None = None
        self._around: Noticed | None = None

    def _notice(self) -> None:
        """Remember the MLflow run that is active, now or at any word of the script: that is the run which it is."""
        if self._request.facts.run is None and "mlflow" in sys.modules:
            from registry.providers.surroundings import of_mlflow

            self._around = of_mlflow() or self._around

    def _recreate_cm(self) -> Run:
        # Each call of a decorated function is a run of its own.
        return Run(self._repository, self._request, self._stage, self._waiting, self._tell, self._version_of)

    def __call__(self, function: F) -> F:
        """Decorate a function; each call of it is a run. Raises UsageError for a generator, which has no one end."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(f"{function.__name__} is a generator", "say with registry.promote(...) inside it")
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @wraps(function)
        async def run(*arguments: Any, **named: Any) -> Any:
            with self._recreate_cm():
                return await function(*arguments, **named)

        return cast("F", run)

    # -- what a training script says -----------------------------------------------------------------------------

    def log_metric(self, name: str, value: object) -> None:
        """A metric of the version; said again, the last one counts."""
        self._notice()
        self._logged.metrics[name] = value

    def log_metrics(self, metrics: Mapping[str, object]) -> None:
        """Several metrics at once."""
        self._notice()
        self._logged.metrics.update(metrics)

    def log_param(self, name: str, value: object) -> None:
        """A parameter of the version; said again, the last one counts."""
        self._notice()
        self._logged.params[name] = value

    def log_params(self, params: Mapping[str, object]) -> None:
        """Several parameters at once."""
        self._notice()
        self._logged.params.update(params)

    def log_tag(self, name: str, value: object) -> None:
        """A tag `name=value` of the version (an MLflow-like tag, not a Git tag)."""
        self._notice()
        self._logged.tags[name] = value

    def log_artifact(self, path: str | os.PathLike[str], name: str = "") -> None:
        """A file or directory to be committed with the version. Raises NotFound, Refused or UsageError.

        Of a version that exists, the file has to be as it is there.
        """
        self._notice()
        inside = self._repository.inside(path)
        if self._repository.root is None or not (self._repository.root / inside).exists():
            raise NotFound(f"there is no file {os.fspath(path)}", "log it after it is written")
        if self._attached is not None:
            self._check_file(self._attached, inside)
        self._logged.files[inside] = name

    def log_tree(self, path: str, source: Path, leaving_out: Collection[str] = ()) -> None:
        """The files of a directory, to be committed at `path` instead of what is there; the work tree follows.

        Those at its top that `leaving_out` names stay out. Raises Refused where they cannot be kept as they are.
        """
        repository = self._repository
        if repository.root is None:
            raise Refused("this repository has no work tree", "a clone has one")
        try:
            tree = planting.plant(repository.clone, repository.head, source, path, leaving_out)
        except OSError as error:
            reason = error.strerror or str(error)
            where = error.filename if isinstance(error.filename, str) else os.fspath(source)
            raise Refused(f"{where} cannot be read: {reason}", "check its permissions and the disk") from error
        self._logged.tree = path, tree, os.path.realpath(source) == os.path.realpath(repository.root / path)

    def log_model(self, path: str | os.PathLike[str], name: str = "", framework: str | None = None) -> None:
        """The model's own file or directory, and the framework that made it."""
        self.log_artifact(path, name)
        if framework is not None:
            self.log_tag("framework", framework)

    def cancel(self) -> None:
        """End without a version; the rest of the block runs, and nothing of it is registered."""
        self._cancelled = True

    @property
    def version(self) -> ModelVersion:
        """The version that the run became. Raises Refused before its end, or where it was cancelled."""
        if self._version is None:
            raise Refused("the run has no version yet", "it has one at the end of the with block")
        return self._version

    # -- beginning and end ---------------------------------------------------------------------------------------

    def __enter__(self) -> Run:
        self._begin()
        artifact = self._request.artifact
        names.check_artifact(artifact)
        if self._request.choice.version is not None:
            versions.check(self._request.choice.version)
        if self._repository.root is None:
            raise Refused("this repository has no work tree", "run in a clone of it")
        self._repository.forget()
        self._repository.writer()
        manifest = self._repository.rules(artifact)
        if not self._request.undeclared:
            policy.check_declared(manifest, artifact)
        if self._stage is not None:
            names.check_stage(self._stage)
            policy.check_stage(manifest.lifecycle(artifact), self._stage)
        self._attached = self._existing()
        self._notice()
        _active.set((*_active.get(), self))
        return self

    def _existing(self) -> str | None:
        wanted = self._request.choice.version if not self._request.unused else None
        there = self._repository.state(self._request.artifact).versions.get(wanted) if wanted is not None else None
        return there.name if there is not None and there.active else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _active.set(_active.get()[:-1])
        if error is not None or self._cancelled:
            return
        self._notice()
        request, mark = self._with_run()
        version = self._finish(request)
        if self._request.way.push:
            version = self._publish(version)
        self._tell_all(mark(version))
        self._version = self._version_of(self._request.artifact, version)
        for outer in _active.get():
            if outer._request.artifact == self._request.artifact:
                outer._attached = version

    def _with_run(self) -> tuple[Request, Callable[[str], Sequence[str]]]:
        """The request with all that was logged and what is known of the run, and what marks that."""
        facts = self._facts()
        there = self._there()
        if facts.run is None and self._around is not None:
            facts = self._with_active(facts, self._around.run, there)
        request = replace(self._request, facts=facts)
        if there is not None and facts.run is None:
            return request, lambda _: ()  # of a version that is there, a workflow that says more of it is not the run
        commit, known = (there.commit, there.metadata) if there is not None else (self._repository.head, None)
        request, notes, mark = register.with_run(self._repository, request, commit, known)
        self._tell_all(notes)
        return request, mark

    def _with_active(self, facts: Facts, run: str, there: ModelVersion | None) -> Facts:
        """`facts` with the run that is active, unless the version is there, and another run's."""
        if there is not None and there.metadata.run not in {None, run}:
            self._tell_all(
                [f"{run} is active, and not recorded: {there.version} is of another run; run=... says otherwise"]
            )
            return facts
        self._tell_all([f"{run} is recorded as the run, for it is active; run='' leaves it out"])
        return replace(facts, run=run)

    def _there(self) -> ModelVersion | None:
        """The version that the run is attached to, with all that its tags, files and card say."""
        if self._attached is None:
            return None
        self._repository.forget()  # it may have been amended since the run began
        state = self._repository.state(self._request.artifact)
        return views.version_views(self._repository, [(state, state.versions[self._attached])])[0]

    def _finish(self, request: Request) -> str:
        with writing(self._repository, self._request.artifact, self._waiting, self._request.way, new=True) as now:
            if self._attached is not None:
                return self._amend(now, self._attached, request.facts)
            return self._register(now, request)

    def _publish(self, version: str) -> str:
        """Publish what the run has become; the name that the version has then. Raises Refused where it cannot be."""
        repository, artifact = self._repository, self._request.artifact
        place = repository.remote(self._request.way.remote)
        try:
            done = publish(repository, place, [artifact], Way(), self._waiting)
        except RegistryError as error:
            error.hint = f"{artifact} {version} is registered here; registry push publishes it"
            raise
        self._tell_all(done.notes)
        for lost in (one for one in done.withdrawn if one.event.tag == f"{names.in_tag(artifact)}@{version}"):
            raise Refused(f"{lost.event.tag} could not be published: {lost.why}", "registry status lists what was left")
        return done.renamed.get(f"{artifact}@{version}", f"{artifact}@{version}").rpartition("@")[2]

    def _check_file(self, version: str, path: str) -> None:
        there = self._repository.state(self._request.artifact).versions[version]
        if not changes.same_at(self._repository.git, self._repository.root, there.commit, path):
            raise Refused(
                f"{self._request.artifact} {version} exists, and its {path} is another",
                "leave the version out for the next",
            )

    def _amend(self, now: Writing, version: str, facts: Facts) -> str:
        for path in [*self._logged.files, *(path for _, path in self._request.artifacts)]:
            self._check_file(version, path)
        keys = replace(facts, uses=register.used_versions(self._repository, facts.uses)).keys()
        there = now.state.versions[version]
        drafts = []
        if keys:
            subject = f"Annotate {now.state.name} {version}"
            drafts.append(Draft(Form.AMENDMENT, now.state.name, there.commit, subject, version, None, "", keys))
        assignment = self._assignment(now.preview(drafts), version)
        now.write([*drafts, *assignment], sign=self._request.way.sign)
        self._tell_all(self._stage_notes(assignment, version))
        return version

    def _register(self, now: Writing, told: Request) -> str:
        repository = self._repository
        choice = plan.choose(now.state, self._request.choice)
        prepared = self._commit(now, choice.text)
        commit = prepared.commit if prepared is not None else repository.commit(self._request.revision)
        files = [*self._logged.files.items(), *([(self._logged.tree[0], "")] if self._logged.tree else [])]
        request = replace(told, artifacts=[*told.artifacts, *((name, path) for path, name in files)])
        carry = register.carrying(repository, request, commit)
        decision = register.plan(repository, now.state, request, commit, carry)
        version = choice.text
        assignment = self._assignment(now.preview(decision.drafts), version)
        also = [prepared.change] if prepared is not None else []
        notes = [*decision.notes, *register.unsaved(repository, now.state.name, commit)]
        notes += now.write([*decision.drafts, *assignment], sign=request.way.sign, also=also).notes
        self._tell_all([*notes, *self._stage_notes(assignment, version)])
        return version

    def _stage_notes(self, assignment: Sequence[Draft], version: str) -> list[str]:
        if self._stage is None or not assignment:
            return []
        artifact = self._request.artifact
        return plan.notes_on(self._repository.rules(artifact), artifact, version, self._stage)

    def _tell_all(self, notes: Sequence[str]) -> None:
        for note in notes:
            self._tell(note)

    def _facts(self) -> Facts:
        said = self._request.facts
        return replace(
            said,
            metrics={**said.metrics, **self._logged.metrics},
            params={**said.params, **self._logged.params},
            tags={**said.tags, **self._logged.tags},
        )

    def _commit(self, now: Writing, version: str) -> Prepared | None:
        root = self._repository.root
        if not (self._logged.files or self._logged.tree) or root is None or now.held is None:
            return None
        paths = [os.fspath(root / path) for path in self._logged.files]
        message = f"Promote {self._request.artifact} {version}"
        if self._request.note.message:
            message += f"\n\n{self._request.note.message}"
        if self._logged.tree is not None:
            path, tree, here = self._logged.tree
            return planting.prepare(self._repository.git, self._repository.head, path, tree, message, here=here)
        return commits.prepare(self._repository.git, now.held.clone.room, self._repository.head, paths, message)

    def _assignment(self, state: ArtifactState, version: str) -> list[Draft]:
        if self._stage is None:
            return []
        chosen = Selected(state.name, state.versions[version].commit, state.versions[version])
        note = self._request.note
        rules = self._repository.rules(state.name)
        show = Witness(self._repository)
        return plan.assignment(rules, state, chosen, self._stage, show=show, body=note.message, keys=note.keys())

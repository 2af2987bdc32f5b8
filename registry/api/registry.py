"""The registry of one repository, as programs and every face use it.

Nothing here prints: notes for
a person go to `on_note`. Each verb is imported when it is called, so that reading does not wait for what writing needs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from registry.api.keywords import How, Path, Registering, Travelling, as_journey, as_request, as_way, how_of
from registry.core import select
from registry.errors import RegistryError, UsageError
from registry.plumbing.address import is_url
from registry.porcelain.find import find
from registry.repository import Repository, open_repository

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from registry.api.model import Model
    from registry.artifacts.progress import Progress
    from registry.core.facts import Facts, StageNow
    from registry.core.manifest import Json
    from registry.core.push import Objection
    from registry.core.trust import Proof
    from registry.manifests.check import Problem
    from registry.porcelain.diff import Comparison
    from registry.porcelain.doctor import Diagnosis
    from registry.porcelain.event import EventDetail
    from registry.porcelain.gitops import Changes, Plan
    from registry.porcelain.importing import Imported
    from registry.porcelain.keep import Kept
    from registry.porcelain.lineage import Lineage
    from registry.porcelain.manifests import Edited
    from registry.porcelain.pull import Pulled
    from registry.porcelain.reading import StageView
    from registry.porcelain.review import Review
    from registry.porcelain.status import Status
    from registry.porcelain.sync import Fetched, Pushed, Unpublished
    from registry.porcelain.values import Artifact, ArtifactDetail, EventView, ModelVersion, Written
    from registry.porcelain.verify import Baseline, Verification
    from registry.runs import Run

T = TypeVar("T")


def _open(where: str | None) -> Repository:
    """The repository at a URL, or at or above a path; without either, as Git finds it from here.

    Raises UsageError for a URL that is none, NotFound or GitFailed for a path. A URL is asked when something is read.
    """
    if where is None or not is_url(where):
        return open_repository(where)
    from registry.mirrored import at_url

    return at_url(where)


def _log(note: str) -> None:
    import logging  # the command line gives its own function, and starts faster without

    logging.getLogger("registry").warning(note)


class Registry:
    """The registry of one Git repository.

    `path` is the repository, any directory in it, or a URL, which is read without a clone and written to by pushing;
    without one it is found from the current directory, as Git does.
    `on_note` is told what a person should know (a large file, a stage that went to another version); by default that
    goes to the logger "registry". `on_progress` is told what Git says while it talks to another machine, that a run
    is asked about where that takes long, and "" when it has ended. Raises NotFound where there is no repository.

    All methods raise `RegistryError`: `NotFound`, `Refused` (a rule), `UsageError` (a malformed name, version or
    selector), `GitFailed`. A method that raises has written nothing.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        on_note: Callable[[str], None] | None = None,
        on_progress: Callable[[str], None] | None = None,
    ) -> None:
        self.repository: Repository = _open(None if path is None else os.fspath(path))
        self._on_note = on_note or _log
        if on_progress is not None:
            self.repository.progress = on_progress

    def __repr__(self) -> str:
        return f"Registry({self.repository.name!r})"

    def _repr_html_(self) -> str:
        from registry.porcelain import html  # for notebooks

        return html.page(lambda: html.artifacts(self.repository.name, self.show()), repr(self))

    def __getitem__(self, artifact: str) -> Model:
        """The latest version of an artifact, as a `Model`; `reg["churn"]["production"]` is that in a stage."""
        from registry.api.model import Model

        return Model(artifact, repo=self)

    __iter__: ClassVar[None] = None  # Python would count from 0 through __getitem__

    def _ipython_key_completions_(self) -> list[str]:
        try:
            return self.complete("")
        except RegistryError:
            return []  # nothing to complete; a notebook would print a traceback

    def refresh(self) -> None:
        """Forget what was read: the next answer comes from the repository as it is then."""
        self.repository.refresh()

    def inside(self, path: str | os.PathLike[str]) -> str:
        """`path` relative to the repository's root, with "/". Raises UsageError where it leads out."""
        return self.repository.inside(path)

    # -- reading -------------------------------------------------------------------------------------------------

    def resolve(self, selector: str, *, verify: bool = False) -> ModelVersion:
        """The one version that a selector means, such as `churn@latest`, `churn#production` or `churn@^1.2`.

        With `verify`, raises Refused where anything that is known of the artifact is not to be trusted.
        """
        from registry.porcelain.reading import resolve

        self._tell_of_missing(selector)
        self._insist(selector, wanted=verify)
        return resolve(self.repository, selector)

    def find(self, selector: str, *, verify: bool = False) -> str:
        """The version alone that a selector means, or a commit's full id: `resolve` without reading any manifest."""
        self._tell_of_missing(selector)
        self._insist(selector, wanted=verify)
        return find(self.repository, selector)[1].subject

    def show(
        self,
        *,
        where: Sequence[str] = (),
        type: str | None = None,  # noqa: A002  (the manifest's word)
        labels: Sequence[str] = (),
        stage: str | None = None,
        sort: str | None = None,
        deprecated: bool = False,
    ) -> list[Artifact]:
        """Every artifact; `where` takes conditions on the latest version such as `metrics.auc>0.9`."""
        from registry.porcelain.reading import Filter, show_all

        self._tell_of_missing()
        wanted = Filter(tuple(where), type, tuple(labels), stage, sort, deprecated)
        self._tell_of_broken()
        return show_all(self.repository, wanted)

    def show_artifact(
        self,
        selector: str,
        *,
        where: Sequence[str] = (),
        labels: Sequence[str] = (),
        stage: str | None = None,
        sort: str | None = None,
    ) -> ArtifactDetail:
        """One artifact with its versions, greatest first; `where` looks at each version."""
        from registry.porcelain.reading import Filter, show_one

        self._tell_of_missing(selector)
        return show_one(self.repository, selector, Filter(tuple(where), None, tuple(labels), stage, sort))

    def list_versions(self, artifact: str | None = None) -> list[ModelVersion]:
        """The versions of an artifact, greatest first, deregistered ones too (`active` is false then).

        Without an artifact, those of all, by its name, in the order in which they were registered first.
        """
        if artifact is not None:
            return list(self.show_artifact(artifact).versions)
        from registry.porcelain.views import version_views

        self._tell_of_missing()
        states = [state for _, state in sorted(self.repository.states.items())]
        return version_views(self.repository, [(state, v) for state in states for v in state.versions.values()])

    def get_version(self, artifact: str, version: str | int) -> ModelVersion:
        """One version, by SemVer, number, stage or any word of a selector. Raises NotFound."""
        if isinstance(artifact, str) and (sign := re.search("[@#]", artifact)) is not None:
            name, wanted = artifact[: sign.start()], artifact[sign.end() :] or "latest"
            hint = f"say Model({name!r}, version={wanted!r}), or resolve({artifact!r})"
            raise UsageError(f"not the name of a model, but a selector: {artifact!r}", hint)
        return self.resolve(select.selector_of(artifact, version))

    def complete(self, typed: str) -> list[str]:
        """What a selector that begins with `typed` could be: artifacts; after an "@" versions, after a "#" stages."""
        from registry.porcelain.reading import complete

        return complete(self.repository, typed)

    def history(self, selector: str | None = None) -> list[EventView]:
        """The events of an artifact, of one version, of a stage, or of everything; oldest first."""
        from registry.porcelain.reading import history

        found = history(self.repository, selector)
        self._tell_of_missing(selector)  # afterwards: it asks for what has been read now
        return found

    def check_ref(self, tag: str) -> EventView:
        """The one event that a tag is."""
        from registry.porcelain.reading import check_ref

        return check_ref(self.repository, tag)

    def facts(self, tag: str) -> Facts:
        """What the event that a tag is meant when it happened, and whether it is still so."""
        from registry.porcelain.event import facts

        return facts(self.repository, tag)[1]

    def touched(self, events: Iterable[Facts]) -> list[StageNow]:
        """The stages that events have touched, as they are now: what to deploy."""
        from registry.porcelain.event import touched

        return touched(self.repository, events)

    def event(self, tag: str) -> EventDetail:
        """The event that a tag is, with what is known of the version that it is about."""
        from registry.porcelain.event import detail

        return detail(self.repository, tag)

    def stages(self) -> list[StageView]:
        """Every stage, in the order of the lifecycle, with what is in it."""
        from registry.porcelain.reading import stages

        self._tell_of_broken()
        self._tell_of_missing()
        return stages(self.repository)

    def diff(self, one: str, other: str) -> Comparison:
        """What changed from one version to another."""
        from registry.porcelain.diff import diff

        return diff(self.repository, one, other)

    def lineage(self, selector: str) -> Lineage:
        """What a version was made from, and what was made from it."""
        from registry.porcelain.lineage import lineage

        return lineage(self.repository, selector)

    def status(self, *, remote: str | None = None, offline: bool = False) -> Status:
        """How the work tree and HEAD stand to what is registered, and the tags here to those of the remote.

        The remote is asked, unless `offline`; where it cannot be, the answer is as it was last fetched.
        """
        from registry.porcelain.status import status

        self._tell_of_broken()
        self._tell_of_missing()
        found = status(self.repository, remote, self._waiting, offline=offline)
        if found.remote is not None and found.remote.unasked:
            self._on_note(f"{found.remote.name} could not be asked: {found.remote.unasked}")
        return found

    def doctor(self) -> Diagnosis:
        """What is damaged, ambiguous or doubtful."""
        from registry.porcelain.doctor import doctor

        self._tell_of_missing()
        return doctor(self.repository)

    def verify(self, selector: str | None = None, *, policy: str | None = None, present: bool = False) -> Verification:
        """Judge every event, or those that a selector is about, by the policy and the signers of the trusted branch:
        the revision `policy`, else the remote's default branch as last fetched, else HEAD. With `present`, that branch
        is as the remote has it now, which is asked. Raises Refused where that policy cannot be read."""
        from registry.porcelain.verify import verify
        from registry.trust import at_tip, trusted

        if present and policy is not None:
            raise UsageError("the policy is that of a revision or of the remote's present", "say one of the two")
        self._tell_of_missing(selector)
        trust = at_tip(self.repository) if present else trusted(self.repository, policy)
        return verify(self.repository, selector, trust)

    def signatures(self, tags: Iterable[str]) -> dict[str, Proof]:
        """Who is proven to have signed each of these tags, by the signers of the trusted branch."""
        from registry.porcelain.verify import signatures
        from registry.trust import trusted

        return signatures(self.repository, tags, trusted(self.repository))

    def write_baseline(self, artifact: str | None = None, *, policy: str | None = None) -> Baseline:
        """Accept every event, or those of one artifact, as it is now: in `.registry/baseline` of the work tree."""
        from registry.porcelain.verify import write_baseline
        from registry.trust import trusted

        return write_baseline(self.repository, artifact, trusted(self.repository, policy))

    def _insist(self, selector: str, *, wanted: bool) -> None:
        if wanted:
            from registry.core import select
            from registry.porcelain.verify import insist
            from registry.trust import trusted

            insist(self.repository, select.parse(selector).artifact, trusted(self.repository))

    def judge_push(self, said: bytes) -> list[Objection]:
        """What stands against a push; `said` is what Git tells a pre-receive hook. Nothing is changed."""
        from registry.porcelain import hook

        return hook.judge(self.repository, hook.parse(said))

    def install_hook(self) -> str:
        """Write the pre-receive hook into this repository, which others push to; its path. Raises Refused where another
        one is there."""
        from registry.porcelain import hook

        return os.fspath(hook.install(self.repository))

    def pull(
        self,
        selector: str,
        output: str | os.PathLike[str] | None = None,
        *,
        remote: str | None = None,
        verify: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Pulled:
        """Bring the files that a version carries into the directory `output`, by default NAME-VERSION.

        They are verified against what was registered, and move in at the end, all or none; other files there stay.
        `remote` is the one whose Git LFS server is asked (left out: the branch's upstream, else origin, else the only
        one). With `verify`, raises Refused where anything that is known of the artifact is not to be trusted.
        `on_progress` is told how many bytes are there, sometimes from a thread of its own. Raises StoreFailed
        where Git LFS, DVC or a URL cannot be read; pulling again goes on from there.
        """
        from registry.porcelain.pull import pull

        self._insist(selector, wanted=verify)
        where = None if output is None else os.fspath(output)
        waiting = "another pull is writing to that directory; waiting for it"
        tell = on_progress or (lambda _: None)
        return pull(self.repository, selector, where, remote, tell, lambda: self._on_note(waiting))

    def keep(
        self,
        selector: str,
        *,
        remote: str | None = None,
        verify: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Kept:
        """Have the files of a version in the user's cache: fetched as `pull` does where they are not there, verified
        each time. They are read-only, and stay until the cache is deleted."""
        from registry.porcelain.keep import keep

        self._insist(selector, wanted=verify)
        return keep(self.repository, selector, remote, on_progress or (lambda _: None), self._on_note)

    # -- writing -------------------------------------------------------------------------------------------------

    def register(self, artifact: str, revision: str = "HEAD", **said: Unpack[Registering]) -> ModelVersion:
        """Make the commit `revision` a version: `version=`, or the next one by `bump=` ("major", "minor", "patch").

        `Registering` lists what may be said of it. A dry run answers what would be, and writes nothing.
        """
        written = self.register_written(artifact, revision, **said)
        [event] = written.events
        if said.get("dry_run"):
            return self._would_be(event)
        return self.get_version(artifact, event.version or "")

    def register_written(self, artifact: str, revision: str = "HEAD", **said: Unpack[Registering]) -> Written:
        """`register`, answered with the event alone."""
        from registry.porcelain.register import register

        request = as_request(artifact, revision, said, self.inside)
        return self._noted(register(self.repository, request, self._waiting))

    def assign(
        self,
        selector: str,
        stage: str,
        *,
        reason: str | None = None,
        message: str = "",
        force: bool = False,
        **how: Unpack[How],
    ) -> Written:
        """Put a version into a stage. Where it is there already, nothing is written; `force` writes it again."""
        from registry.porcelain.note import Note
        from registry.porcelain.stages import assign

        way = as_way(how, force=force)
        note = Note(message, reason)
        return self._noted(assign(self.repository, selector, stage, note, way, self._waiting))

    def unassign(
        self,
        selector: str,
        stage: str,
        *,
        reason: str | None = None,
        message: str = "",
        everyone: bool = False,
        **how: Unpack[How],
    ) -> Written:
        """Take a version out of a stage; an artifact's name alone means what is in the stage, with `everyone` all that
        is in it, also behind that."""
        from registry.porcelain.note import Note
        from registry.porcelain.stages import clear, unassign

        way = as_way(how)
        note = Note(message, reason)
        if everyone:
            return self._noted(clear(self.repository, selector, stage, note, way, self._waiting))
        return self._noted(unassign(self.repository, selector, stage, note, way, self._waiting))

    def move(
        self,
        selector: str,
        into: str | None = None,
        *,
        out_of: Sequence[str] = (),
        alone: bool = False,
        others_into: str | None = None,
        reason: str | None = None,
        message: str = "",
        **how: Unpack[How],
    ) -> Written:
        """Put a version into a stage and take it out of others, all or none; what is so already is left.

        With `alone` every other version leaves that stage first, as where it is exclusive, and goes into
        `others_into`, if that is said.
        """
        from registry.porcelain.note import Note
        from registry.porcelain.stages import Move, move

        where = Move(into, tuple(out_of), alone, others_into)
        return self._noted(move(self.repository, selector, where, Note(message, reason), as_way(how), self._waiting))

    def rollback(
        self,
        artifact: str,
        stage: str,
        *,
        reason: str | None = None,
        message: str = "",
        **how: Unpack[How],
    ) -> Written:
        """Assign the last other active version that the stage resolved to; twice returns."""
        from registry.porcelain.note import Note
        from registry.porcelain.stages import rollback

        way = as_way(how)
        note = Note(message, reason)
        return self._noted(rollback(self.repository, artifact, stage, note, way, self._waiting))

    def deregister(
        self,
        selector: str,
        *,
        reason: str | None = None,
        message: str = "",
        **how: Unpack[How],
    ) -> Written:
        """Withdraw a version; its number and its name stay taken."""
        from registry.porcelain.amend import deregister
        from registry.porcelain.note import Note

        way = as_way(how)
        return self._noted(deregister(self.repository, selector, Note(message, reason), way, self._waiting))

    def deprecate(
        self,
        artifact: str,
        *,
        reason: str | None = None,
        message: str = "",
        force: bool = False,
        **how: Unpack[How],
    ) -> Written:
        """Mark an artifact as no longer to be used; any later event revives it."""
        from registry.porcelain.amend import deprecate
        from registry.porcelain.note import Note

        way = as_way(how, force=force)
        return self._noted(deprecate(self.repository, artifact, Note(message, reason), way, self._waiting))

    def annotate(
        self,
        selector: str,
        *,
        message: str = "",
        reason: str | None = None,
        description: str | None = None,
        labels: Sequence[str] = (),
        run: str | None = None,
        run_url: str | None = None,
        metrics: Mapping[str, object] | None = None,
        params: Mapping[str, object] | None = None,
        tags: Mapping[str, object] | None = None,
        uses: Sequence[str] = (),
        content: object = None,
        deployments: Mapping[str, str] | None = None,
        **how: Unpack[How],
    ) -> Written:
        """Add to what is known of a version. `labels` and `uses` replace those that were there; of metrics,
        parameters, tags and deployments those of the same name, and an empty value removes one."""
        from registry.porcelain.amend import annotate
        from registry.porcelain.note import Facts, Note

        facts = Facts(
            description, labels, run, run_url, metrics or {}, params or {}, tags or {}, uses, content, deployments or {}
        )
        way = as_way(how)
        return self._noted(annotate(self.repository, selector, facts, Note(message, reason), way, self._waiting))

    def approve(
        self,
        selector: str,
        stage: str,
        *,
        reason: str | None = None,
        message: str = "",
        force: bool = False,
        **how: Unpack[How],
    ) -> Written:
        """Approve a version for a stage, signed by you. Where you have done so already, nothing is written, unless
        `force`."""
        from registry.porcelain.amend import approve
        from registry.porcelain.note import Note

        way = as_way(how, force=force)
        return self._noted(approve(self.repository, selector, stage, Note(message, reason), way, self._waiting))

    def delete(self, *tags: str, **how: Unpack[How]) -> Written:
        """Delete tags for good, all or none. History forgets them: `deregister` is nearly always what is meant."""
        from registry.porcelain.delete import delete

        return self._noted(delete(self.repository, tags, as_way(how), self._waiting))

    def promote(self, artifact: str, *, stage: str | None = None, **said: Unpack[Registering]) -> Run:
        """A run that becomes a version at its end: `with reg.promote("churn", stage="staging") as run: ...`

        It takes what `register` takes, but for `dry_run`, and decorates a function as well; `registry.active_run()` is
        the run there.
        """
        from registry.runs import Run

        if said.get("dry_run"):
            raise UsageError("a run is not made dry", "run.cancel() ends it without a version")
        how_of(said, Registering, "promote")
        request = as_request(artifact, "HEAD", said, self.inside)
        return Run(self.repository, request, stage, self._waiting, self._on_note, self.get_version)

    model = promote  # @reg.model("churn", version="v1.0.5"): the same, as a decorator reads it

    # -- the manifest --------------------------------------------------------------------------------------------

    def init(self) -> Edited:
        """Write a manifest to begin with. Raises Refused where there is one."""
        from registry.porcelain.manifests import init

        return init(self.repository)

    def add(self, artifact: str, *, commit: bool = False, **fields: Json) -> Edited:
        """Declare an artifact in the work tree's manifest; `fields` are the keys of its entry (DESIGN part 4).

        `commit` commits the manifest, and nothing else.
        """
        from registry.porcelain.manifests import add

        return self._edited(add(self.repository, artifact, fields, self._waiting, commit=commit))

    def change(self, artifact: str, *, commit: bool = False, **fields: Json) -> Edited:
        """Say `fields` in an artifact's entry of the work tree's manifest; None takes a key out, the others stay."""
        from registry.porcelain.manifests import change

        return self._edited(change(self.repository, artifact, fields, self._waiting, commit=commit))

    def remove(self, artifact: str, *, commit: bool = False) -> Edited:
        """Take an artifact out of the work tree's manifest; its versions stay."""
        from registry.porcelain.manifests import remove

        return self._edited(remove(self.repository, artifact, self._waiting, commit=commit))

    def import_gto(self, *, dry_run: bool = False) -> Imported:
        """Declare in the work tree's registry.yaml what GTO's artifacts.yaml and .gto declare; nothing is committed.
        Its tags are read as they are."""
        from registry.porcelain.importing import from_gto

        return self._brought(from_gto(self.repository, dry_run=dry_run))

    def import_mlflow(self, uri: str | None = None, models: Sequence[str] = (), **how: Unpack[How]) -> Imported:
        """Register the versions of a registry of MLflow's, at `uri` or where MLflow is told to look, of some `models`
        or of all: of a model all or none, and nothing twice."""
        from registry.porcelain.import_mlflow import from_mlflow

        return self._brought(from_mlflow(self.repository, uri, models, as_way(how), self._waiting))

    def _brought(self, imported: Imported) -> Imported:
        for note in imported.notes:
            self._on_note(note)
        return imported

    def check(self) -> list[Problem]:
        """Every problem of the manifests in the work tree."""
        from registry.porcelain.manifests import check

        return check(self.repository)

    def at_work(self, work: Callable[[Registry], T]) -> T:
        """What `work` gives of a registry that has a work tree: this one, or one of a clone made for it.

        Of that clone, the new commits and the events are published as they are, all or none, so that what `work` gives
        is true. Where somebody was faster, `work` is called again with a new one; raises Taken where that does not end.
        """
        if self.repository.root is not None:
            return work(self)
        from registry.porcelain.workshop import at_work

        return at_work(self.repository, lambda there: work(self._like(there)), self._waiting)

    def _like(self, repository: Repository) -> Registry:
        other = Registry.__new__(Registry)
        other.repository, other._on_note = repository, self._on_note
        return other

    # -- what the manifest wants ---------------------------------------------------------------------------------------

    def plan(self, revision: str | None = None) -> Plan:
        """The tags that `apply` would make by the manifests at `revision`, by default HEAD."""
        from registry.porcelain.plan import plan

        self._tell_of_missing()
        return plan(self.repository, revision)

    def apply(
        self,
        *,
        revision: str | None = None,
        batch: int | None = None,
        changes: Changes | None = None,
        on_batch: Callable[[Written], None] | None = None,
        **how: Unpack[How],
    ) -> Written:
        """Make true what the manifests want at the present tip of the remote's default branch (without a remote, at
        HEAD), or at `revision`: all of it or nothing.

        `batch` publishes in atomic pushes of at most so many tags each; what was cut off, the next call goes on with.
        `changes` gives the pull request that brought a commit, to be recorded. `on_batch` is told what each batch has
        made as soon as it is published, whatever becomes of the next.
        """
        from registry.porcelain.apply import apply

        return self._noted(apply(self.repository, revision, batch, changes, as_way(how), self._waiting, on_batch))

    def review(self, base: str, head: str = "HEAD") -> Review:
        """What the change of the manifests from where `head` left `base` means, without checking anything out."""
        from registry.porcelain.review import review

        self._tell_of_missing()
        return review(self.repository, base, head)

    # -- other repositories ----------------------------------------------------------------------------------------

    def fetch(self, *artifacts: str, remote: str | None = None) -> Fetched:
        """Take in the remote's tags of some artifacts, or of all. No tag that is here moves."""
        from registry.porcelain.sync import fetch

        return fetch(self.repository, artifacts, remote, self._waiting)

    def repair(self, tag: str | None = None, *, base: str | None = None) -> tuple[str, ...]:
        """Mend what a checkout by CI left out or left behind: the tags of the artifact that `tag` is about, of all
        without one, become those of the remote, and the history down to the commit `base` is brought.

        Gives the tags that were otherwise here than there: their events are withdrawn, and kept by their ids. For a
        clone that will be thrown away: it becomes a partial one.
        """
        from registry.porcelain.checkout import repair

        return repair(self.repository, tag, base, self._waiting)

    def unpublished(self, *artifacts: str, remote: str | None = None) -> Unpublished:
        """What `push` would publish, as far as was fetched: nobody is asked.

        Raises NotFound without a remote, UsageError where several could be meant.
        """
        from registry.porcelain.sync import unpublished

        return unpublished(self.repository, artifacts, remote)

    def push(self, *artifacts: str, remote: str | None = None) -> Pushed:
        """Publish what was written here and not published, of some artifacts or of all, in order.

        Where others have published meanwhile, each event is decided again: a version that was free to choose takes the
        next name, and what cannot be any more is withdrawn (`Pushed.withdrawn`), with all that depends on it.
        """
        from registry.porcelain.sync import push

        pushed = push(self.repository, artifacts, remote, self._waiting)
        self._noted(pushed.written)
        return pushed

    def copy(self, selector: str, to: Path | Registry, **said: Unpack[Travelling]) -> Written:
        """Copy a version to another repository: its files and manifest entry as one commit without parents, what is
        known of it, and, `with_stages`, the stages that it is in."""
        from registry.porcelain.copy import copy

        return self._noted(copy(self.repository, selector, self._other(to), *as_journey(said), self._waiting))

    def transfer(self, selector: str, to: Path | Registry, **said: Unpack[Travelling]) -> Written:
        """Move a version to another repository: `copy` it there and `deregister` it here, with a word where it went."""
        from registry.porcelain.copy import transfer

        return self._noted(transfer(self.repository, selector, self._other(to), *as_journey(said), self._waiting))

    def _other(self, to: Path | Registry) -> Repository:
        if isinstance(to, Registry):
            return to.repository
        other = _open(os.fspath(to))
        other.progress = self.repository.progress
        return other

    # -- inside --------------------------------------------------------------------------------------------------

    def _would_be(self, event: EventView) -> ModelVersion:
        from registry.porcelain.values import ModelVersion

        state = self.repository.state(event.artifact)
        there = state.versions.get(event.version or "")
        return ModelVersion(
            artifact=event.artifact,
            version=event.version or "",
            number=there.number if there is not None else state.number + 1,
            commit=event.commit,
            tag=event.tag,
            active=True,
            stages=(),
            stage_conditions=(),
            registered_at=event.date,
            registered_by=event.author,
            message=event.message,
            path=None,
            type="model",
            description=event.metadata.description or "",
            metadata=event.metadata,
        )

    def _noted(self, written: Written) -> Written:
        for note in written.notes:
            self._on_note(note)
        return written

    def _edited(self, edited: Edited) -> Edited:
        for note in edited.notes:
            self._on_note(note)
        return edited

    def _tell_of_broken(self) -> None:
        """Tell of manifests that could have declared something, had they been readable."""
        for path, reason in self.repository.manifest_at_head.broken.items():
            self._on_note(f"{path} at HEAD cannot be read: {reason}")

    def _tell_of_missing(self, selector: str | None = None) -> None:
        """Tell where this clone may lack tags: of one artifact, or of any."""
        artifact = None if selector is None else select.parse(selector).artifact
        if self.repository.is_whole(artifact):
            return
        from registry.writing.standing import incomplete

        reason = incomplete(self.repository, artifact)
        if reason is not None:
            self._on_note(f"{reason}; registry fetch brings them")

    def _waiting(self) -> None:
        self._on_note("waiting for another registry command in this clone")

"""`import mlflow`: registered models and their versions from a registry of MLflow's (DESIGN part 5)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any

from registry.artifacts.hiding import without_secrets
from registry.core import draft, names, plan
from registry.core import version as versions
from registry.core.draft import Draft, Intent
from registry.core.manifest import Json
from registry.core.message import one_line
from registry.core.names import Form
from registry.core.select import Selected, Selector
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, RegistryError, StoreFailed, UsageError
from registry.evidence import Witness
from registry.porcelain import importing, views
from registry.porcelain.importing import Imported
from registry.porcelain.note import Facts
from registry.porcelain.values import EventView
from registry.providers import mlflow as tracked
from registry.providers.ask import fitting, is_page
from registry.repository import Repository
from registry.writing.values import Decision, Way
from registry.writing.write import write

_COMMIT = "mlflow.source.git.commit"
_SEMVER = "semver"  # what `registry.mlflow` shows and takes, too
_SOURCE = "mlflow.source"
_PAGE = 100  # versions that are asked for at once
_NO_STAGE = {"", "None", "Archived"}


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of MLflow's, as it arrives. `stages` are its aliases and its stage, as far as they are names here."""

    number: int
    name: str
    commit: str
    facts: Facts
    origin: str
    date: str | None
    author: str | None
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    artifact: str
    description: str
    tags: Mapping[str, str]
    versions: tuple[_Version, ...]
    notes: tuple[str, ...] = field(default=())


def from_mlflow(
    repository: Repository, uri: str | None, models: Sequence[str], way: Way, waiting: Callable[[], None]
) -> Imported:
    """Register each version of each model (of all, where none is named) that is not here yet; of a model all or none.

    A version is at the commit that MLflow says its run had, where this repository has it, else at HEAD. Models are
    declared in the work tree's `registry.yaml`. What a version was brought from is in its tag, so that nothing is
    brought twice. Raises NotFound, Refused or StoreFailed; models before the one that it is about stay.
    """
    head = repository.head
    if head is None:
        raise NotFound("nothing is committed here yet", "git commit first: a version is a commit")
    client = _Client(uri)
    found = [_model(repository, client, said, head) for said in client.models(models)]
    taken: dict[str, str] = {}
    for one in found:
        if taken.setdefault(one.artifact.lower(), one.name) != one.name:
            raise Refused(
                f"{taken[one.artifact.lower()]!r} and {one.name!r} would both be called {one.artifact}",
                "say with --model which of them is wanted",
            )
    notes = [note for one in found for note in one.notes]
    entries = {one.artifact: _entry(one) for one in found if not _is_declared(repository, one.artifact)}
    events = []
    there = 0
    for one in found:
        done, said = _brought(repository, one, way, waiting)
        there += len(one.versions) - sum(event.event == "registration" for event in done)
        events += done
        notes += said
    path = None
    if entries and repository.root is not None:  # at the end: what was refused is not declared either
        importing.declared(repository, entries, dry_run=way.dry_run)
        path = "registry.yaml"
    return Imported(path, tuple(entries) if path else (), (), there, tuple(events), tuple(notes))


def _is_declared(repository: Repository, artifact: str) -> bool:
    from registry.manifests import read
    from registry.porcelain.manifests import work_files

    if artifact in repository.manifest_at_head.artifacts:
        return True
    return repository.root is not None and artifact in read.read(work_files(repository)).artifacts


def _entry(model: _Model) -> dict[str, Json]:
    tags: dict[str, Json] = dict(model.tags)
    entry: dict[str, Json] = {"description": model.description, "metadata": tags}
    return {key: value for key, value in entry.items() if value}


# -- what is there -----------------------------------------------------------------------------------------------------


class _Client:
    """MLflow's own client. Raises StoreFailed for whatever it raises."""

    def __init__(self, uri: str | None) -> None:
        try:
            from mlflow.tracking import MlflowClient  # an extra, and slow to import
        except ModuleNotFoundError as error:
            raise StoreFailed("MLflow is not installed", "pip install 'git-registry[mlflow]'") from error
        tracking = uri if uri is not None else tracked.tracking_uri()
        registry = uri if uri is not None else os.environ.get("MLFLOW_REGISTRY_URI") or tracking
        self._client: Any = self._ask(lambda: MlflowClient(tracking or None, registry or None))
        self.uri = without_secrets(registry) or "mlflow"
        if self.uri.startswith("git+"):
            raise UsageError("the registry of MLflow is this kind of repository already", "say --uri, or registry copy")

    def models(self, wanted: Sequence[str]) -> list[Any]:
        if wanted:
            return [self._ask(partial(self._client.get_registered_model, name)) for name in wanted]
        return list(self._pages(lambda token: self._client.search_registered_models(page_token=token)))

    def versions(self, model: str) -> list[Any]:
        if "'" in model:
            raise Refused(f"MLflow cannot be asked for the versions of {model!r}", "rename it there first")
        said = f"name='{model}'"
        found = self._pages(lambda token: self._client.search_model_versions(said, max_results=_PAGE, page_token=token))
        return sorted(found, key=lambda one: int(one.version))

    def run(self, run: str) -> Any:
        """A run, None where it is gone."""
        try:
            return self._client.get_run(run)
        except Exception:  # noqa: BLE001  (runs are deleted, and their versions stay)
            return None

    def _pages(self, page: Callable[[str | None], Any]) -> Iterator[Any]:
        token: str | None = None
        while True:
            found = self._ask(partial(page, token))
            yield from found
            token = found.token
            if not token:
                return

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:
            words = without_secrets(" ".join(str(error).split())[:300])
            raise StoreFailed(f"MLflow: {words or type(error).__name__}", "check --uri, and its login") from error


# -- what becomes of it ------------------------------------------------------------------------------------------------


def _model(repository: Repository, client: _Client, said: Any, head: str) -> _Model:
    name = str(said.name)
    artifact = _artifact(name)
    notes = [] if artifact == name else [f"{name!r} is called {artifact} here"]
    found = []
    aliases: dict[int, list[str]] = {}
    for alias, number in dict(said.aliases or {}).items():
        aliases.setdefault(int(number), []).append(str(alias))
    for one in client.versions(name):
        version, more = _version(repository, client, name, one, head, aliases.get(int(one.version), []))
        found.append(version)
        notes += more
    return _Model(name, artifact, str(said.description or ""), _texts(said.tags), tuple(found), tuple(notes))


def _artifact(name: str) -> str:
    """The name that a model of MLflow's has here: what ours cannot hold becomes "-"."""
    found = re.sub(r"[^A-Za-z0-9_/-]+", "-", name)
    found = re.sub(r"//+", "/", found).strip("-_/")
    if not found:
        raise UsageError(f"nothing of the name {name!r} can stand in a name here", "rename it in MLflow first")
    return names.check_artifact(found)


def _version(
    repository: Repository, client: _Client, model: str, said: Any, head: str, aliases: Sequence[str]
) -> tuple[_Version, list[str]]:
    number = int(said.version)
    run = client.run(said.run_id) if said.run_id else None
    tags = _texts(said.tags)
    semver = tags.pop(_SEMVER, "")
    wanted = semver if versions.parse(semver) is not None else f"v{number}.0.0"
    run_tags = {} if run is None else _texts(run.data.tags)
    commit, notes = _commit(repository, tags.get(_COMMIT) or run_tags.get(_COMMIT) or "", head, f"{model} {number}")
    metrics, fewer = fitting({} if run is None else run.data.metrics)
    params, left = fitting({} if run is None else run.data.params)
    kept, lost = fitting({**tags, **({_SOURCE: str(said.source)} if said.source else {})})
    if fewer + left + lost:
        notes.append(f"{model} {number}: {fewer + left + lost} metrics, parameters or tags do not fit into a tag")
    link = str(said.run_link or "")
    facts = Facts(
        description=_line(str(said.description or "")) or None,
        run=f"mlflow:{said.run_id}" if said.run_id else None,
        run_url=link if is_page(link) else None,
        metrics=metrics,
        params=params,
        tags=kept,
    )
    stage = str(getattr(said, "current_stage", None) or "")
    held = [*aliases, *([] if stage in _NO_STAGE else [stage.lower()])]
    stages = tuple(one for one in dict.fromkeys(held) if names.is_stage(one))
    notes += [f"{model} {number}: {one!r} cannot be a stage" for one in held if not names.is_stage(one)]
    author = str(said.user_id or run_tags.get("mlflow.user") or "") or None
    date = _date(said.creation_timestamp)
    origin = f"{client.uri} models:/{model}/{number}"
    return _Version(number, wanted, commit, facts, _line(origin), date, _line(author or "") or None, stages), notes


def _commit(repository: Repository, said: str, head: str, what: str) -> tuple[str, list[str]]:
    if not said:
        return head, []
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", said):
        try:
            return repository.commit(said), []
        except RegistryError:
            pass
    return head, [f"{what}: its commit {_line(said)[:7]} is not here; HEAD is taken"]


def _texts(tags: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in dict(tags or {}).items()}


def _line(text: str) -> str:
    """`text` on one line, without what no line holds."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:1000]
    return one_line(words, "it")


def _date(milliseconds: Any) -> str | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc).isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _brought(
    repository: Repository, model: _Model, way: Way, waiting: Callable[[], None]
) -> tuple[list[EventView], list[str]]:
    if not model.versions:
        return [], []
    repository.focus(model.artifact)
    by = repository.writer()

    def decide(state: ArtifactState, _: Selector) -> Decision:
        drafts: list[Draft] = []
        notes: list[str] = []
        after = state
        arrived = {one for v in state.versions.values() for one in v.registration.keys.get("Copied-From", ())}
        # Stages come along with a version: what has been assigned here since is not undone.
        new = [version for version in model.versions if version.origin not in arrived]
        for version in new:
            more = [_registration(after, model, version)]
            after = after.with_events(one.event for one in draft.lay(after, more, by))
            drafts += more
        for version in new:
            for stage in version.stages:
                try:
                    more = _assignment(repository, after, version, stage)
                except RegistryError as error:
                    notes.append(f"{model.artifact} {version.name} is not put into {stage}: {error.message}")
                    continue
                after = after.with_events(one.event for one in draft.lay(after, more, by))
                drafts += more
        return Decision(drafts, notes)

    done = write(repository, Selector(model.artifact), decide, way, waiting, new=True)
    return views.events_view(done.after, done.events), list(done.notes)


def _registration(state: ArtifactState, model: _Model, version: _Version) -> Draft:
    there = state.versions.get(version.name)
    if there is not None:
        raise Refused(
            f"{model.artifact} {version.name} is here already, and is not MLflow's version {version.number}",
            "nothing of this model was brought; a tag semver in MLflow gives its version another name",
        )
    keys: Iterable[tuple[str, str]] = (
        ("Number", str(max(state.number + 1, version.number))),
        ("Reason", "imported from MLflow"),
        *version.facts.keys(),
        ("Copied-From", version.origin),
        *([("Original-Date", version.date)] if version.date else []),
        *([("Original-Author", version.author)] if version.author else []),
    )
    subject = f"Register {model.artifact} {version.name}"
    intent = Intent(force=True)
    return Draft(
        Form.REGISTRATION, model.artifact, version.commit, subject, version.name, None, "", tuple(keys), intent
    )


def _assignment(repository: Repository, state: ArtifactState, version: _Version, stage: str) -> list[Draft]:
    found = state.versions[version.name]
    rules = repository.rules(state.name)
    chosen = Selected(state.name, found.commit, found)
    keys = (("Reason", "imported from MLflow"),)
    return plan.assignment(rules, state, chosen, stage, show=Witness(repository), keys=keys)

"""`import mlflow`: registered models and their versions from a registry of MLflow's (DESIGN part 5)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from registry.core import draft, names, plan, policy
from registry.core import version as versions
from registry.core.draft import Draft, Intent
from registry.core.hiding import without_secrets
from registry.core.manifest import Json
from registry.core.message import one_line
from registry.core.names import Form
from registry.core.select import Selected, Selector
from registry.core.spelling import spelled
from registry.core.state import ArtifactState
from registry.errors import NotFound, Refused, RegistryError, StoreFailed, UsageError
from registry.evidence import Witness
from registry.plumbing import tags
from registry.porcelain import importing, views
from registry.porcelain.importing import Imported
from registry.porcelain.note import Facts
from registry.porcelain.values import EventView
from registry.providers import mlflow as tracked
from registry.providers.ask import cut, fitting, is_page
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

    A version is at the commit that MLflow says its run had, where this repository has it, else at HEAD. Each model is
    declared in the work tree's `registry.yaml` when its versions are here. What a version was brought from is in its
    tag, so that nothing is brought twice. Of all models, one that cannot have a name here costs a note. Raises
    NotFound, Refused or StoreFailed; models before the one that it is about stay.
    """
    head = repository.head
    if head is None:
        raise NotFound("nothing is committed here yet", "git commit first: a version is a commit")
    client = _Client(uri)
    here = _declared_here(repository)
    chosen, notes = _named(repository, here, client.models(models), strictly=bool(models))
    events: list[EventView] = []
    declared = []
    there = 0
    for artifact, said in chosen.items():
        one, known = _model(repository, client, artifact, said, head)
        entry = None if artifact in here else _entry(one)
        declaring = entry is not None and repository.root is not None
        if declaring:  # before anything is written: it may not be possible
            importing.declared(repository, {artifact: entry or {}}, dry_run=True)
        done, more = _brought(repository, one, way, waiting)
        there += known + len(one.versions) - sum(event.event == "registration" for event in done)
        events += done
        notes += [*one.notes, *more]
        if declaring:
            importing.declared(repository, {artifact: entry or {}}, dry_run=way.dry_run)
            declared.append(artifact)
    path = "registry.yaml" if declared else None
    return Imported(path, tuple(declared), (), there, tuple(events), tuple(notes))


def _named(
    repository: Repository, here: Iterable[str], found: Iterable[Any], *, strictly: bool
) -> tuple[dict[str, Any], list[str]]:
    """Models by the names that they have here, and what is left out, or, `strictly`, refused.

    Of two with one name the one that is called so in MLflow has it.
    """
    chosen: dict[str, Any] = {}
    taken: dict[str, str] = {}
    notes = []
    for said in sorted(found, key=lambda one: _artifact(str(one.name)) != str(one.name)):
        name = str(said.name)
        artifact = _artifact(name)
        try:
            if not artifact:
                raise UsageError(f"nothing of the name {name!r} can stand in a name here", "rename it in MLflow first")
            policy.check_travels(f"{names.in_tag(names.check_artifact(artifact))}@v0.0.1")
            policy.check_case(artifact, [*here, *tags.artifacts_like(repository.git, artifact)], "name")
            if (other := taken.setdefault(artifact.lower(), name)) != name:
                hint = "say with --model which of them is wanted"
                raise Refused(f"{other!r} and {name!r} would both be called {artifact}", hint)
        except RegistryError as error:
            if strictly:
                raise
            notes.append(f"{cut(name)} is left out: {error.message}")
            continue
        chosen[artifact] = said
    return dict(sorted(chosen.items())), notes


def _declared_here(repository: Repository) -> set[str]:
    """What is declared at HEAD, or in the work tree."""
    from registry.manifests import read
    from registry.porcelain.manifests import work_files

    in_work_tree = read.read(work_files(repository)).artifacts if repository.root is not None else {}
    return {*repository.manifest_at_head.artifacts, *in_work_tree}


def _entry(model: _Model) -> dict[str, Json]:
    entry: dict[str, Json] = {"description": model.description, "metadata": dict(model.tags)}
    return {key: value for key, value in entry.items() if value}


# -- what is there -----------------------------------------------------------------------------------------------------


class _Client:
    """MLflow's own client. Raises StoreFailed for whatever it raises."""

    def __init__(self, uri: str | None) -> None:
        registry = uri if uri is not None else os.environ.get("MLFLOW_REGISTRY_URI") or tracked.tracking_uri()
        if registry.startswith("git+"):
            raise UsageError("the registry of MLflow is this kind of repository already", "say --uri, or registry copy")
        _check_there(registry)
        try:
            tracking = uri if uri is not None else tracked.tracking_uri()
        except NotFound:
            tracking = registry  # a server, or a database, has both
        try:
            from mlflow.tracking import MlflowClient  # an extra, and slow to import
        except ModuleNotFoundError as error:
            raise StoreFailed("MLflow is not installed", "pip install 'git-registry[mlflow]'") from error
        self._client: Any = self._ask(lambda: MlflowClient(tracking or None, registry or None))
        self.uri = without_secrets(_absolute(registry)) or "mlflow"

    def models(self, wanted: Sequence[str]) -> list[Any]:
        if wanted:
            return [self._ask(partial(self._client.get_registered_model, name)) for name in dict.fromkeys(wanted)]
        return list(self._pages(lambda token: self._client.search_registered_models(page_token=token)))

    def versions(self, model: str) -> list[Any]:
        quote = next((one for one in ("'", '"') if one not in model), None)
        if quote is None:
            raise Refused(f"MLflow cannot be asked for the versions of {model!r}", "rename it there first")
        said = f"name={quote}{model}{quote}"
        found = self._pages(lambda token: self._client.search_model_versions(said, max_results=_PAGE, page_token=token))
        return sorted(found, key=lambda one: int(one.version))

    def run(self, run: str) -> Any:
        """A run, None where it is gone: runs are deleted, and their versions stay."""
        try:
            return self._client.get_run(run)
        except Exception as error:
            if getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise _failed(error) from error

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
            raise _failed(error) from error


def _failed(error: Exception) -> StoreFailed:
    words = without_secrets(" ".join(str(error).split())[:300])
    return StoreFailed(f"MLflow: {words or type(error).__name__}", "check --uri, and its login")


def _file(uri: str) -> Path | None:
    """The file or directory that a URI names on this machine, if it does."""
    scheme, sign, rest = uri.partition(":")
    if sign and scheme == "sqlite":
        path = rest.partition("?")[0].removeprefix("///")
        return Path(path) if path not in {"", ":memory:"} and not path.startswith("//") else None
    if sign and scheme == "file":
        return Path(unquote(urlsplit(uri).path))
    return Path(uri) if uri and "://" not in uri and uri != "databricks" and not uri.startswith("databricks:") else None


def _check_there(uri: str) -> None:
    """What is asked is there: MLflow would make it, and have nothing in it. Raises NotFound."""
    place = _file(uri)
    if place is not None and not place.exists():
        raise NotFound(f"there is no {place}", "check --uri; MLflow would make it, empty")


def _absolute(uri: str) -> str:
    """The same place from wherever it is asked: a path that is relative is another's elsewhere."""
    place = _file(uri)
    if place is None:
        return uri
    real = os.path.realpath(place)
    return f"sqlite:///{real}" if uri.startswith("sqlite:") else Path(real).as_uri()


# -- what becomes of it ------------------------------------------------------------------------------------------------


def _model(repository: Repository, client: _Client, artifact: str, said: Any, head: str) -> tuple[_Model, int]:
    """A model with those of its versions that are not here yet, and how many are."""
    name = str(said.name)
    repository.about(artifact)
    here = _arrived(repository.state(artifact))
    found = client.versions(name)
    new = [one for one in found if _origin(client, name, one) not in here]
    notes = [f"{name!r} is called {artifact} here"] if new and artifact != name else []
    aliases: dict[int, list[str]] = {}
    for alias, number in dict(said.aliases or {}).items():
        aliases.setdefault(int(number), []).append(str(alias))
    arriving = []
    for one in new:
        version, more = _version(repository, client, name, one, head, aliases.get(int(one.version), []))
        arriving.append(version)
        notes += more
    description = str(said.description or "")
    return _Model(name, artifact, description, _texts(said.tags), tuple(arriving), tuple(notes)), len(found) - len(new)


def _origin(client: _Client, model: str, said: Any) -> str:
    return _line(f"{client.uri} models:/{model}/{int(said.version)}")


def _arrived(state: ArtifactState) -> set[str]:
    return {one for v in state.versions.values() for one in v.registration.keys.get("Copied-From", ())}


def _artifact(name: str) -> str:
    """The name that a model of MLflow's has here: what ours cannot hold becomes "-"; "" where nothing is left."""
    found = re.sub(r"[^A-Za-z0-9_/-]+", "-", name)
    return re.sub(r"//+", "/", found).strip("-_/")


def _version(
    repository: Repository, client: _Client, model: str, said: Any, head: str, aliases: Sequence[str]
) -> tuple[_Version, list[str]]:
    number = int(said.version)
    what = f"{model} {number}"
    run = client.run(said.run_id) if said.run_id else None
    told = _texts(said.tags)
    semver = told.pop(_SEMVER, "")
    wanted = semver if versions.parse(semver) is not None else f"v{number}.0.0"
    run_tags = {} if run is None else _texts(run.data.tags)
    commit, notes = _commit(repository, told.get(_COMMIT) or run_tags.get(_COMMIT) or "", head, what)
    if said.run_id and run is None:
        notes.append(
            f"{what}: its run {_line(str(said.run_id))} is gone, and with it metrics, parameters and the author"
        )
    metrics, fewer = fitting({} if run is None else run.data.metrics)
    params, left = fitting({} if run is None else {key: spelled(value) for key, value in run.data.params.items()})
    kept = {key: spelled(value) for key, value in told.items() if key != _SOURCE and _is_key(key)}
    if said.source:
        source = _public(str(said.source))
        kept[_SOURCE] = spelled(source)
        notes += [] if source == str(said.source) else [f"{what}: its source comes without its password or its query"]
    if lost := fewer + left + sum(not _is_key(key) for key in told):
        notes.append(f"{what}: {lost} metrics, parameters or tags do not fit into a tag")
    link = str(said.run_link or "")
    facts = Facts(
        description=spelled(said.description) if said.description else None,
        run=f"mlflow:{said.run_id}" if said.run_id else None,
        run_url=link if is_page(link) else None,
        metrics=metrics,
        params=params,
        tags=kept,
    )
    stage = str(getattr(said, "current_stage", None) or "")
    held = [*aliases, *([] if stage in _NO_STAGE else [stage.lower()])]
    stages = tuple(one for one in dict.fromkeys(held) if names.is_stage(one))
    notes += [f"{what}: {one!r} cannot be a stage" for one in held if not names.is_stage(one)]
    author = str(said.user_id or run_tags.get("mlflow.user") or "") or None
    date, origin = _date(said.creation_timestamp), _origin(client, model, said)
    return _Version(number, wanted, commit, facts, origin, date, _line(author or "") or None, stages), notes


def _is_key(key: str) -> bool:
    """Whether a tag of a version can be called so."""
    return key == key.strip() and bool(key) and "=" not in key and key.isprintable()


def _public(source: str) -> str:
    """A source without a password, a login or a query, which may be a signature: tags are public."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return without_secrets(source)
    user, sign, host = parts.netloc.rpartition("@")
    # Of Azure's abfss://CONTAINER@ACCOUNT the part before the sign is no secret; over HTTP a name alone may be a token.
    secret = sign and (":" in user or parts.scheme in {"http", "https"})
    if not secret and not parts.query:
        return source
    return urlunsplit(parts._replace(netloc=host if secret else parts.netloc, query=""))


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
        arrived = _arrived(state)
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
        ("Number", str(max(state.next_number, version.number))),
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

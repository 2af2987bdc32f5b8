"""Model versions: a source of MLflow's becomes a version, at HEAD or with its files committed."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_STATE, RESOURCE_ALREADY_EXISTS
from mlflow.store.artifact.utils.models import _parse_model_uri

from registry.api import Registry
from registry.core import version as semver
from registry.core.hiding import without_user
from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound, Refused, UsageError
from registry.mlflow import checking, files, reading, tracking, wording
from registry.mlflow.address import Place
from registry.mlflow.reading import RUN, Known
from registry.mlflow.tracking import Origin
from registry.plumbing.planting import InTheWay
from registry.porcelain.values import ModelVersion
from registry.providers.ask import fitting


def of(known: Known, version: object) -> ModelVersion:
    """The version that a number, or a SemVer, means. Raises MlflowException for what is neither, NotFound."""
    text = str(version)
    for one in known.versions:
        if text in {str(one.number), one.version}:
            return one
    if semver.parse(text) is None:
        checking.version_number(version)  # raises in MLflow's words
    raise NotFound(f"Model Version (name={known.name}, version={version}) not found", _instead(known, text))


def _instead(known: Known, text: str) -> str:
    for one in known.state.versions.values():
        if text in {str(one.number), one.name} and (gone := _gone(one)):
            return gone
    there = ", ".join(f"{one.number} ({one.version})" for one in known.versions[-5:])
    return f"there is {there}" if there else "it has no versions"


def _gone(one: VersionState) -> str:
    """Who withdrew a version; "" where it is there."""
    if one.active or one.deregistration is None:
        return ""
    by = one.deregistration.by
    return f"{one.name} was deregistered by {by.name} on {by.iso[:10]}"


def _check_free(state: ArtifactState, wanted: str | None) -> None:
    """No version has the name that is wanted, or has had it. Raises MlflowException."""
    there = state.versions.get(wanted or "")
    if there is not None:
        gone = _gone(there)
        raise MlflowException(
            f"Model Version (name={state.name}, semver={there.name}) already exists."
            + (f" {gone}, and its name and its number stay taken." if gone else ""),
            RESOURCE_ALREADY_EXISTS,
        )


def origin(registry: Registry, source: str, uri: str, tracking_uri: str | None) -> Origin:
    """Where `source` leads: a version here, a logged model, or what MLflow can read itself."""
    if urllib.parse.urlparse(source).scheme != "models":
        return Origin(source, source)
    try:
        said = _parse_model_uri(source)
        if getattr(said, "model_id", None) is not None:
            logged = tracking.logged_model(said.model_id, tracking_uri)
            return Origin(source, logged.artifact_location, logged.source_run_id, said.model_id)
        one = of(reading.known(registry, said.name, uri), said.version)
    except Exception as error:  # MLflow's own stores say it in these words, whatever it was
        raise MlflowException(
            f"Unable to fetch model from model URI source artifact location '{source}'.Error: {error}"
        ) from error
    elsewhere = files.outside(one)
    if elsewhere is None:
        return Origin(source, source, here=one)
    files.check_served(one, elsewhere)
    return Origin(source, elsewhere)


def create(
    registry: Registry,
    place: Place,
    known: Known,
    found: Origin,
    tags: list[ModelVersionTag] | None,
    run_link: str | None,
    description: str | None,
    local: str | None,
) -> str:
    """Register a version; its name. Raises MlflowException where the SemVer that is asked for is taken, UsageError for
    what no tag may show."""
    values = wording.tag_values(tags)
    wanted = values.pop(wording.SEMVER, None)
    _check_free(known.state, wanted)
    for source in (found.source, found.storage):
        files.check_source(source)
    if run_link and not wording.is_harmless(run_link):
        raise UsageError("the run's link is no page of the web", "it begins with https:// or http://")
    said: dict[str, Any] = {
        "version": wanted,
        "description": wording.spelled(description) if description else None,
        "run": f"{RUN}{found.run_id}" if found.run_id else None,
        "run_url": without_user(run_link) if run_link else None,
        "metrics": fitting(found.metrics)[0],
        "params": fitting({key: wording.spelled(value) for key, value in found.params.items()})[0],
        "tags": {**values, **_own(found)},
        "force": True,  # a registration without a commit of its own: HEAD may have a version already
        "unused": True,
        "undeclared": known.declared is None,
        "reason": "registered in MLflow",
        "push": place.push,
    }
    try:
        return _registered(registry, place, known, found, local, said)
    except Refused:
        registry.refresh()
        _check_free(registry.repository.state(known.name), wanted)  # somebody was faster
        raise


def _registered(
    registry: Registry, place: Place, known: Known, found: Origin, local: str | None, said: Mapping[str, Any]
) -> str:
    # A prompt is its text, a tag of MLflow's: it has no files.
    is_prompt = known.declared is not None and known.declared.type == "prompt"
    if found.here is not None:
        return _copied(registry, known.name, found.here, said)
    if place.keeps and not is_prompt:
        return _committed(registry, place, known.name, found, local, said)
    return registry.register(known.name, **said).version


def _copied(registry: Registry, name: str, here: ModelVersion, said: Mapping[str, Any]) -> str:
    """Register the commit that another version's files are in."""
    path = here.metadata.tags.get(wording.PATH) or here.path
    root = registry.repository.root
    if path is None:
        raise Refused(f"{here.artifact} {here.version} has no files", "register it anew from where they are")
    tags = {**said["tags"], wording.PATH: path}
    carried = [path if root is None else root / path]
    more = {"tags": tags, "artifacts": carried, "undeclared": True}
    return registry.register(name, here.commit, **{**said, **more}).version


def _committed(
    registry: Registry, place: Place, name: str, found: Origin, local: str | None, said: Mapping[str, Any]
) -> str:
    """Commit the model's files and register that commit, in one transaction."""
    path = files.place_of(place, name)
    tags = {**said["tags"], wording.PATH: path}
    tags.pop(wording.STORAGE, None)

    def work(there: Registry) -> str:
        # What is done in a clone of a URL is published by it, all at once.
        more = {"tags": tags, "push": there is registry and place.push}
        with there.promote(name, **{**said, **more}) as run:
            run.log_tree(path, model, files.NOT_OF_THE_MODEL)
        return run.version.version

    with files.brought(found.storage, local) as model:
        try:
            return registry.at_work(work)
        except InTheWay as error:
            raise MlflowException(f"{error.message}: {error.hint}", INVALID_STATE) from error


def _own(found: Origin) -> dict[str, str]:
    return {
        wording.SOURCE: wording.spelled(found.source),
        **({wording.STORAGE: wording.spelled(found.storage)} if found.storage != found.source else {}),
        **({wording.MODEL_ID: found.model_id} if found.model_id else {}),
    }


def with_ids(found: Origin, run_id: str | None, model_id: str | None, tracking_uri: str | None) -> Origin:
    """`found` with what was said of its run and model, and with what they show."""
    told = replace(found, run_id=run_id or found.run_id, model_id=model_id or found.model_id)
    return tracking.with_evidence(told, tracking_uri)

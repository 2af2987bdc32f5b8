"""The store that MLflow is given for the schemes of `address`: each of its methods, in terms of ours.

A store keeps no state: each call opens the repository anew, so that it sees what others have done, and so that the
threads and processes of MLflow's server need not agree on anything.
"""

from __future__ import annotations

from typing import Any

from mlflow.entities.model_registry import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    NOT_IMPLEMENTED,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry import (
    SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT,
    SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
)
from mlflow.store.model_registry.abstract_store import AbstractStore

from registry.api import Registry
from registry.core import select
from registry.core import version as semver
from registry.errors import NotFound, RegistryError, UsageError
from registry.mlflow import address, checking, entries, files, reading, searching, stages, versions, wording
from registry.mlflow.failing import told, translated
from registry.mlflow.reading import Known
from registry.porcelain import values
from registry.providers.mlflow import tracked_at

_LATEST = "latest"
_NO_HOOKS = "a Git registry calls no webhooks: a push of a tag starts a workflow where the repository is hosted"


class GitStore(AbstractStore):
    """MLflow's registry in a Git repository. Raises MlflowException for a URI that names none."""

    def __init__(self, store_uri: str, tracking_uri: str | None = None) -> None:
        super().__init__(store_uri, tracking_uri)
        try:
            self.place = address.parse(store_uri)
        except RegistryError as error:
            raise translated(error) from error
        self.store_uri = store_uri
        self.tracking_uri = tracking_uri

    # -- inside --------------------------------------------------------------------------------------------------------

    def _open(self) -> Registry:
        return Registry(self.place.where, on_note=files.note)

    @property
    def _named(self) -> str:
        """The URI, as people may see it: without options, and without a password."""
        return f"git+{self._open().repository.name}" if "@" in self.place.where else self.store_uri.partition("?")[0]

    def _known(self, name: str, registry: Registry | None = None) -> Known:
        try:
            return reading.known(registry or self._open(), name or "", self._named)
        except NotFound:
            checking.model_name(name)  # a name that MLflow has no models by is told in its words
            raise

    # -- registered models ---------------------------------------------------------------------------------------------

    @told
    def create_registered_model(
        self,
        name: str,
        tags: list[RegisteredModelTag] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,  # noqa: ARG002  (Databricks' own)
    ) -> RegisteredModel:
        """Declare a model: a commit of the manifest."""
        checking.model_name(name)
        for tag in tags or []:
            checking.model_tag(tag.key, tag.value)
        checking.text(description)
        registry = self._open()
        try:
            there = self._known(name, registry)
        except NotFound:
            checking.new_name(name, entries.like(registry, name))
            entries.declare(registry, name, tags, description)
            return self.get_registered_model(name)
        raise entries.taken(there, tags)

    @told
    def update_registered_model(
        self,
        name: str,
        description: str | None,
        deployment_job_id: str | None = None,  # noqa: ARG002
    ) -> RegisteredModel:
        """Describe a model: a commit of the manifest."""
        checking.text(description)
        registry = self._open()
        entries.describe(registry, self._known(name, registry), description)
        return self.get_registered_model(name)

    @told
    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Rename a model that has no versions; of one that has, it raises: tags never move."""
        checking.model_renaming(new_name)
        registry = self._open()
        known = self._known(name, registry)
        if new_name == name:
            return known.model()
        try:
            self._known(new_name, registry)
        except NotFound:
            checking.new_name(new_name, (one for one in entries.like(registry, new_name) if one != name))
            entries.rename(registry, known, new_name)
            return self.get_registered_model(new_name)
        raise MlflowException(f"Registered Model (name={new_name}) already exists.", RESOURCE_ALREADY_EXISTS)

    @told
    def delete_registered_model(self, name: str) -> None:
        """Withdraw every version, and take the model out of the manifest: history stays, and numbers stay taken."""
        registry = self._open()
        entries.withdraw(registry, self._known(name, registry), push=self.place.push)

    @told
    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList:
        """A page of models."""
        found = reading.everything(self._open(), self._named)
        return searching.models(found, filter_string, max_results, order_by, page_token)

    @told
    def get_registered_model(self, name: str) -> RegisteredModel:
        """One model."""
        return self._known(name).model()

    @told
    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """What is in each of `stages`, MLflow's or ours, or what a selector means; without any, in all of MLflow's."""
        known = self._known(name)
        wanted = list(stages or known.newest())
        found = (self._latest(known, stage) for stage in dict.fromkeys(wanted))
        return [known.entity(one) for one in found if one is not None]

    def _latest(self, known: Known, stage: str) -> values.ModelVersion | None:
        named = stages.canonical(stage)
        if named is not None and named == stages.STAGE_NONE:
            return known.newest().get(named)
        ours = known.stage(named) if named is not None else stage
        if ours is None:
            return None
        if ours in known.aliases:
            return versions.of(known, known.aliases[ours])
        if named is not None or (known.lifecycle is not None and stage in known.lifecycle):
            return None
        return self._selected(known, stage)

    def _selected(self, known: Known, what: str) -> values.ModelVersion:
        """What a SemVer, a range or a keyword means. Raises NotFound; UsageError for what is none of them."""
        selector = select.selector_of(known.name, what)
        if "#" in selector:
            raise UsageError(f"Invalid Model Version stage: {what}", f"{known.name} has {self._there(known)}")
        chosen = select.select(known.state, select.parse(selector))
        return versions.of(known, chosen.subject)

    @staticmethod
    def _there(known: Known) -> str:
        return ", ".join(dict.fromkeys([*(known.lifecycle or ()), *known.aliases])) or "no stages"

    @told
    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Say one thing under `metadata` in the manifest."""
        checking.model_tag(tag.key, tag.value)
        registry = self._open()
        entries.tag(registry, self._known(name, registry), tag.key, "" if tag.value is None else str(tag.value))

    @told
    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Say it no longer."""
        checking.tag_name(key)
        registry = self._open()
        entries.untag(registry, self._known(name, registry), key)

    # -- versions ------------------------------------------------------------------------------------------------------

    @told
    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: list[ModelVersionTag] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Register a version, at HEAD or, with store=git, at a commit of its files."""
        checking.model_name(name)
        for tag in tags or []:
            checking.version_tag(tag.key, tag.value)
        registry = self._open()
        known = self._known(name, registry)
        found = versions.origin(registry, source or "", self._named, self.tracking_uri)
        found = versions.with_ids(found, run_id, model_id, self.tracking_uri)
        with tracked_at(self.tracking_uri):
            made = versions.create(registry, self.place, known, found, tags, run_link, description, local_model_path)
        return self.get_model_version(name, made)

    @told
    def update_model_version(self, name: str, version: int | str, description: str | None) -> ModelVersion:
        """Describe a version: an amendment."""
        registry = self._open()
        one = self._version(registry, name, version)
        said = wording.spelled(description) if description else ""
        registry.annotate(f"{name}@{one.version}", description=said, push=self.place.push)
        return self.get_model_version(name, one.version)

    @told
    def transition_model_version_stage(
        self, name: str, version: int | str, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        """Move a version from one of MLflow's stages to another, and others out of it, all or none."""
        registry = self._open()
        known = self._known_for(registry, name, version)
        into = stages.target(stage, known.lifecycle, known.used)
        if archive_existing_versions and not stages.is_active(stages.canonical(stage)):
            raise MlflowException(
                f"Model version transition cannot archive existing model versions because '{stage}' is not an Active "
                "stage. Valid stages are ['Staging', 'Production']",
                INVALID_PARAMETER_VALUE,
            )
        one = versions.of(known, version)
        out_of = [held for held in one.stages if stages.canonical(held) is not None and held != into]
        archived = known.stage(stages.STAGE_ARCHIVED) if archive_existing_versions else None
        registry.move(
            f"{name}@{one.version}",
            into,
            out_of=out_of,
            alone=archive_existing_versions,
            others_into=archived,
            reason=f"moved to {stage} in MLflow",
            push=self.place.push,
        )
        return self.get_model_version(name, one.version)

    @told
    def delete_model_version(self, name: str, version: int | str) -> None:
        """Withdraw a version; its number stays taken, and its tag is history."""
        registry = self._open()
        one = self._version(registry, name, version)
        registry.deregister(f"{name}@{one.version}", reason="deleted in MLflow", push=self.place.push)

    @told
    def get_model_version(self, name: str, version: int | str) -> ModelVersion:
        """One version, by its number or its SemVer."""
        known = self._known_for(self._open(), name, version)
        return known.entity(versions.of(known, version))

    @told
    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where the model's files are: where MLflow put them, or in a directory that Git's are brought into."""
        registry = self._open()
        return files.storage(registry, self._version(registry, name, version))

    @told
    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList:
        """A page of versions."""
        registry = self._open()
        name = searching.one_name(filter_string)
        try:
            if name is None:
                found = reading.everything(registry, self._named)
            else:
                found = [reading.known(registry, name, self._named)]
        except (NotFound, UsageError):
            found = []
        return searching.versions(found, filter_string, max_results, order_by, page_token)

    @told
    def set_model_version_tag(self, name: str, version: int | str, tag: ModelVersionTag) -> None:
        """Tag a version: an amendment."""
        checking.version_tag(tag.key, tag.value)
        registry = self._open()
        one = self._version(registry, name, version)
        said = wording.tag_values([tag])
        if said.get(wording.SEMVER, one.version) != one.version:
            raise UsageError(f"{name} {one.version} keeps its name", "the tag semver is said when a version is created")
        if wording.SEMVER not in said:
            registry.annotate(f"{name}@{one.version}", tags=said, push=self.place.push)

    @told
    def delete_model_version_tag(self, name: str, version: int | str, key: str) -> None:
        """Take a tag from a version: an amendment."""
        checking.tag_name(key)
        registry = self._open()
        one = self._version(registry, name, version)
        if key == wording.SEMVER or key in wording.OWN:
            raise UsageError(f"{name} {one.version} keeps its {key}", "it is the registry's own")
        if key in one.metadata.tags:
            registry.annotate(f"{name}@{one.version}", tags={key: ""}, push=self.place.push)

    def _version(self, registry: Registry, name: str, version: int | str) -> values.ModelVersion:
        return versions.of(self._known_for(registry, name, version), version)

    def _known_for(self, registry: Registry, name: str, version: int | str) -> Known:
        """The model, for the sake of one of its versions: that is what is not found where the model is not."""
        checking.version_said(version)
        try:
            return self._known(name, registry)
        except NotFound as error:
            if semver.parse(str(version)) is None:
                checking.version_number(version)
            raise NotFound(f"Model Version (name={name}, version={version}) not found", error.message) from error

    @told
    def copy_model_version(self, src_mv: ModelVersion, dst_name: str) -> ModelVersion:
        """Register a version under another name, at its SemVer where that is free there, else at the next one."""
        registry = self._open()
        try:
            taken = self._known(dst_name, registry).state.versions
        except NotFound:
            self.create_registered_model(dst_name)
            taken = {}
        tags = [ModelVersionTag(k, v) for k, v in src_mv.tags.items() if k != wording.SEMVER or v not in taken]
        return self.create_model_version(
            name=dst_name,
            source=f"models:/{src_mv.name}/{src_mv.version}",
            run_id=src_mv.run_id,
            tags=tags,
            run_link=src_mv.run_link,
            description=src_mv.description,
            model_id=getattr(src_mv, "model_id", None),
        )

    # -- aliases -------------------------------------------------------------------------------------------------------

    @told
    def set_registered_model_alias(self, name: str, alias: str, version: int | str) -> None:
        """Put a version into a stage, alone: who was in it leaves in the same transaction."""
        registry = self._open()
        known = self._known_for(registry, name, version)
        checking.new_alias(alias, known.lifecycle)
        one = versions.of(known, version)
        registry.move(
            f"{name}@{one.version}", alias, alone=True, reason="set as an alias in MLflow", push=self.place.push
        )

    @told
    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Take everyone out of a stage; where nobody is in it, there is nothing to do."""
        checking.alias_name(alias)
        registry = self._open()
        if alias in self._known(name, registry).state.stages:
            registry.unassign(name, alias, everyone=True, reason="deleted as an alias in MLflow", push=self.place.push)

    @told
    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """What is in a stage; else `latest` (the newest, as everywhere in MLflow), a SemVer, a range or a keyword."""
        known = self._known(name)
        if not alias:
            checking.alias_name(alias)
        if alias in known.aliases:
            return known.entity(versions.of(known, known.aliases[alias]))
        if alias.lower() == _LATEST and known.versions:
            return known.entity(known.versions[-1])
        if semver.parse(alias) is not None or "#" not in _selector(name, alias):
            return known.entity(self._selected(known, alias))
        raise MlflowException(
            f"Registered model alias {alias} not found: {name} has {self._there(known)}", INVALID_PARAMETER_VALUE
        )

    # -- what a Git registry does not do -------------------------------------------------------------------------------

    def _await_model_version_creation(self, mv: ModelVersion, await_creation_for: int) -> None:
        """Nothing: a version is ready when it is written."""

    def create_webhook(self, *_: object, **__: object) -> Any:
        """Raise: Git has hooks of its own."""
        raise MlflowException(_NO_HOOKS, NOT_IMPLEMENTED)

    def list_webhooks(self, max_results: int | None = None, page_token: str | None = None) -> PagedList:  # noqa: ARG002
        """None are there."""
        return PagedList([], None)

    def list_webhooks_by_event(
        self,
        event: object,  # noqa: ARG002
        max_results: int | None = None,  # noqa: ARG002
        page_token: str | None = None,  # noqa: ARG002
    ) -> PagedList:
        """None are there; the server asks whenever something has happened."""
        return PagedList([], None)

    def get_webhook(self, webhook_id: str) -> Any:
        """Raise: there is none."""
        raise MlflowException(f"Webhook with ID {webhook_id} not found: {_NO_HOOKS}", RESOURCE_DOES_NOT_EXIST)

    def update_webhook(self, webhook_id: str, *_: object, **__: object) -> Any:
        """Raise: there is none."""
        return self.get_webhook(webhook_id)

    def delete_webhook(self, webhook_id: str) -> None:
        """Raise: there is none."""
        self.get_webhook(webhook_id)

    def test_webhook(self, webhook_id: str, event: object = None) -> Any:  # noqa: ARG002
        """Raise: there is none."""
        return self.get_webhook(webhook_id)


def _selector(name: str, what: str) -> str:
    try:
        return select.selector_of(name, what)
    except UsageError:
        return f"{name}#{what}"

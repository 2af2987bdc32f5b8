"""The store as MLflow calls it: each method there is does something, or says why not."""

from __future__ import annotations

import inspect
import pickle
from importlib.metadata import entry_points
from typing import Any

import mlflow
import pytest
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.abstract_store import AbstractStore

from registry.errors import GitFailed, ManifestError, NotFound, Refused, StoreFailed, Taken, UsageError
from registry.mlflow.address import SCHEMES
from registry.mlflow.failing import translated
from registry.mlflow.store import GitStore
from registry.mlflow.wording import read, spelled
from tests.story import RepoStory

# Done by MLflow in terms of the others, for prompts and for links to what its tracking has.
BY_MLFLOW = ("prompt", "_parse_experiment_id_filter", "_await_model_version_creation_impl", "supports_workspaces")


def methods() -> list[str]:
    """All that a store has, by MLflow's word."""
    return sorted(name for name, one in vars(AbstractStore).items() if callable(one) and not name.startswith("__"))


@pytest.mark.parametrize("name", methods())
def test_no_method_is_forgotten(name: str) -> None:
    if any(word in name for word in BY_MLFLOW):
        # Not abstract: what MLflow does there is more than to document it.
        assert "None by omission" not in (getattr(AbstractStore, name).__doc__ or "")
        assert not getattr(getattr(AbstractStore, name), "__isabstractmethod__", False)
        return
    ours, theirs = getattr(GitStore, name), getattr(AbstractStore, name)
    assert ours is not theirs
    assert name in vars(GitStore)
    if not name.endswith("webhook"):
        wanted = [*inspect.signature(theirs).parameters]  # an older MLflow says less
        assert [*inspect.signature(ours).parameters][: len(wanted)] == wanted


def test_each_scheme_has_the_store() -> None:
    found = entry_points(group="mlflow.model_registry_store")
    assert {one.name for one in found if one.value == "registry.mlflow.store:GitStore"} == {*SCHEMES}


def test_mlflow_finds_the_store_by_the_scheme(client: Any, ml: RepoStory) -> None:
    store = client._get_registry_client().store
    assert isinstance(store, GitStore)
    assert pickle.loads(pickle.dumps(store)).get_registered_model  # noqa: S301  (our own bytes)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("no"), "RESOURCE_DOES_NOT_EXIST"),
        (UsageError("no"), "INVALID_PARAMETER_VALUE"),
        (Refused("no"), "PERMISSION_DENIED"),
        (Taken("no"), "RESOURCE_CONFLICT"),
        (ManifestError("no"), "INVALID_STATE"),
        (GitFailed("no"), "INTERNAL_ERROR"),
        (StoreFailed("no"), "INTERNAL_ERROR"),
    ],
)
def test_each_error_has_a_code(error: Any, code: str) -> None:
    error.hint = "do this"
    assert translated(error).error_code == code
    assert translated(error).message == "no: do this"


@pytest.mark.parametrize(
    "text", ["plain", "", "two\nlines", '"quoted"', " padded ", "tab\t", "\x1b[0m", "ü", '"half', "[1]"]
)
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert read(spelled(text)) == text
    assert "\n" not in spelled(text)


def test_a_uri_that_is_none_is_an_error_of_mlflow() -> None:
    mlflow.set_registry_uri("git+file:///x?stor=git")
    with pytest.raises(MlflowException, match="no option is called 'stor'") as caught:
        mlflow.MlflowClient().search_registered_models()
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_there_are_no_webhooks_and_the_words_say_what_there_is(store: Any) -> None:
    assert [*store.list_webhooks(max_results=10)] == [*store.list_webhooks_by_event("registered_model.created")] == []
    with pytest.raises(MlflowException, match="a push of a tag") as made:
        store.create_webhook("name", "https://example.com", [])
    assert made.value.error_code == "NOT_IMPLEMENTED"
    for ask in (store.get_webhook, store.update_webhook, store.delete_webhook, store.test_webhook):
        with pytest.raises(MlflowException, match="not found") as caught:
            ask("w-1")
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_what_the_registry_sets_itself_is_not_for_others_to_say(store: Any) -> None:
    store.create_registered_model("churn")
    with pytest.raises(MlflowException, match="set by the registry itself"):
        store.create_model_version("churn", "s3://b/m", tags=[ModelVersionTag("mlflow.source", "x")])
    store.create_model_version("churn", "s3://b/m")
    with pytest.raises(MlflowException, match="registry's own"):
        store.delete_model_version_tag("churn", 1, "mlflow.source")


def test_a_model_that_git_cannot_name_is_refused_and_is_not_there(store: Any) -> None:
    with pytest.raises(MlflowException, match="not a name") as made:
        store.create_registered_model("my model")
    assert made.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException, match="not found") as asked:
        store.get_registered_model("my model")
    assert asked.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_name_of_a_directory_is_there_by_mlflows_calls(store: Any, ml: RepoStory) -> None:
    ml.write("cv/registry.yaml", "models:\n  seg:\n    path: seg.bin\n").write("cv/seg.bin", "x").commit("A directory")
    ml.registry.register("cv:seg")

    assert store.get_model_version("cv:seg", 1).tags == {"semver": "v0.0.1"}
    assert [one.name for one in store.search_registered_models(max_results=10)] == ["cv:seg"]
    store.set_registered_model_tag("cv:seg", RegisteredModelTag("team", "vision"))
    assert "vision" in (ml.path / "cv/registry.yaml").read_text()


def test_a_model_registered_without_an_entry_gets_one_when_it_is_described(store: Any, ml: RepoStory) -> None:
    ml.registry.register("loose", undeclared=True)

    assert store.update_registered_model("loose", "Found").description == "Found"
    assert store.get_registered_model("loose").latest_versions[0].version == 1


def test_a_repository_without_a_commit_can_begin_in_mlflow(tmp_path: Any) -> None:
    story = RepoStory.begin(tmp_path / "new")
    store = GitStore(f"git+{story.path.as_uri()}")
    assert [*store.search_registered_models(max_results=10)] == []

    store.create_registered_model("churn")
    assert store.create_model_version("churn", "s3://b/m").version == 1


def test_what_strangers_write_hides_nothing_from_mlflow(store: Any, ml: RepoStory) -> None:
    ml.registry.register("churn", undeclared=True)
    block = "Registry: 1\nCounter: 1\nNumber: 1\n"
    head = ml.git("rev-parse", "HEAD")
    for name, date, more in (
        ("late", "9" * 18, ""),
        ("half", "1767225600", 'Tag: mlflow.source="\\ud800"\nTag: semver=v9.9.9\nDescription: "\n'),
        ("huge", "1767225600", f"Metric: auc={'9' * 300}\nMetric: more=1{'0' * 299}\nRun: mlflow:\n"),
        ("bytes", "1767225600", "Tag: k=\udcff\udcfe\nParam: \udcff=1\nRun: mlflow:\udcff\n"),
    ):
        raw = f"object {head}\ntype commit\ntag {name}@v1.0.0\ntagger A <a@b> {date} +0000\n\nx\n\n{block}{more}"
        ml.raw_tag(f"{name}@v1.0.0", raw.encode(errors="surrogateescape"))

    found = store.search_model_versions(max_results=10)
    assert {one.name for one in found} == {"churn", "late", "half", "huge", "bytes"}
    assert all(one.tags["semver"] in {"v0.0.1", "v1.0.0"} for one in found)
    for one in [*found, *store.search_registered_models(max_results=10)]:
        one.to_proto().SerializeToString()  # what a server answers

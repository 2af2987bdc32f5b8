"""What people do with MLflow, done with an unmodified MLflow and real models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from tests.mlflow.training import OUTPUTS, THREE, answers, logged, trained
from tests.story import RepoStory


def test_a_logged_model_is_a_version_with_its_run(client: Any, ml: RepoStory) -> None:
    info = logged("churn")

    version = client.get_model_version("churn", "1")
    assert (info.registered_model_version, version.version, version.run_id) == (1, 1, info.run_id)
    [ours] = ml.registry.list_versions("churn")
    assert (ours.version, ours.number, ours.metadata.run) == ("v0.0.1", 1, f"mlflow:{info.run_id}")
    assert ours.metadata.metrics == {"auc": 0.93}
    assert ours.metadata.params == {"C": 1}
    assert ml.git("log", "--format=%s", "-1", "--name-only") == "Declare churn\n\nregistry.yaml"


def test_a_run_is_asked_where_the_client_tracks(client: Any, ml: RepoStory, tmp_path: Path) -> None:
    elsewhere = mlflow.MlflowClient((tmp_path / "elsewhere").as_uri(), f"git+{ml.path.as_uri()}")
    run = elsewhere.create_run(elsewhere.create_experiment("of its own")).info.run_id
    elsewhere.log_metric(run, "auc", 0.97)
    elsewhere.log_param(run, "C", 3)
    client.create_registered_model("churn")

    version = elsewhere.create_model_version("churn", "s3://models/churn", run)

    [ours] = ml.registry.list_versions("churn")
    assert (version.run_id, ours.metadata.metrics, ours.metadata.params) == (run, {"auc": 0.97}, {"C": 3})
    assert elsewhere.get_run(run).data.tags["git-registry.version"] == "churn@v0.0.1"


@pytest.mark.parametrize(
    "name",
    ["churn/2", "churn/latest", "churn@latest", "churn@production", "churn/production", "churn/Production",
     "churn/v1.2.0", "churn@v1.2.0", "churn/stable", "churn/v1", "churn/^1.0"],
)  # fmt: skip
def test_a_model_is_loaded_by_every_name_that_it_has(client: Any, name: str) -> None:
    logged("churn")
    mlflow.register_model(logged(c=0.5).model_uri, "churn", tags={"semver": "v1.2.0"})
    client.set_registered_model_alias("churn", "production", 2)

    assert answers(f"models:/{name}") == OUTPUTS
    assert mlflow.sklearn.load_model(f"models:/{name}").C == 0.5


def test_the_newest_is_mlflows_latest_though_it_is_not_the_greatest(client: Any) -> None:
    mlflow.register_model(logged(c=2.0).model_uri, "churn", tags={"semver": "v2.0.0"})
    mlflow.register_model(logged(c=1.5).model_uri, "churn", tags={"semver": "v1.5.0"})

    assert mlflow.sklearn.load_model("models:/churn/latest").C == 1.5
    assert mlflow.sklearn.load_model("models:/churn/greatest").C == 2.0


def test_what_is_not_there_is_said_with_what_is(client: Any) -> None:
    logged("churn")

    with pytest.raises(MlflowException, match=r"v9\.9\.9") as caught:
        mlflow.pyfunc.load_model("models:/churn/v9.9.9")
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException, match="churn has staging, production, champion"):
        mlflow.pyfunc.load_model("models:/churn@shadow")
    with pytest.raises(MlflowException, match=r"there is 1 \(v0\.0\.1\)"):
        mlflow.pyfunc.load_model("models:/churn/7")


def test_an_alias_has_one_version_and_history_remembers_the_others(client: Any, ml: RepoStory) -> None:
    for c in (1.0, 2.0):
        logged("churn", c)
    client.set_registered_model_alias("churn", "champion", 1)
    client.set_registered_model_alias("churn", "champion", "2")

    assert client.get_registered_model("churn").aliases == {"champion": "2"}
    assert client.get_model_version_by_alias("churn", "champion").version == 2
    assert client.get_model_version("churn", 1).aliases == []
    events = [(one.event, one.version) for one in ml.registry.history("churn#champion")]
    assert events == [("assignment", "v0.0.1"), ("unassignment", "v0.0.1"), ("assignment", "v0.0.2")]

    client.delete_registered_model_alias("churn", "champion")
    assert client.get_registered_model("churn").aliases == {}
    client.delete_registered_model_alias("churn", "champion")  # again: there is nothing to do


def test_stages_are_ours_whatever_their_case(client: Any, ml: RepoStory) -> None:
    for c in (1.0, 2.0):
        logged("churn", c)
    client.transition_model_version_stage("churn", 1, "Staging")
    assert ml.resolve("churn#staging") == "v0.0.1"

    client.transition_model_version_stage("churn", 1, "Production")
    client.transition_model_version_stage("churn", 2, "production", archive_existing_versions=True)
    assert [client.get_model_version("churn", n).current_stage for n in (1, 2)] == ["None", "Production"]
    assert [one.version for one in client.get_latest_versions("churn", ["Production"])] == [2]
    assert ml.registry.show()[0].stages == {"production": "v0.0.2"}

    client.transition_model_version_stage("churn", 2, "None")
    assert ml.registry.show()[0].stages == {}


def test_tags_and_descriptions_of_versions_are_amendments(client: Any, ml: RepoStory) -> None:
    logged("churn")
    client.set_model_version_tag("churn", 1, "validated", "yes")
    client.set_model_version_tag("churn", 1, "note", 'two\nlines, and a "quote"')
    client.set_model_version_tag("churn", 1, "empty", "")
    client.update_model_version("churn", 1, "# Card\n\nWho leaves")

    version = client.get_model_version("churn", 1)
    expected = {"semver": "v0.0.1", "validated": "yes", "note": 'two\nlines, and a "quote"', "empty": ""}
    assert version.tags == expected
    assert version.description == "# Card\n\nWho leaves"
    assert ml.registry.resolve("churn").metadata.tags["validated"] == "yes"

    client.delete_model_version_tag("churn", 1, "note")
    client.update_model_version("churn", 1, "")
    assert "note" not in client.get_model_version("churn", 1).tags
    assert client.get_model_version("churn", 1).description is None


def test_tags_and_descriptions_of_models_are_in_the_manifest(client: Any, ml: RepoStory) -> None:
    client.create_registered_model("churn", tags={"team": "growth"}, description="Who is about to leave")
    client.set_registered_model_tag("churn", "tier", "1")
    client.delete_registered_model_tag("churn", "team")
    client.update_registered_model("churn", "Who leaves")

    model = client.get_registered_model("churn")
    assert (model.tags, model.description) == ({"tier": "1"}, "Who leaves")
    declared = ml.registry.repository.manifest_at_head.artifacts["churn"]
    assert (declared.metadata, declared.description) == ({"tier": "1"}, "Who leaves")
    assert ml.registry.check() == []
    assert ml.git("status", "--porcelain") == ""


def test_what_else_is_changed_in_the_repository_is_left_alone(client: Any, ml: RepoStory) -> None:
    ml.write("notes.md", "mine\n").git("add", "notes.md")
    ml.write("other.md", "mine, too\n")

    logged("churn")

    assert ml.git("status", "--porcelain") == "A  notes.md\n?? other.md"


def test_a_semver_is_chosen_by_its_tag_and_never_moves(client: Any) -> None:
    uri = logged().model_uri
    assert mlflow.register_model(uri, "churn", tags={"semver": "v1.2.0"}).tags["semver"] == "v1.2.0"

    with pytest.raises(MlflowException, match="already exists") as taken:
        mlflow.register_model(uri, "churn", tags={"semver": "v1.2.0"})
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    with pytest.raises(MlflowException, match="keeps its name"):
        client.set_model_version_tag("churn", 1, "semver", "v2.0.0")
    with pytest.raises(MlflowException, match=r"1\.2") as malformed:
        mlflow.register_model(uri, "churn", tags={"semver": "1.2"})
    assert malformed.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_copy_is_a_version_of_another_model_with_the_same_files(client: Any) -> None:
    mlflow.register_model(logged(c=0.5).model_uri, "churn", tags={"semver": "v1.2.0", "team": "growth"})
    client.set_registered_model_alias("churn", "champion", 1)

    copy = client.copy_model_version("models:/churn@champion", "churn-prod")
    again = client.copy_model_version("models:/churn/1", "churn-prod")

    assert (copy.version, copy.source) == (1, "models:/churn/1")
    assert (copy.tags, again.tags["semver"]) == ({"semver": "v1.2.0", "team": "growth"}, "v1.2.1")
    assert mlflow.sklearn.load_model("models:/churn-prod/1").C == 0.5
    chained = client.copy_model_version("models:/churn-prod/1", "churn-archive")
    assert mlflow.sklearn.load_model(f"models:/churn-archive/{chained.version}").C == 0.5


def test_a_deleted_version_is_withdrawn_and_keeps_its_number(client: Any, ml: RepoStory) -> None:
    logged("churn")
    client.set_registered_model_alias("churn", "champion", 1)
    client.delete_model_version("churn", 1)

    with pytest.raises(MlflowException, match="was deregistered by Ana"):
        client.get_model_version("churn", 1)
    assert client.get_registered_model("churn").aliases == {}
    assert logged("churn").registered_model_version == 2
    assert "churn@v0.0.1" in ml.tags


def test_a_deleted_model_is_withdrawn_and_its_history_stays(client: Any, ml: RepoStory) -> None:
    logged("churn")
    logged("churn", 2.0)
    client.delete_registered_model("churn")

    assert [*client.search_registered_models()] == []
    assert [*client.search_model_versions()] == []
    with pytest.raises(MlflowException, match="not found"):
        client.get_registered_model("churn")
    assert [one.event for one in ml.registry.history()][-2:] == ["deregistration", "deregistration"]
    assert logged("churn").registered_model_version == 3


def test_what_was_registered_by_others_is_there_for_mlflow(client: Any, ml: RepoStory) -> None:
    model = ml.path / "models" / "fraud"
    mlflow.sklearn.save_model(trained(0.25), model, pip_requirements=[])
    ml.registry.add("fraud", path="models/fraud", description="Who steals")
    ml.commit("A model that never was in MLflow")
    ml.registry.register("fraud", version="v3.0.0", metrics={"auc": 0.8})
    ml.registry.assign("fraud", "champion")

    version = client.get_model_version_by_alias("fraud", "champion")
    assert (version.version, version.tags, version.description) == (1, {"semver": "v3.0.0"}, "Who steals")
    if THREE:
        assert [(one.key, one.value) for one in version.metrics] == [("auc", 0.8)]
    assert version.source == f"git+{ml.path.as_uri()}#fraud@v3.0.0"
    assert mlflow.sklearn.load_model("models:/fraud@champion").C == 0.25
    assert mlflow.sklearn.load_model("models:/fraud/v3").C == 0.25


def test_a_dataset_is_no_model(client: Any, ml: RepoStory) -> None:
    ml.write("data/train.csv", "1\n")
    ml.registry.add("train-set", path="data/train.csv", type="dataset")
    ml.commit("Data")
    ml.registry.register("train-set")

    assert [*client.search_registered_models()] == []
    with pytest.raises(MlflowException, match="not found"):
        client.get_registered_model("train-set")


def test_a_rule_of_the_registry_is_told_in_its_own_words(client: Any, ml: RepoStory) -> None:
    rule = "stages:\n  staging: {}\n  production:\n    after: staging\n    require: {metrics: {auc: '>=0.95'}}\n"
    ml.write("registry.yaml", rule).commit("A gate")
    logged("churn")

    with pytest.raises(MlflowException, match="staging") as first:
        client.set_registered_model_alias("churn", "production", 1)
    assert first.value.error_code == "PERMISSION_DENIED"
    client.set_registered_model_alias("churn", "staging", 1)
    with pytest.raises(MlflowException, match=r"auc.*0\.93"):
        client.transition_model_version_stage("churn", 1, "Production")
    with pytest.raises(MlflowException, match="shadow"):
        client.set_registered_model_alias("churn", "shadow", 1)
    assert client.get_registered_model("churn").aliases == {"staging": "1"}


def test_a_run_that_is_gone_does_not_hinder_a_registration(client: Any) -> None:
    client.create_registered_model("churn")

    version = client.create_model_version("churn", "s3://bucket/churn", run_id="f" * 32, run_link="https://ml/runs/1")

    assert (version.run_id, version.run_link) == ("f" * 32, "https://ml/runs/1")
    assert client.get_model_version_download_uri("churn", 1) == "s3://bucket/churn"


def test_prompts_are_kept_too_and_are_no_models(client: Any, ml: RepoStory, caplog: pytest.LogCaptureFixture) -> None:
    if not hasattr(mlflow, "genai"):
        pytest.skip("this MLflow has no prompts")
    mlflow.genai.register_prompt("greeting", "Hello {{name}},\nhow are you?", tags={"tone": "kind"})
    mlflow.genai.register_prompt("greeting", "Hi {{name}}!")
    mlflow.genai.set_prompt_alias("greeting", "champion", 1)

    assert mlflow.genai.load_prompt("prompts:/greeting/2").template == "Hi {{name}}!"
    assert mlflow.genai.load_prompt("prompts:/greeting@champion").template == "Hello {{name}},\nhow are you?"
    assert [one.name for one in mlflow.genai.search_prompts()] == ["greeting"]
    assert [*client.search_registered_models()] == []
    assert [(one.name, one.type) for one in ml.registry.show()] == [("greeting", "prompt")]
    assert "Failed to tag" not in caplog.text  # which MLflow does in a thread
    assert ml.git("status", "--porcelain") == ""

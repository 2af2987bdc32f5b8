"""What MLflow asks of each of its own stores, asked of ours. Where ours answers otherwise, docs/mlflow.md says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException

from tests.mlflow.training import THREE
from tests.story import RepoStory

Tag = ModelVersionTag
MISSING = "RESOURCE_DOES_NOT_EXIST"
INVALID = "INVALID_PARAMETER_VALUE"


def version(store: Any, name: str = "churn", source: str = "s3://bucket/churn", **said: Any) -> int:
    """Create one more version; its number."""
    return int(store.create_model_version(name, source, **said).version)


def models(store: Any, text: str | None = None, most: int = 100, **said: Any) -> list[str]:
    """The names of the models that a filter finds."""
    return [one.name for one in store.search_registered_models(text, most, **said)]


def versions(store: Any, text: str | None = None, most: int = 100, **said: Any) -> list[int]:
    """The numbers of the versions that a filter finds."""
    return [one.version for one in store.search_model_versions(text, most, **said)]


def by_stage(found: list[ModelVersion]) -> dict[str, int]:
    """The number of the version in each stage."""
    return {one.current_stage: one.version for one in found}


# -- models ------------------------------------------------------------------------------------------------------------


def test_a_new_model_is_empty_and_there_once(store: Any) -> None:
    made = store.create_registered_model("churn", [RegisteredModelTag("k", "v")], "Who leaves")

    assert (made.name, made.tags, made.description, made.latest_versions) == ("churn", {"k": "v"}, "Who leaves", [])
    assert made.creation_timestamp == made.last_updated_timestamp > 0
    with pytest.raises(MlflowException, match=r"Registered Model \(name=churn\) already exists") as caught:
        store.create_registered_model("churn")
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_a_model_and_a_prompt_share_no_name(store: Any) -> None:
    prompt = [RegisteredModelTag("mlflow.prompt.is_prompt", "true")]
    store.create_registered_model("a-model")
    store.create_registered_model("a-prompt", prompt)

    for name, tags, words in (
        ("a-model", prompt, "create a prompt with name 'a-model', but the name is already taken by a registered model"),
        ("a-prompt", prompt, r"Prompt \(name=a-prompt\) already exists"),
        ("a-prompt", None, "create a registered model with name 'a-prompt', but the name is already taken by a prompt"),
    ):
        with pytest.raises(MlflowException, match=words) as caught:
            store.create_registered_model(name, tags)
        assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"


@pytest.mark.parametrize("name", [None, "", "  ", "a/../b", "../../path", "a:b"])
def test_a_model_needs_a_name_that_mlflow_can_say(store: Any, name: Any) -> None:
    for ask in (store.create_registered_model, store.get_registered_model, store.delete_registered_model):
        with pytest.raises(MlflowException) as caught:
            ask(name)
        assert caught.value.error_code in ({INVALID} if THREE else {INVALID, MISSING})


def test_a_model_without_versions_is_renamed_and_one_with_versions_is_not(store: Any) -> None:
    store.create_registered_model("churn", [RegisteredModelTag("k", "v")], "Who leaves")
    store.create_registered_model("fraud")
    with pytest.raises(MlflowException, match=r"\(name=fraud\) already exists"):
        store.rename_registered_model("churn", "fraud")

    renamed = store.rename_registered_model("churn", "leavers")
    assert (renamed.name, renamed.tags, renamed.description) == ("leavers", {"k": "v"}, "Who leaves")
    assert models(store) == ["fraud", "leavers"]

    version(store, "fraud")
    with pytest.raises(MlflowException, match="tags, which never move") as caught:
        store.rename_registered_model("fraud", "thieves")
    assert caught.value.error_code == "INVALID_STATE"
    assert models(store) == ["fraud", "leavers"]


def test_what_is_deleted_is_deleted_once(store: Any) -> None:
    store.create_registered_model("churn")
    store.delete_registered_model("churn")

    assert models(store) == []
    for ask in (store.delete_registered_model, store.get_registered_model, store.get_latest_versions):
        with pytest.raises(MlflowException, match="Registered Model with name=churn not found") as caught:
            ask("churn")
        assert caught.value.error_code == MISSING


def test_tags_of_models_are_set_again_and_deleted_twice(store: Any) -> None:
    for name in ("churn", "fraud"):
        store.create_registered_model(name, [RegisteredModelTag("k", "v"), RegisteredModelTag("other", "some words")])
    store.set_registered_model_tag("churn", RegisteredModelTag("k", "w"))
    store.set_registered_model_tag("churn", RegisteredModelTag("new", "x"))
    assert store.get_registered_model("churn").tags == {"k": "w", "other": "some words", "new": "x"}
    for _ in range(2):
        store.delete_registered_model_tag("churn", "k")
    assert store.get_registered_model("churn").tags == {"other": "some words", "new": "x"}
    assert store.get_registered_model("fraud").tags == {"k": "v", "other": "some words"}

    for key in (None, "a=b"):
        with pytest.raises(MlflowException) as caught:
            store.set_registered_model_tag("churn", RegisteredModelTag(key, "v"))
        assert caught.value.error_code == INVALID
    with pytest.raises(MlflowException) as gone:
        store.set_registered_model_tag("nobody", RegisteredModelTag("k", "v"))
    assert gone.value.error_code == MISSING


def test_models_are_found_by_name_and_tag(store: Any) -> None:
    for name, value in (("RM1", "abc"), ("RM2", "abd"), ("RM4A", "XYZ"), ("RM4ab", "xyz")):
        store.create_registered_model(name, [RegisteredModelTag("t", value)])

    assert models(store, "name = 'RM1'") == ["RM1"]
    assert models(store, "name = 'RM9'") == []
    assert models(store, "name LIKE 'RM4a%'") == ["RM4ab"]
    assert models(store, "name ILIKE '%rm4A%'") == ["RM4A", "RM4ab"]
    assert models(store, "name iLike '%%'") == ["RM1", "RM2", "RM4A", "RM4ab"]
    assert models(store, "tag.t != 'abc' AND tag.t LIKE 'ab%'") == ["RM2"]
    assert models(store, "tags.`t` = 'xyz'") == ["RM4ab"]
    assert models(store, "tag.T = 'xyz'") == []
    assert models(store, order_by=["name DESC"]) == ["RM4ab", "RM4A", "RM2", "RM1"]


@pytest.mark.parametrize(
    "said",
    [
        {"text": "name != something"},
        {"text": "run_id = 'x'"},
        {"text": "source_path = 'x'"},
        {"text": "evil = true"},
        {"text": "name LIKE"},
        {"order_by": ["name ASC", "description DESC"]},
        {"order_by": ["last_updated_timestamp DESC blah"]},
        {"page_token": "evil"},
        {"most": 0},
        {"most": 10**15},
        {"most": None},
    ],
)
def test_a_search_for_models_that_means_nothing_is_refused(store: Any, said: dict[str, Any]) -> None:
    store.create_registered_model("churn")
    with pytest.raises(MlflowException) as caught:
        models(store, **said)
    assert caught.value.error_code == INVALID


def test_pages_of_models_follow_each_other(store: Any, ml: RepoStory) -> None:
    names = [f"RM{number:02}" for number in range(12)]
    ml.write("registry.yaml", "models:\n" + "".join(f"  {name}: {{}}\n" for name in names)).commit("Many")

    found, token = [], None
    for most in (5, 4, 10):
        page = store.search_registered_models("name LIKE 'RM%'", most, page_token=token)
        found += [one.name for one in page]
        token = page.token
    assert (found, token) == (names, None)


# -- versions ----------------------------------------------------------------------------------------------------------


def test_versions_count_up_and_say_all_that_was_said(store: Any) -> None:
    store.create_registered_model("churn")
    tags = [Tag("k", "v"), Tag("other", "some words")]
    said: dict[str, Any] = {
        "run_id": "a" * 32,
        "tags": tags,
        "run_link": "http://localhost/run",
        "description": "The best",
    }
    assert [version(store), version(store, **said), version(store, run_id=None)] == [1, 2, 3]

    two = store.get_model_version("churn", 2)
    assert (two.name, two.version, two.current_stage, two.status) == ("churn", 2, "None", "READY")
    assert (two.source, two.run_id, two.run_link) == ("s3://bucket/churn", "a" * 32, "http://localhost/run")
    assert (two.description, two.status_message, two.aliases) == ("The best", None, [])
    assert {key: value for key, value in two.tags.items() if key != "semver"} == {"k": "v", "other": "some words"}
    assert two.creation_timestamp == two.last_updated_timestamp > 0
    one = store.get_model_version("churn", "1")
    assert (one.run_id, one.run_link, one.description) == (None, None, None)


def test_a_version_of_a_model_that_is_not_there_is_not_made(store: Any) -> None:
    with pytest.raises(MlflowException) as caught:
        version(store)
    assert caught.value.error_code == MISSING
    assert models(store) == []


def test_a_version_is_described_anew_and_remembers_when(store: Any) -> None:
    store.create_registered_model("churn")
    version(store, description="old")
    changed = store.update_model_version("churn", 1, "new")

    assert changed.description == store.get_model_version("churn", 1).description == "new"
    assert changed.last_updated_timestamp > changed.creation_timestamp


def test_a_deleted_version_cannot_be_had_changed_or_deleted_again(store: Any) -> None:
    store.create_registered_model("churn")
    version(store)
    store.delete_model_version("churn", 1)

    asks: tuple[Any, ...] = (
        lambda: store.get_model_version("churn", 1),
        lambda: store.update_model_version("churn", 1, "x"),
        lambda: store.delete_model_version("churn", 1),
        lambda: store.set_model_version_tag("churn", 1, Tag("k", "v")),
        lambda: store.delete_model_version_tag("churn", 1, "k"),
        lambda: store.set_registered_model_alias("churn", "champion", 1),
        lambda: store.transition_model_version_stage("churn", 1, "Staging", False),
        lambda: store.get_model_version_download_uri("churn", 1),
    )
    for ask in asks:
        with pytest.raises(MlflowException, match=r"Model Version \(name=churn, version=1\) not found") as caught:
            ask()
        assert caught.value.error_code == MISSING


def test_a_version_is_a_number_or_a_semver(store: Any) -> None:
    store.create_registered_model("churn")
    version(store)
    for ask in (store.get_model_version, store.delete_model_version, store.get_model_version_download_uri):
        with pytest.raises(MlflowException, match="integer") as caught:
            ask("churn", "I am not a version")
        assert caught.value.error_code == INVALID
    assert store.get_model_version("churn", "v0.0.1").version == 1


def test_tags_of_versions_are_set_again_and_deleted_twice(store: Any) -> None:
    store.create_registered_model("churn")
    tags = [Tag("k", "v"), Tag("other", "some words")]
    version(store, tags=tags)
    version(store, tags=tags)
    store.set_model_version_tag("churn", 1, Tag("k", "w"))
    store.set_model_version_tag("churn", 1, Tag("long", "a" * 4999))
    for _ in range(2):
        store.delete_model_version_tag("churn", 1, "other")

    kept = {"k": "w", "long": "a" * 4999, "semver": "v0.0.1"}
    assert store.get_model_version("churn", 1).tags == kept
    assert store.get_model_version("churn", 2).tags == {"k": "v", "other": "some words", "semver": "v0.0.2"}
    for key in (None, "a=b"):
        with pytest.raises(MlflowException) as caught:
            store.set_model_version_tag("churn", 1, Tag(key, "v"))
        assert caught.value.error_code == INVALID
    with pytest.raises(MlflowException) as unsaid:
        store.delete_model_version_tag("churn", 1, None)
    assert unsaid.value.error_code == INVALID


def test_versions_are_found_by_what_they_say(store: Any) -> None:
    store.create_registered_model("churn")
    for source, run, value in (("A/B", "ab1", "xyz"), ("A/C", "ab2", "x123"), ("A/D", "ab2", ""), ("A/D", "cd3", "q")):
        version(store, source=source, run_id=run, tags=[Tag("t", value)])

    assert sorted(versions(store, "name = 'churn'")) == sorted(versions(store)) == [1, 2, 3, 4]
    assert versions(store, "name = 'nobody'") == versions(store, "name = 'no body'") == []
    assert sorted(versions(store, "version_number <= 3")) == [1, 2, 3]
    assert sorted(versions(store, "run_id IN ('ab1', 'ab2')")) == [1, 2, 3]
    assert sorted(versions(store, "run_id ILIKE 'AB%'")) == [1, 2, 3]
    assert sorted(versions(store, "source_path = 'A/D'")) == [3, 4]
    assert versions(store, "source_path = 'A'") == []
    assert sorted(versions(store, "name = 'churn' AND tag.t LIKE 'x%'")) == [1, 2]
    assert versions(store, "tag.t ILIKE 'XY%'") == [1]
    assert versions(store, "tag.semver = 'v0.0.4'") == [4]
    assert versions(store, "name = 'churn'", order_by=["version_number ASC"]) == [1, 2, 3, 4]
    store.delete_model_version("churn", 4)
    assert sorted(versions(store, "source_path = 'A/D'")) == [3]


@pytest.mark.parametrize("text", ["run_id IN (1,2)", "run_id IN ()", "run_id IN (", "run_id IN (,)", "name LIKE"])
def test_a_search_for_versions_that_means_nothing_is_refused(store: Any, text: str) -> None:
    with pytest.raises(MlflowException) as caught:
        versions(store, text)
    assert caught.value.error_code == INVALID


def test_pages_of_versions_follow_each_other_newest_first(store: Any) -> None:
    store.create_registered_model("churn")
    for _ in range(7):
        version(store)

    first = store.search_model_versions("name LIKE 'ch%'", 3)
    second = store.search_model_versions("name LIKE 'ch%'", 10, page_token=first.token)
    assert [one.version for one in [*first, *second]] == [7, 6, 5, 4, 3, 2, 1]
    assert second.token is None


# -- stages and aliases ------------------------------------------------------------------------------------------------


def test_the_latest_in_each_stage(store: Any) -> None:
    store.create_registered_model("churn")
    for stage in (None, "Production", "Production", "Staging"):
        number = version(store)
        if stage is not None:
            store.transition_model_version_stage("churn", number, stage, False)

    every = {"None": 1, "Production": 3, "Staging": 4}
    assert by_stage(store.get_registered_model("churn").latest_versions) == every
    assert by_stage(store.get_latest_versions("churn")) == by_stage(store.get_latest_versions("churn", [])) == every
    assert by_stage(store.get_latest_versions("churn", ["pROduction", "None"])) == {"None": 1, "Production": 3}
    store.delete_model_version("churn", 3)
    assert by_stage(store.get_latest_versions("churn", ["Production"])) == {"Production": 2}


def test_existing_versions_are_archived_in_the_same_step(store: Any, ml: RepoStory) -> None:
    store.create_registered_model("churn")
    for number, stage in enumerate(("Staging", "Production"), 1):
        version(store)
        store.transition_model_version_stage("churn", number, stage, False)
    version(store)
    before = len(ml.registry.history("churn"))
    store.transition_model_version_stage("churn", 3, "STAGING", True)

    assert [store.get_model_version("churn", n).current_stage for n in (1, 2, 3)] == [
        "Archived",
        "Production",
        "Staging",
    ]
    assert [one.event for one in ml.registry.history("churn")[before:]] == ["unassignment", "assignment", "assignment"]
    store.transition_model_version_stage("churn", 1, "None", False)
    assert store.get_model_version("churn", 1).current_stage == "None"


@pytest.mark.parametrize("stage", ["None", "Archived"])
def test_only_for_an_active_stage_are_others_archived(store: Any, stage: str) -> None:
    store.create_registered_model("churn")
    version(store)
    store.transition_model_version_stage("churn", 1, stage, False)
    with pytest.raises(MlflowException, match="cannot archive existing model versions"):
        store.transition_model_version_stage("churn", 1, stage, True)


def test_a_stage_that_is_none_is_refused_in_mlflows_words(store: Any) -> None:
    store.create_registered_model("churn")
    version(store)
    words = r"Invalid Model Version stage: unknown\. Value must be one of None, Staging, Production, Archived\."
    with pytest.raises(MlflowException, match=words) as caught:
        store.transition_model_version_stage("churn", 1, "unknown", False)
    assert caught.value.error_code == INVALID


def test_an_alias_is_set_moved_and_deleted(store: Any) -> None:
    store.create_registered_model("churn")
    version(store)
    version(store)
    store.set_registered_model_alias("churn", "test_alias", "2")
    assert store.get_registered_model("churn").aliases == {"test_alias": "2"}
    assert [store.get_model_version("churn", n).aliases for n in (1, 2)] == [[], ["test_alias"]]
    assert store.get_model_version_by_alias("churn", "test_alias").version == 2

    store.set_registered_model_alias("churn", "test_alias", 1)
    assert store.get_model_version_by_alias("churn", "test_alias").version == 1
    store.delete_model_version("churn", 1)
    assert store.get_registered_model("churn").aliases == {}
    with pytest.raises(MlflowException, match="Registered model alias test_alias not found") as caught:
        store.get_model_version_by_alias("churn", "test_alias")
    assert caught.value.error_code == INVALID
    assert store.get_model_version_by_alias("churn", "latest").version == 2


@pytest.mark.parametrize("alias", ["", "latest", "Latest", "v1", "a b", "a@b", "_x"])
def test_an_alias_has_a_name_that_both_know(store: Any, alias: str) -> None:
    store.create_registered_model("churn")
    version(store)
    with pytest.raises(MlflowException) as caught:
        store.set_registered_model_alias("churn", alias, 1)
    assert caught.value.error_code == INVALID


# -- sources -----------------------------------------------------------------------------------------------------------


def test_a_version_of_a_version_has_its_files_however_long_the_way(store: Any) -> None:
    for name in ("churn", "copy", "again"):
        store.create_registered_model(name)
    version(store)
    version(store, "copy", "models:/churn/1")
    version(store, "again", "models:/copy/1")

    assert store.get_model_version("again", 1).source == "models:/copy/1"
    assert store.get_model_version_download_uri("again", 1) == "s3://bucket/churn"
    with pytest.raises(MlflowException, match="Unable to fetch model from model URI"):
        version(store, "copy", "models:/churn/9")


def test_a_copy_goes_into_a_new_model_or_into_one_that_is_there(store: Any) -> None:
    store.create_registered_model("churn")
    version(store, run_id="a" * 32, tags=[Tag("k", "v")], description="The best", run_link="http://run")
    original = store.get_model_version("churn", 1)

    for number in (1, 2):
        copy = store.copy_model_version(original, "copied")
        assert (copy.name, copy.version, copy.source) == ("copied", number, "models:/churn/1")
        assert (copy.run_id, copy.run_link, copy.description) == ("a" * 32, "http://run", "The best")
        assert copy.tags["k"] == "v"
    with pytest.raises(MlflowException) as bad:
        store.copy_model_version(original, "")
    assert bad.value.error_code == INVALID


# -- where ours was of another opinion than MLflow's -------------------------------------------------------------------


def test_a_version_of_a_model_that_is_not_there_is_what_is_not_found(store: Any) -> None:
    asks: list[Callable[[], object]] = [
        lambda: store.get_model_version("nobody", 1),
        lambda: store.update_model_version("nobody", 1, "x"),
        lambda: store.delete_model_version("nobody", 1),
        lambda: store.transition_model_version_stage("nobody", 1, "Staging", False),
        lambda: store.set_model_version_tag("nobody", 1, Tag("k", "v")),
        lambda: store.delete_model_version_tag("nobody", 1, "k"),
        lambda: store.get_model_version_download_uri("nobody", 1),
        lambda: store.set_registered_model_alias("nobody", "champion", 1),
    ]
    for ask in asks:
        words = r"Model Version \(name=nobody, version=1\) not found: Registered Model with name=nobody not found"
        with pytest.raises(MlflowException, match=words) as caught:
            ask()
        assert caught.value.error_code == MISSING


def test_a_page_has_a_size_of_its_own(store: Any) -> None:
    store.create_registered_model("churn")
    version(store)
    assert [one.name for one in store.search_registered_models()] == ["churn"]
    assert [one.version for one in store.search_model_versions()] == [1]


def test_a_field_orders_once(store: Any) -> None:
    for order in (["name", "name ASC"], ["timestamp", "last_updated_timestamp DESC"]):
        with pytest.raises(MlflowException, match="`order_by` contains duplicate fields") as caught:
            store.search_registered_models(order_by=order)
        assert caught.value.error_code == INVALID
    with pytest.raises(MlflowException, match="`order_by` contains duplicate fields"):
        store.search_model_versions(order_by=["version_number", "version_number DESC"])


def test_a_version_of_mlflows_has_no_description_but_its_own(store: Any, ml: RepoStory) -> None:
    store.create_registered_model("churn", description="Who leaves")
    version(store)
    version(store, description="The second")
    assert [store.get_model_version("churn", number).description for number in (1, 2)] == [None, "The second"]
    assert store.update_model_version("churn", 2, "").description is None
    assert store.copy_model_version(store.get_model_version("churn", 1), "fraud").description is None
    ml.registry.register("churn", force=True)
    assert store.get_model_version("churn", 3).description == "Who leaves"


def test_a_stage_that_was_an_alias_keeps_its_spelling(store: Any) -> None:
    store.create_registered_model("churn")
    version(store)
    store.set_registered_model_alias("churn", "Staging", 1)
    store.delete_registered_model_alias("churn", "Staging")

    assert store.transition_model_version_stage("churn", 1, "staging", False).current_stage == "Staging"
    assert store.get_registered_model("churn").aliases == {"Staging": "1"}


@pytest.mark.parametrize("name", [None, "", "  "])
def test_a_new_name_is_named_where_it_is_missing(store: Any, name: Any) -> None:
    store.create_registered_model("churn")
    with pytest.raises(MlflowException, match="new_name" if THREE else "") as caught:
        store.rename_registered_model("churn", name)
    assert caught.value.error_code == INVALID


@pytest.mark.parametrize("source", ["", None])
def test_a_source_that_is_empty_stays_so(store: Any, source: Any) -> None:
    store.create_registered_model("churn")
    version(store, source=source)
    assert store.get_model_version("churn", 1).source == ""

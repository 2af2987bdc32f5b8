"""Models of MLflow's are entries of the manifest: what is written there, by several at once, and when."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from mlflow.entities.model_registry import RegisteredModelTag
from mlflow.exceptions import MlflowException

from registry.mlflow.dates import told
from registry.mlflow.store import GitStore
from tests.story import RepoStory

DAY = 24 * 60 * 60 * 1000


def code(ask: Callable[[], object]) -> str:
    """The code of the error that it raises."""
    with pytest.raises(MlflowException) as caught:
        ask()
    return str(caught.value.error_code)


def refuse_tags(ml: RepoStory) -> None:
    """From now on no tag can be written here."""
    hook = ml.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\n[ "$1" = prepared ] && ! grep -q refs/tags/\n')
    hook.chmod(0o755)


def test_a_tag_of_a_model_leaves_what_the_user_has_not_finished(store: Any, ml: RepoStory) -> None:
    store.create_registered_model("churn", [RegisteredModelTag("team", "growth")])
    text = (ml.path / "registry.yaml").read_text()
    ml.write("registry.yaml", f"{text}      tier: '1'\n    assign: {{production: v0.0.1}}\n")

    store.set_registered_model_tag("churn", RegisteredModelTag("owner", "Bo"))
    assert store.get_registered_model("churn").tags == {"team": "growth", "owner": "Bo"}
    store.delete_registered_model_tag("churn", "team")

    assert store.get_registered_model("churn").tags == {"owner": "Bo"}
    assert "assign" not in ml.git("show", "HEAD:registry.yaml")
    unfinished = ml.git("diff", "--", "registry.yaml")
    assert [line for line in unfinished.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}] == [
        "+      tier: '1'",
        "+    assign: {production: v0.0.1}",
    ]


def test_models_that_are_made_at_once_are_all_there(store: Any, ml: RepoStory) -> None:
    failed: list[BaseException] = []

    def create(number: int) -> None:
        try:
            GitStore(store.store_uri).create_registered_model(f"m{number}", description=str(number))
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is to be told)
            failed.append(error)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    found = {one.name: one.description for one in store.search_registered_models()}
    assert found == {f"m{number}": str(number) for number in range(5)}
    assert ml.git("status", "--porcelain") == ""


def test_what_failed_can_be_said_again(store: Any, ml: RepoStory) -> None:
    ml.git("config", "user.useConfigOnly", "true")
    ml.git("config", "--unset", "user.email")
    before = (ml.path / "registry.yaml").read_text()
    assert code(lambda: store.create_registered_model("churn")) == "PERMISSION_DENIED"
    assert (ml.path / "registry.yaml").read_text() == before

    ml.git("config", "user.email", "ana@example.com")
    ml.write("registry.yaml", "models:\n  churn: {}\n")  # what somebody who was killed has left
    assert store.create_registered_model("churn", description="Who leaves").description == "Who leaves"
    ml.write("registry.yaml", "models:\n  churn: {description: Who leaves}\n  fraud: {description: other}\n")
    make = lambda: store.create_registered_model("fraud", description="Who steals")  # noqa: E731
    assert code(make) == "RESOURCE_ALREADY_EXISTS"


def test_a_model_is_deleted_whole_or_not_at_all(store: Any, ml: RepoStory) -> None:
    store.create_registered_model("churn")
    for _ in range(2):
        store.create_model_version("churn", "s3://b/m")
    refuse_tags(ml)
    before = ml.refs(), (ml.path / "registry.yaml").read_text()

    with pytest.raises(MlflowException):
        store.delete_registered_model("churn")
    assert (ml.refs(), (ml.path / "registry.yaml").read_text()) == before
    assert len(store.search_model_versions("name='churn'")) == 2

    (ml.path / ".git/hooks/reference-transaction").unlink()
    store.delete_registered_model("churn")
    assert store.search_registered_models() == []
    assert [one.version for one in ml.registry.history("churn")[-2:]] == ["v0.0.2", "v0.0.1"]


def test_a_renamed_model_keeps_all_that_was_said_of_it(store: Any, ml: RepoStory) -> None:
    text = "models:\n  churn: # who leaves\n    labels: [a]\n    framework: x\n    versions: {signed: true}\n  z: {}\n"
    ml.write("registry.yaml", text).commit("Declared")
    head = ml.git("rev-parse", "HEAD")

    assert store.rename_registered_model("churn", "leavers").name == "leavers"
    assert (ml.path / "registry.yaml").read_text() == text.replace("churn", "leavers")
    assert ml.git("rev-parse", "HEAD^") == head
    assert store.rename_registered_model("leavers", "leavers").name == "leavers"
    assert store.rename_registered_model("leavers", "Leavers").name == "Leavers"


def test_what_another_file_declares_is_not_written_to(store: Any, ml: RepoStory) -> None:
    ml.write("artifacts.yaml", "old:\n  type: model\n  path: m.pkl\n").write("m.pkl", "x").commit("GTO's")
    asks: list[Callable[[], object]] = [
        lambda: store.set_registered_model_tag("old", RegisteredModelTag("k", "v")),
        lambda: store.update_registered_model("old", "Old"),
        lambda: store.rename_registered_model("old", "new"),
        lambda: store.delete_registered_model("old"),
    ]
    for ask in asks:
        with pytest.raises(MlflowException, match=r"old is declared in artifacts\.yaml") as caught:
            ask()
        assert caught.value.error_code == "INVALID_STATE"


def test_a_model_without_versions_has_the_dates_of_its_entry(
    store: Any, ml: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(day: int) -> None:
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"@{day * DAY // 1000} +0000")

    on(1)
    made = store.create_registered_model("churn")
    assert (made.creation_timestamp, made.last_updated_timestamp) == (DAY, DAY)
    on(2)
    described = store.update_registered_model("churn", "Who leaves")
    on(3)
    store.create_registered_model("fraud")
    ml.git("commit", "-q", "--allow-empty", "-m", "Another thing")
    assert (described.creation_timestamp, described.last_updated_timestamp) == (DAY, 2 * DAY)
    assert store.get_registered_model("churn").last_updated_timestamp == 2 * DAY
    on(4)
    renamed = store.rename_registered_model("churn", "leavers")
    assert (renamed.creation_timestamp, renamed.last_updated_timestamp) == (DAY, 4 * DAY)
    found = store.search_registered_models(order_by=["timestamp DESC"])
    assert [one.name for one in found] == ["leavers", "fraud"]


def test_an_entry_that_was_taken_out_has_no_part_in_the_next_of_its_name() -> None:
    lines = ["5 Change a", "4 Declare a", "3 Remove a", "2 Declare a", "1 A lifecycle", "1 Change b and c"]
    assert told(lines) == {"a": (4000, 5000)}
    assert told(["5 Declare a", "4 Rename a to b", "3 Change a", "1 Declare a"]) == {
        "a": (5000, 5000),
        "b": (1000, 4000),
    }


@pytest.mark.parametrize("name", ["x" * 300, "con", "CHURN", "my model"])
def test_a_name_that_git_cannot_say_is_an_argument_of_no_use(store: Any, name: str) -> None:
    store.create_registered_model("churn")
    assert code(lambda: store.create_registered_model(name)) == "INVALID_PARAMETER_VALUE"
    store.create_registered_model("fraud")
    assert code(lambda: store.rename_registered_model("fraud", name)) == "INVALID_PARAMETER_VALUE"


def test_half_a_character_is_no_text(store: Any) -> None:
    store.create_registered_model("churn")
    for ask in (
        lambda: store.set_registered_model_tag("churn", RegisteredModelTag("k", "\ud800")),
        lambda: store.update_registered_model("churn", "\ud800"),
        lambda: store.create_registered_model("fraud", description="\ud800"),
    ):
        assert code(ask) == "INVALID_PARAMETER_VALUE"


def test_whatever_is_asked_wrongly_is_told_in_mlflows_way(store: Any, ml: RepoStory) -> None:
    store.create_registered_model("churn")
    store.create_model_version("churn", "s3://b/m")
    for ask in (
        lambda: store.search_registered_models(None, 10, None, "W10="),
        lambda: store.search_registered_models(None, 10, None, "é"),
        lambda: store.search_model_versions("version_number='abc'"),
        lambda: store.transition_model_version_stage("churn", 1, None, False),
        lambda: store.get_latest_versions("churn", [None]),
        lambda: store.get_model_version("churn", None),
        lambda: store.get_model_version("churn", "1.0"),
        lambda: store.get_model_version_by_alias("churn", None),
        lambda: store.get_model_version_by_alias("churn", ""),
    ):
        assert code(ask) == "INVALID_PARAMETER_VALUE"
    assert store.search_model_versions("name='../x'") == []
    ml.write("registry.yaml", "stages: {production: {}}\nmodels: {churn: {}}\n").commit("A lifecycle")
    with pytest.raises(MlflowException, match="none called 'shadow': it has production") as caught:
        store.set_registered_model_alias("churn", "shadow", 1)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_repository_without_a_work_tree_does_all_of_it_too(store: Any, ml: RepoStory) -> None:
    bare = ml.path.parent / "bare.git"
    ml.git("clone", "-q", "--bare", ".", str(bare))
    for key, value in (("user.name", "Bo"), ("user.email", "bo@example.com")):
        ml.git("-C", str(bare), "config", key, value)
    there = GitStore(f"git+{bare.as_uri()}")
    there.create_registered_model("churn", [RegisteredModelTag("k", "v")])
    there.set_registered_model_tag("churn", RegisteredModelTag("l", "w"))
    assert there.rename_registered_model("churn", "leavers").tags == {"k": "v", "l": "w"}
    for _ in range(2):
        there.create_model_version("leavers", "s3://b/m")

    there.delete_registered_model("leavers")

    assert there.search_registered_models() == []
    assert "leavers" not in ml.git("-C", str(bare), "show", "HEAD:registry.yaml")


def test_a_deletion_that_is_published_is_published_whole(ml: RepoStory, store: Any) -> None:
    ml.git("clone", "-q", "--bare", ".", str(ml.path.parent / "origin.git"))
    ml.git("remote", "add", "origin", str(ml.path.parent / "origin.git"))
    there = GitStore(f"{store.store_uri}?push=true")
    there.create_registered_model("churn")
    for _ in range(2):
        there.create_model_version("churn", "s3://b/m")

    there.delete_registered_model("churn")

    published = ml.git("ls-remote", "--tags", "origin", "churn@*!*")
    assert len([line for line in published.splitlines() if not line.endswith("^{}")]) == 2
    assert there.search_registered_models() == []

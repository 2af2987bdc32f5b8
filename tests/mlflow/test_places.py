"""Where the registry may be, and where the models' files are kept."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from registry import Registry
from registry.errors import UsageError
from registry.mlflow.address import Place, parse
from registry.mlflow.store import GitStore
from tests.mlflow.training import OUTPUTS, THREE, answers, logged
from tests.servers import PASSWORD, USER
from tests.story import RepoStory


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("git+file:///srv/models", Place("/srv/models")),
        ("git+file:///srv/my%20models?store=git", Place("/srv/my models", keeps=True)),
        ("git+https://host/team/models.git", Place("https://host/team/models.git")),
        ("git+ssh://git@host:22/m.git?store=git&path=kept/ml", Place("ssh://git@host:22/m.git", True, "kept/ml")),
        ("git+http://u:p%40@host/m.git", Place("http://u:p%40@host/m.git")),
        ("git+file:///srv/models?push=true", Place("/srv/models", push=True)),
        ("git+file:///srv/models?push=No", Place("/srv/models")),
        ("GIT+FILE:///srv/models", Place("/srv/models")),
    ],
)
def test_a_uri_says_where_and_how(uri: str, place: Place) -> None:
    assert parse(uri) == place


@pytest.mark.parametrize(
    "uri",
    [
        "git+file://host/x",
        "git+ftp://h/x",
        "git+file:///x?stor=git",
        "git+file:///x?store=s3",
        "git+file:///x?path=../y",
        "git+file:///x?path=.git",
        "git+file:///x?path=",
        "git+file:///x?path=%20",
        "git+file:///x?path=%00x",
        "git+file:///x?path=a%0Ab",
        "git+file:///x?path=a%5Cb",
        "git+file:///x?path=:(top)",
        "git+file:///x?push=maybe",
        "git+file:///x#y",
        "git+http://[::1/x",
        "models",
    ],
)
def test_a_uri_that_means_nothing_is_refused(uri: str) -> None:
    with pytest.raises(UsageError):
        parse(uri)


def using(ml: RepoStory, options: str) -> Any:
    """MLflow's client of the registry in `ml`, with options."""
    mlflow.set_registry_uri(f"git+{ml.path.as_uri()}?{options}")
    return mlflow.MlflowClient()


def test_files_are_committed_with_the_version(ml: RepoStory) -> None:
    client = using(ml, "store=git")
    ml.write("notes.md", "mine\n")
    logged("churn", 0.5)
    logged("churn", 0.25)

    assert ml.git("log", "--format=%s", "-3") == "Promote churn v0.0.2\nPromote churn v0.0.1\nDeclare churn"
    assert "models/churn/MLmodel" in ml.git("ls-files")
    assert ml.git("status", "--porcelain") == "?? notes.md"
    assert [mlflow.sklearn.load_model(f"models:/churn/{n}").C for n in (1, 2)] == [0.5, 0.25]
    first, second = (ml.registry.get_version("churn", n) for n in (1, 2))
    assert first.commit != second.commit == ml.git("rev-parse", "HEAD")
    assert {file.path for file in second.metadata.artifacts} > {"models/churn/MLmodel"}
    assert client.get_model_version("churn", 2).source.startswith("models:/m-" if THREE else "file://")


def test_files_that_git_keeps_are_brought_once_and_verified(ml: RepoStory) -> None:
    client = using(ml, "store=git")
    logged("churn", 0.5)
    there = Path(client.get_model_version_download_uri("churn", 1))
    mlflow.pyfunc.load_model("models:/churn/1")  # MLflow leaves a file of its own there

    assert there.is_relative_to(Path(os.environ["XDG_CACHE_HOME"]) / "git-registry")
    (there / "MLmodel").write_text("spoilt")
    assert Path(client.get_model_version_download_uri("churn", 1)) == there
    assert answers("models:/churn/1") == OUTPUTS
    using(ml, "path=elsewhere")  # how later versions are kept is no matter for this one
    assert answers("models:/churn/1") == OUTPUTS


def test_a_copy_of_what_git_keeps_is_at_the_same_commit(ml: RepoStory) -> None:
    client = using(ml, "store=git&path=kept")
    logged("churn", 0.5)
    client.copy_model_version("models:/churn/1", "churn-prod")

    copied = ml.registry.get_version("churn-prod", 1)
    assert copied.commit == ml.registry.get_version("churn", 1).commit
    assert mlflow.sklearn.load_model("models:/churn-prod/1").C == 0.5
    assert "kept/churn/MLmodel" in ml.git("ls-files")


def test_what_fails_leaves_the_work_tree_as_it_was(ml: RepoStory) -> None:
    client = using(ml, "store=git")
    logged("churn", 0.5)
    before = (ml.refs(), (ml.path / "models/churn/MLmodel").read_text())

    with pytest.raises(MlflowException):
        mlflow.register_model(logged(c=9.0).model_uri, "churn", tags={"semver": "nine"})

    assert (ml.refs(), (ml.path / "models/churn/MLmodel").read_text()) == before
    assert ml.git("status", "--porcelain") == ""
    assert [one.version for one in client.search_model_versions("name='churn'")] == [1]


def test_a_prompt_has_no_files_to_be_committed(ml: RepoStory) -> None:
    if not hasattr(mlflow, "genai"):
        pytest.skip("this MLflow has no prompts")
    using(ml, "store=git")
    mlflow.genai.register_prompt("greeting", "Hello {{name}}")

    assert mlflow.genai.load_prompt("prompts:/greeting/1").template == "Hello {{name}}"
    assert ml.git("ls-files") == "registry.yaml"


def test_a_bare_repository_is_written_to_without_a_work_tree(ml: RepoStory, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(ml.path), str(bare)], check=True)
    for key, value in (("user.name", "Bo"), ("user.email", "bo@example.com")):
        subprocess.run(["git", "-C", str(bare), "config", key, value], check=True)
    mlflow.set_registry_uri(f"git+{bare.as_uri()}?store=git")

    logged("churn", 0.5)
    mlflow.MlflowClient().set_registered_model_alias("churn", "champion", 1)

    assert mlflow.sklearn.load_model("models:/churn@champion").C == 0.5
    log = subprocess.run(["git", "-C", str(bare), "log", "--format=%s %an"], check=True, capture_output=True, text=True)
    assert log.stdout.splitlines() == ["Promote churn v0.0.1 Bo", "Declare churn Bo", "A lifecycle Ana"]


@pytest.mark.parametrize("options", ["", "?store=git"])
def test_a_url_is_written_to_by_pushing(url: str, ml: RepoStory, options: str) -> None:
    mlflow.set_registry_uri(f"git+{url}{options}")
    client = mlflow.MlflowClient()

    logged("churn", 0.5)
    client.set_registered_model_alias("churn", "champion", 1)
    client.set_registered_model_tag("churn", "team", "growth")
    client.set_model_version_tag("churn", 1, "validated", "yes")

    assert mlflow.sklearn.load_model("models:/churn@champion").C == 0.5
    assert client.get_registered_model("churn").tags == {"team": "growth"}
    assert client.get_model_version("churn", 1).source.startswith("models:/m-" if THREE else "file://")
    ml.git("pull", "-q", "--tags", "origin", "main")
    assert ml.resolve("churn#champion") == "v0.0.1"
    assert ml.registry.resolve("churn").metadata.tags["validated"] == "yes"
    assert Registry(url).resolve("churn#champion").version == "v0.0.1"


def test_a_password_in_the_uri_is_used_and_shown_to_nobody(url: str, ml: RepoStory) -> None:
    private = url.replace("/git/", "/private/").replace("http://", f"http://{USER}:{PASSWORD}@")
    with pytest.raises(MlflowException):
        GitStore(f"git+{url.replace('/git/', '/private/')}").create_registered_model("churn")

    store = GitStore(f"git+{private}?store=git")
    store.create_registered_model("churn", description="Who leaves")
    ml.git("pull", "-q", "origin", "main")
    ml.write("models/churn.pkl", "weights")
    ml.registry.change("churn", path="models/churn.pkl")
    ml.commit("A file")
    ml.registry.register("churn", push=True)

    found = store.get_model_version("churn", 1)
    assert found.source == f"git+{url.replace('/git/', '/private/')}#churn@v0.0.1"
    assert PASSWORD not in repr([found, store.get_registered_model("churn")])
    assert PASSWORD not in ml.git("log", "-p", "--all")


def test_two_who_declare_at_once_are_both_heard(url: str, ml: RepoStory) -> None:
    calls = []

    def work(there: Registry) -> None:
        calls.append(there)
        there.add("churn", commit=True)
        if len(calls) == 1:  # somebody else is faster
            ml.registry.add("fraud", commit=True)
            ml.git("push", "-q", "origin", "main")

    Registry(url).at_work(work)

    assert len(calls) == 2
    assert {*Registry(url).repository.manifest_at_head.artifacts} == {"churn", "fraud"}


def test_a_clone_publishes_where_the_uri_says_so(url: str, ml: RepoStory) -> None:
    client = using(ml, "push=true")
    logged("churn")
    client.set_registered_model_alias("churn", "champion", 1)

    assert Registry(url).find("churn#champion") == "v0.0.1"


def test_a_server_that_cannot_be_asked_is_an_error_of_mlflow(ml: RepoStory) -> None:
    mlflow.set_registry_uri("git+http://127.0.0.1:9/none.git")

    with pytest.raises(MlflowException) as caught:
        mlflow.MlflowClient().get_registered_model("churn")
    assert caught.value.error_code == "INTERNAL_ERROR"

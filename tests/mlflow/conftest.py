"""What these tests stand on: the real MLflow, its tracking in a file, and a registry in a repository."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: pip install -e '.[ml]'")

from tests import servers  # noqa: E402  (MLflow is asked for first)
from tests.servers import GitServer  # noqa: E402
from tests.story import RepoStory  # noqa: E402

HERE = Path(__file__).parent
_spaces = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MLflow warns of its own stages, of its own file store, and of what it imports."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def _tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tracking store; making its tables takes seconds."""
    home = tmp_path_factory.mktemp("tracking")
    uri = f"sqlite:///{home / 'mlflow.db'}" if find_spec("sqlalchemy") else home.as_uri()  # mlflow-skinny has no tables
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # no test asks the network
    mlflow.MlflowClient(tracking_uri=uri).create_experiment("stories", (home / "artifacts").as_uri())
    return uri


@pytest.fixture(autouse=True)
def _mlflow_of_this_test(_tracking: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", _tracking)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "")
    mlflow.set_tracking_uri(_tracking)
    mlflow.set_experiment("stories")
    yield
    mlflow.set_registry_uri(None)


@pytest.fixture
def ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoStory:
    """A repository with a lifecycle and no models; the current directory is elsewhere."""
    story = RepoStory.begin(tmp_path / "repo")
    story.write("registry.yaml", "stages:\n  staging: {}\n  production: {}\n  champion: {}\n")
    story.commit("A lifecycle")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    # MLflow writes when it likes: its clock is the machine's, and not the story's.
    monkeypatch.delenv("GIT_AUTHOR_DATE")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    return story


@pytest.fixture
def client(ml: RepoStory) -> Any:
    """MLflow's client of the registry in `ml`; it is that of MLflow's functions, too."""
    uri = f"git+{ml.path.as_uri()}"
    mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient()


@pytest.fixture
def store(ml: RepoStory) -> Any:
    """The store itself, in a repository where any stage goes."""
    from registry.mlflow.store import GitStore

    ml.write("registry.yaml", "# no rules\n").commit("No rules")
    return GitStore(f"git+{ml.path.as_uri()}")


@pytest.fixture(scope="session")
def _one_git_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    reason = servers.missing()
    if reason is not None:
        pytest.skip(reason)
    with servers.serve(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def url(_one_git_server: GitServer, ml: RepoStory) -> str:
    """The same repository on a Git server, by HTTP."""
    server = replace(_one_git_server, space=f"ml{next(_spaces)}")
    url = server.create("models.git")
    ml.git("remote", "add", "origin", url)
    ml.git("push", "-q", "origin", "main")
    ml.git("config", "--global", "user.name", "Bo")
    ml.git("config", "--global", "user.email", "bo@example.com")
    return url

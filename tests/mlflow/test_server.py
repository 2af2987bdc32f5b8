"""MLflow's own servers on a registry in Git: its pages' calls by HTTP, and a model that answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pytest

from tests.mlflow.training import INPUTS, OUTPUTS, logged
from tests.story import RepoStory

pytest.importorskip("flask", reason="mlflow-skinny has no servers: pip install -e '.[ml]'")
WAIT = 120.0


@contextmanager
def running(*words: str, log: Path, ready: str = "/health") -> Iterator[str]:
    """One of MLflow's servers on a free port; its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = (sys.executable, "-m", "mlflow", *words, "--host", "127.0.0.1", "--port", str(port))
    # It starts uvicorn by its name.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with (
        log.open("wb") as out,
        subprocess.Popen(words, stdout=out, stderr=out, env=env, start_new_session=True) as server,
    ):
        try:
            until = time.monotonic() + WAIT
            while not answers(url + ready):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
            yield url
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)  # it has workers of its own


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (our own server)
            return bool(answer.status == 200)
    except OSError:
        return False


def post(url: str, said: object) -> Any:
    """What a server answers to JSON."""
    asked = urllib.request.Request(url, json.dumps(said).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def get(url: str) -> Any:
    """What a server answers in JSON."""
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def test_mlflows_server_shows_and_changes_the_registry(client: Any, ml: RepoStory, tmp_path: Path) -> None:
    logged("churn", 0.5)
    client.set_registered_model_alias("churn", "champion", 1)
    where = ("--backend-store-uri", mlflow.get_tracking_uri(), "--registry-store-uri", mlflow.get_registry_uri())
    with running("server", *where, "--workers", "1", log=tmp_path / "log") as url:
        api = f"{url}/ajax-api/2.0/mlflow"  # what its pages call
        [model] = get(f"{api}/registered-models/search?max_results=10")["registered_models"]
        assert (model["name"], model["aliases"]) == ("churn", [{"alias": "champion", "version": "1"}])
        [version] = get(f"{api}/model-versions/search?filter=name%3D'churn'")["model_versions"]
        assert {"key": "semver", "value": "v0.0.1"} in version["tags"]
        assert b'<div id="root"' in urllib.request.urlopen(url, timeout=30).read()  # noqa: S310

        # A client that knows the server alone.
        mlflow.set_registry_uri(url)
        remote = mlflow.MlflowClient(registry_uri=url)
        remote.set_model_version_tag("churn", "1", "validated", "yes")
        remote.create_registered_model("fraud", description="Who steals")
        remote.transition_model_version_stage("churn", "1", "Staging")
        with pytest.raises(mlflow.MlflowException) as caught:
            remote.get_model_version("churn", "7")
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
        with pytest.raises(urllib.error.HTTPError) as forged:
            get(f"{api}/registered-models/search?max_results=10&page_token=W10%3D")
        assert json.load(forged.value)["error_code"] == "INVALID_PARAMETER_VALUE"
        with ThreadPoolExecutor(6) as together:  # the server has as many threads
            assert [*together.map(remote.create_registered_model, "abcdef")]
        assert {one.name for one in remote.search_registered_models()} == {*"abcdef", "churn", "fraud"}
        assert mlflow.sklearn.load_model("models:/churn@champion").C == 0.5
        log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert ml.registry.resolve("churn#staging").metadata.tags["validated"] == "yes"
    assert "fraud" in ml.registry.repository.manifest_at_head.artifacts


def test_a_model_of_the_registry_is_served(ml: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow.set_registry_uri(f"git+{ml.path.as_uri()}?store=git")
    logged("churn", 0.5)
    mlflow.MlflowClient().set_registered_model_alias("churn", "production", 1)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", mlflow.get_registry_uri())

    words = ("models", "serve", "-m", "models:/churn@production", "--env-manager", "local")
    with running(*words, log=tmp_path / "log", ready="/ping") as url:
        assert post(f"{url}/invocations", {"inputs": INPUTS}) == {"predictions": OUTPUTS}

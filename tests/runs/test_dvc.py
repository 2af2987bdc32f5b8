"""DVC and DVCLive themselves: what they write is a manifest, evidence, and bytes to be pulled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.story import RepoStory

pytest.importorskip("dvc", reason="DVC is not installed: pip install -e '.[runs]'")

Dvc = Callable[..., None]


@pytest.fixture
def dvc(repo: RepoStory, tmp_path: Path) -> Dvc:
    """Runs DVC in `repo`, a project with a local remote."""

    def run(*words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words], cwd=repo.path, capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    repo.git("rm", "-q", "models/churn.pkl")
    run("init", "-q")
    run("remote", "add", "-d", "store", str(tmp_path / "store"))
    return run


TRAIN = """\
import json, pathlib, yaml
depth = yaml.safe_load(open("params.yaml"))["depth"]
pathlib.Path("models").mkdir(exist_ok=True)
pathlib.Path("models/churn.pkl").write_text(f"weights of depth {depth}")
for name in ("a", "b"):
    pathlib.Path(f"models/{name}.bin").write_text(name)
json.dump({"auc": 0.5 + depth / 10}, open("metrics.json", "w"))
"""
PIPELINE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [depth]
    outs: [models/churn.pkl]
    metrics: [metrics.json: {cache: false}]
  pack:
    foreach: [a, b]
    do:
      cmd: python -c "open('${item}.packed', 'w').write('packed ${item}')"
      outs: ["${item}.packed"]
artifacts:
  packed: {path: a.packed, type: model, desc: From a template}
"""


def pipeline(repo: RepoStory, dvc: Dvc) -> RepoStory:
    repo.write("dvc.yaml", PIPELINE).write("train.py", TRAIN).write("params.yaml", "depth: 3\n")
    dvc("repro")
    dvc("push")
    commit(repo, "Train")
    return repo


def commit(repo: RepoStory, message: str) -> None:
    """Commit what DVC leaves to Git."""
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", message)


def test_outputs_of_a_pipeline_have_its_metrics_and_are_pulled(repo: RepoStory, dvc: Dvc, tmp_path: Path) -> None:
    pipeline(repo, dvc).register("churn", "v1.0.0").register("packed", "v1.0.0")

    found = repo.registry.resolve("churn").metadata
    assert (found.metrics, found.params) == ({"auc": 0.8}, {"depth": 3})
    assert repo.registry.resolve("packed").description == "From a template"
    for name, path, text in (("churn", "models/churn.pkl", "weights of depth 3"), ("packed", "a.packed", "packed a")):
        repo.registry.pull(f"{name}@v1.0.0", tmp_path / name)
        assert (tmp_path / name / path).read_text() == text


def test_a_file_that_was_added_is_pulled(repo: RepoStory, dvc: Dvc, tmp_path: Path) -> None:
    repo.write("models/churn.pkl", "added\n")
    dvc("add", "-q", "models/churn.pkl")
    dvc("push")
    commit(repo, "Add")
    repo.register("churn", "v1.0.0")
    (repo.path / "models" / "churn.pkl").unlink()

    repo.registry.pull("churn@v1.0.0", tmp_path / "out")
    assert (tmp_path / "out" / "models" / "churn.pkl").read_text() == "added\n"


def test_an_experiment_becomes_a_version(repo: RepoStory, dvc: Dvc) -> None:
    pipeline(repo, dvc)
    repo.write("params.yaml", "depth: 4\nwidth: 2\n")
    dvc("repro")
    dvc("exp", "save", "-n", "deep-owl")
    repo.git("checkout", "-q", "-f", "HEAD")
    repo.register("churn", "v1.0.0", run="dvc:deep-owl")

    found = repo.registry.resolve("churn").metadata
    assert found.run == "dvc:deep-owl"
    # What the files at the version's own commit say stands.
    assert (found.metrics, found.params) == ({"auc": 0.8}, {"depth": 3, "width": 2})


GRID = """\
stages:
  train:
    matrix: {r: [eu, us]}
    cmd: python train.py ${item.r}
    deps: [train.py]
    params: ["${item.r}.yaml": [depth]]
    outs: ["${item.r}.pkl"]
    metrics: ["${item.r}.json": {cache: false}]
"""
TRAIN_ONE = """\
import json, pathlib, sys
pathlib.Path(f"{sys.argv[1]}.pkl").write_text("weights of " + sys.argv[1])
json.dump({"auc": 0.7 if sys.argv[1] == "eu" else 0.6}, open(f"{sys.argv[1]}.json", "w"))
"""


def test_each_of_a_matrix_has_its_own_metrics(repo: RepoStory, dvc: Dvc) -> None:
    repo.write("dvc.yaml", GRID).write("train.py", TRAIN_ONE)
    repo.write("eu.yaml", "depth: 3\n").write("us.yaml", "depth: 4\n")
    repo.write("registry.yaml", "models: {eu: {path: eu.pkl}, us: {path: us.pkl}}\n")
    dvc("repro")
    commit(repo, "Train")
    repo.register("eu", "v1.0.0").register("us", "v1.0.0")

    eu, us = (repo.registry.resolve(name).metadata for name in ("eu", "us"))
    assert (eu.metrics, eu.params) == ({"auc": 0.7}, {"depth": 3})
    assert (us.metrics, us.params) == ({"auc": 0.6}, {"depth": 4})


LIVE = """
from dvclive import Live
with Live(save_dvc_exp=False, report=None) as live:
    live.log_param("depth", 5)
    live.log_metric("auc", 0.7)
    live.next_step()
    open("live.pkl", "w").write("live weights")
    live.log_artifact("live.pkl", type="model", name="lively", desc="Logged", labels=["live"], cache=True)
"""


def test_what_dvclive_logs_is_a_manifest_like_any_other(repo: RepoStory, dvc: Dvc, tmp_path: Path) -> None:
    pytest.importorskip("dvclive", reason="DVCLive is not installed: pip install -e '.[runs]'")
    done = subprocess.run([sys.executable, "-c", LIVE], cwd=repo.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dvc("push")
    commit(repo, "Log")
    repo.register("lively", "v1.0.0")

    found = repo.registry.resolve("lively")
    assert (found.type, found.path, found.description) == ("model", "live.pkl", "Logged")
    assert json.dumps(found.metadata.metrics) == '{"auc": 0.7, "step": 0}'
    assert found.metadata.params == {"depth": 5}
    wrong = [one.message for one in repo.registry.check()]
    assert wrong == ["'models/churn.pkl' is not there"]  # the story's own model
    repo.registry.pull("lively", tmp_path / "out")
    assert (tmp_path / "out" / "live.pkl").read_text() == "live weights"

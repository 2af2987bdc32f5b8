"""Every example in the help of a command, which docs/cli.md shows, works as it stands."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from registry.cli import COMMANDS, cli
from tests.docs.blocks import Block
from tests.docs.reader import Reader, there
from tests.story import RepoStory

MANIFEST = """\
stages: {staging: {}, production: {}}
models: {churn: {path: models/churn.pkl, description: Who is about to leave, metrics: metrics/churn.json}}
"""
# A model with a life behind it, an origin and an upstream, a branch, a key, and repositories beside it.
LIFE = """
git init -q --bare -b main "$WORLD/host/models.git" && git init -q --bare -b main "$WORLD/host/upstream.git"
mkdir -p /srv/git && git init -q --bare /srv/git/models.git
git remote add origin https://git.example.com/models.git
git remote add upstream https://git.example.com/upstream.git
git push -q -u origin main && git push -q upstream main && git branch v2-policy && git remote set-head origin main
registry register churn --version v1.0.0 && registry assign churn staging && registry assign churn production
registry annotate churn --label first
echo 'weights 2' > models/churn.pkl && git commit -qam Train
echo 'weights 3' > models/churn.pkl && git commit -qam 'Train more' && git push -q && git push -q upstream main
registry register churn --version v1.2.0 --metric auc=0.93
registry assign churn staging && registry assign churn production && registry push && registry push --remote upstream
git switch -qc my-branch && sed -i 's/metrics: /version: v1.3.0, metrics: /' registry.yaml && git commit -qam 'v1.3.0'
git switch -q main
git init -q -b main "$WORLD/production-models" && cd "$WORLD/production-models"
git commit -q --allow-empty -m Begin
"""
BEFORE = {
    "init": "git rm -q registry.yaml && git commit -qm Nothing",
    "add": "registry remove churn --commit",
    "register": "echo 'weights 4' > models/churn.pkl && git commit -qam 'Train again'",
    "import": "git rm -q registry.yaml && printf 'churn: {type: model, path: models/churn.pkl}\\n' > artifacts.yaml",
}
# What the page calls http://localhost:5000.
MLFLOW = """
import os
import mlflow
there = mlflow.MlflowClient(*[f"sqlite:///{os.environ['WORLD']}/mlflow.db"] * 2)
there.create_registered_model("churn")
there.create_model_version("churn", "s3://models/churn", tags={"semver": "v3.0.0"})
"""
ELSEWHERE = {"ui": "it serves until Ctrl-C: tests/web/test_server.py", "demo": "it trains: tests/cli/test_demo.py"}


def _examples() -> Iterator[tuple[str, str]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        _, _, examples = inspect.cleandoc(command.help or "").partition("\b\n")
        for line in examples.splitlines():
            yield name, line


@pytest.fixture(scope="module")
def _lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lived")


@pytest.fixture
def reader(_lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A reader in a copy of the repository that has lived, which is made once."""
    for name_of_ours in ("WORLD", "CHECKOUT"):
        monkeypatch.setenv(name_of_ours, "")
    _known_as_ana()
    if not any(_lived.iterdir()):
        story = RepoStory.begin(_lived / "world/repo")
        story.write("registry.yaml", MANIFEST).write("models/churn.pkl", "weights 1\n").write("data/train.csv", "1\n")
        story.write("metrics/churn.json", '{"auc": 0.92}\n').commit("Declare churn")
        monkeypatch.chdir(story.path)
        Reader(story, _lived / "world").follow(Block("LIFE", 1, "sh", LIFE.strip()))
    home = tmp_path / "world"
    shutil.copytree(_lived / "world", home)
    story = RepoStory(home / "repo", clock=1767312000)
    monkeypatch.chdir(story.path)
    return Reader(story, home)


def _known_as_ana() -> None:
    """An identity and a key of this machine's user."""
    key = Path.home() / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    settings = {"user.name": "Ana", "user.email": "ana@example.com", "gpg.format": "ssh", "user.signingKey": str(key)}
    for name, value in settings.items():
        subprocess.run(["git", "config", "--global", name, value], check=True)


@pytest.mark.parametrize(("name", "line"), [pair for pair in _examples() if pair[0] not in ELSEWHERE])
def test_an_example(reader: Reader, name: str, line: str) -> None:
    if "mlflow" in line:
        if not (there("mlflow") and there("sqlalchemy")):
            pytest.skip("mlflow is not installed")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own
            reader.follow(Block("before", 1, "python", MLFLOW.strip()))
    reader.follow(Block("before", 1, "sh", BEFORE.get(name, "")))

    reader.follow(Block(f"registry {name} --help", 1, "sh", line))

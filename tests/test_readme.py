"""What the README tells a newcomer to type works as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.story import RepoStory

README = (Path(__file__).parent.parent / "README.md").read_text()


def _block(begins: str) -> list[str]:
    found = re.search(rf"```\w+\n({re.escape(begins)}.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1).splitlines()


def test_the_life_of_a_model(empty: RepoStory) -> None:
    empty.write("models/churn.pkl", "weights 1\n").commit("Train")
    said = ""
    for line in _block("registry init"):
        if "--minor" in line:
            empty.train()  # "after the next commit"
        command = f'registry() {{ "{sys.executable}" -m registry "$@"; }}; {line}'
        done = subprocess.run(["bash", "-c", command], cwd=empty.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
        said += done.stdout
    assert "\nv0.0.1\n" in said
    assert "all is well" in done.stderr


def test_the_python_lines(repo: RepoStory) -> None:
    lines = "\n".join(_block("from registry import Model"))
    repo.write("registry.yaml", "stages: {staging: {}, production: {}}\nmodels: {churn: {path: models/churn.pkl}}\n")
    repo.commit("Stages")
    repo.register("churn").assign("churn", "production")
    repo.write("models/churn.pkl", "weights 2\n")

    subprocess.run([sys.executable, "-c", lines], cwd=repo.path, check=True, env=repo.environment_whole())

    assert repo.resolve("churn#staging") == "v0.1.0"
    assert repo.registry.resolve("churn@v0.1.0").metadata.params == {"depth": 4}


def test_the_lines_with_others(repo: RepoStory, tmp_path: Path) -> None:
    there = tmp_path / "models.git"
    repo.git("init", "-q", "--bare", "-b", "main", str(there))
    repo.git("remote", "add", "origin", str(there))
    repo.git("push", "-q", "origin", "main")
    repo.git("fetch", "-q", "origin")
    repo.register("churn").assign("churn", "production")
    repo.train()
    said = ""
    for line in _block("registry register churn --minor --push"):
        words = line.replace("https://git.example.com/models.git", there.as_uri())
        command = f'registry() {{ "{sys.executable}" -m registry "$@"; }}; {words}'
        done = subprocess.run(["bash", "-c", command], cwd=repo.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
        said += done.stdout
    assert "\nv0.0.1\n" in said
    assert (repo.path / "model/models/churn.pkl").read_text() == "weights 1\n"

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

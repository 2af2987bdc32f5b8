"""`registry demo`: the first thing that a newcomer sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Typing


def demo(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`registry demo WORDS`, by somebody whom Git does not know."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "registry", "demo", *words], cwd=cwd, text=True, capture_output=True, check=False,
        env={**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "EMAIL": ""},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_life_of_a_model(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    done = demo("wines", cwd=tmp_path)

    assert (done.returncode, done.stderr.count("error:")) == (0, 0), done.stderr
    commands = [line for line in done.stdout.splitlines() if line.startswith("$ ")]
    for wanted in (
        "python train.py wine",
        "git commit",
        "registry register wine",
        "registry assign",
        "registry rollback wine",
    ):
        assert any(wanted in line for line in commands), wanted
    assert f"The repository is {tmp_path / 'wines'}" in done.stdout
    repo = tmp_path / "wines"
    tags = subprocess.run(["git", "tag"], cwd=repo, text=True, capture_output=True, check=True).stdout.split()
    assert {"wine@v0.0.1", "wine@v0.1.0", "digits@v0.0.1"} <= set(tags)
    assert any(tag.startswith("wine#production#") for tag in tags)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repo, text=True, capture_output=True, check=True)
    assert status.stdout == ""
    doctor = subprocess.run(
        [sys.executable, "-m", "registry", "doctor", "--json", "--repo", str(repo)], capture_output=True, check=True
    )
    assert json.loads(doctor.stdout)["sound"] is True
    found = [
        subprocess.run(
            [sys.executable, "-m", "registry", "resolve", selector, "--json", "--repo", str(repo)],
            text=True, capture_output=True, check=True,
        ).stdout
        for selector in ("wine#production", "wine@latest")
    ]  # fmt: skip
    rolled_back, latest = map(json.loads, found)
    assert (rolled_back["version"], latest["version"]) == ("v0.0.1", "v0.1.0")
    assert latest["metadata"]["metrics"]["accuracy"] > rolled_back["metadata"]["metrics"]["accuracy"]
    assert [path.name for path in tmp_path.iterdir()] == ["wines"]


def test_as_json(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")

    done = demo("--json", cwd=tmp_path)

    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert answer["path"] == str(tmp_path / "registry-demo")
    assert "registry register wine --minor" in answer["commands"]


def test_what_is_there_is_not_touched(tmp_path: Path, typed: Typing) -> None:
    pytest.importorskip("sklearn")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    (tmp_path / "file").write_text("mine")

    for name in ("full", "file"):
        assert "is there already" in typed.refused("demo", str(tmp_path / name))
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_without_scikit_learn_it_says_the_command(
    tmp_path: Path, typed: Typing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.demo.find_spec", lambda _: None)

    said = typed.refused("demo", str(tmp_path / "new"))

    assert said.endswith("| pip install scikit-learn")
    assert not (tmp_path / "new").exists()

"""The examples run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story import RepoStory

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_a_training_becomes_a_version(empty: RepoStory) -> None:
    pytest.importorskip("sklearn")
    shutil.copytree(EXAMPLES / "training", empty.path, dirs_exist_ok=True)
    empty.commit("Copy the example")

    said = [
        subprocess.run(
            [sys.executable, "train.py", "--depth", depth], cwd=empty.path, check=True, capture_output=True, text=True
        ).stdout
        for depth in ("1", "2", "4")
    ]

    assert [words.split(": ")[1].strip() for words in said] == ["v0.0.1", "v0.0.2", "v0.0.3"]
    assert empty.resolve("tumour#staging") == "v0.0.3"
    assert empty.registry.resolve("tumour").metadata.params == {"depth": 4}
    assert empty.git("status", "--porcelain") == ""

"""Examples, as whoever copies them has them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.action.act import ROOT, Runner
from tests.action.conftest import bare_runner, runner  # noqa: F401  (fixtures)
from tests.docs.blocks import blocks
from tests.docs.reader import Reader
from tests.story import RepoStory

EXAMPLES = ROOT / "examples"
Follow = Callable[[str], RepoStory]
Copy = Callable[..., RepoStory]


@pytest.fixture
def follow(empty: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Type what the README of an example says; the repository that its reader ends in."""
    for name in ("WORLD", "CHECKOUT"):
        monkeypatch.setenv(name, "")
    reader = Reader(empty, tmp_path / "world")

    def follow(example: str) -> RepoStory:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's packages warn of each other
            for block in blocks(EXAMPLES / example / "README.md"):
                if block.word != "needs":
                    reader.follow(block)
        return RepoStory(Path.cwd(), empty.clock)

    return follow


@pytest.fixture
def copy(empty: RepoStory, tmp_path: Path) -> Copy:
    """A new repository with the files of an example and some of examples/workflows, pushed to a host."""

    def copy(example: str, *workflows: str) -> RepoStory:
        shutil.copytree(EXAMPLES / example, empty.path, dirs_exist_ok=True)
        for name in workflows:
            empty.write(f".github/workflows/{name}.yml", (EXAMPLES / "workflows" / f"{name}.yml").read_bytes())
        empty.commit("Begin")
        empty.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "origin.git"))
        empty.git("remote", "add", "origin", str(tmp_path / "origin.git"))
        empty.git("push", "-q", "-u", "origin", "main")
        return empty

    return copy


def finds_nothing(place: Path, program: str, *words: str | Path) -> None:
    """Run a linter; it has no fault to find. Skips where it is not installed."""
    found = shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{program} is not installed (PyPI: pip install -e '.[workflows]')")
    done = subprocess.run([found, *words], cwd=place, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# What `python3 -m venv DIR` makes here: the Python that runs the tests, and a pip that asks no index.
_VENV = f"""\
mkdir -p "$3/bin"
printf '#!/bin/sh\\nexec "{sys.executable}" "$@"\\n' >"$3/bin/python"
printf '#!/bin/sh\\necho "$*" >>"$OUT/pip"\\n' >"$3/bin/pip"
chmod +x "$3/bin/python" "$3/bin/pip\""""


@pytest.fixture
def trainer(runner: Runner) -> Runner:  # noqa: F811  (the fixture)
    """A machine on which what a project trains with is installed already."""
    ours = (runner.tools / "python3").read_text().removeprefix("#!/bin/sh\n").rstrip()
    runner.tool("python3", f'case "$*" in\n"-m venv "*)\n{_VENV}\nexit\n;;\nesac\n{ours}')
    return runner

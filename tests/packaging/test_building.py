"""What is published: built twice it is the same, and it holds what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.packaging.building import ROOT, build, export, lowest

pytestmark = pytest.mark.skipif(find_spec("hatchling") is None, reason="pip install -e '.[packaging]' builds packages")
SHELLS = (
    "bash-completion/completions/registry",
    "zsh/site-functions/_registry",
    "fish/vendor_completions.d/registry.fish",
)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("one")
    epoch = export("HEAD", place / "source")
    (place / "dist").mkdir()
    return build(place / "source", place / "dist", epoch)


def test_two_builds_of_one_commit_are_the_same(dist: list[Path], tmp_path: Path) -> None:
    before = os.umask(0o077)  # another person, another machine, another day
    try:
        epoch = export("HEAD", tmp_path / "deeper/source")
        for file in (tmp_path / "deeper/source").rglob("*"):
            os.utime(file, (1, 1))
        (tmp_path / "dist").mkdir()
        again = build(tmp_path / "deeper/source", tmp_path / "dist", epoch)
    finally:
        os.umask(before)

    assert [file.name for file in again] == [file.name for file in dist]
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in dist]


def test_the_wheel_has_the_program_its_types_and_its_completions_and_nothing_else(dist: list[Path]) -> None:
    [wheel] = [file for file in dist if file.suffix == ".whl"]
    names = zipfile.ZipFile(wheel).namelist()

    program = "-".join(wheel.name.split("-")[:2])
    assert {name.split("/")[0] for name in names} == {"registry", f"{program}.dist-info", f"{program}.data"}
    assert "registry/py.typed" in names
    assert [name for name in SHELLS if not any(one.endswith(f".data/data/share/{name}") for one in names)] == []
    assert [name for name in names if "__pycache__" in name or name.startswith("tests/")] == []


def test_the_wheel_says_all_that_an_index_shows(dist: list[Path]) -> None:
    [wheel] = [file for file in dist if file.suffix == ".whl"]
    files = zipfile.ZipFile(wheel)
    [name] = [one for one in files.namelist() if one.endswith(".dist-info/METADATA")]
    said = Parser().parsestr(files.read(name).decode())

    assert (said["Name"], said["License-Expression"], said["Requires-Python"]) == (
        "git-registry",
        "Apache-2.0",
        ">=3.10",
    )
    assert {one.split(",")[0] for one in said.get_all("Project-URL", [])} == {
        "Changelog", "Documentation", "Issues", "Source"
    }  # fmt: skip
    assert said["Description-Content-Type"] == "text/markdown"
    readme = str(said.get_payload())
    assert "# git-registry" in readme
    assert re.findall(r"\]\((?!https://)[^)]*\)|<!--", readme) == []  # nothing lies beside it there
    required = [one for one in said.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert len(lowest(required)) == len(required)  # each says the lowest version that will do


def test_the_sdist_has_what_its_tests_stand_on(dist: list[Path]) -> None:
    [sdist] = [file for file in dist if file.suffix == ".gz"]
    with tarfile.open(sdist) as files:
        names = {name.partition("/")[2] for name in files.getnames()}

    there = {
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "action.yml",
        "mkdocs.yml",
        ".ci/run",
        "docs/cli.md",
    }
    assert there <= names
    assert {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests" / "packaging").glob("*.py")} <= names


def test_the_lowest_that_will_do() -> None:
    assert lowest(["click>=8.2", "ruamel.yaml>=0.18,<1", "jinja2>=3.1; extra == 'ui'"]) == [
        "click==8.2", "ruamel.yaml==0.18", "jinja2==3.1"
    ]  # fmt: skip


def test_the_release_says_which_tag_it_is_of(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.packaging", str(tmp_path / "dist"), "v99.0.0"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, list(tmp_path.iterdir())) == (1, [])
    assert done.stderr.startswith("v99.0.0 is no name for")
    release = (ROOT / ".github/workflows/release.yml").read_text()
    assert 'python -m tests.packaging dist "$GITHUB_REF_NAME"' in release

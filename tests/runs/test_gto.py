"""`import gto`: what GTO's files declare, declared in ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

from registry import NotFound
from tests.story import RepoStory

FILE = """\
churn: {type: model, path: models/churn.pkl, description: Leavers, labels: [tabular], custom: {a: 1}}
train-set: {type: dataset, path: data/train.csv}
out: {type: model, path: /etc/passwd}
"""


@pytest.fixture
def theirs(empty: RepoStory) -> RepoStory:
    """A repository of GTO's."""
    empty.write("artifacts.yaml", FILE).write(".gto", "types: [model, dataset]\nstages: [dev, prod]\n")
    empty.write("models/churn.pkl", "1").write("data/train.csv", "1").commit("GTO's")
    empty.tag("churn@v1.0.0").tag("churn#dev#1")
    return empty


def test_gtos_files_become_one_manifest(theirs: RepoStory) -> None:
    refs = theirs.refs()
    done = theirs.registry.import_gto()

    assert (done.path, done.artifacts, done.stages, done.there) == (
        "registry.yaml", ("churn", "train-set", "out"), ("dev", "prod"), 2,
    )  # fmt: skip
    assert (
        (theirs.path / "registry.yaml").read_text()
        == """\
stages:
  dev: {}
  prod: {}

models:
  churn:
    path: models/churn.pkl
    description: Leavers
    labels: [tabular]
    metadata:
      a: 1
  out: {}

artifacts:
  train-set:
    type: dataset
    path: data/train.csv
"""
    )
    assert theirs.notes == ["out: its path '/etc/passwd' is absolute, and is left out"]
    assert theirs.refs() == refs
    theirs.git("rm", "-q", "artifacts.yaml", ".gto")
    theirs.commit("Ours")
    assert theirs.registry.check() == []
    assert theirs.registry.find("churn#dev") == "v1.0.0"

    again = theirs.cli("import", "gto", "--json")
    assert again.out == '{"path": null, "artifacts": [], "stages": [], "there": 2, "events": []}\n'


def test_what_is_declared_already_stays(theirs: RepoStory) -> None:
    ours = "# ours\nstages: {qa: {}}\nmodels:\n  churn: {path: mine.pkl}   # mine\n"
    theirs.write("registry.yaml", ours)
    done = theirs.registry.import_gto()

    assert (done.artifacts, done.stages) == (("train-set", "out"), ())
    text = (theirs.path / "registry.yaml").read_text()
    assert text.startswith("# ours\nstages: {qa: {}}\nmodels:\n  churn: {path: mine.pkl}   # mine\n")


def test_a_dry_run_writes_nothing(theirs: RepoStory) -> None:
    assert theirs.cli("import", "gto", "-n").code == 0
    assert not (theirs.path / "registry.yaml").exists()


def test_where_there_is_nothing_of_gtos_it_is_said(repo: RepoStory) -> None:
    with pytest.raises(NotFound, match="nothing of GTO's"):
        repo.registry.import_gto()
    assert repo.cli("import", "gto", "--uri", "x").code == 2


def test_what_gto_itself_has_written_comes_over(repo: RepoStory) -> None:
    pytest.importorskip("gto", reason="GTO is not installed: pip install -e '.[runs]'")
    repo.git("rm", "-q", "registry.yaml")
    repo.write("artifacts.yaml", FILE).commit("GTO's")
    for words in (
        ["register", "churn", "--version", "v1.0.0"],
        ["assign", "churn", "--version", "v1.0.0", "--stage", "dev"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", "from gto.cli import app; app()", *words],
            cwd=repo.path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    imported = repo.registry.import_gto()
    assert (imported.artifacts, imported.there) == (("churn", "train-set", "out"), 2)
    assert repo.registry.find("churn#dev") == "v1.0.0"


def test_what_cannot_come_over_is_said(repo: RepoStory) -> None:
    entries = (
        "a b: {path: x}\ndir:a: {}\nnumber: 5\nhalf: {path: m, labels: 7, desc: x}\nwhole: {type: model, labels: [q]}\n"
    )
    repo.write("artifacts.yaml", entries).write(".gto", "stages: [a b, dev]\n").commit("GTO's")

    done = repo.registry.import_gto(dry_run=True)

    assert (set(done.artifacts), done.stages) == ({"number", "half", "whole"}, ("dev",))
    assert [note for note in done.notes if "left out" in note] == [
        "artifacts.yaml: 'a b' cannot be a name here, and is left out",
        "artifacts.yaml: 'dir:a' cannot be a name here, and is left out",
        "artifacts.yaml: what it says of number is no mapping, and is left out",
        "artifacts.yaml: of half labels, desc cannot be read, and is left out",
        ".gto: 'a b' cannot be a stage here, and is left out",
    ]
    repo.write(".gto", "stages: {x: 1}\n")
    assert ".gto: its stages are no list, and are left out" in repo.registry.import_gto(dry_run=True).notes

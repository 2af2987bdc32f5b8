"""A version travels to another repository, with `copy` and `transfer` (DESIGN part 5)."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.story import RepoStory

MANIFEST = """\
stages: {staging: {}, production: {after: staging, exclusive: true}}
models:
  churn:
    path: models/churn
    description: Who is about to leave
    labels: [tabular]
    metrics: metrics/churn.json
    version: v9.0.0
    artifacts: {env: requirements.txt}
  fraud: {path: fraud.pkl}
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoStory:
    """A repository with churn v1.2.0, a directory of several kinds of files, in staging and production."""
    story = RepoStory.begin(tmp_path / "source")
    story.write("registry.yaml", MANIFEST).write("models/churn/weights", "w\n").write(
        "models/churn/run.sh", "#!/bin/sh\n"
    )
    (story.path / "models/churn/run.sh").chmod(0o755)
    (story.path / "models/churn/latest").symlink_to("weights")
    story.write("metrics/churn.json", '{"auc": 0.91}').write("requirements.txt", "numpy\n").write("fraud.pkl", "f\n")
    story.write("secret.txt", "not yours\n").commit("Train")
    story.register("churn", "v1.2.0", message="Trained on March data", labels=["march"], metrics={"f1": 0.9})
    story.registry_at().annotate("churn@v1.2.0", tags={"team": "growth"})
    story.assign("churn@v1.2.0", "staging").assign("churn@v1.2.0", "production")
    monkeypatch.chdir(story.path)
    return story


@pytest.fixture
def target(tmp_path: Path) -> RepoStory:
    """Another repository, with a branch and a version of its own."""
    story = RepoStory.begin(tmp_path / "target")
    story.write("registry.yaml", "models:\n  other: {}\n").commit("Declare")
    return story.register("other", "v1.0.0")


def version(story: RepoStory, selector: str) -> dict[str, Any]:
    done = story.cli("resolve", selector, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def files(story: RepoStory, commit: str) -> list[str]:
    return story.git("ls-tree", "-r", "--name-only", commit).splitlines()


def test_exactly_its_files_arrive_as_one_commit_without_parents(source: RepoStory, target: RepoStory) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path)

    commit = version(target, "churn")["commit"]
    assert files(target, commit) == [
        "metrics/churn.json", "models/churn/latest", "models/churn/run.sh", "models/churn/weights", "registry.yaml",
        "requirements.txt",
    ]  # fmt: skip
    assert target.git("rev-list", "--parents", commit) == commit
    modes = target.git("ls-tree", "-r", "--format=%(objectmode)", commit).split()
    assert modes == ["100644", "120000", "100755", "100644", "100644", "100644"]


def test_what_is_known_of_it_travels_and_where_it_came_from_is_said(source: RepoStory, target: RepoStory) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path)

    found = version(target, "churn")
    known = found["metadata"]
    assert (known["metrics"], known["labels"], known["tags"]) == (
        {"auc": 0.91, "f1": 0.9},
        ["march"],
        {"team": "growth"},
    )
    assert (found["description"], found["stages"]) == ("Who is about to leave", [])
    here = version(source, "churn@v1.2.0")["commit"]
    assert known["other"]["Copied-From"] == [f"{source.path}@{here}"]
    assert known["other"]["Original-Author"] == ["Ana <ana@example.com>"]
    assert target.registry.history("churn")[0].message == "Trained on March data"


def test_values_of_files_that_dvc_alone_names_travel(source: RepoStory, target: RepoStory) -> None:
    stage = "{cmd: x, outs: [m/fraud.pkl], metrics: [auc.json, {loss.json: {cache: false}}], params: [seed]}"
    source.write("nlp/dvc.yaml", f"stages: {{train: {stage}}}\n").write(".dvc/config", "")
    source.write("nlp/m/fraud.pkl", "f\n").write("nlp/auc.json", '{"auc": 0.8, "mine": 1, "gone": 2}')
    source.write("nlp/loss.json", '{"loss": {"test": 1.5}}').write("nlp/params.yaml", "seed: 7\n")
    source.write("own.json", '{"f1": 0.5}')
    source.write("registry.yaml", "models: {fraud: {path: nlp/m/fraud.pkl, metrics: own.json}}\n").commit()
    source.register("fraud", "v1.0.0", metrics={"mine": 3})
    source.registry_at().annotate("fraud@v1.0.0", metrics={"gone": ""})
    before = source.registry.resolve("fraud").metadata

    source.registry_at().copy("fraud@v1.0.0", target.path)

    there = target.registry.resolve("fraud").metadata
    assert dict(there.metrics) == dict(before.metrics) == {"auc": 0.8, "loss.test": 1.5, "f1": 0.5, "mine": 3}
    assert dict(there.params) == dict(before.params) == {"seed": 7}
    assert "Metric: f1=" not in target.git("cat-file", "tag", "fraud@v1.0.0")


def test_no_branch_moves_and_nothing_changes_at_the_source(source: RepoStory, target: RepoStory) -> None:
    before = source.refs(), target.git("rev-parse", "HEAD"), target.git("status", "--porcelain")

    source.registry_at().copy("churn@v1.2.0", target.path)

    assert (source.refs(), target.git("rev-parse", "HEAD"), target.git("status", "--porcelain")) == before
    assert sorted(target.tags) == ["churn@v1.2.0", "other@v1.0.0"]


def test_the_entry_alone_travels_without_wishes(source: RepoStory, target: RepoStory) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path, name="leavers", version="v3.0.0")

    text = target.git("show", "leavers@v3.0.0^{commit}:registry.yaml")
    assert "leavers:" in text
    assert "path: models/churn" in text
    assert "fraud" not in text
    assert "v9.0.0" not in text


def test_stages_travel_when_they_are_asked_for_in_one_write(source: RepoStory, target: RepoStory) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path, with_stages=True)

    assert version(target, "churn")["stages"] == ["production", "staging"]


def test_what_has_arrived_is_not_copied_again(source: RepoStory, target: RepoStory) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path)
    before = target.refs()

    again = source.cli("copy", "churn@v1.2.0", "--to", str(target.path))

    assert (again.code, again.out) == (0, "")
    assert "there already" in again.err
    assert target.refs() == before


def test_a_version_that_is_taken_there_is_not_overwritten(source: RepoStory, target: RepoStory) -> None:
    target.register("churn", "v1.2.0", undeclared=True)
    before = target.refs()

    done = source.cli("copy", "churn@v1.2.0", "--to", str(target.path))

    assert done.code == 1
    assert "registered already" in done.err
    assert target.refs() == before


def test_a_transfer_withdraws_it_at_the_source_and_says_where_it_went(source: RepoStory, target: RepoStory) -> None:
    done = source.cli("transfer", "churn@v1.2.0", "--to", str(target.path), "--with-stages")

    assert done.code == 0, done.err
    assert version(target, "churn#production")["version"] == "v1.2.0"
    assert source.cli("resolve", "churn@v1.2.0").code == 1
    last = source.registry.history("churn")[-1]
    assert last.metadata.other["Moved-To"] == (f"{target.path} churn@v1.2.0",)


def test_an_interrupted_transfer_can_be_run_again(source: RepoStory, target: RepoStory) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path)  # and then the power failed

    done = source.cli("transfer", "churn@v1.2.0", "--to", str(target.path))

    assert done.code == 0, done.err
    assert source.cli("resolve", "churn@v1.2.0").code == 1
    assert [v.version for v in target.registry.list_versions("churn")] == ["v1.2.0"]


def test_a_dry_run_writes_nothing_anywhere(source: RepoStory, target: RepoStory) -> None:
    before = source.refs(), target.refs()

    done = source.cli("transfer", "churn@v1.2.0", "--to", str(target.path), "--dry-run")

    assert done.code == 0, done.err
    assert "churn@v1.2.0" in done.out
    assert (source.refs(), target.refs()) == before


def test_a_name_of_a_directory_keeps_its_paths_inside(source: RepoStory, target: RepoStory) -> None:
    source.write("cv/registry.yaml", "models: {pool: {path: pool.pkl}}\n").write("cv/pool.pkl", "p\n").commit("Pool")
    source.register("cv:pool", "v0.1.0")

    source.registry_at().copy("cv:pool", target.path)

    found = version(target, "cv:pool")
    assert found["path"] == "cv/pool.pkl"
    assert files(target, found["commit"]) == ["cv/pool.pkl", "cv/registry.yaml"]
    refused = source.cli("copy", "cv:pool", "--to", str(target.path), "--as", "nlp:pool")
    assert refused.code == 1
    assert "not inside nlp" in refused.err


def test_the_copy_can_be_pulled_and_verified(source: RepoStory, target: RepoStory, tmp_path: Path) -> None:
    source.registry_at().copy("churn@v1.2.0", target.path)

    target.registry.pull("churn", tmp_path / "out")

    assert (tmp_path / "out/models/churn/weights").read_text() == "w\n"
    assert (tmp_path / "out/models/churn/run.sh").stat().st_mode & stat.S_IXUSR


def test_what_it_was_made_from_is_named_from_afar(source: RepoStory, target: RepoStory) -> None:
    source.register("fraud", "v0.1.0", uses=["churn@v1.2.0"])

    source.registry_at().copy("fraud", target.path)

    assert version(target, "fraud")["metadata"]["uses"] == [f"{source.path} churn@v1.2.0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["copy", "churn"], "--to"),
        (["copy", "churn@v7.0.0", "--to", "."], "v7.0.0"),
        (["copy", "churn", "--to", "nowhere"], "not a Git repository"),
        (["copy", "churn", "--to", ".", "--as", "a b"], "not a name"),
        (["copy", "churn", "--to", ".", "--version", "1.x"], "1.x"),
    ],
)
def test_mistakes_get_one_line(source: RepoStory, words: list[str], said: str) -> None:
    (source.path / "nowhere").mkdir()
    done = source.cli(*words, env={"GIT_CEILING_DIRECTORIES": str(source.path)})

    assert done.code in {1, 2}
    assert said in done.err.splitlines()[0]
    assert "Traceback" not in done.err

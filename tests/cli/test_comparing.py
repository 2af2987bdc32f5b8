"""`diff` and `lineage`."""

from __future__ import annotations

from tests.cli.conftest import Typing
from tests.story import RepoStory


def test_all_sections_of_a_diff(life: RepoStory, typed: Typing) -> None:
    manifest = (life.path / "registry.yaml").read_text().replace("Who is about to leave", "Who leaves")
    life.write("registry.yaml", manifest).write("params.yaml", "depth: 6\n").commit()
    life.register("churn", "v1.0.0", tags={"team": "growth"})

    rows = typed.lines("diff", "churn@v0.0.1", "churn")
    found = typed.json("diff", "churn@v0.0.1", "churn")

    assert ["entry", "description", "Who is about to leave", "Who leaves", ""] in rows
    assert ["metadata", "tags.team", "-", "growth", ""] in rows
    assert ["metrics", "auc", "0.9", "0.95", "+0.05"] in rows
    assert ["params", "depth", "4", "6", ""] in rows
    assert ["stages", "production", "yes", "-", ""] in rows
    [file] = [row for row in rows if row[0] == "files"]
    assert file[1:3] == ["models/churn.pkl", f"{found['files'][0]['a']['sha256'][:7]} 4 B"]
    assert list(found) == ["a", "b", "entry", "metadata", "metrics", "params", "labels", "stages", "files"]
    assert (found["a"]["version"], found["b"]["version"]) == ("v0.0.1", "v1.0.0")
    assert found["metrics"] == [{"key": "auc", "a": 0.9, "b": 0.95, "change": 0.05}]
    assert found["params"] == [{"key": "depth", "a": 4, "b": 6}]
    assert found["files"][0]["b"]["size"] == 4
    assert {"key": "prod", "a": None, "b": True} in typed.json("diff", "churn@v0.0.1", "churn@v0.1.0")["labels"]


def test_what_is_the_same_does_not_differ(life: RepoStory, typed: Typing) -> None:
    done = typed("diff", "churn", "churn@latest")

    assert (done.code, done.out, done.err) == (0, "", "they do not differ\n")
    assert typed.json("diff", "churn", "churn")["metrics"] == []


def test_two_artifacts_can_be_compared(life: RepoStory, typed: Typing) -> None:
    assert ["metrics", "auc", "0.95", "-", ""] in typed.lines("diff", "churn", "train-set")


def test_lineage_goes_both_ways(life: RepoStory, typed: Typing) -> None:
    life.register("fraud", uses=["churn@v0.0.1"])

    up = typed.json("lineage", "fraud")
    down = typed.json("lineage", "train-set")

    assert up["uses"] == [
        {"version": "churn@v0.0.1", "of": "fraud@v0.0.1", "steps": 1},
        {"version": "train-set@v0.0.1", "of": "churn@v0.0.1", "steps": 2},
    ]
    assert [step["version"] for step in down["used_by"]] == ["churn@v0.0.1", "fraud@v0.0.1"]
    assert list(up) == ["artifact", "version", "commit", "run", "run_url", "uses", "used_by"]
    assert up["commit"]["id"] == life.git("rev-parse", "HEAD")
    assert typed.json("lineage", "churn")["run"] == "mlflow:1"
    assert typed("lineage", "fraud").out.splitlines()[-4:] == [
        "made from:", "  churn@v0.0.1", "    train-set@v0.0.1", "used by: nothing that is recorded",
    ]  # fmt: skip


def test_a_circle_ends(life: RepoStory, typed: Typing) -> None:
    life.registry_at().annotate("train-set", uses=["churn@v0.0.1"])

    found = typed.json("lineage", "churn@v0.0.1")

    assert [step["version"] for step in found["uses"]] == ["train-set@v0.0.1", "churn@v0.0.1"]
    assert [step["version"] for step in found["used_by"]] == ["train-set@v0.0.1", "churn@v0.0.1"]


def test_a_version_elsewhere_is_named_with_its_url(life: RepoStory, typed: Typing) -> None:
    assert typed("register", "fraud", "--uses", "https://example.com/data.git train-set@v0.3.0").code == 0

    [step] = typed.json("lineage", "fraud")["uses"]
    assert step["version"] == "https://example.com/data.git train-set@v0.3.0"

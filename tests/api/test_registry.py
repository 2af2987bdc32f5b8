"""`Registry`: every verb, answered with values; what goes wrong is raised, and nothing is printed (see conftest)."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from registry import GitFailed, ManifestError, NotFound, Refused, Registry, UsageError
from tests.story import RepoStory


def test_what_a_training_script_writes(repo: RepoStory) -> None:
    """What scripts do, in one."""
    reg = Registry(".")
    v = reg.register(
        "churn", bump="minor", metrics={"auc": 0.93}, run="mlflow:f27c05", labels=["prod"], content={"k": "v"}
    )
    assert (v.version, v.number) == ("v0.0.1", 1)
    repo.register("churn", "v1.2.0")
    reg.assign("churn@v1.2.0", "production", reason="AirflowPipelineStageUpdate", message="Tests passed")

    assert [each.version for each in reg.list_versions("churn")] == ["v1.2.0", "v0.0.1"]
    reg.annotate("churn@v1.2.0", metrics={"auc": 0.94}, deployments={"eu-west": "https://churn"})
    v = reg.get_version("churn", "v1.2.0")
    assert [event.event for event in reg.history("churn")] == [
        "registration",
        "registration",
        "assignment",
        "amendment",
    ]
    assert (v.number, v.commit, v.stages) == (2, repo.git("rev-parse", "HEAD"), ("production",))
    assert (v.metadata.metrics, v.metadata.deployments) == ({"auc": 0.94}, {"eu-west": "https://churn"})
    [condition] = v.stage_conditions
    assert (condition.stage, condition.reason, condition.message) == (
        "production", "AirflowPipelineStageUpdate", "Tests passed",
    )  # fmt: skip
    assert (condition.author, condition.date[:10], condition.date[-6:]) == ("Ana", "2026-01-01", "+00:00")


def test_all_that_may_be_said_of_a_version(repo: RepoStory, reg: Registry) -> None:
    v = reg.register(
        "churn", "HEAD", version="v2.0.0-rc.1", message="Words", description="D", labels=["a", "b"], run="dvc:exp",
        run_url="https://run", metrics={"auc": 0.5, "n": 3, "nan": float("nan")}, params={"kind": "tree", "on": True},
        tags={"team": "x"}, artifacts={"manifest": "registry.yaml"}, content=[1, {"é": None}],
    )  # fmt: skip

    known = v.metadata
    assert (v.version, v.message, v.description, v.type, v.path) == (
        "v2.0.0-rc.1",
        "Words",
        "D",
        "model",
        "models/churn.pkl",
    )
    assert (v.registered_by, v.tag, v.active, v.artifact) == ("Ana", "churn@v2.0.0-rc.1", True, "churn")
    assert (known.labels, known.run, known.run_url, known.tags) == (("a", "b"), "dvc:exp", "https://run", {"team": "x"})
    assert (known.metrics["auc"], known.metrics["n"], known.params) == (0.5, 3, {"kind": "tree", "on": "true"})
    assert known.content == [1, {"é": None}]
    assert [file.path for file in known.artifacts] == ["models/churn.pkl", "registry.yaml"]
    assert known.other == {"Artifact-Name": ("manifest=registry.yaml",)}
    assert reg.get_version("churn", "v2.0.0-rc.1") == v


class Scalar:
    """What a NumPy scalar looks like."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        """The Python number."""
        return self.value


def test_a_number_of_numpy_is_a_number(reg: Registry) -> None:
    v = reg.register("churn", metrics={"auc": Scalar(0.93)})
    assert v.metadata.metrics == {"auc": 0.93}

    numpy = pytest.importorskip("numpy")
    reg.annotate("churn", metrics={"f1": numpy.float32(0.5), "n": numpy.int64(3)}, params={"on": numpy.bool_(True)})
    known = reg.resolve("churn").metadata
    assert (known.metrics, known.params) == ({"auc": 0.93, "f1": 0.5, "n": 3}, {"on": "true"})


def test_the_verbs_answer_what_they_wrote(repo: RepoStory, reg: Registry) -> None:
    reg.register("churn")
    repo.register("churn", bump="major")

    assert [e.tag for e in reg.assign("churn@1", "production").events] == ["churn#production#3"]
    assert reg.assign("churn@1", "production").events == ()
    assert [e.tag for e in reg.assign("churn@1", "production", force=True).events] == ["churn#production#4"]
    reg.assign("churn", "production")
    assert [e.version for e in reg.rollback("churn", "production", reason="slow").events] == ["v0.0.1"]
    assert [e.event for e in reg.unassign("churn", "production").events] == ["unassignment"]
    assert [e.event for e in reg.deregister("churn@v0.0.1", message="bad").events] == ["deregistration"]
    assert [e.event for e in reg.deprecate("churn").events] == ["deprecation"]
    assert reg.show() == []
    assert [a.name for a in reg.show(deprecated=True)] == ["churn"]
    assert [e.event for e in reg.delete("churn@deprecated#9").events] == ["deprecation"]
    assert [a.latest for a in reg.show()] == ["v1.0.0"]
    assert [v.active for v in reg.list_versions("churn")] == [True, False]


def test_the_questions_have_typed_answers(repo: RepoStory, reg: Registry) -> None:
    reg.register("churn", metrics={"auc": 0.9})
    reg.assign("churn", "staging")

    assert reg.resolve("churn#staging").version == reg.find("churn@latest") == "v0.0.1"
    assert reg.check_ref("churn#staging#2").stage == "staging"
    assert [(s.name, s.holders) for s in reg.stages()] == [("staging", {"churn": "v0.0.1"})]
    assert reg.diff("churn", "churn").metrics == []
    assert reg.lineage("churn").uses == ()
    assert reg.status().artifacts[0].state == "registered"
    assert reg.doctor().sound
    assert reg.check() == []
    assert reg.show_artifact("churn", where=["metrics.auc>0.95"]).versions == ()
    assert [a.name for a in reg.show(where=["metrics.auc>0.5"], stage="staging", sort="-name")] == ["churn"]


def test_the_manifest_is_edited(empty: RepoStory) -> None:
    reg = empty.registry

    assert reg.init().path == "registry.yaml"
    assert reg.add("churn", description="D", labels=["a"]).commit is None
    assert reg.add("data", type="dataset", commit=True).commit == empty.git("rev-parse", "HEAD")
    assert reg.show()[0].labels == ("a",)
    assert reg.remove("churn").path == "registry.yaml"


@pytest.mark.parametrize("version", ["v0.0.1", 1, "1", "latest", "stable", "newest", "^0.0.1", "v0", "production"])
def test_a_version_is_got_by_any_word(reg: Registry, version: str | int) -> None:
    reg.register("churn")
    reg.assign("churn", "production")

    assert reg.get_version("churn", version).version == "v0.0.1"


@pytest.mark.parametrize(
    ("method", "arguments", "kind"),
    [
        ("resolve", ["chrun"], NotFound), ("resolve", ["churn@v9.0.0"], NotFound),
        ("resolve", ["churn@1.0"], UsageError),
        ("get_version", ["churn", "qa"], NotFound), ("get_version", ["churn", 7], NotFound),
        ("get_version", ["churn", "1.0.0"], UsageError),
        ("history", ["chrun"], NotFound), ("check_ref", ["v1"], NotFound), ("list_versions", ["chrun"], NotFound),
        ("register", ["chrun"], NotFound), ("register", ["churn"], Refused), ("register", ["churn", "nope"], NotFound),
        ("register", ["a b"], UsageError), ("assign", ["churn@v9.0.0", "production"], NotFound),
        ("assign", ["churn", ""], UsageError), ("rollback", ["churn", "production"], NotFound),
        ("unassign", ["churn", "production"], NotFound), ("deregister", ["churn"], UsageError),
        ("annotate", ["churn"], UsageError), ("deprecate", ["chrun"], NotFound), ("delete", ["churn@v9.0.0"], NotFound),
        ("init", [], Refused), ("add", ["churn"], ManifestError), ("remove", ["chrun"], ManifestError),
    ],
)  # fmt: skip
def test_errors_are_of_the_documented_kinds_and_nothing_is_written(
    repo: RepoStory, reg: Registry, method: str, arguments: list[Any], kind: type[Exception]
) -> None:
    reg.register("churn")
    before = repo.refs()

    with pytest.raises(kind):
        getattr(reg, method)(*arguments)

    assert repo.refs() == before
    assert repo.git("status", "--porcelain") == ""


def test_what_register_does_not_take_is_a_type_error(reg: Registry) -> None:
    with pytest.raises(TypeError, match="verzion"):
        reg.register("churn", verzion="v1.0.0")  # type: ignore[call-arg]
    with pytest.raises(UsageError):
        reg.register("churn", bump="huge")  # type: ignore[arg-type]


def test_not_a_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    with pytest.raises(NotFound, match="not a Git repository"):
        Registry(tmp_path / "plain")
    with pytest.raises(GitFailed, match="no such directory"):
        Registry(tmp_path / "nowhere")


def test_a_dry_run_answers_what_would_be(repo: RepoStory, reg: Registry) -> None:
    before = repo.refs()

    v = reg.register("churn", bump="minor", metrics={"auc": 1}, dry_run=True)

    assert (v.version, v.number, v.metadata.metrics, v.stages) == ("v0.0.1", 1, {"auc": 1}, ())
    assert repo.refs() == before
    reg.register("churn")
    assert [e.tag for e in reg.assign("churn", "qa", dry_run=True).events] == ["churn#qa#2"]
    assert repo.tags == ["churn@v0.0.1"]


def test_notes_go_to_the_one_who_asked_or_to_the_log(repo: RepoStory, caplog: pytest.LogCaptureFixture) -> None:
    repo.register("churn").assign("churn", "qa").assign("churn", "qa")
    assert repo.notes == ["churn v0.0.1 is in qa already"]

    with caplog.at_level(logging.WARNING, "registry"):
        Registry(repo.path).assign("churn", "qa")
    assert [record.message for record in caplog.records] == ["churn v0.0.1 is in qa already"]


def test_a_repository_is_found_from_anywhere_in_it(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.register("churn")
    monkeypatch.chdir(repo.path / "models")

    assert Registry().find("churn") == Registry("..").find("churn") == Registry(repo.path).find("churn") == "v0.0.1"


def test_what_somebody_else_wrote_is_seen_after_a_refresh(repo: RepoStory, reg: Registry) -> None:
    assert reg.show()[0].latest is None
    repo.register("churn")

    reg.refresh()

    assert reg.show()[0].latest == "v0.0.1"


def test_the_registry_says_which_it_is(repo: RepoStory, reg: Registry) -> None:
    assert repr(reg) == f"Registry({os.fspath(repo.path)!r})"

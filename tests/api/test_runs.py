"""`promote`: a training run becomes a version, all or nothing, and nothing else of the user's is touched."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import registry
from registry import NotFound, Refused, Registry, UsageError
from tests.story import RepoStory


def standing(repo: RepoStory) -> tuple[str, str, str, str]:
    """Refs, HEAD, index and work tree."""
    head = repo.git("rev-parse", "HEAD")
    return repo.refs(), head, repo.git("ls-files", "--stage"), repo.git("status", "--porcelain", "--ignored")


def test_a_run_becomes_a_version_in_a_stage(repo: RepoStory, reg: Registry) -> None:
    before = repo.git("rev-parse", "HEAD")
    with reg.promote("churn", stage="staging", bump="minor", message="Words", labels=["a"]) as run:
        repo.write("models/churn.pkl", "better\n")
        run.log_metric("auc", 0.5)
        run.log_metrics({"auc": 0.93, "f1": 1})
        run.log_param("depth", 4)
        run.log_params({"kind": "tree"})
        run.log_tag("team", "x")
        run.log_artifact("models/churn.pkl")

    v = run.version
    assert (v.version, v.number, v.stages, v.message) == ("v0.0.1", 1, ("staging",), "Words")
    assert (v.metadata.metrics, v.metadata.params) == ({"auc": 0.93, "f1": 1}, {"depth": 4, "kind": "tree"})
    assert (v.metadata.tags, v.metadata.labels) == ({"team": "x"}, ("a",))
    assert v.commit == repo.git("rev-parse", "HEAD") == repo.git("rev-parse", "main")
    assert repo.git("rev-parse", "HEAD^") == before
    assert repo.git("log", "-1", "--format=%s|%b|%an|%ae") == "Promote churn v0.0.1|Words\n|Ana|ana@example.com"
    assert repo.git("show", "HEAD:models/churn.pkl") == "better"
    assert repo.git("status", "--porcelain") == ""
    assert v == reg.resolve("churn#staging")


def test_exactly_the_named_files_are_committed(repo: RepoStory, reg: Registry) -> None:
    repo.write(".gitignore", "*.bin\n").write("other.txt", "1\n").commit()
    repo.write("other.txt", "2\n").write("staged.txt", "1\n").write("models/churn.pkl", "new\n").write("new.txt", "1\n")
    repo.write("models/net.bin", "ignored, and named\n").write("models/left.bin", "ignored\n").write("d/a", "1").write(
        "d/b", "2"
    )
    repo.git("add", "staged.txt")

    with reg.promote("churn") as run:
        for path in ("models/churn.pkl", repo.path / "models" / "net.bin", "d"):
            run.log_artifact(path)

    assert repo.git("show", "--format=", "--name-only").split() == ["d/a", "d/b", "models/churn.pkl", "models/net.bin"]
    assert repo.git("status", "--porcelain").splitlines() == [" M other.txt", "A  staged.txt", "?? new.txt"]
    assert [file.path for file in run.version.metadata.artifacts] == [
        "models/churn.pkl",
        "models/net.bin",
        "d/a",
        "d/b",
    ]


def test_a_run_without_files_makes_a_version_of_head(repo: RepoStory, reg: Registry) -> None:
    before = repo.git("rev-parse", "HEAD")
    with reg.promote("churn") as run:
        run.log_metric("auc", 1)

    assert run.version.commit == repo.git("rev-parse", "HEAD") == before


def test_files_that_did_not_change_make_no_commit(repo: RepoStory, reg: Registry) -> None:
    before = repo.git("rev-parse", "HEAD")
    with reg.promote("churn") as run:
        run.log_model("models/churn.pkl", name="weights", framework="scikit-learn")

    assert run.version.commit == before
    assert run.version.metadata.tags == {"framework": "scikit-learn"}
    assert run.version.metadata.other == {"Artifact-Name": ("weights=models/churn.pkl",)}


def test_when_the_stage_refuses_nothing_is_committed_or_registered(repo: RepoStory, reg: Registry) -> None:
    text = "stages: {staging: {}, production: {after: staging}}\nmodels: {churn: {path: models/churn.pkl}}\n"
    repo.write("registry.yaml", text).commit()
    repo.write("models/churn.pkl", "new\n").write("staged.txt", "1\n")
    repo.git("add", "staged.txt")
    before = standing(repo)

    with pytest.raises(Refused, match="has not been in staging"), reg.promote("churn", stage="production") as run:
        run.log_artifact("models/churn.pkl")

    assert standing(repo) == before


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"stage": "prodction"}, NotFound), ({"artifact": "chrun"}, NotFound), ({"artifact": "a b"}, UsageError),
        ({"stage": "a b"}, UsageError), ({"version": "1.0"}, UsageError), ({"version": ""}, UsageError),
    ],
)  # fmt: skip
def test_what_cannot_end_well_does_not_begin(
    repo: RepoStory, reg: Registry, said: dict[str, Any], kind: type[Exception]
) -> None:
    repo.write("registry.yaml", "stages: {production: {}}\nmodels: {churn: {}}\n").commit()
    trained = False

    with pytest.raises(kind), reg.promote(**{"artifact": "churn", **said}):
        trained = True

    assert not trained


def test_a_run_that_raises_registers_nothing(repo: RepoStory, reg: Registry) -> None:
    repo.write("models/churn.pkl", "new\n")
    before = standing(repo)

    @reg.promote("churn", stage="staging")
    def train() -> None:
        registry.active_run().log_artifact("models/churn.pkl")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train()

    assert standing(repo) == before
    with pytest.raises(NotFound):
        registry.active_run()


def test_a_cancelled_run_goes_on_and_registers_nothing(repo: RepoStory, reg: Registry) -> None:
    repo.write("models/churn.pkl", "new\n")
    before = standing(repo)

    with reg.promote("churn", stage="staging") as run:
        run.log_artifact("models/churn.pkl")
        run.cancel()
        run.log_metric("after", 1)

    assert standing(repo) == before
    with pytest.raises(Refused):
        run.version  # noqa: B018


def test_as_a_decorator_each_call_is_a_run(repo: RepoStory, reg: Registry) -> None:
    @reg.promote("churn", stage="staging", params={"depth": 4})
    def train(auc: float) -> str:
        repo.write("models/churn.pkl", f"{auc}\n")
        registry.active_run().log_metric("auc", auc)
        registry.active_run().log_artifact("models/churn.pkl")
        return "done"

    assert [train(0.5), train(auc=0.75)] == ["done", "done"]
    assert [(v.version, v.metadata.metrics, v.metadata.params) for v in reg.list_versions("churn")] == [
        ("v0.0.2", {"auc": 0.75}, {"depth": 4}), ("v0.0.1", {"auc": 0.5}, {"depth": 4}),
    ]  # fmt: skip
    assert train.__name__ == "train"


def test_an_existing_version_is_attached_to(repo: RepoStory, reg: Registry) -> None:
    reg.register("churn", version="v1.0.5", metrics={"auc": 0.5, "f1": 1})
    repo.train()

    @reg.model("churn", version="v1.0.5", stage="production")
    def evaluate() -> None:
        registry.active_run().log_metric("auc", 0.93)
        with pytest.raises(Refused, match="exists"):
            registry.active_run().log_artifact("models/churn.pkl")

    evaluate()

    assert repo.tags == ["churn#production#3", "churn@v1.0.5", "churn@v1.0.5=#2"]
    assert reg.resolve("churn#production").metadata.metrics == {"auc": 0.93, "f1": 1}
    with reg.promote("churn", version="v1.0.5") as run:
        pass
    assert (run.version.version, len(repo.tags)) == ("v1.0.5", 3)


def test_of_nested_runs_the_inner_takes_precedence(repo: RepoStory, reg: Registry) -> None:
    @reg.model("churn", version="v1.0.5")
    def train() -> None:
        with reg.promote("churn", version="v2.0.0") as inner:
            assert registry.active_run() is inner
            repo.write("models/churn.pkl", "inner\n")
            inner.log_artifact("models/churn.pkl")
        registry.active_run().log_metric("auc", 1)

    train()

    assert [v.version for v in reg.list_versions("churn")] == ["v2.0.0"]
    assert reg.resolve("churn").metadata.metrics == {"auc": 1}


def test_runs_of_two_models_do_not_meet(repo: RepoStory, reg: Registry) -> None:
    repo.write("registry.yaml", "models: {churn: {}, fraud: {}}\n").commit()

    with reg.promote("churn") as outer, reg.promote("fraud") as inner:
        inner.log_metric("auc", 1)
        outer.log_metric("auc", 2)

    assert (outer.version.artifact, outer.version.metadata.metrics) == ("churn", {"auc": 2})
    assert (inner.version.artifact, inner.version.metadata.metrics) == ("fraud", {"auc": 1})


@pytest.mark.parametrize(("path", "kind"), [("../x", UsageError), ("/etc/passwd", UsageError), ("gone.pkl", NotFound)])
def test_a_file_that_cannot_be_logged(repo: RepoStory, reg: Registry, path: str, kind: type[Exception]) -> None:
    before = standing(repo)
    with pytest.raises(kind), reg.promote("churn") as run:
        run.log_artifact(path)

    assert standing(repo) == before


def test_a_file_that_is_gone_at_the_end_registers_nothing(repo: RepoStory, reg: Registry) -> None:
    repo.write("late.pkl", "1\n")
    before = repo.refs()

    @reg.promote("churn")
    def train() -> None:
        registry.active_run().log_artifact("late.pkl")
        (repo.path / "late.pkl").unlink()

    with pytest.raises(registry.RegistryError):
        train()

    assert repo.refs() == before


def test_the_first_commit_of_a_repository(empty: RepoStory) -> None:
    reg = empty.registry
    empty.write("registry.yaml", "models: {churn: {path: m.pkl}}\n").write("m.pkl", "1\n")

    with reg.promote("churn", undeclared=True) as run:
        run.log_artifact("m.pkl")
        run.log_artifact("registry.yaml")

    assert run.version.commit == empty.git("rev-parse", "main")
    assert empty.git("rev-list", "--count", "HEAD") == "1"
    assert empty.git("status", "--porcelain") == ""


def test_on_a_detached_head_no_branch_moves(repo: RepoStory, reg: Registry) -> None:
    main = repo.git("rev-parse", "main")
    repo.git("checkout", "-q", "--detach")
    repo.write("models/churn.pkl", "new\n")

    with reg.promote("churn") as run:
        run.log_artifact("models/churn.pkl")

    assert run.version.commit == repo.git("rev-parse", "HEAD") != main
    assert repo.git("rev-parse", "main") == main
    assert repo.git("status", "--porcelain") == ""


def test_in_a_worktree(repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    monkeypatch.chdir(tmp_path / "side")
    Path("models/churn.pkl").write_text("side\n")

    with Registry().promote("churn", stage="staging") as run:
        run.log_artifact("models/churn.pkl")

    assert run.version.commit == repo.git("rev-parse", "side") != repo.git("rev-parse", "main")
    assert repo.git("status", "--porcelain") == repo.git("-C", str(tmp_path / "side"), "status", "--porcelain") == ""
    assert repo.resolve("churn#staging") == "v0.0.1"


def test_in_a_subdirectory_paths_are_those_of_the_person(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path / "models")
    Path("churn.pkl").write_text("new\n")

    with Registry().promote("churn") as run:
        run.log_artifact("churn.pkl")

    assert repo.git("show", "--format=", "--name-only", run.version.commit) == "models/churn.pkl"


def test_a_bare_repository_has_nothing_to_commit(repo: RepoStory, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))

    with pytest.raises(Refused, match="no work tree"), Registry(tmp_path / "bare.git").promote("churn"):
        pass


def test_commits_and_tags_are_signed_where_git_says_so(repo: RepoStory, reg: Registry, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in {
        "gpg.format": "ssh", "user.signingKey": f"{key}.pub", "commit.gpgSign": "true", "tag.gpgSign": "true",
    }.items():  # fmt: skip
        repo.git("config", name, value)
    repo.write("models/churn.pkl", "new\n")

    with reg.promote("churn") as run:
        run.log_artifact("models/churn.pkl")

    assert "gpgsig -----BEGIN SSH SIGNATURE-----" in repo.git("cat-file", "commit", run.version.commit)
    assert reg.check_ref("churn@v0.0.1").signed


def test_a_run_is_not_made_dry(reg: Registry) -> None:
    with pytest.raises(UsageError, match="not made dry"):
        reg.promote("churn", dry_run=True)


def test_what_it_was_made_from_is_named_exactly(repo: RepoStory, reg: Registry) -> None:
    repo.write("registry.yaml", "models: {churn: {}, base: {}}\n").commit()
    reg.register("base")

    with reg.promote("churn", uses=["base@latest"]):
        pass
    assert reg.resolve("churn").metadata.uses == ("base@v0.0.1",)
    with reg.promote("churn", version="v0.0.1", uses=["base@1"]):
        pass
    assert reg.resolve("churn").metadata.uses == ("base@v0.0.1",)


def test_a_large_file_is_told(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.porcelain.carried.WARN_ABOVE", 3)
    repo.write("models/churn.pkl", "large\n")

    with repo.registry.promote("churn") as run:
        run.log_artifact("models/churn.pkl")

    assert ["models/churn.pkl has" in note for note in repo.notes] == [True]


def test_without_a_run_there_is_none() -> None:
    with pytest.raises(NotFound, match="no run is under way"):
        registry.active_run()


LAB = """
def resolve(run, place):
    return Found("https://lab/7", {"auc": 0.5, "own": 0.1, "loss": 2}, {"depth": 99, "note": "", "gone": 1, "seed": 3})
"""


def test_a_run_says_nothing_anew_of_a_version_that_is_there(
    repo: RepoStory, reg: Registry, provider: Callable[[str], Path]
) -> None:
    provider(LAB)
    text = "models: {churn: {path: models/churn.pkl, metrics: own.json, card: README.md}}\n"
    card = "model-index: [{results: [{dataset: {name: x, type: x}, metrics: [{type: loss, value: 1}]}]}]"
    repo.write("own.json", '{"own": 0.9}').write("README.md", f"---\n{card}\n---\n")
    repo.write("registry.yaml", text).commit()
    params = {"depth": 4, "note": "mine", "gone": 5}
    reg.register("churn", version="v7.0.0", metrics={"auc": 0.93}, params=params, run_url="https://mine/7")
    reg.annotate("churn@v7.0.0", params={"gone": ""})
    repo.write("own.json", "{}").commit()  # HEAD's files say nothing of the version

    with Registry(repo.path, on_note=repo.notes.append).promote("churn", version="v7.0.0", run="lab:7") as run:
        run.log_metric("eval_f1", 0.7)

    found = run.version.metadata
    assert found.metrics == {"own": 0.9, "auc": 0.93, "eval_f1": 0.7, "loss": 1}
    assert found.params == {"depth": 4, "note": "mine", "seed": 3}
    assert (found.run, found.run_url) == ("lab:7", "https://mine/7")


def test_what_the_person_says_in_the_run_stands(
    repo: RepoStory, reg: Registry, provider: Callable[[str], Path]
) -> None:
    provider(LAB)
    reg.register("churn", version="v7.0.0", metrics={"auc": 0.93})

    with Registry(repo.path, on_note=repo.notes.append).promote("churn", version="v7.0.0", run="lab:7") as run:
        run.log_metric("auc", 0.94)

    assert run.version.metadata.metrics["auc"] == 0.94


def test_what_a_run_does_not_take_is_said_of_the_run(reg: Registry) -> None:
    with pytest.raises(TypeError, match=r"promote\(\) got an unexpected keyword argument 'runs'"):
        reg.promote("churn", runs="lab:7")  # type: ignore[call-arg]

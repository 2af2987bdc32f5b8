"""Runs and registries of the real MLflow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import registry
from registry import NotFound, Refused, Registry, UsageError
from registry.errors import StoreFailed
from tests.story import RepoStory

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: pip install -e '.[runs]'")


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of MLflow's; making its tables takes seconds."""
    if find_spec("sqlalchemy") is None:
        pytest.skip("this MLflow has no database: pip install -e '.[runs]'")
    return f"sqlite:///{tmp_path_factory.mktemp('tracking') / 'mlflow.db'}"


@pytest.fixture
def client(tracking: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MLflow's client of it; a script's MLflow tracks there, too."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    mlflow.set_tracking_uri(tracking)
    yield mlflow.MlflowClient(tracking, tracking)
    while mlflow.active_run() is not None:
        mlflow.end_run()


def tracked(client: Any) -> str:
    """A run with a metric and a parameter; its id."""
    run = client.create_run("0")
    client.log_metric(run.info.run_id, "auc", 0.9)
    client.log_metric(run.info.run_id, "auc", 0.93)
    client.log_param(run.info.run_id, "depth", 4)
    return str(run.info.run_id)


def test_a_run_gives_its_metrics_and_is_marked_as_promoted(repo: RepoStory, client: Any) -> None:
    run = tracked(client)
    repo.register("churn", "v1.2.0", run=f"mlflow:{run}", params={"depth": 5})

    found = repo.registry.resolve("churn").metadata
    assert (found.run, found.run_url) == (f"mlflow:{run}", None)
    assert (found.metrics, found.params) == ({"auc": 0.93}, {"depth": 5})
    assert client.get_run(run).data.tags["git-registry.version"] == "churn@v1.2.0"

    repo.register("churn", "v1.3.0", run=f"mlflow:{run}")
    assert client.get_run(run).data.tags["git-registry.version"] == "churn@v1.2.0, churn@v1.3.0"
    assert repo.notes == []


def test_a_run_that_is_not_there_costs_a_note(repo: RepoStory, client: Any) -> None:
    repo.register("churn", run="mlflow:" + "0" * 32)

    assert repo.registry.resolve("churn").metadata.run == "mlflow:" + "0" * 32
    assert len(repo.notes) == 1
    assert "not found" in repo.notes[0]


def test_nothing_is_made_where_nobody_says_where_runs_are(repo: RepoStory) -> None:
    before = sorted(path.name for path in repo.path.iterdir())
    done = repo.cli("register", "churn", "--run", "mlflow:abc")

    assert (done.code, "MLFLOW_TRACKING_URI" in done.err) == (0, True)
    assert sorted(path.name for path in repo.path.iterdir()) == before


def test_a_script_with_an_active_run_links_it_without_being_told(repo: RepoStory, client: Any) -> None:
    with mlflow.start_run() as inside, repo.registry.promote("churn") as run:
        mlflow.log_metric("auc", 0.8)
        run.log_metric("f1", 0.5)

    assert run.version.metadata.run == f"mlflow:{inside.info.run_id}"
    assert run.version.metadata.metrics == {"auc": 0.8, "f1": 0.5}
    assert client.get_run(inside.info.run_id).data.tags["git-registry.version"] == "churn@v0.0.1"


def test_a_script_promotes_in_the_repository_that_it_stands_in(
    repo: RepoStory, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    with mlflow.start_run() as inside, registry.promote("churn", version="v3.0.0") as run:
        run.log_metric("auc", 0.9)
    assert (run.version.version, run.version.metadata.run) == ("v3.0.0", f"mlflow:{inside.info.run_id}")


def test_a_run_that_began_and_ended_inside_is_linked_as_well(repo: RepoStory, client: Any) -> None:
    with repo.registry.promote("churn") as run, mlflow.start_run() as inside:
        run.log_metric("f1", 0.5)

    assert run.version.metadata.run == f"mlflow:{inside.info.run_id}"


def test_a_run_that_evaluates_a_version_does_not_say_anew_what_it_is(repo: RepoStory, client: Any) -> None:
    params = {"depth": 4, "note": "mine"}
    repo.register("churn", "v7.0.0", metrics={"auc": 0.93}, params=params).register("churn", "v8.0.0", run="lab-7")
    with mlflow.start_run() as inside:
        mlflow.log_metrics({"auc": 0.5, "loss": 2})
        mlflow.log_params({"depth": 99, "note": ""})
        with repo.registry.promote("churn", version="v7.0.0") as run:
            run.log_metric("eval_f1", 0.7)
        repo.notes.clear()
        with repo.registry.promote("churn", version="v8.0.0") as other:
            other.log_metric("eval_f1", 0.8)

    found = run.version.metadata
    assert (found.metrics, found.params) == ({"auc": 0.93, "loss": 2, "eval_f1": 0.7}, params)
    active = f"mlflow:{inside.info.run_id}"
    assert (found.run, other.version.metadata.run) == (active, "lab-7")
    assert other.version.metadata.metrics == {"eval_f1": 0.8}
    assert repo.notes == [f"{active} is active, and not recorded: v8.0.0 is of another run; run=... says otherwise"]


def test_a_run_that_is_none_of_it_is_left_out(repo: RepoStory, client: Any) -> None:
    with mlflow.start_run(), repo.registry.promote("churn", run="") as run:
        pass

    assert run.version.metadata.run is None


def test_a_script_that_crashes_half_way_leaves_nothing_behind(repo: RepoStory, client: Any, tracking: str) -> None:
    before = repo.refs(), repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD")
    script = """
import mlflow, os, registry
with mlflow.start_run() as inside, registry.Registry().promote("churn", stage="staging") as run:
    print(inside.info.run_id, flush=True)
    run.log_metric("auc", 1)
    run.log_model("models/churn.pkl")
    HOW
"""
    for how in ("raise ValueError('half-way')", "os._exit(9)"):
        done = subprocess.run(
            [sys.executable, "-c", script.replace("HOW", how)],
            cwd=repo.path,
            capture_output=True,
            text=True,
            check=False,
        )
        run = done.stdout.split()[-1]
        assert done.returncode != 0
        assert "git-registry.version" not in client.get_run(run).data.tags
        assert (repo.refs(), repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD")) == before


def models(client: Any, name: str, commit: str, run: str) -> None:
    """Three versions in MLflow: one of a run, one at a commit, one that is deleted before a fourth."""
    client.create_registered_model(name, tags={"team": "growth"}, description="Who is about\nto leave")
    client.create_model_version(name, "file:///m/1", run, tags={"kind": "tree"}, description="First\nof all")
    client.create_model_version(name, "file:///m/2", None, tags={"mlflow.source.git.commit": commit})
    client.create_model_version(name, "file:///m/3", None)
    client.create_model_version(name, "file:///m/4", None, tags={"semver": "v9.1.0"})
    client.delete_model_version(name, "3")
    client.set_registered_model_alias(name, "champion", "2")
    client.set_registered_model_alias(name, "champion-eu", "2")
    client.transition_model_version_stage(name, "4", "Production")


def test_models_come_over_with_all_that_is_known_of_them(repo: RepoStory, client: Any, tracking: str) -> None:
    old, run = repo.git("rev-parse", "HEAD"), tracked(client)
    client.set_tag(run, "mlflow.user", "bo")
    repo.train("newer\n")
    models(client, "Big churn", old, run)

    done = repo.registry.import_mlflow(tracking, ["Big churn"])

    assert done.artifacts == ("Big-churn",)
    assert repo.tags == [
        "Big-churn#champion#4", "Big-churn#champion-eu#5", "Big-churn#production#6",
        "Big-churn@v1.0.0", "Big-churn@v2.0.0", "Big-churn@v9.1.0",
    ]  # fmt: skip
    first, second, last = (repo.registry.resolve(f"Big-churn@{v}") for v in ("v1.0.0", "v2.0.0", "v9.1.0"))
    assert [first.number, second.number, last.number] == [1, 2, 4]
    assert (second.commit, first.commit) == (old, repo.git("rev-parse", "HEAD"))
    known = first.metadata
    assert (known.run, known.description, known.metrics) == (f"mlflow:{run}", '"First\\nof all"', {"auc": 0.93})
    assert known.tags == {"kind": "tree", "mlflow.source": "file:///m/1"}
    assert known.other["Original-Author"] == ("bo",)
    made = client.get_model_version("Big churn", "1").creation_timestamp // 1000
    assert known.other["Original-Date"][0].startswith(
        str(__import__("datetime").datetime.fromtimestamp(made, __import__("datetime").timezone.utc).date())
    )
    assert known.other["Copied-From"] == (f"{tracking} models:/Big churn/1",)
    text = (repo.path / "registry.yaml").read_text()
    assert "Big-churn:" in text
    assert "team: growth" in text

    before = repo.refs()
    again = repo.registry.import_mlflow(tracking, ["Big churn"])
    assert (again.events, again.there, again.path, repo.refs()) == ((), 3, None, before)

    client.create_model_version("Big churn", "file:///m/5", None)
    more = repo.registry.import_mlflow(tracking, ["Big churn"])
    assert [event.tag for event in more.events] == ["Big-churn@v5.0.0"]


def test_a_dry_run_says_what_would_come_and_writes_nothing(repo: RepoStory, client: Any, tracking: str) -> None:
    client.create_registered_model("dry")
    client.create_model_version("dry", "file:///m/1", None)
    before = repo.refs(), repo.git("status", "--porcelain")
    done = repo.cli("import", "mlflow", "--uri", tracking, "--model", "dry", "--dry-run")

    assert done.out.split() == ["dry@v1.0.0", "registry.yaml"]
    assert (repo.refs(), repo.git("status", "--porcelain")) == before


def test_of_a_model_all_versions_come_or_none(repo: RepoStory, client: Any, tracking: str) -> None:
    client.create_registered_model("half")
    for number in (1, 2):
        client.create_model_version("half", f"file:///m/{number}", None)
    repo.register("half", "v2.0.0", undeclared=True)
    before = repo.refs()
    with pytest.raises(Refused, match=r"half v2\.0\.0 is here already"):
        repo.registry.import_mlflow(tracking, ["half"])
    assert repo.refs() == before


def test_a_stage_that_the_lifecycle_refuses_is_a_note(repo: RepoStory, client: Any, tracking: str) -> None:
    repo.write("registry.yaml", "stages: {staging: {}, production: {after: staging}}\nmodels: {}\n").commit()
    client.create_registered_model("late")
    client.create_model_version("late", "file:///m/1", None)
    client.transition_model_version_stage("late", "1", "Production")
    repo.registry.import_mlflow(tracking, ["late"])

    assert repo.tags == ["late@v1.0.0"]
    assert repo.notes[0].startswith("late v1.0.0 is not put into production:")


def test_a_model_that_is_not_there_is_said(repo: RepoStory, client: Any, tracking: str) -> None:
    with pytest.raises(StoreFailed, match="nothing-like-it"):
        Registry(repo.path).import_mlflow(tracking, ["nothing-like-it"])
    assert not Path("mlruns").exists()


@pytest.fixture
def theirs(client: Any, tmp_path: Path) -> tuple[Any, str]:
    """A registry of MLflow's that no other test writes to, and where it is."""
    uri = f"sqlite:///{tmp_path / 'theirs.db'}"
    return mlflow.MlflowClient(uri, uri), uri


def test_one_model_that_cannot_be_named_here_costs_a_note(repo: RepoStory, theirs: tuple[Any, str]) -> None:
    client, uri = theirs
    for name in ("churn", "Churn", "it's", "модель", "con", "Big churn", "Big-churn"):
        client.create_registered_model(name)
        client.create_model_version(name, f"s3://m/{len(name)}", None)

    done = repo.registry.import_mlflow(uri)

    assert done.artifacts == ("Big-churn", "it-s")  # churn is declared
    assert repo.tags == ["Big-churn@v1.0.0", "churn@v1.0.0", "it-s@v1.0.0"]
    assert repo.registry.resolve("Big-churn").metadata.tags["mlflow.source"] == "s3://m/9"
    said = "\n".join(done.notes)
    assert "Big churn is left out: 'Big-churn' and 'Big churn' would both be called Big-churn" in said
    assert "модель is left out: nothing of the name" in said
    assert "con is left out: the tag con@v0.0.1 would not travel" in said
    assert "Churn is left out: the name Churn differs from churn in case only" in said
    with pytest.raises(Refused, match="would not travel"):
        repo.registry.import_mlflow(uri, ["con"])


def test_nothing_is_lost_of_what_mlflow_says_but_secrets(repo: RepoStory, theirs: tuple[Any, str]) -> None:
    client, uri = theirs
    client.create_registered_model("full")
    long = "x" * 3000
    signed = "https://bo:secret@host/m?X-Amz-Signature=abc"
    client.create_model_version("full", signed, "0" * 32, tags={"long": long, "two": "a\nb"}, description="d" * 2000)
    client.create_model_version("full", "abfss://box@host/m", None)

    done = repo.registry.import_mlflow(uri, ["full"])

    first, second = (repo.registry.resolve(f"full@v{number}.0.0").metadata for number in (1, 2))
    assert first.tags == {"long": long, "two": '"a\\nb"', "mlflow.source": "https://host/m"}
    assert (first.description, second.tags["mlflow.source"]) == ("d" * 2000, "abfss://box@host/m")
    assert [note for note in done.notes if "full 1" in note] == [
        f"full 1: its run {'0' * 32} is gone, and with it metrics, parameters and the author",
        "full 1: its source comes without its password or its query",
    ]
    assert repo.registry.import_mlflow(uri, ["full"]).notes == ()  # what is here is asked for no more


def test_a_server_that_fails_stops_the_import_and_what_came_is_whole(
    repo: RepoStory, theirs: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, uri = theirs
    for name, run in (("a", None), ("b", "1" * 32)):
        client.create_registered_model(name, description=name)
        client.create_model_version(name, f"s3://m/{name}", run)

    def unavailable(*_: object) -> None:
        raise mlflow.exceptions.MlflowException("503 Service Unavailable")

    monkeypatch.setattr("mlflow.tracking.MlflowClient.get_run", unavailable)
    with pytest.raises(StoreFailed, match="503 Service Unavailable"):
        repo.registry.import_mlflow(uri)
    assert repo.tags == ["a@v1.0.0"]
    assert "  a:\n    description: a\n" in (repo.path / "registry.yaml").read_text()

    monkeypatch.undo()
    done = Registry(repo.path).import_mlflow(uri)
    assert ([event.tag for event in done.events], done.there) == (["b@v1.0.0"], 1)


def test_one_database_is_one_however_it_is_said(
    repo: RepoStory, theirs: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, uri = theirs
    client.create_registered_model("once")
    client.create_model_version("once", "s3://m/1", None)
    repo.registry.import_mlflow(uri, ["once"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "sqlite:///theirs.db")  # and nothing is said of where runs are
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setattr(mlflow, "is_tracking_uri_set", lambda: False)

    done = repo.registry.import_mlflow(None, ["once"])

    assert (done.events, done.there) == ((), 1)
    assert repo.registry.resolve("once").metadata.other["Copied-From"] == (f"{uri} models:/once/1",)


def test_where_nothing_is_nothing_is_made(repo: RepoStory, tmp_path: Path) -> None:
    for uri in (f"sqlite:///{tmp_path}/typo.db", str(tmp_path / "mlrnus"), f"{tmp_path.as_uri()}/mlrnus"):
        with pytest.raises(NotFound, match=r"there is no .*(typo|mlrnus)"):
            repo.registry.import_mlflow(uri)
    assert not [*tmp_path.glob("typo*"), *tmp_path.glob("mlr*")]
    with pytest.raises(UsageError, match="is this kind of repository already"):
        repo.registry.import_mlflow(f"git+{repo.path.as_uri()}")

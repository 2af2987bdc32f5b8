"""A run that is named, or noticed, tells what the person did not say; it never costs the registration."""

from __future__ import annotations

import importlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry import NotFound, Registry, UsageError
from registry.providers import ask, github, mlflow, wandb
from registry.providers.values import Found, Place
from tests.providers.conftest import Install
from tests.story import RepoStory

KNOWS = """
def resolve(run, place):
    return Found(f"https://lab.example.com/{run}?tab=1", {"auc": 0.91, "f1": 0.5, "loss": 2}, {"depth": 4, "seed": 1})
"""


def test_a_run_fills_what_neither_the_person_nor_the_files_say(repo: RepoStory, provider: Install) -> None:
    provider(KNOWS)
    repo.write("metrics.json", '{"f1": 0.7}')
    repo.write("registry.yaml", "models: {churn: {path: models/churn.pkl, metrics: metrics.json}}\n").commit()

    repo.register("churn", "v1.0.0", run="lab:7", metrics={"auc": 0.95})

    found = repo.registry.resolve("churn@v1.0.0").metadata
    assert (found.run, found.run_url) == ("lab:7", "https://lab.example.com/7?tab=1")
    assert (found.metrics, found.params) == ({"auc": 0.95, "f1": 0.7, "loss": 2}, {"depth": 4, "seed": 1})
    assert repo.notes == []


def test_the_link_that_the_person_said_stands(repo: RepoStory, provider: Install) -> None:
    provider(KNOWS)
    repo.register("churn", run="lab:7", run_url="https://mine/7")

    assert repo.registry.resolve("churn").metadata.run_url == "https://mine/7"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def resolve(run, place): raise ValueError('no\\x1b[2J run at https://me:secret@lab/')", "no [2J run at https://lab/"),
        ("def resolve(run, place): raise SystemExit(3)", "3"),
        ("import nothing_like_it", "nothing_like_it is not installed"),
        ("resolve = 5", "'int' object is not callable"),
        ("import time\ndef resolve(run, place): time.sleep(60)", "no answer in 0 seconds"),
        ("def resolve(run, place): return 'https://lab/7'", "its provider answers a str, and no Found"),
        ("def resolve(run, place): return None", "its provider answers a NoneType, and no Found"),
        ("def resolve(run, place): return Found(None, [1, 2])",
         "its provider answers metrics or parameters that are no mapping"),
        ("def resolve(run, place): return Found(None, {}, None)",
         "its provider answers metrics or parameters that are no mapping"),
        ("def resolve(run, place): return Found(notes='a note')", "its provider answers notes that are no texts"),
        ("def resolve(run, place): return Found(notes=(5,))", "its provider answers notes that are no texts"),
    ],
    ids=["raises", "exits", "lacks a package", "is none", "hangs", "a text", "nothing", "a list", "no params", "a note",
         "a number as note"],
)  # fmt: skip
def test_a_provider_that_fails_costs_a_note(
    repo: RepoStory, provider: Install, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    provider(text)
    monkeypatch.setattr(ask, "PATIENCE", 0.3 if "sleep" in text else 30)
    repo.register("churn", "v1.0.0", run="lab:7", metrics={"auc": 1})

    found = repo.registry.resolve("churn@v1.0.0").metadata
    assert (found.run, found.run_url, found.metrics) == ("lab:7", None, {"auc": 1})
    assert repo.notes[0] == f"lab:7 is recorded as it is: {why}"


def test_a_run_of_a_tool_that_nobody_knows_is_recorded(repo: RepoStory) -> None:
    repo.register("churn", run="unheard:7")

    assert repo.registry.resolve("churn").metadata.run == "unheard:7"
    assert repo.notes == ["unheard:7 is recorded as it is: nothing that is installed knows runs of unheard"]


@pytest.mark.parametrize("run", ["https://runs.example.com/7?tab=metrics", "http://h/x"])
def test_a_link_is_its_own(repo: RepoStory, run: str) -> None:
    repo.register("churn", run=run)

    found = repo.registry.resolve("churn").metadata
    assert (found.run, found.run_url, repo.notes) == (run, run, [])


def test_what_does_not_fit_into_a_tag_is_left_out(repo: RepoStory, provider: Install) -> None:
    provider("""
def resolve(run, place):
    many = {f"p{n}": n for n in range(600)}
    bad = {"a=b": 1, "two": "lines\\nRegistry: 1\\nVersion: v9.9.9", "": 1, "long": "x" * 2000, "list": [1], 5: 1}
    return Found("javascript:alert(1)", bad, {**many, "nan": float("nan")})
""")
    repo.register("churn", "v1.0.0", run="lab:7")

    found = repo.registry.resolve("churn@v1.0.0").metadata
    assert (found.run_url, found.metrics, len(found.params)) == (None, {}, ask.MOST)
    assert repo.notes == [
        "107 metrics and parameters of lab:7 do not fit into a tag, and are left out: '', 5, a=b, ..."
    ]


def test_a_run_that_became_a_version_is_marked_where_it_was_tracked(
    repo: RepoStory, provider: Install, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    provider(f"""
def resolve(run, place): return Found()
def promoted(run, version, place):
    with open({str(marks)!r}, "a") as file: print(run, version, file=file)
""")
    repo.register("churn", run="lab:7", dry_run=True)
    assert not marks.exists()

    repo.register("churn", run="lab:7").register("churn", run="lab:8")
    assert marks.read_text() == "7 churn@v0.0.1\n8 churn@v0.0.2\n"


def test_what_was_refused_marks_nothing(repo: RepoStory, provider: Install, tmp_path: Path) -> None:
    provider(f"""
def resolve(run, place): return Found()
def promoted(run, version, place): open({str(tmp_path / "marked")!r}, "w").close()
""")
    repo.write("registry.yaml", "models: {other: {path: models/churn.pkl}}\n").commit()
    assert repo.cli("register", "churn", "--run", "lab:7").code == 1
    assert not (tmp_path / "marked").exists()


def test_a_mark_that_fails_is_a_note(repo: RepoStory, provider: Install) -> None:
    provider("def resolve(run, place): return Found()\ndef promoted(run, version, place): raise OSError('read only')")
    repo.register("churn", run="lab:7")

    assert repo.notes == ["lab:7 is not marked as churn@v0.0.1: read only"]
    assert repo.tags == ["churn@v0.0.1"]


GITHUB = {"GITHUB_RUN_ID": "99", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "ana/models"}
GITLAB = {"CI_JOB_ID": "5", "CI_JOB_URL": "https://gitlab.com/ana/models/-/jobs/5", "CI_PIPELINE_URL": "https://p"}


@pytest.mark.parametrize(
    ("environment", "run", "url", "where"),
    [
        (GITHUB, "github:99", "https://github.com/ana/models/actions/runs/99", "GitHub Actions"),
        (GITLAB, "gitlab:5", "https://gitlab.com/ana/models/-/jobs/5", "GitLab"),
        ({"CI_PIPELINE_ID": "6", "CI_PIPELINE_URL": "https://g/p/6"}, "gitlab:6", "https://g/p/6", "GitLab"),
    ],
    ids=["GitHub", "GitLab", "a pipeline"],
)
def test_a_workflow_is_noticed(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], run: str, url: str, where: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0", run="").register(
        "churn", "v3.0.0", run_url="https://x"
    )
    with repo.registry_at().promote("churn", version="v4.0.0", force=True):
        pass

    found = {v.version: (v.metadata.run, v.metadata.run_url) for v in repo.registry.list_versions("churn")}
    assert found["v1.0.0"] == found["v4.0.0"] == (run, url)
    assert found["v2.0.0"] == (None, None)
    assert found["v3.0.0"] == (None, "https://x")
    assert repo.notes[0] == f"{run} is recorded as the run, from {where}; --run '' leaves it out"


@pytest.mark.parametrize(
    "environment",
    [{"GITHUB_RUN_ID": "9\nVersion: v9"}, {"CI_JOB_URL": "javascript:x"}, {"CI_JOB_URL": "https://a\nReason: b"}],
)
def test_variables_that_no_runner_sets_are_passed_over(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    repo.register("churn")

    assert (repo.registry.resolve("churn").metadata.run, repo.notes) == (None, [])


def place(repo: RepoStory, remote: str) -> Place:
    return Place(repo.registry.repository.git, remote)


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/ana/models.git", "git@github.com:ana/models.git", "ssh://git@github.com:22/ana/models",
        "https://github.com/ana/models/",
    ],
)  # fmt: skip
def test_a_run_of_github_is_linked_by_the_remote(repo: RepoStory, remote: str) -> None:
    assert github.resolve("7", place(repo, remote)) == Found("https://github.com/ana/models/actions/runs/7")
    assert github.resolve("bo/x/8", place(repo, "")) == Found("https://github.com/bo/x/actions/runs/8")


def test_a_run_of_github_elsewhere_is_recorded(repo: RepoStory) -> None:
    repo.git("remote", "add", "origin", "https://gitlab.com/ana/models.git")
    repo.register("churn", run="github:7", offline=True)

    assert repo.registry.resolve("churn").metadata.run == "github:7"
    assert repo.notes == ["github:7 is recorded as it is: the remote is not at GitHub"]


def test_a_run_of_wandb_is_linked_without_asking(repo: RepoStory) -> None:
    assert wandb.resolve("ana/churn/x1", place(repo, "")) == Found("https://wandb.ai/ana/churn/runs/x1")
    repo.register("churn", run="wandb:x1")
    assert repo.notes == ["wandb:x1 is recorded as it is: a run of Weights & Biases is wandb:ENTITY/PROJECT/RUN"]


def test_a_run_of_wandb_is_asked_where_one_is_logged_in(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wandb.py").write_text("""
class Api:
    def __init__(self, timeout): pass
    def run(self, path):
        assert path == "ana/churn/x1"
        self.summary = {"auc": 0.9, "_step": 3, "best": {"f1": 1}, "image": [1]}
        self.config = {"depth": 4, "_wandb": {}}
        return self
""")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "wandb", raising=False)
    monkeypatch.setenv("WANDB_API_KEY", "k")
    repo.register("churn", run="wandb:ana/churn/x1")

    found = repo.registry.resolve("churn").metadata
    assert (found.metrics, found.params) == ({"auc": 0.9, "best.f1": 1}, {"depth": 4})


def test_an_experiment_of_dvc_is_read_from_git_alone(repo: RepoStory) -> None:
    begun = repo.git("rev-parse", "HEAD")
    repo.write("dvc.yaml", "stages: {train: {cmd: x, params: [lr], metrics: [out/m.json: {cache: false}]}}\n")
    repo.write("out/m.json", '{"auc": 0.8}').write("params.yaml", "lr: 0.1\n").commit("An experiment")
    made = repo.git("rev-parse", "HEAD")
    repo.git("reset", "-q", "--hard", begun)
    repo.git("update-ref", f"refs/exps/{begun[:2]}/{begun[2:]}/calm-owl", made)
    repo.register("churn", "v1.0.0", run="dvc:calm-owl").register("churn", "v2.0.0", run="dvc:no-owl")

    first, second = (repo.registry.resolve(f"churn@{v}").metadata for v in ("v1.0.0", "v2.0.0"))
    assert (first.metrics, first.params) == ({"auc": 0.8}, {"lr": 0.1})
    assert (second.run, second.metrics) == ("dvc:no-owl", {})
    assert repo.notes == ["dvc:no-owl is recorded as it is: this repository has no such experiment"]


def test_an_answer_is_taken_as_far_as_it_is_one(repo: RepoStory, provider: Install) -> None:
    provider("""
def resolve(run, place):
    return Found(5, {"auc": "", "f1": 1}, {"a=b": 1}, tuple(f"{n}\\n" + "x" * 1000 for n in range(30)))
""")
    repo.register("churn", run="lab:7")

    found = repo.registry.resolve("churn").metadata
    assert (found.run_url, found.metrics, found.params) == (None, {"f1": 1}, {})
    *theirs, ours = repo.notes
    assert (len(theirs), max(map(len, theirs)) <= 201, theirs[0][:4]) == (10, True, "0 xx")
    assert ours == "2 metrics and parameters of lab:7 do not fit into a tag, and are left out: a=b, auc"


def test_what_does_not_fit_is_named(repo: RepoStory, provider: Install) -> None:
    provider("def resolve(run, place): return Found(None, {'a=b': 1})")
    repo.register("churn", run="lab:7")

    assert repo.notes == ["1 metric or parameter of lab:7 does not fit into a tag, and is left out: a=b"]


def test_what_a_provider_prints_is_no_answer_of_ours(repo: RepoStory, provider: Install) -> None:
    site = provider("def resolve(run, place):\n    print('chatter')\n    return Found()")
    done = repo.cli("register", "churn", "--run", "lab:7", "--json", env={"PYTHONPATH": str(site)})

    assert [event["tag"] for event in json.loads(done.out)["events"]] == ["churn@v0.0.1"]
    assert "chatter" in done.err


def test_while_one_is_asked_it_is_said(repo: RepoStory, provider: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    provider("""
import threading
told = threading.Event()
def resolve(run, place):
    told.wait(60)
    return Found(None, {"auc": 1})
""")
    monkeypatch.setattr(ask, "LOOK", 0.01)
    said: list[str] = []

    def hear(words: str) -> None:
        said.append(words)
        importlib.import_module("lab_runs").told.set()

    Registry(repo.path, on_progress=hear).register("churn", run="lab:7")

    assert repo.registry.resolve("churn").metadata.metrics == {"auc": 1}
    assert set(said[:-1]) == {"asking lab:7, for at most 30 seconds"}
    assert said[-1] == ""


def test_mlflow_is_not_asked_seven_times_and_nothing_of_it_stays(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    monkeypatch.delenv(name, raising=False)
    asked: list[str | None] = []

    class Client:
        def get_run(self, run: str) -> object:
            asked.append(os.environ.get(name))
            raise OSError(run)

    monkeypatch.setattr(mlflow, "_client", Client)
    for said in (None, "5"):
        if said is not None:
            monkeypatch.setenv(name, said)
        with pytest.raises(OSError, match="abc"):
            mlflow.resolve("abc", place(repo, ""))
        assert os.environ.get(name) == said
    assert asked == ["2", "5"]


@pytest.mark.parametrize("run", ["f27c05", "mlflow:", "mlflow://abc", "file:///runs/7", "7:8", "x" * 5000])
def test_a_run_that_names_no_provider_is_recorded_and_said(repo: RepoStory, run: str) -> None:
    repo.register("churn", run=run)

    assert repo.registry.resolve("churn").metadata.run == run
    shown = run if len(run) < 100 else "x" * 100 + "…"
    assert repo.notes == [f"{shown} names no provider; it is recorded as it is"]


def test_a_provider_in_capitals_is_guessed(repo: RepoStory) -> None:
    repo.register("churn", run="GITHUB:1")

    why = "nothing that is installed knows runs of GITHUB; did you mean github?"
    assert repo.notes == [f"GITHUB:1 is recorded as it is: {why}"]


@pytest.mark.parametrize("words", [("--run", "--push"), ("--run=-m",)])
def test_an_option_is_no_run(repo: RepoStory, words: tuple[str, ...]) -> None:
    done = repo.cli("register", "churn", *words)

    assert (done.code, repo.tags) == (2, [])
    assert f"not a run: '{words[-1].removeprefix('--run=')}'" in done.err
    assert "mlflow:ID" in done.err


SIGNED = "https://u:SECRET@runs.example.com/7?tab=a@b"
CLEAN = "https://runs.example.com/7?tab=a@b"


def test_a_password_in_a_url_is_not_recorded(repo: RepoStory, provider: Install) -> None:
    provider(f"def resolve(run, place): return Found({SIGNED!r})")
    note = f"{CLEAN} is recorded without the user and the password in it"
    for said, url, notes in (
        ({"run": SIGNED}, CLEAN, [note]), ({"run_url": SIGNED}, CLEAN, [note]), ({"run": "lab:7"}, CLEAN, []),
        ({"run": "lab:7", "run_url": SIGNED}, CLEAN, [note]),
    ):  # fmt: skip
        repo.notes.clear()
        repo.register("churn", **said)
        assert (repo.registry.resolve("churn").metadata.run_url, repo.notes) == (url, notes)
    repo.registry.annotate("churn@latest", run=SIGNED, run_url=SIGNED)

    assert repo.registry.resolve("churn").metadata.run == CLEAN
    assert "SECRET" not in repo.git("for-each-ref", "--format=%(contents)", "refs/tags")


def test_a_password_of_the_runner_is_not_recorded(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_JOB_URL", "https://u:SECRET@gitlab.com/x")
    repo.register("churn")

    found = repo.registry.resolve("churn").metadata
    assert (found.run, found.run_url) == ("https://gitlab.com/x", "https://gitlab.com/x")
    assert not any("SECRET" in note for note in repo.notes)


@pytest.mark.parametrize("run", ["../../1", "./x/1", "ana/../1"])
def test_a_link_does_not_climb(repo: RepoStory, run: str) -> None:
    for known in (github, wandb):
        with pytest.raises(UsageError):
            known.resolve(run, place(repo, "https://github.com/ana/models"))
    with pytest.raises(NotFound):
        github.resolve("7", place(repo, "https://github.com/../.."))
    with pytest.raises(UsageError):
        wandb.resolve("ana/churn/..", place(repo, ""))


@pytest.mark.parametrize("server", ["https://evil/?", "https://evil/x#", "https://u:p@evil", "javascript:x"])
def test_what_is_no_server_makes_no_link(repo: RepoStory, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", server)
    monkeypatch.setenv("GITHUB_REPOSITORY", "ana/models")
    monkeypatch.setenv("GITHUB_RUN_ID", "9")
    repo.register("churn")

    found = repo.registry.resolve("churn").metadata
    assert (found.run, found.run_url) == ("github:9", None)
    with pytest.raises(NotFound, match="GITHUB_SERVER_URL"):
        github.resolve("bo/x/8", place(repo, "https://github.com/ana/models"))


def test_standard_output_is_as_it_was_after_many_asked_at_once() -> None:
    before = sys.stdout
    for _ in range(20):
        with ThreadPoolExecutor(8) as together:
            answers = list(together.map(lambda n: ask._soon(lambda: n, str(n), lambda _: None), range(8)))
        assert answers == list(range(8))

    assert sys.stdout is before

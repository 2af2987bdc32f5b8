"""`show`, `resolve`, `history`, `check-ref`, `stages`: text in a pipe, and the JSON to rely on (DESIGN part 5)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from registry.plumbing.process import Git
from tests.cli.conftest import Typing
from tests.story import RepoStory

DATE = re.compile(r"2026-01-01T00:\d\d:\d\d\+00:00")
METADATA: dict[str, Any] = {
    "metrics": {}, "params": {}, "tags": {}, "labels": [], "uses": [], "artifacts": [], "deployments": {}, "run": None,
    "run_url": None, "description": None, "content": None, "other": {},
}  # fmt: skip
EVENT_KEYS = [
    "event", "artifact", "version", "stage", "commit", "tag", "date", "author", "email", "message", "reason",
    "metadata", "signed", "approves",
]  # fmt: skip


# -- show --------------------------------------------------------------------------------------------------------------


def test_a_listing_in_a_pipe_is_tabs_without_a_heading(life: RepoStory, typed: Typing) -> None:
    [churn, fraud, train] = typed.lines("show")

    assert churn[:4] == ["churn", "model", "v0.1.0", "staging=v0.0.1 production=v0.0.1"]
    assert DATE.fullmatch(churn[4])
    assert churn[5:] == ["", "Who is about to leave"]
    assert fraud[:3] == ["fraud", "model", "-"]
    assert train[:3] == ["train-set", "dataset", "v0.0.1"]


def test_a_listing_as_json(life: RepoStory, typed: Typing) -> None:
    churn, fraud, _ = typed.json("show")["artifacts"]

    assert DATE.fullmatch(churn.pop("updated_at"))
    assert churn == {
        "name": "churn", "type": "model", "latest": "v0.1.0", "stages": {"staging": "v0.0.1", "production": "v0.0.1"},
        "versions": 2, "deprecated": False, "description": "Who is about to leave", "labels": ["tabular"],
        "path": "models/churn.pkl", "declared": True,
    }  # fmt: skip
    assert list(churn["stages"]) == ["staging", "production"]
    assert (fraud["latest"], fraud["versions"], fraud["updated_at"], fraud["path"]) == (None, 0, None, None)


def test_the_versions_of_one_artifact(life: RepoStory, typed: Typing) -> None:
    newer, older = typed.lines("show", "churn")

    commit = life.git("rev-parse", "--short=7", "churn@v0.1.0^{commit}")
    assert newer[:4] == ["v0.1.0", "2", "", commit]
    assert newer[5:] == ["Ana", "", "auc=0.95 deep.f1=0.5 acc=1"]
    assert older[:3] == ["v0.0.1", "1", "production staging"]
    assert typed.lines("show", "churn@v0.1.0") == [newer]
    assert typed.lines("show", "churn#staging") == [older]


def test_the_versions_of_one_artifact_as_json(life: RepoStory, typed: Typing) -> None:
    shown = typed.json("show", "churn")

    newer, older = shown["versions"]
    assert next(iter(shown)) == "name"
    assert list(shown)[-1] == "versions"
    assert shown["stages"] == {"staging": "v0.0.1", "production": "v0.0.1"}
    assert DATE.fullmatch(older.pop("registered_at"))
    digest = older["metadata"].pop("artifacts")
    assert [(file["path"], len(file["sha256"]), file["size"]) for file in digest] == [("models/churn.pkl", 64, 4)]
    assert older == {
        "version": "v0.0.1", "number": 1, "commit": life.git("rev-parse", "churn@v0.0.1^{commit}"),
        "tag": "churn@v0.0.1", "active": True, "stages": ["production", "staging"], "registered_by": "Ana",
        "message": "First",
        "metadata": {
            **{k: v for k, v in METADATA.items() if k != "artifacts"}, "metrics": {"auc": 0.9, "deep.f1": 0.5},
            "params": {"depth": 4}, "uses": ["train-set@v0.0.1"], "description": "Who is about to leave",
        },
    }  # fmt: skip
    assert newer["metadata"]["metrics"] == {"auc": 0.95, "deep.f1": 0.5, "acc": 1}
    assert (newer["metadata"]["labels"], newer["metadata"]["run"]) == (["prod"], "mlflow:1")
    assert newer["metadata"]["content"] == {"k": [1]}


def test_versions_are_listed_by_semver_whatever_came_first(repo: RepoStory, typed: Typing) -> None:
    for version in ("v1.10.0", "v1.9.0", "v2.0.0-rc.1", "v1.0.0"):
        repo.register("churn", version)
    repo.deregister("churn@v1.9.0")

    shown = typed.json("show", "churn")

    names = ["v2.0.0-rc.1", "v1.10.0", "v1.9.0", "v1.0.0"]
    assert [v["version"] for v in shown["versions"]] == names
    assert [v["number"] for v in shown["versions"]] == [3, 1, 2, 4]
    assert [v["active"] for v in shown["versions"]] == [True, True, False, True]
    assert typed.lines("show", "churn")[2][6] == "deregistered"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--where", "metrics.auc>0.94"], ["churn"]),
        (["--where", "metrics.auc>0.95"], []),
        (["--where", "metrics.deep.f1<=0.5", "--where", "params.depth==4"], ["churn"]),
        (["--where", "metrics.acc=1"], ["churn"]),
        (["--where", "run=mlflow:1"], ["churn"]),
        (["--where", "type=dataset"], ["train-set"]),
        (["--type", "dataset"], ["train-set"]),
        (["--type", "model", "--label", "beta"], ["fraud"]),
        (["--label", "tabular"], ["churn"]),
        (["--label", "prod"], ["churn"]),  # of its latest version
        (["--label", "tabular", "--label", "beta"], []),
        (["--stage", "production"], ["churn"]),
        (["--sort", "-name"], ["train-set", "fraud", "churn"]),
        (["--sort", "updated_at"], ["train-set", "churn", "fraud"]),  # what has none comes last
        (["--sort", "-metrics.auc"], ["churn", "fraud", "train-set"]),
        (["--sort", "versions"], ["fraud", "train-set", "churn"]),
    ],
)
def test_the_listing_is_filtered_and_sorted(life: RepoStory, typed: Typing, words: list[str], names: list[str]) -> None:
    assert [artifact["name"] for artifact in typed.json("show", *words)["artifacts"]] == names


@pytest.mark.parametrize(
    ("words", "versions"),
    [
        (["--where", "metrics.auc>0.9"], ["v0.1.0"]),
        (["--where", "number=1"], ["v0.0.1"]),
        (["--where", "metrics.auc>0.9", "--stage", "production"], []),
        (["--stage", "production"], ["v0.0.1"]),
        (["--label", "prod"], ["v0.1.0"]),
        (["--label", "tabular"], ["v0.1.0", "v0.0.1"]),  # of the artifact
        (["--sort", "metrics.auc"], ["v0.0.1", "v0.1.0"]),
    ],
)
def test_versions_are_filtered_and_sorted(
    life: RepoStory, typed: Typing, words: list[str], versions: list[str]
) -> None:
    assert [v["version"] for v in typed.json("show", "churn", *words)["versions"]] == versions


def test_a_filter_that_keeps_nothing_says_so(life: RepoStory, typed: Typing) -> None:
    done = typed("show", "--where", "metrics.auc>2")

    assert (done.code, done.out, done.err) == (0, "", "no artifact is like that\n")
    assert typed("show", "churn", "--stage", "qa").err == "no version is like that\n"


def test_deprecated_artifacts_are_hidden(life: RepoStory, typed: Typing) -> None:
    typed("deprecate", "churn")

    assert [row[0] for row in typed.lines("show")] == ["fraud", "train-set"]
    [churn, *_] = typed.lines("show", "--deprecated")
    assert (churn[0], churn[5]) == ("churn", "deprecated")
    assert typed.json("show", "churn")["deprecated"] is True


@pytest.mark.parametrize(
    "words",
    [["status"], ["show", "--where", "metrics.auc>1"], ["show", "--sort", "-metrics.auc"], ["show", "--sort", "run"]],
)
def test_git_is_asked_as_often_for_thirty_models_as_for_three(
    empty: RepoStory, typed: Typing, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    runs: list[object] = []
    run = Git._run

    def counted(*given: Any) -> Any:
        runs.append(given)
        return run(*given)

    monkeypatch.setattr(Git, "_run", counted)

    def asked(models: int) -> int:
        lines = [f"  m{n}: {{path: m/{n}.pkl, metrics: m/{n}.json}}\n" for n in range(models)]
        empty.write("registry.yaml", "models:\n" + "".join(lines))
        for n in range(models):
            empty.write(f"m/{n}.pkl", f"{n}\n").write(f"m/{n}.json", f'{{"auc": {n}}}')
        empty.commit()
        for n in range(models):
            empty.tag(f"m{n}@v{models}.0.0")
        empty.train(path="m/0.pkl")
        runs.clear()
        assert typed(*words).code == 0
        return len(runs)

    assert asked(3) == asked(30)


def test_each_artifact_is_filtered_by_its_own_values(empty: RepoStory, typed: Typing) -> None:
    here = "models:\n  a: {path: a.pkl, metrics: m.json}\n  b: {path: b.pkl, metrics: m.json}\n"
    empty.write("registry.yaml", here).write("a.pkl", "a").write("b.pkl", "b").write("m.json", '{"auc": 1}').commit()
    empty.register("a", "v1.0.0")
    there = "models: {a: {path: a.pkl, metrics: m.json}}"
    empty.write("sub/registry.yaml", there).write("sub/a.pkl", "c").write("sub/m.json", '{"auc": 3}')
    empty.write("m.json", '{"auc": 2}').commit()
    empty.register("b", "v1.0.0").register("sub:a", "v1.0.0", revision="HEAD")
    empty.write("b.pkl", "changed").commit()

    assert [row[0] for row in typed.lines("show", "--sort", "-metrics.auc")] == ["sub:a", "b", "a"]
    assert [row[0] for row in typed.lines("show", "--where", "metrics.auc==2")] == ["b"]
    states = {one["name"]: one["state"] for one in typed.json("status")["artifacts"]}
    assert states == {"a": "unchanged", "b": "changed", "sub:a": "unchanged"}


def test_before_anything_there_is_a_next_step(empty: RepoStory, typed: Typing) -> None:
    done = typed("show")
    assert (done.code, done.out) == (0, "")
    assert "registry init" in done.err
    assert typed.json("show") == {"artifacts": []}

    empty.write("registry.yaml", "models: {churn: {}}").commit()
    done = typed("show", "churn")
    assert (done.code, done.out) == (0, "")
    assert "registry register churn" in done.err
    assert typed.json("show", "churn")["versions"] == []
    assert "registry register churn" in typed("history", "churn").err


# -- resolve -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "version"),
    [
        ("churn", "v2.0.0-rc.1"), ("churn@latest", "v2.0.0-rc.1"), ("churn@greatest", "v2.0.0-rc.1"),
        ("churn@stable", "v1.3.1"), ("churn@newest", "v1.2.9"), ("churn@v1.2.9", "v1.2.9"), ("churn@v1", "v1.3.1"),
        ("churn@v1.2", "v1.2.9"), ("churn@^1.2", "v1.3.1"), ("churn@~1.2.3", "v1.2.9"), ("churn@>=1.0,<2", "v1.3.1"),
        ("churn@>=2.0.0-rc.1", "v2.0.0-rc.1"), ("churn@2", "v1.3.1"), ("churn#production", "v1.2.9"),
    ],
)  # fmt: skip
def test_every_form_of_selector(repo: RepoStory, typed: Typing, selector: str, version: str) -> None:
    for each in ("v1.0.0", "v1.3.1", "v2.0.0-rc.1", "v1.2.9"):
        repo.register("churn", each)
    repo.assign("churn@v1.2.9", "production")

    assert typed.lines("resolve", selector) == [[version]]


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ("chrun", "no artifact is called chrun | did you mean churn?"),
        ("churn@v9.0.0", "churn@v9.0.0 is not there | there is v0.1.0, v0.0.1"),
        ("churn@9", "churn@9 is not there | there is v0.1.0, v0.0.1"),
        ("churn@^2", "churn@^2 is not there | there is v0.1.0, v0.0.1"),
        ("churn#prodction", "nothing of churn is in stage prodction | did you mean churn#production?"),
        ("fraud", "fraud has no versions | registry register fraud makes the first one"),
    ],
)
def test_a_selector_that_finds_nothing_says_what_there_is(
    life: RepoStory, typed: Typing, selector: str, said: str
) -> None:
    assert typed.refused("resolve", selector) == said
    assert typed.refused("resolve", selector, "--json") == said
    assert typed("lineage", selector).code == 1
    assert typed("diff", "churn", selector).code == 1


def test_a_deregistered_version_is_gone_and_the_words_say_by_whom(life: RepoStory, typed: Typing) -> None:
    life.deregister("churn@v0.1.0")

    assert typed.refused("resolve", "churn@v0.1.0").startswith("churn@v0.1.0 was deregistered by Ana on 2026-01-01")
    assert typed.lines("resolve", "churn") == [["v0.0.1"]]


@pytest.mark.parametrize(
    "selector", ["churn@1.0.0", "churn@v1.0.new", "churn@", "churn#", "a//b", "a b", "a..b", "é", ""]
)
def test_a_malformed_selector_is_wrong_usage(life: RepoStory, typed: Typing, selector: str) -> None:
    typed.refused("resolve", selector, code=2)


def test_one_field_of_what_a_selector_means(life: RepoStory, typed: Typing) -> None:
    commit = life.git("rev-parse", "churn@v0.0.1^{commit}")

    assert typed.lines("resolve", "churn#production", "--commit") == [[commit]]
    assert typed.lines("resolve", "churn#production", "--tag") == [["churn@v0.0.1"]]
    assert typed.lines("resolve", "churn#production", "--path") == [["models/churn.pkl"]]


def test_a_version_without_a_path_has_none_to_print(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", "models: {churn: {}}").commit()
    repo.register("churn")

    assert typed.refused("resolve", "churn", "--path").startswith("churn has no path")


def test_resolve_as_json(life: RepoStory, typed: Typing) -> None:
    found = typed.json("resolve", "churn@1")

    assert found["metadata"].pop("artifacts")[0]["path"] == "models/churn.pkl"
    assert found == {
        "artifact": "churn", "version": "v0.0.1", "number": 1, "commit": life.git("rev-parse", "churn@v0.0.1^{commit}"),
        "tag": "churn@v0.0.1", "stages": ["production", "staging"], "path": "models/churn.pkl", "type": "model",
        "description": "Who is about to leave",
        "metadata": {
            **{k: v for k, v in METADATA.items() if k != "artifacts"}, "metrics": {"auc": 0.9, "deep.f1": 0.5},
            "params": {"depth": 4}, "uses": ["train-set@v0.0.1"], "description": "Who is about to leave",
        },
    }  # fmt: skip


def test_metrics_that_json_cannot_spell_do_not_break_it(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", "models: {churn: {metrics: m.yaml}}").write(
        "m.yaml", "a: .nan\nb: .inf\nc: 1\n"
    ).commit()
    repo.register("churn")

    text = typed("resolve", "churn", "--json").out

    def never(name: str) -> object:
        raise AssertionError(name)

    assert json.loads(text, parse_constant=never)["metadata"]["metrics"]["c"] == 1


# -- history, check-ref, stages ----------------------------------------------------------------------------------------


def test_history_in_a_pipe(life: RepoStory, typed: Typing) -> None:
    rows = typed.lines("history")

    assert all(DATE.fullmatch(row[0]) for row in rows)
    assert [row[1:] for row in rows] == [
        ["registration", "train-set", "v0.0.1", "", "Ana", "", "train-set@v0.0.1"],
        ["registration", "churn", "v0.0.1", "", "Ana", "First", "churn@v0.0.1"],
        ["registration", "churn", "v0.1.0", "", "Ana", "", "churn@v0.1.0"],
        ["assignment", "churn", "v0.0.1", "staging", "Ana", "Looks good", "churn#staging#3"],
        ["assignment", "churn", "v0.0.1", "production", "Ana", "Go", "churn#production#4"],
    ]
    assert typed.lines("history", "--reverse") == rows[::-1]
    assert typed.lines("history", "churn") == rows[1:]
    assert [row[-1] for row in typed.lines("history", "churn@v0.1.0")] == ["churn@v0.1.0"]
    assert [row[-1] for row in typed.lines("history", "churn#staging")] == ["churn#staging#3"]


def test_history_as_json(life: RepoStory, typed: Typing) -> None:
    life.registry_at().annotate("churn", labels=["x"])
    life.unassign("churn@v0.0.1", "production").deregister("churn@v0.0.1")
    life.registry_at().deprecate("churn")

    events = typed.json("history", "churn")["events"]

    assert [event["event"] for event in events] == [
        "registration", "registration", "assignment", "assignment", "amendment", "unassignment", "deregistration",
        "deprecation",
    ]  # fmt: skip
    assert all(list(event) == EVENT_KEYS for event in events)
    assert all(DATE.fullmatch(event["date"]) for event in events)
    assert {k: v for k, v in events[3].items() if k not in {"date", "commit"}} == {
        "event": "assignment", "artifact": "churn", "version": "v0.0.1", "stage": "production",
        "tag": "churn#production#4", "author": "Ana", "email": "ana@example.com", "message": "Go\n\nnow",
        "reason": None, "metadata": METADATA, "signed": False, "approves": [],
    }  # fmt: skip
    assert typed.json("history", "churn", "--reverse")["events"] == events[::-1]


def test_history_of_what_never_was(life: RepoStory, typed: Typing) -> None:
    assert "did you mean churn?" in typed.refused("history", "chrun")
    assert "is not there" in typed.refused("history", "churn@v9.0.0")
    assert "was ever in stage qa" in typed.refused("history", "churn#qa")


def test_check_ref(life: RepoStory, typed: Typing) -> None:
    event = typed.json("check-ref", "churn#production#4")

    assert event == typed.json("history", "churn")["events"][-1]
    assert typed.json("check-ref", "refs/tags/churn#production#4") == event
    assert typed("check-ref", "churn#staging#3").out.splitlines()[:4] == [
        "event: assignment", "artifact: churn", "version: v0.0.1", "stage: staging",
    ]  # fmt: skip


@pytest.mark.parametrize("tag", ["v1.0", "churn@v9.0.0", "churn@created#1", "churn@v7.0.0", ""])
def test_a_tag_that_is_no_event(life: RepoStory, typed: Typing, tag: str) -> None:
    life.tag("churn@v7.0.0", light=True)

    typed.refused("check-ref", tag)


def test_stages(life: RepoStory, typed: Typing) -> None:
    life.git("tag", "-a", "-m", "by hand", "churn#odd#9")

    assert typed.lines("stages") == [
        ["staging", "", "churn@v0.0.1"], ["production", "after staging", "churn@v0.0.1"],
        ["odd", "not declared", "churn@v0.1.0"],
    ]  # fmt: skip
    assert typed.json("stages")["stages"][1] == {
        "stage": "production", "declared": True, "after": "staging", "exclusive": False,
        "artifacts": {"churn": "v0.0.1"},
    }  # fmt: skip


def test_without_stages(empty: RepoStory, typed: Typing) -> None:
    assert typed.json("stages") == {"stages": []}
    assert "there are no stages yet" in typed("stages").err


def test_a_stage_may_hold_a_bare_commit(repo: RepoStory, typed: Typing) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.git("tag", "-a", "-m", "by hand", "churn#production#1")

    assert typed.lines("show")[0][3] == f"production={commit[:7]}"
    assert typed.json("resolve", "churn#production")["version"] == commit
    assert typed.json("resolve", "churn#production")["tag"] is None
    assert typed.lines("resolve", "churn#production", "--commit") == [[commit]]
    assert typed.lines("history", "churn")[0][3] == commit[:7]

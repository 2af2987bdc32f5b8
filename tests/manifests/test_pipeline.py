"""Files of metrics and parameters that DVC names are found, under those that the manifest names."""

from __future__ import annotations

import pytest

from registry.manifests.outputs import dvc_outputs
from registry.manifests.pipeline import locks, named_for, unfilled
from tests.story import RepoStory

PIPELINE = """\
stages:
  prepare:
    cmd: x
    outs: [data/train.csv]
    metrics: [data/rows.json]
  train:
    cmd: x
    params:
      - lr
      - train.epochs
      - more.yaml: [a]
      - all.toml:
    outs: [models/churn.pkl: {cache: true}]
    metrics:
      - metrics/train.json: {cache: false}
  templated:
    foreach: [a, b]
    do: {cmd: x, outs: ["models/${item}"], metrics: ["${item}.json"]}
metrics: [data/rows.json, all.json, ../out.json]
params: [shared.yaml, "${x}.yaml"]
artifacts:
  note: {path: notes/model.txt}
"""


@pytest.mark.parametrize(
    ("path", "metrics", "params"),
    [
        (
            "models/churn.pkl",
            ("all.json", "metrics/train.json"),
            ("shared.yaml", "params.yaml", "more.yaml", "all.toml"),
        ),
        ("models", ("all.json", "metrics/train.json"), ("shared.yaml", "params.yaml", "more.yaml", "all.toml")),
        ("data/train.csv", ("data/rows.json", "all.json"), ("shared.yaml",)),
        ("notes/model.txt", ("all.json",), ("shared.yaml",)),
        ("other.bin", (), ()),
        ("models/a", (), ()),
    ],
)
def test_dvc_names_files_for_what_its_stages_make(path: str, metrics: tuple[str, ...], params: tuple[str, ...]) -> None:
    assert named_for(path, {"dvc.yaml": PIPELINE.encode()}) == (metrics, params)


@pytest.mark.parametrize(
    "data", [b"", b"[", b"stages: 5", b"stages: {a: {metrics: {b: c}, outs: [[x], 5, null]}}", b"\xff"]
)
def test_a_file_that_is_none_names_nothing(data: bytes) -> None:
    assert named_for("m", {"dvc.yaml": data}) == ((), ())


def test_a_lock_says_what_templates_make() -> None:
    lock = b"schema: '2.0'\nstages:\n  t@a:\n    cmd: x\n    outs: [{path: m/a.pkl, md5: x}]\n"
    pipeline = b"stages: {t: {foreach: [a], do: {wdir: sub, cmd: x, outs: ['m/${item}.pkl']}}}"

    assert dvc_outputs({"dvc.lock": lock}) == {"m/a.pkl"}
    assert dvc_outputs({"cv/dvc.lock": lock, "cv/dvc.yaml": pipeline}) == {"cv/sub/m/a.pkl"}


def project(repo: RepoStory, where: str = "") -> RepoStory:
    repo.write(".dvc/config", "").write(f"{where}dvc.yaml", PIPELINE)
    repo.write(f"{where}metrics/train.json", '{"auc": 0.9, "f1": 0.5}').write(
        f"{where}all.json", '{"auc": 0.1, "n": 3}'
    )
    repo.write(f"{where}params.yaml", "lr: 0.1\ntrain: {epochs: 5}\n")
    return repo


@pytest.mark.parametrize("where", ["", "cv/"])
def test_a_version_has_the_metrics_that_dvc_names(repo: RepoStory, where: str) -> None:
    project(repo, where).write(f"{where}models/churn.pkl", "1")
    repo.write("registry.yaml", f"models: {{churn: {{path: {where}models/churn.pkl}}}}\n").commit()
    repo.register("churn", "v1.0.0").write(f"{where}metrics/train.json", '{"auc": 0.95}').commit()
    repo.register("churn", "v2.0.0")

    first, second = (repo.registry.resolve(f"churn@{v}").metadata for v in ("v1.0.0", "v2.0.0"))
    assert (first.metrics, first.params) == ({"auc": 0.9, "f1": 0.5, "n": 3}, {"lr": 0.1, "train.epochs": 5})
    assert second.metrics == {"auc": 0.95, "n": 3}
    assert [v.metadata.metrics for v in repo.registry.list_versions("churn")] == [second.metrics, first.metrics]


def test_what_the_manifest_names_wins(repo: RepoStory) -> None:
    project(repo).write("mine.json", '{"auc": 1}')
    repo.write("registry.yaml", "models: {churn: {path: models/churn.pkl, metrics: mine.json}}\n").commit()
    repo.register("churn", "v1.0.0", params={"lr": 0.2})

    found = repo.registry.resolve("churn").metadata
    assert (found.metrics["auc"], found.metrics["f1"], found.params["lr"]) == (1, 0.5, 0.2)


def test_a_gate_sees_the_metrics_that_dvc_names(repo: RepoStory) -> None:
    project(repo)
    rules = "stages: {production: {require: {metrics: {auc: '>=0.8'}}}}\n"
    repo.write("registry.yaml", rules + "models: {churn: {path: models/churn.pkl}}\n").commit()
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")

    assert repo.registry.find("churn#production") == "v1.0.0"


def test_an_output_of_a_template_can_be_registered_by_its_lock(repo: RepoStory) -> None:
    project(repo).write("dvc.lock", "stages: {'templated@a': {outs: [{path: models/a, md5: " + "0" * 32 + "}]}}\n")
    repo.write("registry.yaml", "models: {a: {path: models/a}}\n").commit()
    repo.register("a", "v1.0.0")

    assert [file.path for file in repo.registry.resolve("a").metadata.artifacts] == ["models/a"]
    assert [one.message for one in repo.registry.check()] == [
        "'notes/model.txt' is not there",
        "DVC names '${x}.yaml' for it, and no dvc.lock says which file that is",
    ]


GRID = """\
stages:
  train:
    matrix: {r: [eu, us], n: [1]}
    cmd: x
    params: ["${item.r}.yaml:": [lr]]
    outs: ["${item.r}.pkl", "${item.r}-big.json"]
    metrics: ["${item.r}.json": {cache: false}]
  each:
    foreach: {a: 1}
    do: {wdir: sub, cmd: x, outs: ["${key}"], metrics: ["m/${key}-${item}.json"]}
  filled:
    cmd: x
    outs: ["${vars.out}/model.bin", plain.bin]
    metrics: ["${vars.out}/model.json", plain.json]
  late:
    foreach: [x]
    do: {cmd: x, outs: ["late/${item}.bin"], metrics: ["late/${item}.json"]}
metrics: ["${vars.all}.json"]
"""
LOCK = """\
schema: '2.0'
stages:
  train@eu-1: {params: {eu.yaml: {lr: 1}}, outs: [{path: eu-big.json}, {path: eu.json}, {path: eu.pkl}]}
  train@us-1: {params: {us.yaml: {lr: 1}}, outs: [{path: us-big.json}, {path: us.json}, {path: us.pkl}]}
  each@a: {outs: [{path: a}, {path: m/a-1.json}]}
  filled: {outs: [{path: out/eu/model.bin}, {path: out/eu/model.json}, {path: plain.bin}, {path: plain.json}]}
"""


@pytest.mark.parametrize(
    ("path", "metrics", "params"),
    [
        ("eu.pkl", ("eu.json",), ("eu.yaml",)), ("us.pkl", ("us.json",), ("us.yaml",)),
        ("sub/a", ("sub/m/a-1.json",), ()), ("out/eu/model.bin", ("out/eu/model.json", "plain.json"), ()),
        ("plain.bin", ("out/eu/model.json", "plain.json"), ()), ("late/x.bin", (), ()),
    ],
)  # fmt: skip
def test_the_lock_says_what_dvc_puts_for_a_template(
    path: str, metrics: tuple[str, ...], params: tuple[str, ...]
) -> None:
    for where in ("", "cv/"):
        files = {f"{where}dvc.yaml": GRID.encode(), f"{where}dvc.lock": LOCK.encode()}
        there = tuple(tuple(where + one for one in found) for found in (metrics, params))
        assert named_for(where + path, files) == there
        assert locks(files) == [f"{where}dvc.lock"]


def test_without_a_lock_the_plain_part_is_found() -> None:
    assert named_for("plain.bin", {"dvc.yaml": GRID.encode()}) == (("plain.json",), ())
    assert named_for("eu.pkl", {"dvc.yaml": GRID.encode()}) == ((), ())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("late/x.bin", ("late/${item}.json", "${vars.all}.json")), ("eu.pkl", ("${vars.all}.json",)), ("no.bin", ()),
        ("late", ()),
    ],
)  # fmt: skip
def test_what_no_lock_fills_in_is_known(path: str, found: tuple[str, ...]) -> None:
    assert unfilled(path, {"dvc.yaml": GRID.encode(), "dvc.lock": LOCK.encode()}) == found


@pytest.mark.parametrize(
    "lock", [b"[", b"stages: 5", b"stages: {train@eu: {outs: [5, {path: [x]}], params: 7}, '@': 3}"]
)
def test_a_lock_that_is_none_fills_nothing_in(lock: bytes) -> None:
    assert named_for("eu.pkl", {"dvc.yaml": GRID.encode(), "dvc.lock": lock}) == ((), ())


def test_a_template_of_a_strangers_costs_no_time() -> None:
    many = "a".join("${x}" for _ in range(2000))
    pipeline = f"stages: {{t: {{outs: [m], metrics: ['{many}']}}}}".encode()
    lock = f"stages: {{t: {{outs: [{{path: m}}, {{path: {'a' * 10_000}b}}]}}}}".encode()

    assert named_for("m", {"dvc.yaml": pipeline, "dvc.lock": lock}) == (("a" * 10_000 + "b",), ())


def test_a_version_has_the_metrics_of_its_template(repo: RepoStory) -> None:
    repo.write(".dvc/config", "").write("dvc.yaml", GRID).write("dvc.lock", LOCK)
    repo.write("eu.json", '{"auc": 0.7}').write("us.json", '{"auc": 0.6}').write("eu.yaml", "lr: 0.1\n")
    repo.write("registry.yaml", "models: {eu: {path: eu.pkl}, us: {path: us.pkl}}\n").commit()
    begun = repo.git("rev-parse", "HEAD")
    repo.register("eu", "v1.0.0").register("us", "v1.0.0")

    eu, us = (repo.registry.resolve(name).metadata for name in ("eu", "us"))
    assert (eu.metrics, eu.params, us.metrics) == ({"auc": 0.7}, {"lr": 0.1}, {"auc": 0.6})
    repo.register("other", run=f"dvc:{begun}", undeclared=True)
    assert repo.registry.resolve("other").metadata.metrics == {"auc": 0.6}

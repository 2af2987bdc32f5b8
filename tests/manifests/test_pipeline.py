"""Files of metrics and parameters that DVC names are found, under those that the manifest names."""

from __future__ import annotations

import pytest

from registry.manifests.outputs import dvc_outputs
from registry.manifests.pipeline import named_for
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
    assert [one.message for one in repo.registry.check()] == ["'notes/model.txt' is not there"]

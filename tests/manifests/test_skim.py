"""Skimming says what reading says, or that it cannot tell."""

from __future__ import annotations

import pytest

from registry.manifests import read
from registry.manifests.skim import Skimmed, skim

PLAIN = """\
# yaml-language-server: $schema=x
stages:
  staging: {}
  production: # the last
    after: staging
models:
  churn:
    path: "models/churn.pkl"
    labels:
    - tabular
    - a: b
      stages: {no: {}}
    description: |
      stages:
        none: here
  # fraud: no
  fraud: {path: m.pkl, labels: [a, b]}
  own/x:
    stages:
      qa: {}
artifacts:
  train-set: {path: data/train.csv, type: dataset}
"""


def stages(source: bytes) -> set[str]:
    manifest = read.read({"registry.yaml": source})
    own = [one.stages for one in manifest.artifacts.values()]
    return {stage for lifecycle in [manifest.stages, *own] for stage in lifecycle or ()}


def test_the_plain_style_is_skimmed() -> None:
    assert skim("registry.yaml", PLAIN.encode()) == Skimmed(
        ("churn", "fraud", "own/x", "train-set"), ("staging", "production", "qa")
    )


@pytest.mark.parametrize(
    "text",
    [
        "models: {churn: {}}\n",
        "models:\n  'churn': {}\n",
        "models:\n  ? churn\n  : {}\n",
        "stages: {a: {}}\n",
        "models:\n  churn: &a\n    path: x\n  fraud: *a\n",
        "models:\n  <<: *x\n",
        "models:\n\tchurn: {}\n",
        "models:\n  churn: {stages: {a: {}}}\n",
        "models:\n  churn: {path:\n  x}\n",
        "a: 'b\n  c: d'\n",
        "{models: {}}\n",
        "models:\n  churn:\n    stages: {a: {}}\n",
        "a: b\n c\n",
        "--- \nmodels:\n  churn: {}\n",
        "models:\r  churn: {}\r",
        'a: "b\n  models:\n  c: d"\n',
        "models: &a\n  churn: {}\n",
        "a: {b: 'c}',\n d: e}\n",
        "a: !!str\n  b: c\n",
        "models:\n  a: {} # b: {}\n",
    ],
)
def test_what_could_mean_anything_else_is_left_to_yaml(text: str) -> None:
    assert skim("registry.yaml", text.encode()) is None


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + PLAIN,
        "",
        "# nothing\n",
        "models:\n",
        "models:\n  churn:\n",
        "models:\n    churn:\n        path: x\n    fraud:\n",
        "models:\n  a: {}\nother:\n  b: {}\nartifacts:\n  c: {}\n",
        "models:\n  a:\n    description: >-\n\n      two\n    path: x\n  b: {}\n",
        "teams:\n  x:\n  - models:\n    y: {}\n",
        "models:\n  a:\n    metadata:\n      stages:\n        no: {}\n",
    ],
)
def test_what_is_skimmed_is_what_is_read(text: str) -> None:
    skimmed = skim("registry.yaml", text.encode())

    assert skimmed is not None
    assert set(skimmed.artifacts) == set(read.read({"registry.yaml": text.encode()}).names)
    assert set(skimmed.stages) == stages(text.encode())


@pytest.mark.parametrize("path", ["artifacts.yaml", ".gto", "x/other.yaml"])
def test_of_other_tools_only_artifacts_of_dvc(path: str) -> None:
    assert skim(path, b"artifacts:\n  x: {}\n") is None
    assert skim("sub/dvc.yaml", b"stages:\n  train:\n    cmd: x\nartifacts:\n  x:\n    path: y\n") == Skimmed(("x",))


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ('["${x}.pkl"]', True), ("['a', \"b: [c]\", d]", True), ("{outs: ['${x}']}", True), ("[ 'a', [\"#\"] ]", True),
        ("['a', 'it''s']", False), ('["a\\"", "b"]', False), ("['a': b]", False), ("[\"a, 'b', c\": 1]", False),
        ("[it's, 'x']", False), ("['a',", False),
    ],
)  # fmt: skip
def test_quoted_items_of_a_list_are_skimmed(value: str, plain: bool) -> None:
    source = f"stages:\n  train:\n    outs: {value}\nartifacts:\n  x:\n    path: y\n".encode()

    assert skim("dvc.yaml", source) == (Skimmed(("x",)) if plain else None)

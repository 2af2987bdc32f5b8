"""Where an entry of a manifest says something."""

from __future__ import annotations

import pytest

from registry.core.manifest import Declaration
from registry.manifests.places import places
from registry.manifests.read import parsed

FILES = {
    "registry.yaml": b"""\
models:
  churn:
    <<: &base {path: m.pkl}
    version: v1.0.0
    assign: {prod: v1.0.0,
             qa: null}
artifacts:
  churn: {version: v2.0.0}
  data: {path: d.csv}
""",
    "cv/registry.yaml": b"models: {pool: {version: v1.0.0}}\n",
    "artifacts.yaml": b"old:\n  path: o.pkl\n",
    "dvc.yaml": b"artifacts:\n  out: {path: o}\n",
}


@pytest.mark.parametrize(
    ("name", "source", "keys", "found"),
    [
        ("churn", "registry.yaml", ("version",), [(4, 5), (4, 14)]),
        ("churn", "registry.yaml", ("assign", "qa"), [(6, 14), (6, 18)]),
        ("churn", "registry.yaml", ("assign", "gone"), [(5, 5), (5, 13)]),
        ("churn", "registry.yaml", ("path",), [(3, 16), (3, 22)]),
        ("churn", "registry.yaml", (), [(2, 3), (3, 5)]),
        ("data", "registry.yaml", ("version",), [(9, 3), (9, 9)]),
        ("cv:pool", "cv/registry.yaml", ("version",), [(1, 17), (1, 26)]),
        ("old", "artifacts.yaml", ("path",), [(2, 3), (2, 9)]),
        ("out", "dvc.yaml", ("path",), [(2, 9), (2, 15)]),
        ("gone", "registry.yaml", ("path",), [(1, 1), (1, 1)]),
        ("churn", "not/there/registry.yaml", ("path",), [(1, 1), (1, 1)]),
    ],
)
def test_the_key_and_the_value(name: str, source: str, keys: tuple[str, ...], found: list[tuple[int, int]]) -> None:
    nodes, _ = parsed(FILES)

    said = places(nodes, Declaration(name, source), *keys)

    assert [(place.path, place.line, place.column) for place in said] == [(source, *at) for at in found]

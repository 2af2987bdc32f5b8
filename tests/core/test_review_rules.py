"""Two manifests compared: the pure rules of `review`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.core.manifest import Declaration, Lifecycle, Manifest, Requirements, StageRule, VersionRules
from registry.core.review import ManifestChange, changes, entry, lines, not_raised, notes

CHURN = Declaration("churn", "registry.yaml", path="m.pkl", version="v1.0.0", assign={"prod": "v1.0.0"})
FRAUD = Declaration("fraud", "registry.yaml", path="f.pkl")


def manifest(*declared: Declaration, **said: object) -> Manifest:
    return Manifest(artifacts={one.name: one for one in declared}, **said)  # type: ignore[arg-type]


def rows(before: Manifest, after: Manifest) -> list[tuple[object, ...]]:
    return [(c.kind, c.artifact, c.key, c.before, c.after) for c in changes(before, after)]


def stages(*rules: StageRule) -> Lifecycle:
    return {rule.name: rule for rule in rules}


def test_nothing_changed() -> None:
    assert changes(manifest(CHURN, FRAUD), manifest(FRAUD, CHURN)) == []


@pytest.mark.parametrize(
    ("said", "row"),
    [
        ({"path": "n.pkl"}, ("path", "m.pkl", "n.pkl")),
        ({"type": "dataset"}, ("type", "model", "dataset")),
        ({"description": "D"}, ("description", None, "D")),
        ({"framework": "jax"}, ("framework", None, "jax")),
        ({"labels": ("a",)}, ("labels", None, ["a"])),
        ({"owners": ("@a/b",)}, ("owners", None, ["@a/b"])),
        ({"card": {"license": "MIT"}}, ("card", None, {"license": "MIT"})),
        ({"card": "README.md"}, ("card", None, "README.md")),
        ({"metrics": ("a.json",)}, ("metrics", None, ["a.json"])),
        ({"params": ("p.yaml",)}, ("params", None, ["p.yaml"])),
        ({"artifacts": {"env": "r.txt"}}, ("artifacts.env", None, "r.txt")),
        ({"metadata": {"any": [1]}}, ("metadata.any", None, [1])),
        ({"version": "v2.0.0"}, ("version", "v1.0.0", "v2.0.0")),
        ({"version": None}, ("version", "v1.0.0", None)),
        ({"assign": {}}, ("assign.prod", "v1.0.0", None)),
        ({"assign": {"prod": None}}, ("assign.prod", "v1.0.0", "")),
        ({"source": "dvc.yaml"}, ("manifest", "registry.yaml", "dvc.yaml")),
        ({"versions": VersionRules(signed=True)}, ("versions.signed", None, True)),
    ],
)
def test_each_key_of_an_entry(said: dict[str, object], row: tuple[object, ...]) -> None:
    found = rows(manifest(CHURN), manifest(replace(CHURN, **said)))  # type: ignore[arg-type]

    assert ("changed", "churn", *row) in found


def test_a_stage_that_shall_be_empty_is_not_one_that_nobody_manages() -> None:
    managed, not_managed = replace(CHURN, assign={"prod": None}), replace(CHURN, assign={})

    assert rows(manifest(managed), manifest(not_managed)) == [("changed", "churn", "assign.prod", "", None)]
    assert [(line.before, line.after) for line in lines(changes(manifest(managed), manifest(not_managed)))] == [
        ("nothing", "")
    ]


def test_added_and_removed_artifacts_are_told_whole() -> None:
    assert rows(manifest(CHURN), manifest(FRAUD)) == [
        ("removed", "churn", "", entry(CHURN), None),
        ("added", "fraud", "", None, entry(FRAUD)),
    ]
    assert entry(FRAUD) == {"manifest": "registry.yaml", "type": "model", "path": "f.pkl"}


def test_one_that_keeps_its_path_or_its_entry_is_renamed() -> None:
    after = manifest(replace(CHURN, name="leavers", version="v2.0.0"))
    assert rows(manifest(CHURN), after) == [
        ("renamed", "leavers", "", "churn", "leavers"),
        ("changed", "leavers", "version", "v1.0.0", "v2.0.0"),
    ]
    bare = Declaration("a", "registry.yaml", labels=("x",))
    assert rows(manifest(bare), manifest(replace(bare, name="b"))) == [("renamed", "b", "", "a", "b")]
    moved = replace(FRAUD, name="cv:fraud", source="cv/registry.yaml")
    assert rows(manifest(FRAUD), manifest(moved)) == [
        ("renamed", "cv:fraud", "", "fraud", "cv:fraud"),
        ("changed", "cv:fraud", "manifest", "registry.yaml", "cv/registry.yaml"),
    ]


def test_where_two_could_be_meant_nobody_was_renamed() -> None:
    two = [replace(FRAUD, name="a"), replace(FRAUD, name="b")]

    assert [row[0] for row in rows(manifest(FRAUD), manifest(*two))] == ["added", "added", "removed"]


def test_what_cannot_be_read_is_neither_added_nor_removed() -> None:
    broken = Manifest(broken={"registry.yaml": "1:1: no"}, files=("registry.yaml",))
    lifecycle = {"stages": stages(StageRule("prod")), "teams": {"t": ("a",)}}
    nested = Declaration("cv:pool", "cv/registry.yaml", path="p")

    assert rows(manifest(CHURN, **lifecycle), broken) == []
    assert rows(broken, manifest(CHURN, **lifecycle)) == []
    assert [row[:2] for row in rows(manifest(CHURN, nested), broken)] == [("removed", "cv:pool")]
    assert notes(broken, manifest(CHURN), [], {}) == [
        "registry.yaml cannot be read at the base: what it declared is not compared"
    ]
    assert notes(manifest(CHURN, **lifecycle), broken, [], {"churn": {"prod": "v1.0.0"}}) == []


RULE = StageRule("prod", "qa", True, ("@a",), True, 2, Requirements({"auc": ">=0.9"}, "prod", True))
SAID = {
    "after": "qa", "exclusive": True, "allow": ["@a"], "signed": True, "approvals": 2,
    "require": {"metrics": {"auc": ">=0.9"}, "no_worse_than": "prod", "card": True},
}  # fmt: skip


def test_every_rule_of_a_stage_has_a_line() -> None:
    found = rows(Manifest(stages=stages(StageRule("prod"))), Manifest(stages=stages(RULE)))

    assert found == [
        ("changed", None, "stages.prod.after", None, "qa"),
        ("changed", None, "stages.prod.exclusive", None, True),
        ("changed", None, "stages.prod.allow", None, ["@a"]),
        ("changed", None, "stages.prod.signed", None, True),
        ("changed", None, "stages.prod.approvals", None, 2),
        ("changed", None, "stages.prod.require.metrics.auc", None, ">=0.9"),
        ("changed", None, "stages.prod.require.no_worse_than", None, "prod"),
        ("changed", None, "stages.prod.require.card", None, True),
    ]


def test_stages_added_removed_and_reordered() -> None:
    a, b = StageRule("a"), StageRule("b")

    assert rows(Manifest(stages=stages(a, b)), Manifest(stages=stages(b, a))) == [
        ("changed", None, "stages", ["a", "b"], ["b", "a"])
    ]
    assert rows(Manifest(stages=stages(a)), Manifest(stages=stages(RULE, a))) == [
        ("added", None, "stages.prod", None, SAID)
    ]
    assert rows(Manifest(stages=stages(RULE, a)), Manifest(stages=stages(a))) == [
        ("removed", None, "stages.prod", SAID, None)
    ]
    own = replace(CHURN, stages=stages(a))
    assert rows(manifest(CHURN), manifest(own)) == [("added", "churn", "stages.a", None, {})]


def test_versions_and_teams() -> None:
    before = Manifest(teams={"old": ("a",), "both": ("a",)})
    after = Manifest(versions=VersionRules(True, False), teams={"both": ("a", "b"), "new": ()})

    assert rows(before, after) == [
        ("changed", None, "versions.signed", False, True),
        ("changed", None, "versions.overwrite", "allow", "forbid"),
        ("removed", None, "teams.old", ["a"], None),
        ("changed", None, "teams.both", ["a"], ["a", "b"]),
        ("added", None, "teams.new", None, []),
    ]


@pytest.mark.parametrize(
    ("after", "changed", "warned"),
    [
        (CHURN, {"churn"}, True),
        (CHURN, set(), False),
        (replace(CHURN, path="n.pkl"), set(), True),
        (replace(CHURN, version="v1.1.0"), {"churn"}, False),
        (replace(CHURN, version=None), {"churn"}, False),
    ],
)
def test_new_bytes_without_a_new_version(after: Declaration, changed: set[str], warned: bool) -> None:
    assert bool(not_raised(manifest(CHURN), manifest(after), changed)) is warned
    assert not_raised(manifest(), manifest(after), changed) == []


def noted(before: Manifest, after: Manifest, held: dict[str, dict[str, str]] | None = None) -> list[str]:
    return notes(before, after, changes(before, after), held or {})


def test_a_line_that_goes_is_no_longer_managed() -> None:
    assert noted(manifest(CHURN), manifest(replace(CHURN, version=None, assign={}))) == [
        "churn: `version` is no longer managed: v1.0.0 stays what it is",
        "churn: prod is no longer managed: what is in it stays there",
    ]
    assert noted(manifest(CHURN), manifest(), {"churn": {}}) == [
        "churn is declared no more, so what it said is no longer managed: version, assign.prod",
        "churn is declared no more; its versions and what is in its stages stay",
    ]
    assert noted(manifest(FRAUD), manifest()) == []


def test_a_new_name_has_no_versions() -> None:
    after = manifest(replace(FRAUD, name="scam"))

    assert noted(manifest(FRAUD), after) == []
    assert noted(manifest(FRAUD), after, {"fraud": {}}) == [
        "fraud is called scam now, but tags keep their names: its versions stay with the old one"
    ]


def test_a_stage_that_goes_while_something_is_in_it() -> None:
    before = Manifest(stages=stages(StageRule("a"), StageRule("b")))
    held = {f"m{n}": {"b": "v1.0.0"} for n in range(7)} | {"n": {"a": "v1.0.0"}, "gto": {"c": "f" * 40}}

    assert noted(before, Manifest(stages=stages(StageRule("a"))), held) == [
        "b is no stage any more, and still holds m0 v1.0.0, m1 v1.0.0, m2 v1.0.0, m3 v1.0.0, m4 v1.0.0 and 2 more"
    ]
    assert noted(before, Manifest(), held) == ["no stage is declared any more, so that every name of a stage goes"]
    assert noted(Manifest(), Manifest(stages=stages(StageRule("a"))), {"gto": {"c": "f" * 40}}) == [
        "every name of a stage went; now there is a",
        "c is no stage any more, and still holds gto fffffff",
    ]


def test_in_words() -> None:
    found = [
        ManifestChange("added", "m", "", None, {"path": "p", "assign": {"prod": ""}, "labels": ["é"]}),
        ManifestChange("removed", None, "stages.qa", {}, None),
    ]

    assert [(line.kind, line.key, line.before, line.after) for line in lines(found)] == [
        ("added", "path", "", "p"),
        ("added", "assign.prod", "", "nothing"),
        ("added", "labels", "", '["é"]'),
        ("removed", "stages.qa", "", ""),
    ]

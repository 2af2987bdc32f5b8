"""The lenient reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.manifest import Declaration, Manifest, Requirements, StageRule, VersionRules
from registry.manifests.read import is_manifest, located, manifest_paths, path_problem, read


def read_text(**files: str) -> Manifest:
    return read({name.replace("__", "/").replace("_", "."): text.encode() for name, text in files.items()})


@pytest.mark.parametrize(
    "path", ["registry.yaml", "cv/registry.yaml", "dvc.yaml", "a/b/dvc.yaml", "artifacts.yaml", ".gto"]
)
def test_what_is_a_manifest(path: str) -> None:
    assert is_manifest(path)


@pytest.mark.parametrize("path", ["registry.yml", "myregistry.yaml", "cv/artifacts.yaml", "cv/.gto", "dvc.lock", ""])
def test_what_is_none(path: str) -> None:
    assert not is_manifest(path)


def test_the_files_of_a_directory_in_their_order() -> None:
    assert manifest_paths("") == ("registry.yaml", "dvc.yaml", "artifacts.yaml", ".gto")
    assert manifest_paths("cv/seg") == ("cv/seg/registry.yaml", "cv/seg/dvc.yaml")


def test_everything_is_read(everything: str) -> None:
    found = read_text(registry_yaml=everything)
    assert found.stages == {
        "staging": StageRule("staging"),
        "production": StageRule(
            "production",
            after="staging",
            exclusive=True,
            allow=("@release",),
            signed=True,
            approvals=2,
            require=Requirements({"auc": ">=0.9"}, "production", True),
        ),
    }
    assert found.versions == VersionRules(signed=False, overwrite=False)
    assert found.teams == {"release": ("ana@example.com", "bo@example.com")}
    assert found.files == ("registry.yaml",)
    assert found.broken == {}
    assert found.artifacts == {
        "churn": Declaration(
            "churn",
            "registry.yaml",
            path="models/churn.pkl",
            description="Who is about to leave",
            framework="scikit-learn",
            labels=("tabular",),
            owners=("@example/growth",),
            card={
                "license": "MIT",
                "audience": ["a", "b"],
                "use_cases": ["x"],
                "limitations": ["x"],
                "trade_offs": ["x"],
                "ethics": ["x"],
            },
            metrics=("metrics/churn.json",),
            params=("params.yaml",),
            artifacts={"env": "requirements.txt"},
            metadata={"any": ["thing", None, 3]},
            version="v1.3.0",
            assign={"production": "v1.2.0", "staging": None},
            stages={"staging": StageRule("staging")},
            versions=VersionRules(overwrite=True),
        ),
        "train-set": Declaration("train-set", "registry.yaml", type="dataset", path="data/train.csv"),
    }


def test_nothing_is_an_empty_manifest() -> None:
    assert read({}) == Manifest()
    assert read({"registry.yaml": b""}) == Manifest(files=("registry.yaml",))
    assert read({"registry.yaml": b"models:\nstages:\n"}) == Manifest(files=("registry.yaml",))


def test_a_broken_file_costs_nothing_else() -> None:
    found = read_text(registry_yaml="models: [", cv__registry_yaml="models: {pool: {}}", dvc_yaml="artifacts: {m: {}}")
    assert list(found.artifacts) == ["m", "cv:pool"]
    assert list(found.broken) == ["registry.yaml"]
    assert found.broken["registry.yaml"].startswith("1:10: ")
    assert found.files == ("registry.yaml", "dvc.yaml", "cv/registry.yaml")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("{}", Declaration("m", "registry.yaml")),
        ("null", Declaration("m", "registry.yaml")),
        ("a text", Declaration("m", "registry.yaml")),
        ("{nonsense: 1, path: x}", Declaration("m", "registry.yaml", path="x")),
        ("{path: [x], description: y}", Declaration("m", "registry.yaml", description="y")),
        ("{description: 2026}", Declaration("m", "registry.yaml", description="2026")),
        ("{labels: tabular}", Declaration("m", "registry.yaml", labels=("tabular",))),
        ("{labels: [a, {b: c}, 3]}", Declaration("m", "registry.yaml", labels=("a", "3"))),
        ("{version: 1.0.0}", Declaration("m", "registry.yaml")),
        ("{assign: {a: v1.0.0, 'b c': v1.0.0, d: 3, e: null}}", None),
        ("{path: /etc/passwd}", Declaration("m", "registry.yaml", unusable=("'/etc/passwd' is absolute",))),
        ("{path: ../x}", Declaration("m", "registry.yaml", unusable=("'../x' leads out of the repository",))),
        ("{path: a/./b//c/}", Declaration("m", "registry.yaml", path="a/b/c")),
        ("{path: 's3://bucket//key/../x'}", Declaration("m", "registry.yaml", path="s3://bucket//key/../x")),
        ("{metrics: [a.json, ../b.json], params: p.yaml}", None),
        (
            "{artifacts: {env: r.txt, out: ../r.txt}}",
            Declaration(
                "m",
                "registry.yaml",
                artifacts={"env": "r.txt"},
                unusable=("'../r.txt' leads out of the repository",),
            ),
        ),
        ("{card: ../README.md}", Declaration("m", "registry.yaml")),
        ("{metadata: {x: null}}", Declaration("m", "registry.yaml", metadata={"x": None})),
        ("{metadata: 3}", Declaration("m", "registry.yaml")),
    ],
)
def test_a_wrong_value_costs_its_own_key(fields: str, expected: Declaration | None) -> None:
    found = read_text(registry_yaml=f"models: {{m: {fields}}}").artifacts["m"]
    if expected is not None:
        assert found == expected
    elif "assign" in fields:
        assert found.assign == {"a": "v1.0.0", "e": None}
    else:
        assert (found.metrics, found.params) == (("a.json",), ("p.yaml",))


def test_names_that_are_none_are_skipped() -> None:
    found = read_text(registry_yaml="models: {ok: {}, 'not ok': {}, 'a//b': {}, -x: {}, 'cv:pool': {}, 1: {}}")
    assert list(found.artifacts) == ["ok", "1"]
    assert read({"b ad/registry.yaml": b"models: {m: {}}"}).artifacts == {}


def test_nested_manifests_name_and_place_their_artifacts_by_directory() -> None:
    found = read_text(cv__registry_yaml="models: {pool: {path: ../models/pool.pt, card: README.md}}").artifacts[
        "cv:pool"
    ]
    assert (found.path, found.card, found.source) == ("models/pool.pt", "cv/README.md", "cv/registry.yaml")


def test_rules_count_in_the_root_only() -> None:
    found = read_text(cv__registry_yaml="stages: {s: {}}\nteams: {t: [x]}\nversions: {signed: true}\n")
    assert (found.stages, found.teams, found.versions) == (None, {}, VersionRules())


def test_our_file_wins_over_dvcs_and_dvcs_over_gtos() -> None:
    found = read_text(
        artifacts_yaml="a: {path: gto}\nb: {path: gto}\nc: {path: gto}\n",
        dvc_yaml="artifacts: {a: {path: dvc}, b: {path: dvc}}",
        registry_yaml="artifacts: {a: {path: second}}\nmodels: {a: {path: ours}}\n",
    )
    assert {name: one.path for name, one in found.artifacts.items()} == {"a": "ours", "b": "dvc", "c": "gto"}
    assert found.files == ("registry.yaml", "dvc.yaml", "artifacts.yaml")


def test_the_artifacts_of_dvc() -> None:
    found = read_text(
        cv__dvc_yaml="""\
artifacts:
  pool:
    path: models/pool.pt
    type: model
    desc: Pools from above
    labels: [cv]
    meta: {framework: torch}
  plain:
  made: {path: "${out}/x"}
"""
    ).artifacts
    assert found["cv:pool"] == Declaration(
        "cv:pool",
        "cv/dvc.yaml",
        path="cv/models/pool.pt",
        description="Pools from above",
        labels=("cv",),
        metadata={"framework": "torch"},
    )
    assert found["cv:plain"] == Declaration("cv:plain", "cv/dvc.yaml", type="artifact")
    assert found["cv:made"].path is None


def test_a_dvc_file_without_artifacts_is_no_manifest() -> None:
    assert read_text(dvc_yaml="stages: {train: {cmd: x, outs: [m]}}") == Manifest()


def test_the_artifacts_of_gto() -> None:
    found = read_text(
        artifacts_yaml="""\
rf:
  type: model
  path: models/rf.pkl
  virtual: false
  labels: [x]
  description: A forest
  custom: {a: 1}
other:
  custom: [1]
"""
    ).artifacts
    assert found["rf"] == Declaration(
        "rf", "artifacts.yaml", path="models/rf.pkl", description="A forest", labels=("x",), metadata={"a": 1}
    )
    assert found["other"] == Declaration("other", "artifacts.yaml", type="artifact", metadata={"custom": [1]})


@pytest.mark.parametrize(
    ("ours", "stages"),
    [("models: {}", ["dev", "prod"]), ("stages: {s: {}}", ["s"]), ("stages:", ["dev", "prod"])],
)
def test_the_stages_of_gto_count_where_we_have_none(ours: str, stages: list[str]) -> None:
    found = read({"registry.yaml": ours.encode(), ".gto": b"types: [model]\nstages: [dev, prod, 'not ok']\n"})
    assert list(found.stages or {}) == stages
    assert ".gto" in found.files


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("null", StageRule("s")),
        ("3", StageRule("s")),
        ("{signed: yes}", StageRule("s", signed=True)),  # who writes YAML 1.1 has asked for it all the same
        ("{signed: maybe}", StageRule("s")),
        ("{allow: ana@example.com}", StageRule("s", allow=("ana@example.com",))),
        ("{approvals: -1}", StageRule("s")),
        ("{approvals: true}", StageRule("s")),
        ("{require: {metrics: {auc: 0.9, f1: [x]}}}", StageRule("s", require=Requirements({"auc": "0.9"}))),
        ("{require: {metrics: {auc: nonsense}}}", StageRule("s", require=Requirements({"auc": "nonsense"}))),
        ("{after: not there}", StageRule("s", after="not there")),
    ],
)
def test_a_rule_that_cannot_be_met_is_kept(rules: str, expected: StageRule) -> None:
    assert read_text(registry_yaml=f"stages: {{s: {rules}}}").stages == {"s": expected}


@pytest.mark.parametrize(
    ("general", "own", "expected"),
    [
        ("{}", "{}", VersionRules()),
        ("{overwrite: allow}", "{}", VersionRules(overwrite=True)),
        ("{overwrite: forbid}", "{signed: true}", VersionRules(signed=True, overwrite=False)),
        ("{overwrite: forbid, signed: true}", "{overwrite: allow}", VersionRules(signed=True, overwrite=True)),
        ("{overwrite: forbidden}", "null", VersionRules(overwrite=False)),  # not understood, so not allowed
    ],
)
def test_rules_for_versions_of_ones_own_overlay_the_general_ones(
    general: str, own: str, expected: VersionRules
) -> None:
    found = read_text(registry_yaml=f"versions: {general}\nmodels: {{m: {{versions: {own}}}}}")
    assert found.version_rules("m") == expected


@pytest.mark.parametrize(
    ("directory", "path", "found"),
    [
        ("", "a", "a"),
        ("cv", "a", "cv/a"),
        ("cv", "../a", "a"),
        ("cv", "..", "."),
        ("", ".", "."),
        ("", "..a/..b", "..a/..b"),
        ("cv", "hf://x/y", "hf://x/y"),
        ("", "x:y", "x:y"),
    ],
)
def test_paths_are_counted_from_the_root(directory: str, path: str, found: str) -> None:
    assert located(directory, path) == found


@pytest.mark.parametrize(
    ("directory", "path", "problem"),
    [
        ("", "/a", "is absolute"),
        ("", "~/a", "is absolute"),
        ("", "C:\\a", "is absolute"),
        ("", "c:/a", "is absolute"),
        ("", "\\\\host\\a", "is absolute"),
        ("", "..", "leads out of the repository"),
        ("cv", "../../a", "leads out of the repository"),
        ("", "a/../../b", "leads out of the repository"),
        ("", "..\\a", "leads out of the repository"),
        ("", "a\\..\\..\\b", "leads out of the repository"),
        ("", "../x://y", "leads out of the repository"),
        ("", ".git/config", "lies inside of .git"),
        ("", "sub/.GIT", "lies inside of .git"),
        ("", "", "is not a path"),
        ("", "a\0b", "is not a path"),
        ("", "a\nb", "is not a path"),
    ],
)
def test_paths_that_leave_the_repository(directory: str, path: str, problem: str) -> None:
    assert path_problem(directory, path) == problem
    assert located(directory, path) is None


@given(
    st.dictionaries(
        st.sampled_from(["registry.yaml", "x/registry.yaml", "dvc.yaml", "artifacts.yaml", ".gto"]), st.binary()
    )
)
def test_reading_never_raises(files: dict[str, bytes]) -> None:
    found = read(files)
    assert set(found.broken) <= set(found.files) <= set(files)


_word = st.sampled_from(
    ["models", "artifacts", "stages", "m", "path", "require", "allow", "assign", "v1.0.0", "true", "3"]
)


@given(
    st.recursive(
        _word, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_word, inner, max_size=4), max_leaves=20
    )
)
def test_reading_any_structure_never_raises(tree: object) -> None:
    text = repr(tree).encode()  # Python's lists, dictionaries and texts are YAML too
    found = read(dict.fromkeys(("registry.yaml", "dvc.yaml", "artifacts.yaml", ".gto"), text))
    said = isinstance(tree, dict) or tree is None
    assert found.broken == ({} if said else {"registry.yaml": "1:1: not a mapping"})


@pytest.mark.parametrize("text", ["lax.yaml", "[]", "- a", "42", "false"])
def test_a_manifest_of_ours_that_is_no_mapping_hides_its_rules(text: str) -> None:
    assert read({"registry.yaml": text.encode()}).broken == {"registry.yaml": "1:1: not a mapping"}
    assert read({"registry.yaml": b"# nothing yet\n"}).broken == {}


def test_a_file_with_a_duplicate_key_says_nothing() -> None:
    found = read({"registry.yaml": b"models: {a: {}}\nteams: {}\nteams: {}\n"})
    assert found.artifacts == {}
    assert found.broken == {"registry.yaml": "3:1: duplicate key `teams`"}

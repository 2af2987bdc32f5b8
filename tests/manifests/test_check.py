"""All problems of a work tree's manifests at once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.manifests.check import Problem, check
from registry.manifests.edit import NEW_MANIFEST


def problems_of(root: Path, **files: str) -> list[Problem]:
    named = {name.replace("__", "/").replace("_", "."): text.encode() for name, text in files.items()}
    return check(root, named)


def lines(problems: list[Problem]) -> list[str]:
    return [f"{p.path}:{p.line}:{p.column}: {p.severity}: {p.message}" for p in problems]


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")


def test_a_good_manifest_has_no_problem(tmp_path: Path, everything: str) -> None:
    touch(tmp_path, "models/churn.pkl", "metrics/churn.json", "params.yaml", "requirements.txt", "data/train.csv")
    # Its lifecycle of its own has no production, so that is not assigned there.
    text = everything.replace("production: v1.2.0, ", "")
    assert check(tmp_path, {"registry.yaml": text.encode()}, lambda _: {"v1.2.0"}) == []
    assert problems_of(tmp_path, registry_yaml=NEW_MANIFEST) == []
    assert check(tmp_path, {}) == []


def test_every_file_is_judged_and_the_problems_are_sorted(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        registry_yaml="modles: {}\nmodels: {m: {pth: x}}\n",
        cv__registry_yaml="models: [",
        dvc_yaml="artifacts: {'n n': {}}\n",
        _gto="stages: [",
    )
    assert lines(found) == [
        ".gto:1:10: error: did not find expected node content",
        "cv/registry.yaml:1:10: error: did not find expected node content",
        "dvc.yaml:1:13: error: not a name for an artifact: 'n n'",
        "registry.yaml:1:1: error: unknown key `modles`",
        "registry.yaml:2:14: error: unknown key `pth`",
    ]
    assert found[3].hint == "did you mean `models`?"


def test_a_duplicate_key_hides_nothing_else(tmp_path: Path) -> None:
    text = "models:\n  churn: {pth: x}\n  churn: {}\n  'n n': {}\nmodles: {}\nstages: {a: {after: b}}\n"
    found = problems_of(tmp_path, registry_yaml=text)
    assert lines(found) == [
        "registry.yaml:2:11: error: unknown key `pth`",
        "registry.yaml:3:3: error: duplicate key `churn`",
        "registry.yaml:4:3: error: not a name for an artifact: 'n n'",
        "registry.yaml:5:1: error: unknown key `modles`",
        "registry.yaml:6:21: error: `after` names an unknown stage: b",
    ]
    assert found[1].hint == "remove one of the two; the other is on line 2"


def test_a_duplicate_key_is_told_beside_what_ends_the_reading(tmp_path: Path) -> None:
    found = problems_of(tmp_path, registry_yaml="teams: {}\nteams: {}\nmodels: [")
    assert [(p.line, bool(p.hint)) for p in found] == [(2, True), (3, True)]


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        # names
        ("models:\n  con: {}", "2:3: error: con would not travel: 'con' is the name of a device on Windows", "another"),
        (f"models: {{{'a' * 250}: {{}}}}", f"1:10: error: {'a' * 250} would not travel: a part of", "another"),
        (
            "models: {Churn: {}, churn: {}}",
            "1:21: error: Churn (registry.yaml:1) and churn differ in case only",
            "rename",
        ),
        (
            "models: {churn: {}}\nartifacts: {churn: {}}",
            "2:13: warning: churn is declared in `models` too, which wins",
            "line 1",
        ),
        # the lifecycle
        ("stages: {a: {after: b}}", "1:21: error: `after` names an unknown stage: b", "declare it"),
        (
            "stages: {staging: {}, p: {after: stagign}}",
            "1:34: error: `after` names an unknown",
            "did you mean `staging`?",
        ),
        ("stages: {a: {after: a}}", "1:10: error: `after` goes in a circle: a after a", "remove"),
        (
            "stages: {s: {after: a}, a: {after: b}, b: {after: a}, c: {after: a}}",
            "1:25: error: `after` goes in a circle: a after b after a",
            "remove",
        ),
        (
            "stages: {a: {require: {metrics: {auc: '>0'}, no_worse_than: b}}}",
            "1:61: error: `no_worse_than` names an unknown stage: b",
            "",
        ),
        (
            "stages: {a: {require: {metrics: {auc: '==1'}, no_worse_than: a}}}",
            "1:62: error: `no_worse_than` compares nothing: no metric says which way is better",
            "more is better then",
        ),
        ("stages: {Prod: {}, prod: {}}", "1:20: error: the stages Prod and prod differ in case only", "rename"),
        ("stages: {nul: {}}", "1:10: error: the stage nul would not travel", "another name"),
        (
            "stages: {a: {allow: ['@relese']}}\nteams: {release: [x]}",
            "1:22: error: no team is called 'relese'",
            "@release",
        ),
        ("stages: {a: {allow: ['@release']}}", "1:22: error: no team is called 'release'", "declare it under `teams`"),
        ("stages: {a: {allow: []}}", "1:21: error: `allow` is empty", "remove the key"),
        ("models: {m: {stages: {a: {after: b}}}}", "1:34: error: `after` names an unknown stage: b", "declare it"),
        # assign
        (
            "stages: {prod: {}}\nmodels: {m: {assign: {prdo: null}}}",
            "2:23: error: no stage is called prdo",
            "did you mean `prod`?",
        ),
        (
            "stages: {a: {}}\nmodels: {m: {stages: {b: {}}, assign: {a: null}}}",
            "2:40: error: no stage is called a",
            "b",
        ),
        # paths
        ("models: {m: {path: /etc/passwd}}", "1:20: error: '/etc/passwd' is absolute", "relative"),
        ("models: {m: {path: ../x}}", "1:20: error: '../x' leads out of the repository", "inside"),
        ("models: {m: {path: gone.pkl}}", "1:20: error: 'gone.pkl' is not there", "add it"),
        ("models: {m: {card: gone.md}}", "1:20: error: 'gone.md' is not there", "add it"),
        ("models: {m: {card: {license: 3}}}", "1:30: error: `license` must be a text", ""),
        ("models: {m: {metrics: gone.json}}", "1:23: warning: 'gone.json' is not there", "add it"),
        ("models: {m: {params: [gone.json]}}", "1:23: warning: 'gone.json' is not there", "add it"),
        ("models: {m: {artifacts: {env: gone.txt}}}", "1:31: error: 'gone.txt' is not there", "add it"),
        ("models: {m: {artifacts: {env: /gone.txt}}}", "1:31: error: '/gone.txt' is absolute", ""),
        ("models: {m: {path: 'a\\0b'}}", "1:20: error: 'a\\\\0b' is not there", ""),
        ('models: {m: {path: "a\\0b"}}', "1:20: error: 'a\\x00b' is not a path", ""),
        (f"models: {{m: {{path: {'x' * 500}}}}}", "1:20: error: 'xxx", "add it"),
        ('models: {m: {"a\\nb": 1}}', "1:14: error: unknown key", "the keys here are"),
    ],
)
def test_one_problem(tmp_path: Path, text: str, problem: str, hint: str) -> None:
    [found] = problems_of(tmp_path, registry_yaml=text)
    assert lines([found])[0].startswith(f"registry.yaml:{problem}")
    assert hint in found.hint
    assert "\n" not in found.message + found.hint


def test_owners_and_teams_of_a_forge_are_free_text(tmp_path: Path) -> None:
    text = "stages: {a: {allow: ['@org/team', ana@example.com]}}\nmodels: {m: {owners: ['@nobody', '@org/x']}}\n"
    assert problems_of(tmp_path, registry_yaml=text) == []


def test_teams_of_the_root_count_for_a_models_own_stages_in_any_directory(tmp_path: Path) -> None:
    nested = "models: {m: {stages: {a: {allow: ['@release']}}}}"
    assert problems_of(tmp_path, registry_yaml="teams: {release: [x]}", cv__registry_yaml=nested) == []


def test_rules_outside_of_the_root_do_not_count(tmp_path: Path) -> None:
    found = problems_of(tmp_path, cv__registry_yaml="stages: {a: {}}\nversions: {}\nteams: {}\nmodels: {}\n")
    assert [p.line for p in found] == [1, 2, 3]
    assert all(p.severity == "warning" and "counts in the root's registry.yaml only" in p.message for p in found)


@pytest.mark.parametrize(
    ("registered", "messages"),
    [
        (set(), ["m v1.2.0 is neither registered nor its `version`"]),
        ({"v1.2.0"}, []),
        ({"v1.2.1"}, ["m v1.2.0 is neither registered nor its `version`"]),
    ],
)
def test_what_is_assigned_exists(tmp_path: Path, registered: Collection[str], messages: list[str]) -> None:
    text = b"models: {m: {version: v2.0.0, assign: {prod: v1.2.0, staging: v2.0.0, dev: null}}}"
    found = check(tmp_path, {"registry.yaml": text}, lambda _: registered)
    assert [p.message for p in found] == messages
    assert check(tmp_path, {"registry.yaml": text}) == []


def test_of_two_files_the_one_that_loses_is_told(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        registry_yaml="models: {a: {}}",
        dvc_yaml="artifacts:\n  a: {}\n  b: {}\n",
        artifacts_yaml="b: {}\nc: {}\n",
    )
    assert lines(found) == [
        "artifacts.yaml:1:1: warning: b is declared in dvc.yaml too, which wins",
        "dvc.yaml:2:3: warning: a is declared in registry.yaml too, which wins",
    ]


def test_the_same_name_in_two_directories_is_two_names(tmp_path: Path) -> None:
    assert problems_of(tmp_path, registry_yaml="models: {m: {}}", cv__registry_yaml="models: {m: {}}") == []


def test_a_directory_that_cannot_stand_in_a_name(tmp_path: Path) -> None:
    [found] = check(tmp_path, {"my models/registry.yaml": b"models: {m: {}}"})
    assert "the directory 'my models' cannot stand in the name of an artifact" in found.message


def test_registry_yml_is_not_read(tmp_path: Path) -> None:
    touch(tmp_path, "registry.yml")
    [found] = check(tmp_path, {})
    assert lines([found]) == ["registry.yml:1:1: warning: registry.yml is not read"]
    assert found.hint == "rename it to registry.yaml"


def test_a_missing_file_gets_the_name_of_its_neighbour(tmp_path: Path) -> None:
    touch(tmp_path, "models/churn.pkl", "cv/data.csv")
    [found] = problems_of(tmp_path, registry_yaml="models: {m: {path: model/churn.pkl}}")
    assert found.hint == "did you mean models/churn.pkl?"
    [found] = problems_of(tmp_path, cv__registry_yaml="models: {m: {path: ../models/chrun.pkl}}")
    assert found.hint == "did you mean ../models/churn.pkl?"


def test_files_directories_and_urls_are_fine(tmp_path: Path) -> None:
    touch(tmp_path, "big/a.bin", "cv/m.pt")
    text = "models: {a: {path: big}, b: {path: 's3://x/y'}, c: {path: .}, d: {card: 'https://x/y'}}"
    assert problems_of(tmp_path, registry_yaml=text, cv__registry_yaml="models: {m: {path: m.pt}}") == []


def test_a_card_that_is_a_directory(tmp_path: Path) -> None:
    touch(tmp_path, "docs/a.md")
    [found] = problems_of(tmp_path, registry_yaml="models: {a: {card: docs}}")
    assert (found.message, found.hint) == ("'docs' is a directory", "`card` takes a file")


def test_an_output_of_dvc_need_not_be_there(tmp_path: Path) -> None:
    touch(tmp_path, "data/x")
    (tmp_path / "data" / "train.dvc").write_text("outs: [{path: train.csv}]")
    (tmp_path / "data" / "dvc.yaml").write_text("stages: {a: {outs: [made.bin]}}")
    found = problems_of(
        tmp_path,
        registry_yaml="artifacts: {a: {path: data/train.csv}, b: {path: data/made.bin}, c: {path: out/dir/part.bin}}",
        sub__dvc_yaml="stages: {t: {wdir: .., outs: [out/dir]}}",
    )
    assert found == []


def test_a_link_that_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(tmp_path, "secret", "root/inside")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to("..")
    (root / "in").symlink_to("inside")
    (root / "annex").symlink_to(".git/annex/objects/x")  # git-annex: there, but not fetched
    (root / "round").symlink_to("round")
    (root / "cached.bin").symlink_to(tmp_path / "cache" / "x")
    (root / "cached.bin.dvc").write_text("outs: [{path: cached.bin}]")
    names = ("out", "up/secret", "in", "annex", "round", "cached.bin")
    text = "models:\n" + "".join(f"  m{i}: {{path: {name}}}\n" for i, name in enumerate(names))
    assert lines(problems_of(root, registry_yaml=text)) == [
        "registry.yaml:2:14: error: 'out' leads out of the repository through a link",
        "registry.yaml:3:14: error: 'up/secret' leads out of the repository through a link",
        "registry.yaml:4:14: error: 'in' is a link, and a version carries files",
        "registry.yaml:6:14: error: 'round' is a link, and a version carries files",
    ]


def test_a_link_inside_is_not_what_it_leads_to(tmp_path: Path) -> None:
    touch(tmp_path, "models/v3.onnx", "models/card.md", "auc.json", "far.csv.dvc")
    for place, target in {
        "latest.onnx": "models/v3.onnx", "mdir": "models", "gone": "nowhere", "cv": "models",
        "README.md": "models/card.md", "m.json": "auc.json", "far.csv": ".dvc/cache/x",
    }.items():  # fmt: skip
        (tmp_path / place).symlink_to(target)
    (tmp_path / "far.csv.dvc").write_text("outs: [{path: far.csv}]")
    text = (
        "models:\n  a: {path: latest.onnx, card: README.md, metrics: m.json}\n"
        "  b: {path: mdir/v3.onnx, artifacts: {x: mdir}}\n  c: {path: gone}\n  d: {path: far.csv}\n"
    )
    found = problems_of(tmp_path, registry_yaml=text)
    assert [(p.severity, p.message, p.hint) for p in found] == [
        ("error", "'latest.onnx' is a link, and a version carries files", "name models/v3.onnx instead"),
        ("warning", "'README.md' is a link, and what it leads to is not read", "name models/card.md instead"),
        ("warning", "'m.json' is a link, and what it leads to is not read", "name auc.json instead"),
        ("error", "'mdir/v3.onnx' is a link, and a version carries files", "name models/v3.onnx instead"),
        ("error", "'mdir' is a link, and a version carries files", "name models instead"),
        ("error", "'gone' is a link, and a version carries files", "put the file itself there"),
    ]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "nothing is pulled from 'file:///etc/passwd'"),
        ("ssh://x/y", "nothing is pulled from 'ssh://x/y'"),
        ("https://x/", "'https://x/' names no file"),
        ("s3://", "'s3://' names no file"),
        ("hf://bert", "'hf://bert' names no repository"),
    ],
)
def test_a_url_that_nothing_is_pulled_from(tmp_path: Path, url: str, message: str) -> None:
    found = problems_of(tmp_path, registry_yaml=f"models: {{a: {{path: '{url}', artifacts: {{b: '{url}'}}}}}}")
    assert [(p.severity, p.message) for p in found] == [("warning", message)] * 2


def test_urls_that_are_pulled(tmp_path: Path) -> None:
    text = "models: {a: {path: 's3://b/x', artifacts: {b: 'https://x/y?z', c: 'hf://a/b'}}}"
    assert problems_of(tmp_path, registry_yaml=text) == []


def test_a_file_of_dvc_is_not_what_it_describes(tmp_path: Path) -> None:
    touch(tmp_path, "data/data.csv.dvc", "empty.dvc")
    (tmp_path / "data/data.csv.dvc").write_text("outs: [{path: data.csv}]")
    found = problems_of(tmp_path, registry_yaml="models: {a: {path: data/data.csv.dvc}, b: {path: empty.dvc}}")
    assert [(p.severity, p.message, p.hint) for p in found] == [
        ("warning", "'data/data.csv.dvc' only describes 'data/data.csv'", "name data/data.csv instead")
    ]


def test_a_directory_that_dvc_alone_fills(tmp_path: Path) -> None:
    found = problems_of(
        tmp_path,
        registry_yaml="models: {a: {path: models}, b: {path: model}}",
        dvc_yaml="stages: {t: {cmd: x, outs: [models/churn.pkl]}}",
    )
    assert [p.message for p in found] == ["'model' is not there"]


def test_of_other_tools_files_only_what_we_take_is_judged(tmp_path: Path) -> None:
    touch(tmp_path, "m.pkl")
    dvc = "stages: {train: {cmd: x, outs: [o]}}\nartifacts: {a: {path: o, odd: 1}, b: {path: '${x}'}, c: {path: /x}}\n"
    gto = "d: {path: m.pkl, virtual: false, odd: 3}\ne: {path: gone}\n"
    assert lines(problems_of(tmp_path, dvc_yaml=dvc, artifacts_yaml=gto)) == [
        "artifacts.yaml:2:11: error: 'gone' is not there",
        "dvc.yaml:2:45: warning: '${x}' is a template, which DVC fills in",
        "dvc.yaml:2:64: error: '/x' is absolute",
    ]


def test_a_broken_root_does_not_make_stages_and_teams_unknown(tmp_path: Path) -> None:
    nested = "models: {m: {assign: {prod: null}, stages: {prod: {allow: ['@release']}}}}"
    found = problems_of(tmp_path, registry_yaml="teams: [", cv__registry_yaml=nested)
    assert [p.path for p in found] == ["registry.yaml"]


_keys = ["models", "artifacts", "stages", "teams", "path", "card", "metrics", "require", "after", "allow", "assign"]
_word = st.sampled_from([*_keys, "no_worse_than", "version", "v1.0.0", "m", "M", "@m", "..", "/", "con", "a\nb", ""])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        _word | st.none() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_word, inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_structure_is_judged_in_single_lines(tmp_path: Path, tree: object) -> None:
    text = repr(tree).replace("None", "null").replace("'", '"').encode()
    files = {"registry.yaml": text, "cv/registry.yaml": text, "dvc.yaml": text, "artifacts.yaml": text, ".gto": text}
    found = check(tmp_path, files, lambda _: ())
    assert found == sorted(found)
    assert all(p.message.isprintable() and p.hint.isprintable() for p in found)


@pytest.mark.parametrize("path", ["a/" * 400_000 + "x", "a/" * 65 + "x", "x" * 1025])
def test_a_path_that_nobody_has_is_said_at_once(tmp_path: Path, path: str) -> None:
    [found] = problems_of(tmp_path, registry_yaml=f"models: {{m: {{path: {path}, version: v1.0.0}}}}")

    assert "is longer than any path" in found.message


def test_metrics_of_a_template_without_a_lock_are_told(tmp_path: Path) -> None:
    pipeline = """\
stages:
  train:
    matrix: {r: [eu]}
    cmd: train ${item.r}
    outs: ["${item.r}.pkl"]
    metrics: ["${item.r}.json": {cache: false}]
"""
    touch(tmp_path, "eu.pkl")
    (tmp_path / "dvc.yaml").write_text(pipeline)

    [found] = check(tmp_path, {"registry.yaml": b"models: {eu: {path: eu.pkl}}\n"})

    assert found.severity == "warning"
    assert found.message == "DVC names '${item.r}.json' for it, and no dvc.lock says which file that is"

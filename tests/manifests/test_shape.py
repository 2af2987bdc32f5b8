"""The shape of the manifest, as a schema and as a check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from registry.core import names, version
from registry.manifests.conform import Fault, accepted, faults
from registry.manifests.documents import parse
from registry.manifests.shape import CONDITION, MANIFEST, NAME, STAGE, VERSION, schema


def faults_of(text: str) -> list[Fault]:
    return list(faults(MANIFEST, parse(text), "the manifest"))


def objects(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
        for value in found.values():
            yield from objects(value)
    elif isinstance(found, list):
        for value in found:
            yield from objects(value)


def test_the_manifest_of_the_design_has_no_fault(everything: str) -> None:
    assert faults_of(everything) == []


def test_what_has_no_fault_is_taken_whole(everything: str) -> None:
    taken = accepted(MANIFEST, parse(everything))
    assert isinstance(taken, dict)
    assert set(taken) == {"stages", "versions", "teams", "models", "artifacts"}
    churn: Any = taken["models"]
    assert churn["churn"]["assign"] == {"production": "v1.2.0", "staging": None}
    assert churn["churn"]["metadata"] == {"any": ["thing", None, 3]}
    assert churn["churn"]["stages"] == {"staging": {}}


def test_the_schema_describes_every_key_and_closes_every_record() -> None:
    found = schema()
    json.dumps(found)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert found["$id"]
    assert found["title"] == "registry.yaml"
    for part in objects(found):
        if "properties" in part and isinstance(part["properties"], dict) and "type" in part:
            assert part["additionalProperties"] is False
            assert all(value["description"] for value in part["properties"].values())
        if isinstance(part.get("pattern"), str):
            re.compile(part["pattern"])


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("registry.yaml"))
WRONG = ["models: {churn: {paht: x}}", "models: {churn: {version: '1.2'}}", "stages: [staging]", "model: {}"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.parent.name))
def test_any_validator_of_draft_7_takes_the_examples(file: Path) -> None:
    Draft7Validator.check_schema(schema())
    Draft7Validator(schema()).validate(YAML(typ="safe").load(file))


@pytest.mark.parametrize("text", WRONG)
def test_any_validator_of_draft_7_refuses_what_check_does(text: str) -> None:
    assert not Draft7Validator(schema()).is_valid(YAML(typ="safe").load(text))


def test_the_schema_names_the_keys_of_the_design() -> None:
    properties: Any = schema()["properties"]
    assert list(properties) == ["stages", "versions", "teams", "models", "artifacts"]
    model = properties["models"]["additionalProperties"]["properties"]
    assert "type" not in model
    assert set(properties["artifacts"]["additionalProperties"]["properties"]) == {"type", *model}
    stage = properties["stages"]["additionalProperties"]["properties"]
    assert set(stage) == {"after", "exclusive", "allow", "signed", "approvals", "require"}
    assert properties["versions"]["properties"]["overwrite"]["enum"] == ["forbid", "allow"]


@given(st.one_of(st.text(alphabet="aZ0_-/:.\n", max_size=8), st.text(max_size=5)))
def test_names_and_stages_are_those_of_the_grammar(text: str) -> None:
    assert STAGE.fits(text) == names.is_stage(text)
    assert NAME.fits(text) == (names.is_artifact(text) and ":" not in text)


@given(
    st.one_of(
        st.from_regex(r"\Av?[0-9]{1,2}(\.[0-9]{1,2}){1,3}(-[a-z0-9.]{1,4})?(\+[a-z0-9.]{1,5})?(\.lock)?\n?\Z"),
        st.text(),
    )
)
def test_versions_are_those_of_the_grammar(text: str) -> None:
    assert VERSION.fits(text) == (version.parse(text) is not None)


@pytest.mark.parametrize("text", [">=0.9", "<1", "<= 2.5", "==1e-3", "!=-.5", ">+3."])
def test_conditions(text: str) -> None:
    assert CONDITION.fits(text)


@pytest.mark.parametrize("text", ["0.9", "=>0.9", ">=", "> x", "=0.9", ">=0.9,<1", ">=0.9\n", ""])
def test_what_is_no_condition(text: str) -> None:
    assert not CONDITION.fits(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "hint"),
    [
        ("modles: {}", 1, 1, "unknown key `modles`", "did you mean `models`?"),
        ("models: {churn: {pth: x}}", 1, 18, "unknown key `pth`", "did you mean `path`?"),
        ("models: {churn: {type: x}}", 1, 18, "unknown key `type`", ""),
        ("models:\n  churn: {zzz: x}", 2, 11, "unknown key `zzz`", "the keys here are path, description"),
        ("[]", 1, 1, "the manifest must be a mapping, not a list", ""),
        ("models: [churn]", 1, 9, "`models` must be a mapping, not a list", ""),
        ("models: {churn: models/churn.pkl}", 1, 17, "`churn` must be a mapping, not the text", "write `path: ...`"),
        ("models: {a b: {}}", 1, 10, "not a name for an artifact: 'a b'", "letters and digits"),
        ("models: {a: {path: }}", 1, 20, "`path` has no value", "remove the key"),
        ("models: {a: {description: 2}}", 1, 27, "`description` must be a text, not a number", 'write "2", in quotes'),
        ("models: {a: {labels: tabular}}", 1, 22, "`labels` must be a list", "put it into brackets: [tabular]"),
        ("models: {a: {labels: [x, 3]}}", 1, 26, "an item of `labels` must be a text, not a number", "in quotes"),
        ("models: {a: {metrics: {x: 1}}}", 1, 23, "`metrics` must be a list, not a mapping", ""),
        ("models: {a: {card: [x]}}", 1, 20, "`card` must be a text, not a list", ""),
        ("models: {a: {card: {licence: x}}}", 1, 21, "unknown key `licence`", "did you mean `license`?"),
        ("models: {a: {version: 1.0.0}}", 1, 23, "not a version: '1.0.0'", "did you mean v1.0.0?"),
        ("models: {a: {version: 1.0}}", 1, 23, "`version` must be a text, not a number", "v-prefixed SemVer"),
        ("models: {a: {assign: {prod: v1}}}", 1, 29, "not a version: 'v1'", "v-prefixed SemVer"),
        ("models: {a: {assign: {'p p': null}}}", 1, 23, "not a name for a stage: 'p p'", "a stage is"),
        ("stages: [dev, prod]", 1, 9, "`stages` must be a mapping, not a list", "write every stage as a key"),
        ("stages: {s: {signed: yes}}", 1, 22, "`signed` must be true or false, not the text 'yes'", "write true"),
        ("stages: {s: {approvals: -1}}", 1, 25, "`approvals` is negative", "0 is the least"),
        ("stages: {s: {approvals: true}}", 1, 25, "`approvals` must be a number, 0 or more", ""),
        ("stages: {s: {approvals: two}}", 1, 25, "`approvals` must be a number, 0 or more", ""),
        ("stages: {s: {allow: }}", 1, 21, "`allow` has no value", ""),
        ("stages: {s: {require: {metrics: {auc: 0.9}}}}", 1, 39, "`auc` must be a text, not a number", "such as"),
        ("stages: {s: {require: {metrics: {auc: =>1}}}}", 1, 39, "not a condition: '=>1'", "a condition is"),
        ("versions: {overwrite: forbidden}", 1, 23, "`overwrite` must be forbid or allow", "did you mean `forbid`?"),
        ("versions: {overwrite: [x]}", 1, 23, "`overwrite` must be a text, not a list", ""),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(text: str, line: int, column: int, message: str, hint: str) -> None:
    [fault] = faults_of(text)
    assert (fault.node.line, fault.node.column) == (line, column)
    assert fault.message.startswith(message)
    assert hint in fault.hint


def test_all_faults_are_reported_at_once() -> None:
    text = "stages: {s: {signed: 1, nope: 2}}\nmodels: {a: {labels: [1, 2]}, 'b!': {}}\n"
    assert len(faults_of(text)) == 5


@given(st.text(alphabet="models:stagvr{}[]\n -1", max_size=60))
def test_any_document_is_judged_and_taken(text: str) -> None:
    try:
        node = parse(text)
    except Exception:  # noqa: BLE001  (test_documents has that)
        return
    list(faults(MANIFEST, node, "the manifest"))
    accepted(MANIFEST, node)

"""Files of metrics and parameters, and the outputs of DVC."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import ManifestError
from registry.manifests.documents import JsonScalar
from registry.manifests.outputs import is_output
from registry.manifests.read import dvc_outputs, read_values


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("m.json", '{"auc": 0.91, "n": 3, "ok": true, "none": null}', {"auc": 0.91, "n": 3, "ok": True, "none": None}),
        ("m.json", '{"a": {"b": {"c": 1}}, "l": [1, {"x": 2}]}', {"a.b.c": 1, "l.0": 1, "l.1.x": 2}),
        ("m.json", '{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": "NaN", "b": "-Infinity", "c": "1e999"}),
        ("m.json", '{"a": 1, "a": 2}', {"a": 2}),
        ("m.json", "[1, [2]]", {"0": 1, "1.0": 2}),
        ("M.JSON", '{"": {"": 1}}', {".": 1}),
        ("m.json", "{}", {}),
        ("m.json", "null", {}),
        ("m.json", '{"a": {}, "b": []}', {}),
        ("m.json", '\ufeff{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ("p.yaml", "lr: 1e-3\nnet: {layers: [64, 32]}\n", {"lr": 1e-3, "net.layers.0": 64, "net.layers.1": 32}),
        ("p.yaml", "seed: .nan\n", {"seed": ".nan"}),
        ("p.yaml", "", {}),
        ("params", "a: 1", {"a": 1}),
    ],
)  # fmt: skip
def test_values_are_flattened(path: str, text: str, values: dict[str, JsonScalar]) -> None:
    found = read_values(path, text.encode())
    assert found == values
    assert list(found) == list(values)


def test_toml_is_read() -> None:
    pytest.importorskip("tomllib")
    found = read_values("p.toml", b"a = 1\nd = 2026-01-02\nx = inf\n[t]\nb = [1.5, 'x']\n")
    assert found == {"a": 1, "d": "2026-01-02", "x": "inf", "t.b.0": 1.5, "t.b.1": "x"}


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("m.json", b"{", "cannot read m.json: not JSON"),
        ("m.json", b"", "cannot read m.json: not JSON"),
        ("m.json", b"3", "cannot read m.json: it holds a single value"),
        ("m.json", b"\xff", "cannot read m.json: not a text in UTF-8"),
        ("m.json", b"[" * 100_000, "cannot read m.json: "),
        ("m.json", b"[" * 200 + b"]" * 200, "cannot read m.json: nested deeper than 100 levels"),
        ("m.json", b" " * 10_000_001, "cannot read m.json: larger than 10 MB"),
        ("p.yaml", b"a: [", "cannot read p.yaml: 1:"),
        ("p.yaml", b"just words", "cannot read p.yaml: it holds a single value"),
        ("p.toml", b"a = ", "cannot read p.toml: "),
        ("p.toml", b"a = " + b"[" * 5_000, "cannot read p.toml: "),
        ("p.toml", b"a = " + b"9" * 10_000, "cannot read p.toml: "),
    ],
)
def test_an_unreadable_file_is_the_one_error(path: str, data: bytes, words: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read_values(path, data)
    assert caught.value.message.startswith(words)
    assert "\n" not in caught.value.message


def test_an_integer_of_ten_thousand_digits_stays_a_text() -> None:
    digits = "9" * 10_000
    assert read_values("m.json", f'{{"a": {digits}}}'.encode()) == {"a": digits}


@given(
    st.sampled_from(["m.json", "m.yaml", "m.toml"]), st.binary() | st.text(alphabet='{}[]":,.1eNa =\n').map(str.encode)
)
def test_any_bytes_give_json_values_or_the_one_error(path: str, data: bytes) -> None:
    try:
        json.dumps(read_values(path, data), allow_nan=False)
    except ManifestError as error:
        assert error.message.startswith("cannot read m.")  # noqa: PT017  (the error is one of two right answers)


def test_the_outputs_of_dvc() -> None:
    files = {
        "dvc.yaml": b"""\
stages:
  train:
    cmd: python train.py
    deps: [data/in.csv]
    outs:
      - models/churn.pkl
      - models/big: {cache: false, persist: true}
      - s3://bucket/x
      - ../outside
      - /abs
      - ${dir}/x
      - 3
    metrics: [metrics.json: {cache: false}]
    plots: [plots]
  nested: {cmd: x, wdir: sub, outs: [out.bin]}
  each: {foreach: [a, b], do: {cmd: x, outs: [never]}}
  grid: {matrix: {a: [1]}, outs: [never]}
  odd: 3
metrics: [not-an-output.json]
""",
        "cv/dvc.yaml": b"stages: {a: {wdir: .., outs: [up.bin]}, b: {outs: [here.bin]}}",
        "data/train.csv.dvc": b"outs:\n- md5: x\n  path: train.csv\n- hash: md5\n",
        "imp.dvc": b"wdir: sub\nouts: [{path: imported}]\n",
        "broken/dvc.yaml": b"stages: [",
        "odd.dvc": b"- 3",
        "registry.yaml": b"stages: {x: {outs: [never]}}",
    }
    assert dvc_outputs(files) == {
        "models/churn.pkl", "models/big", "3", "metrics.json", "plots", "sub/out.bin", "up.bin", "cv/here.bin",
        "data/train.csv", "sub/imported",
    }  # fmt: skip


def test_what_lies_in_an_output_is_one() -> None:
    outputs = {"models/big", "x.pkl"}
    assert is_output("models/big", outputs)
    assert is_output("models/big/a/b.bin", outputs)
    assert not is_output("models/bigger", outputs)
    assert not is_output("models", outputs)


@given(
    st.dictionaries(
        st.sampled_from(["dvc.yaml", "a.dvc"]), st.binary() | st.text(alphabet="stageou:[]{} \n-").map(str.encode)
    )
)
def test_outputs_are_found_in_any_bytes(files: dict[str, bytes]) -> None:
    dvc_outputs(files)

"""`Model.load()` with the real packages: saved, registered, loaded, asked."""

from __future__ import annotations

from typing import Any

import pytest

from registry import Model
from registry.errors import Refused, RegistryError
from tests.story import RepoStory

INPUTS = [[0.0], [1.0], [2.0], [3.0]]
OUTPUTS = [0, 0, 1, 1]


def needs(package: str) -> Any:
    """The package, or the test is skipped."""
    return pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[ml]'")


def trained() -> Any:
    """A classifier that has learned OUTPUTS from INPUTS."""
    return needs("sklearn.linear_model").LogisticRegression().fit(INPUTS, OUTPUTS)


def registered(repo: RepoStory, path: str, **fields: str) -> Model:
    """The model in the file `path`, as a version."""
    said = "".join(f", {key}: {value}" for key, value in fields.items())
    repo.write("registry.yaml", f"models: {{churn: {{path: {path}{said}}}}}\n").commit()
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    return Model("churn", version="production")


def test_onnx(repo: RepoStory) -> None:
    onnx, numpy = needs("onnx"), needs("numpy")
    needs("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "twice",
        [helper.make_tensor_value_info("x", kind, [None])],
        [helper.make_tensor_value_info("y", kind, [None])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    repo.write("m/churn.onnx", made.SerializeToString())

    session = registered(repo, "m/churn.onnx").load()

    assert session.run(None, {"x": numpy.array([1.5], numpy.float32)})[0].tolist() == [3.0]


def test_onnx_that_is_none(repo: RepoStory) -> None:
    needs("onnxruntime")
    repo.write("m/churn.onnx", b"not a graph")

    with pytest.raises(RegistryError, match=r"churn v1.0.0 cannot be loaded as onnx"):
        registered(repo, "m/churn.onnx").load()


@pytest.mark.parametrize("path", ["m/churn.safetensors", "m/weights.bin"])
def test_safetensors(repo: RepoStory, path: str) -> None:
    numpy, safetensors = needs("numpy"), needs("safetensors.numpy")
    repo.write(path, safetensors.save({"weights": numpy.arange(3.0)}))

    assert registered(repo, path, framework="safetensors").load()["weights"].tolist() == [0.0, 1.0, 2.0]


def test_safetensors_in_a_directory_beside_other_files(repo: RepoStory) -> None:
    numpy, safetensors = needs("numpy"), needs("safetensors.numpy")
    repo.write("m/model.safetensors", safetensors.save({"weights": numpy.arange(3.0)})).write("m/config.json", "{}")

    assert list(registered(repo, "m").load()) == ["weights"]


def test_safetensors_for_torch(repo: RepoStory) -> None:
    numpy, safetensors = needs("numpy"), needs("safetensors.numpy")
    torch = needs("torch")
    repo.write("m/churn.safetensors", safetensors.save({"weights": numpy.arange(3.0)}))

    assert isinstance(registered(repo, "m/churn.safetensors", framework="pytorch").load()["weights"], torch.Tensor)


def test_skops(repo: RepoStory) -> None:
    skops = needs("skops.io")
    repo.write("m/churn.skops", skops.dumps(trained()))

    assert registered(repo, "m/churn.skops").load().predict(INPUTS).tolist() == OUTPUTS


def stranger(value: object) -> object:
    """A function that skops does not know."""
    return value


def test_skops_with_types_that_are_not_trusted(repo: RepoStory) -> None:
    skops, preprocessing = needs("skops.io"), needs("sklearn.preprocessing")
    repo.write("m/churn.skops", skops.dumps(preprocessing.FunctionTransformer(stranger)))
    model = registered(repo, "m/churn.skops")

    with pytest.raises(Refused, match=rf"does not know to be harmless: {__name__}.stranger") as raised:
        model.load()

    assert "load(trusted=[...])" in raised.value.hint
    assert model.load(trusted=[f"{__name__}.stranger"]).func is stranger


def test_joblib_when_it_is_asked_for(repo: RepoStory) -> None:
    joblib = needs("joblib")
    (repo.path / "m").mkdir()
    joblib.dump(trained(), repo.path / "m/churn.joblib")
    model = registered(repo, "m/churn.joblib")

    with pytest.raises(Refused, match="runs code of whoever made it"):
        model.load()
    assert model.load(format="joblib").predict(INPUTS).tolist() == OUTPUTS

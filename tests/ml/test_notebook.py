"""A notebook, executed by nbclient in a real kernel."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.story import RepoStory

WHY = "nbclient and ipykernel are not installed: pip install -e '.[ml]'"
nbclient = pytest.importorskip("nbclient", reason=WHY)
nbformat = pytest.importorskip("nbformat", reason=WHY)
pytest.importorskip("ipykernel", reason=WHY)

CELLS = [
    "from registry import Model, Registry\nreg = Registry('.')\nreg",
    "reg['churn']",
    "Model('churn', version='production').resolved",
    "print(reg['churn'].path().read_text())",
    "churn = reg['churn']\nip = get_ipython()\nprint(*[ip.complete(typed)[1] for typed in ('reg[\"ch', 'churn[\"')])",
    "reg['chrun']",
]


@pytest.fixture
def notebook(repo: RepoStory) -> list[Any]:
    """The outputs of CELLS, run in a repository with churn v1.0.0 in production."""
    repo.register("churn", "v1.0.0", message="<b>Go</b>", metrics={"auc": 0.93}).assign("churn@v1.0.0", "production")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    home = os.environ["HOME"]
    environment = {**repo.environment_whole(), "IPYTHONDIR": home, "JUPYTER_RUNTIME_DIR": f"{home}/runtime"}
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(cwd=os.fspath(repo.path), env=environment)
    return [output for cell in notebook.cells for output in cell.outputs]


def test_a_notebook_shows_the_registry(notebook: list[Any]) -> None:
    registry, model, version, text, completed, absent = notebook

    for output, words in ((registry, "1 artifact"), (model, "production"), (version, "auc: 0.93")):
        shown = output["data"]["text/html"]
        assert words in shown
        assert "churn" in shown
        assert "<b>" not in shown
    assert model["data"]["text/plain"] == "Model('churn', version='latest')"
    assert text["text"].strip().startswith("weights")
    assert [words for words in ("churn", "production", "v1.0.0") if words not in completed["text"]] == []
    assert "no artifact is called chrun" in absent["data"]["text/html"]

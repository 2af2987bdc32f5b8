"""What the tests of the command line stand on: a repository with a life behind it, and a way to type."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from registry import cli
from tests import shapes
from tests.story import RepoStory, Result

MANIFEST = """\
stages:
  staging: {}
  production: {after: staging}
models:
  churn:
    path: models/churn.pkl
    description: Who is about to leave
    labels: [tabular]
    metrics: metrics/churn.json
    params: params.yaml
  fraud: {labels: [beta]}
artifacts:
  train-set: {path: data/train.csv, type: dataset}
"""


class Typing:
    """The command line, typed in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, data: str = "") -> Result:
        """What `registry WORDS` answers, with `data` on standard input (which is no terminal).

        An answer in JSON has the shape that is published for its command.
        """
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.encode())))
        self._capture.readouterr()
        code = cli.run(list(words))
        said = self._capture.readouterr()
        if "--json" in words and said.out and words[0] in cli.COMMANDS and code in {0, 1}:
            shapes.check(words[0], json.loads(said.out))
        return Result(code, said.out, said.err)

    def lines(self, *words: str) -> list[list[str]]:
        """The rows of a command that succeeds."""
        done = self(*words)
        assert (done.code, done.err) == (0, "")
        return [line.split("\t") for line in done.out.splitlines()]

    def json(self, *words: str) -> Any:
        """The JSON of a command that succeeds and says nothing else."""
        done = self(*words, "--json")
        assert (done.code, done.err) == (0, ""), done
        return json.loads(done.out)

    def refused(self, *words: str, code: int = 1) -> str:
        """What a command says that has to fail: its error and its hint, on one line each; nothing goes to stdout."""
        done = self(*words)
        assert (done.code, done.out) == (code, ""), done
        error, *hint = done.err.splitlines()
        assert error.startswith("error: ")
        assert len(hint) < 2
        assert all(line.startswith("hint: ") for line in hint), done.err
        assert not error.endswith(".")
        return done.err.removeprefix("error: ").replace("\nhint: ", " | ").strip()


@pytest.fixture
def typed(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typing:
    """`typed("show")` types `registry show`."""
    return Typing(capfd, monkeypatch)


@pytest.fixture
def life(empty: RepoStory) -> RepoStory:
    """churn v0.0.1 (in production and staging) and v0.1.0 (in nothing), made from train-set v0.0.1; fraud has none."""
    empty.write("registry.yaml", MANIFEST).write("data/train.csv", "1\n").write("params.yaml", "depth: 4\n")
    empty.write("models/churn.pkl", "one\n").write("metrics/churn.json", '{"auc": 0.9, "deep": {"f1": 0.5}}').commit()
    empty.register("train-set").register("churn", message="First", uses=["train-set"])
    empty.write("models/churn.pkl", "two\n").write("metrics/churn.json", '{"auc": 0.95, "deep": {"f1": 0.5}}').commit()
    empty.register("churn", bump="minor", metrics={"acc": 1}, labels=["prod"], run="mlflow:1", content={"k": [1]})
    empty.assign("churn@v0.0.1", "staging", reason="Looks good").assign(
        "churn#staging", "production", message="Go\n\nnow"
    )
    return empty

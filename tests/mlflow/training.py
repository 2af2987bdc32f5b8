"""A real model, small enough to be trained in every test."""

from __future__ import annotations

from typing import Any

import mlflow

THREE = int(mlflow.__version__.partition(".")[0]) >= 3  # what MLflow 2 has no field or no word for
INPUTS = [[0.0], [1.0], [2.0], [3.0]]
OUTPUTS = [0, 0, 1, 1]


def trained(c: float = 1.0) -> Any:
    """A classifier that has learned OUTPUTS from INPUTS."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c).fit(INPUTS, OUTPUTS)


def logged(name: str | None = None, c: float = 1.0) -> Any:
    """A run that logs the model, and registers it where a name is given: MLflow's ModelInfo."""
    called = "name" if THREE else "artifact_path"
    with mlflow.start_run():
        mlflow.log_metric("auc", 0.93)
        mlflow.log_param("C", c)
        # Without requirements given, MLflow looks for them in a process of its own, which takes long.
        return mlflow.sklearn.log_model(
            trained(c), **{called: "model"}, registered_model_name=name, pip_requirements=[]
        )


def answers(uri: str) -> list[int]:
    """What the model at `uri` answers to INPUTS."""
    import numpy as np

    return [int(one) for one in mlflow.pyfunc.load_model(uri).predict(np.array(INPUTS))]

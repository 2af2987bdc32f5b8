"""Train a classifier as params.yaml says; its run becomes a version of the model `tumour`, in staging."""

import argparse
import json
import sys
from pathlib import Path

import joblib
from ruamel.yaml import YAML
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from registry import Registry

GOOD_ENOUGH = 0.8  # area under the curve; below that nothing is registered

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--push", action="store_true", help="publish the version")
push = parser.parse_args().push
depth = YAML(typ="safe").load(Path("params.yaml"))["depth"]

features, target = load_breast_cancer(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, target, random_state=1)

with Registry().promote("tumour", stage="staging", message="Trained by train.py", push=push) as run:
    model = DecisionTreeClassifier(max_depth=depth, random_state=1).fit(train_x, train_y)
    auc = roc_auc_score(test_y, model.predict_proba(test_x)[:, 1])
    accuracy = accuracy_score(test_y, model.predict(test_x))

    Path("models").mkdir(exist_ok=True)
    joblib.dump(model, "models/tumour.joblib")
    Path("metrics.json").write_text(json.dumps({"auc": round(auc, 4), "accuracy": round(accuracy, 4)}) + "\n")

    run.log_model("models/tumour.joblib", framework="scikit-learn")
    run.log_artifact("metrics.json")
    run.log_artifact("params.yaml")
    if auc < GOOD_ENOUGH:
        sys.exit(f"auc {auc:.4f} is not good enough")  # a block that raises registers nothing

print(run.version.tag)

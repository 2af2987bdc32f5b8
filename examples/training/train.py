"""Train a classifier; its run becomes a version of the model `tumour`."""

import argparse
from pathlib import Path

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from registry import Registry

GOOD_ENOUGH = 0.8  # area under the curve; below that nothing is registered

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--depth", type=int, default=2)
depth = parser.parse_args().depth

features, target = load_breast_cancer(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, target, random_state=1)

with Registry().promote("tumour", stage="staging", message="Trained by train.py") as run:
    model = DecisionTreeClassifier(max_depth=depth, random_state=1).fit(train_x, train_y)
    auc = roc_auc_score(test_y, model.predict_proba(test_x)[:, 1])

    Path("models").mkdir(exist_ok=True)
    joblib.dump(model, "models/tumour.joblib")

    run.log_param("depth", depth)
    run.log_metric("auc", round(auc, 4))
    run.log_model("models/tumour.joblib", framework="scikit-learn")
    if auc < GOOD_ENOUGH:
        run.cancel()

print(f"auc {auc:.4f}: {'not good enough' if auc < GOOD_ENOUGH else run.version.version}")

"""Train one small model on a data set that scikit-learn ships, and write the model and its metrics.

python train.py wine --depth 2
"""

import argparse
import json
from pathlib import Path

import joblib
from sklearn.datasets import load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

DATA = {"wine": load_wine, "digits": load_digits}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model", choices=DATA)
parser.add_argument("--trees", type=int, default=10)
parser.add_argument("--depth", type=int, default=2)
asked = parser.parse_args()

features, target = DATA[asked.model](return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(features, target, test_size=0.5, random_state=7)
model = RandomForestClassifier(n_estimators=asked.trees, max_depth=asked.depth, random_state=7)
model.fit(train_x, train_y)

found = model.predict(test_x)
metrics = {
    "accuracy": round(float(accuracy_score(test_y, found)), 4),
    "f1": round(float(f1_score(test_y, found, average="macro")), 4),
}
for directory in ("models", "metrics"):
    Path(directory).mkdir(exist_ok=True)
joblib.dump(model, f"models/{asked.model}.joblib")
Path(f"metrics/{asked.model}.json").write_text(json.dumps(metrics, indent=2) + "\n")
Path(f"metrics/{asked.model}.params.json").write_text(
    json.dumps({"trees": asked.trees, "depth": asked.depth}, indent=2) + "\n"
)
print(f"{asked.model}: accuracy {metrics['accuracy']}, f1 {metrics['f1']}")

"""The manifest of DESIGN part 4, with every key that there is."""

from __future__ import annotations

import pytest

EVERYTHING = """\
stages:
  staging: {}
  production:
    after: staging
    exclusive: true
    allow: ["@release"]
    signed: true
    approvals: 2
    require: {metrics: {auc: ">=0.9"}, no_worse_than: production, card: true}
versions: {signed: false, overwrite: forbid}
teams: {release: [ana@example.com, bo@example.com]}
models:
  churn:
    path: models/churn.pkl
    description: Who is about to leave
    framework: scikit-learn
    labels: [tabular]
    owners: ["@example/growth"]
    card: {license: MIT, audience: [a, b], use_cases: x, limitations: x, trade_offs: x, ethics: x}
    metrics: metrics/churn.json
    params: [params.yaml]
    artifacts: {env: requirements.txt}
    metadata: {any: [thing, null, 3]}
    version: v1.3.0
    assign: {production: v1.2.0, staging: null}
    stages: {staging: null}
    versions: {overwrite: allow}
artifacts:
  train-set: {path: data/train.csv, type: dataset}
"""


@pytest.fixture
def everything() -> str:
    """A manifest that uses every key."""
    return EVERYTHING

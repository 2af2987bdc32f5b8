"""What a model's card says is known of its versions, under what the manifest's files and the tags say."""

from __future__ import annotations

import pytest

from tests.story import RepoStory

CARD = """\
---
license: mit
tags: [tabular]
datasets: telco
model-index: [{results: [{metrics: [{type: auc, value: 0.9}, {type: f1, value: 0.8}]}]}]
---
# Churn
"""


@pytest.fixture
def carded(repo: RepoStory) -> RepoStory:
    """churn, with a card and a file of metrics."""
    repo.write("registry.yaml", "models:\n  churn: {path: models/churn.pkl, card: card.md, metrics: m.json}\n")
    repo.write("card.md", CARD).write("m.json", '{"auc": 0.95}').commit()
    return repo


def test_a_card_becomes_metadata(carded: RepoStory) -> None:
    known = carded.register("churn").registry.resolve("churn").metadata

    assert known.tags == {"license": "mit", "datasets": "telco"}
    assert known.metrics == {"auc": 0.95, "f1": 0.8}
    assert known.labels == ("tabular",)
    assert carded.registry.show(where=["tags.license==mit"])[0].name == "churn"


def test_what_the_tags_say_wins(carded: RepoStory) -> None:
    carded.register("churn", metrics={"f1": 0.5}, tags={"license": "gpl", "team": "growth"}, labels=["prod"])
    carded.registry_at().annotate("churn@latest", tags={"datasets": ""})

    known = carded.registry.resolve("churn").metadata

    assert known.tags == {"license": "gpl", "team": "growth"}
    assert known.metrics == {"auc": 0.95, "f1": 0.5}
    assert known.labels == ("prod",)


def test_a_broken_card_costs_itself_alone(carded: RepoStory) -> None:
    carded.write("card.md", "---\nlicense: [\n---\n").commit()
    carded.register("churn").write("card.md", CARD).commit()
    carded.register("churn").train()
    carded.git("rm", "-q", "card.md")
    carded.commit()
    carded.register("churn")

    found = carded.registry.list_versions("churn")

    assert [v.metadata.tags.get("license") for v in found] == [None, "mit", None]
    assert [v.metadata.metrics["auc"] for v in found] == [0.95] * 3


def test_a_card_in_the_manifest_has_a_license_too(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {path: models/churn.pkl, card: {license: mit}}}\n").commit()

    assert repo.register("churn").registry.resolve("churn").metadata.tags == {"license": "mit"}


def test_a_gate_goes_by_files_and_tags_alone(carded: RepoStory) -> None:
    carded.write(
        "registry.yaml",
        "stages: {production: {require: {metrics: {f1: '>=0.7'}}}}\n"
        "models:\n  churn: {path: models/churn.pkl, card: card.md}\n",
    ).commit()
    carded.register("churn")

    with pytest.raises(Exception, match="f1"):
        carded.registry_at().assign("churn", "production")

"""The life of a model, told as its users would."""

from __future__ import annotations

from tests.story import RepoStory


def test_a_slow_clock_does_not_undo_a_promotion(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0")
    repo.at("2026-01-02").assign("churn@v1.0.0", "production")
    repo.at("2026-01-01").assign("churn@v2.0.0", "production")  # this machine's clock is a day behind

    assert repo.resolve("churn#production") == "v2.0.0"


def test_what_is_in_staging_is_promoted_and_rolled_back(repo: RepoStory) -> None:
    repo.register("churn").assign("churn", "production")
    repo.register("churn", bump="minor").assign("churn", "staging")
    repo.assign("churn#staging", "production", reason="Approved")

    assert repo.resolve("churn#production") == "v0.1.0"
    repo.registry_at().rollback("churn", "production")
    assert repo.resolve("churn#production") == "v0.0.1"
    repo.registry_at().rollback("churn", "production")
    assert repo.resolve("churn#production") == "v0.1.0"

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


def test_rollback_goes_to_what_the_stage_resolved_to_last(repo: RepoStory) -> None:
    for version in ("v1.0.0", "v2.0.0", "v3.0.0"):
        repo.register("churn", version).assign(f"churn@{version}", "production")
    repo.unassign("churn@v3.0.0", "production").unassign("churn@v2.0.0", "production")
    assert repo.resolve("churn#production") == "v1.0.0"  # uncovered, after v2.0.0 was

    repo.registry_at().rollback("churn", "production")

    assert repo.resolve("churn#production") == "v2.0.0"


def test_an_exclusive_stage_rolls_back_to_its_last_holder(repo: RepoStory) -> None:
    for version in ("v1.0.0", "v2.0.0", "v3.0.0"):
        repo.register("churn", version)
    repo.assign("churn@v1.0.0", "production").assign("churn@v2.0.0", "production")
    repo.write("registry.yaml", "stages: {production: {exclusive: true}}\nmodels: {churn: {}}\n").commit("Exclusive")
    repo.assign("churn@v3.0.0", "production")

    repo.registry_at().rollback("churn", "production")

    assert repo.resolve("churn#production") == "v2.0.0"
    assert repo.registry.resolve("churn@v3.0.0").stages == ()

"""examples/minimal: one model, no rules."""

from __future__ import annotations

from tests.examples.conftest import Follow


def test_a_version_a_stage_and_the_way_back(follow: Follow) -> None:
    repo = follow("minimal")

    assert repo.tags == [
        "churn#production#2",
        "churn#production#4",
        "churn#production#5",
        "churn@v0.0.1",
        "churn@v0.1.0",
    ]
    assert (repo.resolve("churn"), repo.resolve("churn#production")) == ("v0.1.0", "v0.0.1")
    assert repo.git("status", "--porcelain") == ""
    assert repo.registry.doctor().sound

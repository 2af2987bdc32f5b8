"""examples/promotion: branch, review, merge, apply, and the revert that rolls back."""

from __future__ import annotations

from tests.examples.conftest import Follow
from tests.story import RepoStory


def _published(repo: RepoStory) -> list[str]:
    said = repo.git("ls-remote", "--refs", "--tags", "origin")
    return sorted(line.partition("refs/tags/")[2] for line in said.splitlines())


def test_all_that_was_merged_is_published_and_the_revert_rolled_back(follow: Follow) -> None:
    repo = follow("promotion")

    assert _published(repo) == repo.tags
    assert [event.version for event in repo.registry.history("churn") if event.tag.startswith("churn@")] == [
        "v1.0.0",
        "v1.1.0",
    ]
    assert (repo.resolve("churn#staging"), repo.resolve("churn#production")) == ("v1.0.0", "v1.0.0")
    assert repo.cli("apply", "--push").out == ""
    assert repo.cli("plan", "--exit-code").code == 0


def test_the_review_stops_what_the_gates_refuse_and_so_does_apply(follow: Follow) -> None:
    repo = follow("promotion")
    repo.git("switch", "-q", "worse")
    before = _published(repo)

    reviewed = repo.cli("review", "HEAD~1")
    repo.git("push", "-q", "--force", "origin", "worse:main")
    applied = repo.cli("apply", "--push")

    assert (reviewed.code, applied.code) == (1, 1)
    assert "may not enter production: auc is 0.85" in reviewed.out
    assert "may not enter production: auc is 0.85" in applied.err
    assert _published(repo) == before


def test_a_promotion_without_a_card_is_refused(follow: Follow) -> None:
    repo = follow("promotion")
    repo.git("switch", "-q", "-c", "bare")
    wanted = (repo.path / "registry.yaml").read_text().replace("    card: CARD.md\n", "").replace("v1.0.0", "v2.0.0")
    repo.write("registry.yaml", wanted).commit("Release v2.0.0 without a card")

    reviewed = repo.cli("review", "main")

    assert reviewed.code == 1
    assert "it has no model card" in reviewed.out

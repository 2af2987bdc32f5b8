"""A repository with a policy, and people with keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.story import RepoStory
from tests.trust.story import POLICY, Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Everybody's keys."""
    return Keys(tmp_path / "keys")


@pytest.fixture
def guarded(empty: RepoStory, keys: Keys) -> RepoStory:
    """A model whose production stage is signed, approved and for the team `release` alone; Ana writes, Bo approves.

    Ana, Bo and Cy have a key that is listed, Mallory has one that is not; Ana and Bo are the team.
    """
    empty.write("registry.yaml", POLICY).write("models/churn.pkl", "weights 1\n")
    empty.write(".registry/allowed_signers", keys.allowed("ana", "bo", "cy"))
    keys.become(empty, "ana").commit("Declare churn")
    return empty


def promoted(story: RepoStory, keys: Keys, version: str = "v1.0.0") -> RepoStory:
    """A version that went the right way to production."""
    keys.become(story, "ana").register("churn", version)
    story.assign(f"churn@{version}", "staging")
    keys.become(story, "bo").registry_at().approve(f"churn@{version}", "production")
    keys.become(story, "ana").assign(f"churn@{version}", "production")
    return story

"""`copy` and `transfer` from and to repositories at URLs (DESIGN part 5)."""

from __future__ import annotations

from pathlib import Path

from registry import Registry
from tests.remotes.story import Clones, run, said, tags
from tests.servers import GitServer
from tests.story import RepoStory


def _target(server: GitServer) -> tuple[str, Path]:
    return server.create("target.git"), server.path("target.git")


def _known_everywhere(story: RepoStory) -> None:
    # The identity of a clone is its own; to a URL one writes with the user's.
    story.git("config", "--global", "user.name", "Ana")
    story.git("config", "--global", "user.email", "ana@example.com")


def test_a_copy_to_a_url_is_published_there(clones: Clones, git_server: GitServer) -> None:
    ana = clones.clone().register("churn")
    _known_everywhere(ana)
    url, path = _target(git_server)

    assert run(ana, "copy", "churn", "--to", url) == ["churn@v0.0.1"]

    found = Registry(path).resolve("churn")
    assert found.metadata.other["Copied-From"] == (f"{clones.url}@{ana.git('rev-parse', 'HEAD')}",)
    assert found.path == "models/churn.pkl"


def test_a_version_travels_from_url_to_url(clones: Clones, git_server: GitServer, empty: RepoStory) -> None:
    ana = clones.clone()
    run(ana, "register", "churn", "--push")
    run(ana, "assign", "churn", "staging", "--push")
    _known_everywhere(ana)
    url, path = _target(git_server)

    run(empty, "transfer", "churn@v0.0.1", "--repo", clones.url, "--to", url, "--with-stages")

    assert sorted(tags(path)) == ["churn#staging#2", "churn@v0.0.1"]
    assert sorted(clones.server_tags()) == ["churn#staging#2", "churn@v0.0.1", "churn@v0.0.1!#3"]
    run(ana, "fetch")
    last = said(ana, "history", "churn")["events"][-1]
    assert last["metadata"]["other"]["Moved-To"] == [f"{url} churn@v0.0.1"]


def test_a_clone_can_copy_and_publish_in_one_step(clones: Clones, empty: RepoStory) -> None:
    empty.write("registry.yaml", "models: {scores: {path: scores.pkl}}\n").write("scores.pkl", "s\n").commit("Scores")
    empty.git("config", "user.name", "Zoe")
    empty.register("scores", "v1.0.0")
    ana = clones.clone()

    run(empty, "copy", "scores", "--to", str(ana.path), "--push")

    assert list(clones.server_tags()) == ["scores@v1.0.0"]
    clones.check_no_clone_has_more()

"""Partial clones: files come by few explicit fetches, never one by one (DESIGN part 8)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.remotes.story import NAME, Clones, run, said
from tests.remotes.test_url import fill
from tests.servers import ALL, Fault, Proxy
from tests.story import RepoStory

READING = (
    ["show"],
    ["show", "churn"],
    ["show", "--where", "metrics.auc>0.5"],
    ["resolve", "churn#production"],
    ["status"],
    ["stages"],
    ["diff", "churn@v0.0.1", "churn@v0.0.2"],
    ["lineage", "churn"],
    ["doctor"],
)
partial = pytest.mark.parametrize("kind", ["tree:0", "blob:none"])


@pytest.fixture
def ana(clones: Clones) -> RepoStory:
    """A whole clone, whose versions are all published."""
    return fill(clones)


def part(clones: Clones, kind: str, url: str | None = None) -> RepoStory:
    """A clone without trees, or without files."""
    return clones.clone(f"--filter={kind}", "--no-checkout", url=url)


@partial
def test_reading_says_what_it_says_in_a_whole_clone(clones: Clones, ana: RepoStory, kind: str) -> None:
    story = part(clones, kind)
    settings = (story.path / ".git/config").read_bytes()

    for words in READING:
        there, here = said(story, *words), said(ana, *words)
        if words == ["status"]:
            for one in (*there["artifacts"], *here["artifacts"]):
                one.pop("modified")  # nothing is checked out
        assert there == here, words
    assert (story.path / ".git/config").read_bytes() == settings


@partial
def test_all_versions_cost_a_few_fetches(clones: Clones, proxy: Proxy, ana: RepoStory, kind: str) -> None:
    for number in range(12):
        ana.write("metrics/churn.json", f'{{"auc": 0.{number}1}}').train(f"weights {number}\n")
        ana.git("tag", "-a", "-m", "x", f"churn@v1.{number}.0")
    ana.git("push", "-q", "origin", "main", "--tags")
    story = part(clones, kind, proxy.url(NAME))
    proxy.forget()

    found = said(story, "show", "churn")["versions"]

    assert sum(version["metadata"]["metrics"].get("auc") is not None for version in found) == 14
    posts = [line for line in proxy.requests if line.startswith("POST")]
    assert len(posts) <= 8, posts
    proxy.forget()
    assert said(story, "show", "churn")["versions"] == found
    assert proxy.requests == []  # it is here now


@partial
def test_rules_are_kept(clones: Clones, ana: RepoStory, kind: str) -> None:
    story = part(clones, kind)

    run(story, "assign", "churn@v0.0.1", "production", "--push")

    assert clones.state().stages["production"] == "v0.0.1"
    clones.check_chain()


@partial
def test_reading_goes_on_where_the_remote_has_gone(clones: Clones, proxy: Proxy, ana: RepoStory, kind: str) -> None:
    story = part(clones, kind, proxy.url(NAME))
    proxy.fail(Fault.CUT, ALL)

    done = story.cli("show")

    assert (done.code, done.out.splitlines()[0][:5]) == (0, "churn")
    assert "not in this clone" in done.err
    assert run(story, "resolve", "churn#production") == ["v0.0.2"]


@partial
def test_pull_brings_what_it_needs(clones: Clones, proxy: Proxy, ana: RepoStory, kind: str) -> None:
    ana.write("other/large", os.urandom(400_000)).commit("Large")
    ana.git("tag", "-a", "-m", "x", "churn@v3.0.0")
    ana.git("push", "-q", "origin", "main", "--tags")
    story = part(clones, kind, proxy.url(NAME))
    proxy.forget()

    run(story, "pull", "churn@v3.0.0", "-o", "here")

    assert (story.path / "here/models/churn.pkl").read_text() == "weights 2\n"
    assert proxy.received < 100_000


@pytest.mark.parametrize("setting", ["remote.origin.uploadpack", "core.sshCommand", "credential.helper"])
def test_a_clone_whose_settings_run_something_is_not_asked_further(
    clones: Clones, ana: RepoStory, tmp_path: Path, setting: str
) -> None:
    story = part(clones, "tree:0", clones.path.as_uri())
    story.git("config", setting, f"touch {tmp_path}/ran;")

    for words in READING:
        if words != ["status"]:  # which talks to the remote, and says so
            assert story.cli(*words).code in {0, 1}
    assert not (tmp_path / "ran").exists()

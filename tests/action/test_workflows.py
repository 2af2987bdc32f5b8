"""The example workflows are run, by act: as they stand, but for our action, which is taken from this tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.action.act import ROOT, Runner
from tests.story import RepoStory

WORKFLOWS = ROOT / "examples" / "workflows"
WANTING = "models:\n  churn:\n    path: models/churn.pkl\n    version: {}\n    assign: {{production: {}}}\n"


def _example(name: str) -> str:
    return (WORKFLOWS / f"{name}.yml").read_text()


@pytest.fixture
def hosted(repo: RepoStory, tmp_path: Path) -> RepoStory:
    """`repo`, pushed to a host, with a deployment script and an image to build."""
    repo.write("deploy", '#!/bin/sh\nprintf "%s\\n" "$*" >>"$OUT/deployed"\n')
    repo.write("image/Dockerfile", "FROM scratch\nCOPY model /model\n")
    (repo.path / "deploy").chmod(0o755)
    for name in ("publish", "deploy"):  # which apply.yml calls
        repo.write(f".github/workflows/{name}.yml", _example(name))
    repo.commit("Know how to deploy")
    repo.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "origin.git"))
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repo.git("push", "-q", "-u", "origin", "main")
    return repo


def _push_tags(repo: RepoStory) -> None:
    repo.git("push", "-q", "origin", "refs/tags/*:refs/tags/*")


def test_a_registration_becomes_an_image(hosted: RepoStory, runner: Runner) -> None:
    runner.tool(
        "docker", 'printf "%s\\n" "$*" >>"$OUT/docker"; case "$1" in build) ls -R image/model >"$OUT/built" ;; esac'
    )
    hosted.register("churn", "v1.0.0+cpu")
    _push_tags(hosted)

    done = runner.run(hosted, _example("publish"), "push", {"ref": "refs/tags/churn@v1.0.0+cpu"})

    assert done.code == 0, done.log
    login, build, push = done.read("docker").splitlines()
    assert login.startswith("login ghcr.io --username ")
    assert build.endswith("/churn:v1.0.0_cpu image")
    assert push.startswith("push ghcr.io/")
    assert push.endswith("/churn:v1.0.0_cpu")
    assert "churn.pkl" in done.read("built")


def test_what_is_no_registration_becomes_no_image(hosted: RepoStory, runner: Runner) -> None:
    runner.tool("docker", 'printf "%s\\n" "$*" >>"$OUT/docker"')
    hosted.register("churn", "v1.0.0")
    hosted.registry_at().annotate("churn@v1.0.0", labels=["checked"])
    _push_tags(hosted)

    done = runner.run(hosted, _example("publish"), "push", {"ref": "refs/tags/churn@v1.0.0=#2"})

    assert done.code == 0, done.log
    assert done.read("docker") == ""


def test_an_assignment_is_deployed_and_an_old_one_run_again_brings_nothing_back(
    hosted: RepoStory, runner: Runner
) -> None:
    hosted.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    _push_tags(hosted)
    pushed: dict[str, Any] = {"ref": "refs/tags/churn#production#2"}
    first = runner.run(hosted, _example("deploy"), "push", pushed)
    hosted.register("churn", "v2.0.0").assign("churn@v2.0.0", "production")
    _push_tags(hosted)
    again = runner.run(hosted, _example("deploy"), "push", pushed)
    by_hand = runner.run(
        hosted,
        _example("deploy"),
        "workflow_dispatch",
        {"inputs": {"tag": "churn#production#4"}, "ref": "refs/heads/main"},
    )

    assert (first.code, again.code, by_hand.code) == (0, 0, 0), first.log + again.log + by_hand.log
    assert first.read("deployed").strip() == "churn production v1.0.0 churn:v1.0.0"
    assert again.read("deployed").strip() == "churn production v2.0.0 churn:v2.0.0"  # never the old one
    assert by_hand.read("deployed").strip() == "churn production v2.0.0 churn:v2.0.0"


def test_what_a_deregistration_uncovers_is_deployed(hosted: RepoStory, runner: Runner) -> None:
    hosted.register("churn", "v1.0.0").assign("churn@v1.0.0", "production").train()
    hosted.register("churn", "v2.0.0").assign("churn@v2.0.0", "production").deregister("churn@v2.0.0")
    _push_tags(hosted)

    first = runner.run(hosted, _example("deploy"), "push", {"ref": "refs/tags/churn@v2.0.0!#5"})
    hosted.unassign("churn@v1.0.0", "production")
    _push_tags(hosted)
    second = runner.run(hosted, _example("deploy"), "push", {"ref": "refs/tags/churn#production!#6"})

    assert (first.code, second.code) == (0, 0), first.log + second.log
    assert first.read("deployed").strip() == "churn production v1.0.0 churn:v1.0.0"
    assert second.read("deployed").strip() == "churn production  churn:"


def test_a_pull_request_is_reviewed_merged_applied_and_deployed(hosted: RepoStory, runner: Runner) -> None:
    hosted.git("switch", "-q", "-c", "release")
    hosted.write("registry.yaml", WANTING.format("v1.0.0", "v1.0.0")).commit("Release v1.0.0")
    ends = {"base": {"sha": hosted.git("rev-parse", "main")}, "head": {"sha": hosted.git("rev-parse", "release")}}
    hosted.git("switch", "-q", "main")
    hosted.git("merge", "-q", "--no-ff", "-m", "Merge", "release")
    payload = {"pull_request": {"number": 7, **ends}, "ref": "refs/pull/7/merge"}

    runner.tool("docker", 'printf "%s\\n" "$1" >>"$OUT/docker"')
    reviewed = runner.run(hosted, _example("review"), "pull_request", payload)
    hosted.git("push", "-q", "origin", "main")
    applied = runner.run(hosted, _example("apply"), "push", {"ref": "refs/heads/main"})
    again = runner.run(hosted, _example("apply"), "push", {"ref": "refs/heads/main"})

    assert (reviewed.code, applied.code, again.code) == (0, 0, 0), reviewed.log + applied.log + again.log
    assert "`churn#production#2`" in reviewed.log
    assert applied.read("deployed").strip() == "churn production v1.0.0 churn:v1.0.0"
    assert applied.read("docker").split() == ["login", "build", "push"]
    assert (again.read("docker"), again.read("deployed")) == ("", "")
    assert hosted.git("ls-remote", "--refs", "--tags", "origin").count("refs/tags/") == 2


def test_a_broken_manifest_stops_a_pull_request(hosted: RepoStory, runner: Runner) -> None:
    before = hosted.git("rev-parse", "HEAD")
    hosted.write("registry.yaml", "models:\n  churn: {pth: x}\n").commit("Break it")
    ends = {"base": {"sha": before}, "head": {"sha": hosted.git("rev-parse", "HEAD")}}

    done = runner.run(hosted, _example("review"), "pull_request", {"pull_request": {"number": 7, **ends}})

    assert done.code != 0
    assert "pth" in done.log

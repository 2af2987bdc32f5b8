"""examples/monorepo: several teams in one repository, and a pipeline for one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import NotFound, Refused
from tests.action.act import Runner
from tests.examples.conftest import EXAMPLES, Copy, Follow
from tests.story import RepoStory

TEAMS = ("cv", "nlp")


def _workflow() -> str:
    return (EXAMPLES / "monorepo" / ".github" / "workflows" / "cv.yml").read_text()


def test_each_team_has_models_of_its_own_and_nobody_promotes_another_one_s(follow: Follow) -> None:
    repo = follow("monorepo")

    assert (repo.resolve("cv:pool-seg#production"), repo.resolve("nlp:intent#staging")) == ("v0.0.1", "v0.0.1")
    with pytest.raises(NotFound):
        repo.resolve("nlp:intent#production")
    assert repo.registry.resolve("cv:pool-seg").metadata.uses == ("cv:photos@v0.0.1",)
    assert repo.registry.resolve("cv:pool-seg").metadata.metrics == {"iou": 0.91}
    assert repo.cli("check").code == 0


def test_whoever_is_of_the_team_promotes(follow: Follow) -> None:
    repo = follow("monorepo")
    with pytest.raises(Refused):
        repo.assign("nlp:intent", "production")
    repo.git("config", "user.email", "bo@example.com")

    repo.assign("nlp:intent", "production")

    assert repo.resolve("nlp:intent#production") == "v0.0.1"
    with pytest.raises(Refused):
        repo.registry_at().unassign("cv:pool-seg", "production")


def test_every_team_s_directory_has_owners() -> None:
    lines = (EXAMPLES / "monorepo" / ".github" / "CODEOWNERS").read_text().splitlines()
    owned = [line.split()[0] for line in lines if line and not line.startswith("#")]

    assert owned[0] == "*"  # the last line that matches counts
    assert {f"/{team}/" for team in TEAMS} <= set(owned)
    assert all(Path(EXAMPLES / "monorepo" / team / "registry.yaml").is_file() for team in TEAMS)


def test_one_team_s_line_that_cannot_be_made_true_stops_all(copy: Copy) -> None:
    repo = copy("monorepo")
    for team, line in {"cv": "version: v1.0.0", "nlp": "assign: {production: v9.9.9}"}.items():
        manifest = (repo.path / team / "registry.yaml").read_text()
        repo.write(f"{team}/registry.yaml", manifest.replace("    labels", f"    {line}\n    labels", 1))
    repo.commit("Want two things")
    repo.git("push", "-q", "origin", "main")

    done = repo.cli("apply", "--push")

    assert (done.code, repo.tags) == (1, [])
    assert "nlp:intent v9.9.9 is neither registered" in done.err


def test_a_directory_that_is_renamed_makes_other_artifacts(follow: Follow) -> None:
    repo = follow("monorepo")
    repo.git("mv", "cv", "vision")
    repo.commit("Call it vision")

    said = repo.cli("review", "HEAD~1").out

    assert "cv:pool-seg (removed)" in said
    assert "vision:pool-seg (added)" in said


@pytest.fixture
def pushed(copy: Copy) -> RepoStory:
    """The example, with versions of both teams, published."""
    repo = copy("monorepo").write("cv/deploy", '#!/bin/sh\necho "$1 $2 $3" >>"$OUT/deployed"\n')
    repo.commit("Write down what is deployed")
    repo.register("cv:pool-seg").assign("cv:pool-seg", "staging").assign("cv:pool-seg", "production")
    repo.register("nlp:intent").assign("nlp:intent", "staging")
    repo.git("push", "-q", "origin", "main")
    repo.registry.push()
    return repo


@pytest.mark.slow
def test_the_team_s_pipeline_deploys_what_it_has(pushed: RepoStory, runner: Runner) -> None:
    done = runner.run(pushed, _workflow(), "push", {"ref": "refs/tags/cv=pool-seg#production#3"})

    assert done.code == 0, done.log
    assert done.read("deployed").splitlines() == ["cv:pool-seg production v0.0.1"]


@pytest.mark.slow
@pytest.mark.parametrize("tag", ["nlp=intent#staging#2", "cv=pool-seg@v0.0.1"])
def test_another_team_s_tag_and_one_that_touches_no_stage_deploy_nothing(
    pushed: RepoStory, runner: Runner, tag: str
) -> None:
    done = runner.run(pushed, _workflow(), "workflow_dispatch", {"inputs": {"tag": tag}, "ref": "refs/heads/main"})

    assert done.code == 0, done.log
    assert done.read("deployed") == ""

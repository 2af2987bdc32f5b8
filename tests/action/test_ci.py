"""The recipes for other CI are run: against a bare repository, from a clone as CI makes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import ruamel.yaml

from tests.action.act import ROOT
from tests.story import RepoStory

CI = ROOT / "examples" / "ci"
WANTING = "models:\n  churn:\n    path: models/churn.pkl\n    version: v1.0.0\n    assign: {production: v1.0.0}\n"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture
def clone(repo: RepoStory, tmp_path: Path) -> RepoStory:
    """A clone of one commit, without tags and without a name to write under, whose manifest wants a version."""
    origin = tmp_path / "origin.git"
    repo.git("init", "-q", "--bare", "-b", "main", str(origin))
    repo.git("-C", str(origin), "config", "uploadpack.allowFilter", "true")
    repo.write("registry.yaml", WANTING).commit("Want v1.0.0 in production")
    repo.git("push", "-q", str(origin), "main")
    repo.git("clone", "-q", "--depth=1", "--no-tags", origin.as_uri(), str(tmp_path / "clone"))
    return RepoStory(tmp_path / "clone", repo.clock)


def _run(clone: RepoStory, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**clone.environment_whole(), "PATH": PATH}
    return subprocess.run(
        ["sh", str(CI / "plain.sh"), *words], cwd=clone.path, env=env, capture_output=True, check=False, text=True
    )


def test_apply_publishes_and_prints_the_events(clone: RepoStory) -> None:
    first, again = _run(clone, "apply"), _run(clone, "apply")

    assert first.returncode == 0, first.stderr
    assert [event["tag"] for event in json.loads(first.stdout)["events"]] == ["churn@v1.0.0", "churn#production#2"]
    assert json.loads(again.stdout) == {"events": []}
    assert clone.git("ls-remote", "--refs", "--tags", "origin").count("refs/tags/") == 2


def test_review_fails_where_something_is_wrong(clone: RepoStory) -> None:
    good = _run(clone, "review", "HEAD~1")
    clone.git("config", "user.email", "ana@example.com")
    clone.git("config", "user.name", "Ana")
    clone.write("registry.yaml", "models:\n  churn: {pth: x}\n").commit("Break it")

    bad = _run(clone, "review", "HEAD~1", "HEAD")

    assert (good.returncode, bad.returncode) == (0, 1), good.stderr
    assert "churn#production#2" in good.stdout
    assert "pth" in bad.stdout


def test_event_says_which_event_a_tag_is_and_runs_nothing_of_its_name(clone: RepoStory) -> None:
    _run(clone, "apply")

    ours = _run(clone, "event", "churn#production#2")
    hostile = _run(clone, "event", "$(touch${IFS}owned)';touch${IFS}owned;'")

    assert json.loads(ours.stdout)["stage"] == "production"
    assert (hostile.returncode, hostile.stdout) == (0, "")
    assert not (clone.path / "owned").exists()


@pytest.mark.parametrize("words", [[], ["review"], ["event"], ["dance"]])
def test_mistakes_show_how_it_is_used(clone: RepoStory, words: list[str]) -> None:
    done = _run(clone, *words)

    assert done.returncode == 2
    assert "plain.sh review BASE [HEAD]" in done.stderr


def test_the_script_is_plain_posix_shell() -> None:
    done = subprocess.run(["sh", "-n", str(CI / "plain.sh")], capture_output=True, check=False, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_gitlab_s_jobs_are_shell_that_works(clone: RepoStory, tmp_path: Path) -> None:
    jobs = ruamel.yaml.YAML(typ="safe").load((CI / "gitlab-ci.yml").read_text())
    origin = tmp_path / "origin.git"
    env = {
        **clone.environment_whole(),
        "PATH": PATH,
        "CI_SERVER_URL": origin.parent.as_uri(),
        "CI_PROJECT_PATH": origin.stem,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD~1",
        "CI_COMMIT_SHA": "HEAD",
        "REGISTRY_TOKEN": "x",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.com",
    }
    clone.git("fetch", "-q", "--unshallow")  # GIT_DEPTH: 0

    done = [
        subprocess.run(["sh", "-e", "-c", "\n".join(jobs[name]["script"])], cwd=clone.path, env=env, check=False)
        for name in ("registry-review", "registry-apply")
    ]

    assert [one.returncode for one in done] == [0, 0]
    assert len(json.loads((clone.path / "registry-events.json").read_text())["events"]) == 2

"""examples/training: each run becomes a version, here and in a workflow."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.action.act import Runner
from tests.examples.conftest import EXAMPLES, Copy, Follow
from tests.story import RepoStory


@pytest.fixture(autouse=True)
def _scikit_learn() -> None:
    pytest.importorskip("sklearn")


def test_runs_become_versions_and_the_better_one_is_in_production(follow: Follow) -> None:
    repo = follow("training")
    first, second = (repo.registry.resolve(f"tumour@v0.0.{n}").metadata for n in (1, 2))

    assert (repo.resolve("tumour#staging"), repo.resolve("tumour#production")) == ("v0.0.2", "v0.0.2")
    assert (first.params, second.params) == ({"depth": 1}, {"depth": 4})
    assert float(str(first.metrics["auc"])) < 0.9 <= float(str(second.metrics["auc"]))
    assert {file.path for file in second.artifacts} == {
        "models/tumour.joblib",
        "metrics.json",
        "params.yaml",
        "requirements.txt",
    }
    assert repo.git("status", "--porcelain") == ""
    assert repo.cli("check").code == 0


def test_a_line_that_is_raised_promotes_and_its_revert_rolls_back(follow: Follow) -> None:
    repo = follow("training")
    manifest = (repo.path / "registry.yaml").read_text()
    repo.write("registry.yaml", f"{manifest}    assign: {{production: v0.0.2}}\n").commit("Say what production holds")
    repo.write("params.yaml", "depth: 3\n")
    subprocess.run([sys.executable, "train.py"], check=True, cwd=repo.path, env=repo.environment_whole())
    before = repo.cli("plan", "--exit-code").code
    repo.write("registry.yaml", f"{manifest}    assign: {{production: v0.0.3}}\n").commit("Promote v0.0.3")

    repo.registry_at().apply()
    promoted = repo.resolve("tumour#production")
    repo.git("revert", "--no-edit", "HEAD")
    repo.registry_at().apply()

    assert (before, promoted, repo.resolve("tumour#production")) == (0, "v0.0.3", "v0.0.2")


def test_what_is_not_good_enough_is_no_version(copy: Copy) -> None:
    repo = copy("training")
    script = (repo.path / "train.py").read_text().replace("GOOD_ENOUGH = 0.8", "GOOD_ENOUGH = 1.0")
    repo.write("train.py", script)
    head = repo.git("rev-parse", "HEAD")

    done = subprocess.run([sys.executable, "train.py"], capture_output=True, check=False, text=True, cwd=repo.path)

    assert (done.returncode, done.stdout, repo.tags) == (1, "", [])
    assert "is not good enough" in done.stderr
    assert repo.git("rev-parse", "HEAD") == head


def test_a_clone_as_actions_checkout_makes_it_goes_on_with_what_is_published(copy: Copy, tmp_path: Path) -> None:
    repo = copy("training")
    repo.train(path="models/tumour.joblib")
    repo.register("tumour", "v0.4.0")
    repo.git("push", "-q", "origin", "main")
    repo.registry.push()
    origin = f"file://{tmp_path}/origin.git"
    repo.git("clone", "-q", "--depth=1", "--no-tags", origin, str(tmp_path / "runner"))
    clone = RepoStory(tmp_path / "runner", repo.clock)
    env = {**clone.environment_whole(), **{f"GIT_{who}_NAME": "Robot" for who in ("AUTHOR", "COMMITTER")}}
    env |= {f"GIT_{who}_EMAIL": "robot@example.com" for who in ("AUTHOR", "COMMITTER")}

    done = subprocess.run(
        [sys.executable, "train.py", "--push"], cwd=clone.path, env=env, capture_output=True, check=True, text=True
    )
    clone.git("push", "-q", "origin", "HEAD:refs/heads/main")

    assert done.stdout == "tumour@v0.4.1\n"
    repo.git("pull", "-q", "--tags")
    assert repo.resolve("tumour#staging") == "v0.4.1"
    assert repo.git("rev-parse", "main") == repo.git("rev-parse", "tumour@v0.4.1^{commit}")


def _example(name: str) -> str:
    return (EXAMPLES / "workflows" / f"{name}.yml").read_text()


@pytest.mark.slow
def test_a_branch_is_trained_reviewed_merged_and_deployed(copy: Copy, trainer: Runner) -> None:
    repo = copy("training", "review", "apply", "publish", "deploy")
    trainer.tool("docker", 'printf "%s\\n" "$*" >>"$OUT/docker"')
    repo.git("switch", "-q", "-c", "deeper")
    repo.write("params.yaml", "depth: 4\n").commit("Look deeper")
    repo.git("push", "-q", "-u", "origin", "deeper")

    train = (EXAMPLES / "training" / ".github" / "workflows" / "train.yml").read_text()
    called = re.findall(r"uses: (git-registry/\S+)", _example("publish"))[0]
    here = ("--local-repository", f"{called}={trainer.action}")
    trained = trainer.run(repo, train, "workflow_dispatch", {"ref": "refs/heads/deeper"}, *here)

    assert trained.code == 0, trained.log
    assert trained.read("pip").split() == ["install", "--quiet", "-r", "requirements.txt"]
    assert trained.read("docker").splitlines()[-1].endswith("/tumour:v0.0.1")
    repo.git("fetch", "-q", "--tags", "origin")
    assert repo.git("rev-parse", "origin/deeper") == repo.git("rev-parse", "tumour@v0.0.1^{commit}")
    assert repo.git("log", "-1", "--format=%an", "origin/deeper") == "github-actions[bot]"

    repo.git("reset", "-q", "--hard", "origin/deeper")
    wanted = (repo.path / "registry.yaml").read_text() + "    assign: {production: v0.0.1}\n"
    repo.write("registry.yaml", wanted).commit("Promote v0.0.1")
    ends = {"base": {"sha": repo.git("rev-parse", "main")}, "head": {"sha": repo.git("rev-parse", "HEAD")}}
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "deeper")
    reviewed = trainer.run(repo, _example("review"), "pull_request", {"pull_request": {"number": 7, **ends}})
    repo.git("push", "-q", "origin", "main")
    applied = trainer.run(repo, _example("apply"), "push", {"ref": "refs/heads/main"})

    assert (reviewed.code, applied.code) == (0, 0), reviewed.log + applied.log
    assert "`tumour#production#3`" in reviewed.log
    assert "tumour production: v0.0.1 tumour:v0.0.1" in applied.log
    repo.registry.fetch()
    assert repo.resolve("tumour#production") == "v0.0.1"

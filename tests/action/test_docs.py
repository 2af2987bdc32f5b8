"""docs/actions.md says what action.yml has, no more and no less."""

from __future__ import annotations

import re

import pytest
import ruamel.yaml

from registry.action import apply, event, verify
from tests.action.act import ROOT

ACTION = ruamel.yaml.YAML(typ="safe").load((ROOT / "action.yml").read_text())
PAGE = (ROOT / "docs" / "actions.md").read_text()


def _listed(heading: str) -> list[str]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_the_page_lists_exactly_those_of_the_action(kind: str) -> None:
    assert sorted({*_listed(kind.capitalize())}) == sorted(ACTION[kind])


def test_the_program_writes_exactly_the_outputs_of_the_action() -> None:
    assert sorted({*event.OUTPUTS, *apply.OUTPUTS, *verify.OUTPUTS}) == sorted(ACTION["outputs"])
    values = {name: output["value"] for name, output in ACTION["outputs"].items()}
    assert values == {name: f"${{{{ steps.registry.outputs.{name} }}}}" for name in values}


def test_every_input_reaches_the_program() -> None:
    [step] = ACTION["runs"]["steps"]

    assert step["env"] == {
        "REGISTRY_WORKFLOW_TOKEN": "${{ github.token }}",
        **{
            f"REGISTRY_INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]
        },
    }


def test_the_examples_that_the_page_names_are_there() -> None:
    named = re.findall(r"\]\(\.\./(examples/[^)]+)\)", PAGE)

    assert len(named) >= 6
    assert all((ROOT / name).exists() for name in named)

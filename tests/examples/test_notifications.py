"""docs/notifications.md: what is told, and that nobody's words become a program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tests.action.act import CHECKOUT, ROOT, Runner
from tests.docs.blocks import Block, blocks
from tests.examples.conftest import finds_nothing
from tests.story import RepoStory

PAGE = ROOT / "docs" / "notifications.md"
OURS = "git-registry/git-registry@" + "0" * 40
HOSTILE = '"\'$(touch owned)`touch owned`\n${{ github.token }} <!channel> & \\" ::error::forged'
ESCAPED = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _block(begins: str) -> Block:
    [found] = [block for block in blocks(PAGE) if block.text.lstrip().startswith(begins)]
    return found


def _said(repo: RepoStory, tag: str) -> str:
    """What say.jq makes of an event."""
    event = repo.cli("check-ref", tag, "--json").out
    program = _block("def plain").text
    done = subprocess.run(["jq", "-c", program], input=event, capture_output=True, check=True, text=True)
    return str(json.loads(done.stdout)["text"])


def test_an_event_is_told_in_words_that_call_nobody(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0", message=HOSTILE).assign("churn", "production", reason="Tests passed")
    repo.registry_at().deprecate("churn")

    assert _said(repo, "churn@v1.0.0") == f"registration churn v1.0.0 by Ana\n{ESCAPED}"
    assert _said(repo, "churn#production#2") == "assignment churn v1.0.0 production by Ana\nTests passed"
    assert _said(repo, "churn@deprecated#3") == "deprecation churn by Ana\n"


def test_a_hook_runs_nothing_of_what_was_pushed(repo: RepoStory) -> None:
    tools = repo.path.parent / "tools"
    tools.mkdir()
    posted = repo.path.parent / "posted"
    for name, line in {"registry": f'exec "{sys.executable}" -m registry "$@"', "curl": f"cat >>{posted}"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{line}\n")
        (tools / name).chmod(0o755)
    repo.write("hooks/say.jq", _block("def plain").text).write("post-receive", _block("#!/bin/sh\nwhile").text)
    repo.register("churn", "v1.0.0", message=HOSTILE)
    hostile = "refs/tags/$(touch${IFS}owned)';touch${IFS}owned;'"
    repo.git("update-ref", hostile, "HEAD")
    refs = [hostile, "refs/heads/main", "refs/tags/--help", "refs/tags/gone@v1.0.0", "refs/tags/churn@v1.0.0"]

    done = subprocess.run(
        ["sh", "post-receive"],
        input="".join(f"{'0' * 40} {'1' * 40} {ref}\n" for ref in refs),
        cwd=repo.path,
        env={**repo.environment_whole(), "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.stdout == ""
    assert json.loads(posted.read_text()) == {"text": f"registration churn v1.0.0 by Ana\n{ESCAPED}"}
    assert not (repo.path / "owned").exists()


def _workflow(step: str) -> str:
    """A workflow with a step of the page after that of the Action."""
    return f"""
on: push
permissions: {{}}
jobs:
  tell:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - id: registry
        uses: {OURS}
{step}
"""


@pytest.fixture
def host(runner: Runner) -> Runner:
    runner.tool("curl", 'cat >>"$OUT/posted"; printf "%s\\n" "$@" >"$OUT/arguments"')
    return runner


@pytest.mark.slow
def test_a_workflow_tells_of_a_tag(repo: RepoStory, host: Runner) -> None:
    repo.register("churn", "v1.0.0", description=HOSTILE.replace("\n", " "))
    step = _workflow(_block("- if: steps.registry.outputs.is-registry-tag").text)

    done = host.run(
        repo, step, "push", {"ref": "refs/tags/churn@v1.0.0"}, "--secret", "WEBHOOK=https://hooks.example.com/x"
    )

    assert done.code == 0, done.log
    assert done.json("posted") == {"text": "registration: churn@v1.0.0\n" + ESCAPED.replace("\n", " ")}
    assert done.read("arguments").splitlines()[-1] == "https://hooks.example.com/x"
    assert not list(repo.path.parent.rglob("owned"))


@pytest.mark.slow
def test_a_workflow_tells_of_what_was_applied(repo: RepoStory, host: Runner) -> None:
    wanting = "models:\n  churn:\n    path: models/churn.pkl\n    version: v1.0.0\n    assign: {production: v1.0.0}\n"
    repo.write("registry.yaml", wanting).commit("Want v1.0.0 in production")
    origin = str(repo.path.parent / "origin.git")
    repo.git("init", "-q", "--bare", "-b", "main", origin)
    repo.git("remote", "add", "origin", origin)
    repo.git("push", "-q", "-u", "origin", "main")
    step = _workflow(_block("- if: ${{ !cancelled()").text)
    secret = ("--secret", "WEBHOOK=https://hooks.example.com/x")

    first = host.run(repo, step, "push", {"ref": "refs/heads/main"}, *secret)
    again = host.run(repo, step, "push", {"ref": "refs/heads/main"}, *secret)

    assert (first.code, again.code) == (0, 0), first.log + again.log
    assert first.json("posted") == {"text": "registration: churn@v1.0.0\nassignment: churn#production#2"}
    assert again.read("posted") == ""


STEPS = [block for block in blocks(PAGE) if block.language == "yaml"]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_the_linters_of_workflows_find_nothing(step: Block, repo: RepoStory) -> None:
    repo.write(".github/workflows/tell.yml", _workflow(step.text))

    finds_nothing(repo.path, "actionlint")
    finds_nothing(repo.path, "zizmor", "--offline", "--no-progress", ".github/workflows")


def test_no_expression_stands_in_a_script() -> None:
    assert len(STEPS) == 2
    for block in STEPS:
        assert "${{" not in re.split(r"run: \|\n", block.text)[1]

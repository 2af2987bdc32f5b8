"""The action as workflows use it: action.yml is run by act, in every mode."""

from __future__ import annotations

import pytest

from tests.action.act import CHECKOUT, Runner
from tests.story import RepoStory

OURS = "git-registry/git-registry@" + "0" * 40


SECOND = f"""
      - uses: {OURS}
      - run: ls -d "$RUNNER_TEMP"/git-registry-* >"$OUT/environments"
      - if: always()"""


def workflow(more: str = "", on: str = "push") -> str:
    """A workflow with one job, whose last step writes down the outputs."""
    return f"""
on: {on}
permissions: {{}}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
      - id: registry
        uses: {OURS}
{more}
      - if: always()
        env:
          ALL: ${{{{ toJSON(steps.registry.outputs) }}}}
        run: printf '%s' "$ALL" > "$OUT/outputs"
"""


def test_the_action_installs_itself_and_says_which_event_a_tag_is(repo: RepoStory, bare_runner: Runner) -> None:
    repo.register("churn", "v1.0.0")
    twice = workflow().replace("      - if: always()", SECOND)
    patience = ("--env", "PIP_RETRIES=0", "--env", "PIP_TIMEOUT=10")

    done = bare_runner.run(repo, twice, "push", {"ref": "refs/tags/churn@v1.0.0"}, *patience)

    if "No matching distribution" in done.log or "Failed to establish a new connection" in done.log:
        pytest.skip("pip reaches no package index")
    assert done.code == 0, done.log
    assert done.json()["version"] == "v1.0.0"
    assert len(done.read("environments").splitlines()) == 1


def test_a_pushed_tag_is_told(repo: RepoStory, runner: Runner) -> None:
    repo.register("churn", "v1.0.0").assign("churn", "prod/eu")

    done = runner.run(
        repo,
        workflow("        with:\n          pull: true\n          output-dir: $(touch owned)"),
        "push",
        {"ref": "refs/tags/churn#prod/eu#2"},
    )

    assert done.code == 0, done.log
    assert done.json()["is-registry-tag"] == "true"
    assert (done.json()["stage"], done.json()["directory"]) == ("prod/eu", "$(touch owned)")


@pytest.mark.parametrize(
    "tag",
    # No ${{ }}: act itself expands it in GITHUB_REF, which runners do not; test_hostile.py has it.
    ["$(touch${IFS}$OUT/owned)@v1.0.0", "`touch${IFS}$OUT/owned`", "x';touch${IFS}$OUT/owned;'"],
)
def test_a_hostile_tag_runs_nothing(repo: RepoStory, runner: Runner, tag: str) -> None:
    repo.git("update-ref", f"refs/tags/{tag}", "HEAD")

    done = runner.run(repo, workflow(), "push", {"ref": f"refs/tags/{tag}"})

    assert done.code == 0, done.log
    assert {name: value for name, value in done.json().items() if value} == {"is-registry-tag": "false"}
    assert done.read("owned") == ""
    assert not (done.out / "owned").exists()


def test_hostile_words_are_no_commands(repo: RepoStory, runner: Runner) -> None:
    words = "::set-output name=version::v6.6.6\n::error::forged\n##[error]forged\nEOF\nversion=v6.6.6"
    repo.register("churn", "v1.0.0", description="::set-output name=version::v6.6.6").assign(
        "churn", "prod", message=words
    )

    done = runner.run(repo, workflow(), "push", {"ref": "refs/tags/churn#prod#2"})

    assert done.code == 0, done.log
    assert (done.json()["version"], done.json()["description"]) == ("v1.0.0", "::set-output name=version::v6.6.6")
    assert "❗" not in done.log


def test_a_tag_is_given_by_hand(repo: RepoStory, runner: Runner) -> None:
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0")

    done = runner.run(
        repo, workflow("        with:\n          tag: churn@v1.0.0", "workflow_dispatch"), "workflow_dispatch"
    )

    assert done.code == 0, done.log
    assert done.json()["version"] == "v1.0.0"


def test_a_push_to_another_branch_does_nothing(repo: RepoStory, runner: Runner) -> None:
    repo.git("switch", "-q", "-c", "feature")

    done = runner.run(repo, workflow(), "push", {"ref": "refs/heads/feature"})

    assert done.code == 0, done.log
    assert (done.json()["events"], done.json()["count"]) == ("[]", "0")


def test_a_failure_is_one(repo: RepoStory, runner: Runner) -> None:
    done = runner.run(repo, workflow("        with:\n          tag: churn@v6.6.6"), "push", {"ref": "refs/heads/main"})

    assert done.code != 0
    assert "there is no tag churn@v6.6.6" in done.log

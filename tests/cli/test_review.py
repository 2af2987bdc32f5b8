"""`review`: three forms of the same facts, and an exit code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.core.text import safe
from tests.cli.conftest import Typing
from tests.story import RepoStory

BEFORE = """\
stages: {staging: {}, production: {}}
models:
  churn:
    path: models/churn.pkl
    metrics: metrics.json
    version: v1.0.0
    assign: {production: v1.0.0}
  fraud: {path: models/fraud.pkl}
"""
AFTER = """\
stages: {staging: {}, production: {require: {metrics: {auc: ">=0.9"}}}}
models:
  churn:
    path: models/churn.pkl
    description: Who is about to leave, and when, and for whom, and what could be done about it
    metrics: metrics.json
    version: v1.1.0
    assign: {production: v1.1.0}
  scam: {path: models/fraud.pkl}
  new: {path: models/churn.pkl, labels: [a]}
"""


@pytest.fixture
def change(repo: RepoStory) -> RepoStory:
    """`main` with churn v1.0.0 in production, and a branch that is checked out, which promotes v1.1.0."""
    repo.write("registry.yaml", BEFORE).write("models/fraud.pkl", "1\n").write("metrics.json", '{"auc": 0.9}').commit()
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    repo.git("switch", "-q", "-c", "change")
    repo.write("registry.yaml", AFTER).write("metrics.json", '{"auc": 0.93}').train("better\n")
    return repo


def test_as_text(change: RepoStory, typed: Typing) -> None:
    done = typed("review", "main")

    head = change.git("rev-parse", "--short=7", "HEAD")
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == f"""\
changes (artifacts: 1 renamed, 1 added, 1 changed; versions and stages: 2; rules: 1)
  scam (renamed from fraud)
  churn
      version: v1.0.0 -> v1.1.0
      assign.production: v1.0.0 -> v1.1.0
    + description: Who is about to leave, and when, and for whom, and what could be done about it
  general rules
    + stages.production.require.metrics.auc: >=0.9
  new (added)
    + manifest: registry.yaml
    + type: model
    + path: models/churn.pkl
    + labels: ["a"]
what apply will do
  register churn v1.1.0 at {head}
    churn@v1.1.0
  churn: production: v1.0.0 -> v1.1.0
    churn#production#4
    auc: 0.9 -> 0.93 (+0.03), wanted >=0.9: passed
no problems
note: {head} stands for the commit that will bring the change to the default branch
"""
    )


def test_nothing(change: RepoStory, typed: Typing) -> None:
    done = typed("review", "main", "main")

    assert (done.code, done.out, done.err) == (0, "no manifest changed\napply has nothing to do\nno problems\n", "")


def test_a_gate_that_does_not_open(change: RepoStory, typed: Typing) -> None:
    change.write("metrics.json", '{"auc": 0.8}').commit()

    done = typed("review", "main")

    assert done.code == 1
    lines = done.out.splitlines()
    at = lines.index("  nothing, as long as 1 line of the manifests cannot be made true")
    assert lines[at - 1] == "what apply will do"
    assert "    auc: 0.9 -> 0.8 (-0.1), wanted >=0.9: failed" in lines
    [problem] = [line for line in lines if line.startswith("  registry.yaml:")]
    assert problem.startswith("  registry.yaml:8:14: error: churn v1.1.0 may not enter production: auc is 0.8")


def test_all_forms_tell_the_same(change: RepoStory, typed: Typing) -> None:
    change.write("registry.yaml", AFTER.replace("path: models/fraud.pkl", "path: gone.pkl")).commit()
    text, page, said = typed("review", "main"), typed("review", "main", "--markdown"), typed("review", "main", "--json")

    found = json.loads(said.out)
    assert (text.code, page.code, said.code) == (1, 1, 1)
    assert list(found) == ["base", "head", "failed", "problems", "changes", "plan", "notes", "trust"]
    assert (found["base"], found["head"]) == (change.git("rev-parse", "main"), change.git("rev-parse", "HEAD"))
    assert found["failed"] is True
    assert [list(problem) for problem in found["problems"]] == [
        ["path", "line", "column", "severity", "message", "hint"]
    ]
    assert list(found["changes"][0]) == ["kind", "artifact", "key", "before", "after"]
    facts = [
        *(fact for problem in found["problems"] for fact in (problem["message"], problem["hint"])),
        *(change["key"] for change in found["changes"]),
        *(event["tag"] for step in found["plan"]["steps"] for event in step["events"]),
        *found["plan"]["notes"],
        *found["notes"],
        *leaves([[change["before"], change["after"]] for change in found["changes"]]),
        "auc",
        "0.93",
        "+0.03",
        ">=0.9",
    ]
    assert len(facts) > 20
    for fact in facts:
        assert fact in text.out
        assert fact in page.out


def leaves(value: Any) -> list[str]:
    """All texts in a value."""
    if isinstance(value, (list, dict)):
        return [leaf for one in (value.values() if isinstance(value, dict) else value) for leaf in leaves(one)]
    return [value] if isinstance(value, str) else []


def test_markdown_and_json_exclude_each_other(change: RepoStory, typed: Typing) -> None:
    assert typed.refused("review", "main", "--markdown", "--json", code=2).startswith("--markdown and --json exclude")


def test_a_base_is_needed_and_must_exist(change: RepoStory, typed: Typing) -> None:
    assert "BASE" in typed.refused("review", code=2)
    assert typed.refused("review", "nowhere").startswith("no commit is called nowhere")


HOSTILE = [
    "<b>x</b> [a](https://e.example) `c` | d",
    "line\n\n# heading\n::error::y",
    "\x1b[31mred\x07 \u202e \x9b1m",
    "```\nfence",
]


@pytest.mark.parametrize("text", HOSTILE, ids=["markup", "lines", "terminal", "fence"])
def test_strangers_words_command_no_terminal(change: RepoStory, typed: Typing, text: str) -> None:
    said = json.dumps(text)  # YAML reads it as well
    words = f"{{description: {said}, labels: [{said}], framework: {said}, metadata: {{{said}: {said}}}, {said}: 1"
    manifest = f"teams: {{{said}: [{said}]}}\nmodels:\n  m: {words}, metrics: m.json, path: models/churn.pkl}}\n"
    manifest += f"  n: {{path: {said}, version: v1.0.0, card: {said}}}\n"
    change.write("registry.yaml", manifest).write("m.json", json.dumps({text: text})).commit()

    for options in ([], ["--markdown"], ["--json"]):
        done = typed("review", "main", *options)
        assert done.code == 1
        assert [line for line in done.out.splitlines() if safe(line) != line] == []
        assert not [line for line in done.out.splitlines() if line.startswith(("::", "# "))]

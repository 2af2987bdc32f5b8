"""Markdown for strangers' eyes and of strangers' words: nothing that they write is markup, and no page is too long."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from registry import markdown
from registry.core.events import Assignment, OfStage, OfVersion, Registration, Signatory, Unassignment
from registry.core.gates import Measure
from registry.core.manifest import Json
from registry.core.message import NO_KEYS, Message
from registry.core.review import ManifestChange
from registry.core.trusting import TrustChange
from registry.manifests.check import Problem
from registry.porcelain.gitops import Obstacle, Obstructed, Plan, PlanStep
from registry.porcelain.review import Review
from registry.porcelain.values import EventView
from registry.porcelain.verify import Failure, Verification

HOSTILE = [
    "<script>alert(1)</script>",
    "<!-- -->",
    "![x](https://evil.example/x.png)",
    "[a](javascript:alert(1))",
    "https://evil.example/ www.evil.example a@evil.example",
    "`",
    " ` ",
    "``",
    "a`b``c```d",
    "```\n# heading\n```",
    "\n\n# heading\n\n",
    "x\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n",
    "a | b | c",
    "\\| \\\\| `|` \\`",
    "\\",
    "$`x`$ $$x$$",
    "*a* **b** __c__ ~~d~~",
    "- [ ] x",
    "> quote",
    "@octocat #12 GH-12 octocat/repo#3",
    "&lt;img src=x onerror=alert(1)&gt;",
    "\x1b[31mred\x1b]8;;https://evil.example\x07\x9b31m",
    "::error file=x::y\n::set-output name=a::b",
    "\u202etxt.exe\u2066\u200b",
    "\r\u2028\u2029\x85\x0b\x0c",
    "\ud800",
    "${{ secrets.TOKEN }} $(id)",
    " ",
    "",
]
OURS = {
    "Registry review: to be mended", "Registry plan", "What apply will do", "Metrics", "Changes of the manifests",
    "Problems", "Notes", "What stands in the way (1)", "Registry apply: nothing was done",
    "Removed and renamed", "Versions and stages", "Rules",
    "Everything else", "What is trusted", "Keys", "Accepted events", "Registry verify: not to be trusted", "What fails",
    "Warnings",
}  # fmt: skip
PLAIN = {
    *OURS, "Nothing, as long as something stands in the way (1). Then it would make:",
    "Tag", "Artifact", "Stage", "From", "To", "Metric", "Now", "Candidate", "Change", "Wanted", "Passed", "What", "Key",
    "Before", "After", "Where", "Severity", "Problem", "Hint", "Why", "changed", "added", "removed", "renamed", "error",
    "yes", "no", "unknown", "+1", "From ", " to ", ".", "By the manifest at ", "From  to .", "By the manifest at .",
    "Whose", "Object", "Remark", "Event", "By", "Since", "By the policy at ", "By the policy at  .", " ",
    "This changes what is trusted. Keys: 1 added; accepted events: 1 removed.",
    "This changes what is trusted. Keys: 1 added; accepted events: 1 removed; accepted, and not there: 1.",
    "Events: 2, in the baseline: 0. Signatures: 1, proven: 0. Failures: 1, warnings: 1.",
    "This policy asks for no signature and names nobody.",
    "Artifacts: 1 added; versions and stages: 1. Tags to make: 2. Errors: 1, warnings: 0.",
    "Artifacts: 1 renamed; versions and stages: 1. Tags to make: 2. Errors: 1, warnings: 0.",
}  # fmt: skip


def _told(
    kind: type[OfStage | OfVersion], artifact: str, version: str, named: str, tag: str, commit: str = "c" * 40
) -> EventView:
    """An event of a version, whose tag names that stage or version."""
    by = Signatory(artifact, artifact, 0, 0)
    return EventView(
        kind(artifact, tag, tag, commit, None, by, Message(artifact, NO_KEYS, ours=False, signed=False), named), version
    )


def page_of(text: str) -> Review:
    """A review in which somebody has written `text` wherever anybody can write."""
    measures = (Measure(text, text, text, (text, text)), Measure("auc", 1, 2, passed=False))
    event = _told(Assignment, text, text, text, text, text)
    step = PlanStep(text, text, text, text, text, (event,), measures)
    registration = PlanStep(text, text, None, text, None, (_told(Registration, text, text, text, text, text),))
    obstacle = Obstacle(text, text, text, text, measures)
    changes = (
        ManifestChange("changed", text, text, text, [text, {text: text}]),
        ManifestChange("added", text, "", None, {text: text, "assign": {text: text}, "metadata": {text: [text]}}),
        ManifestChange("removed", None, text, {text: text}, None),
        ManifestChange("renamed", text, "", text, text),
    )
    plan = Plan(text, (step, registration), (obstacle,), (text,))
    trust = (TrustChange("added", "key", text, text, text), TrustChange("removed", "event", text, text, text))
    return Review(text, text, (Problem(text, 1, 1, "error", text, text),), changes, plan, (text,), trust)


def verified(text: str) -> Verification:
    """What `verify` finds where somebody has written `text` wherever anybody can write."""
    failure = Failure(text, text, text, text, text, text, text, text)
    return Verification(text, text, 1, 2, 1, 0, 0, False, (failure,), (failure,))


def parsed(page: str) -> list[Token]:
    parser = MarkdownIt("commonmark", {"linkify": True}).enable(["table", "strikethrough"])
    if importlib.util.find_spec("linkify_it") is not None:
        parser.enable("linkify")
    return parser.parse(page)


def inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or []


def check_harmless(page: str) -> None:
    """All but our own words stand in code, and each table has as many cells in each row."""
    tokens = parsed(page)
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert kinds <= {
        "heading", "paragraph", "inline", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item"
    }  # fmt: skip
    assert {token.type for token in inline(tokens)} <= {"text", "code_inline"}
    assert {token.content for token in inline(tokens) if token.type == "text"} <= PLAIN
    headings = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]
    assert set(headings) <= OURS
    assert len(headings) == len(set(headings))
    assert not [c for c in page if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    for table in page.split("\n\n"):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1
    assert page.count("\n| ") - page.count("\n| --- ") == sum(token.type == "tr_open" for token in tokens)


@pytest.mark.parametrize("text", HOSTILE, ids=[f"hostile{n}" for n, _ in enumerate(HOSTILE)])
def test_strangers_words_stand_in_code(text: str) -> None:
    check_harmless(markdown.review(page_of(text)))
    check_harmless(markdown.plan(page_of(text).plan))
    check_harmless(markdown.obstructed(Obstructed(text, page_of(text).plan.obstacles)))
    check_harmless(markdown.verification(verified(text)))


@given(st.text(alphabet=st.one_of(st.sampled_from("`|\\ \n\t<>[]()!*_#-"), st.characters()), max_size=30))
def test_whatever_they_write(text: str) -> None:
    check_harmless(markdown.review(page_of(text)))
    check_harmless(markdown.verification(verified(text)))


@pytest.mark.parametrize("text", ["x" * 1000, "|" * 1000, "\u202e" * 1000, "` " * 500])
def test_a_page_is_bounded_and_says_what_it_leaves_out(text: str) -> None:
    one = page_of(text)
    plan = Plan("c" * 40, one.plan.steps * 500, one.plan.obstacles * 500, one.plan.notes * 500)
    much = (one.problems * 1000, one.changes * 1000, plan, one.notes * 1000, one.trust * 1000)
    page = markdown.review(Review("b" * 40, "c" * 40, *much))
    verification = replace(verified(text), failures=verified(text).failures * 1000)

    assert len(page) <= 60_000
    said = page.split("\n\n")[1]
    assert said.startswith("This page is too long to be whole. Left out: ")
    assert said.endswith(" notes. `registry review --json` has all.")
    trusted = (" lines of what is trusted (keys), ", " lines of what is trusted (accepted events), ")
    for what in (" tags, ", " metrics, ", " lines of changes (everything else), ", " problems, ", *trusted):
        assert what in said
    assert page.count("\n| added | ") >= 2  # of keys, and of changes
    assert len(markdown.verification(verification)) <= 60_000
    assert "what fails. `registry verify --json` has all." in markdown.verification(verification)
    assert len(markdown.plan(plan)) <= 60_000
    assert markdown.plan(plan).split("\n\n")[1].endswith(" notes. `registry plan --json` has all.")


def _added(name: str) -> ManifestChange:
    entry: Json = {"manifest": "registry.yaml", "path": "x" * 100, "assign": {"production": "v9"}, "labels": ["x" * 99]}
    return ManifestChange("added", name, "", None, entry)


def test_what_matters_is_not_buried_under_any_number_of_new_models() -> None:
    rule = "stages.production.require.metrics.auc"
    changes = (
        *(_added(f"bulk{n}") for n in range(1000)),
        ManifestChange("changed", "churn", "assign.production", "v1.0.0", "v6.6.6"),
        ManifestChange("removed", "fraud", "", {"manifest": "registry.yaml", "assign": {"production": "v1.0.0"}}, None),
        ManifestChange("renamed", "scam", "", "spam", "scam"),
        ManifestChange("changed", None, rule, ">=0.9", None),
        ManifestChange("removed", None, "teams.release", ["a@example.com"], None),
        ManifestChange("changed", "churn", "description", "old words", "new words"),
    )
    problems = tuple(Problem("registry.yaml", n, 1, "warning", "x" * 100) for n in range(1000))
    problems += (Problem("registry.yaml", 9999, 1, "error", "the one error"),)
    event = _told(Assignment, "b", "v9", "prod", "b#prod#1")
    late = _told(Assignment, "churn", "v9", "prod", "churn#prod#2")
    steps = [PlanStep("b", "v9", "prod", "c", None, (event,))] * 1000
    plan = Plan("c" * 40, (*steps, PlanStep("churn", "v9", "prod", "c", "v1.0.0", (late,))))

    page = markdown.review(Review("b" * 40, "c" * 40, problems, changes, plan))

    assert "Artifacts: 1 removed, 1 renamed, 1000 added, 1 changed; versions and stages: 1002; rules: 1." in page
    for said in (
        "| changed | `churn` | `assign.production` | `v1.0.0` | `v6.6.6` |",
        "| removed | `fraud` | `manifest` | `registry.yaml` |  |",
        "| removed | `fraud` | `assign.production` | `v1.0.0` |  |",
        "| renamed | `scam` |",
        f"| changed | `{rule}` | `>=0.9` |",
        "| removed |  | `teams.release` |",
        "| changed | `churn` | `description` | `old words` | `new words` |",
        "`churn#prod#2`",
        "`the one error`",
    ):
        assert said in page, said
    heads = ["#### Removed and renamed", "#### Versions and stages", "#### Rules", "#### Everything else"]
    assert sorted(heads, key=page.index) == heads
    assert len(page) <= 60_000


def test_all_that_stands_in_the_way_is_on_one_page() -> None:
    page = markdown.obstructed(Obstructed("c" * 40, [Obstacle(f"m{n}", "prod", f"why {n}", "do it") for n in range(9)]))

    assert page.startswith("## Registry apply: nothing was done\n\nBy the manifest at `ccccccc`.\n\n### What stands")
    for n in range(9):
        assert f"| `m{n}` | `prod` | `why {n}` | `do it` |" in page


def test_a_line_that_is_too_long_hides_no_other() -> None:
    long = ManifestChange("changed", "m", "\U000e0001" * 300, ["\U000e0001" * 300], ["\U000e0001" * 301])
    other = ManifestChange("changed", "m", "labels", ["a"], ["b"])

    page = markdown.review(Review("b" * 40, "c" * 40, (), (long, other), Plan("c" * 40)))

    assert '| changed | `m` | `labels` | `["a"]` | `["b"]` |' in page


def test_a_review_without_a_change() -> None:
    page = markdown.review(Review("b" * 40, "c" * 40, (), (), Plan("c" * 40)))

    assert page == (
        "## Registry review: ready\n\nFrom `bbbbbbb` to `ccccccc`.\n\n"
        "No manifest changed. Tags to make: 0. Errors: 0, warnings: 0.\n\n"
        "### What apply will do\n\nNo tag: what the manifests want is so.\n\n"
        "### Changes of the manifests\n\nNone.\n\n"
        "### Problems\n\nNone.\n"
    )


def test_from_and_to_and_the_metrics_of_both() -> None:
    event = _told(Assignment, "m", "v2", "prod", "m#prod#2")
    leaves = _told(Unassignment, "m", "v1", "prod", "m#prod!#1")
    measures = (Measure("auc", 0.9, 0.93, (">=0.9", "no worse than prod")), Measure("rows", None, None, (">1",), False))
    page = markdown.plan(Plan("c" * 40, (PlanStep("m", "v2", "prod", "c" * 40, "v1", (leaves, event), measures),)))

    assert "| `m#prod!#1` | `m` | `prod` | `v1` | `nothing` |\n| `m#prod#2` | `m` | `prod` | `v1` | `v2` |" in page
    assert "| `m` | `prod` | `auc` | `0.9` | `0.93` | +0.03 | `>=0.9 and no worse than prod` | yes |" in page
    assert "| `m` | `prod` | `rows` |  | unknown |  | `>1` | no |" in page

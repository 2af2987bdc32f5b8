"""Whatever strangers write into tags and manifests is text: no output, no command, no markup."""

from __future__ import annotations

import json
import re

import pytest

from registry.action.event import OUTPUTS
from registry.action.say import command, heredoc, plain
from tests.action.step import obeyed, outputs_of, pushed
from tests.story import RepoStory

WORDS = [
    "$(touch owned)", "`touch owned`", "${{ secrets.TOKEN }}", "\"; touch owned; '",
    "::set-output name=version::v6.6.6", "::add-mask::v1.0.0", "::error::forged", "##[error]forged",
    "x ##[add-mask]v1.0.0", "::stop-commands::x", "%0A::error::forged", "\r\n::error::forged",
    "EOF", "version<<EOF", "version=v6.6.6", "a\nversion=v6.6.6\n::add-mask::x\nEOF\n",
    "</td><script>alert(1)</script>", "<!-- ", "![x](https://evil.example/x.png)", "| a | b |", "&lt;b&gt;", "\\",
    "```", "````\n# heading", "@everyone #1 https://evil.example", "\x1b[31mred\x1b[0m", "a\rb", "\u202eevil",
]  # fmt: skip
PAIR = "Registry: 1\nVersion: v1.0.0"


def _markup(summary: str) -> str:
    """What is left of Markdown without its code: blocks by their fences, spans by their runs of backticks."""
    rest, lines = [], iter(summary.split("\n"))
    for line in lines:
        fence = re.fullmatch(r"(`{3,})text", line)
        if fence is None:
            rest.append(re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line))
            continue
        while next(lines) != fence[1]:
            pass
    return "\n".join(rest)


@pytest.mark.parametrize("words", WORDS)
def test_a_hostile_message_is_text_everywhere(repo: RepoStory, words: str) -> None:
    repo.register("churn", "v1.0.0")
    line = words.replace("\n", " ").replace("\r", " ")
    raw = (
        f"object {repo.git('rev-parse', 'HEAD')}\ntype commit\ntag churn#production#2\n"
        f"tagger {line} <x@example.com> 1767226500 +0000\n\nAssign\n\n{words}\n\n{PAIR}\nReason: {line}\n"
    )
    repo.raw_tag("churn#production#2", raw.encode())

    ran = pushed(repo, "churn#production#2")

    assert ran.code == 0, ran.log
    assert (ran.outputs["version"], ran.outputs["stage"], ran.outputs["current"]) == ("v1.0.0", "production", "true")
    assert len(ran.outputs) == len(OUTPUTS)
    assert ran.commands == []
    assert "\x1b" not in ran.log + ran.summary
    assert "##[" not in ran.log
    left = _markup(ran.summary)
    assert not re.search(r"owned|evil|script|forged|everyone|heading|31m|6\.6\.6|mask", left), left
    assert not list(repo.path.glob("**/owned"))


@pytest.mark.parametrize("words", WORDS)
def test_a_hostile_manifest_is_text_everywhere(repo: RepoStory, words: str) -> None:
    entry = {"path": "models/churn.pkl", "description": words, "labels": [words.replace("\n", " ")]}
    repo.write("registry.yaml", json.dumps({"models": {"churn": entry}})).commit("Describe")
    repo.register("churn", "v1.0.0", description=" ".join(c for c in words if c.isprintable()) or None)

    ran = pushed(repo, "churn@v1.0.0")

    assert ran.code == 0, ran.log
    assert len(ran.outputs) == len(OUTPUTS)
    assert ran.outputs["is-registry-tag"] == "true"
    assert json.loads(ran.outputs["labels"])
    assert ran.commands == []


@pytest.mark.parametrize(
    "name",
    ["$(touch${IFS}owned)", "${{x}}@v1.0.0", "a;b|c&d", "`id`@v1.0.0", "churn@v1.0.0'", 'churn#prod"#1', "::error::x",
     "churn@v1.0.0<<EOF", "ü@v1.0.0", "churn@v1.0.0%0A", "churn@v1.0.0=version", "##[error]x", "<b>@v1.0.0"],
)  # fmt: skip
def test_a_hostile_name_is_not_ours_and_nothing_more(repo: RepoStory, name: str) -> None:
    if not any(sign in name for sign in (":", "[")):  # Git itself allows none of these
        repo.git("update-ref", f"refs/tags/{name}", "HEAD")

    ran = pushed(repo, name)

    assert (ran.code, ran.outputs["is-registry-tag"], ran.commands) == (0, "false", [])
    assert {value for key, value in ran.outputs.items() if key != "is-registry-tag"} == {""}


def test_a_value_that_holds_the_delimiter_is_never_written() -> None:
    with pytest.raises(AssertionError, match="delimiter"):
        heredoc("version", "v1\nregistry-1\nevent=x", "registry-1")


def test_the_runner_reads_back_what_was_written() -> None:
    assert outputs_of(heredoc("a", "x\ny=1\nb<<EOF\n", "d1") + heredoc("b", "", "d2")) == {
        "a": "x\ny=1\nb<<EOF\n",
        "b": "",
    }


@pytest.mark.parametrize("words", WORDS)
def test_an_annotation_is_one_command_whatever_it_says(words: str) -> None:
    said = command("error", words, title=words)

    assert obeyed(said) == [said]
    assert "\n" not in said
    assert "\r" not in said
    assert said.count("::") >= 2
    assert ":" not in said.partition("title=")[2].partition("::")[0]


def test_a_log_shows_what_would_be_obeyed() -> None:
    assert plain("a\x1b[1m\n##[error]x\r") == "a\\x1b[1m\n# #[error]x\\r"

"""The ways to the runner, and what they hold at most."""

from __future__ import annotations

import io
import json
from pathlib import Path

from registry.action.event import _fitting, _metadata
from registry.action.say import OUTPUT_LIMIT, SUMMARY_LIMIT, Place, Voice, command
from tests.action.step import obeyed, outputs_of


def test_nothing_is_obeyed_but_annotations_and_all_is_on_again_at_the_end() -> None:
    stream = io.StringIO()
    voice = Voice(stream)

    with voice.quoted():
        voice.log("::error::one\n##[error]two")
        voice.annotate("warning", "three")
        stream.write("::set-output name=x::four\n")
        voice.annotate("notice", "five")
        voice.log("::set-env name=x::six")

    assert obeyed(stream.getvalue() + "::error::seven\n") == ["::warning::three", "::notice::five", "::error::seven"]


def test_no_two_marks_are_the_same() -> None:
    stream = io.StringIO()
    voice = Voice(stream)

    with voice.quoted():
        voice.annotate("notice", "one")
        voice.annotate("notice", "two")

    marks = [line for line in stream.getvalue().splitlines() if line.startswith("::stop-commands::")]
    assert len(set(marks)) == len(marks) == 3


def test_an_annotation_is_escaped_as_the_runner_says() -> None:
    said = command("error", "100%: a,b\nc", Place("a,b:c%.yaml", 2, 3), title="x:y")

    assert said == "::error file=a%2Cb%3Ac%25.yaml,line=2,col=3,title=x%3Ay::100%25: a,b%0Ac"


def test_outputs_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("before=1\n")
    voice = Voice(io.StringIO(), file)

    voice.output({"one": "a\nb", "two": "\ud800\x1b\r", "three": ""})

    assert outputs_of(file.read_text()) == {"before": "1", "one": "a\nb", "two": "\\ud800\\x1b\\r", "three": ""}


def test_a_summary_that_is_too_long_is_cut_and_says_so_first(tmp_path: Path) -> None:
    voice = Voice(io.StringIO(), None, tmp_path / "summary")

    voice.summary("ä line\n" * 200_000)

    said = (tmp_path / "summary").read_text()
    assert len(said.encode()) <= SUMMARY_LIMIT + 100
    assert said.startswith("> The summary was too long")
    assert said.endswith("ä line\n")


def test_metadata_that_is_too_long_loses_its_largest_part() -> None:
    stream = io.StringIO()

    said = json.loads(_metadata({"metrics": {"auc": 1}, "content": "x" * OUTPUT_LIMIT, "run": None}, Voice(stream)))

    assert said == {"metrics": {"auc": 1}, "content": None, "run": None}
    assert "::warning::the output metadata has no 'content'" in stream.getvalue()


def test_a_text_that_is_too_long_is_cut_and_said() -> None:
    stream = io.StringIO()

    assert _fitting("description", "x" * 30_000, "x", Voice(stream)) == "x"
    assert "::warning::the output description is not whole" in stream.getvalue()

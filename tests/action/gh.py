"""A program gh that answers from a file, and writes down what it was asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRANTED = "github-granted-this"  # the token of a run

_PROGRAM = """#!{python}
import json, os, sys
answers = json.load(open({answers!r}))
arguments = sys.argv[1:]
data = sys.stdin.read()
asked = {{"arguments": arguments, "data": data, "token": os.environ.get("GH_TOKEN")}}
open({asked!r}, "a").write(json.dumps(asked) + "\\n")
what = " ".join(part for part in arguments[1:] if part not in ("--input", "-", "--method"))
if what not in answers:
    sys.exit("gh: HTTP 403: Resource not accessible by integration")
print(json.dumps(answers[what]))
"""


@dataclass(frozen=True)
class FakeGh:
    """`answers` maps the words of a question, such as `repos/o/r/pulls/1/reviews`, to its answer; others fail."""

    place: Path

    @classmethod
    def answering(cls, place: Path, answers: Mapping[str, Any]) -> FakeGh:
        """One in the directory `place`, which is to be put on PATH."""
        place.mkdir(exist_ok=True)
        (place / "answers.json").write_text(json.dumps(answers))
        program = place / "gh"
        program.write_text(
            _PROGRAM.format(
                python=sys.executable, answers=str(place / "answers.json"), asked=str(place / "asked.jsonl")
            )
        )
        program.chmod(0o755)
        return cls(place)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """All questions, in order."""
        file = self.place / "asked.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

"""What a step says to its runner: outputs, a summary, annotations, and a log in which nothing is a command.

The runner reads commands out of everything that a step prints, on both streams
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands), so nothing but our annotations is
printed while commands are on.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

from registry.core.text import safe
from registry.errors import RegistryError

Level = Literal["error", "warning", "notice"]

# A summary may have 1 MiB a step, all outputs of a job 1 MB as UTF-16: 500,000 characters. Who puts an output into a
# variable of a step's environment can have 128 KiB of it at most: execve(2), MAX_ARG_STRLEN.
SUMMARY_LIMIT = 1_000_000  # bytes
OUTPUT_LIMIT = 100_000  # bytes of one output
MATRIX = 256  # jobs that a host makes of one list
_BY_HAND = "the summary names all tags; start a workflow by hand for those that are left"
_CUT = "> The summary was too long, and is cut off at its end.\n\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file an annotation stands; lines and columns count from 1."""

    path: str
    line: int
    column: int


@dataclass
class Voice:
    """The way to the runner. Whatever is printed within `quoted` is text, but for `annotate`."""

    stream: TextIO
    outputs: Path | None = None
    summary_file: Path | None = None
    _token: str = field(default="", init=False)

    @contextmanager
    def quoted(self) -> Iterator[None]:
        """Until the block ends, the runner obeys nothing that is printed by anybody, on either stream."""
        self._stop()
        try:
            yield
        finally:
            self._resume()

    def check(self) -> None:
        """There is somewhere to tell the outputs, so that nothing is done of which nobody could learn.

        Raises RegistryError.
        """
        self._append({})

    def log(self, text: str) -> None:
        """Words for people, in the step's log."""
        self._line(plain(text))

    def annotate(self, level: Level, message: str, place: Place | None = None, title: str = "") -> None:
        """An annotation of the run, or of a line of a file."""
        self._resume()
        self._line(command(level, message, place, title))
        self._stop()

    def output(self, values: Mapping[str, str]) -> None:
        """Give outputs of the step their values, all or none. What a terminal or a runner could stumble over is escaped
        in them. Raises RegistryError where they cannot be written."""
        shown = {name: "\n".join(safe(line) for line in value.split("\n")) for name, value in values.items()}
        self._append(shown)
        for name, text in shown.items():
            self.log(f"{name} = {text if len(text) < 1000 else text[:1000] + '...'}")

    def listed(self, name: str, rows: Sequence[Mapping[str, str | int | None]], hint: str = _BY_HAND) -> str:
        """The output `name`, a list in JSON: of its first rows, and an error says so with `hint`, where more do not
        fit."""
        texts = [json.dumps(row, separators=(",", ":")) for row in rows]
        size, count = 2, 0
        while count < len(texts[:MATRIX]) and (size := size + len(texts[count]) + 1) <= OUTPUT_LIMIT:
            count += 1
        if count < len(texts):
            words = f"the output {name} has the first {count} of {len(texts)}: a matrix takes no more"
            self.annotate("error", f"{words} (hint: {hint})", title="git-registry")
        return f"[{','.join(texts[:count])}]"

    def _append(self, values: Mapping[str, str]) -> None:
        if self.outputs is None:
            return
        text = "".join(heredoc(name, value, f"registry-{secrets.token_hex(16)}") for name, value in values.items())
        try:
            with self.outputs.open("ab", buffering=0) as file:
                file.write(text.encode())
        except OSError as error:
            raise RegistryError(f"the outputs cannot be written: {error}", "GITHUB_OUTPUT names their file") from error

    def summary(self, markdown: str) -> None:
        """Add to the job's summary. `markdown` holds strangers' words in code only: see registry.markdown.

        What cannot be shown there fails nothing: a warning says so.
        """
        if self.summary_file is None:
            return
        data = markdown.rstrip("\n").encode(errors="backslashreplace") + b"\n"
        if len(data) > SUMMARY_LIMIT:  # said first, for an open code block would swallow it at the end
            data = _CUT.encode() + data[:SUMMARY_LIMIT].rpartition(b"\n")[0] + b"\n"
        try:
            with self.summary_file.open("ab") as file:
                file.write(data)
        except OSError as error:
            self.annotate("warning", f"the summary cannot be written: {error}", title="git-registry")

    def _stop(self) -> None:
        # Fresh each time: what was printed before cannot know it.
        self._token = f"registry-{secrets.token_hex(16)}"
        self._line(f"::stop-commands::{self._token}")

    def _resume(self) -> None:
        if self._token:
            self._line(f"::{self._token}::")
            self._token = ""

    def _line(self, text: str) -> None:
        self.stream.write(f"{text}\n")
        self.stream.flush()


def heredoc(name: str, value: str, delimiter: str) -> str:
    """One output as the runner's file takes it. A delimiter that stands in the value is a mistake of the caller's."""
    if delimiter in value or delimiter in name:
        raise AssertionError("the delimiter stands in the value")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def plain(text: str) -> str:
    """`text` for a log: its lines kept, everything else that a terminal or a runner would obey escaped."""
    # The runner and its web page take ##[error] and its kin for commands anywhere in a line, even in quoted text.
    return "\n".join(safe(line).replace("##[", "# #[") for line in text.split("\n"))


def command(level: Level, message: str, place: Place | None = None, title: str = "") -> str:
    """An annotation as the runner reads it, escaped as its ActionCommand.cs says."""
    properties = {} if place is None else {"file": place.path, "line": str(place.line), "col": str(place.column)}
    if title:
        properties["title"] = title
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level}{' ' if said else ''}{said}::{_data(message)}"


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

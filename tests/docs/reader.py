"""A reader who types what a page says, in a directory with a repository, on a machine of their own."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

from tests.cli.terminal import screen
from tests.docs.blocks import Block
from tests.story import RepoStory

# What is installed is believed, if it is ours and an extra that there is; all else is the real thing.
_PIP = """\
import re, sys
from importlib.metadata import metadata
extras = metadata("git-registry").get_all("Provides-Extra")
for word in sys.argv[2:]:
    named = re.fullmatch(r"git-registry(?:\\[([a-z,]+)\\])?", word)
    if named is None or not set((named[1] or "").split(",")) <= {"", *extras}:
        sys.exit("nothing of ours: " + word)
"""
_ROOT = Path(__file__).parents[2]
HOSTS = ("https://git.example.com/", "https://example.com/", "git@host:")  # what pages call a server
COLUMNS = 100  # of the terminal on which pages are read
_VARYING = (
    (re.compile(r"\r[^\n]*\x1b\[K|\x1b\[[0-9;]*[mK]"), ""),  # progress, where the machine is slow; colours of git
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:]{5,8}(\+00:00|Z)?)?"), "DATE"),
    (re.compile(r"\b([0-9a-f]{40}|[0-9a-f]{7})\b"), "COMMIT"),
    (re.compile(r"[ \t]+"), " "),
)


class Reader:
    """Who follows a page. What the page calls https://git.example.com and /srv lies in directories of the test."""

    def __init__(self, story: RepoStory, home: Path) -> None:
        self.story = story
        self.home = home
        self._stands = home / "stands"
        self.names: dict[str, object] = {"__name__": "__main__"}
        # For what a page does unseen: where this test's things may lie, and where git-registry's own files do.
        os.environ.update(WORLD=str(home), CHECKOUT=str(_ROOT))
        for there in ("bin", "host", "srv"):
            (home / there).mkdir(parents=True, exist_ok=True)
        for name in ("registry", "git-registry"):
            self._program(name, f'exec {shlex.quote(sys.executable)} -m registry "$@"')
        for name in ("python", "python3"):
            self._program(name, f'exec {shlex.quote(sys.executable)} "$@"')
        self._program("pip", f'exec {shlex.quote(sys.executable)} -c {shlex.quote(_PIP)} "$@"')
        host = (home / "host").as_uri()
        for said in HOSTS:
            story.git("config", "--global", "--add", f"url.{host}/.insteadOf", said)
        story.git("config", "--global", "protocol.file.allow", "always")

    def _program(self, name: str, line: str) -> None:
        file = self.home / "bin" / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def follow(self, block: Block) -> None:
        """Do what a block says. Fails where it does not go as the page tells."""
        text = self._here(block.text)
        if block.word == "skip":
            assert block.said, f"{block} is left out without a reason"
        elif block.word == "file":
            file = Path.cwd() / block.said
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n")
        elif block.language == "sh":
            self._type(block, text)
        elif block.language == "console":
            self._compare(block, text)
        elif block.language == "python":
            os.environ.update(self.story.environment())
            exec(compile(text, str(block), "exec"), self.names)  # noqa: S102  (a page of ours, as its reader runs it)

    def _here(self, text: str) -> str:
        """What pages call by places that only a machine of its own has."""
        tracking = f"sqlite:///{self.home}/mlflow.db"
        return (
            text.replace("/srv/", f"{self.home}/srv/")
            .replace("/home/ana/", f"{self.home}/")
            .replace("http://localhost:5000", tracking)
        )

    def _type(self, block: Block, text: str) -> None:
        done = subprocess.run(
            self._shell(f"set -e\n{text}"), env=self._environment(), capture_output=True, text=True, check=False
        )
        self._go_along()
        said = f"{block}\n{text}\n{done.stdout}{done.stderr}"
        assert (done.returncode != 0) == (block.word == "fails"), said

    def _compare(self, block: Block, text: str) -> None:
        for piece in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
            if not piece:
                continue
            command, _, shown = piece.removeprefix("$ ").partition("\n")
            env = {**self._environment(), "COLUMNS": None, "NO_COLOR": "1"}
            _, seen = screen(self._shell(command), env=env, columns=COLUMNS)
            self._go_along()
            assert _alike(shown, seen), f"{block}\n$ {command}\n{seen}"

    def _shell(self, text: str) -> list[str]:
        return ["bash", "-c", f"trap 'pwd > {shlex.quote(str(self._stands))}' EXIT\n{text}"]

    def _go_along(self) -> None:
        """Stay where the page went."""
        os.chdir(self._stands.read_text().rstrip("\n"))

    def _environment(self) -> dict[str, str]:
        env = self.story.environment_whole()
        return {**env, "PATH": f"{self.home / 'bin'}{os.pathsep}{env['PATH']}"}


def _alike(shown: str, said: str) -> bool:
    """Whether a page shows what was said, but for dates, ids and the width of columns; `...` stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if one == "..." else re.escape(one) + r"\n" for one in _plain(shown))
    return re.fullmatch(pattern, "".join(f"{one}\n" for one in _plain(said))) is not None


def _plain(text: str) -> list[str]:
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.strip().splitlines()]


def there(package: str) -> bool:
    """Whether a package can be imported."""
    return importlib.util.find_spec(package) is not None

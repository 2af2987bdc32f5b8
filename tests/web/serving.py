"""`registry ui` while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.story import RepoStory


@dataclass(frozen=True)
class Served:
    """`registry ui` while it runs: the process, and the address that it printed."""

    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return urlsplit(self.address).port or 0

    @property
    def url(self) -> str:
        """The address without its secret."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def cookie(self) -> str:
        """What a browser remembers that came with the secret."""
        return f"git-registry-{self.port}={parse_qs(urlsplit(self.address).query)['token'][0]}"


@contextmanager
def served(story: RepoStory, *options: str) -> Iterator[Served]:
    """`registry ui` while it runs."""
    command = [sys.executable, "-m", "registry", "ui", "--no-browser", "--port", "0", *options]
    with subprocess.Popen(
        command, cwd=story.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().strip()
            yield Served(process, json.loads(line)["url"] if "--json" in options else line)
        finally:
            process.kill()

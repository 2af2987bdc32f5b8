"""`registry ui` while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.story import RepoStory


@contextmanager
def served(story: RepoStory, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`registry ui` while it runs, and its first line."""
    command = [sys.executable, "-m", "registry", "ui", "--no-browser", "--port", "0", *options]
    with subprocess.Popen(
        command, cwd=story.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()

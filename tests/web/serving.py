"""`registry ui` while it runs."""

from __future__ import annotations

import http.client
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
    """`registry ui` while it runs: the process, the address that it printed, and the room that this leads to."""

    process: subprocess.Popen[str]
    address: str
    room: str

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return urlsplit(self.address).port or 0

    @property
    def url(self) -> str:
        """The address that the one with the secret leads to."""
        return f"http://127.0.0.1:{self.port}{self.room}"

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
            address = json.loads(line)["url"] if "--json" in options else line
            yield Served(process, address, _room(address))
        finally:
            process.kill()


def _room(address: str) -> str:
    """Where the address with the secret leads to."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.netloc)
    connection.request("GET", f"{place.path}?{place.query}")
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 303
    return answer.headers["Location"]

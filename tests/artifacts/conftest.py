"""A version whose file lies on a server of Git LFS, and what a directory holds."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers_bytes import Bytes, serving
from tests.story import RepoStory

BIG = b"large weights\n" * 1000


def held(directory: Path) -> dict[str, str]:
    """What lies below a directory: of files the text, of executables with a "*" before it, of links "-> TARGET"."""
    found = {}
    for place, directories, names in os.walk(directory):
        for name in [*names, *directories]:
            path = Path(place) / name
            key = path.relative_to(directory).as_posix()
            if path.is_symlink():
                found[key] = f"-> {path.readlink()}"
            elif path.is_file():
                star = "*" if path.stat().st_mode & stat.S_IXUSR else ""
                found[key] = star + path.read_text(errors="replace")
    return found


def left_behind(directory: Path) -> list[str]:
    """Hidden things beside the target."""
    return sorted(path.name for path in directory.iterdir() if path.name.startswith(".") and path.name != ".git")


@pytest.fixture
def server() -> Iterator[Bytes]:
    """A server of bytes, for this test alone."""
    with serving() as found:
        yield found


@pytest.fixture
def big(repo: RepoStory, server: Bytes) -> RepoStory:
    """A version whose file lies on the LFS server, and not in this clone."""
    repo.write("models/churn.pkl", server.keep(BIG)).commit("Train")
    repo.git("remote", "add", "origin", f"{server.url}/repository.git")
    repo.git("config", "lfs.url", f"{server.url}/lfs")
    repo.git("config", "lfs.transfer.maxretries", "1")
    repo.register("churn", "v1.0.0", offline=True)
    return repo

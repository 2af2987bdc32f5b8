"""What the stories about many clones stand on: a Git server for all of them, and for each a repository of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import servers
from tests.remotes.story import Clones
from tests.servers import GitServer, Proxy

_spaces = itertools.count(1)


@pytest.fixture(scope="session")
def _one_git_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    reason = servers.missing()
    if reason is not None:
        pytest.skip(reason)
    with servers.serve(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def git_server(_one_git_server: GitServer) -> GitServer:
    """The Git server, with names of this test's own."""
    return replace(_one_git_server, space=str(next(_spaces)))


@pytest.fixture
def proxy(git_server: GitServer) -> Iterator[Proxy]:
    """A way to the Git server that counts bytes and can fail."""
    with servers.serve_proxy(git_server) as one:
        yield one


@pytest.fixture
def clones(git_server: GitServer, tmp_path: Path) -> Clones:
    """Clones of one repository on the server, which has one commit that declares `churn`."""
    return Clones.begin(git_server, tmp_path)

"""A registry to program against, which must never print."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry import Registry
from tests.story import RepoStory


@pytest.fixture(autouse=True)
def _nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.fixture
def reg(repo: RepoStory) -> Registry:
    """The registry of `repo`."""
    return repo.registry

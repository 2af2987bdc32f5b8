"""A registry to program against, which must never print."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry import Registry
from tests.providers.conftest import provider
from tests.story import RepoStory

__all__ = ["provider"]


@pytest.fixture(autouse=True)
def _nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.fixture
def reg(repo: RepoStory) -> Registry:
    """The registry of `repo`."""
    return repo.registry

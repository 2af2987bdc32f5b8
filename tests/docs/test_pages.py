"""Every page can be followed: what it tells its reader to type works as it stands, in that order."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, name, pages
from tests.docs.reader import Reader, there
from tests.story import RepoStory

COMMANDS = {"sh", "console", "python"}
DATA = {"yaml", "json", "text", "abnf", "toml"}
TYPED = [
    page
    for page in pages()
    if name(page) != "docs/cli.md"  # of which test_help.py is
    and any(block.language in COMMANDS for block in blocks(page))
]


@pytest.mark.parametrize("page", TYPED, ids=name)
def test_a_page_can_be_followed(page: Path, repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list(blocks(page))
    needed = [package for block in told if block.word == "needs" for package in block.text.split()]
    missing = [package for package in needed if not there(package)]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    monkeypatch.chdir(repo.path)
    for name_of_ours in ("WORLD", "CHECKOUT"):
        monkeypatch.setenv(name_of_ours, "")
    reader = Reader(repo, tmp_path / "world")

    with warnings.catch_warnings():
        if needed:
            warnings.simplefilter("ignore")  # other people's packages warn of each other
        for block in told:
            if block.word != "needs":
                reader.follow(block)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in blocks(page):
        assert block.language in COMMANDS | DATA, block

"""What listings say is kept between commands, and the refs alone decide whether it is taken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.core.overview import Overview, overview
from registry.plumbing import cache
from registry.plumbing.process import Git
from registry.repository import Repository, open_repository
from tests.story import RepoStory


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_WORTH", 0)


@pytest.fixture
def life(repo: RepoStory) -> RepoStory:
    """Two models, one of them in two stages, and tags that are none of ours."""
    repo.write(
        "registry.yaml", "models:\n  churn: {path: models/churn.pkl}\n  price: {path: models/churn.pkl}\n"
    ).commit()
    repo.register("churn", "v1.0.0").assign("churn", "staging").assign("churn", "production").train()
    repo.register("churn", "v1.1.0").register("price", "v0.1.0")
    return repo.tag("v1.0.0").tag("churn", light=True).tag("churn@light", light=True).tag("price@v9.0.0", light=True)


def _file(repo: RepoStory) -> Path:
    return repo.path / ".git" / "registry" / "overviews"


def _opened(repo: RepoStory) -> Repository:
    return open_repository(str(repo.path))


def _from_tags(repo: RepoStory) -> dict[str, Overview]:
    return {name: overview(state) for name, state in _opened(repo).states.items()}


_CHANGES: dict[str, Callable[[RepoStory], object]] = {
    "nothing": lambda _: None,
    "a version": lambda repo: repo.train() and repo.register("churn", "v2.0.0"),
    "a stage": lambda repo: repo.assign("churn@v1.1.0", "production"),
    "a label": lambda repo: repo.registry_at().annotate("churn@v1.1.0", labels=["checked"]),
    "gone": lambda repo: repo.deregister("churn@v1.1.0"),
    "deleted": lambda repo: repo.git("tag", "-d", "churn@v1.1.0"),
    "deprecated": lambda repo: repo.registry_at().deprecate("price"),
    "light": lambda repo: repo.git("tag", "-f", "churn@v1.1.0", "HEAD"),
    "another": lambda repo: repo.tag("other@v1.0.0"),
    "a prefix": lambda repo: repo.tag("churn-eu@v1.0.0").tag("churn#prod/eu#9", "Registry: 1"),
    "no event any more": lambda repo: repo.git("tag", "-d", "price@v0.1.0"),
    "packed": lambda repo: repo.git("pack-refs", "--all"),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_what_is_kept_says_what_the_tags_say(life: RepoStory, change: str) -> None:
    assert _opened(life).overviews == _from_tags(life)

    _CHANGES[change](life)

    for _ in range(2):
        assert _opened(life).overviews == _from_tags(life)
    assert list(_opened(life).overviews) == sorted(_from_tags(life))


def test_only_what_has_changed_is_read(life: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[str]] = []
    read_of = cache._read_of

    def listening(git: Git, names: list[str]) -> object:
        read.append(names)
        return read_of(git, names)

    monkeypatch.setattr(cache, "_read_of", listening)
    for _ in range(2):
        assert _opened(life).overviews
    life.assign("price", "staging")

    assert _opened(life).overviews["price"].stages == {"staging": "v0.1.0"}
    assert read == [[], ["price"]]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, "version", "rows", "stages", "names"]
)
def test_a_file_that_is_damaged_is_nobody_s(life: RepoStory, damage: bytes | str) -> None:
    assert _opened(life).overviews
    words = json.loads(_file(life).read_bytes())
    match damage:
        case "version":
            words["format"] = "1 0.0.0"
            for row in words["artifacts"].values():
                row[1] = None
        case "rows":
            words["artifacts"]["churn"] = 3
        case "stages":
            words["artifacts"]["churn"][1][2] = ["production"]
        case "names":
            del words["artifacts"]["churn"][1][0]
    _file(life).write_bytes(damage if isinstance(damage, bytes) else json.dumps(words).encode())

    assert _opened(life).overviews == _from_tags(life)


def test_what_an_object_would_say_that_is_missing_is_not_kept(life: RepoStory, tmp_path: Path) -> None:
    oid = life.git("rev-parse", "churn@v1.1.0")
    file = life.path / ".git" / "objects" / oid[:2] / oid[2:]
    file.rename(tmp_path / "object")
    assert _opened(life).overviews["churn"].latest == "v1.0.0"

    (tmp_path / "object").rename(file)

    assert _opened(life).overviews["churn"].latest == "v1.1.0"


def test_a_tag_that_moves_while_it_is_read_is_not_kept_under_its_old_name(
    life: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _opened(life).overviews
    life.assign("churn@v1.0.0", "archive")
    read_of = cache._read_of
    oid = life.git("rev-parse", "churn@v1.1.0")

    def late(*said: object) -> object:
        life.git("tag", "-d", "churn@v1.1.0")
        return read_of(*said)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(cache, "_read_of", late)
        assert _opened(life).overviews["churn"].latest == "v1.0.0"
    life.git("update-ref", "refs/tags/churn@v1.1.0", oid)

    assert _opened(life).overviews["churn"].latest == "v1.1.0"


def test_processes_that_read_at_once_are_right(life: RepoStory) -> None:
    code = (
        "import sys; from registry.plumbing import cache; cache._WORTH = 0\n"
        "from registry.repository import open_repository\n"
        "for _ in range(20): print(open_repository(sys.argv[1]).overviews['churn'].latest)"
    )
    readers = [
        subprocess.Popen([sys.executable, "-c", code, str(life.path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for n in range(2, 6):
        life.train()
        life.register("churn", f"v{n}.0.0")

    said = [reader.communicate()[0].split() for reader in readers]

    assert [reader.returncode for reader in readers] == [0] * 4
    assert all(words == sorted(words) and len(words) == 20 for words in said)
    assert _opened(life).overviews == _from_tags(life)
    assert [file.name for file in _file(life).parent.iterdir() if file.name.startswith("new-")] == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_repository_that_cannot_be_written_is_read(life: RepoStory) -> None:
    (life.path / ".git").chmod(0o555)
    try:
        assert _opened(life).overviews == _from_tags(life)
    finally:
        (life.path / ".git").chmod(0o755)


def test_a_file_in_place_of_our_directory_stops_nobody(repo: RepoStory) -> None:
    repo.tag("churn@v1.0.0")
    (repo.path / ".git" / "registry").write_text("")

    assert _opened(repo).overviews == _from_tags(repo)


def test_a_few_tags_leave_nothing_behind(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    repo.tag("churn@v1.0.0")

    assert _opened(repo).overviews == _from_tags(repo)
    assert not _file(repo).exists()

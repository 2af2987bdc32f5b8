"""Long answers: on a terminal through the person's pager, as Git chooses it; anywhere, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.cli import out
from registry.core.events import Event
from registry.core.manifest import Json
from tests.cli.conftest import Typing
from tests.cli.terminal import on_terminal, plain
from tests.story import RepoStory

ENV = {"GIT_PAGER": "sed 's/^/PAGED /'"}


@pytest.fixture
def long(repo: RepoStory) -> RepoStory:
    """More events than a terminal has lines."""
    repo.register("churn", "v1.0.0")
    for n in range(12):
        repo.assign("churn@v1.0.0", f"stage-{n}").unassign("churn@v1.0.0", f"stage-{n}")
    return repo


@pytest.mark.parametrize("words", ["history churn", "history --json", "show churn --json"])
def test_what_is_longer_than_the_screen_goes_through_the_pager(long: RepoStory, words: str) -> None:
    code, plainly = on_terminal(*words.split(), cwd=long.path)
    paged_code, paged = on_terminal(*words.split(), cwd=long.path, env=ENV)

    assert code == paged_code == 0
    assert paged == "".join(f"PAGED {line}\n" for line in plainly.splitlines())


def test_what_fits_does_not(long: RepoStory) -> None:
    _, screen = on_terminal("show", cwd=long.path, env=ENV)

    assert "churn" in screen
    assert "PAGED" not in screen


def test_nothing_is_paged_in_a_pipe(long: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_PAGER", "false")

    assert len(long.cli("history").out.splitlines()) == 25


def test_less_is_told_what_git_tells_it(long: RepoStory) -> None:
    _, screen = on_terminal("history", cwd=long.path, env={"GIT_PAGER": "echo $LESS; cat >/dev/null"})
    _, own = on_terminal("history", cwd=long.path, env={"GIT_PAGER": "echo $LESS; cat >/dev/null", "LESS": "S"})

    assert (screen, own) == ("FRX\n", "S\n")


def test_a_pager_that_is_not_there_costs_nothing(long: RepoStory) -> None:
    code, screen = on_terminal("history", cwd=long.path, env={"GIT_PAGER": "no-such-pager"})

    assert code == 0
    assert plain(screen).count("assignment") == 24


def test_a_pager_that_is_left_early_ends_well(long: RepoStory) -> None:
    code, screen = on_terminal("history", "--json", cwd=long.path, env={"GIT_PAGER": "head -1"})

    assert (code, screen) == (0, "{\n")


@pytest.mark.parametrize(
    ("git_pager", "of_the_person", "variable", "shown_by"),
    [
        ("echo GIT_PAGER", "echo core.pager", "echo PAGER", "GIT_PAGER"),
        (None, "echo core.pager", "echo PAGER", "core.pager"),
        (None, None, "echo PAGER", "PAGER"),
        ("", "echo core.pager", "echo PAGER", None),
        (None, "cat", "echo PAGER", None),
    ],
)
def test_the_pager_is_the_one_that_git_would_take(
    long: RepoStory, git_pager: str | None, of_the_person: str | None, variable: str, shown_by: str | None
) -> None:
    long.git("config", "core.pager", "echo a stranger")
    if of_the_person is not None:
        long.git("config", "--global", "core.pager", of_the_person)

    _, screen = on_terminal("history", cwd=long.path, env={"GIT_PAGER": git_pager, "PAGER": variable})

    assert screen == f"{shown_by}\n" if shown_by else plain(screen).count("assignment") == 24


@pytest.mark.parametrize("items", [[], [1], [{"b": [], "c": "x\ny"}, [], "z", {"d": [1, 2]}]])
@pytest.mark.parametrize("before", [{}, {"name": "churn", "labels": [], "more": {"k": "]"}}])
@pytest.mark.parametrize("terminal", [False, True])
def test_a_list_written_item_by_item_is_the_same_json(
    items: list[Json], before: dict[str, Json], terminal: bool,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(out, "terminal", lambda: terminal)

    out.as_json_list("events", iter(items), before)

    assert capsys.readouterr().out == json.dumps({**before, "events": items}, indent=2 if terminal else None) + "\n"


def test_rows_are_printed_before_all_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = 0
    with (tmp_path / "stdout").open("w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)

        def rows() -> Iterator[list[str]]:
            nonlocal seen
            for n in range(100_000):
                seen = max(seen, n - (tmp_path / "stdout").read_text().count("\n")) if n % 5000 == 0 else seen
                yield [str(n)]

        out.table([out.Column("N")], rows())

    assert (tmp_path / "stdout").read_text().count("\n") == 100_000
    assert seen <= 5000


def test_a_table_of_events_works_out_no_metadata(
    long: RepoStory, typed: Typing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Event] = []
    monkeypatch.setattr("registry.porcelain.values.of_event", asked.append)

    assert [event.event for event in long.registry.history()].count("assignment") == 12
    assert len(typed.lines("history")) == 25
    assert asked == []

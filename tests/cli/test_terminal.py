"""On a terminal: headings, columns that fit, an ellipsis where they do not, colour with restraint."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.terminal import on_terminal, plain
from tests.story import RepoStory

LONG = "a-very-long-name-of-a-model/with-many-parts/and-more-of-them/until-it-is-too-wide"
STAGES = ("dev", "staging", "pre-production", "production", "champion", "shadow")


@pytest.fixture
def wide(empty: RepoStory) -> RepoStory:
    """Long names and words, wide letters, many stages."""
    empty.git("config", "user.name", "Zoë Ünï 株式会社")
    empty.write("m.json", json.dumps({f"metric-{n}": n / 7 for n in range(9)})).write(
        "registry.yaml",
        f"models:\n  churn: {{metrics: m.json, description: {'Who is about to leave ' * 8}}}\n"
        f"  {LONG}: {{description: {'顧客離反モデル、' * 12}}}\n",
    ).commit()
    for name in ("churn", LONG):
        empty.register(name, "v1.0.0-rc.1", message="第一版 " * 20)
        for stage in STAGES:
            empty.assign(name, stage, reason="株式会社の顧客離反 said so at length, and nobody could stop them")
    return empty


@pytest.mark.parametrize("columns", [80, 60, 120])
@pytest.mark.parametrize(
    "words", ["show", "show churn", "history", "history churn", "stages", "status", f"diff churn@1 {LONG}@1"]
)
def test_a_table_fits_with_its_heading(wide: RepoStory, words: str, columns: int) -> None:
    code, screen = on_terminal(*words.split(), columns=columns)

    table = [line for line in plain(screen).splitlines() if not line.startswith("description: ")]
    assert code == 0
    assert [line for line in table if cell_len(line) > columns] == []
    assert [line for line in table if line != line.rstrip()] == []
    assert any(line == line.upper() and "  " in line for line in table) or words.startswith("diff")
    assert "…" in screen or columns > 80
    assert len(table) == len(set(table)) + table.count("") - bool(table.count(""))  # one row a line, none broken in two


def test_columns_are_aligned_even_under_wide_letters(wide: RepoStory) -> None:
    _, screen = on_terminal("show")

    heading, churn, long = (line for line in plain(screen).splitlines() if line and "description" not in line)
    places = {cell_len(line[: line.index("v1.0.0-rc.1")]) for line in (churn, long)}
    assert places == {heading.index("LATEST")}


def test_a_version_that_is_asked_for_by_itself_tells_all_of_it(repo: RepoStory) -> None:
    said: dict[str, Any] = {
        "message": "Trained on March data",
        "params": {"depth": 4},
        "run": "https://lab.example.com/7",
    }
    repo.register("churn", "v1.0.0", labels=["reviewed"], tags={"team": "growth"}, **said)

    _, screen = on_terminal("show", "churn@v1.0.0")
    _, all_of_them = on_terminal("show", "churn")

    tail = plain(screen).split("\n\n")[-1].splitlines()
    assert tail[:-1] == [
        "message: Trained on March data", "params: depth=4", "tags: team=growth", "labels: reviewed",
        "run: https://lab.example.com/7",
    ]  # fmt: skip
    assert re.fullmatch(r"file: models/churn\.pkl sha256:[0-9a-f]{12} 10 B", tail[-1])
    assert "depth=4" not in all_of_them


def test_what_matters_stays_whole(wide: RepoStory) -> None:
    _, screen = on_terminal("history", "churn")

    rows = plain(screen).splitlines()
    assert rows[0].split() == ["DATE", "EVENT", "VERSION", "STAGE", "BY", "WHY"]
    assert re.match(r"2026-01-01 00:\d\d  assignment    v1.0.0-rc.1  pre-production  ", rows[4])


def test_a_listing_has_a_column_for_each_of_a_few_stages(life: RepoStory) -> None:
    _, screen = on_terminal("show")

    heading, churn, *_ = plain(screen).splitlines()
    assert heading.split() == ["NAME", "TYPE", "LATEST", "STAGING", "PRODUCTION", "UPDATED", "DESCRIPTION"]
    assert churn.split()[:6] == ["churn", "model", "v0.1.0", "v0.0.1", "v0.0.1", "2026-01-01"]


def test_one_artifact_has_a_head(life: RepoStory) -> None:
    _, screen = on_terminal("show", "churn")

    assert plain(screen).splitlines()[:6] == [
        "churn", "description: Who is about to leave", "type: model", "path: models/churn.pkl", "labels: tabular", "",
    ]  # fmt: skip


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize(
    "words", ["show", "show churn", "history", "check-ref churn@v0.0.1", "check", "doctor", "assign churn staging"]
)
def test_who_wants_no_colour_gets_none(life: RepoStory, words: str, env: dict[str, str]) -> None:
    life.tag("churn@v9.0.0", light=True)
    life.write("registry.yaml", "modls: {}\n")
    coloured, bare = on_terminal(*words.split())[1], on_terminal(*words.split(), env=env)[1]

    assert "\x1b" in coloured
    assert "\x1b" not in bare


def test_colours_are_not_what_says_it(life: RepoStory) -> None:
    assert plain(on_terminal("show")[1]) == on_terminal("show", env={"NO_COLOR": "1"})[1]


def test_a_plain_locale_shortens_in_ascii(wide: RepoStory) -> None:
    code, screen = on_terminal("show", env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})

    assert code == 0
    assert "~" in screen


def test_a_write_says_what_its_tags_mean(life: RepoStory) -> None:
    assert plain(on_terminal("assign", "churn", "staging")[1]) == "churn#staging#5  Assign churn v0.1.0 to staging\n"
    assert on_terminal("resolve", "churn")[1] == "v0.1.0\n"


def test_deletion_asks(life: RepoStory) -> None:
    code, screen = on_terminal("delete", "churn#staging#3", typed="n\n")
    assert code == 1
    assert screen.endswith("error: nothing was deleted\n")  # what was typed ahead is echoed before the question
    assert "churn#staging#3" in life.tags

    code, screen = on_terminal("delete", "churn#staging#3", typed="y\n")
    assert code == 0
    assert "Delete 1 tag for good? [y/N]" in screen
    assert "churn#staging#3" not in life.tags


def test_an_interrupted_question_deletes_nothing(life: RepoStory) -> None:
    code, screen = on_terminal("delete", "churn#staging#3", typed="\x04")

    assert (code, screen.splitlines()[-1]) == (130, "error: stopped")
    assert "churn#staging#3" in life.tags

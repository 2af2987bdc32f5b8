"""What must hold of the measuring itself; nothing here takes the time."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from tests.benchmarks import bars, commands, figures, page
from tests.benchmarks.corpus import Shape, fill, stream
from tests.benchmarks.figures import Series
from tests.benchmarks.process import Cost
from tests.benchmarks.series import Figure, summary


def _made(place: Path, shape: Shape) -> str:
    subprocess.run(["git", "init", "-q", "-b", "main", str(place)], check=True)
    fill(place, shape, os.environ)
    refs = subprocess.check_output(["git", "-C", str(place), "for-each-ref"])
    return hashlib.sha256(refs).hexdigest()


def test_a_repository_is_the_same_each_time(tmp_path: Path) -> None:
    packed = _made(tmp_path / "one", Shape(200))

    assert packed == _made(tmp_path / "two", Shape(200))
    assert packed == _made(tmp_path / "loose", Shape(200, packed=False))
    assert (tmp_path / "loose" / ".git" / "refs" / "tags" / "model-0001@v0.0.90").is_file()


def test_a_manifest_changes_with_every_commit_where_it_shall() -> None:
    same, changing = ("".join(stream(Shape(100, changing=changing))) for changing in (False, True))

    assert same.count("registry.yaml") == 2  # the first commit of main, and wanted
    assert changing.count("registry.yaml") == Shape(100).versions + 2


def test_a_figure_is_the_median_and_the_greatest_memory() -> None:
    costs = [Cost(3.0, 0.3, 30), Cost(1.0, 0.1, 10), Cost(2.0, 0.2, 90)]

    assert summary(costs, ("git",)) == Figure(2.0, 0.2, 90, 3, ("git",))
    assert summary([], ()).seconds is None


def test_figures_are_kept(tmp_path: Path) -> None:
    found = {
        "packed 100": Series("a machine", {"show": Figure(1.5, 1.0, 9, 3, ("git",)), "gto": Figure(None, 0, 0, 0)})
    }

    figures.save(tmp_path / "kept.jsonl", found)

    assert figures.load(tmp_path / "kept.jsonl") == found


def test_a_bar_is_judged_by_the_wall() -> None:
    click = Figure(0.1, 0.08, 0, 3)
    slow = Figure(0.31, 0.16, 26_000_000, 3, (commands.CLICK,))
    found = {"packed 100000": Series("", {commands.CLICK: click, commands.RESOLVE: slow})}

    verdicts = {verdict.bar: verdict for verdict in bars.verdicts(found)}

    resolve, *others = verdicts.values()
    assert (resolve.measured, resolve.met) == ("3.10 (CPU 2.00)", False)
    assert others[0].met is None
    assert others[-1].measured == "26 MB: `resolve A#S`"


def test_gto_that_was_killed_is_slower_than_its_two_minutes() -> None:
    series = Series("", {"gto show": Figure(None, 0, 0, 0), "show": Figure(0.5, 0.4, 0, 3, ("gto show",))})

    verdict = next(verdict for verdict in bars.verdicts({"gto 10000": series}) if "10,000" in verdict.bar)

    assert (verdict.measured, verdict.met) == ("show over 240", True)


def test_a_table_has_a_column_for_each_size() -> None:
    small = Series("2 cores", {"git": Figure(0.5, 0.5, 0, 3), "show": Figure(1.0, 1.0, 0, 3, ("git",))})
    large = Series("2 cores", {"git": Figure(5.0, 5.0, 0, 5), "show": Figure(20.0, 15.0, 99_000_000, 5, ("git",))})

    assert page.tables({"packed 100": small, "packed 1000": large})["packed"].splitlines() == [
        "| seconds at so many tags | 100 | 1,000 | to its yardstick | CPU to its | MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| `git` | 0.500 | 5.000 | | | |",
        "| `show` | 1.000 | 20 | 4.00 | 3.00 | 99 |",
        "",
        "Medians of 3 to 5 runs on 2 cores.",
    ]


def test_a_table_goes_between_its_marks_alone() -> None:
    text = "words\n<!-- a: begin -->\nold\n<!-- a: end -->\nmore <!-- b: begin -->\n"

    assert page.put(text, "a", "new") == text.replace("old", "new")

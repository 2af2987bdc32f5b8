"""How fast a version is resolved without a clone: `python -m tests.benchmarks.remote` writes docs/benchmarks.md anew.

Every figure is a whole process, the median of several runs taken in turn. Machines are shared and noisy: it is the
ratios that count.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import corpus
from tests.servers import missing, serve

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- remote: begin -->", "<!-- remote: end -->"
PATIENCE = 120.0  # seconds for GTO


def measure(home: Path, artifacts: int, tags: int, runs: int, gto: str | None) -> list[tuple[str, float | None]]:
    """The seconds of each thing that is measured; None where it did not end in time."""
    name = corpus.names(artifacts)[artifacts // 2]
    with serve(home / "server") as server:
        url = server.create("models.git")
        corpus.fill(server.path("models.git"), artifacts, tags)
        bare, cache = home / "bare", home / "cache"
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        specs = [f"+refs/tags/{name}{sign}*:refs/tags/{name}{sign}*" for sign in "@#"]
        fetch = ["git", "fetch", "-q", "--no-tags", "--depth=1", "--filter=tree:0", "--prune", "origin", *specs]

        def begin() -> None:
            shutil.rmtree(bare, ignore_errors=True)
            subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
            subprocess.run(["git", "-C", str(bare), "remote", "add", "origin", url], check=True)

        resolve = [sys.executable, "-m", "registry", "resolve", f"{name}#production", "--repo", url]
        things: list[tuple[str, Sequence[str], Path, Callable[[], None]]] = [
            ("python -c 'import click'", [sys.executable, "-c", "import click"], home, _nothing),
            ("git fetch of its tags, cold", fetch, bare, begin),
            ("git fetch of its tags, warm", fetch, bare, _nothing),
            ("registry resolve A#S --repo URL, cold", resolve, home, lambda: shutil.rmtree(cache, ignore_errors=True)),
            ("registry resolve A#S --repo URL, warm", resolve, home, _nothing),
        ]
        seconds: dict[str, list[float]] = {words: [] for words, *_ in things}
        for _ in range(runs):
            for words, command, place, before in things:
                before()
                seconds[words].append(_timed(command, place, environment))
        found: list[tuple[str, float | None]] = [(words, statistics.median(seconds[words])) for words, *_ in things]
        if gto is not None:
            found.append(("gto show A --repo URL", _bounded([gto, "show", name, "--repo", url], home, environment)))
    return found


def _nothing() -> None:
    pass


def _timed(command: Sequence[str], place: Path, environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _bounded(command: Sequence[str], place: Path, environment: dict[str, str]) -> float | None:
    began = time.perf_counter()
    try:
        subprocess.run(command, cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    return time.perf_counter() - began


def table(found: Sequence[tuple[str, float | None]], artifacts: int, tags: int) -> str:
    """The section of the page."""
    seconds = {words: value for words, value in found if value is not None}
    click = seconds["python -c 'import click'"]
    yardsticks = {warmth: click + seconds[f"git fetch of its tags, {warmth}"] for warmth in ("cold", "warm")}
    git = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True).stdout.split()[-1]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, git {git}"
    lines = [
        f"{artifacts:,} artifacts, {tags:,} tags, over HTTP on one machine ({machine}).",
        "The bar: at most 2.5 times the bare `git fetch` and",
        "`python -c 'import click'` together.",
        "",
        "| | seconds | to its yardstick |",
        "|---|---:|---:|",
    ]
    for words, value in found:
        warmth = words.rpartition(" ")[2]
        if value is None:
            ratio, shown = "", f"over {PATIENCE:.0f}, ended"
        else:
            ratio = f"{value / yardsticks[warmth]:.2f}" if words.startswith("registry") else ""
            shown = f"{value:.3f}"
        lines.append(f"| `{words}` | {shown} | {ratio} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and put it into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=int, default=1000)
    parser.add_argument("--tags", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--gto", help="the program `gto`, to compare with")
    said = parser.parse_args()
    if (reason := missing()) is not None:
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the server may run as another user
        found = table(measure(Path(place), said.artifacts, said.tags, said.runs, said.gto), said.artifacts, said.tags)
    print(found)
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{found}\n{END}{after}")


if __name__ == "__main__":
    main()

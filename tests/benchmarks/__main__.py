"""Measure everything: `python -m tests.benchmarks` writes docs/benchmarks.md anew, `--quick` prints the bars alone.

Every figure is a whole process, the median of several taken in turn with its yardstick. Machines are shared and noisy:
it is the ratios that count. What is interrupted keeps what was measured so far, and what is not measured again keeps
the figures that it had.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import bars, commands, figures, page, remote, signed
from tests.benchmarks.corpus import Shape
from tests.benchmarks.figures import KEPT, Series
from tests.benchmarks.series import Probe, measure
from tests.benchmarks.workshop import Workshop
from tests.servers import missing

SIZES = (100, 1000, 10_000, 100_000)
PARTS = ("packed", "loose", "changing", "growth", "gto", "url", "signed")
_LOOSE = 10_000  # tags: beyond, a file each takes 400 MB and seconds to make, and people pack (git gc does)
_GTO = 10_000  # tags: beyond, none of its commands ends in two minutes (DESIGN part 8)
_MILLION = 1_000_000


@dataclass
class Bench:
    """What is measured, with what, and what was found."""

    shop: Workshop
    runs: int
    found: dict[str, Series]

    def take(self, series: str, groups: Sequence[Sequence[Probe]]) -> None:
        """Measure `groups` one after the other; their figures replace those of the series."""
        known = self.found[series] = Series(machine())
        for probes in groups:
            measure(probes, self.runs, self.shop.environment, series, known.figures.__setitem__)

    def shapes(self, part: str, sizes: Sequence[int]) -> None:
        """One of the forms of a repository, in each size."""
        for size in sizes:
            shape = Shape(size, packed=part != "loose", changing=part == "changing")
            make = commands.groups if part == "packed" else commands.few
            self.take(f"{part} {size}", make(self.shop, shape))

    def gto(self, sizes: Sequence[int]) -> None:
        """Against GTO."""
        for size in sizes:
            self.take(f"gto {size}", [commands.beside_gto(self.shop, Shape(size))])

    def growth(self) -> None:
        """What other models' tags cost a writer."""
        self.take("growth", [commands.growing(self.shop, bars.SMALL, bars.LARGE)])

    def url(self) -> None:
        """A repository that is not here."""
        if (reason := missing()) is not None:
            print(f"url: {reason}", file=sys.stderr)
            return
        with remote.served(self.shop, bars.LARGE) as probes:
            self.take("url", [probes])

    def signed(self) -> None:
        """Signatures, against those who verify them."""
        self.take("signed", [signed.probes(self.shop)])

    def million(self) -> None:
        """Ten times the largest, once."""
        shape = Shape(_MILLION)
        self.take(f"packed {_MILLION}", [commands.reading_one(self.shop, shape), commands.listing(self.shop, shape)])

    def quick(self) -> None:
        """What the bars ask about, without GTO and without a server."""
        groups = commands.groups(self.shop, bars.LARGE)
        barred = {commands.RESOLVE, commands.FIRST, commands.AGAIN, commands.HEAVIEST, commands.APPLY}
        barred |= set(commands.COMPLETIONS)
        marks = {commands.CLICK, commands.BESIDE, commands.CONTENTS, commands.BARE_APPLY}
        named = f"packed {bars.LARGE.tags}"
        self.take(named, [[probe for probe in group if probe.label in barred | marks] for group in groups])
        self.growth()


def machine() -> str:
    """What the figures were taken on, and with."""
    git = subprocess.run(["git", "--version"], capture_output=True, check=True, text=True).stdout.split()[2]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, git {git}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the bars alone, in two minutes; the page stays as it is")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=SIZES, help="so many tags")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="those alone")
    parser.add_argument("--million", action="store_true", help="a million tags instead")
    parser.add_argument("--gto", metavar="PATH", help="the program `gto`; otherwise it is installed")
    parser.add_argument("--runs", type=int, default=5, help="how often; what is short, three times so often")
    return parser.parse_args()


def _steps(bench: Bench, said: argparse.Namespace) -> list[Callable[[], None]]:
    if said.quick:
        return [bench.quick]
    if said.million:
        return [bench.million]
    steps: dict[str, Callable[[], None]] = {
        "packed": lambda: bench.shapes("packed", said.sizes),
        "loose": lambda: bench.shapes("loose", [size for size in said.sizes if size <= _LOOSE]),
        "changing": lambda: bench.shapes("changing", said.sizes),
        "growth": bench.growth,
        "gto": lambda: bench.gto([size for size in said.sizes if size <= _GTO]),
        "url": bench.url,
        "signed": bench.signed,
    }
    return [step for part, step in steps.items() if part in said.parts]


def main() -> None:
    """Measure, and write what was found."""
    said = _arguments()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the server may run as another user
        shop = Workshop(Path(place), said.gto)
        bench = Bench(shop, 1, {}) if said.quick else Bench(shop, said.runs, figures.load(KEPT))
        try:
            for step in _steps(bench, said):
                step()
        except KeyboardInterrupt:
            sys.exit("stopped; what was measured so far is kept")
        except subprocess.CalledProcessError as error:
            words = (error.stderr or b"").decode(errors="replace").strip()
            sys.exit(f"{error}: {words}; what was measured before is kept")
        finally:
            _tell(bench.found, said.quick)


def _tell(found: Mapping[str, Series], quick: bool) -> None:
    if quick:
        print(page.judged(bars.verdicts(found)))
        return
    figures.save(KEPT, found)
    page.write(page.PAGE, found)


if __name__ == "__main__":
    main()

"""Look for bytes that break a promise: `python -m tests.fuzz [TARGET...] --seconds 60`, by atheris (extra `fuzz`).

Each target runs in a process of its own. What reaches new code gathers in DIR/TARGET (`--into DIR`), what breaks
something in DIR/TARGET-crash-..., what was said in DIR/TARGET.log. `--keep DIR` puts the best of it into the corpus.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS

_WORDS = Path(__file__).parent / "words.dict"
_CRASHES = 5  # of one target: then somebody has to look


def main() -> int:
    """1 where something is broken, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what parses foreign bytes.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"all, where none is named: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target (default: 60)")
    parser.add_argument("--into", type=Path, default=Path(".fuzz"), metavar="DIR", help="default: .fuzz")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="fuzz nothing; put the best of DIR into the corpus")
    said = parser.parse_args()
    names = said.targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"no target is called {unknown[0]}: there is {', '.join(TARGETS)}")
    if said.keep is not None:
        for name in names:
            found = [*corpus.seeds(name), *corpus.inputs(said.keep / name)]
            files = corpus.keep(name, TARGETS[name], found)
            print(f"{name}: {len(files)} files, {sum(file.stat().st_size for file in files)} bytes", flush=True)
        return 0
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install -e '.[fuzz]'")
    broken = [name for name in names if not _holds(name, said.into.resolve(), said.seconds)]
    if broken:
        print(f"broken: {', '.join(broken)}; {said.into} has the bytes, and a log of each", file=sys.stderr)
    return 1 if broken else 0


def _holds(name: str, into: Path, seconds: int) -> bool:
    """Fuzz one target for so long, and say what came of it; whether nothing broke."""
    room, kept = into / name, corpus.KEPT / name
    for directory in (room, kept):
        directory.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(corpus.seeds(name)):
        (room / f"seed-{number}").write_bytes(seed)
    log, end = into / f"{name}.log", time.monotonic() + seconds
    ran = crashes = 0
    with log.open("wb") as words:
        while crashes < _CRASHES and (left := round(end - time.monotonic())) > 0:
            start = words.tell()
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "tests.fuzz.worker", name, str(room), str(kept)),
                    *(f"-max_total_time={left}", f"-dict={_WORDS}", f"-artifact_prefix={into / name}-"),
                    *("-timeout=60", "-rss_limit_mb=1500", "-max_len=4096", "-print_final_stats=1", "-verbosity=1"),
                ],
                cwd=Path(__file__).parents[2],
                stdout=words,
                stderr=words,
                check=False,
            )
            crashes += done.returncode != 0
            said = log.read_bytes()[start:]
            executions = re.findall(rb"stat::number_of_executed_units: ([0-9]+)", said)
            ran += int(executions[-1]) if executions else 0
            if done.returncode != 0 and not executions:
                break  # it could not even begin
    print(f"{name}: {ran} executions, {crashes} crashes", flush=True)
    return crashes == 0


if __name__ == "__main__":
    sys.exit(main())

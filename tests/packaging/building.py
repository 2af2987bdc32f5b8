"""Building the sdist and the wheel: what is committed, at the date of its commit, and nothing of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]


def export(revision: str, to: Path) -> int:
    """Write the files of a commit to a directory; the commit's date, in seconds since the epoch."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(to, filter="data")
    dated = ["git", "show", "--no-patch", "--format=%ct", revision]
    return int(subprocess.run(dated, cwd=ROOT, capture_output=True, check=True, text=True).stdout)


def build(source: Path, to: Path, epoch: int) -> list[Path]:
    """Build the sdist of a source tree, and the wheel from that sdist as installers do; both files, sorted.

    SOURCE_DATE_EPOCH is what reproducible-builds.org says; hatchling heeds it.
    """
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    hatchling = [sys.executable, "-m", "hatchling", "build", "--directory", str(to)]
    subprocess.run([*hatchling, "--target", "sdist"], cwd=source, env=env, check=True, stdout=subprocess.DEVNULL)
    [sdist] = to.glob("*.tar.gz")
    unpacked = to / "unpacked"
    with tarfile.open(sdist) as files:
        files.extractall(unpacked, filter="data")
    [inside] = unpacked.iterdir()
    subprocess.run([*hatchling, "--target", "wheel"], cwd=inside, env=env, check=True, stdout=subprocess.DEVNULL)
    return sorted(file for file in to.iterdir() if file.is_file())


def lowest(requirements: list[str]) -> list[str]:
    """The constraints that hold each requirement at the lowest version that it allows."""
    found = (re.match(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", one) for one in requirements)
    return [f"{match[1]}=={match[2]}" for match in found if match is not None]

"""`python -m tests.packaging DIRECTORY [TAG]`: build HEAD twice, and keep what comes out if it is the same both times.

With a tag, its version has to be that of the program. `--lowest` prints constraints that hold what the package depends
on, with the extra `ui`, at its lowest.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from registry import __version__
from tests.packaging.building import build, export, lowest


def main(arguments: list[str]) -> None:
    """Do what the arguments say; exit with a line where it cannot be."""
    if arguments == ["--lowest"]:
        needed = metadata.requires("git-registry") or []
        print("\n".join(lowest([one for one in needed if "extra ==" not in one or "extra == 'ui'" in one])))
        return
    directory, *tag = arguments
    if tag and tag != [f"v{__version__}"]:
        sys.exit(f"{tag[0]} is no name for {__version__}: registry/_version.py says the version")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        built = []
        for place in (Path(one), Path(other)):
            epoch = export("HEAD", place / "source")
            (place / "dist").mkdir()
            built.append(build(place / "source", place / "dist", epoch))
        first, second = built
        if [file.read_bytes() for file in first] != [file.read_bytes() for file in second]:
            sys.exit("two builds of one commit differ")
        Path(directory).mkdir(parents=True, exist_ok=True)
        for file in first:
            print(shutil.copy(file, directory))


main(sys.argv[1:])

"""A repository whose versions are pulled, and what a directory holds."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def held(directory: Path) -> dict[str, str]:
    """What lies below a directory: of files the text, of executables with a "*" before it, of links "-> TARGET"."""
    found = {}
    for place, directories, names in os.walk(directory):
        for name in [*names, *directories]:
            path = Path(place) / name
            key = path.relative_to(directory).as_posix()
            if path.is_symlink():
                found[key] = f"-> {path.readlink()}"
            elif path.is_file():
                star = "*" if path.stat().st_mode & stat.S_IXUSR else ""
                found[key] = star + path.read_text(errors="replace")
    return found


def left_behind(directory: Path) -> list[str]:
    """Hidden things beside the target."""
    return sorted(path.name for path in directory.iterdir() if path.name.startswith(".") and path.name != ".git")

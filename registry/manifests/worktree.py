"""The files that a manifest names, as they lie in the work tree."""

from __future__ import annotations

import itertools
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path

from registry.manifests.documents import MAX_BYTES
from registry.manifests.files import MAX_NAMES, NOWHERE, Files
from registry.manifests.outputs import declares


class WorkTree(Files):
    """Answers questions about the files below `root`; `manifests` are those that have been read already, by path."""

    def __init__(self, root: Path, manifests: Mapping[str, bytes]) -> None:
        super().__init__(manifests)
        self._root = os.path.realpath(root)
        self._names: dict[str, list[str]] = {}

    def has(self, path: str) -> bool:
        """Whether there is a file, a directory or a link of this name."""
        return os.path.lexists(self._full(path))

    def is_directory(self, path: str) -> bool:
        """Whether `path` is a directory."""
        return os.path.isdir(self._full(path))  # noqa: PTH112  (pathlib builds an object a path: 5 times slower)

    def led(self, path: str) -> str | None:
        """Where `path` leads, all links followed; None where that is outside of the work tree."""
        try:
            real = os.path.realpath(self._full(path))
        except (OSError, ValueError):  # a name that the file system cannot have, which therefore leads nowhere
            return path
        if real == self._root:
            return "."
        if os.path.islink(real):  # noqa: PTH114  (a circle: else no link would be left)
            return NOWHERE
        top = self._root.rstrip(os.sep) + os.sep
        return real[len(top) :].replace(os.sep, "/") if real.startswith(top) else None

    def names_in(self, directory: str) -> list[str]:
        """Some of the names in a directory, sorted."""
        if directory not in self._names:
            try:
                with os.scandir(self._full(directory)) as entries:
                    self._names[directory] = sorted(entry.name for entry in itertools.islice(entries, MAX_NAMES))
            except OSError:
                self._names[directory] = []
        return self._names[directory]

    def dvc_files_in(self, directory: str) -> dict[str, bytes]:
        """The files of a directory in which DVC says what it makes, by path."""
        found = {}
        try:
            with os.scandir(self._full(directory)) as entries:
                for entry in entries:
                    ours = declares(entry.name)
                    if ours and entry.is_file(follow_symlinks=False) and entry.stat().st_size <= MAX_BYTES:
                        found[posixpath.join(directory, entry.name)] = Path(entry.path).read_bytes()
        except OSError:  # no such directory, or one that we may not read: nothing is declared in it
            return {}
        return found

    def _full(self, path: str) -> str:
        return f"{self._root}{os.sep}{path}"

"""The files that a manifest names, as they lie in the work tree."""

from __future__ import annotations

import itertools
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path

from registry.core.select import nearest
from registry.manifests.documents import MAX_BYTES
from registry.manifests.outputs import dvc_outputs, is_output

_MAX_NAMES = 500  # of a directory, to guess among
_MAX_GUESSES = 50  # in one check: guessing is slow, and who misses more files has another problem


class WorkTree:
    """Answers questions about the files below `root`; `files` are those that have been read already, by path."""

    def __init__(self, root: Path, files: Mapping[str, bytes]) -> None:
        self._root = os.path.realpath(root)
        self._files = files
        self._outputs: dict[str, frozenset[str]] = {}
        self._names: dict[str, list[str]] = {}
        self._guesses = _MAX_GUESSES

    def has(self, path: str) -> bool:
        """Whether there is a file, a directory or a link of this name."""
        return os.path.lexists(self._full(path))

    def is_directory(self, path: str) -> bool:
        """Whether `path` is a directory."""
        return os.path.isdir(self._full(path))  # noqa: PTH112  (pathlib builds an object a path: 5 times slower)

    def leads_out(self, path: str) -> bool:
        """Whether a link on the way to `path` leads out of the work tree."""
        try:
            real = os.path.realpath(self._full(path))
        except (OSError, ValueError):  # a name that the file system cannot have, which therefore leads nowhere
            return False
        return real != self._root and not real.startswith(self._root.rstrip(os.sep) + os.sep)

    def is_output(self, path: str) -> bool:
        """Whether DVC declares `path`, in `files` or in a file of a directory above it."""
        directories = ["", *_parents(path)]
        return any(is_output(path, self._outputs_of(directory)) for directory in ["?files", *directories])

    def guess(self, path: str) -> str | None:
        """The path that was probably meant by one that is not there, or None."""
        parent, parts = "", path.split("/")
        for position, part in enumerate(parts):
            if self.has(posixpath.join(parent, part)):
                parent = posixpath.join(parent, part)
                continue
            self._guesses -= 1
            close = nearest(part, self._names_in(parent)) if self._guesses >= 0 and len(part) <= 200 else None
            found = posixpath.join(parent, close or "", *parts[position + 1 :])
            return found if close is not None and self.has(found) else None
        return None

    def _full(self, path: str) -> str:
        return f"{self._root}{os.sep}{path}"

    def _outputs_of(self, directory: str) -> frozenset[str]:
        if directory not in self._outputs:
            files = self._files if directory == "?files" else self._dvc_files_in(directory)
            self._outputs[directory] = dvc_outputs(files)
        return self._outputs[directory]

    def _dvc_files_in(self, directory: str) -> dict[str, bytes]:
        found = {}
        try:
            with os.scandir(self._full(directory)) as entries:
                for entry in entries:
                    ours = entry.name == "dvc.yaml" or entry.name.endswith(".dvc")
                    if ours and entry.is_file(follow_symlinks=False) and entry.stat().st_size <= MAX_BYTES:
                        found[posixpath.join(directory, entry.name)] = Path(entry.path).read_bytes()
        except OSError:  # no such directory, or one that we may not read: nothing is declared in it
            return {}
        return found

    def _names_in(self, directory: str) -> list[str]:
        if directory not in self._names:
            try:
                with os.scandir(self._full(directory)) as entries:
                    self._names[directory] = sorted(entry.name for entry in itertools.islice(entries, _MAX_NAMES))
            except OSError:
                self._names[directory] = []
        return self._names[directory]


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]

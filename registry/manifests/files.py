"""What `check` asks of the files that a manifest names, wherever they lie: in a work tree, or in a commit."""

from __future__ import annotations

import posixpath
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from registry.core.select import nearest
from registry.manifests.outputs import dvc_outputs, is_output
from registry.manifests.pipeline import unfilled

MAX_NAMES = 500  # of a directory, to guess among
NOWHERE = "\0"  # where a circle of links leads: nothing is called so
_MAX_GUESSES = 50  # in one check: guessing is slow, and who misses more files has another problem


class Files(ABC):
    """Answers questions about files by their paths from the root; `manifests` are those that have been read already."""

    def __init__(self, manifests: Mapping[str, bytes]) -> None:
        self._manifests = manifests
        self._outputs: dict[str, frozenset[str]] = {}
        self._guesses = _MAX_GUESSES

    @abstractmethod
    def has(self, path: str) -> bool:
        """Whether there is a file, a directory or a link of this name."""

    @abstractmethod
    def is_directory(self, path: str) -> bool:
        """Whether `path` is a directory."""

    @abstractmethod
    def led(self, path: str) -> str | None:
        """Where `path` leads, all links followed; None where that is outside of the repository."""

    @abstractmethod
    def names_in(self, directory: str) -> Sequence[str]:
        """Some of the names in a directory ("" for the root), sorted; none where there is no such directory."""

    @abstractmethod
    def dvc_files_in(self, directory: str) -> Mapping[str, bytes]:
        """The files of a directory in which DVC says what it makes, by path."""

    def unfilled(self, path: str) -> tuple[str, ...]:
        """The templates of metrics and params that DVC names for `path`, and that no dvc.lock fills in."""
        return unfilled(
            path, {name: data for one in ["", *_parents(path)] for name, data in self.dvc_files_in(one).items()}
        )

    def is_output(self, path: str) -> bool:
        """Whether DVC declares `path`, in a manifest or in a file of a directory above it."""
        if is_output(path, self._outputs_of("?manifests")):
            return True
        for directory in ["", *_parents(path)]:
            if directory and not self.is_directory(directory):
                return False  # nor is what lies below
            if is_output(path, self._outputs_of(directory)):
                return True
        return False

    def holds_output(self, path: str) -> bool:
        """Whether DVC declares something below `path`, in a manifest or in a file of a directory above it."""
        known = ["?manifests", "", *(one for one in _parents(path) if self.is_directory(one))]
        return any(out.startswith(f"{path}/") for one in known for out in self._outputs_of(one))

    def outputs_of(self, path: str) -> list[str]:
        """What DVC makes by the file at `path`."""
        directory, _ = posixpath.split(path)
        there = self.dvc_files_in(directory)
        return sorted(dvc_outputs({path: there[path]})) if path in there else []

    def guess(self, path: str) -> str | None:
        """The path that was probably meant by one that is not there, or None."""
        parent, parts = "", path.split("/")
        for position, part in enumerate(parts):
            if self.has(posixpath.join(parent, part)):
                parent = posixpath.join(parent, part)
                continue
            self._guesses -= 1
            close = nearest(part, self.names_in(parent)) if self._guesses >= 0 and len(part) <= 200 else None
            found = posixpath.join(parent, close or "", *parts[position + 1 :])
            return found if close is not None and self.has(found) else None
        return None

    def _outputs_of(self, directory: str) -> frozenset[str]:
        if directory not in self._outputs:
            files = self._manifests if directory == "?manifests" else self.dvc_files_in(directory)
            self._outputs[directory] = dvc_outputs(files)
        return self._outputs[directory]


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]

"""How far a pull is: bytes, counted where they are written or where another program writes them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_LOOK = 0.2  # seconds between two looks at what another program has written


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes that are there and bytes that are wanted; `total` grows as more of them become known."""

    done: int
    total: int


@dataclass
class Meter:
    """Counts, and tells; what it tells never goes back."""

    tell: Callable[[Progress], None]
    done: int = 0
    total: int = 0
    _told: int = field(default=0, repr=False)

    def expect(self, size: int) -> None:
        """So many more are wanted."""
        self.total += size

    def add(self, size: int) -> None:
        """So many more are there."""
        self.done += size
        self._say(self.done)

    def _say(self, done: int) -> None:
        self._told = max(self._told, done)
        self.tell(Progress(self._told, max(self.total, self._told)))

    @contextmanager
    def watching(self, directory: Path) -> Iterator[None]:
        """While another program downloads into `directory`, tell how much is there, from a thread."""
        ended = threading.Event()
        before = size_below(directory)

        def look() -> None:
            while not ended.wait(_LOOK):
                self._say(self.done + max(0, size_below(directory) - before))

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def size_below(directory: Path) -> int:
    """The bytes in all files below a directory."""
    total = 0
    for place, _, files in os.walk(directory):
        for name in files:
            with suppress(OSError):  # renamed since it was listed
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118  (many times a second)
    return total

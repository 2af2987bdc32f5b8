"""Long lists, a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

SIZE = 50  # rows of one page

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One page of a list: the page's `number` from 1, of so many `pages`, and `total` rows in all."""

    items: Sequence[T]
    number: int
    pages: int
    total: int
    first: int

    @property
    def last(self) -> int:
        """The place of its last row, from 1, as `first` is that of its first."""
        return self.first + len(self.items) - 1

    @property
    def near(self) -> list[int | None]:
        """The pages to offer: the first, the last, and those around this one; None where some are left out."""
        shown = [n for n in range(1, self.pages + 1) if n in {1, self.pages} or abs(n - self.number) <= 1]
        offered: list[int | None] = []
        for n in shown:
            if offered and offered[-1] is not None and n - offered[-1] > 1:
                offered.append(None)
            offered.append(n)
        return offered


def count(total: int, size: int = SIZE) -> int:
    """How many pages so many rows take: an empty list has one, too."""
    return max(1, -(-total // size))


def part(items: Sequence[T], number: int, size: int = SIZE) -> Part[T] | None:
    """The page `number` of a list, or None where it has no such page."""
    pages = count(len(items), size)
    if not 1 <= number <= pages:
        return None
    start = (number - 1) * size
    return Part(items[start : start + size], number, pages, len(items), start + 1)

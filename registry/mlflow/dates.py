"""When the entries of models were written, from the subjects of the commits that write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from registry.plumbing import history
from registry.repository import Repository

_ASKED = ("log", "--format=%ct %s", "--no-show-signature")
_WHERE = ("--", ":(top,glob)**/registry.yaml")


def of_entries(repository: Repository) -> Mapping[str, tuple[int, int]]:
    """When each entry was declared and last changed, in milliseconds; nothing where the history is cut off."""
    if repository.head is None or history.is_cut_off(repository.clone.common_dir):
        return {}
    lines = repository.git.read(*_ASKED, repository.head, *_WHERE, check=False).decode(errors="replace").splitlines()
    return told(lines)


def told(lines: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The same of such lines, each a date and a subject, the newest first."""
    found: dict[str, tuple[int, int]] = {}
    today: dict[str, str | None] = {}  # how an entry that was called so is called now; None where it is gone

    def seen(name: str, moment: int) -> str | None:
        now = today.get(name, name)
        if now is not None:
            found[now] = (moment, found.get(now, (0, moment))[1])
        return now

    for line in lines:
        match line.split(" "):
            case [date, "Change", name]:
                seen(name, int(date) * 1000)
            case [date, "Declare", name]:
                seen(name, int(date) * 1000)
                today[name] = None  # what was called so before is another
            case [_, "Remove", name]:
                today[name] = None
            case [date, "Rename", before, "to", name]:
                today[before], today[name] = seen(name, int(date) * 1000), None
    return found

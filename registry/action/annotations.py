"""Many annotations at once: no more than anybody reads, what matters most before the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.action.say import Level, Place, Voice

MOST = 50  # of a step; the runner's page shows ten of each level, the log all
_ORDER: tuple[Level, ...] = ("error", "warning", "notice")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is to be said at a line of a file, or of the run as a whole; `hint` is what to do about it, or empty."""

    level: Level
    message: str
    hint: str = ""
    place: Place | None = None


def annotate_all(voice: Voice, found: Iterable[Annotation], whole: str) -> None:
    """Say the errors, then the warnings, then the notices. Where those are too many, the last one says how many more
    there are, and that the command `whole` has them."""
    ordered = sorted(found, key=lambda one: _ORDER.index(one.level))
    shown = ordered if len(ordered) <= MOST else ordered[: MOST - 1]
    for one in shown:
        words = one.message + (f" (hint: {one.hint})" if one.hint else "")
        voice.annotate(one.level, words, one.place, title="git-registry")
    if left := ordered[len(shown) :]:
        counts = [(level, sum(one.level == level for one in left)) for level in _ORDER]
        said = ", ".join(f"{count} {level}{'' if count == 1 else 's'}" for level, count in counts if count)
        voice.annotate(left[0].level, f"{said} more, of {len(ordered)} in all: {whole} has them", title="git-registry")

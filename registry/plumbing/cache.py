"""What listings say of all artifacts, kept beside the refs that it was read from (DESIGN part 7).

The refs alone decide: whatever is kept is taken only for an artifact whose tags all are named and point as they did
then. The file may be deleted at any time; one that is damaged, of another program version or of another user is not
taken. Two processes replace it as a whole, one after the other, and either is right.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from registry.core.events import Event
from registry.core.overview import Overview, overview
from registry.core.state import fold
from registry.plumbing import kept, tags
from registry.plumbing.clone import Clone
from registry.plumbing.process import Git
from registry.plumbing.tags import PREFIX, TagRecord

_WORTH = 1000  # tags: fewer are read as quickly as this file
_FEW = 20  # artifacts whose tags are read one by one; of more, all tags are read

# Neither sign that ends an artifact's name is one of names (DESIGN part 2).
_artifact = re.compile(rb"refs/tags/([^@# ]+)[@#]")

_Made: TypeAlias = "dict[str, tuple[str, Overview | None]]"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is kept: by artifact, as tags write it, a digest of the lines that name its tags and their objects, and what
    they come to (None: no event). `whole` is the digest of all lines; "" is none."""

    whole: str = ""
    artifacts: _Made = field(default_factory=dict)


def overviews(clone: Clone) -> dict[str, Overview]:
    """Every artifact that has an event, by name; only those whose tags have changed since are read."""
    git, file = clone.git, clone.room / kept.NAME
    known = _load(file)
    if not known.artifacts:
        made, count = _made(tags.all_tags(git))
        known = _Known("", made)
        if count >= _WORTH:
            _store(file, known)
        return _listed(known)
    listing = git.read("for-each-ref", "--format=%(refname) %(objectname)", "--", PREFIX)
    whole = _digest([listing])
    if known.whole != whole:
        refs = {name: _digest(lines) for name, lines in _grouped(listing.splitlines()).items()}
        same = {name: one for name, one in known.artifacts.items() if one[0] == refs.get(name)}
        changed = [name for name in refs if name not in same]
        made, _ = _made(_read_of(git, changed))
        new = {name: one for name, one in made.items() if name in changed}
        # A tag that moved after the listing was made is in what was read: then the listing is not what that comes from.
        whole = whole if all(name in new and new[name][0] == refs[name] for name in changed) else ""
        known = _Known(whole, {**same, **new})
        _store(file, known)
    return _listed(known)


def _listed(known: _Known) -> dict[str, Overview]:
    found = (one for _, one in known.artifacts.values() if one is not None)
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def _grouped(lines: Iterable[bytes]) -> dict[str, list[bytes]]:
    """The lines by artifact, as tags write it."""
    groups: dict[str, list[bytes]] = {}
    for line in lines:
        found = _artifact.match(line)
        if found is not None:
            groups.setdefault(found[1].decode(errors="replace"), []).append(line)
    return groups


def _read_of(git: Git, names: list[str]) -> Iterable[TagRecord]:
    """The tags of these artifacts, as they are now; where they are many, all tags."""
    if len(names) > _FEW:
        return tags.all_tags(git)
    only = [pattern for name in names for pattern in tags.patterns(name)]
    return tags.together(tags.read_tags(git, only)) if names else []


def _made(records: Iterable[TagRecord]) -> tuple[_Made, int]:
    """What tags come to, by artifact, and how many they are. What has a missing object is not kept: it may come.

    Those of an artifact stand together, so that nobody has to hold the events of all.
    """
    count = 0
    made: _Made = {}
    for name, those in groupby(records, lambda record: tags.owner(record.name)):
        lines: list[bytes] = []
        events: list[Event] = []
        whole = True
        for record in those:
            count += 1
            lines.append(f"{PREFIX}{record.name} {record.oid}".encode())
            events += tags.events_of([record])
            whole = whole and record.type != "missing"
        if name:
            made[name] = (
                _digest(lines) if whole else "",
                overview(fold(events[0].artifact, events)) if events else None,
            )
    return made, count


def _digest(lines: Iterable[bytes]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for line in lines:
        found.update(line + b"\n")
    return found.hexdigest()


# -- the file ----------------------------------------------------------------------------------------------------------


def _load(file: Path) -> _Known:
    words = kept.load(file)
    if words is None:
        return _Known()
    try:
        rows = words["artifacts"].items()
        return _Known(str(words["whole"]), {name: (str(digest), _read(one)) for name, (digest, one) in rows})
    except (ValueError, OverflowError, TypeError, KeyError, AttributeError):
        return _Known()


def _read(said: Any) -> Overview | None:
    """One overview. Raises ValueError, TypeError or KeyError where it is damaged."""
    if said is None:
        return None
    name, latest, stages, versions, deprecated, labels, updated = said
    return Overview(
        str(name),
        None if latest is None else str(latest),
        {str(stage): str(subject) for stage, subject in stages.items()},
        int(versions),
        bool(deprecated),
        tuple(map(str, labels)),
        None if updated is None else str(updated),
    )


def _store(file: Path, known: _Known) -> None:
    """Replace the file, where that can be done: a repository may be one to read only."""
    rows = {name: (digest, None if one is None else astuple(one)) for name, (digest, one) in known.artifacts.items()}
    words = json.dumps({"format": kept.FORMAT, "whole": known.whole, "artifacts": rows}, separators=(",", ":"))
    new = file.with_name(f"new-overviews-{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        try:
            new.write_text(words)
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)

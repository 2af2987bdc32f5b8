"""What a clone remembers beside its refs: how unpublished events were meant, and what its remotes had (DESIGN part 6).

Both files lie in our own directory of the clone, are written under its lock, and may be deleted: then a version that
was free counts as fixed, and a tag that a remote deleted as never published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from registry.core.draft import Intent
from registry.errors import GitFailed
from registry.plumbing.clone import Clone

ALL = "*"


def _intents(clone: Clone) -> Path:
    return clone.room / "intents"


def remember_intents(clone: Clone, intents: Mapping[str, Intent]) -> None:
    """Keep how events were meant, by the id of their tag objects. What the tag itself says need not be kept."""
    lines = [json.dumps({"oid": oid, **asdict(intent)}) + "\n" for oid, intent in intents.items() if intent != Intent()]
    if lines:
        _attempt(lambda: _append(_intents(clone), "".join(lines)))


def _append(path: Path, text: str) -> None:
    with path.open("a+b") as file:
        # A line that a kill cut short is ended first, so that it costs no other one.
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            text = ("" if file.read(1) == b"\n" else "\n") + text
        file.write(text.encode())


def intents(clone: Clone) -> dict[str, Intent]:
    """How events were meant, by the id of their tag objects; a line that is damaged is nobody's."""
    found: dict[str, Intent] = {}
    try:
        lines = _intents(clone).read_text(errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            words = json.loads(line)
            oid = words.pop("oid")
            found[oid] = Intent(**words)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return found


def forget_intents(clone: Clone, published: Collection[str]) -> None:
    """Let go of what no one has to decide again."""
    there = intents(clone)
    left = {oid: intent for oid, intent in there.items() if oid not in published}
    if len(left) < len(there):
        text = "".join(json.dumps({"oid": oid, **asdict(intent)}) + "\n" for oid, intent in left.items())
        _attempt(lambda: _replace(_intents(clone), text))


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one remote.

    `asked` are the artifacts whose tags were fetched at least once, `gone` the tags (and their objects) that it had and
    has no more, `before` what it had when a fetch began that may have been cut off. `url` tells when it is another.
    `create_only` are the artifacts whose refs below refs/registry it does not take.
    """

    url: str = ""
    asked: tuple[str, ...] = ()
    gone: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] | None = None
    create_only: tuple[str, ...] = ()

    def has_asked(self, artifact: str) -> bool:
        """Whether the tags of `artifact` were ever fetched."""
        return ALL in self.asked or artifact in self.asked

    def takes_tags_alone(self, artifact: str) -> bool:
        """Whether it takes no registry head of `artifact`."""
        return ALL in self.create_only or artifact in self.create_only


def known(clone: Clone, remote: str) -> Known:
    """What is remembered of `remote`; nothing where that is damaged."""
    try:
        words = _remotes(clone)[remote]
        return Known(
            str(words["url"]),
            tuple(map(str, words["asked"])),
            {str(name): str(oid) for name, oid in words["gone"].items()},
            None if words["before"] is None else {str(name): str(oid) for name, oid in words["before"].items()},
            tuple(map(str, words["create_only"])),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return Known()


def remember(clone: Clone, remote: str, what: Known) -> None:
    """Keep what is known of `remote`."""
    words = {**_remotes(clone), remote: asdict(replace(what, gone=dict(what.gone)))}
    _attempt(lambda: _replace(clone.room / "remotes", json.dumps(words)))


def _remotes(clone: Clone) -> dict[str, Any]:
    try:
        words = json.loads((clone.room / "remotes").read_text(errors="replace"))
    except (OSError, ValueError):
        return {}
    return words if isinstance(words, dict) else {}


@dataclass(frozen=True, slots=True)
class Sending:
    """Events that are on their way: the ids of `old` ones of this clone, and of what is pushed in their place."""

    old: tuple[str, ...]
    new: tuple[str, ...]


def remember_sending(clone: Clone, remote: str, what: Sending) -> None:
    """Keep what is about to be pushed: where the answer is lost, the next one to push knows it again."""
    words = {"remote": remote, "old": what.old, "new": what.new}
    _attempt(lambda: _replace(clone.room / "sending", json.dumps(words)))


def sending(clone: Clone, remote: str) -> Sending | None:
    """What was pushed to `remote` last, if its end was not seen."""
    try:
        words = json.loads((clone.room / "sending").read_text(errors="replace"))
        return Sending(tuple(words["old"]), tuple(words["new"])) if words["remote"] == remote else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forget_sending(clone: Clone) -> None:
    """The end was seen."""
    _attempt(lambda: (clone.room / "sending").unlink(missing_ok=True))


def _replace(path: Path, text: str) -> None:
    """Replace a file whole, or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    new.replace(path)


def _attempt(step: Callable[[], None]) -> None:
    try:
        step()
    except OSError as error:
        raise GitFailed(
            f"the repository cannot be written: {error.strerror}", "check its permissions and the disk"
        ) from error

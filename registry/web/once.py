"""What a server remembers for a while: forms that act once, and messages that are shown once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

T = TypeVar("T")

_KEPT = 1000  # forms and messages; the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Said:
    """What a page tells once: what was done, and notes for the person."""

    message: str
    notes: tuple[str, ...] = ()


@dataclass
class Memory:
    """Forms by a random id, with the address that they led to, and messages by another."""

    _forms: OrderedDict[str, str | None] = field(default_factory=OrderedDict)
    _said: OrderedDict[str, Said] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def form(self) -> str:
        """The id of a new form."""
        with self._lock:
            return _put(self._forms, None)

    def knows(self, form: str) -> bool:
        """Whether a form is one of ours that is still remembered."""
        with self._lock:
            return form in self._forms

    def led_to(self, form: str) -> str | None:
        """Where a form that was sent before has led to; None where it has not acted."""
        with self._lock:
            return self._forms.get(form)

    def done(self, form: str, address: str) -> None:
        """A form has acted, and leads to `address` from now on."""
        with self._lock:
            self._forms[form] = address

    def say(self, said: Said) -> str:
        """The id of a message to be shown once."""
        with self._lock:
            return _put(self._said, said)

    def hear(self, message: str) -> Said | None:
        """A message, which is forgotten now."""
        with self._lock:
            return self._said.pop(message, None)


def _put(kept: OrderedDict[str, T], value: T) -> str:
    name = secrets.token_urlsafe(16)
    kept[name] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return name

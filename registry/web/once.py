"""What a server remembers for a while: forms with what was typed into them, which act once, and messages shown once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar

from registry.errors import RegistryError

T = TypeVar("T")

_KEPT = 200  # forms and messages, some of which are long; the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Draft:
    """One form: what was typed into it when it was sent last; why it cannot act, by field; and where it led to, None
    where it has not acted."""

    typed: Mapping[str, str]
    refused: Mapping[str, RegistryError] = field(default_factory=dict)
    led_to: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What a page tells once: what was done, and notes for the person."""

    words: str
    notes: tuple[str, ...] = ()


@dataclass
class Memory:
    """Forms by a random id, which stands in their addresses, so that who goes back finds what was typed; and messages
    by another."""

    _forms: OrderedDict[str, Draft] = field(default_factory=OrderedDict)
    _messages: OrderedDict[str, Message] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, typed: Mapping[str, str]) -> str:
        """The id of a new form."""
        with self._lock:
            return _put(self._forms, Draft(typed))

    def draft(self, form: str) -> Draft | None:
        """A form of ours; None where it is none, or forgotten."""
        with self._lock:
            return self._forms.get(form)

    def keep(self, form: str, typed: Mapping[str, str]) -> None:
        """A form was sent, and says this from now on."""
        with self._lock:
            if form in self._forms:
                self._forms[form] = replace(self._forms[form], typed=typed, refused={})

    def refuse(self, form: str, errors: Mapping[str, RegistryError]) -> None:
        """Something is wrong with a form."""
        with self._lock:
            if form in self._forms:
                self._forms[form] = replace(self._forms[form], refused=errors)

    def done(self, form: str, address: str) -> None:
        """A form has acted, and leads to `address` from now on."""
        with self._lock:
            if form in self._forms:
                self._forms[form] = replace(self._forms[form], led_to=address)

    def say(self, message: Message) -> str:
        """The id of a message to be shown once."""
        with self._lock:
            return _put(self._messages, message)

    def hear(self, message: str) -> Message | None:
        """A message, which is forgotten now."""
        with self._lock:
            return self._messages.pop(message, None)


def _put(kept: OrderedDict[str, T], value: T) -> str:
    name = secrets.token_urlsafe(16)
    kept[name] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return name

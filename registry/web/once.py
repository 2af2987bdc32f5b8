"""What a server remembers for a while: drafts of forms, which act once, and messages shown once."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar

from registry.web.refusal import Refusal

T = TypeVar("T")

_KEPT = 200  # drafts and messages, some of which are long; the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Draft:
    """One form of an action that was sent: what was typed into it last; why it cannot act, by field; and where it led
    to, by what it did, nothing where it has not acted."""

    action: str
    typed: Mapping[str, str]
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    acted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What a page tells once: what was done, and notes for the person."""

    words: str
    notes: tuple[str, ...] = ()


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_urlsafe(16)


@dataclass
class Drafts:
    """Forms by a random id, which stands in their addresses, so that who goes back finds what was typed.

    One that is only looked at is none yet: its id is remembered from when it is sent.
    """

    _drafts: OrderedDict[str, Draft] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, form: str, action: str) -> Draft | None:
        """A draft of that action; None where there is none, or it is forgotten."""
        with self._lock:
            there = self._drafts.get(form)
            return there if there is not None and there.action == action else None

    def keep(self, form: str, action: str, typed: Mapping[str, str]) -> str:
        """A form was sent, and says this from now on; its id, a new one where that is none of ours to give."""
        with self._lock:
            before = self._drafts.get(form)
            if not form or (before is not None and before.action != action):
                form, before = new_id(), None
            _put(self._drafts, form, replace(before or Draft(action, typed), typed=typed, refused={}))
            return form

    def refuse(self, form: str, errors: Mapping[str, Refusal]) -> None:
        """Something is wrong with a form."""
        with self._lock:
            if form in self._drafts:
                self._drafts[form] = replace(self._drafts[form], refused=errors)

    def done(self, form: str, deed: str, address: str) -> None:
        """A form has acted: it did `deed`, which leads to `address` from now on."""
        with self._lock:
            if form in self._drafts:
                draft = self._drafts[form]
                self._drafts[form] = replace(draft, refused={}, acted={**draft.acted, deed: address})


@dataclass
class Messages:
    """Messages by a random id, each to be shown once."""

    _messages: OrderedDict[str, Message] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def say(self, message: Message) -> str:
        """The id of a message to be shown once."""
        with self._lock:
            return _put(self._messages, new_id(), message)

    def hear(self, message: str) -> Message | None:
        """A message, which is forgotten now."""
        with self._lock:
            return self._messages.pop(message, None)


def _put(kept: OrderedDict[str, T], name: str, value: T) -> str:
    kept[name] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return name

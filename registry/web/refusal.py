"""Why something cannot be, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from registry.errors import RegistryError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be, and what to do.

    An error says the same; but who keeps one keeps, by its traceback, all that was looked at when it was raised.
    """

    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: RegistryError) -> Refusal:
        """What an error says."""
        return cls(error.message, error.hint)

"""What errors advise, which is worded for a shell, so that a person in a browser knows what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable

from registry.web.fields import Field
from registry.web.refusal import Refusal

_COMMAND = re.compile(r"(?:^|[;:,]? )(?:registry|git) [a-z]|(?:^|\s)--[a-z]")


def advice(hint: str, fields: Iterable[Field] = ()) -> str:
    """A hint, in which an option is the field of the form that stands for it; what is left for a shell says so."""
    for field in fields:
        if field.option:
            hint = re.sub(rf"(?<![\w-]){re.escape(field.option)}(?![\w-])", f"“{field.label}”", hint)
    return f"in a shell: {hint}" if _COMMAND.search(hint) else hint


def words(refusal: Refusal, fields: Iterable[Field] = ()) -> str:
    """A refusal and its advice, in a line."""
    return f"{refusal.message}; {advice(refusal.hint, fields)}" if refusal.hint else refusal.message

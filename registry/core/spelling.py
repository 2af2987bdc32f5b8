"""Texts of many lines as values of a tag of ours, which have one, and back."""

from __future__ import annotations

import json

from registry.core.message import one_line
from registry.errors import UsageError


def spelled(text: object) -> str:
    """`text` as it is, or in JSON where it is more than a line, empty, or could be taken for JSON."""
    plain = "" if text is None else str(text)
    try:
        if plain and not plain.startswith('"') and one_line(plain, "the value") == plain:
            return plain
    except UsageError:
        return json.dumps(plain)  # what holds control characters: they are escaped
    return json.dumps(plain, ensure_ascii=False)


def read(value: str) -> str:
    """What was `spelled`."""
    if value.startswith('"'):
        try:
            said = json.loads(value)
            said.encode()  # half a character, that somebody has written as \\ud800, is no text to MLflow
        except ValueError:
            return value
        return str(said)
    return value

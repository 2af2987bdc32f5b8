"""The file in which a clone keeps what listings say, as rows: who wants the names alone reads no more than that."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from registry._version import __version__

FORMAT = f"2 {__version__}"  # the first number grows when an overview comes to say something else of the same tags
NAME = "overviews"


def load(file: Path) -> dict[str, Any] | None:
    """What is kept, None where nothing is, or what is not ours: of another program version or another user."""
    try:
        if file.stat().st_uid != os.geteuid():
            return None
        words = json.loads(file.read_bytes())
        return words if isinstance(words, dict) and words.get("format") == FORMAT else None
    except (OSError, ValueError, RecursionError):
        return None

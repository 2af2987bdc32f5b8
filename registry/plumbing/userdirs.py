"""Where this program keeps what is the user's, and no repository's."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """Where mirrors and proofs lie, which may be deleted at will: below XDG_CACHE_HOME, or ~/.cache."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(said) if os.path.isabs(said) else Path.home() / ".cache"  # noqa: PTH117  (the XDG rule, on a text)
    return base / "git-registry"

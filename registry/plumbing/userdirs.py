"""Where this program keeps what is the user's, and no repository's."""

from __future__ import annotations

import os
from pathlib import Path

from registry.errors import Refused


def cache_directory() -> Path:
    """Where mirrors, files and proofs lie, which may be deleted at will: below XDG_CACHE_HOME, or ~/.cache.

    Raises Refused where there is no home directory.
    """
    said = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(said) if os.path.isabs(said) else _home() / ".cache"  # noqa: PTH117  (the XDG rule, on a text)
    return base / "git-registry"


def _home() -> Path:
    # In a container there may be neither HOME nor an entry for the user; an empty HOME would be the root.
    try:
        found = None if os.environ.get("HOME") == "" else Path.home()
    except RuntimeError:
        found = None
    if found is None:
        raise Refused("there is no home directory", "XDG_CACHE_HOME=DIR says where files are kept")
    return found

"""axe-core, which finds what keeps people out of a page: its script, from the package that ships it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


def script() -> str:
    """The script to put into a page; without the package the test is skipped."""
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core is not installed (axe-playwright-python on PyPI)")
    return Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")

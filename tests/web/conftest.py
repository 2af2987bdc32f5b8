"""What tests of the dashboard share."""

from __future__ import annotations

import pytest

pytest.importorskip("jinja2", reason="the extra `ui` is not installed")
pytest.importorskip("starlette", reason="the extra `ui` is not installed")


@pytest.fixture(autouse=True)
def _bugs_are_shown(monkeypatch: pytest.MonkeyPatch, _no_settings_of_this_machine: None) -> None:
    monkeypatch.setenv("REGISTRY_DEBUG", "1")

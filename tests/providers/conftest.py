"""A provider of runs as anybody may install one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[[str], Path]


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package whose module, of that text, knows the runs of `lab`; gives the directory that it is in."""

    def install(text: str) -> Path:
        site = tmp_path / "site"
        about = site / "lab_runs-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-runs\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[git_registry.runs]\nlab = lab_runs\n")
        (site / "lab_runs.py").write_text(f"from registry.providers.values import Found\n{text}\n")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(__import__("sys").modules, "lab_runs", raising=False)
        return site

    return install

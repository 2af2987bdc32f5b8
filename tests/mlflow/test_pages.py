"""MLflow's own pages in a real browser, on a registry in Git; `REGISTRY_SCREENSHOTS=DIR` keeps a picture of each."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import mlflow
import pytest

from tests.mlflow.test_server import running
from tests.mlflow.training import logged
from tests.story import RepoStory

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[ml]'")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = os.environ.get("REGISTRY_SCREENSHOTS")  # read now: tests run without it


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on PATH")
def test_mlflows_pages_show_what_the_tags_say(client: Any, ml: RepoStory, tmp_path: Path) -> None:
    logged("churn", 0.5)
    logged("churn", 1.0)
    client.set_registered_model_alias("churn", "champion", 1)
    client.update_registered_model("churn", description="Who is about to leave")
    where = ("--backend-store-uri", mlflow.get_tracking_uri(), "--registry-store-uri", mlflow.get_registry_uri())
    with (
        running("server", *where, "--workers", "1", log=tmp_path / "log") as url,
        sync_api.sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)

        page.goto(f"{url}/#/models")
        sync_api.expect(page.get_by_text("champion").first).to_be_visible(timeout=120_000)
        _keep(page, "mlflow-models")

        page.goto(f"{url}/#/models/churn")
        sync_api.expect(page.get_by_text("Who is about to leave").first).to_be_visible(timeout=120_000)
        sync_api.expect(page.get_by_text(re.compile("v0\\.0\\.2")).first).to_be_visible(timeout=120_000)
        _keep(page, "mlflow-model")

        page.goto(f"{url}/#/models/churn/versions/1")
        sync_api.expect(page.get_by_text(re.compile("v0\\.0\\.1")).first).to_be_visible(timeout=120_000)
        _keep(page, "mlflow-version")
        browser.close()


def _keep(page: Any, name: str) -> None:
    if PICTURES is not None:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))

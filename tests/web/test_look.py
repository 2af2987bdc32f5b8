"""How the pages look and behave in a real browser: no sideways scrolling, no complaint, readable in light and dark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from registry.web import render, site
from tests.story import RepoStory
from tests.web import axe
from tests.web.test_pages import NOW, dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_LONG = "a-model-with-a-name-that-goes-on-and-on-because-somebody-thought-that-it-should-say-everything-about-it"
_CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if _CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as running:
        there = running.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield there
        there.close()


@pytest.fixture
def written(repo: RepoStory, tmp_path: Path) -> Path:
    """A static site of a repository with long names, empty fields, metrics and a card."""
    models = [f"  {name}: {{labels: [{label}], owners: ['@example/a-team']}}" for name, label in _models()]
    manifest = "stages: {staging: {}, production: {after: staging}, champion: {}}\nmodels:\n" + "\n".join(models)
    manifest += f"\n  {_LONG}: {{description: '{'long words ' * 40}'}}"
    manifest += "\n  churn: {path: models/churn.pkl, card: card.md, metrics: m.json, description: Who leaves}\n"
    repo.write("registry.yaml", manifest).write("card.md", f"# Card\n\n{'word' * 100}\n\n```\n{'code ' * 60}\n```\n")
    for n in range(3):
        repo.write("m.json", f'{{"auc": 0.{7 + n}, "{"m" * 60}": {n}}}').commit("Better")
        repo.register("churn", f"v1.{n}.0", message="line\n" + "x" * 300, run="mlflow:" + "f" * 64)
    repo.assign("churn@v1.1.0", "staging").assign("churn@v1.1.0", "production", reason="word " * 40)
    repo.register(_LONG, "v10.20.30-release-candidate.1234567890+build.is.long").assign(_LONG, "staging")
    repo.register("wine", "v0.9.0").register("beer", "v0.10.0")
    repo.registry_at().deprecate("beer")
    out = tmp_path / "site"
    site.write(dashboard(repo, static=True), out, now=NOW)
    return out


def _models() -> list[tuple[str, str]]:
    return [("wine", "red"), ("beer", "pale"), ("tea", "green")]


def _paths() -> list[str]:
    return [
        "index.html",
        "model/one/churn.html",
        f"model/one/{_LONG}.html",
        "version/one/churn@v1.1.0.html",
        "compare/one/churn@v1.0.0...v1.1.0.html",
        "activity.html",
        "health.html",
    ]


@pytest.mark.parametrize("width", [1440, 1024, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_window_and_none_makes_the_browser_complain(
    browser: Browser, written: Path, width: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    for path in _paths():
        page.goto(f"{written.as_uri()}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()

    assert not complaints
    assert all(url.startswith(written.as_uri()) for url in asked)


def test_axe_finds_no_fault(browser: Browser, written: Path) -> None:
    script = axe.script()
    faults = []
    for scheme, width in (("light", 1440), ("dark", 390)):
        context: Any = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            bypass_csp=True,  # the policy lets no test bring its script
        )
        page = context.new_page()
        for path in _paths():
            page.goto(f"{written.as_uri()}/{path}")
            page.evaluate(script)
            found = page.evaluate("axe.run()")
            faults += [(path, one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
        context.close()

    assert not faults


def _shown(page: Page) -> list[str]:
    return page.locator("table.models tbody tr:visible th a").all_inner_texts()


def test_the_models_are_filtered_while_one_types(browser: Browser, written: Path) -> None:
    page = browser.new_page()
    page.goto(f"{written.as_uri()}/index.html")
    assert _shown(page) == [_LONG, "churn", "tea", "wine"]

    page.get_by_label("Search").fill("LEAVES")
    assert _shown(page) == ["churn"]
    assert page.locator("[data-count]").inner_text() == "1 of 5"

    page.get_by_label("Search").fill("no such model")
    assert _shown(page) == []
    page.get_by_role("link", name="Clear the filter").click()
    assert len(_shown(page)) == 4

    page.get_by_label("Label").select_option("red")
    assert _shown(page) == ["wine"]
    page.close()


def test_the_models_are_sorted_by_a_click(browser: Browser, written: Path) -> None:
    page = browser.new_page()
    page.goto(f"{written.as_uri()}/index.html")

    page.get_by_role("button", name="Latest").first.click()
    assert _shown(page) == ["wine", "churn", _LONG, "tea"]  # v0.9.0, v1.2.0, v10.20.30, none
    page.get_by_role("button", name="Latest").first.click()
    assert _shown(page) == [_LONG, "churn", "wine", "tea"]
    assert page.locator("th[aria-sort=descending]").inner_text() == "Latest"
    page.close()


def test_every_page_is_whole_without_javascript(browser: Browser, written: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(f"{written.as_uri()}/index.html")
    assert _shown(page) == [_LONG, "churn", "tea", "wine"]
    assert not page.get_by_label("Search").is_visible()  # it could do nothing
    page.get_by_text("1 deprecated").click()
    assert "beer" in _shown(page)
    page.get_by_role("link", name="churn").click()
    assert page.get_by_role("heading", level=1).inner_text() == "churn"
    page.get_by_text("Versions", exact=True).first.click()
    page.get_by_role("listitem").get_by_role("link", name="v1.0.0").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "churn v1.0.0"
    context.close()


def test_the_keyboard_reaches_the_content_first_and_sees_where_it_is(browser: Browser, written: Path) -> None:
    page = browser.new_page()
    page.goto(f"{written.as_uri()}/index.html")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") == 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.close()


def test_paper_shows_no_menus(browser: Browser, written: Path) -> None:
    page = browser.new_page()
    page.goto(f"{written.as_uri()}/model/one/churn.html")
    page.emulate_media(media="print")

    assert not page.locator(".menu").first.is_visible()
    assert page.get_by_role("heading", level=1).is_visible()
    page.close()


# -- without a browser -------------------------------------------------------------------------------------------------

# Words and what they stand on, wherever the style puts them together.
_PAIRS = [
    *((ink, ground) for ink in ("ink", "faint", "accent") for ground in ("ground", "sheet", "code")),
    ("accent", "accent-ground"), ("on-accent", "accent"), ("ink", "accent-ground"), ("ground", "bad"),
    *((tone, place) for tone in ("good", "warn", "bad") for place in (f"{tone}-ground", "sheet", "ground")),
]  # fmt: skip


def _colours(theme: str) -> dict[str, str]:
    css = (render.asset("style.css") or (b"", ""))[0].decode()
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found if theme == "light" else {**found, **dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))}


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_what_they_stand_on(theme: str) -> None:
    colours = _colours(theme)

    for ink, ground in _PAIRS:
        light, dark = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)  # WCAG 2.2, 1.4.3
    for ground in ("ground", "sheet"):
        light, dark = sorted((_luminance(colours["firm-line"]), _luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, ground  # 1.4.11: the edges of what one can type into


def test_the_look_comes_from_nowhere_else() -> None:
    for name in render.asset_names():
        data, kind = render.asset(name) or (b"", "")
        assert kind
        assert not re.findall(rb"@import|url\(|https?://(?!www\.w3\.org/2000/svg)", data), name
    assert render.asset("../render.py") is None
    assert render.asset("nothing.css") is None

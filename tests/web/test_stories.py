"""A registry's life, told in a real browser (chromium, driven by Playwright).

`REGISTRY_SCREENSHOTS=DIR` keeps a picture of each step.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.story import RepoStory
from tests.web import axe
from tests.web.serving import served

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

CHROMIUM = shutil.which("chromium")
PICTURES = os.environ.get("REGISTRY_SCREENSHOTS")  # read now: tests run without it
if CHROMIUM is None:
    pytest.skip("chromium is not installed", allow_module_level=True)

MANIFEST = """\
stages:
  staging: {}
  production: {after: staging, exclusive: true}
models:
  churn:
    path: models/churn.pkl
    description: Who is about to leave
    labels: [tabular]
    owners: ["@example/growth"]
    metrics: metrics.json
  price:
    path: models/price.pkl
    type: regressor
artifacts:
  train-set: {path: data/train.csv, type: dataset}
"""

Look = Callable[[str], None]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """A model in production, a better one in staging, and a commit that is no version yet."""
    repo.write("registry.yaml", MANIFEST).write("data/train.csv", "1,2\n").write("models/price.pkl", "p\n")
    for version, auc in (("v1.0.0", 0.81), ("v1.1.0", 0.84)):
        repo.write("metrics.json", f'{{"auc": {auc}}}').train()
        repo.register("churn", version).assign(f"churn@{version}", "staging")
    repo.assign("churn@v1.0.0", "production", reason="First")
    repo.write("metrics.json", '{"auc": 0.87}').write("models/churn.pkl", "deeper\n").commit("Train with more depth")
    return repo


@pytest.fixture
def page(chromium: Browser, story: RepoStory) -> Iterator[Page]:
    """A page at the dashboard; whatever its console complains about fails the test."""
    with served(story) as ui:
        context = chromium.new_context(base_url=ui.url, viewport={"width": 1280, "height": 900})
        complaints: list[str] = []
        found = context.new_page()
        found.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        found.on("pageerror", lambda error: complaints.append(str(error)))
        found.goto(ui.address)
        yield found
        context.close()
        assert [said for said in complaints if not re.search("40[349]|410|422", said)] == []


@pytest.fixture
def look(page: Page, request: pytest.FixtureRequest) -> Look:
    """Keep a picture of what is seen, and let axe look for what keeps people out."""

    def keep(name: str) -> None:
        if PICTURES:
            story = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{PICTURES}/{story}-{name}.png", full_page=True)

    return keep


def _sure(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Yes, ")).click()


def test_a_commit_is_picked_and_becomes_latest(page: Page, story: RepoStory, look: Look) -> None:
    page.get_by_role("link", name="churn", exact=True).click()
    page.get_by_role("link", name="Register a version").click()
    page.get_by_role("radio", name=re.compile("Train with more depth")).check()
    page.get_by_role("radio", name=re.compile("minor")).check()
    page.get_by_label("Message").fill("Deeper trees,\nand more of them")
    expect(page.locator("#command")).to_contain_text("--minor")
    look("form")
    page.get_by_role("button", name="Register …").click()
    expect(page.locator("main")).to_contain_text("churn@v1.2.0")
    look("question")
    _sure(page)

    expect(page.get_by_role("status").first).to_contain_text("Registered churn v1.2.0")
    expect(page.get_by_role("definition").first).to_contain_text("v1.2.0")
    assert story.resolve("churn@latest") == "v1.2.0"
    look("done")
    page.reload()
    expect(page.locator("main")).not_to_contain_text("Registered churn v1.2.0")


def test_a_lower_version_is_not_latest(page: Page, story: RepoStory, look: Look) -> None:
    page.goto("./act/register.html?name=churn")
    page.get_by_label("Another version").fill("v0.9.0")
    page.get_by_role("button", name="Register …").click()
    _sure(page)

    expect(page.get_by_role("definition").first).to_contain_text("v1.1.0")
    expect(page.locator("#versions")).to_contain_text("v0.9.0")
    assert story.resolve("churn@latest") == "v1.1.0"
    look("done")


def test_errors_come_in_place_as_one_types(page: Page, look: Look) -> None:
    page.goto("./act/register.html?name=churn")
    version = page.get_by_label("Another version")
    version.fill("1.2")
    expect(page.locator("#error-version")).to_contain_text("all three numbers are needed")
    expect(version).to_have_attribute("aria-invalid", "true")
    look("error")
    version.fill("v3.0.0")
    expect(page.locator("#error-version")).to_be_empty()
    expect(page.locator("#command")).to_contain_text("registry register churn --version v3.0.0")
    page.get_by_label("Name", exact=True).fill("chrun")
    expect(page.locator("#error-name")).to_contain_text("did you mean churn?")


def test_a_version_is_promoted_and_rolled_back(page: Page, story: RepoStory, look: Look) -> None:
    page.goto("./model/repo/churn.html")
    page.get_by_role("link", name="Assign to production").click()
    page.get_by_label("Reason").fill("Better on last month's data")
    page.get_by_role("button", name="Assign …").click()
    expect(page.locator("#command")).to_contain_text("registry assign churn@v1.1.0 production --reason")
    look("question")
    _sure(page)
    assert story.resolve("churn#production") == "v1.1.0"
    expect(page.locator("#stages")).to_contain_text("Better on last month's data")
    look("promoted")

    page.get_by_role("link", name="Roll back production").click()
    page.get_by_label("Reason").fill("Latency doubled")
    page.keyboard.press("Enter")  # as the button would
    _sure(page)

    assert story.resolve("churn#production") == "v1.0.0"
    expect(page.locator("#stages")).to_contain_text("Latency doubled")
    look("rolled-back")


def test_a_rule_of_a_stage_is_said_in_the_form(page: Page, story: RepoStory, look: Look) -> None:
    story.register("churn", "v2.0.0")
    page.goto("./act/assign.html?name=churn&version=v2.0.0&stage=production")
    page.get_by_label("Reason").fill("Kept while it is mended")
    page.get_by_role("button", name="Assign …").click()

    expect(page.locator("#error-stage")).to_contain_text("has not been in staging")
    expect(page.get_by_label("Reason")).to_have_value("Kept while it is mended")
    look("refused")


def test_two_versions_are_compared(page: Page, look: Look) -> None:
    page.goto("./model/repo/churn.html")
    page.get_by_role("link", name=re.compile("^v1.*with v1")).first.click()

    expect(page.locator("main")).to_contain_text("0.81")
    expect(page.locator("main")).to_contain_text("0.84")
    look("compared")


def test_what_was_asked_while_one_typed_on_holds_nothing_up(page: Page) -> None:
    page.goto("./act/assign.html?name=churn&version=v1.0.0&stage=staging")
    expect(page.locator("#command")).to_contain_text("registry assign")
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.route("**/act/check.json*", lambda _: None)  # nobody answers, as while somebody pushes

    for n in range(4):
        page.get_by_label("Reason").fill(f"because {n}")
        page.wait_for_timeout(400)  # longer than the form waits for the next letter

    assert len(failed) == 3
    page.goto("./activity.html")
    expect(page.locator("h1")).to_have_text("Activity")


def test_while_somebody_acts_what_is_typed_is_looked_at_later(page: Page) -> None:
    page.goto("./act/assign.html?name=churn&version=v1.0.0&stage=staging")
    expect(page.locator("#command")).to_contain_text("registry assign")
    page.route("**/act/check.json*", lambda route: route.fulfill(json={"busy": True}), times=1)

    page.get_by_label("Reason").fill("Patience")

    expect(page.locator("#command")).to_contain_text("--reason Patience")


def test_a_commit_that_is_picked_takes_the_place_of_one_that_was_typed(page: Page, look: Look) -> None:
    page.goto("./act/register.html?name=churn&commit=HEAD~1")
    typed = page.get_by_label("A commit, by hash, branch or tag")
    expect(typed).to_have_value("HEAD~1")
    page.get_by_role("radio", name=re.compile("Train with more depth")).check()

    expect(typed).to_have_value("")
    page.get_by_role("button", name="Register …").click()
    expect(page.get_by_role("button", name="Yes, register")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_commits_are_all_seen_and_no_date_is_broken(page: Page, story: RepoStory, look: Look, width: int) -> None:
    for n in range(30):
        story.commit(f"Step {n}, " + "with many words " * 12, empty=True)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("./act/register.html?name=churn")
    look(str(width))

    box = page.locator(".picker .scroll")
    assert box.evaluate("box => box.scrollHeight <= box.clientHeight")
    lines = "dates => Math.max(...dates.map((date) => date.getClientRects().length))"
    assert page.locator(".picker time").evaluate_all(lines) == 1


def test_models_are_filtered(page: Page, look: Look) -> None:
    look("all")
    page.get_by_role("searchbox").fill("leave")
    expect(page.get_by_role("link", name="churn", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="price", exact=True)).to_be_hidden()
    look("some")
    page.get_by_role("searchbox").fill("nothing like that")
    expect(page.locator("main")).to_contain_text("Nothing found")
    look("none")


def test_what_others_do_is_seen_on_reload(page: Page, story: RepoStory) -> None:
    story.register("price", "v0.3.0")
    page.reload()

    expect(page.get_by_role("row", name=re.compile("price"))).to_contain_text("v0.3.0")


def test_it_works_without_javascript(chromium: Browser, story: RepoStory) -> None:
    with served(story) as ui:
        context = chromium.new_context(base_url=ui.url, java_script_enabled=False)
        page = context.new_page()
        page.goto(ui.address)
        page.goto("./act/register.html?name=churn")
        page.get_by_role("radio", name=re.compile("Train with more depth")).check()
        page.get_by_role("button", name="Register …").click()
        _sure(page)
        expect(page.get_by_role("status").first).to_contain_text("Registered churn v1.1.1")
        context.close()


def test_the_columns_of_the_commits_follow_the_name(page: Page, look: Look) -> None:
    page.goto("./act/register.html?name=churn")
    row = page.locator("tr[data-commit]").nth(1)
    expect(row).to_contain_text("models/churn.pkl")
    expect(row).to_contain_text("v1.1.0")

    page.get_by_label("Name", exact=True).fill("price")
    expect(row).to_contain_text("models/price.pkl")
    expect(row).not_to_contain_text("v1.1.0")
    look("price")
    page.get_by_label("Name", exact=True).fill("nobody")
    expect(row).to_contain_text("not declared")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_going_back_keeps_the_form(chromium: Browser, story: RepoStory, script: bool) -> None:
    with served(story) as ui:
        context = chromium.new_context(base_url=ui.url, java_script_enabled=script)
        page = context.new_page()
        page.goto(ui.address)
        page.goto("./act/assign.html?name=churn")
        page.get_by_label("Version", exact=True).fill("v9.0.0")
        page.get_by_label("Stage", exact=True).fill("production")
        page.get_by_label("Reason").fill("Typed with care")
        page.get_by_role("button", name="Assign …").click()
        expect(page.locator("#error-version")).to_contain_text("v9.0.0")
        page.get_by_label("Version", exact=True).fill("v1.1.0")
        page.get_by_role("button", name="Assign …").click()
        expect(page.get_by_role("button", name="Yes, assign")).to_be_visible()

        page.go_back()
        expect(page.get_by_label("Reason")).to_have_value("Typed with care")
        page.go_back()
        expect(page.get_by_label("Reason")).to_have_value("Typed with care")
        expect(page.get_by_label("Version", exact=True)).to_have_value("v1.1.0")
        page.go_forward()
        page.go_forward()
        page.get_by_role("link", name="Change it").click()
        expect(page.get_by_label("Reason")).to_have_value("Typed with care")
        page.get_by_role("button", name="Assign …").click()
        _sure(page)
        expect(page.get_by_role("status").first).to_contain_text("assigned churn v1.1.0 to production")
        page.go_back()
        expect(page.locator("main")).to_contain_text("this was done already")
        context.close()


def test_a_browser_without_the_secret_is_told_where_it_is(chromium: Browser, story: RepoStory, look: Look) -> None:
    with served(story) as ui:
        context = chromium.new_context(base_url=ui.url)
        page = context.new_page()
        refused = page.goto("./model/repo/churn.html")
        assert refused is not None
        assert refused.status == 403
        expect(page.locator("main")).to_contain_text("that registry ui printed")
        page.goto(ui.address)
        expect(page.locator("main")).to_contain_text("churn")
        assert "token" not in page.url
        page.goto("./model/repo/churn.html")
        expect(page.locator("h1")).to_contain_text("churn")
        [cookie] = context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        context.close()


PLACES = ["", "model/repo/churn.html", "version/repo/churn@v1.1.0.html", "activity.html", "health.html",
          "act/register.html?name=churn", "act/assign.html?name=churn&version=v1.0.0&stage=production", "act/push.html",
          "act/annotate.html?name=churn&version=v1.0.0", "act/unassign.html?name=churn&stage=production",
          "act/rollback.html?name=churn&stage=production", "act/deregister.html?name=churn&version=v1.0.0",
          "act/deprecate.html?name=churn", "history/repo/churn.html", "nowhere.html",
          "compare.html?repo=repo&name=churn", "compare.html?repo=repo&name=churn&a=v1.0.0&b=v1.1.0"]  # fmt: skip
WIDTHS = [1440, 1024, 390]


def _question(page: Page) -> None:
    page.goto("./act/annotate.html?name=churn&version=v1.0.0")
    page.get_by_label("Labels").fill("a-label-with-a-name-that-goes-on-and-on\nbetter")
    page.get_by_label("Message").fill("word " * 60)
    page.get_by_role("button", name="Annotate …").click()
    expect(page.get_by_role("button", name="Yes, annotate")).to_be_visible()


def _refused(page: Page) -> None:
    page.goto("./act/register.html?name=churn")
    page.get_by_label("Another version").fill("1.2")
    page.get_by_text("More:").click()
    page.get_by_label("Metrics").fill("x" * 200)
    page.get_by_role("button", name="Register …").click()
    expect(page).to_have_title("Error: Register a version")
    expect(page.get_by_label("Another version")).to_be_focused()


def _forgotten(page: Page) -> None:
    page.goto("./act/assign.html?form=of-another-day")
    expect(page.locator("main")).to_contain_text("this form was forgotten")


def _nothing(page: Page) -> None:
    page.goto("./act/assign.html?name=churn&version=v1.1.0&stage=staging")
    page.get_by_role("button", name="Assign …").click()
    expect(page.locator("main")).to_contain_text("Nothing would be written")


def _locked(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("./model/repo/churn.html")
    expect(page.locator("h1")).to_have_text("The address is missing its token")


Way = Callable[[Page], None]
WAYS: dict[str, Way] = {  # to what has no address of its own
    "question": _question, "refused": _refused, "forgotten": _forgotten, "nothing": _nothing, "locked": _locked,
}  # fmt: skip


def _go(page: Page, place: str) -> None:
    if place in WAYS:
        WAYS[place](page)
    else:
        page.goto(f"./{place}")


@pytest.mark.parametrize("place", [*PLACES, *WAYS])
def test_no_page_is_wider_than_the_screen(page: Page, look: Look, place: str) -> None:
    _go(page, place)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        look(f"{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", [*PLACES, *WAYS])
def test_nobody_is_kept_out(chromium: Browser, story: RepoStory, place: str, scheme: str) -> None:
    with served(story) as ui:
        # axe is put into the page by the driver, past the page's own policy.
        context = chromium.new_context(base_url=ui.url, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(ui.address)
        _go(page, place)
        page.add_script_tag(content=axe.script())
        found = page.evaluate("axe.run().then((found) => found.violations.map((v) => [v.id, v.nodes[0].html]))")
        context.close()
    assert found == []

"""The pages of a dashboard: which there are, and what stands on them. No browser is needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from registry.core.state import ArtifactState, VersionState
from registry.errors import NotFound
from registry.porcelain import views
from registry.porcelain.values import ModelVersion
from registry.repository import Repository
from registry.web import dates, links, pages, paging, render
from registry.web.page import Dashboard, Source
from tests.story import RepoStory

NOW = datetime(2026, 1, 5, tzinfo=timezone.utc)
_VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Document(HTMLParser):
    """A page as a browser would read it: its elements with their attributes, and its words."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG that holds nothing."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """An element ends: the last that began."""
        assert self.open, f"nothing is open at </{tag}>"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Words."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of one name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return [attributes["href"] for attributes in self.all("a")]


def read(html: str) -> Document:
    """A page that was rendered; every element that begins, ends."""
    document = Document()
    document.feed(html)
    document.close()
    assert not document.open
    return document


def dashboard(*stories: RepoStory, static: bool = False, acts: bool = False) -> Dashboard:
    """A dashboard of some repositories, called one, two, ..."""
    names = ("one", "two", "three")
    sources = [Source(name, story.path.name, story.registry) for name, story in zip(names, stories, strict=False)]
    return Dashboard(sources, acts=acts, static=static)


def look(board: Dashboard, path: str = "index.html", **query: str) -> Document:
    """A page of a dashboard."""
    page = pages.at(board, path, query)
    assert page is not None, path
    return read(render.html(page, board, now=NOW))


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
    card: card.md
    metrics: metrics.json
  cv:pool:
    path: models/pool.pkl
artifacts:
  train-set: {path: train.csv, type: dataset}
"""


@pytest.fixture
def full(repo: RepoStory) -> RepoStory:
    """A repository in which something happened."""
    repo.write("registry.yaml", MANIFEST.replace("  cv:pool:\n    path: models/pool.pkl\n", "  pool: {}\n"))
    repo.write("cv/registry.yaml", "models:\n  pool: {}\n").write("train.csv", "a,b\n")
    repo.write("card.md", "# Churn\n\nIt *predicts*.\n").write("metrics.json", '{"auc": 0.91, "f1": 0.8}')
    repo.commit("Declare")
    repo.register("train-set", "v0.1.0")
    repo.register("churn", "v1.0.0", message="The first", uses=["train-set@v0.1.0"], run_url="https://runs.example/1")
    repo.write("metrics.json", '{"auc": 0.93, "f1": 0.7}').commit("Better")
    repo.register("churn", "v1.1.0", params={"depth": 4}, labels=["q1"])
    repo.assign("churn@v1.0.0", "staging").assign("churn@v1.0.0", "production", reason="Best so far", message="Go")
    repo.assign("churn@v1.1.0", "staging")
    repo.register("cv:pool", "v0.0.1")
    return repo


# -- the models page ---------------------------------------------------------------------------------------------------


def test_the_models_page_says_what_is_in_production_since_when_and_by_whom(full: RepoStory) -> None:
    page = look(dashboard(full))

    assert "model/one/churn.html" in page.links
    assert "version/one/churn@v1.0.0.html" in page.links
    assert "model/one/cv=pool.html" in page.links
    assert "tabular" in page.text
    assert "@example/growth" in page.text
    assert [cell.get("data-label") for cell in page.all("td")][:4] == ["Type", "Latest", "staging", "production"]
    times = [time for time in page.all("time") if time["title"].startswith("since")]
    assert all(time["datetime"].startswith("2026-01-01") and time["title"].endswith("by Ana") for time in times)
    assert "4 days ago" not in page.text
    assert "3 days ago" in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "LEAVE who"}, ["churn"]),
        ({"q": "growth"}, ["churn"]),
        ({"type": "dataset"}, ["train-set"]),
        ({"stage": "production"}, ["churn"]),
        ({"label": "q1"}, ["churn"]),  # its latest version's
        ({"sort": "-name", "type": "model"}, ["pool", "cv:pool", "churn"]),
        ({"sort": "latest", "stage": "staging"}, ["churn"]),
        ({"sort": "nonsense", "stage": "staging"}, ["churn"]),
    ],
)
def test_the_models_page_is_filtered_and_sorted_by_its_address(
    full: RepoStory, query: dict[str, str], found: list[str]
) -> None:
    page = look(dashboard(full), **query)

    assert [row["data-name"] for row in page.all("tr") if "data-name" in row] == found


def test_nothing_yet_and_nothing_found_are_different_words(full: RepoStory, tmp_path: Path) -> None:
    nothing_yet = look(dashboard(RepoStory.begin(tmp_path / "empty")))
    nothing_found = look(dashboard(full), q="no such")

    assert "Nothing yet" in nothing_yet.text
    assert "registry init" in nothing_yet.text
    assert "Clear the filter" not in nothing_yet.text
    assert "Nothing found" in nothing_found.text
    assert "Nothing yet" not in nothing_found.text
    assert "index.html" in nothing_found.links


def test_deprecated_models_are_shown_on_demand(full: RepoStory) -> None:
    full.registry_at().deprecate("cv:pool")

    without, asked = look(dashboard(full)), look(dashboard(full), deprecated="1")

    assert "1 deprecated" in without.text
    assert [e for e, _ in without.elements].count("table") == 2  # the second one stands in a <details>
    assert "1 deprecated" not in asked.text
    assert [e for e, _ in asked.elements].count("table") == 1


def test_many_models_stand_on_several_pages(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models:\n" + "".join(f"  m{n:04}: {{}}\n" for n in range(1001))).commit()
    board = dashboard(repo)

    assert len([row for row in look(board).all("tr") if "data-name" in row]) == 1000
    assert "m1000" in look(board, page="2").text
    assert "m1000" in look(board, "index~2.html").text
    assert pages.at(board, "index.html", {"page": "3"}) is None
    assert "index~2.html" in pages.addresses(board)


def test_several_repositories_stand_on_one_page_and_a_broken_one_hides_no_other(
    full: RepoStory, tmp_path: Path
) -> None:
    other = RepoStory.begin(tmp_path / "other")
    other.write("registry.yaml", "models: {fraud: {}}\n").commit()
    other.register("fraud")
    gone = RepoStory.begin(tmp_path / "gone")
    board = dashboard(full, other, gone)
    gone.write(".git/config", "[broken")

    page = look(board)

    assert {"model/one/churn.html", "model/two/fraud.html"} <= set(page.links)
    assert "gone cannot be read" in page.text
    assert "other" in page.text
    assert look(board, "activity.html").text.count("gone cannot be read") == 1
    assert "It cannot be read" in look(board, "health.html").text


# -- one model ---------------------------------------------------------------------------------------------------------


def test_the_page_of_a_model_says_all_of_it(full: RepoStory) -> None:
    page = look(dashboard(full), "model/one/churn.html")

    assert "Who is about to leave" in page.text
    assert "It predicts ." in page.text
    assert "../../version/one/churn@v1.1.0.html" in page.links
    assert "../../compare/one/churn@v1.0.0...v1.1.0.html" in page.links
    assert "Best so far" in page.text
    assert "0.93" in page.text
    assert "registry pull 'churn#production'" in page.text
    assert len(page.all("svg")) == 3  # the mark, and two metrics
    assert "one version at a time" in page.text


def test_a_model_without_a_version_says_how_to_make_one(repo: RepoStory) -> None:
    page = look(dashboard(repo), "model/one/churn.html")

    assert "No version is registered yet" in page.text
    assert "registry register churn" in page.text


def test_the_versions_of_a_model_are_paged_and_only_those_shown_are_read(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(60):
        repo.tag(f"churn@v0.0.{n}")
    board = dashboard(repo)
    asked: list[int] = []
    read_them = views.version_views

    def count(repository: Repository, wanted: Sequence[tuple[ArtifactState, VersionState]]) -> list[ModelVersion]:
        asked.append(len(wanted))
        return read_them(repository, wanted)

    monkeypatch.setattr(views, "version_views", count)

    first, second = look(board, "model/one/churn.html"), look(board, "model/one/churn.html", page="2")

    assert asked == [50, 10]
    assert "v0.0.59" in first.text
    assert "../../model/one/churn.html?page=2" in first.links
    assert "51 to 60 of 60" in second.text
    assert pages.at(board, "model/one/churn.html", {"page": "3"}) is None


def test_a_card_that_is_a_mapping_is_a_list(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {card: {license: MIT, use_cases: [retention, <b>]}}}\n").commit()

    page = look(dashboard(repo), "model/one/churn.html")

    assert "use cases" in page.text
    assert "<b>" in page.text


def test_a_card_that_is_missing_or_too_long_says_so(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {card: card.md}}\n").commit()
    assert "card.md is not there" in look(dashboard(repo), "model/one/churn.html").text

    repo.write("card.md", "x" * 200_001).commit()
    assert "card.md is longer than 200 kB" in look(dashboard(repo), "model/one/churn.html").text


# -- one version, two versions, all that happened ----------------------------------------------------------------------


def test_the_page_of_a_version_says_all_of_it(full: RepoStory) -> None:
    full.git("remote", "add", "origin", "https://user:secret@github.com/example/models.git")
    full.registry_at().annotate("churn@v1.0.0", deployments={"eu": "https://eu.example", "us": "s3://b"})
    html = render.html(pages.at(board := dashboard(full), "version/one/churn@v1.0.0.html", {}), board, now=NOW)  # type: ignore[arg-type]
    page = read(html)
    commit = full.registry.find("churn@v1.0.0") and full.registry.get_version("churn", "v1.0.0").commit

    assert f"https://github.com/example/models/commit/{commit}" in page.links
    assert "secret" not in html
    assert "https://runs.example/1" in page.links
    assert "https://eu.example" in page.links
    assert "s3://b" in page.text
    assert "../../version/one/train-set@v0.1.0.html" in page.links
    assert "models/churn.pkl" in page.text
    assert "Best so far" in page.text
    assert "behind v1.1.0" in page.text
    assert "../../version/one/churn@v1.0.0.html" in look(board, "version/one/train-set@v0.1.0.html").links


def test_a_version_says_what_its_commit_says_and_where_the_clone_lacks_it_that_it_does(repo: RepoStory) -> None:
    repo.train()
    repo.git("commit", "-q", "--amend", "-m", "Train it\nagain\n\nA body")
    repo.register("churn", "v1.0.0")
    lost = "1" * 40
    raw = f"object {lost}\ntype commit\ntag churn@v2.0.0\ntagger A <a@b> 1767225600 +0000\n\nlost\n"
    repo.raw_tag("churn@v2.0.0", raw.encode())

    for static in (False, True):
        board = dashboard(repo, static=static)
        assert "Train it again by Ana" in look(board, "version/one/churn@v1.0.0.html").text
        assert "1111111 not in this clone" in look(board, "version/one/churn@v2.0.0.html").text


def test_a_deregistered_version_keeps_its_page(full: RepoStory) -> None:
    full.deregister("churn@v1.1.0", reason="Trained on the wrong data")

    page = look(dashboard(full, acts=True), "version/one/churn@v1.1.0.html")

    assert "Deregistered" in page.text
    assert "Trained on the wrong data" in page.text
    assert not [link for link in page.links if "act/assign" in link]


def test_two_versions_stand_side_by_side(full: RepoStory) -> None:
    page = look(dashboard(full), "compare/one/churn@v1.0.0...v1.1.0.html")

    assert "+0.02" in page.text
    assert "Parameters" in page.text
    assert "depth" in page.text
    chosen = look(dashboard(full), "compare.html", repo="one", name="churn", a="v1.0.0", b="v1.1.0")
    assert "+0.02" in chosen.text
    assert "Compare two versions" in look(dashboard(full), "compare.html", repo="one", name="churn").text


def test_the_activity_tells_the_newest_first_and_one_kind_alone(full: RepoStory) -> None:
    page = look(dashboard(full), "activity.html")
    assignments = look(dashboard(full), "activity/assignment.html")

    assert page.text.index("cv=pool@v0.0.1") < page.text.index("churn#staging") < page.text.index("train-set@v0.1.0")
    assert "Ana assigned churn v1.0.0 to production" in page.text
    assert "registered churn" not in assignments.text
    assert "activity.html" in "".join(assignments.links)
    assert look(dashboard(full), "activity.html", event="assignment").text == assignments.text
    assert pages.at(dashboard(full), "activity/nonsense.html", {}) is None


def test_the_order_of_the_activity_is_that_of_history(full: RepoStory) -> None:
    full.at("2026-01-01").assign("churn@v1.1.0", "production")  # a clock that is slow

    page = look(dashboard(full), "activity.html")
    told = re.findall(r"(?:churn|train-set|cv=pool)[@#]\S+", page.text)

    assert [tag for tag in told if tag] == [view.tag for view in reversed(full.registry.history())]


def test_health_says_what_doctor_says(full: RepoStory) -> None:
    assert "Nothing is wrong" in look(dashboard(full), "health.html").text

    full.tag("churn@v9.0.0", light=True)

    assert "it is a lightweight tag" in look(dashboard(full), "health.html").text


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing.html",
        "index",
        "model/one/churn",
        "model/nowhere/churn.html",
        "model/one/../churn.html",
        "model/one/chu rn.html",
        "model/one/churn@v1.0.0.html",
        "version/one/churn.html",
        "version/one/churn@v1.0.0~2.html",
        "compare/one/churn@v1.0.0.html",
        "health~2.html",
        "index~0.html",
        "activity/../../etc/passwd.html",
        "compare.html",
    ],
)
def test_what_is_no_page_is_none(full: RepoStory, path: str) -> None:
    assert pages.at(dashboard(full), path, {}) is None


@pytest.mark.parametrize(
    "path", ["model/one/chrun.html", "version/one/churn@v9.9.9.html", "compare/one/churn@v1.0.0...v9.9.9.html"]
)
def test_what_is_not_there_is_said(full: RepoStory, path: str) -> None:
    with pytest.raises(NotFound):
        pages.at(dashboard(full), path, {})


def test_every_link_of_every_page_leads_to_a_page(full: RepoStory) -> None:
    from posixpath import dirname, join, normpath
    from urllib.parse import unquote

    board = dashboard(full, static=True)
    there = set(pages.addresses(board))

    for path in there:
        for link in look(board, path).links:
            if not link.startswith(("#", "https://")):
                to = normpath(join(dirname(path), unquote(link.partition("#")[0])))
                assert to in there, (path, link)


@pytest.mark.parametrize("name", ["churn", "a/b", "cv:pool", "a.html/b:c", "x_-1"])
def test_every_name_comes_back_from_its_address(name: str) -> None:
    for path, what in ((links.model("s", name), None), (links.version("s", name, "v1.0.0-rc.1+b"), "v1.0.0-rc.1+b")):
        stem, _ = links.split(path) or ("", 0)
        place = links.parse(stem)
        assert place is not None
        assert (place.slug, place.artifact, place.what) == ("s", name, what)
    assert links.model("s", "a.html/b:c") == "model/s/a.html=/b=c.html"


def test_a_link_works_from_any_depth() -> None:
    assert links.relative("index.html", "model/s/cv=a.html") == "model/s/cv=a.html"
    assert links.relative("model/s/a/b.html", "version/s/a@v1.0.0+x.html") == "../../../version/s/a@v1.0.0+x.html"


def test_acting_is_offered_only_where_it_leads_somewhere(full: RepoStory) -> None:
    paths = ["index.html", "model/one/churn.html", "version/one/churn@v1.0.0.html"]

    def acting(board: Dashboard) -> set[str]:
        found = {link for path in paths for link in look(board, path).links if "act/" in link}
        return {re.sub(r"\.\./", "", link) for link in found}

    assert not acting(dashboard(full))
    assert not acting(dashboard(full, static=True))
    assert {
        "act/register.html?repo=one",
        "act/register.html?repo=one&name=churn",
        "act/deprecate.html?repo=one&name=churn",
        "act/unassign.html?repo=one&name=churn&version=v1.0.0&stage=production",
        "act/assign.html?repo=one&name=churn&version=v1.0.0",
        "act/annotate.html?repo=one&name=churn&version=v1.0.0",
        "act/deregister.html?repo=one&name=churn&version=v1.0.0",
    } <= acting(dashboard(full, acts=True))


def test_what_cannot_work_stands_there_with_the_reason(full: RepoStory, tmp_path: Path) -> None:
    board = dashboard(full, acts=True)

    assert "Push there is no remote to push to" in look(board).text
    assert "Roll back nothing to go back to" in look(board, "model/one/churn.html").text

    full.git("init", "-q", "--bare", str(tmp_path / "shared.git"))
    full.git("remote", "add", "origin", str(tmp_path / "shared.git"))
    full.assign("churn@v1.1.0", "production")
    board = dashboard(full, acts=True)
    assert "../../act/rollback.html?repo=one&name=churn&stage=production" in look(board, "model/one/churn.html").links
    assert "act/push.html?repo=one" in look(board).links


def test_what_a_change_brings_is_there_without_a_new_dashboard(full: RepoStory) -> None:
    board = dashboard(full)
    assert "v1.2.0" not in look(board).text

    full.register("churn", "v1.2.0")
    board.sources[0].registry.refresh()

    assert "v1.2.0" in look(board).text


# -- small things ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-01-05T00:00:00+00:00", "just now"),
        ("2026-01-04T23:59:00+00:00", "1 minute ago"),
        ("2026-01-04T01:00:00+02:00", "1 day ago"),
        ("2026-01-04T22:00:00+00:00", "2 hours ago"),
        ("2025-12-22T00:00:00+00:00", "2 weeks ago"),
        ("2025-10-05T00:00:00+00:00", "3 months ago"),
        ("2020-01-05T00:00:00+00:00", "6 years ago"),
        ("2026-01-07T00:00:00+00:00", "in 2 days"),
        ("nonsense", "nonsense"),
    ],
)
def test_dates_are_told_as_people_say_them(iso: str, words: str) -> None:
    assert dates.ago(iso, NOW) == words


def test_exact_dates_keep_the_zone_of_who_wrote_them() -> None:
    assert dates.exact("2026-01-05T10:20:30+00:00") == "2026-01-05 10:20:30 UTC"
    assert dates.exact("2026-01-05T10:20:30+05:30") == "2026-01-05 10:20:30 +05:30"


def test_a_long_list_is_cut_into_parts() -> None:
    last = paging.part(range(120), 3)
    assert last is not None
    assert (list(last.items)[:2], last.pages, last.first, last.last) == ([100, 101], 3, 101, 120)
    middle = paging.part(range(1000), 10)
    assert middle is not None
    assert middle.near == [1, None, 9, 10, 11, None, 20]
    assert paging.part([], 1) is not None
    assert paging.part([], 2) is None


def test_sizes_and_values_are_told_as_people_say_them() -> None:
    assert [render.size(n) for n in (0, 999, 1000, 18_800, 10**6, 999_999, 10**9, 10**18)] == [
        "0 B", "999 B", "1 kB", "18.8 kB", "1 MB", "1 MB", "1 GB", "1,000 PB",
    ]  # fmt: skip
    assert [render.value(v) for v in (0.1 + 0.2, 1e300, 3, None, True, "x", {"a": [1]})] == [
        "0.3", "1e+300", "3", "null", "true", "x", '{"a": [1]}',
    ]  # fmt: skip


def test_health_says_what_verify_says(full: RepoStory) -> None:
    full.tag("trusted@v1.0.0", "by hand")
    text = look(dashboard(full), "health.html").text
    assert "Nothing fails, for the policy asks for no signature and names nobody." in text

    manifest = (full.path / "registry.yaml").read_text()
    full.write("registry.yaml", f"versions: {{signed: true}}\n{manifest}").commit("A policy")
    text = look(dashboard(full), "health.html").text
    assert "trusted@v1.0.0 it is not signed, and versions have to be signed" in text
    assert "by Ana <ana@example.com>" in text
    assert "0 of 0 signatures proven" in text

    full.write("registry.yaml", f"versions: {{signed: perhaps}}\n{manifest}").commit("A broken policy")
    assert "That cannot be told: a rule cannot be understood" in look(dashboard(full), "health.html").text

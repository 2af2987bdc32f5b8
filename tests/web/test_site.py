"""The dashboard as static files."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest

from registry.errors import Refused
from registry.web import render, site
from tests.story import RepoStory
from tests.web.test_pages import NOW, dashboard, read


def _files(directory: Path) -> set[str]:
    return {file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file()}


def test_a_site_has_every_page_and_all_that_they_need(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    out = tmp_path / "deep" / "site"

    count = site.write(dashboard(repo, static=True), out, now=NOW)

    files = _files(out)
    assert {
        "index.html",
        "activity.html",
        "health.html",
        "model/one/churn.html",
        "version/one/churn@v1.0.0.html",
    } <= files
    assert {"static/app.js", "static/style.css", "static/favicon.svg", ".nojekyll", site.MARKER} <= files
    assert count == len([file for file in files if file.endswith(".html")])
    assert sorted(path.name for path in out.parent.iterdir()) == ["site"]


def test_every_file_that_a_page_asks_for_is_there_and_none_of_another_host(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    site.write(dashboard(repo, static=True), tmp_path / "site", now=NOW)

    for file in (tmp_path / "site").rglob("*.html"):
        page = read(file.read_text())
        asked = [*(link["href"] for link in page.all("link")), *(script["src"] for script in page.all("script"))]
        assert len(asked) == 3
        assert all((file.parent / name).is_file() for name in asked)
        [policy] = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_site_replaces_the_one_before_it_and_nothing_else(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    out = tmp_path / "site"
    site.write(dashboard(repo, static=True), out, now=NOW)
    (out / "CNAME").write_text("models.example.com\n")
    repo.git("tag", "-d", "churn@v1.0.0")
    repo.register("churn", "v2.0.0")

    site.write(dashboard(repo, static=True), out, now=NOW)

    files = _files(out)
    assert "CNAME" in files
    assert "version/one/churn@v2.0.0.html" in files
    assert "version/one/churn@v1.0.0.html" not in files


def test_a_directory_with_something_else_in_it_is_left_alone(repo: RepoStory, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("x")
    (tmp_path / "file").write_text("x")

    for place in ("home", "file"):
        with pytest.raises(Refused):
            site.write(dashboard(repo, static=True), tmp_path / place, now=NOW)

    assert _files(tmp_path / "home") == {"thesis.tex"}


def test_a_site_that_cannot_be_made_leaves_the_old_one(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    site.write(dashboard(repo, static=True), out, now=NOW)
    before = {file: (out / file).read_bytes() for file in _files(out)}

    def fail(*_: object, **__: object) -> str:
        raise Refused("no", "")

    monkeypatch.setattr(render, "html", fail)
    with pytest.raises(Refused):
        site.write(dashboard(repo, static=True), out, now=NOW)

    assert {file: (out / file).read_bytes() for file in _files(out)} == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".site")]


def test_the_list_of_old_files_leads_nowhere_else(repo: RepoStory, tmp_path: Path) -> None:
    out = tmp_path / "site"
    site.write(dashboard(repo, static=True), out, now=NOW)
    (tmp_path / "precious").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("x")
    (out / "way").symlink_to(tmp_path / "other")
    marker = out / site.MARKER
    marker.write_text(marker.read_text() + f"../precious\n{tmp_path}/precious\nway/file\nmodel/../../precious\n")

    site.write(dashboard(repo, static=True), out, now=NOW)

    assert (tmp_path / "precious").exists()
    assert (tmp_path / "other" / "file").exists()


def test_long_lists_are_files_of_their_own(repo: RepoStory, tmp_path: Path) -> None:
    for n in range(51):
        repo.tag(f"churn@v0.0.{n}")

    site.write(dashboard(repo, static=True), tmp_path / "site", now=NOW)

    files = _files(tmp_path / "site")
    assert {"activity~2.html", "history/one/churn~2.html", "model/one/churn~2.html"} <= files
    page = read((tmp_path / "site" / "activity~2.html").read_text())
    assert "activity.html" in page.links


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_cannot_be_written_is_said(repo: RepoStory, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)

    with pytest.raises(Refused):
        site.write(dashboard(repo, static=True), tmp_path / "shut" / "site", now=NOW)


# -- a disk that takes capitals for small letters ----------------------------------------------------------------------


def test_no_two_pages_are_one_file_where_case_does_not_count(repo: RepoStory, tmp_path: Path) -> None:
    for name in ("churn", "Churn", "CHURN", "a/b", "A/b", "Only"):
        repo.tag(f"{name}@v1.0.0-rc")
    repo.tag("churn@v1.0.0-RC")
    out = tmp_path / "site"

    site.write(dashboard(repo, static=True), out, now=NOW)
    first = _files(out)

    assert len({name.lower() for name in first}) == len(first)
    directories = {parent.as_posix() for name in first for parent in PurePosixPath(name).parents}
    assert len({name.lower() for name in directories}) == len(directories)
    assert {"model/one/churn.html", "model/one/Only.html", "version/one/churn@v1.0.0-rc.html"} <= first
    led = {}
    for place in ("index.html", "model/one/churn.html"):
        for href in read((out / place).read_text()).links:
            if not href.startswith("#"):
                target = ((out / place).parent / unquote(href.partition("#")[0])).resolve()
                led[target] = read(target.read_text()).text
    for name in ("churn", "Churn", "CHURN"):
        [page] = [words for path, words in led.items() if "/model/" in path.as_posix() and f" {name} model" in words]
        assert f"registry show {name}" in page
    assert "churn v1.0.0-RC" in " ".join(led.values())

    again = tmp_path / "again"
    site.write(dashboard(repo, static=True), again, now=NOW)
    assert _files(again) == first


def test_a_name_that_meets_no_other_keeps_its_path(repo: RepoStory, tmp_path: Path) -> None:
    repo.tag("Only@v1.0.0")

    site.write(dashboard(repo, static=True), tmp_path / "site", now=NOW)

    assert not [name for name in _files(tmp_path / "site") if "~" in name]


def test_a_page_that_an_older_site_spelt_otherwise_is_not_taken_away(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.register("churn", "v1.0.0")
    out = tmp_path / "site"
    site.write(dashboard(repo, static=True), out, now=NOW)
    marker = out / site.MARKER
    marker.write_text(marker.read_text() + "model/one/Churn.html\nmodel/one/CHURN.html\n")
    for name in ("Churn", "CHURN"):
        (out / f"model/one/{name}.html").write_text("of an older site")
    # As on a disk on which Churn.html is churn.html; CHURN.html is another file here.
    monkeypatch.setattr(Path, "samefile", lambda one, _: one.name == "Churn.html")

    site.write(dashboard(repo, static=True), out, now=NOW)

    assert (out / "model/one/churn.html").is_file()
    assert (out / "model/one/Churn.html").is_file()
    assert not (out / "model/one/CHURN.html").exists()

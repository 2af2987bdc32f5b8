"""What an adversary found in the server, the site and what they are made from."""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.cli.options import opened
from registry.errors import Refused, RegistryError
from registry.web import card, server, site
from registry.web.freshness import FreshMirror
from registry.web.sources import open_sources
from tests.story import RepoStory
from tests.web.test_pages import NOW, dashboard, read
from tests.web.visitor import HERE, Visitor

# -- a site is written where it was asked for, and nowhere else --------------------------------------------------------


@pytest.mark.parametrize("link", ["model", "model/one", "static"])
def test_a_link_in_an_old_site_leads_nowhere_else(repo: RepoStory, tmp_path: Path, link: str) -> None:
    repo.register("churn", "v1.0.0")
    out, victim = tmp_path / "site", tmp_path / "victim"
    site.write(dashboard(repo, static=True), out, now=NOW)
    victim.mkdir()
    shutil.rmtree(out / link)
    (out / link).symlink_to(victim)
    (out / "index.html").write_text("as before")

    with pytest.raises(Refused, match="is a link"):
        site.write(dashboard(repo, static=True), out, now=NOW)

    assert not list(victim.iterdir())
    assert (out / "index.html").read_text() == "as before"


def test_a_site_is_made_within_its_directory(repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "mounted"
    (out / f"{site.MARKER}.killed").mkdir(parents=True)  # of a writer that was killed
    rooms: list[Path] = []
    make = tempfile.mkdtemp

    def noted(*, prefix: str, dir: Path) -> str:  # noqa: A002  (its name there)
        rooms.append(dir)
        return make(prefix=prefix, dir=dir)

    monkeypatch.setattr(tempfile, "mkdtemp", noted)

    site.write(dashboard(repo, static=True), out, now=NOW)

    assert rooms == [out]
    assert [path.name for path in out.glob(f"{site.MARKER}.*")] == [f"{site.MARKER}.killed"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_repository_that_cannot_be_read_hides_no_other_in_a_site(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    nowhere = (tmp_path / "nowhere").as_uri()

    with open_sources([str(repo.path), nowhere], acts=False, static=True).reading() as board:
        site.write(board, tmp_path / "site", now=NOW)
        assert [source.name for source, _ in site.unreadable(board)] == ["nowhere"]

    page = read((tmp_path / "site/index.html").read_text())
    assert "nowhere cannot be read" in page.text
    assert (tmp_path / "site/model/repo/churn.html").exists()
    with open_sources([nowhere], acts=False, static=True).reading() as board, pytest.raises(RegistryError):
        site.write(board, tmp_path / "none", now=NOW)
    assert not (tmp_path / "none").exists()


# -- a clone without tags ----------------------------------------------------------------------------------------------


def test_tags_that_were_never_fetched_are_told(repo: RepoStory, tmp_path: Path) -> None:
    repo.write("registry.yaml", "models: {churn: {}}\n").commit()
    repo.register("churn", "v1.0.0")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--no-tags", repo.path.as_uri(), str(clone))

    with open_sources([str(clone)], acts=False, static=True).reading() as board:
        [note] = board.sources[0].notes()
        site.write(board, tmp_path / "site", now=NOW)

    assert "were never fetched" in note
    assert note in Visitor(str(clone)).get("").text
    assert note in read((tmp_path / "site/index.html").read_text()).text
    with open_sources([str(repo.path)], acts=False).reading() as board:
        assert not [*board.sources[0].notes()]


# -- a server that does not answer -------------------------------------------------------------------------------------


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes a connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        yield f"http://127.0.0.1:{here.getsockname()[1]}/silent.git"


def test_a_server_that_says_nothing_makes_nobody_wait_for_long(
    repo: RepoStory, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.web.sources.WAIT", 0.5)
    repo.register("churn", "v1.0.0")
    visitor = Visitor(str(repo.path), silent)

    began = time.monotonic()
    assert visitor.get("model/repo/churn.html").status_code == 200  # it is not asked for this one
    first = visitor.get("")
    second = visitor.get("")

    assert time.monotonic() - began < 5
    for page in (first, second):
        assert page.status_code == 200
        assert "churn" in page.text
        assert "has not answered yet" in page.text


def test_the_last_answers_are_shown_while_a_server_is_asked(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("registry.yaml", "models: {churn: {}}\n").commit()
    repo.register("churn", "v1.0.0")
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "shared.git"))
    sources = open_sources([(tmp_path / "shared.git").as_uri()], acts=False)
    fresh = sources.desks[0].fresh
    assert isinstance(fresh, FreshMirror)
    with sources.reading() as board:
        before = board.sources[0].registry.repository.states
    fresh.expire()
    fresh._patience = 0.2
    answers = threading.Event()
    look = fresh._asker.look
    monkeypatch.setattr(fresh._asker, "look", lambda ledger: (answers.wait(60), look(ledger))[1])

    with sources.reading() as board:
        assert board.sources[0].registry.repository.states is before
        [trouble] = sources.troubles
        assert "still asking" in trouble

    answers.set()
    fresh._patience = 60
    repo.tag("churn@v2.0.0")
    repo.git("push", "-q", str(tmp_path / "shared.git"), "churn@v2.0.0")
    with sources.reading() as board:
        assert not sources.troubles
    fresh.expire()
    with sources.reading() as board:
        assert "v2.0.0" in board.sources[0].registry.repository.states["churn"].versions


# -- strangers ---------------------------------------------------------------------------------------------------------


def test_a_card_that_was_made_to_be_slow_is_cut_and_rendered_once() -> None:
    text = "# Card\n" + "[" * 190_000

    began = time.process_time()
    html = card.html(text)
    again = card.html(text)

    assert time.process_time() - began < 3
    assert again is html
    assert "goes on" in html
    assert "goes on" not in card.html("words\n" * 8000)


@pytest.mark.parametrize("path", ["act/register.html", "act/check.json?action=register", "index.html?refresh=1"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_sets_nothing_to_work(repo: RepoStory, path: str, site: str) -> None:
    repo.register("churn", "v1.0.0")
    visitor = Visitor()
    strange = {"Sec-Fetch-Site": site}  # same-site: another port of this machine

    for mode in ({}, {"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Mode": "navigate"}):
        assert visitor.send("GET", f"/{path}", {**strange, **mode}).status_code == 403
    assert visitor.send("GET", "/index.html", strange).status_code == 200
    for ours in ({"Sec-Fetch-Site": "same-origin", "Origin": HERE}, {"Sec-Fetch-Site": "none"}):
        assert visitor.send("GET", f"/{path}", ours).status_code in {200, 303}


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["markdown_it", "jinja2"])
def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(RegistryError, match="needs a package that is not installed"):
        opened((), acts=False)


def test_where_no_port_is_free_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, *_: object) -> None: ...
        def setsockopt(self, *_: object) -> None: ...
        def close(self) -> None: ...
        def bind(self, *_: object) -> None:
            raise OSError(98, "Address already in use")

    monkeypatch.setattr(socket, "socket", Full)
    with pytest.raises(Refused) as refused:
        server.listening(None)
    assert "None" not in refused.value.message
    with pytest.raises(Refused, match="port 80: Address"):
        server.listening(80)

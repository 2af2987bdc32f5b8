"""`registry ui` and `registry site`, as processes of their own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.errors import Refused
from registry.web.server import listening
from tests.story import RepoStory
from tests.web.serving import Served, served
from tests.web.visitor import Visitor


def _read(
    ui: Served, path: str = "", headers: dict[str, str] | None = None, data: bytes | None = None
) -> tuple[int, str]:
    known = {"Cookie": ui.cookie, **(headers or {})}
    request = urllib.request.Request(f"{ui.url}{path}", data, known)  # noqa: S310  (our own server)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_prints_its_address_serves_and_ends_cleanly(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    with served(repo) as ui:
        assert ui.address.startswith(f"http://127.0.0.1:{ui.port}/?token=")
        assert ui.room.count("/") == 2
        status, page = _read(ui)
        assert (status, "churn" in page) == (200, True)
        repo.register("churn", "v2.0.0")
        assert "v2.0.0" in _read(ui)[1]
        assert _read(ui, headers={"Host": "evil.example"})[0] == 421
        assert _read(ui, "act/register.html", data=b"name=churn")[0] == 403
        with ThreadPoolExecutor(8) as pool:
            paths = ["", "model/repo/churn.html", "act/register.html?name=churn", "activity.html"] * 8
            assert {status for status, _ in pool.map(lambda path: _read(ui, path), paths)} == {200}

        ui.process.send_signal(signal.SIGINT)
        out, err = ui.process.communicate(timeout=30)

    assert (ui.process.returncode, out, err) == (0, "", "")


def test_whoever_else_reaches_the_port_is_told_nothing(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    with served(repo) as ui:
        status, page = _read(ui, headers={"Cookie": ""})
        assert (status, "churn" in page) == (403, False)
        with served(repo) as other:
            assert other.address.partition("?")[2] != ui.address.partition("?")[2]
            assert _read(ui, headers={"Cookie": other.cookie})[0] == 403


def test_an_open_connection_does_not_keep_it_from_ending(repo: RepoStory) -> None:
    with served(repo) as ui:
        with socket.create_connection(("127.0.0.1", ui.port)) as idle:
            idle.sendall(b"GET / HTTP/1.1\r\nHost: ")
            ui.process.send_signal(signal.SIGINT)
            ui.process.communicate(timeout=30)
        assert ui.process.returncode == 0


def test_in_json_the_address_is_the_first_line(repo: RepoStory) -> None:
    with served(repo, "--json", "--read-only") as ui:
        assert _read(ui, "act/register.html")[0] == 404


def test_several_repositories_stand_beside_each_other(repo: RepoStory, tmp_path: Path) -> None:
    other = RepoStory.begin(tmp_path / "other")
    other.write("registry.yaml", "models:\n  price: {}\n").commit()
    with served(repo, "--repo", ".", "--repo", str(other.path)) as ui:
        page = _read(ui)[1]

    assert "churn" in page
    assert "price" in page
    assert 'href="model/other/price.html"' in page


def test_a_port_that_is_taken_is_said(repo: RepoStory) -> None:
    with listening(0) as here:
        port = here.getsockname()[1]
        done = repo.cli("ui", "--no-browser", "--port", str(port))

    assert done.code == 1
    assert done.err.startswith(f"error: cannot listen at port {port}: ")
    assert "hint: --port 0 takes one that is free" in done.err
    assert repo.cli("ui", "--port", "70000").code == 2
    with pytest.raises(Refused):
        listening(2**20)


def test_without_a_port_one_is_found_and_only_this_machine_hears() -> None:
    with listening(None) as one, listening(None) as other:
        assert one.getsockname()[1] != other.getsockname()[1]
        assert {one.getsockname()[0], other.getsockname()[0]} == {"127.0.0.1"}


def test_where_there_is_no_repository_nothing_isserved(tmp_path: Path) -> None:
    done = RepoStory(tmp_path).cli("ui", "--no-browser", "--port", "0")

    assert done.code == 1
    assert done.out == ""
    assert "not a Git repository" in done.err


@pytest.mark.parametrize("words", [["ui"], ["site", "-o", "x"]])
@pytest.mark.parametrize("missing", ["jinja2", "starlette", "uvicorn"])
def test_what_is_not_installed_is_said_with_what_to_do(repo: RepoStory, words: list[str], missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from registry.cli import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False, text=True)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: the dashboard needs a package that is not installed: {missing}",
        "hint: pip install 'git-registry[ui]'",
    ]


def test_a_site_is_written(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    directory = tmp_path / "pages"

    done = repo.cli("site", "-o", str(directory))
    again = json.loads(repo.cli("site", "-o", str(directory), "--json").out)

    assert done.out == f"{directory}\n"
    assert done.err.endswith("pages written\n")
    assert again == {"directory": str(directory), "pages": len(list(directory.rglob("*.html")))}
    page = (directory / "model/repo/churn.html").read_text()
    assert "v1.0.0" in page
    assert "act/" not in page


def test_a_site_of_a_url_needs_no_clone(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")

    done = repo.cli("site", "-o", str(tmp_path / "pages"), "--repo", repo.path.as_uri())

    assert done.code == 0, done.err
    assert "v1.0.0" in (tmp_path / "pages/model/repo/churn.html").read_text()


def test_reload_with_refresh_asks_the_server(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("registry.web.freshness.time.monotonic", lambda: now)
    repo.register("churn", "v1.0.0")
    visitor = Visitor(repo.path.as_uri())
    assert "v1.0.0" in visitor.get("").text
    repo.register("churn", "v2.0.0")
    now += 5

    assert "v2.0.0" not in visitor.get("").text
    assert "v2.0.0" in visitor.get("", refresh="").text

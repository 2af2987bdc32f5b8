"""What a hostile reviewer found about `--repo URL`, each told once."""

from __future__ import annotations

import functools
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from registry import Registry
from registry.errors import UsageError
from registry.plumbing.address import Address
from tests.remotes.story import Clones, run
from tests.servers import PASSWORD, USER, GitServer
from tests.story import RepoStory


def cached(home: Path) -> str:
    """All that lies in files below a directory."""
    found = []
    for place, _, names in os.walk(home):
        found += [(Path(place) / name).read_text(errors="replace") for name in names]
    return "\n".join(found)


@pytest.mark.parametrize("login", ["ghp_TOKEN", "ghp_TOKEN:x-oauth-basic", "user:p@ssghp_TOKEN"])
def test_no_login_of_an_http_url_is_shown_or_kept(empty: RepoStory, login: str) -> None:
    done = empty.cli("show", "--repo", f"http://{login}@127.0.0.1:9/models.git")

    assert done.code == 1
    assert "TOKEN" not in done.out + done.err + cached(Path(os.environ["XDG_CACHE_HOME"]))


def test_a_slash_in_a_password_is_refused_without_an_echo() -> None:
    with pytest.raises(UsageError, match="port is no number") as refused:
        Address.parse("https://user:pa/ssSECRET@example.com/x.git")

    assert "SECRET" not in str(refused.value)


def test_a_directory_with_a_line_break_harms_nobody(repo: RepoStory) -> None:
    repo.register("churn").write("a\nb/registry.yaml", "models: {odd: {}}\n").commit("Odd")

    assert [a.name for a in repo.registry.show()] == ["churn"]
    assert [a.name for a in Registry(repo.path.as_uri()).show()] == ["churn"]
    assert repo.cli("doctor").code in {0, 1}
    assert repo.cli("status").code == 0


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_ssh_is_asked_once_and_says_why(empty: RepoStory, tmp_path: Path) -> None:
    said = tmp_path / "calls"
    ssh = _script(
        tmp_path / "ssh", f'echo "$@" >> {said}; echo "ana@host: Permission denied (publickey)." >&2; exit 255'
    )

    done = empty.cli(
        "show", "--repo", "git@host:models.git", env={"GIT_SSH_COMMAND": str(ssh), "GIT_SSH_VARIANT": "ssh"}
    )

    assert done.code == 1
    assert "Permission denied" in done.err
    assert len(said.read_text().splitlines()) == 1


def test_a_relative_askpass_is_found(clones: Clones, git_server: GitServer, empty: RepoStory) -> None:
    run(clones.clone(), "register", "churn", "--push")
    _script(empty.path / "ask.sh", f'case "$1" in User*) echo {USER};; *) echo {PASSWORD};; esac')
    url = git_server.url("models.git", "private")

    done = empty.cli("resolve", "churn", "--repo", url, env={"GIT_ASKPASS": "./ask.sh"})

    assert (done.code, done.out) == (0, "v0.0.1\n"), done.err


def test_sha256_without_protocol_v2(tmp_path: Path, empty: RepoStory) -> None:
    there = tmp_path / "sha256"
    subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", str(there)], check=True)
    story = RepoStory(there)
    story.git("config", "user.name", "Ana")
    story.git("config", "user.email", "ana@example.com")
    story.write("registry.yaml", "models: {churn: {}}\n").commit("Declare")
    story.register("churn")
    empty.git("config", "--global", "protocol.version", "0")

    assert run(empty, "resolve", "churn", "--repo", there.as_uri()) == ["v0.0.1"]


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  (the base class names it)
        pass


@pytest.fixture
def files(tmp_path: Path) -> Iterator[str]:
    """A web server that knows nothing of Git."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_of_files_alone_gives_right_answers(files: str, tmp_path: Path, repo: RepoStory) -> None:
    repo.register("churn").assign("churn", "staging")
    there = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--mirror", str(repo.path), str(there)], check=True)
    subprocess.run(["git", "-C", str(there), "update-server-info"], check=True)

    assert run(repo, "resolve", "churn#staging", "--repo", f"{files}/bare.git") == ["v0.0.1"]

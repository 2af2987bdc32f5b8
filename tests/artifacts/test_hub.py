"""`pull` from the Hugging Face Hub: the real huggingface_hub, against a server here that speaks what it asks for."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import pytest

from registry.artifacts import urls
from registry.errors import Refused
from tests.story import RepoStory

pytestmark = pytest.mark.skipif(
    not (find_spec("huggingface_hub") and find_spec("fsspec")), reason="needs huggingface_hub: pip install '.[bytes]'"
)
FIRST, SECOND = "1" * 40, "2" * 40


@dataclass
class Hub:
    """The models `ana/churn` (public, at two commits) and `ana/secret` (for who has the token)."""

    url: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    token: str = "hf_open_sesame"  # noqa: S105  (of a server that is here for a moment)
    damaged: bool = False
    claimed: int | None = None
    asked: list[str] = field(default_factory=list)

    def commit(self, revision: str) -> str | None:
        """The commit that a revision names."""
        return {"main": SECOND, "v1.0": FIRST, SECOND: SECOND, FIRST: FIRST}.get(revision)


@contextmanager
def hub() -> Iterator[Hub]:
    """A hub, while the block runs."""
    old, new = b"old weights\n" * 1000, b"new weights\n" * 1000
    found = Hub(
        files={FIRST: {"model.onnx": old, "config.json": b"{}"}, SECOND: {"model.onnx": new, "v/a.txt": b"a\n"}}
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def answer(self, code: int, body: bytes, **headers: str) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def fail(self, code: int, kind: str) -> None:
            self.answer(code, json.dumps({"error": kind}).encode(), X_Error_Code=kind, X_Error_Message=kind)

        def entry(self, path: str, data: bytes) -> dict[str, Any]:
            sha256 = hashlib.sha256(data).hexdigest()
            lfs = {"lfs": {"oid": sha256, "size": len(data), "pointerSize": 130}} if path.endswith(".onnx") else {}
            return {"type": "file", "path": path, "size": found.claimed or len(data), "oid": "a" * 40, **lfs}

        def do_GET(self) -> None:
            self.speak(b"")

        do_HEAD = do_GET  # noqa: N815  (http.server asks for that name)

        def do_POST(self) -> None:
            self.speak(self.rfile.read(int(self.headers["Content-Length"])))

        def speak(self, body: bytes) -> None:
            path = urllib.parse.unquote(self.path.partition("?")[0])
            found.asked.append(f"{self.command} {path}")
            told = re.fullmatch(
                r"/(?:api/models/)?(ana)/(\w+)(?:/(revision|paths-info|tree|resolve)/([^/]+)/?(.*))?", path
            )
            if told is None:
                return self.fail(404, "RepoNotFound")
            _, name, verb, revision, place = told.groups()
            if name != "churn" and self.headers.get("Authorization") != f"Bearer {found.token}":
                return self.fail(401, "RepoNotFound")
            if name == "gated" and verb == "resolve":
                return self.fail(403, "GatedRepo")
            commit = found.commit(revision or "main")
            if commit is None:
                return self.fail(404, "RevisionNotFound")
            files = found.files[commit]
            if verb in {None, "revision"}:
                siblings = [{"rfilename": path} for path in files]
                about = {"_id": "1", "id": f"ana/{name}", "modelId": f"ana/{name}", "sha": commit, "siblings": siblings}
                return self.answer(200, json.dumps({**about, "private": False, "tags": []}).encode())
            if verb == "paths-info":
                asked = (
                    urllib.parse.parse_qs(body.decode())["paths"] if b"paths=" in body else json.loads(body)["paths"]
                )
                rows = [self.entry(one, files[one]) for one in asked if one in files]
                rows += [self.directory(one) for one in asked if any(path.startswith(f"{one}/") for path in files)]
                return self.answer(200, json.dumps(rows).encode())
            if verb == "tree":
                prefix = f"{place}/" if place else ""
                below = [path for path in files if path.startswith(prefix)]
                if "recursive=true" not in self.path.lower():
                    directories = {
                        path[len(prefix) :].partition("/")[0] for path in below if "/" in path[len(prefix) :]
                    }
                    below = [path for path in below if "/" not in path[len(prefix) :]]
                    rows = [self.directory(prefix + name) for name in sorted(directories)]
                else:
                    rows = []
                rows += [self.entry(path, files[path]) for path in below]
                return self.answer(200 if rows else 404, json.dumps(rows).encode())
            data = files[place]
            start, end = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "bytes=0-")).groups()  # type: ignore[union-attr]
            data = bytes(len(data)) if found.damaged else data
            part = data[int(start) : int(end) + 1 if end else None]
            span = f"bytes {start}-{int(start) + len(part) - 1}/{len(data)}"
            headers = {"Content_Range": span, "ETag": '"x"', "X_Repo_Commit": commit}
            return self.answer(206 if "Range" in self.headers else 200, part, **headers)

        def directory(self, path: str) -> dict[str, Any]:
            return {"type": "directory", "path": path, "oid": "b" * 40}

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Hub]:
    with hub() as found:
        yield found


def pulled(repo: RepoStory, server: Hub, path: str, **environment: str) -> tuple[int, str]:
    """What `registry pull` of a version with that path says, in a process of its own: it reads HF_ENDPOINT once."""
    repo.write("registry.yaml", f"models: {{churn: {{path: '{path}'}}}}\n").commit()
    repo.register("churn")
    code = "import sys; from registry.cli import run; sys.exit(run(sys.argv[1:]))"
    whole = {**repo.environment_whole(), "HF_ENDPOINT": server.url, "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-c", code, "pull", "churn", "-o", "out"],
        cwd=repo.path, env=whole, capture_output=True, check=False, text=True,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(("revision", "words"), [("", b"new"), ("@v1.0", b"old"), (f"@{FIRST}", b"old")])
def test_a_file_at_a_revision(repo: RepoStory, server: Hub, revision: str, words: bytes) -> None:
    code, said = pulled(repo, server, f"hf://ana/churn{revision}/model.onnx")

    assert code == 0, said
    assert (repo.path / "out/model.onnx").read_bytes() == (words + b" weights\n") * 1000


@pytest.mark.parametrize("revision", ["", "@main"])
def test_a_whole_repository(repo: RepoStory, server: Hub, revision: str) -> None:
    code, said = pulled(repo, server, f"hf://ana/churn{revision}")

    assert code == 0, said
    assert sorted(p.relative_to(repo.path).as_posix() for p in (repo.path / "out").rglob("*") if p.is_file()) == [
        "out/churn/model.onnx", "out/churn/v/a.txt",
    ]  # fmt: skip


def test_a_directory(repo: RepoStory, server: Hub) -> None:
    code, said = pulled(repo, server, "hf://ana/churn/v")

    assert code == 0, said
    assert (repo.path / "out/v/a.txt").read_bytes() == b"a\n"


def test_the_token_is_the_hubs_own(repo: RepoStory, server: Hub) -> None:
    home = repo.path.parent / "hf"
    home.mkdir()
    (home / "token").write_text(server.token)

    assert pulled(repo, server, "hf://ana/secret/model.onnx", HF_HOME=os.fspath(home))[0] == 0


@pytest.mark.parametrize(
    ("path", "environment", "words"),
    [
        ("ana/secret/model.onnx", {}, "there is no repository at hf://ana/secret/model.onnx, or it is not for you"),
        ("ana/churn@v9/model.onnx", {}, "names a revision that is not there"),
        ("ana/churn/absent.onnx", {}, "there is nothing at hf://ana/churn/absent.onnx"),
        ("ana/churn/model.onnx", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE forbids to ask the Hub"),
        ("ana/gated/model.onnx", {"HF_TOKEN": "hf_open_sesame"}, "is gated: its owners let in whom they know"),
        ("ana/churn/model.onnx", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said_plainly(
    repo: RepoStory, server: Hub, path: str, environment: dict[str, str], words: str
) -> None:
    code, said = pulled(repo, server, f"hf://{path}", **environment)

    assert (code, words in said) == (1, True), said
    assert len(said.splitlines()) <= 2
    assert not (repo.path / "out").exists()


def test_bytes_that_are_not_those_of_the_hub_are_refused(repo: RepoStory, server: Hub) -> None:
    server.damaged = True

    code, said = pulled(repo, server, "hf://ana/churn/model.onnx")

    assert (code, "model.onnx is not what was registered: its SHA-256" in said) == (1, True), said


@pytest.mark.parametrize(
    ("claimed", "words"), [(10**18, "bytes, and the disk has room for"), (10**7, "a.txt ended after")]
)
def test_a_hub_that_claims_any_size_keeps_nobody_busy(repo: RepoStory, server: Hub, claimed: int, words: str) -> None:
    server.claimed = claimed

    code, said = pulled(repo, server, "hf://ana/churn/v/a.txt")

    assert (code, words in said) == (1, True), said
    assert len(server.asked) < 20
    assert not (repo.path / "out").exists()


@pytest.mark.parametrize("url", ["hf://churn", "hf://", "hf://datasets/churn"])
def test_what_names_no_repository_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="names no repository"):
        urls.check(url)

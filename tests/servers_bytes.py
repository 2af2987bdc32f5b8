"""Real servers of bytes on loopback ports: a Git LFS server, plain HTTP, and S3 (moto)."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

USER, PASSWORD = "ana", "open-sesame"


@dataclass
class Bytes:
    """A server and what it holds: `files` by path, or objects of Git LFS by their SHA-256.

    `damaged` are answered with other bytes of the same length, `cut` with the half and a closed connection. With
    `private`, it wants the user and the password. `asked` are the paths of all requests, `wanted` the objects of each
    batch.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    private: bool = False
    asked: list[str] = field(default_factory=list)
    wanted: list[list[str]] = field(default_factory=list)

    def keep(self, data: bytes) -> str:
        """Hold an object of Git LFS; give the pointer to it."""
        oid = hashlib.sha256(data).hexdigest()
        self.files[oid] = data
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n"


@contextmanager
def serving() -> Iterator[Bytes]:
    """Serve files over HTTP, and objects by the batch API of Git LFS (git-lfs docs/api/batch.md) below /lfs."""
    known = Bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known.asked.append(self.path)
            name = self.path.removeprefix("/").removeprefix("lfs/")
            if not self._allowed():
                return
            if name not in known.files:
                self._answer(404, b"nothing here")
                return
            data = known.files[name]
            self._answer(200, bytes(len(data)) if name in known.damaged else data, cut=name in known.cut)

        do_HEAD = do_GET  # noqa: N815  (the base class names it)

        def do_POST(self) -> None:
            known.asked.append(self.path)
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self._allowed():
                return
            known.wanted.append(sorted(one["oid"] for one in request["objects"]))
            objects = [self._described(one) for one in request["objects"]]
            self._answer(200, json.dumps({"transfer": "basic", "objects": objects}).encode())

        def _described(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
            if one["oid"] not in known.files:
                return {**one, "error": {"code": 404, "message": "no such object"}}
            return {**one, "authenticated": True, "actions": {"download": {"href": f"{known.url}/lfs/{one['oid']}"}}}

        def _allowed(self) -> bool:
            said = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if not known.private or (self.path.startswith("/lfs/") and "batch" not in self.path):
                return True
            if self.headers["Authorization"] == f"Basic {said}":
                return True
            self._answer(401, b"{}", {"LFS-Authenticate": 'Basic realm="x"', "WWW-Authenticate": 'Basic realm="x"'})
            return False

        def _answer(self, code: int, data: bytes, more: Mapping[str, str] | None = None, *, cut: bool = False) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "application/vnd.git-lfs+json")
            for name, value in (more or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = self.close_connection or cut

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (the base class names it)
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def s3_serving() -> Iterator[str]:
    """Moto's S3, empty; its URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()

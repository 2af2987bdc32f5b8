"""Real servers on loopback ports: Git over HTTP (nginx, fcgiwrap, git http-backend), and a proxy that fails on demand.

No server is waited for by sleeping: each is given a socket that listens already, so the first request waits for it.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import struct
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Literal

Door = Literal["git", "private", "v0", "broken"]
USER, PASSWORD = "ana", "open-sesame"
ON_FIRE = "the server is on fire"
# In the first line of a request that pushes, and of no other; of one that asks for the refs before; of a fetch.
PUSHING, BEFORE_PUSHING, FETCHING = "/git-receive-pack ", "service=git-receive-pack ", "git-upload-pack "

_CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format plain "$request";
  access_log {home}/access.log plain;
  client_body_temp_path {home}/body;
  fastcgi_temp_path {home}/fastcgi;
  proxy_temp_path {home}/proxy;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  client_max_body_size 0;
  fastcgi_param SCRIPT_FILENAME {backend};
  fastcgi_param GIT_PROJECT_ROOT {root};
  fastcgi_param GIT_HTTP_EXPORT_ALL "";
  fastcgi_param PATH_INFO $repository;
  fastcgi_param QUERY_STRING $query_string;
  fastcgi_param REQUEST_METHOD $request_method;
  fastcgi_param CONTENT_TYPE $content_type;
  fastcgi_param CONTENT_LENGTH $content_length;
  fastcgi_param REMOTE_USER $remote_user;
  fastcgi_param REMOTE_ADDR $remote_addr;
  fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
  # Protocol v2 filters refs at the server: git-http-backend(1) takes the version from this header.
  fastcgi_param HTTP_GIT_PROTOCOL $protocol;
  fastcgi_param GIT_PROTOCOL $protocol;
  server {{
    listen 127.0.0.1:{port};
    location = /up {{ return 204; }}
    location ~ ^/git(?<repository>/.*) {{
      set $protocol $http_git_protocol;
      fastcgi_pass unix:{socket};
    }}
    location ~ ^/private(?<repository>/.*) {{
      auth_basic "models";
      auth_basic_user_file {home}/passwords;
      set $protocol $http_git_protocol;
      fastcgi_pass unix:{socket};
    }}
    location ~ ^/v0(?<repository>/.*) {{
      set $protocol "";
      fastcgi_pass unix:{socket};
    }}
    location /broken/ {{
      default_type text/plain;
      return 500 "{on_fire}";
    }}
  }}
}}
"""
_SETTINGS = {
    "http.receivepack": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "gc.auto": "0",  # nothing runs on after a test
    "receive.autogc": "false",
}


def missing() -> str | None:
    """Why there can be no Git server here, or None."""
    packages = {"nginx": "nginx-light", "fcgiwrap": "fcgiwrap"}
    absent = [package for program, package in packages.items() if _program(program) is None]
    if not _backend().exists():
        absent.append("git")  # with git-http-backend
    return f"not installed (Debian packages): {', '.join(absent)}" if absent else None


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")  # nginx is in sbin


def _backend() -> Path:
    place = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip()
    return Path(place) / "git-http-backend"


@dataclass(frozen=True)
class GitServer:
    """A running Git server. Names are below `space`, so that each test has its own."""

    root: Path
    port: int
    space: str = ""

    def create(
        self, name: str, *, pre_receive: str | None = None, settings: Mapping[str, str | None] | None = None
    ) -> str:
        """A new bare repository `name`; its URL.

        `pre_receive` is the shell script of that hook. `settings` of Git are added, or taken away where None, such as
        {"receive.hideRefs": "refs/registry", "uploadpack.allowFilter": None}.
        """
        path = self.path(name)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
        for key, value in {**_SETTINGS, **(settings or {})}.items():
            if value is not None:
                subprocess.run(["git", "-C", str(path), "config", key, value], check=True)
        if pre_receive is not None:
            self.hook(name, pre_receive)
        return self.url(name)

    def hook(self, name: str, pre_receive: str) -> None:
        """Give a repository a pre-receive hook: the lines of a shell script."""
        hook = self.path(name) / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{pre_receive}\n")
        hook.chmod(hook.stat().st_mode | stat.S_IXUSR)

    def path(self, name: str) -> Path:
        """Where the repository lies on the server."""
        return self.root / self.space / name

    def url(self, name: str, door: Door = "git", *, login: str = "") -> str:
        """The URL of a repository, by one of four doors to all of them.

        "private" asks for USER and PASSWORD (`login` is `user:password`, written into the URL), "v0" knows no protocol
        v2, "broken" answers everything with 500 and ON_FIRE.
        """
        middle = f"{self.space}/" if self.space else ""
        return f"http://{login}{'@' if login else ''}127.0.0.1:{self.port}/{door}/{middle}{name}"

    def pushes(self, name: str) -> int:
        """How many pushes of anybody to a repository the server has answered; the very last may not be counted yet."""
        log = (self.root.parent / "access.log").read_text()
        return log.count(f"/{self.space}/{name}{PUSHING}")


@contextmanager
def serve(home: Path) -> Iterator[GitServer]:
    """Run a server with its files in `home`, until the block ends."""
    nginx, fcgiwrap = _program("nginx"), _program("fcgiwrap")
    if nginx is None or fcgiwrap is None:
        raise RuntimeError(missing())
    root = home / "repositories"
    root.mkdir(parents=True)
    (home / "passwords").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    with socket.socket() as front, socket.socket(socket.AF_UNIX) as back:
        front.bind(("127.0.0.1", 0))
        port: int = front.getsockname()[1]
        back.bind(str(home / "fcgi.sock"))
        for listener in (front, back):
            listener.listen(64)
        config = _CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "",  # its workers would be "nobody"
            home=home, port=port, backend=_backend(), root=root, socket=home / "fcgi.sock", on_fire=ON_FIRE,
        )  # fmt: skip
        (home / "nginx.conf").write_text(config)
        clean = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
        with (home / "said").open("wb") as said:
            # fcgiwrap takes its socket as standard input, nginx by its number in NGINX, as when it is upgraded.
            behind = subprocess.Popen(
                [fcgiwrap, "-c", "8"], env=clean, stdin=back.fileno(), stdout=said, stderr=said, start_new_session=True
            )
            before = subprocess.Popen(
                [nginx, "-c", str(home / "nginx.conf"), "-p", str(home)],
                env={**clean, "NGINX": f"{front.fileno()};"},
                pass_fds=[front.fileno()],
                stdout=said,
                stderr=said,
            )
    try:
        _check_up(f"http://127.0.0.1:{port}/up", home)
        yield GitServer(root, port)
    finally:
        before.terminate()
        before.wait()
        with suppress(ProcessLookupError):
            os.killpg(behind.pid, 15)  # its children, too
        behind.wait()


def _check_up(url: str, home: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(url, timeout=30).close()
    except (urllib.error.URLError, OSError) as error:
        logs = [log.read_text() for log in (home / "said", home / "error.log") if log.exists()]
        raise RuntimeError("nginx did not start: " + "".join(logs)) from error


# -- faults ------------------------------------------------------------------------------------------------------------


class Fault(Enum):
    """What becomes of a request that meets a fault."""

    CUT = "the connection breaks in the middle of the request, before the server hears of it"
    CUT_ANSWER = "the server does what it is asked, and the connection breaks before its answer"
    HANG = "the request is taken, and no answer comes"
    BROKEN = "the answer is 500, and the text ON_FIRE"


ALL = ""


@dataclass
class Proxy:
    """A way to a Git server that counts bytes and can fail: `serve_proxy` makes one."""

    server: GitServer
    listener: socket.socket
    sent: int = 0  # bytes from clients
    received: int = 0  # bytes to clients
    requests: list[str] = field(default_factory=list)  # their first lines, such as "GET /git/x.git/info/refs HTTP/1.1"
    failed: list[str] = field(default_factory=list)  # of these, those that met the fault
    met: threading.Event = field(default_factory=threading.Event)  # a request has met the fault
    _fault: tuple[Fault, str] | None = None
    _meanwhile: tuple[Callable[[], object], str] | None = None
    _open: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def url(self, name: str, door: Door = "git", *, login: str = "") -> str:
        """The URL of a repository of the server, by this way."""
        port = self.listener.getsockname()[1]
        return self.server.url(name, door, login=login).replace(f":{self.server.port}/", f":{port}/")

    def fail(self, fault: Fault, at: str = PUSHING) -> None:
        """From now on, requests with `at` in their first line meet `fault`."""
        self._fault = (fault, at)

    def heal(self) -> None:
        """No more faults."""
        self._fault = None

    def meanwhile(self, act: Callable[[], object], at: str = PUSHING) -> None:
        """When the next request with `at` in its first line comes, `act` is done before the server hears of it."""
        self._meanwhile = (act, at)

    def forget(self) -> None:
        """Count from zero."""
        self.sent = self.received = 0
        self.requests.clear()
        self.failed.clear()

    # -- at work -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Take connections until `close`."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._guarded, args=[client])
            with self._lock:
                self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stop, whatever is going on."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() would not
        with self._lock:
            self._closed = True
            threads = list(self._threads)
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        self.listener.close()

    def _keep(self, one: socket.socket) -> socket.socket:
        with self._lock:
            self._open.add(one)
            if self._closed:
                one.shutdown(socket.SHUT_RDWR)
        return one

    def _guarded(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            self._serve(self._keep(client))
        with self._lock:
            self._open.discard(client)

    def _serve(self, client: socket.socket) -> None:
        """One request, for every answer ends its connection: so no second request passes unseen."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._from(client)
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        words = first.decode()
        fault = self._fault
        with self._lock:
            self.requests.append(words)
        self._act_once(words)
        met = fault is not None and fault[1] in words
        if fault is not None and met:
            with self._lock:
                self.failed.append(words)
            self.met.set()
            if not self._meet(fault[0], client, lines, body):
                return
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self.server.port)) as server:
            self._keep(server)
            server.sendall(b"\r\n".join([first, *kept, b"Connection: close", b"", body]))
            upwards = threading.Thread(target=self._upwards, args=[client, server])
            upwards.start()
            while data := server.recv(65536):
                if not met:
                    self._to(client, data)
            _break(client) if met else client.shutdown(socket.SHUT_RDWR)
            upwards.join()
        with self._lock:
            self._open.discard(server)

    def _act_once(self, words: str) -> None:
        with self._lock:
            meanwhile = self._meanwhile
            if meanwhile is None or meanwhile[1] not in words:
                return
            self._meanwhile = None
        meanwhile[0]()

    def _meet(self, fault: Fault, client: socket.socket, lines: list[bytes], body: bytes) -> bool:
        """Fail, but for CUT_ANSWER, where the request still goes to the server."""
        match fault:
            case Fault.CUT:
                while len(body) < min(64, _length(lines)):  # less than the shortest push
                    body += self._from(client)
                _break(client)
            case Fault.HANG:
                client.settimeout(60)  # a client without any patience of its own fails a test, but does not stop it
                while True:
                    self._from(client)  # until the client gives up
            case Fault.BROKEN:
                while len(body) < _length(lines):
                    body += self._from(client)
                status = b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                text = ON_FIRE.encode()
                self._to(client, b"%sContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
        return fault is Fault.CUT_ANSWER

    def _upwards(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                server.sendall(self._from(client))

    def _from(self, client: socket.socket) -> bytes:
        data = client.recv(65536)
        with self._lock:
            self.sent += len(data)
        if not data:
            raise ConnectionError("the client has gone")
        return data

    def _to(self, client: socket.socket, data: bytes) -> None:
        client.sendall(data)
        with self._lock:
            self.received += len(data)


def _length(lines: list[bytes]) -> int:
    """How long a request's body is; very long where only its end will tell."""
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if b"transfer-encoding" in headers:
        return 1 << 62
    return int(headers.get(b"content-length", b"0"))


def _break(client: socket.socket) -> None:
    # With a linger of no time, closing sends a reset instead of an orderly end; shutdown wakes who reads it meanwhile.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        client.shutdown(socket.SHUT_RD)
    client.close()


@contextmanager
def serve_proxy(server: GitServer) -> Iterator[Proxy]:
    """Run a proxy before `server`, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        proxy = Proxy(server, listener)
        thread = threading.Thread(target=proxy.run)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.close()
            thread.join()

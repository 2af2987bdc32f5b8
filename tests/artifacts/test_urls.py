"""`pull` brings what lies at a URL: over HTTP, and from S3."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from registry import Registry
from registry.artifacts import urls
from registry.errors import NotFound, Refused, StoreFailed
from tests.artifacts.conftest import held, left_behind
from tests.servers_bytes import Bytes, s3_serving, serving
from tests.story import RepoStory


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}: pip install '.[bytes]'")


@pytest.fixture
def server() -> Iterator[Bytes]:
    with serving() as found:
        yield found


def at(repo: RepoStory, url: str) -> Registry:
    """The registry of a version whose path is that URL."""
    repo.write("registry.yaml", f"models: {{churn: {{path: '{url}', artifacts: {{card: card.md}}}}}}\n")
    repo.write("card.md", "card\n").commit()
    repo.register("churn")
    return repo.registry


@needs("fsspec", "aiohttp")
def test_a_file_over_http(repo: RepoStory, server: Bytes) -> None:
    server.files["files/churn.pkl?signature=hunter2"] = b"far\n" * 500_000
    registry = at(repo, f"{server.url}/files/churn.pkl?signature=hunter2")

    pulled = registry.pull("churn", "out")

    assert {file.path: file.store for file in pulled.files} == {"card.md": "git", "churn.pkl": "url"}
    assert (repo.path / "out/churn.pkl").read_bytes() == b"far\n" * 500_000
    assert left_behind(repo.path) == []


@needs("fsspec", "aiohttp")
def test_nothing_there(repo: RepoStory, server: Bytes) -> None:
    registry = at(repo, f"{server.url}/files/churn.pkl?signature=hunter2")
    with pytest.raises(NotFound, match="there is nothing at http://") as raised:
        registry.pull("churn", "out")
    assert "hunter2" not in f"{raised.value.message}{raised.value.hint}"
    assert not (repo.path / "out").exists()


@needs("fsspec", "aiohttp")
def test_a_connection_that_is_cut(repo: RepoStory, server: Bytes) -> None:
    server.files["churn.pkl"] = b"x" * 3_000_000
    server.cut.add("churn.pkl")
    registry = at(repo, f"http://ana:hunter2@{server.url.removeprefix('http://')}/churn.pkl")
    with pytest.raises(StoreFailed) as raised:
        registry.pull("churn", "out")
    assert "hunter2" not in f"{raised.value.message}{raised.value.hint}"
    assert not (repo.path / "out").exists()
    server.cut.clear()

    registry.pull("churn", "out")

    assert (repo.path / "out/churn.pkl").stat().st_size == 3_000_000
    assert left_behind(repo.path) == []


@needs("fsspec", "aiohttp")
def test_a_recorded_digest_is_held_to(repo: RepoStory, server: Bytes) -> None:
    server.files["churn.pkl"] = b"other\n"
    url = f"{server.url}/churn.pkl"
    repo.write("registry.yaml", f"models: {{churn: {{path: '{url}'}}}}\n").commit()
    repo.tag("churn@v1.0.0", f"Register\n\nRegistry: 1\nNumber: 1\nArtifact: {url} sha256:{'0' * 64} 6")
    with pytest.raises(Refused, match=r"churn\.pkl is not what was registered"):
        repo.registry.pull("churn", "out")


class Endless:
    """A store that claims a size, and answers each question for bytes with a few."""

    def __init__(self, size: int | None) -> None:
        self.size, self.reads = size, 0

    def info(self, _: str) -> dict[str, Any]:
        return {"type": "file", "size": self.size}

    @contextmanager
    def open(self, *_: object, **__: object) -> Iterator[Endless]:
        yield self

    def read(self, _: int) -> bytes:
        self.reads += 1
        assert self.reads < 1000
        return b"x"


@pytest.mark.parametrize(
    ("claimed", "recorded", "words"),
    [
        (10**18, None, "s3://models/churn.pkl has 1000000000000000000 bytes, and the disk has room for"),
        (10**18, 6, "is not what was registered: its size is 1000000000000000000, not 6"),
        (10**6, None, "comes in crumbs, 21 of 1000000 bytes so far"),
        (None, 6, "is not what was registered: it has more than 6 bytes"),
    ],
)
def test_a_store_that_keeps_one_busy(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch, claimed: int | None, recorded: int | None, words: str
) -> None:
    store = Endless(claimed)
    monkeypatch.setattr(urls, "_opened", lambda _: (store, "models/churn.pkl"))
    registry = at(repo, "s3://models/churn.pkl")
    if recorded is not None:
        said = f"Artifact: s3://models/churn.pkl sha256:{'0' * 64} {recorded}"
        repo.tag("churn@v2.0.0", f"Register\n\nRegistry: 1\nNumber: 2\n{said}")

    with pytest.raises((Refused, StoreFailed), match=words):
        registry.pull("churn", "out")

    assert not (repo.path / "out").exists()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "local:///etc/passwd", "ssh://host/x", "zip://x::file:///etc/passwd", "memory://x/y",
        "s3://bucket/x::file:///etc/passwd", "FILE:///etc/passwd", "git://x/y", "reference://x/y", "dir://x/y",
    ],
)  # fmt: skip
def test_no_url_leads_to_this_machine(repo: RepoStory, url: str) -> None:
    registry = at(repo, url)
    with pytest.raises(Refused, match="nothing is pulled from"):
        registry.pull("churn", "out")
    assert not (repo.path / "out").exists()
    assert left_behind(repo.path) == []


@pytest.mark.parametrize("url", ["https://host", "https://host/", "https://host/?a/b", "s3://b/..", "s3://b/.git/"])
def test_a_url_that_names_no_file(repo: RepoStory, url: str) -> None:
    with pytest.raises(Refused):
        at(repo, url).pull("churn", "out")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/a/b.bin?x=/y#z", "b.bin"),
        ("s3://bucket/a/b/", "b"),
        ("s3://bucket", "bucket"),
        ("hf://org/model@main/x.safetensors", "x.safetensors"),
    ],
)
def test_the_name_of_a_url(url: str, name: str) -> None:
    assert urls.check(url) == name


def test_without_fsspec(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    original = builtins.__import__

    def no_fsspec(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("fsspec"):
            raise ModuleNotFoundError("No module named 'fsspec'", name="fsspec")
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", no_fsspec)
    with pytest.raises(StoreFailed, match="s3:// needs the package fsspec") as raised:
        at(repo, "s3://bucket/x").pull("churn", "out")
    assert raised.value.hint == "pip install 'git-registry[url]' s3fs"


@needs("fsspec")
@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed here")
def test_without_the_backend(repo: RepoStory) -> None:
    with pytest.raises(StoreFailed, match="gs:// needs the package gcsfs") as raised:
        at(repo, "gs://bucket/x").pull("churn", "out")
    assert raised.value.hint == "pip install gcsfs"


# -- S3 ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with s3_serving() as url:
        yield url


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, moto: str) -> Any:
    """An empty bucket `models` of moto's, and the client that fills it."""
    import boto3

    urllib.request.urlopen(f"{moto}/moto-api/reset", data=b"").close()  # noqa: S310  (it is our own server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    client = boto3.client("s3")
    client.create_bucket(Bucket="models")
    return client


def put(client: Any, **files: str) -> None:
    for key, text in files.items():
        client.put_object(Bucket="models", Key=key, Body=text.encode())


s3 = needs("fsspec", "s3fs", "moto")


@s3
def test_a_file_and_a_directory_in_s3(repo: RepoStory, bucket: Any) -> None:
    put(bucket, **{"churn/v1/model.bin": "m\n", "churn/v1/deep/x": "x\n", "churn/v10/y": "not of it\n"})
    put(bucket, **{"churn/v1/": "", "churn/v1/empty/": ""})  # as consoles make directories

    at(repo, "s3://models/churn/v1").pull("churn", "out")
    assert held(Path("out")) == {"card.md": "card\n", "v1/model.bin": "m\n", "v1/deep/x": "x\n"}

    at(repo, "s3://models/churn/v1/model.bin")
    done = repo.cli("pull", "churn", "-o", "file")
    assert (done.code, done.out, done.err) == (0, "file\n", "churn v0.0.2: 2 files, 7 B\n")
    assert held(Path("file")) == {"card.md": "card\n", "model.bin": "m\n"}


@s3
@pytest.mark.parametrize("key", ["v1/../../../evil", "v1//evil", "v1/.git/config", "v1/a/../../b"])
def test_a_key_that_leads_out(repo: RepoStory, bucket: Any, key: str) -> None:
    put(bucket, **{"v1/good": "good\n", key: "evil\n"})
    with pytest.raises(Refused):
        at(repo, "s3://models/v1").pull("churn", "sub/out")
    assert held(repo.path / "sub") == {}
    assert not (repo.path / "evil").exists()


@s3
def test_nothing_in_s3(repo: RepoStory, bucket: Any) -> None:
    with pytest.raises(NotFound, match="there is nothing at s3://models/none"):
        at(repo, "s3://models/none").pull("churn", "out")


@s3
def test_a_store_that_does_not_answer(repo: RepoStory, server: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    at(repo, "s3://models/none")

    done = repo.cli("pull", "churn", "-o", "out", env={**os.environ})

    assert done.code == 1
    assert done.err.startswith("error: ")
    assert len(done.err.splitlines()) == 2
    assert "hunter2" not in done.err

"""What reading by URL costs: the tags of one artifact, and of files those that are asked for (DESIGN part 9)."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from tests.remotes.story import run, said
from tests.servers import GitServer, Proxy
from tests.story import START, RepoStory

ARTIFACTS, VERSIONS = 1000, 50  # each version is assigned once, so there are 100,000 tags
LARGE = 200_000  # bytes of a file that nobody asks for


@pytest.fixture
def many(git_server: GitServer) -> str:
    """A repository of 1,000 artifacts and 100,000 tags on the server; its name."""
    _made(git_server, "many.git", ARTIFACTS, VERSIONS)
    return "many.git"


def _made(git_server: GitServer, name: str, artifacts: int, versions: int) -> RepoStory:
    """A repository on the server where each of so many commits is a version of each artifact, and in a stage."""
    git_server.create(name)
    lines = [b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 1\nx\n" % START]
    files = {
        b"registry.yaml": b"models: {m7: {path: m7.pkl, metrics: deep/er/m7.json, description: Seven}}\n",
        b"deep/er/m7.json": b'{"auc": 0.7}',
        b"m7.pkl": os.urandom(LARGE),
        b"other/large": os.urandom(LARGE),
    }
    lines += [b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(data), data) for path, data in files.items()]
    for version in range(1, versions):
        lines.append(b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata 1\nx\n" % (START + version))
        lines.append(b"M 100644 inline other/n\ndata %d\n%d\n" % (len(str(version)), version))
    path = git_server.path(name)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=b"".join(lines), check=True)
    _tag(path, RepoStory(path).git("rev-list", "--reverse", "main").split(), artifacts)
    return RepoStory(path)


def _tag(path: Path, commits: list[str], artifacts: int) -> None:
    """Tag each commit for each artifact, as one pack: 100,000 refs written one by one would take half a minute."""
    pack = [struct.pack(">4sII", b"PACK", 2, 2 * artifacts * len(commits))]
    refs = []
    for version, commit in enumerate(commits):
        for artifact in range(artifacts):
            for name in (f"m{artifact}@v0.{version}.0", f"m{artifact}#prod#{version + 1}"):
                who = f"A <a@example.com> {START + version} +0000"
                raw = f"object {commit}\ntype commit\ntag {name}\ntagger {who}\n\n{name}\n".encode()
                oid = hashlib.sha1(b"tag %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
                refs.append(f"{oid} refs/tags/{name}\n^{commit}\n")
                # A pack's entry: the type (4, a tag) and the size, four bits and then seven: gitformat-pack(5).
                pack.append(bytes([0xC0 | len(raw) & 15, len(raw) >> 4]) + zlib.compress(raw, 1))
    body = b"".join(pack)
    whole = body + hashlib.sha1(body, usedforsecurity=False).digest()
    subprocess.run(["git", "index-pack", "--stdin"], cwd=path, input=whole, check=True, stdout=subprocess.DEVNULL)
    refs.sort(key=lambda line: line.split(" ")[1])
    (path / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted \n" + "".join(refs))


def test_one_artifact_of_a_thousand(many: str, proxy: Proxy, tmp_path: Path) -> None:
    here = RepoStory(tmp_path)
    url = proxy.url(many)
    trace = tmp_path / "trace"

    done = here.cli("resolve", "m7#prod", "--repo", url, env={"GIT_TRACE_PACKET": str(trace)})

    assert (done.out, done.err) == (f"v0.{VERSIONS - 1}.0\n", "")
    lines = [line for line in trace.read_text().splitlines() if "ref-prefix" not in line]
    names = {line.split(" refs/tags/")[1].split(" ")[0] for line in lines if " refs/tags/" in line}
    assert len(names) == 2 * VERSIONS
    assert all(name.startswith(("m7@", "m7#")) for name in names)
    cold = proxy.received
    assert cold < 60_000
    assert len(proxy.requests) == 3  # what the server can, its refs, and the tags

    proxy.forget()
    assert run(here, "resolve", "m7#prod", "--repo", url) == [f"v0.{VERSIONS - 1}.0"]
    assert len(proxy.requests) == 2
    assert proxy.received < 20_000  # the names of its tags alone, for nothing has changed

    proxy.forget()
    found = said(here, "resolve", "m7@v0.3.0", "--repo", url)
    assert (found["description"], found["metadata"]["metrics"]) == ("Seven", {"auc": 0.7})
    assert proxy.received < 30_000  # no large file

    proxy.forget()
    versions = said(here, "show", "m7", "--repo", url)["versions"]
    assert len(versions) == VERSIONS
    assert proxy.received < 60_000
    assert len(proxy.requests) < 20  # not one for each version


def test_all_of_them_are_refreshed_by_what_changed(git_server: GitServer, proxy: Proxy, tmp_path: Path) -> None:
    server = _made(git_server, "few.git", 20, 5)
    here = RepoStory(tmp_path)
    url = proxy.url("few.git")
    assert len(said(here, "show", "--repo", url)["artifacts"]) == 20
    server.git("update-ref", "refs/tags/m1@v9.0.0", _tag_object(server, "m1@v9.0.0"))
    trace = tmp_path / "trace"

    done = here.cli("show", "--repo", url, "--json", env={"GIT_TRACE_PACKET": str(trace)})

    assert {one["name"]: one["latest"] for one in json.loads(done.out)["artifacts"]}["m1"] == "v9.0.0"
    wanted = {line.split("fetch> want ")[1] for line in trace.read_text().splitlines() if "fetch> want " in line}
    assert wanted == {server.git("rev-parse", "m1@v9.0.0")}


def _tag_object(server: RepoStory, name: str) -> str:
    head = f"object {server.git('rev-parse', 'main')}\ntype commit\ntag {name}"
    raw = f"{head}\ntagger A <a@example.com> {START + 99} +0000\n\n{name}\n"
    return server.git("hash-object", "-t", "tag", "-w", "--stdin", data=raw.encode())

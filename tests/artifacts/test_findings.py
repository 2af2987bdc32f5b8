"""What a reviewer found in `pull`, and must not come back."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry import Registry
from registry.artifacts import dvc_config
from registry.artifacts.dvc_config import Project
from registry.errors import NotFound, Refused, StoreFailed, UsageError
from tests.artifacts.conftest import held, left_behind
from tests.artifacts.test_dvc import declared, needs
from tests.story import RepoStory

# -- the configuration of DVC ------------------------------------------------------------------------------------------


def _configured(story: RepoStory, text: str) -> None:
    story.write(".dvc/config", text).commit()
    commit = story.git("rev-parse", "HEAD")
    dvc_config.build(Project(story.registry.repository.git, commit, str(story.path)), story.path / "cache")


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029", "\f", "\v", "\x1c", "\x1d", "\x1e", "'''", '"""'])
def test_a_value_cannot_become_two(repo: RepoStory, line_end: str) -> None:
    injected = f"s3://x/y{line_end}configpath = /evil"
    with pytest.raises(StoreFailed, match="has a control character or three quotes"):
        _configured(repo, f"['remote \"s\"']\n    url = {injected}\n")
    with pytest.raises(StoreFailed):
        _configured(repo, f"[core]\n    remote = s{line_end}x\n['remote \"s\"']\n    url = s3://x\n")


def test_a_path_that_no_file_system_could_have_is_refused(repo: RepoStory) -> None:
    with pytest.raises(StoreFailed, match="cannot be read"):
        _configured(repo, "['remote \"s\"']\n    url = ~a\0b/c\n")


# -- what stays of a child ---------------------------------------------------------------------------------------------

SECRET = "hunter2-" * 4


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def slow(repo: RepoStory, silent: str) -> RepoStory:
    """A version whose file lies on that server, for which the clone's owner has credentials."""
    repo.git("rm", "-q", "models/churn.pkl")
    repo.write(".dvc/config", f"[core]\n    remote = far\n['remote \"far\"']\n    url = {silent}/store\n")
    repo.write("models/churn.pkl.dvc", declared(b"weights\n", "churn.pkl")).write(".dvc/.gitignore", "/config.local\n")
    repo.commit()
    repo.write(".dvc/config.local", f"['remote \"far\"']\n    auth = basic\n    user = ana\n    password = {SECRET}\n")
    repo.register("churn", "v1.0.0", revision="HEAD")
    return repo


def _holding(directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]


@needs("dvc")
def test_silence_is_not_borne_for_ever(slow: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_TIMEOUT", "4")
    with pytest.raises(StoreFailed, match="nothing came from DVC's remote for 4 seconds"):
        slow.registry.pull("churn", "out")


@needs("dvc")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_a_killed_pull_leaves_no_credentials_and_no_child(slow: RepoStory, tmp_path: Path) -> None:
    pulling = subprocess.Popen([sys.executable, "-m", "registry", "pull", "churn", "-o", "out"], cwd=slow.path)
    room = slow.path / ".out.pull"
    lock = room / "lock"
    try:
        _until(lambda: len(_holders(lock)) == 2 and (room / "work/dvc/site").exists())
        assert _holding(tmp_path) == [slow.path / ".dvc/config.local"]
    finally:
        pulling.send_signal(signal.SIGKILL)
        pulling.wait()

    _until(lambda: _holders(lock) == [])
    assert _holding(tmp_path) == [slow.path / ".dvc/config.local"]
    assert slow.git("status", "--porcelain", "--untracked-files=all") == ""


def _until(it_is: object, seconds: float = 30) -> None:
    assert callable(it_is)
    end = time.monotonic() + seconds
    while not it_is():
        assert time.monotonic() < end
        time.sleep(0.05)


def _holders(file: Path) -> list[str]:
    """The processes that have a file open."""
    found = set()
    for place in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(place) == str(file):  # noqa: PTH115
                found.add(place.parts[2])
        except OSError:
            continue
    return sorted(found)


@needs("dvc_s3")
def test_the_words_of_dvc_are_told(slow: RepoStory) -> None:
    url = "http://127.0.0.1:1"  # where nobody listens
    remote = f"    url = s3://models/dvc\n    endpointurl = {url}\n"
    slow.write(".dvc/config", f"[core]\n    remote = Far\n['remote \"Far\"']\n{remote}")
    slow.git("commit", "-qam", "Elsewhere")
    keys = f"    access_key_id = k\n    secret_access_key = {SECRET}\n    region = us-east-1\n"
    slow.write(".dvc/config.local", f"['remote \"far\"']\n{keys}")
    slow.register("churn", "v2.0.0", revision="HEAD")

    done = slow.cli("pull", "churn", "-o", "out")

    assert done.code == 1
    assert "DVC cannot bring models/churn.pkl: failed to connect to s3" in done.err
    assert f'Could not connect to the endpoint URL: "{url}' in done.err
    assert SECRET not in done.err


# -- where to ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [".", "hooks", "hooks/new"])
def test_nothing_is_planted_in_a_git_directory(repo: RepoStory, tmp_path: Path, place: str) -> None:
    repo.write("registry.yaml", "models: {churn: {path: hooks}}\n").write("hooks/post-checkout", "evil\n").commit()
    repo.register("churn", "v1.0.0")
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    (tmp_path / "link").symlink_to(tmp_path / "bare")

    for there in (tmp_path / "bare", tmp_path / "link", repo.path / ".git"):
        before = held(there)
        with pytest.raises(Refused, match="is a directory of Git's own"):
            Registry(repo.path).pull("churn", there / place)
        assert held(there) == before
    assert left_behind(tmp_path) == []


def test_two_names_never_have_one_directory(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {a-b: {path: w}, a/b: {path: w}}\n").write("w", "w\n")
    repo.write("a/registry.yaml", "models: {b: {path: w}}\n").write("a/w", "w\n").commit()
    directories = []
    for name in ("a-b", "a/b", "a:b"):
        repo.register(name, "v1.0.0")
        directories.append(repo.registry.pull(name).directory)
    assert directories == ["a-b-v1.0.0", "a+b-v1.0.0", "a=b-v1.0.0"]


def test_the_two_files_that_want_one_place_are_named(repo: RepoStory) -> None:
    repo.write("data.dvc", declared(b"1\n", "data")).write("data/x", "in Git\n")
    repo.write("x/registry.yaml", "models: {m: {path: ../..}}\n")
    repo.write("registry.yaml", "models: {m: {path: ., artifacts: {more: 's3://a/data'}}}\n").commit()
    from registry.artifacts.progress import Meter
    from registry.artifacts.staging import staging

    with staging(repo.path / "out", {}, Meter(lambda _: None), lambda: None) as place:
        with place.writing("data/x", "git") as sink:
            sink.write(b"1")
        with pytest.raises(Refused) as raised, place.writing("data", "url", origin="s3://a/data"):
            pass
        with pytest.raises(Refused, match="data/x of Git, and data/x/y of DVC"), place.writing("data/x/y", "dvc"):
            pass
    assert raised.value.message == "two files want the place of 'data': data/x of Git, and s3://a/data"
    assert raised.value.hint == "one of them needs another path, in the manifest or in its store"


# -- remotes -----------------------------------------------------------------------------------------------------------


def test_a_remote_that_is_none(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    with pytest.raises(UsageError, match="a URL has no remotes"):
        Registry(repo.path.as_uri()).pull("churn", tmp_path / "out", remote="foo")
    with pytest.raises(NotFound, match="there is no remote foo"):
        Registry(repo.path).pull("churn", tmp_path / "out", remote="foo")


BIG = b"large weights\n" * 1000
OID = hashlib.sha256(BIG).hexdigest()


@pytest.mark.parametrize("form", ["file://", "path", "relative", "work tree"])
def test_git_lfs_of_a_remote_on_this_machine(repo: RepoStory, tmp_path: Path, form: str) -> None:
    repo.write("models/churn.pkl", f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(BIG)}\n")
    repo.commit()
    repo.register("churn", "v1.0.0", offline=True)
    there = tmp_path / "there é.git"
    repo.git("clone", "-q", "--bare", ".", str(there))
    store = repo.path / ".git" if form == "work tree" else there
    place = store / "lfs/objects" / OID[:2] / OID[2:4] / OID
    place.parent.mkdir(parents=True)
    place.write_bytes(BIG)
    clone = tmp_path / "clone"
    repo.git("clone", "-q", str(there), str(clone), env={"GIT_LFS_SKIP_SMUDGE": "1"})
    url = {"file://": there.as_uri(), "path": str(there), "relative": f"../{there.stem}", "work tree": str(repo.path)}
    subprocess.run(["git", "-C", str(clone), "remote", "set-url", "origin", url[form]], check=True)

    Registry(clone).pull("churn", tmp_path / "out")

    assert (tmp_path / "out/models/churn.pkl").read_bytes() == BIG
    place.write_bytes(b"x" * len(BIG))
    with pytest.raises(Refused, match="is not what was registered"):
        Registry(clone).pull("churn", tmp_path / "other")
    shutil.rmtree(clone)


# -- register ----------------------------------------------------------------------------------------------------------


def test_a_url_among_the_artifacts_is_not_looked_for_in_the_tree(repo: RepoStory) -> None:
    manifest = "models: {churn: {path: models/churn.pkl, artifacts: {card: 's3://b/card.md'}}}\n"
    repo.write("registry.yaml", manifest).commit()
    repo.register("churn", "v1.0.0")
    assert "churn@v1.0.0" in repo.tags

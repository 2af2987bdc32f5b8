"""`pull` brings files of Git LFS: from the clone, or through git-lfs from a server."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from registry import Registry
from registry.errors import Refused, StoreFailed
from tests.artifacts.conftest import BIG, held, left_behind
from tests.servers_bytes import PASSWORD, USER, Bytes
from tests.story import RepoStory

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="needs git-lfs (Debian package git-lfs)")


def test_from_the_server(big: RepoStory) -> None:
    pulled = big.registry.pull("churn")

    assert (big.path / "churn-v1.0.0/models/churn.pkl").read_bytes() == BIG
    [file] = pulled.files
    assert (file.store, file.size, file.sha256) == ("lfs", len(BIG), hashlib.sha256(BIG).hexdigest())
    assert left_behind(big.path) == []
    assert not list(big.path.glob(".git/lfs/objects/*/*/*"))


def test_from_the_clone(big: RepoStory, server: Bytes) -> None:
    oid = hashlib.sha256(BIG).hexdigest()
    there = big.path / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
    there.parent.mkdir(parents=True)
    there.write_bytes(BIG)

    big.registry.pull("churn", "out")

    assert (big.path / "out/models/churn.pkl").read_bytes() == BIG
    assert server.asked == []


def test_only_what_the_version_carries_is_asked_for_and_at_once(big: RepoStory, server: Bytes) -> None:
    one, two = server.keep(b"one\n"), server.keep(b"two\n")
    big.write("registry.yaml", "models: {churn: {path: 'models/a, b'}}\n")
    big.write("models/a, b/one[1]", one).write("models/a, b/two*", two).write("models/a, b/again", one)
    (big.path / "models/a, b/again").chmod(0o755)
    big.write("models/a, b/plain", "in Git\n").commit()
    big.register("churn", "v2.0.0", offline=True)

    big.registry.pull("churn", "out")

    assert held(Path("out/models/a, b")) == {"one[1]": "one\n", "two*": "two\n", "again": "*one\n", "plain": "in Git\n"}
    assert server.wanted == [sorted(hashlib.sha256(data).hexdigest() for data in (b"one\n", b"two\n"))]


def test_what_was_brought_before_is_not_asked_for_again(big: RepoStory, server: Bytes) -> None:
    big.registry.pull("churn", "out")
    server.asked.clear()
    big.registry.pull("churn", "out")
    assert server.asked == []


def test_other_bytes_of_the_same_size(big: RepoStory, server: Bytes) -> None:
    server.damaged.add(hashlib.sha256(BIG).hexdigest())
    with pytest.raises(StoreFailed, match=r"Git LFS cannot bring models/churn\.pkl"):
        big.registry.pull("churn", "out")
    assert not (big.path / "out").exists()


def test_other_bytes_in_the_clone(big: RepoStory) -> None:
    oid = hashlib.sha256(BIG).hexdigest()
    there = big.path / ".git/lfs/objects" / oid[:2] / oid[2:4] / oid
    there.parent.mkdir(parents=True)
    there.write_bytes(bytes(len(BIG)))
    with pytest.raises(Refused, match=r"models/churn\.pkl is not what was registered"):
        big.registry.pull("churn", "out")
    assert not (big.path / "out").exists()
    assert left_behind(big.path) == []


def test_a_server_that_does_not_have_it(big: RepoStory, server: Bytes) -> None:
    server.files.clear()
    done = big.cli("pull", "churn", "-o", "out")
    assert done.code == 1
    assert "error: Git LFS cannot bring models/churn.pkl: " in done.err
    assert not (big.path / "out").exists()


def test_a_cut_download_is_gone_on_with(big: RepoStory, server: Bytes) -> None:
    oid = hashlib.sha256(BIG).hexdigest()
    server.cut.add(oid)
    with pytest.raises(StoreFailed):
        big.registry.pull("churn", "out")
    server.cut.clear()

    big.registry.pull("churn", "out")

    assert (big.path / "out/models/churn.pkl").read_bytes() == BIG
    assert left_behind(big.path) == []


def test_the_users_credential_helper_is_asked_and_nothing_is_kept(big: RepoStory, server: Bytes) -> None:
    server.private = True
    big.git("config", "credential.helper", f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f")

    done = big.cli("pull", "churn", "-o", "out")

    assert done.code == 0, done.err
    assert (big.path / "out/models/churn.pkl").read_bytes() == BIG
    kept = [path for path in big.path.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert kept == [big.path / ".git/config"]  # the helper that this test has put there


def test_without_credentials_it_does_not_wait(big: RepoStory, server: Bytes) -> None:
    server.private = True
    done = big.cli("pull", "churn", "-o", "out")
    assert done.code == 1
    assert "error: Git LFS cannot bring models/churn.pkl: " in done.err


def test_without_git_lfs(big: RepoStory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line that says what is missing."""
    (tmp_path / "bin").mkdir()
    for program in ("git", "sh"):
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "bin"))
    if "lfs" in os.listdir(Registry(".").repository.git.read("--exec-path").decode().strip()):  # noqa: PTH208
        pytest.skip("git-lfs lies among Git's own programs")

    with pytest.raises(StoreFailed, match=r"models/churn\.pkl is in Git LFS, and git-lfs is not installed") as raised:
        Registry(".").pull("churn", "out")

    assert "apt-get install git-lfs" in raised.value.hint


def test_without_a_remote(repo: RepoStory, server: Bytes) -> None:
    repo.write("models/churn.pkl", server.keep(BIG)).commit("Train")
    repo.register("churn", "v1.0.0")
    with pytest.raises(StoreFailed, match="in Git LFS and not in this clone, which has no remote to ask"):
        repo.registry.pull("churn", "out")


def test_a_bare_clone_finds_the_server_in_the_commit(big: RepoStory, server: Bytes, tmp_path: Path) -> None:
    big.git("config", "--unset", "lfs.url")
    big.git("config", "-f", ".lfsconfig", "lfs.url", f"{server.url}/lfs")
    big.commit("Where LFS is")
    big.register("churn", "v2.0.0", offline=True)
    big.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))

    done = big.cli("pull", "churn", "--repo", str(tmp_path / "bare"), cwd=tmp_path)

    assert done.code == 0, done.err
    assert (tmp_path / "churn-v2.0.0/models/churn.pkl").read_bytes() == BIG

"""`pull` in a clone that has no bytes: it fetches those that the version needs, and no others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.artifacts.conftest import held
from tests.servers_bytes import serving
from tests.story import RepoStory


def blobs_here(clone: Path, repo: RepoStory) -> int:
    listing = repo.git(
        "-C",
        str(clone),
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objecttype)",
        env={"GIT_NO_LAZY_FETCH": "1"},
    )
    return listing.split().count("blob")


@pytest.fixture
def served(repo: RepoStory) -> RepoStory:
    """A repository that others clone in part; its version carries two of many files."""
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(20):
        repo.write(f"other/{number}.bin", f"{number}\n" * 1000)
    repo.write("models/deep/link", "").write("registry.yaml", "models: {churn: {path: models}}\n")
    (repo.path / "models/deep/link").unlink()
    (repo.path / "models/deep/link").symlink_to("../churn.pkl")
    repo.commit()
    repo.register("churn", "v1.0.0")
    return repo


@pytest.mark.parametrize("filter_", ["blob:none", "tree:0"])
def test_only_what_is_needed_is_fetched(served: RepoStory, tmp_path: Path, filter_: str) -> None:
    clone = tmp_path / "clone"
    served.git("clone", "-q", "--no-checkout", f"--filter={filter_}", f"file://{served.path}", str(clone))
    assert blobs_here(clone, served) == 0

    done = served.cli("pull", "churn", "-o", "out", cwd=clone)

    assert done.code == 0, done.err
    assert held(clone / "out") == {"models/churn.pkl": "weights 1\n", "models/deep/link": "-> ../churn.pkl"}
    assert blobs_here(clone, served) <= 4  # the manifest as well, and what it may be called


def test_from_a_url(served: RepoStory, tmp_path: Path) -> None:
    done = served.cli("pull", "churn", "--repo", f"file://{served.path}", "--json", cwd=tmp_path)

    assert done.code == 0, done.err
    assert held(tmp_path / "churn-v1.0.0") == {"models/churn.pkl": "weights 1\n", "models/deep/link": "-> ../churn.pkl"}


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="needs git-lfs (Debian package git-lfs)")
def test_git_lfs_in_a_partial_clone(served: RepoStory, tmp_path: Path) -> None:
    with serving() as server:
        served.write("models/churn.pkl", server.keep(b"large\n"))
        served.write(".lfsconfig", f"[lfs]\n\turl = {server.url}/lfs\n").commit()
        served.register("churn", "v2.0.0")
        clone = tmp_path / "clone"
        served.git("clone", "-q", "--bare", "--filter=tree:0", f"file://{served.path}", str(clone))

        done = served.cli("pull", "churn", "-o", str(tmp_path / "out"), cwd=clone)

    assert done.code == 0, done.err
    assert held(tmp_path / "out")["models/churn.pkl"] == "large\n"
    assert blobs_here(clone, served) <= 5

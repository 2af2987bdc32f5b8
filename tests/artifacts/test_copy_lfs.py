"""`copy` takes the large file of Git LFS along, not only its pointer."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from registry import Registry
from tests.artifacts.conftest import BIG
from tests.servers_bytes import Bytes
from tests.story import RepoStory

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="needs git-lfs (Debian package git-lfs)")

OID = hashlib.sha256(BIG).hexdigest()
PLACE = f"lfs/objects/{OID[:2]}/{OID[2:4]}/{OID}"


def test_into_a_clone(big: RepoStory, tmp_path: Path) -> None:
    target = RepoStory.begin(tmp_path / "target")

    big.registry_at().copy("churn", target.path)

    assert (target.path / ".git" / PLACE).read_bytes() == BIG
    target.registry.pull("churn", tmp_path / "out")
    assert (tmp_path / "out/models/churn.pkl").read_bytes() == BIG


def _known_everywhere(story: RepoStory) -> None:
    # The identity of a clone is its own; to a URL one writes with the user's.
    story.git("config", "--global", "user.name", "Ana")
    story.git("config", "--global", "user.email", "ana@example.com")


def test_to_a_url(big: RepoStory, tmp_path: Path) -> None:
    there = tmp_path / "there.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(there)], check=True)
    url = there.as_uri()

    _known_everywhere(big)

    big.registry_at().copy("churn", url)

    assert (there / PLACE).read_bytes() == BIG
    Registry(url).pull("churn", tmp_path / "out")
    assert (tmp_path / "out/models/churn.pkl").read_bytes() == BIG


def test_a_dry_run_asks_the_server_for_nothing(big: RepoStory, server: Bytes, tmp_path: Path) -> None:
    target = RepoStory.begin(tmp_path / "target")

    big.registry_at().copy("churn", target.path, dry_run=True)

    assert server.asked == []
    assert not (target.path / ".git" / PLACE).exists()

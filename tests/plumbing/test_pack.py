"""A pack of ours is what Git takes (gitformat-pack(5))."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.core.draft import object_id
from registry.plumbing.pack import pack

HEAD = "object {}\ntype commit\ntag x\ntagger A <a@b> 1 +0000\n\n"


@pytest.fixture(params=["sha1", "sha256"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    """A bare repository, and how many hex digits its ids have."""
    path = tmp_path / "bare.git"
    subprocess.run(["git", "init", "-q", "--bare", f"--object-format={request.param}", str(path)], check=True)
    return path, 40 if request.param == "sha1" else 64


def _check(bare: tuple[Path, int], raws: list[bytes]) -> None:
    path, length = bare
    subprocess.run(
        ["git", "index-pack", "--stdin"], cwd=path, input=pack(raws, length), check=True, capture_output=True
    )
    ids = [object_id(raw, length) for raw in raws]
    asked = "".join(f"{one}\n" for one in ids).encode()
    found = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=path, input=asked, check=True, capture_output=True
    ).stdout
    whole = zip(ids, raws, strict=True)
    assert found == b"".join(b"%b tag %d\n%b\n" % (one.encode(), len(raw), raw) for one, raw in whole)


def test_sizes_at_the_bounds_of_their_spelling(bare: tuple[Path, int]) -> None:
    sizes = [0, 1, 15, 16, 17, 2047, 2048, 2049, 262_143, 262_144, 262_145, 1_000_000]

    _check(bare, [bytes([n % 256]) * size for n, size in enumerate(sizes)])


def test_tags_and_none_at_all(bare: tuple[Path, int]) -> None:
    head = HEAD.format("a" * bare[1]).encode()

    _check(bare, [])
    _check(bare, [head + b"%d\n" % n for n in range(1000)])


def test_any_bytes(bare: tuple[Path, int]) -> None:
    @given(st.lists(st.binary(max_size=5000), unique=True, max_size=5))
    @settings(max_examples=15)
    def holds(raws: list[bytes]) -> None:
        _check(bare, raws)

    holds()

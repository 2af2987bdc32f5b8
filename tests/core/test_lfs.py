"""Pointers of Git LFS."""

from __future__ import annotations

import pytest

from registry.core.lfs import Pointer, parse_pointer

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12345\n"


def test_a_pointer_says_what_it_stands_for() -> None:
    assert parse_pointer(POINTER) == Pointer("ab" * 32, 12345)


@pytest.mark.parametrize(
    "data",
    [
        b"", POINTER[1:], POINTER.replace(b"sha256", b"sha512"), POINTER.replace(b"size 12345", b"size many"),
        POINTER.replace(b"abab", b"ab"), POINTER + b"x" * 1024,
    ],
)  # fmt: skip
def test_other_files_are_none(data: bytes) -> None:
    assert parse_pointer(data) is None

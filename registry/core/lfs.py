"""Pointers of Git LFS: the small files that stand in Git for large ones (git-lfs docs/spec.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

LIMIT = 1024  # bytes; a pointer is smaller than that

_magic = b"version https://git-lfs.github.com/spec/v1\n"
_oid = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_size = re.compile(rb"^size ([0-9]{1,18})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pointer:
    """The file that a pointer stands for: the SHA-256 of its bytes, and its size in bytes."""

    sha256: str
    size: int


def parse_pointer(data: bytes) -> Pointer | None:
    """The pointer that `data` is, or None."""
    if len(data) >= LIMIT or not data.startswith(_magic):
        return None
    oid, size = _oid.search(data), _size.search(data)
    return Pointer(oid[1].decode(), int(size[1])) if oid and size else None

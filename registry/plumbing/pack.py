"""Tag objects as one pack, in the bytes that git-index-pack(1) takes: gitformat-pack(5)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from registry.core.draft import digest

_TAG = 4


def pack(tags: Iterable[bytes], length: int) -> bytes:
    """A pack of tag objects, for a repository whose ids have `length` hex digits (40 or 64)."""
    entries = [_head(len(raw)) + zlib.compress(raw) for raw in tags]
    whole = b"".join([b"PACK", (2).to_bytes(4, "big"), len(entries).to_bytes(4, "big"), *entries])
    return whole + bytes.fromhex(digest(whole, length))


def _head(size: int) -> bytes:
    """The type and four bits of the size, then seven bits a byte, the least first; the eighth says that more follow."""
    head = bytearray([_TAG << 4 | size & 0xF])
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head)

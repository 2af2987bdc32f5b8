"""Words of other programs, without what they must not show."""

from __future__ import annotations

import re

_user = re.compile(r"(?<=://)[^/\s'\"]*@")
_signed_in = re.compile(r"(?<=://)[^/\s]*@")
_query = re.compile(r"(://[^\s'\"?]*)\?[^\s'\"]*")


def without_user(text: str) -> str:
    """`text`, in which no URL has a user or a password; all else stays as it is."""
    return _signed_in.sub("", text)


def without_secrets(text: str) -> str:
    """`text`, in which no URL has a user, a password, or a query, which may be a signature; on one line."""
    return " ".join(_query.sub(r"\1", _user.sub("", text)).split())

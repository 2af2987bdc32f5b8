"""What Git takes for the URL of another repository, and which of them are read; a password is kept apart."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from registry.errors import UsageError

# Compiled when they are first used: whoever is in a clone asks about no URL.
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/]*)@)?"
_HELPER = r"[A-Za-z0-9][A-Za-z0-9+.-]*::"
_SAY = r"""!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$REGISTRY_USER" "$REGISTRY_PASS"; }; f"""
_SCHEMES = ("https", "http", "ssh", "git", "file")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository lies.

    `url` holds no password, and over HTTP no login at all; `login` are the user and the password that it had.
    """

    url: str
    login: tuple[str, str] | None = None

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that `text` says. Raises UsageError for a transport that could run a command."""
        found = re.match(_SCHEME, text)
        scheme = found.group(1).lower() if found is not None else None
        if re.match(_HELPER, text) or (scheme is not None and scheme not in _SCHEMES):
            name = re.split("[:+]", text, maxsplit=1)[0]
            raise UsageError(
                f"no repository is read by the transport {name}", "https, http, ssh, git, file or user@host:path"
            )
        if text.startswith("-") or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
            raise UsageError(f"not a URL: {text!r}", "such as https://example.com/team/models.git")
        if found is None or scheme not in {"http", "https"}:
            return cls(text if found is None else _without_password(found, text))
        rest = text[found.end() :]
        if not re.fullmatch(r"[^/:]*(:[0-9]*)?|\[[^/]*\](:[0-9]*)?", rest.partition("/")[0]):
            raise UsageError("not a URL: its port is no number", "in a password, / and @ are written %2F and %40")
        if found.group(2) is None:
            return cls(text)
        from urllib.parse import unquote

        # A name alone may be the secret, too: a token.
        user, _, password = found.group(2).partition(":")
        return cls(f"{found.group(1)}://{rest}", (unquote(user), unquote(password)))

    def talking(self, *settings: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """The environment of a git that talks to it: which transports there are, how the password is said, `settings`.

        Git gets it from a credential helper that lives in the environment alone: written into the URL it would stand on
        the command line of git-remote-https. The user's own helpers are left out then, so that none of them stores it.
        """
        more: list[tuple[str, str]] = []
        if "GIT_ALLOW_PROTOCOL" not in os.environ:
            more.append(("GIT_ALLOW_PROTOCOL", ":".join(_SCHEMES)))
        there = "/".join(self.url.split("/")[:3])
        if self.login is not None and not self.login[1]:
            settings = (*settings, (f"credential.{there}.username", self.login[0]))
        elif self.login is not None:
            settings = (*settings, (f"credential.{there}.helper", ""), (f"credential.{there}.helper", _SAY))
            more += [("REGISTRY_USER", self.login[0]), ("REGISTRY_PASS", self.login[1])]
        return (*more, *_config(settings))


def _without_password(found: re.Match[str], text: str) -> str:
    """A URL of a transport that takes no password from it."""
    user = (found.group(2) or "").partition(":")[0]
    return f"{found.group(1)}://{user}{'@' if user else ''}{text[found.end() :]}"


def _config(settings: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Settings as variables of the environment, after those that the user gave so: git-config(1), GIT_CONFIG_COUNT."""
    said = os.environ.get("GIT_CONFIG_COUNT", "")
    start = int(said) if said.isdigit() else 0
    found = [("GIT_CONFIG_COUNT", str(start + len(settings)))]
    for index, (key, value) in enumerate(settings, start):
        found += [(f"GIT_CONFIG_KEY_{index}", key), (f"GIT_CONFIG_VALUE_{index}", value)]
    return found


def is_url(text: str) -> bool:
    """Whether Git would take `text` for the URL of another repository, and not for a path here: git-clone(1)."""
    if re.match(_SCHEME, text) or re.match(_HELPER, text):
        return True
    host, colon, _ = text.partition(":")
    return bool(host and colon) and "/" not in host and not os.path.lexists(text)

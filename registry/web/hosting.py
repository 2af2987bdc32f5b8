"""Where a repository can be looked at in a browser, as far as the address of its remote tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.errors import RegistryError
from registry.web.commits import is_id

if TYPE_CHECKING:
    from registry.repository import Repository

_https = re.compile(r"https://(?:[^/@]*@)?(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?)/(?P<path>.+)", re.ASCII | re.IGNORECASE)
_ssh = re.compile(
    r"(?:git\+)?ssh://(?:[^/@]*@)?(?P<host>[a-z0-9.-]+)(?::[0-9]{1,5})?/(?P<path>.+)", re.ASCII | re.IGNORECASE
)
_scp = re.compile(r"(?:[^/@:]+@)?(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+):(?!/)(?P<path>.+)", re.ASCII | re.IGNORECASE)
_segment = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.[A-Za-z0-9_~-][A-Za-z0-9._~-]*")

# By a part of the host's name: GitHub, GitLab and Gitea are also run by companies, at github.example.com.
_COMMIT = {
    "github": "commit",
    "gitlab": "-/commit",
    "gitea": "commit",
    "forgejo": "commit",
    "codeberg": "commit",
    "bitbucket": "commits",
}


@dataclass(frozen=True, slots=True)
class Hosting:
    """A repository at a host: its page, without any login, and how the host calls a commit there."""

    url: str
    commit_word: str

    def commit(self, oid: str) -> str | None:
        """The page of a commit; None for what is no full id."""
        return f"{self.url}/{self.commit_word}/{oid}" if is_id(oid) else None


def of_url(url: str) -> Hosting | None:
    """The host's page for a remote's URL: of https and ssh alone, and of hosts whose name says how they link."""
    found = _https.fullmatch(url) or _ssh.fullmatch(url) or (_scp.fullmatch(url) if "://" not in url else None)
    if found is None:
        return None
    host = found["host"].lower()
    word = next((_COMMIT[label] for label in re.split("[.:]", host) if label in _COMMIT), None)
    segments = found["path"].rstrip("/").removesuffix(".git").split("/")
    if word is None or len(segments) < 2 or not all(_segment.fullmatch(segment) for segment in segments):
        return None
    return Hosting(f"https://{host}/{'/'.join(segments)}", word)


def of(repository: Repository) -> Hosting | None:
    """The host of the remote that a repository would push to, if there is one and it can be told."""
    try:
        remote = repository.remote()
        said = repository.git.read("remote", "get-url", "--", remote.in_git, check=False)
    except RegistryError:  # no remote, or several
        return None
    return of_url(said.decode(errors="replace").strip())

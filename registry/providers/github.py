"""Runs of GitHub Actions: `github:RUN` of this repository, or `github:OWNER/REPO/RUN`. Nobody is asked."""

from __future__ import annotations

import os
import re

from registry.errors import NotFound, UsageError
from registry.providers.surroundings import climbs, github_page
from registry.providers.values import Found, Place

_run = re.compile(r"(?:(?P<repository>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)/)?(?P<number>[0-9]{1,30})")
# https://HOST/OWNER/REPO, ssh://git@HOST/OWNER/REPO, git@HOST:OWNER/REPO
_remote = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?|(?:[^/@:]+@)?)(?P<host>[A-Za-z0-9.-]+)(?::[0-9]+(?=/))?[/:]"
    r"(?P<repository>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+?)(?:\.git)?/?"
)


def resolve(run: str, place: Place) -> Found:
    """The link alone."""
    said = _run.fullmatch(run)
    if said is None or climbs(run):
        raise UsageError("a run of GitHub is github:RUN or github:OWNER/REPO/RUN", "")
    if page := github_page(os.environ if said["repository"] is None else _other(said["repository"]), said["number"]):
        return Found(page)
    if said["repository"] is not None:
        raise NotFound("GITHUB_SERVER_URL names no server", "")
    there = _remote.fullmatch(place.remote)
    if there is None or "github" not in there["host"].lower() or climbs(there["repository"]):
        raise NotFound("the remote is not at GitHub", "")
    return Found(f"https://{there['host'].lower()}/{there['repository']}/actions/runs/{said['number']}")


def _other(repository: str) -> dict[str, str]:
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return {"GITHUB_SERVER_URL": server, "GITHUB_REPOSITORY": repository}

"""Telling stories about people with keys."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.story import RepoStory

POLICY = """\
stages:
  staging: {}
  production:
    after: staging
    exclusive: true
    allow: ["@release"]
    signed: true
    approvals: 1
teams: {release: [ana@example.com, bo@example.com]}
versions: {overwrite: forbid}
models:
  churn: {path: models/churn.pkl}
"""


@dataclass
class Keys:
    """The SSH keys of people, each made when it is first asked for."""

    place: Path

    def of(self, who: str) -> Path:
        """The private key of `who`; its public one lies beside it."""
        self.place.mkdir(exist_ok=True)
        file = self.place / who
        if not file.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", str(file)], check=True)
        return file

    def line(self, who: str, options: str = "", principal: str = "") -> str:
        """A line of an allowed-signers file."""
        public = self.of(who).with_name(f"{who}.pub").read_text().split()[:2]
        return " ".join([principal or email(who), *([options] if options else []), *public]) + "\n"

    def allowed(self, *who: str) -> str:
        """An allowed-signers file that lists these people."""
        return "".join(self.line(one) for one in who)

    def become(self, story: RepoStory, who: str, *, key: str | None = None, sign: bool = True) -> RepoStory:
        """From now on `who` writes in this repository, with their key or another's."""
        story.git("config", "user.name", who.capitalize())
        story.git("config", "user.email", email(who))
        story.git("config", "gpg.format", "ssh")
        story.git("config", "user.signingKey", str(self.of(key or who)))
        story.git("config", "tag.gpgSign", "true" if sign else "false")
        return story


def email(who: str) -> str:
    """The address of a person of a story."""
    return f"{who}@example.com"


def forged(story: RepoStory, tag: str, message: str, target: str = "HEAD", *, sign: bool = False) -> str:
    """A tag that plain Git makes, of any message; give its id."""
    story.git("tag", *(["-s"] if sign else ["-a", "--no-sign"]), "--cleanup=verbatim", "-m", message, tag, target)
    return story.git("rev-parse", f"refs/tags/{tag}")


def block(story: RepoStory, artifact: str, *lines: str, subject: str = "Forged") -> str:
    """A message with a block of ours that follows the last event, as somebody could write it by hand."""
    events = story.registry.repository.state(artifact).events
    previous = [f"Previous: {events[-1].oid}"] if events else []
    return "\n".join([subject, "", "Registry: 1", *previous, *lines, ""])

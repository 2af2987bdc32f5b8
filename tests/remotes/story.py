"""Telling stories about many clones of one repository on a server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry import Registry
from registry.core.state import ArtifactState
from tests.servers import Door, GitServer
from tests.story import RepoStory

PEOPLE = ("Ana", "Bo", "Cy", "Di", "Eli", "Flo", "Gus", "Hal")
MANIFEST = "models:\n  churn: {path: models/churn.pkl}\n  fraud: {}\n"
NAME = "models.git"


@dataclass
class Clones:
    """A repository on a server, and who has cloned it. Questions about the server go by no network."""

    server: GitServer
    place: Path
    url: str
    all: list[RepoStory] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        server: GitServer,
        place: Path,
        *,
        manifest: str = MANIFEST,
        pre_receive: str | None = None,
        settings: Mapping[str, str | None] | None = None,
    ) -> Clones:
        """A repository on the server with one commit on `main`; `GitServer.create` says what there is to set."""
        url = server.create(NAME, settings=settings)
        first = RepoStory.begin(place / "first")
        first.write("registry.yaml", manifest).write("models/churn.pkl", "weights 1\n").commit("Declare churn")
        first.git("push", "-q", str(server.path(NAME)), "HEAD:refs/heads/main")
        if pre_receive is not None:
            server.hook(NAME, pre_receive)
        return cls(server, place, url)

    def clone(self, *options: str, door: Door = "git", url: str | None = None) -> RepoStory:
        """One clone more, of somebody else; `options` are those of git clone."""
        who = PEOPLE[len(self.all) % len(PEOPLE)]
        path = self.place / f"{len(self.all)}-{who.lower()}"
        source = url or self.server.url(NAME, door)
        subprocess.run(["git", "clone", "-q", *options, source, str(path)], check=True, cwd=self.place)
        story = RepoStory(path)
        story.git("config", "user.name", who)
        story.git("config", "user.email", f"{who.lower()}@example.com")
        self.all.append(story)
        return story

    def two(self) -> tuple[RepoStory, RepoStory]:
        """Ana's clone and Bo's."""
        return self.clone(), self.clone()

    # -- the server ------------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """Where the repository lies on the server."""
        return self.server.path(NAME)

    def server_refs(self) -> dict[str, str]:
        """All refs of the server and their object ids."""
        return refs(self.path)

    def server_tags(self) -> dict[str, str]:
        """The server's tags and their object ids."""
        return tags(self.path)

    def server_head(self, artifact: str = "churn") -> str | None:
        """What the server's refs/registry/ARTIFACT@head is."""
        return self.server_refs().get(f"refs/registry/{artifact}@head")

    def delete_tag(self, name: str) -> None:
        """Delete a tag on the server, as somebody with the rights there would."""
        subprocess.run(["git", "-C", str(self.path), "update-ref", "-d", f"refs/tags/{name}"], check=True)

    def state(self, artifact: str = "churn") -> ArtifactState:
        """What the server's tags say of an artifact."""
        return Registry(self.path, on_note=lambda _: None).repository.state(artifact)

    def shown(self, artifact: str = "churn") -> Any:
        """What `show ARTIFACT --json` says on the server."""
        return Registry(self.path, on_note=lambda _: None).show_artifact(artifact).to_json()

    def check_chain(self, artifact: str = "churn") -> None:
        """Every event names the one before it and no other, the counters have no gap, the server's head is the last."""
        events = self.state(artifact).events
        chain = [list(event.keys.get("Previous", ())) for event in events]
        assert chain == [[], *([event.oid] for event in events[:-1])]
        assert [event.counter for event in events] == list(range(1, len(events) + 1))
        assert self.server_head(artifact) == events[-1].oid

    def check_no_clone_has_more(self) -> None:
        """No clone holds a tag that the server has not, or that differs from the server's."""
        there = self.server_tags().items()
        for story in self.all:
            more = dict(tags(story.path).items() - there)
            assert not more, story.path.name


def run(story: RepoStory, *words: str) -> list[str]:
    """A command that works; the lines that it printed."""
    done = story.cli(*words)
    assert done.code == 0, (words, done.err)
    return done.out.splitlines()


def said(story: RepoStory, *words: str) -> Any:
    """What a command that works says in JSON."""
    return json.loads("".join(run(story, *words, "--json")))


def train(story: RepoStory) -> RepoStory:
    """A new commit, of nobody else."""
    story.git("commit", "-q", "--allow-empty", "-m", f"Train in {story.path.name}")
    return story


def standing(story: RepoStory) -> dict[str, list[str]]:
    """How a clone's tags stand to its remote's, and which were withdrawn, by `status --json`."""
    status = said(story, "status")
    found = {key: status["remote"][key] for key in ("unpublished", "remote_only", "differing")}
    return {**found, "withdrawn": [one["tag"] for one in status["withdrawn"]]}


def refs(path: Path) -> dict[str, str]:
    """All refs of a repository and their object ids."""
    command = ["git", "-C", str(path), "for-each-ref", "--format=%(refname) %(objectname)"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: oid for name, _, oid in (line.partition(" ") for line in lines)}


def tags(path: Path) -> dict[str, str]:
    """The tags of a repository and their object ids."""
    prefix = "refs/tags/"
    return {name.removeprefix(prefix): oid for name, oid in refs(path).items() if name.startswith(prefix)}

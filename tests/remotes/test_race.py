"""Many clones write at once over HTTP, and nothing is lost, doubled or forked (DESIGN part 6).

REGISTRY_RACE_CLONES and REGISTRY_RACE_VERSIONS make it larger, and then it prints figures:
`REGISTRY_RACE_CLONES=8 REGISTRY_RACE_VERSIONS=25 pytest -s tests/remotes/test_race.py`.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.core.events import OfStage, Registration
from tests.remotes.story import MANIFEST, NAME, Clones, run, said, tags, train
from tests.servers import GitServer
from tests.story import RepoStory

# Read when this page is: each test takes them out of its environment.
CLONES, VERSIONS = (os.environ.get(f"REGISTRY_RACE_{name}") for name in ("CLONES", "VERSIONS"))
LARGE = bool(CLONES or VERSIONS)
EXCLUSIVE = f"stages: {{production: {{exclusive: true}}}}\n{MANIFEST}"


def race(story: RepoStory, versions: int) -> list[tuple[str, str]]:
    """One clone's part: the versions that it was told to be its own, and their commits."""
    made = []
    for _ in range(versions):
        [event] = said(train(story), "register", "churn", "--patch", "--push")["events"]
        made.append((event["version"], event["commit"]))
        run(story, "assign", f"churn@{event['version']}", "production", "--push")
    return made


@pytest.fixture
def exclusive(git_server: GitServer, tmp_path: Path) -> Clones:
    """Clones of a repository in which one version at a time can be in production."""
    return Clones.begin(git_server, tmp_path, manifest=EXCLUSIVE)


def test_clones_that_write_at_once_make_one_history(exclusive: Clones) -> None:
    clones, each = int(CLONES or 5), int(VERSIONS or 10)
    stories = [exclusive.clone() for _ in range(clones)]
    count = clones * each

    began = time.perf_counter()
    with ThreadPoolExecutor(clones) as pool:
        made = [pair for pairs in pool.map(lambda story: race(story, each), stories) for pair in pairs]
    seconds = time.perf_counter() - began
    if LARGE:
        pushes = exclusive.server.pushes(NAME)
        print(
            f"\n{clones} clones, {each} versions each: {2 * count} commands in {seconds:.0f} s, "
            f"{pushes} pushes sent, {pushes / (2 * count):.1f} a command"
        )

    exclusive.check_no_clone_has_more()
    _check_versions(exclusive, made, count)
    _check_stage(exclusive, count)
    exclusive.check_chain()
    _check_all_read_the_same(exclusive, stories)


def _check_versions(clones: Clones, made: list[tuple[str, str]], count: int) -> None:
    """None lost, none doubled; the numbers have no gap, and are those that were given when the tags were made."""
    state = clones.state()
    assert {name: version.commit for name, version in state.versions.items()} == dict(made)
    assert state.versions.keys() == {f"v0.0.{n}" for n in range(1, count + 1)}
    assert sorted(version.number for version in state.versions.values()) == list(range(1, count + 1))
    given = {event.version: event.one("Number") for event in state.events if isinstance(event, Registration)}
    assert given == {name: str(version.number) for name, version in state.versions.items()}


def _check_stage(clones: Clones, count: int) -> None:
    """As many assignments as versions, each after the end of the one before; the last holds the stage alone."""
    events = [event for event in clones.state().events if isinstance(event, OfStage)]
    assert [event.kind for event in events] == ["assignment", *["unassignment", "assignment"] * (count - 1)]
    versions = [event.one("Version") for event in events]
    assert versions[1::2] == versions[0:-1:2]
    shown = clones.shown()
    assert [v["version"] for v in shown["versions"] if v["stages"]] == [versions[-1]]


def _check_all_read_the_same(clones: Clones, stories: list[RepoStory]) -> None:
    for story in stories:
        run(story, "fetch")
        assert tags(story.path) == clones.server_tags()
    for question in ("show", "history"):
        first, *others = [said(story, question, "churn") for story in stories]
        assert all(other == first for other in others)

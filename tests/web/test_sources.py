"""Each request sees the repositories as they are then, and reads no more than what is new."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from registry.api import Registry
from registry.errors import GitFailed, NotFound
from registry.plumbing import tags
from registry.plumbing.objects import Object, read_objects
from registry.plumbing.process import Git
from registry.web import freshness
from registry.web.sources import Sources, open_sources
from tests.story import RepoStory
from tests.web.visitor import Visitor


def _seen(sources: Sources, *, anew: bool = False) -> dict[str, str | None]:
    """What is latest, by artifact, in all repositories."""
    with sources.reading(anew=anew) as dashboard:
        return {a.name: a.latest for source in dashboard.sources for a in source.registry.show(deprecated=True)}


def _settle(path: Path) -> None:
    """As if nothing had happened in the repository for an hour: every file of its refs is that old."""
    an_hour_ago = time.time() - 3600
    for place in [path, *path.rglob("*")]:
        if "objects" not in place.parts:
            os.utime(place, (an_hour_ago, an_hour_ago))


class Counter:
    """How many tag objects were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole = 0
        self.single = 0
        read_tags = tags.read_tags

        def all_of_them(git: Git) -> list[tags.TagRecord]:
            found = read_tags(git)
            self.whole += len(found)
            return found

        def some(git: Git, names: list[str], *, only_type: str | None = None) -> list[Object]:
            self.single += len(names)
            return read_objects(git, names, only_type=only_type)

        monkeypatch.setattr(tags, "read_tags", all_of_them)
        monkeypatch.setattr(freshness, "read_objects", some)


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """Two artifacts with a version each."""
    repo.write("registry.yaml", "models:\n  churn: {path: models/churn.pkl}\n  price: {}\n").commit()
    return repo.register("churn", "v1.0.0").register("price", "v1.0.0")


def test_a_tag_that_git_makes_is_seen_at_once(story: RepoStory) -> None:
    sources = open_sources([], acts=True)
    assert _seen(sources)["churn"] == "v1.0.0"

    story.tag("churn@v2.0.0")

    assert _seen(sources)["churn"] == "v2.0.0"


def test_a_tag_that_is_deleted_or_moved_is_seen_at_once(story: RepoStory) -> None:
    story.tag("churn@v2.0.0").tag("price@v3.0.0")
    sources = open_sources([], acts=True)
    assert _seen(sources) == {"churn": "v2.0.0", "price": "v3.0.0"}

    story.git("tag", "-d", "churn@v2.0.0")
    story.git("tag", "-f", "price@v3.0.0", "HEAD")  # no event any more

    assert _seen(sources) == {"churn": "v1.0.0", "price": "v1.0.0"}


def test_the_last_tag_that_is_deleted_is_seen(story: RepoStory) -> None:
    sources = open_sources([], acts=True)
    assert _seen(sources)["price"] == "v1.0.0"

    story.git("tag", "-d", *story.tags)

    assert _seen(sources) == {"churn": None, "price": None}


def test_packing_changes_nothing_and_reads_nothing_again(story: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = open_sources([], acts=True)
    before = _seen(sources)
    counter = Counter(monkeypatch)

    story.git("pack-refs", "--all", "--prune")

    assert _seen(sources) == before
    assert (counter.whole, counter.single) == (0, 0)
    story.tag("churn@v2.0.0")
    story.git("pack-refs", "--all", "--prune")
    assert _seen(sources)["churn"] == "v2.0.0"
    assert (counter.whole, counter.single) == (0, 1)


def test_only_what_is_new_is_read_and_only_its_artifact_folded(
    story: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = Counter(monkeypatch)
    sources = open_sources([], acts=True)
    _seen(sources)
    fresh = sources.desks[0].fresh
    churn, price = fresh.state("churn"), fresh.state("price")
    assert (counter.whole, counter.single) == (2, 0)

    story.tag("churn@v2.0.0")
    _seen(sources)

    assert (counter.whole, counter.single) == (2, 1)
    assert fresh.state("price") is price
    assert fresh.state("churn") is not churn


def test_nothing_is_asked_of_git_where_nothing_changed(story: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = open_sources([], acts=True)
    _settle(story.path / ".git")
    before = _seen(sources)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("git was run")

    monkeypatch.setattr(subprocess, "run", never)

    assert _seen(sources) == before


def test_a_second_change_in_the_same_tick_is_seen(story: RepoStory) -> None:
    sources = open_sources([], acts=True)
    directory = story.path / ".git/refs/tags"
    story.tag("churn@v2.0.0")
    now = time.time_ns()
    os.utime(directory, ns=(now, now))
    assert _seen(sources)["churn"] == "v2.0.0"

    story.tag("churn@v3.0.0")
    os.utime(directory, ns=(now, now))  # a file system that ticks slowly

    assert _seen(sources)["churn"] == "v3.0.0"


def test_a_stage_with_a_slash_makes_a_directory_that_is_watched(story: RepoStory) -> None:
    sources = open_sources([], acts=True)
    _settle(story.path / ".git")
    _seen(sources)

    story.assign("churn@v1.0.0", "prod/eu")
    _settle(story.path / ".git/refs/tags/churn#prod")
    with sources.reading() as dashboard:
        assert dashboard.sources[0].registry.repository.state("churn").stages == {"prod/eu": "v1.0.0"}
    story.register("churn", "v1.1.0").assign("churn@v1.1.0", "prod/eu")
    with sources.reading() as dashboard:
        assert dashboard.sources[0].registry.repository.state("churn").stages == {"prod/eu": "v1.1.0"}


def test_a_commit_of_the_manifest_is_seen(story: RepoStory) -> None:
    sources = open_sources([], acts=True)
    _seen(sources)

    story.write("registry.yaml", "models:\n  fraud: {}\n").commit()

    with sources.reading() as dashboard:
        found = {a.name: a.declared for a in dashboard.sources[0].registry.show()}
    assert found == {"churn": False, "fraud": True, "price": False}


def test_another_branch_that_is_checked_out_is_seen(story: RepoStory) -> None:
    story.git("branch", "before", "HEAD~1")
    sources = open_sources([], acts=True)
    with sources.reading() as dashboard:
        head = dashboard.sources[0].registry.repository.head
    story.git("checkout", "-q", "before")
    with sources.reading() as dashboard:
        assert dashboard.sources[0].registry.repository.head != head
    story.git("checkout", "-q", "--detach", "main")
    with sources.reading() as dashboard:
        assert dashboard.sources[0].registry.repository.head == head


def test_in_a_worktree_and_in_a_bare_repository(story: RepoStory, tmp_path: Path) -> None:
    story.git("worktree", "add", "-q", str(tmp_path / "tree"))
    story.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    tree, bare = (open_sources([str(tmp_path / name)], acts=True) for name in ("tree", "bare.git"))
    assert _seen(tree)["churn"] == _seen(bare)["churn"] == "v1.0.0"

    story.tag("churn@v2.0.0")
    story.git("push", "-q", str(tmp_path / "bare.git"), "churn@v2.0.0")

    assert _seen(tree)["churn"] == _seen(bare)["churn"] == "v2.0.0"
    assert [desk.source.name for desk in (*tree.desks, *bare.desks)] == ["tree", "bare"]


def test_what_cannot_be_read_is_tried_again(story: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = open_sources([], acts=True)
    _seen(sources)

    def fails(*_: object, **__: object) -> None:
        raise GitFailed("git cat-file: out of memory")

    monkeypatch.setattr(freshness, "read_objects", fails)
    story.tag("churn@v2.0.0")
    with pytest.raises(GitFailed):
        _seen(sources)
    monkeypatch.setattr(freshness, "read_objects", read_objects)

    assert _seen(sources) == {"churn": "v2.0.0", "price": "v1.0.0"}


def test_many_readers_while_somebody_writes(story: RepoStory) -> None:
    sources = open_sources([], acts=True)
    seen: list[str | None] = []
    troubles: list[Exception] = []

    def look() -> None:
        try:
            seen.extend(_seen(sources)["churn"] for _ in range(5))
        except Exception as error:  # noqa: BLE001  (whatever it is, the test is to say so)
            troubles.append(error)

    readers = [threading.Thread(target=look) for _ in range(6)]
    for reader in readers:
        reader.start()
    for n in range(1, 6):
        story.tag(f"churn@v1.0.{n}")
    for reader in readers:
        reader.join()

    assert not troubles
    assert len(seen) == 30
    assert _seen(sources)["churn"] == "v1.0.5"


def test_what_it_says_is_what_the_api_says(story: RepoStory) -> None:
    story.assign("churn@v1.0.0", "production").deregister("price@v1.0.0").tag("light@v1.0.0", light=True)
    story.write(".git/refs/tags/missing@v1.0.0", f"{'1' * 40}\n")
    story.raw_tag("other/name@v1.0.0", story.git("cat-file", "tag", "churn@v1.0.0").encode() + b"\n")
    sources = open_sources([], acts=True)
    for step in range(3):
        with sources.reading() as dashboard:
            found = dashboard.sources[0].registry.repository.states
            expected = Registry(story.path).repository.states
            assert list(found) == list(expected)
            assert {n: (s.stages, list(s.versions), s.events) for n, s in found.items()} == {
                n: (s.stages, list(s.versions), s.events) for n, s in expected.items()
            }
        story.register("churn", f"v2.0.{step}").unassign("churn", "production")
        story.assign(f"churn@v2.0.{step}", "production")


# -- several, and their names ------------------------------------------------------------------------------------------


def test_each_repository_has_a_name_of_its_own_in_addresses(tmp_path: Path) -> None:
    places = ["one/Models!", "two/models", "three/models.git", "four/-", "five/a b\u00e9"]
    for place in places:
        RepoStory.begin(tmp_path / place)

    sources = open_sources([str(tmp_path / place) for place in [*places, places[0]]], acts=False)

    slugs = [source.slug for source in sources.dashboard.sources]
    assert slugs == ["models", "models-2", "models-3", "repository", "a-b"]
    names = [source.name for source in sources.dashboard.sources]
    assert names == ["Models!", str(tmp_path / "two/models"), str(tmp_path / "three/models.git"), "-", "a b\u00e9"]
    assert sources.desk("models-2") is sources.desks[1]
    assert sources.desk("") is sources.desks[0]
    with pytest.raises(NotFound):
        sources.desk("nowhere")


def test_where_there_is_no_repository_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_sources([str(tmp_path)], acts=True)


# -- at a URL ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def served(story: RepoStory, tmp_path: Path) -> Path:
    """The same at a file:// URL."""
    shared = tmp_path / "shared.git"
    story.git("clone", "-q", "--bare", ".", str(shared))
    return shared


def _publish(story: RepoStory, shared: Path, tag: str) -> None:
    story.tag(tag)
    story.git("push", "-q", str(shared), tag)


def test_a_url_is_asked_again_after_a_while_or_when_one_wants_it(
    story: RepoStory, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("registry.web.freshness.time.monotonic", lambda: now)
    sources = open_sources([served.as_uri()], acts=True)
    assert _seen(sources)["churn"] == "v1.0.0"

    _publish(story, served, "churn@v2.0.0")
    assert _seen(sources)["churn"] == "v1.0.0"
    now += 2
    assert _seen(sources)["churn"] == "v1.0.0"
    assert _seen(sources, anew=True)["churn"] == "v2.0.0"

    _publish(story, served, "churn@v3.0.0")
    now += freshness.PATIENCE - 1
    assert _seen(sources)["churn"] == "v2.0.0"
    now += 2
    assert _seen(sources)["churn"] == "v3.0.0"


def test_where_a_server_is_away_the_answers_stay_and_it_is_said(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("registry.web.freshness.time.monotonic", lambda: now)
    sources = open_sources([served.as_uri()], acts=True)
    before = _seen(sources)
    shutil.move(served, served.with_name("away"))
    now += 100

    assert _seen(sources) == before
    [trouble] = sources.troubles
    assert trouble.startswith("shared: ")

    shutil.move(served.with_name("away"), served)
    now += 100
    assert _seen(sources) == before
    assert not sources.troubles


def test_a_server_that_was_never_there_hides_nobody_else(story: RepoStory, tmp_path: Path) -> None:
    nowhere = (tmp_path / "nowhere").as_uri()
    sources = open_sources([".", nowhere], acts=True)

    with sources.reading() as dashboard:
        assert len(dashboard.sources[0].registry.show()) == 2
        with pytest.raises(NotFound):
            dashboard.sources[1].registry.show()
    page = Visitor(".", nowhere).get("")
    assert page.status_code == 200
    assert "churn" in page.text
    assert "there is no repository at" in page.text


# -- a partial clone whose remote is gone ------------------------------------------------------------------------------


@pytest.fixture
def partial(repo: RepoStory, tmp_path: Path) -> Path:
    """A clone without the files of older commits, and with a remote that takes calls and says nothing."""
    repo.write("card.md", "# The first card\n").write("metrics.json", '{"auc": 0.9}')
    repo.write("registry.yaml", "models: {churn: {card: card.md, metrics: metrics.json}}\n").commit("Declare")
    repo.register("churn", "v1.0.0")
    repo.write("card.md", "# The second card\n").write("metrics.json", '{"auc": 0.8}')
    repo.write("registry.yaml", "models: {churn: {card: card.md, metrics: metrics.json, labels: [x]}}\n").commit("More")
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    repo.git("clone", "-q", "--filter=blob:none", repo.path.as_uri(), str(clone))
    return clone


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "churn"),
        ("model/partial/churn.html", "The second card"),
        ("version/partial/churn@v1.0.0.html", "v1.0.0"),
        ("history/partial/churn.html", "churn@v1.0.0"),
        ("activity.html", "churn@v1.0.0"),
        ("health.html", "Looked at by"),
        ("act/register.html?name=churn", "not in this clone"),
    ],
)
def test_a_page_asks_no_server_for_what_a_partial_clone_lacks(
    partial: Path, monkeypatch: pytest.MonkeyPatch, path: str, words: str
) -> None:
    def never(git: Git, *arguments: str, **_: object) -> None:
        raise AssertionError(f"talks to a server: {arguments}")

    monkeypatch.setattr(Git, "network", never)
    subprocess.run(["git", "remote", "set-url", "origin", "file:///nowhere.git"], cwd=partial, check=True)
    name, _, query = path.partition("?")

    page = Visitor(str(partial)).get(name, None, **dict([query.split("=")] if query else []))

    assert page.status_code == 200, page.text
    assert words in page.text


def test_a_site_of_a_partial_clone_has_what_its_remote_gives(partial: Path) -> None:
    with open_sources([str(partial)], acts=False, static=True).reading() as dashboard:
        [version] = dashboard.sources[0].registry.list_versions("churn")

    assert version.metadata.metrics == {"auc": 0.9}

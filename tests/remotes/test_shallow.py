"""A clone without the tags, or without files, does not start again at v0.0.1 (DESIGN part 6)."""

from __future__ import annotations

import pytest

from tests.remotes.story import NAME, Clones, run, said, tags, train
from tests.servers import ALL, Fault, Proxy
from tests.story import RepoStory

TAGLESS = {
    "shallow": ["--depth=1", "--no-tags"],
    "no tags": ["--no-tags"],
    "nothing": ["--depth=1", "--no-tags", "--filter=tree:0"],
}
PARTIAL = {"no trees": ["--filter=tree:0"], "no blobs": ["--filter=blob:none"]}
tagless = pytest.mark.parametrize("options", TAGLESS.values(), ids=TAGLESS)
partial = pytest.mark.parametrize("options", PARTIAL.values(), ids=PARTIAL)
every = pytest.mark.parametrize("options", [*TAGLESS.values(), *PARTIAL.values()], ids=[*TAGLESS, *PARTIAL])


@pytest.fixture
def published(clones: Clones) -> Clones:
    """Two versions of churn, one in staging, and one of fraud are on the server, with their branch."""
    ana = clones.clone().register("churn")
    ana.train()
    ana.register("churn").assign("churn", "staging").register("fraud")
    ana.registry_at().push()
    ana.git("push", "-q", "origin", "main")
    return clones


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["show"], ["show", "churn"], ["resolve", "churn"], ["status"]], ids=" ".join)
def test_reading_says_that_the_tags_were_never_fetched(published: Clones, words: list[str]) -> None:
    story = published.clone("--depth=1", "--no-tags")

    done = story.cli(*words)

    assert done.code in {0, 1}, done
    assert "never fetched" in done.err
    assert "registry fetch" in done.err
    assert tags(story.path) == {}


@tagless
def test_after_a_fetch_nothing_is_missing(published: Clones, options: list[str]) -> None:
    story = published.clone(*options)

    run(story, "fetch")

    done = story.cli("resolve", "churn#staging")
    assert (done.out, done.err) == ("v0.0.2\n", "")


@partial
def test_a_clone_without_files_has_its_tags(published: Clones, options: list[str]) -> None:
    done = published.clone(*options).cli("resolve", "churn#staging")

    assert (done.out, done.err) == ("v0.0.2\n", "")


@partial
def test_a_clone_without_files_shows_what_the_others_show(published: Clones, options: list[str]) -> None:
    whole = {one["version"]: one["stages"] for one in said(published.all[0], "show", "churn")["versions"]}
    less = {one["version"]: one["stages"] for one in said(published.clone(*options), "show", "churn")["versions"]}

    assert less == whole


def test_a_new_repository_on_an_empty_server_is_not_warned(clones: Clones) -> None:
    story = clones.clone()

    assert "never fetched" not in story.cli("show").err


# -- writing -----------------------------------------------------------------------------------------------------------


@every
def test_the_first_write_goes_on_from_what_is_published(published: Clones, options: list[str]) -> None:
    story = train(published.clone(*options))

    assert run(story, "register", "churn") == ["churn@v0.0.3"]

    found = said(story, "resolve", "churn")
    assert (found["version"], found["number"]) == ("v0.0.3", 3)


def test_the_first_write_fetches_the_tags_of_its_artifact_alone(published: Clones) -> None:
    story = train(published.clone("--no-tags"))

    run(story, "register", "churn")

    assert sorted(tags(story.path)) == ["churn#staging#3", "churn@v0.0.1", "churn@v0.0.2", "churn@v0.0.3"]


@every
def test_the_first_write_can_be_published(published: Clones, options: list[str]) -> None:
    story = train(published.clone(*options))

    assert run(story, "register", "churn", "--push") == ["churn@v0.0.3"]

    published.check_chain()
    published.check_no_clone_has_more()


def test_a_promotion_needs_no_fetch_of_ones_own(published: Clones) -> None:
    story = published.clone("--depth=1", "--no-tags")

    run(story, "assign", "churn@v0.0.1", "production", "--push")

    assert "churn#production#4" in published.server_tags()
    published.check_chain()


# -- the server has gone -----------------------------------------------------------------------------------------------


@pytest.fixture
def cut_off(published: Clones, proxy: Proxy) -> RepoStory:
    """A clone without tags, whose server has gone."""
    story = train(published.clone("--depth=1", "--no-tags", url=proxy.url(NAME)))
    proxy.fail(Fault.CUT, ALL)
    return story


def test_where_the_server_has_gone_the_first_write_is_refused(cut_off: RepoStory) -> None:
    done = cut_off.cli("register", "churn")

    assert (done.code, done.out) == (1, "")
    assert "--offline" in next(line for line in done.err.splitlines() if line.startswith("hint: "))
    assert tags(cut_off.path) == {}


def test_offline_insists(cut_off: RepoStory) -> None:
    assert run(cut_off, "register", "churn", "--offline") == ["churn@v0.0.1"]


def test_what_was_insisted_on_is_published_after_what_was_there(
    published: Clones, proxy: Proxy, cut_off: RepoStory
) -> None:
    run(cut_off, "register", "churn", "--offline")
    proxy.heal()

    run(cut_off, "push")

    assert published.state().versions["v0.0.3"].commit == cut_off.git("rev-parse", "HEAD")
    published.check_chain()
    published.check_no_clone_has_more()


def test_reading_goes_on_where_the_server_has_gone(cut_off: RepoStory) -> None:
    assert cut_off.cli("show").code == 0


def test_a_clone_that_has_its_tags_writes_without_its_server(published: Clones, proxy: Proxy) -> None:
    story = train(published.clone(url=proxy.url(NAME)))
    proxy.fail(Fault.CUT, ALL)
    proxy.forget()

    assert run(story, "register", "churn") == ["churn@v0.0.3"]

    assert proxy.requests == []

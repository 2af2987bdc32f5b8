"""What one clone writes becomes what all of them read: push, fetch, and `--push` (DESIGN part 6)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from registry import Registry
from tests.remotes.story import MANIFEST, Clones, refs, run, said, standing, tags, train
from tests.servers import BEFORE_PUSHING, PUSHING, GitServer, Proxy
from tests.story import RepoStory

EXCLUSIVE = f"stages: {{staging: {{}}, production: {{exclusive: true}}}}\n{MANIFEST}"
NO_REFS_OF_OURS = """while read -r old new ref; do
case $ref in refs/registry/*) echo 'only branches and tags here' >&2; exit 1;; esac
done"""


def lost(story: RepoStory, *words: str) -> str:
    """A command that is refused, without a trace of Python; what it said."""
    done = story.cli(*words)
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    return done.err


@pytest.fixture
def shared(clones: Clones) -> tuple[RepoStory, RepoStory]:
    """Ana's clone and Bo's, both of which know churn v0.0.1, which is published."""
    ana = clones.clone()
    ana.register("churn", push=True)
    return ana, clones.clone()


# -- one writer --------------------------------------------------------------------------------------------------------


def test_a_registration_is_published_with_the_head_of_its_chain(clones: Clones) -> None:
    ana = train(clones.clone())
    main = clones.server_refs()["refs/heads/main"]

    assert run(ana, "register", "churn", "--push") == ["churn@v0.0.1"]

    oid = ana.git("rev-parse", "refs/tags/churn@v0.0.1")
    assert clones.server_refs() == {
        "refs/heads/main": main,  # no branch moves
        "refs/registry/churn@head": oid,
        "refs/tags/churn@v0.0.1": oid,
    }


def test_publishing_takes_one_push(clones: Clones, proxy: Proxy) -> None:
    ana = clones.clone(url=proxy.url("models.git"))

    run(ana, "register", "churn", "--push")

    assert sum(PUSHING in request for request in proxy.requests) == 1


def test_without_push_nothing_is_published(clones: Clones) -> None:
    ana = clones.clone()

    run(ana, "register", "churn")

    assert clones.server_tags() == {}
    assert list(tags(ana.path)) == ["churn@v0.0.1"]


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        (["assign", "churn@v0.0.1", "staging"], "churn#staging#5"),
        (["unassign", "churn", "production"], "churn#production!#5"),
        (["rollback", "churn", "production"], "churn#production#5"),
        (["annotate", "churn@v0.0.1", "--label", "old"], "churn@v0.0.1=#5"),
        (["deregister", "churn@v0.0.1"], "churn@v0.0.1!#5"),
        (["deprecate", "churn"], "churn@deprecated#5"),
    ],
)
def test_every_command_that_writes_can_publish(clones: Clones, words: list[str], tag: str) -> None:
    ana = clones.clone()
    ana.register("churn").register("churn").assign("churn@v0.0.1", "production").assign("churn", "production")
    run(ana, "push")

    [event] = said(ana, *words, "--push")["events"]

    assert event["tag"] == tag
    assert clones.server_tags() == tags(ana.path)
    clones.check_chain()


def test_a_deletion_can_be_published(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    ana, _ = shared
    run(ana, "assign", "churn", "staging", "--push")

    run(ana, "delete", "churn#staging#2", "--yes", "--push")

    assert list(clones.server_tags()) == list(tags(ana.path)) == ["churn@v0.0.1"]


@pytest.mark.parametrize("later", [[], ["assign", "churn", "staging", "--push"]], ids=["last", "not last"])
def test_what_was_deleted_leaves_its_number_and_its_counter_taken(
    clones: Clones, shared: tuple[RepoStory, RepoStory], later: list[str]
) -> None:
    ana, bo = shared
    for text in ("2", "3"):
        ana.write("models/churn.pkl", text).commit("Train")
        run(ana, "register", "churn", "--major", "--push")
    if later:
        run(ana, *later)
    run(bo, "fetch")
    run(ana, "delete", "churn@v2.0.0", "--yes", "--push")

    ana.write("models/churn.pkl", "4").commit("Train")
    [event] = said(ana, "register", "churn", "--major", "--push")["events"]

    assert event["version"] == "v3.0.0"
    assert said(ana, "resolve", "churn")["number"] == 4
    run(bo, "fetch")
    assert said(bo, "resolve", "churn@4")["version"] == "v3.0.0"
    assert f"Counter: {5 if later else 4}\nNumber: 4" in ana.git("cat-file", "tag", "churn@v3.0.0")


def test_events_made_offline_are_published_in_order(clones: Clones) -> None:
    ana = clones.clone()
    ana.register("churn").assign("churn", "staging").register("churn", "v1.0.0").assign("churn", "staging")
    run(ana, "annotate", "churn@v0.0.1", "--metric", "auc=0.9")
    run(ana, "unassign", "churn", "staging")
    run(ana, "register", "fraud")
    before = tags(ana.path)

    run(ana, "push")

    assert clones.server_tags() == tags(ana.path) == before
    clones.check_chain("churn")
    clones.check_chain("fraud")


def test_one_artifact_can_be_published_alone(clones: Clones) -> None:
    ana = clones.clone().register("churn").register("fraud")

    run(ana, "push", "fraud")

    assert list(clones.server_tags()) == ["fraud@v0.0.1"]


def test_publishing_again_does_nothing(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    ana, _ = shared
    before = (clones.server_refs(), tags(ana.path))

    assert said(ana, "push")["events"] == []

    assert (clones.server_refs(), tags(ana.path)) == before


def test_writing_with_push_publishes_what_was_made_offline_before(clones: Clones) -> None:
    ana = clones.clone().register("churn")

    run(ana, "assign", "churn", "staging", "--push")

    assert sorted(clones.server_tags()) == ["churn#staging#2", "churn@v0.0.1"]
    clones.check_chain()


def test_a_dry_run_publishes_nothing(clones: Clones) -> None:
    ana = clones.clone()

    assert run(ana, "register", "churn", "--push", "--dry-run") == ["churn@v0.0.1"]

    assert (clones.server_tags(), tags(ana.path)) == ({}, {})


def test_python_can_publish_and_fetch(clones: Clones) -> None:
    ana, bo = clones.two()
    registry = Registry(ana.path)

    registry.register("churn", push=True)
    registry.assign("churn", "staging")
    registry.push()
    reader = Registry(bo.path)
    reader.fetch()

    assert reader.find("churn#staging") == "v0.0.1"
    assert clones.server_tags() == tags(bo.path) == tags(ana.path)


def test_the_remote_can_be_chosen(clones: Clones, git_server: GitServer) -> None:
    ana = clones.clone()
    ana.git("remote", "add", "backup", git_server.create("backup.git"))

    run(ana, "register", "churn", "--push", "--remote", "backup")

    assert clones.server_tags() == {}
    assert tags(git_server.path("backup.git")) == tags(ana.path) != {}


@pytest.mark.parametrize("words", [["push"], ["fetch"], ["register", "churn", "--push"]])
def test_without_a_remote_there_is_nowhere_to_publish(repo: RepoStory, words: list[str]) -> None:
    assert "hint: " in lost(repo, *words)

    assert repo.tags == []


def test_a_remote_that_is_none_is_named(clones: Clones) -> None:
    assert "bakcup" in lost(clones.clone(), "push", "--remote", "bakcup")


# -- fetching ----------------------------------------------------------------------------------------------------------


def test_fetching_brings_what_others_published(clones: Clones) -> None:
    ana, bo = clones.two()
    run(ana, "register", "churn", "--push")
    run(ana, "assign", "churn", "staging", "--push")

    run(bo, "fetch")

    assert bo.resolve("churn#staging") == "v0.0.1"
    assert said(bo, "history", "churn") == said(ana, "history", "churn")


def test_one_artifact_can_be_fetched_alone(clones: Clones) -> None:
    ana, bo = clones.two()
    ana.register("churn").register("fraud")
    run(ana, "push")

    run(bo, "fetch", "fraud")

    assert list(tags(bo.path)) == ["fraud@v0.0.1"]


def test_fetching_moves_no_branch_and_no_tag_of_anybody_else(clones: Clones) -> None:
    def of_git(story: RepoStory) -> dict[str, str]:
        return {name: oid for name, oid in refs(story.path).items() if not name.startswith("refs/registry-remote/")}

    ana, bo = clones.two()
    ana.tag("release-1")
    ana.git("push", "-q", "origin", "release-1")
    train(ana).git("push", "-q", "origin", "main")
    before = of_git(bo)

    run(bo, "fetch")

    assert of_git(bo) == before


# -- two writers -------------------------------------------------------------------------------------------------------


def test_a_free_choice_takes_the_next_version(clones: Clones) -> None:
    ana, bo = clones.two()
    run(ana, "register", "churn", "--push")

    [event] = said(train(bo), "register", "churn", "--push")["events"]

    assert event["tag"] == "churn@v0.0.2"
    assert [v.number for v in clones.state().versions.values()] == [1, 2]
    clones.check_chain()
    clones.check_no_clone_has_more()


@pytest.mark.parametrize("moment", [BEFORE_PUSHING, PUSHING], ids=["before the push", "within the push"])
def test_a_free_choice_that_somebody_overtakes_is_made_again(clones: Clones, proxy: Proxy, moment: str) -> None:
    ana, bo = clones.clone(), train(clones.clone(url=proxy.url("models.git")))
    proxy.meanwhile(lambda: run(ana, "register", "churn", "--push"), at=moment)

    [event] = said(bo, "register", "churn", "--push")["events"]

    assert event["tag"] == "churn@v0.0.2"
    assert [v.number for v in clones.state().versions.values()] == [1, 2]
    clones.check_chain()
    clones.check_no_clone_has_more()


def _check_refused_by_name(clones: Clones, bo: RepoStory) -> None:
    err = lost(bo, "register", "churn", "--version", "v1.0.0", "--push")

    assert "v1.0.0" in err
    assert "Ana" in err
    command = ["git", "-C", str(bo.path), "fetch", "--tags"]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (fetched.returncode, "would clobber" in fetched.stderr) == (0, False)
    clones.check_no_clone_has_more()


def test_a_fixed_choice_that_is_taken_says_by_whom_and_leaves_no_tag(clones: Clones) -> None:
    ana, bo = clones.two()
    run(ana, "register", "churn", "--version", "v1.0.0", "--push")

    _check_refused_by_name(clones, train(bo))


@pytest.mark.parametrize("moment", [BEFORE_PUSHING, PUSHING], ids=["before the push", "within the push"])
def test_a_fixed_choice_that_somebody_overtakes_says_by_whom_and_leaves_no_tag(
    clones: Clones, proxy: Proxy, moment: str
) -> None:
    ana, bo = clones.clone(), train(clones.clone(url=proxy.url("models.git")))
    proxy.meanwhile(lambda: run(ana, "register", "churn", "--version", "v1.0.0", "--push"), at=moment)

    _check_refused_by_name(clones, bo)


def test_an_exclusive_stage_has_one_holder_whoever_assigns(git_server: GitServer, tmp_path: Path) -> None:
    clones = Clones.begin(git_server, tmp_path, manifest=EXCLUSIVE)
    ana = clones.clone().register("churn").register("churn")
    run(ana, "push")
    bo = clones.clone()
    run(ana, "assign", "churn@v0.0.1", "production", "--push")

    run(bo, "assign", "churn@v0.0.2", "production", "--push")

    assert [one["version"] for one in clones.shown()["versions"] if one["stages"]] == ["v0.0.2"]
    clones.check_chain()


def test_a_rule_that_somebody_elses_event_makes_true_is_kept(
    clones: Clones, shared: tuple[RepoStory, RepoStory]
) -> None:
    """One version a commit: Ana registers the commit that Bo is about to register."""
    ana, bo = shared
    train(ana).git("push", "-q", "origin", "main")
    bo.git("pull", "-q", "--no-tags")
    run(ana, "register", "churn", "--push")

    assert "is churn v0.0.2 already" in lost(bo, "register", "churn", "--push")

    clones.check_no_clone_has_more()


# -- offline, while others published -----------------------------------------------------------------------------------


def test_a_version_made_offline_is_renamed_with_all_that_follows_it(
    clones: Clones, shared: tuple[RepoStory, RepoStory]
) -> None:
    ana, bo = shared
    train(bo).register("churn").assign("churn@v0.0.2", "staging")
    run(bo, "annotate", "churn@v0.0.2", "--label", "from-bo")
    bos_commit = bo.git("rev-parse", "HEAD")
    run(train(ana), "register", "churn", "--push")

    done = bo.cli("push")

    assert done.code == 0, done.err
    assert "v0.0.2" in done.err
    assert "v0.0.3" in done.err
    versions = ["churn@v0.0.1", "churn@v0.0.2", "churn@v0.0.3"]
    assert sorted(clones.server_tags()) == ["churn#staging#4", *versions, "churn@v0.0.3=#5"]
    found = said(bo, "resolve", "churn#staging")
    assert (found["version"], found["commit"], found["metadata"]["labels"]) == ("v0.0.3", bos_commit, ["from-bo"])
    clones.check_chain()
    clones.check_no_clone_has_more()


@pytest.fixture
def withdrawn(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> tuple[RepoStory, dict[str, str], str]:
    """Bo's clone after a push of what must be withdrawn: the tags before, and what the push said.

    Bo chose v1.0.0 offline, assigned it, and made another version that does not depend on it; Ana published a v1.0.0
    of her own.
    """
    ana, bo = shared
    bo.register("churn", "v1.0.0").assign("churn@v1.0.0", "staging").register("churn")
    before = tags(bo.path)
    run(train(ana), "register", "churn", "--version", "v1.0.0", "--push")
    return bo, before, lost(bo, "push")


def test_what_cannot_be_published_is_withdrawn_with_all_that_depends_on_it(
    clones: Clones, withdrawn: tuple[RepoStory, dict[str, str], str]
) -> None:
    bo, before, _ = withdrawn

    state = clones.state()
    assert state.versions["v1.0.0"].registration.by.name == "Ana"
    assert not [tag for tag in clones.server_tags() if "staging" in tag]
    kept = {name.rpartition("/")[2] for name in refs(bo.path) if name.startswith("refs/registry-withdrawn/")}
    assert kept == {before["churn@v1.0.0"], before["churn#staging#3"]}
    clones.check_no_clone_has_more()


def test_what_does_not_depend_on_it_is_published(
    clones: Clones, withdrawn: tuple[RepoStory, dict[str, str], str]
) -> None:
    bo, _, _ = withdrawn

    assert clones.state().versions["v1.0.1"].commit == bo.git("rev-parse", "HEAD")
    clones.check_chain()


def test_what_is_withdrawn_is_named(clones: Clones, withdrawn: tuple[RepoStory, dict[str, str], str]) -> None:
    bo, before, err = withdrawn

    status = bo.cli("status")
    for words in (err, status.out + status.err):
        assert "churn@v1.0.0" in words
        assert "churn#staging#3" in words
    assert "Ana" in err
    assert before["churn@v1.0.0"][:7] in err


# -- what others do on the server --------------------------------------------------------------------------------------


def test_a_tag_deleted_on_the_server_does_not_come_back(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    run(ana, "assign", "churn", "staging", "--push")
    clones.delete_tag("churn#staging#2")

    run(ana, "push")
    run(bo, "push")
    run(train(ana), "register", "churn", "--push")

    assert sorted(clones.server_tags()) == ["churn@v0.0.1", "churn@v0.0.2"]


def _as_gto_does(story: RepoStory, name: str) -> str:
    """A plain annotated tag, pushed by plain git past our chain; its object id."""
    train(story).git("tag", "-a", "-m", "x", name)
    story.git("push", "-q", "origin", name)
    return story.git("rev-parse", f"refs/tags/{name}")


def test_the_first_event_takes_in_what_gto_published_before(clones: Clones) -> None:
    ana, bo = clones.two()
    gto = _as_gto_does(ana, "churn@v0.1.0")

    assert run(train(bo), "register", "churn", "--push") == ["churn@v0.1.1"]

    [ours] = [event for event in clones.state().events if event.ours]
    assert ours.keys["Previous"] == (gto,)


def test_the_next_event_takes_in_what_gto_published_past_the_chain(
    clones: Clones, shared: tuple[RepoStory, RepoStory]
) -> None:
    ana, bo = shared
    tail = clones.server_head()
    gto = _as_gto_does(ana, "churn@v0.1.0")

    assert run(train(bo), "register", "churn", "--push") == ["churn@v0.1.1"]

    assert clones.state().events[-1].keys["Previous"] == (tail, gto)
    assert clones.server_head() == clones.server_tags()["churn@v0.1.1"]


# -- servers that refuse or hide refs/registry -------------------------------------------------------------------------


@pytest.fixture(params=["hidden", "hook"])
def refusing(request: pytest.FixtureRequest, git_server: GitServer, tmp_path: Path) -> Clones:
    """A server that takes branches and tags alone."""
    if request.param == "hidden":
        return Clones.begin(git_server, tmp_path, settings={"receive.hideRefs": "refs/registry"})
    return Clones.begin(git_server, tmp_path, pre_receive=NO_REFS_OF_OURS)


def test_a_server_that_refuses_the_head_is_used_with_tags_alone_after_one_warning(refusing: Clones) -> None:
    ana = refusing.clone()

    done = ana.cli("register", "churn", "--push")

    assert (done.code, done.out) == (0, "churn@v0.0.1\n"), done.err
    assert len([line for line in done.err.splitlines() if "refs/registry" in line]) == 1, done.err
    assert refusing.server_tags() == tags(ana.path)
    assert refusing.server_head() is None


def test_two_writers_take_turns_at_such_a_server(refusing: Clones) -> None:
    ana, bo = refusing.two()
    run(ana, "register", "churn", "--push")

    assert run(train(bo), "register", "churn", "--push") == ["churn@v0.0.2"]
    run(ana, "assign", "churn@v0.0.2", "staging", "--push")

    events = refusing.state().events
    assert [event.keys.get("Previous", ()) for event in events] == [(), (events[0].oid,), (events[1].oid,)]
    refusing.check_no_clone_has_more()


def test_a_fixed_choice_is_refused_at_such_a_server_too(refusing: Clones) -> None:
    ana, bo = refusing.two()
    run(ana, "register", "churn", "--version", "v1.0.0", "--push")

    _check_refused_by_name(refusing, train(bo))


def test_a_server_that_hides_the_head_from_readers_is_written_to_all_the_same(
    git_server: GitServer, tmp_path: Path
) -> None:
    clones = Clones.begin(git_server, tmp_path, settings={"uploadpack.hideRefs": "refs/registry"})
    ana, bo = clones.two()

    run(ana, "register", "churn", "--push")
    run(train(bo), "register", "churn", "--push")
    run(ana, "assign", "churn@v0.0.2", "staging", "--push")

    clones.check_chain()
    clones.check_no_clone_has_more()


def test_a_server_without_protocol_v2_is_no_different(clones: Clones) -> None:
    ana, bo = clones.clone(door="v0"), clones.clone(door="v0")

    run(ana, "register", "churn", "--push")
    run(train(bo), "register", "churn", "--push")
    run(ana, "fetch")

    assert ana.resolve("churn") == "v0.0.2"
    clones.check_chain()


# -- status ------------------------------------------------------------------------------------------------------------


def test_status_lists_what_is_here_what_is_there_and_what_differs(
    clones: Clones, shared: tuple[RepoStory, RepoStory]
) -> None:
    ana, bo = shared
    train(bo).register("churn").register("fraud")
    run(train(ana), "register", "churn", "--push")
    run(ana, "assign", "churn", "staging", "--push")

    assert standing(bo) == {
        "unpublished": ["fraud@v0.0.1"],
        "remote_only": ["churn#staging#3"],
        "differing": ["churn@v0.0.2"],
        "withdrawn": [],
    }


def test_status_says_the_same_in_words(clones: Clones, shared: tuple[RepoStory, RepoStory]) -> None:
    ana, bo = shared
    train(bo).register("churn").register("fraud")
    run(train(ana), "register", "churn", "--push")
    run(ana, "assign", "churn", "staging", "--push")

    done = bo.cli("status")

    assert done.code == 0, done.err
    assert all(tag in done.out + done.err for tag in ("fraud@v0.0.1", "churn#staging#3", "churn@v0.0.2")), done
    assert tags(bo.path).keys() == {"churn@v0.0.1", "churn@v0.0.2", "fraud@v0.0.1"}  # looking changes no tag

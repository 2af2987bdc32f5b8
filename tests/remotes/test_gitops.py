"""`apply` among clones: by the manifest of the remote's default branch, once, whoever runs it and however often."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.errors import GitFailed, Refused, UsageError
from tests.remotes.story import NAME, Clones, run, tags
from tests.servers import GitServer
from tests.story import RepoStory

STAGES = "stages:\n  staging: {}\n  production: {exclusive: true}\n"
SHALLOW = ["--depth=1", "--no-tags", "--single-branch"]


def want(story: RepoStory, lines: str) -> str:
    """Push a manifest to the default branch in which `churn` has these further lines; give the commit."""
    entry = "".join(f"    {line}\n" for line in lines.splitlines())
    story.write("registry.yaml", f"{STAGES}models:\n  churn:\n    path: models/churn.pkl\n{entry}")
    commit = story.commit(f"Want {lines}", empty=True)
    story.git("push", "-q", "origin", "HEAD:main")
    return commit


@pytest.fixture
def ana(clones: Clones) -> RepoStory:
    story = clones.clone()
    want(story, "")
    return story


BOTH = "version: v1.0.0\nassign: {staging: v1.0.0, production: v1.0.0}"


def test_what_counts_is_the_default_branch_of_the_remote(clones: Clones, ana: RepoStory) -> None:
    bo = clones.clone()
    commit = want(ana, BOTH)
    ana.git("switch", "-q", "-c", "elsewhere")

    assert run(bo, "apply", "--push") == ["churn@v1.0.0", "churn#staging#2", "churn#production#3"]
    assert clones.state().versions["v1.0.0"].commit == commit
    assert run(ana, "apply", "--push") == []
    clones.check_chain()
    clones.check_no_clone_has_more()


def test_without_push_the_tags_are_made_here_after_those_of_the_remote(clones: Clones, ana: RepoStory) -> None:
    ana.registry_at().register("churn", version="v0.9.0", push=True)
    bo = clones.clone("--no-tags")
    want(ana, BOTH)

    assert run(bo, "apply") == ["churn@v1.0.0", "churn#staging#3", "churn#production#4"]
    assert list(clones.server_tags()) == ["churn@v0.9.0"]
    run(bo, "push")
    clones.check_chain()


def test_offline_means_head(clones: Clones, ana: RepoStory) -> None:
    bo = clones.clone()
    want(ana, BOTH)

    assert run(bo, "apply", "--offline") == []


def test_a_repository_at_a_url_needs_no_clone(clones: Clones, ana: RepoStory) -> None:
    commit = want(ana, BOTH)
    ana.train("others\n")
    ana.git("push", "-q", "origin", "HEAD:main")

    me = {"GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "bo@example.com"}
    done = ana.cli("apply", "--repo", clones.url, env=me)

    assert done.err == ""
    assert done.out.split() == ["churn@v1.0.0", "churn#staging#2", "churn#production#3"]
    assert clones.state().versions["v1.0.0"].commit == commit
    assert run(ana, "plan", "--repo", clones.url) == []


@pytest.mark.parametrize("options", [SHALLOW, ["--depth=1", "--filter=tree:0"], ["--filter=blob:none"], ["--no-tags"]])
def test_a_clone_without_history_finds_where_the_line_came_in(
    clones: Clones, ana: RepoStory, options: list[str]
) -> None:
    commit = want(ana, BOTH)
    for _ in range(20):
        ana.train()
    ana.git("push", "-q", "origin", "HEAD:main")
    shallow = clones.clone(*options)

    run(shallow, "apply", "--push")

    assert clones.state().versions["v1.0.0"].commit == commit


def test_no_more_history_is_brought_than_is_needed(clones: Clones, ana: RepoStory) -> None:
    for _ in range(40):
        ana.train()
    want(ana, BOTH)
    shallow = clones.clone(*SHALLOW)

    run(shallow, "apply", "--push")

    assert int(shallow.git("rev-list", "--count", "HEAD")) <= 4


def test_history_that_cannot_be_had_is_no_guess(clones: Clones, ana: RepoStory) -> None:
    want(ana, BOTH)
    shallow = clones.clone(*SHALLOW)
    shallow.git("remote", "set-url", "origin", "http://127.0.0.1:1/gone.git")

    with pytest.raises(GitFailed):
        shallow.registry_at().apply(revision="HEAD")
    assert tags(shallow.path) == {}


def test_two_at_once_do_no_harm(clones: Clones, ana: RepoStory) -> None:
    want(ana, BOTH)
    both = clones.two()

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda story: run(story, "apply", "--push"), both))

    assert sorted(len(one) for one in made) == [0, 3]
    assert sorted(clones.server_tags()) == ["churn#production#3", "churn#staging#2", "churn@v1.0.0"]
    clones.check_chain()


def test_a_slow_one_does_not_undo_what_a_later_one_has_done(
    clones: Clones, ana: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("v1.0.0", "v2.0.0"):
        want(ana, f"version: {version}")
        run(ana, "apply", "--push")
    want(ana, "assign: {production: v1.0.0}")
    slow = clones.clone()
    registry = slow.registry_at()
    decided = once_before_pushing(monkeypatch, lambda: later(clones, ana))

    made = registry.apply(push=True).events

    assert decided == ["overtaken"]
    assert made == ()
    assert clones.state().stages == {"production": "v2.0.0"}
    assert sorted(clones.server_tags())[:1] == ["churn#production#3"]
    clones.check_chain()


def later(clones: Clones, ana: RepoStory) -> None:
    """Somebody merges a newer wish, and their run is faster."""
    want(ana, "assign: {production: v2.0.0}")
    run(ana, "apply", "--push")


def once_before_pushing(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> list[str]:
    """Do something when all is decided, the first time, and before anything is pushed."""
    from registry.writing.pushing import Talk

    done: list[str] = []
    push = Talk.push

    def slowly(talk: Talk, *arguments: object, **named: object) -> object:
        if not done:
            done.append("overtaken")
            act()
        return push(talk, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Talk, "push", slowly)
    return done


def test_an_old_run_that_is_started_again_changes_nothing(clones: Clones, ana: RepoStory) -> None:
    want(ana, BOTH)
    old = clones.clone(*SHALLOW)
    run(old, "apply", "--push")
    want(ana, "version: v2.0.0\nassign: {production: v2.0.0}")
    run(ana, "apply", "--push")
    before = clones.server_refs()

    assert run(old, "apply", "--push") == []
    assert clones.server_refs() == before


class TestBatches:
    @pytest.fixture
    def many(self, ana: RepoStory) -> RepoStory:
        names = [f"m{n}" for n in range(5)]
        models = "".join(f"  {name}: {{version: v1.0.0, assign: {{production: v1.0.0}}}}\n" for name in names)
        ana.write("registry.yaml", f"{STAGES}models:\n{models}").commit()
        ana.git("push", "-q", "origin", "HEAD:main")
        return ana

    def test_so_many_tags_at_once_and_no_more(self, clones: Clones, many: RepoStory) -> None:
        before = clones.server.pushes(NAME)

        made = run(many, "apply", "--push", "--push-batch", "3")

        assert len(made) == 10
        assert made[:6] == ["m0@v1.0.0", "m1@v1.0.0", "m2@v1.0.0", "m3@v1.0.0", "m4@v1.0.0", "m0#production#2"]
        assert clones.server.pushes(NAME) - before == 4
        for name in ("m0", "m4"):
            clones.check_chain(name)

    def test_what_was_cut_off_is_gone_on_with(self, clones: Clones, many: RepoStory) -> None:
        counter = clones.path / "pushes"
        clones.server.hook(NAME, f'echo >> {counter}; test "$(wc -l < {counter})" -le 2')

        with pytest.raises(Refused) as refused:
            many.registry_at().apply(push=True, batch=3)
        assert refused.value.hint == "published before that: 6; the next apply goes on with the rest"
        assert len(clones.server_tags()) == 6

        (clones.path / "hooks/pre-receive").unlink()
        assert len(many.registry_at().apply(push=True, batch=3).events) == 4

    def test_an_exclusive_stage_is_never_seen_empty_between_two_batches(self, clones: Clones, ana: RepoStory) -> None:
        want(ana, BOTH)
        run(ana, "apply", "--push")
        want(ana, "version: v2.0.0\nassign: {staging: v2.0.0, production: v2.0.0}")
        log = clones.path / "pushes"
        clones.server.hook(NAME, f'cat >> {log}; echo "end of a push" >> {log}')

        run(ana, "apply", "--push", "--push-batch", "1")

        pushes = [re.findall(r"refs/tags/(\S+)", part) for part in log.read_text().split("end of a push")[:-1]]
        assert pushes == [["churn@v2.0.0"], ["churn#staging#5"], ["churn#production!#6", "churn#production#7"]]

    @pytest.mark.parametrize("said", [{"batch": 0, "push": True}, {"batch": 3}])
    def test_batches_are_pushed(self, ana: RepoStory, said: dict[str, int]) -> None:
        with pytest.raises(UsageError, match="batches are pushed"):
            ana.registry_at().apply(**said)  # type: ignore[arg-type]


class TestRepair:
    """What actions/checkout leaves: one commit, no tags but the one that triggered it, and that a lightweight one."""

    @pytest.fixture
    def checkout(self, clones: Clones, ana: RepoStory) -> RepoStory:
        want(ana, BOTH)
        run(ana, "apply", "--push")
        ana.registry_at().register("fraud", version="v1.0.0", undeclared=True, push=True)
        for _ in range(3):
            ana.train()
        ana.git("push", "-q", "origin", "HEAD:main")
        story = RepoStory.begin(clones.place / "checkout")
        story.git("remote", "add", "origin", clones.url)
        commit = clones.state().versions["v1.0.0"].commit
        story.git("fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{commit}:refs/tags/churn#staging#2")
        story.git("checkout", "-q", "--force", "refs/tags/churn#staging#2")
        return story

    def test_the_tag_becomes_the_annotated_one_and_only_its_artifact_comes(
        self, clones: Clones, checkout: RepoStory
    ) -> None:
        checkout.registry_at().repair("churn#staging#2")

        assert tags(checkout.path) == {k: v for k, v in clones.server_tags().items() if k.startswith("churn")}
        assert checkout.registry.check_ref("churn#staging#2").version == "v1.0.0"
        assert checkout.git("status", "--porcelain") == ""

    def test_no_models_come_along(self, clones: Clones, checkout: RepoStory) -> None:
        checkout.registry_at().repair()

        assert set(tags(checkout.path)) == set(clones.server_tags())
        present = checkout.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").split()
        assert present.count("blob") == 2  # registry.yaml and models/churn.pkl of the one commit that was checked out

    def test_a_tag_that_is_not_ours_brings_nothing(self, checkout: RepoStory) -> None:
        before = checkout.refs()

        checkout.registry_at().repair("v1.0.0")

        assert checkout.refs() == before

    def test_another_lightweight_tag_of_that_name_is_kept_aside(self, clones: Clones, checkout: RepoStory) -> None:
        checkout.commit("Elsewhere", empty=True)
        checkout.git("tag", "-f", "churn#staging#2")
        mine = checkout.git("rev-parse", "HEAD")

        checkout.registry_at().repair("churn#staging#2")

        assert tags(checkout.path)["churn#staging#2"] == clones.server_tags()["churn#staging#2"]
        assert checkout.git("rev-parse", f"refs/registry-withdrawn/{mine}") == mine

    def test_history_comes_as_far_as_a_review_needs_it(self, clones: Clones, ana: RepoStory) -> None:
        for _ in range(12):
            ana.train()
        base = want(ana, "")
        ana.git("switch", "-q", "-c", "feature")
        for _ in range(3):
            ana.train()
        ana.git("push", "-q", "origin", "main", "feature")
        checkout = RepoStory.begin(clones.place / "review")
        checkout.git("remote", "add", "origin", clones.url)
        checkout.git("fetch", "-q", "--no-tags", "--depth=1", "origin", "feature")
        checkout.git("checkout", "-q", "FETCH_HEAD")

        checkout.registry_at().repair(base=base)

        assert checkout.git("merge-base", "HEAD", base) == base
        assert int(checkout.git("rev-list", "--count", "HEAD")) < 16

    def test_where_there_is_no_remote_there_is_nothing_to_bring(self, tmp_path: Path) -> None:
        story = RepoStory.begin(tmp_path / "alone")
        story.commit("Begin", empty=True)

        story.registry_at().repair("churn@v1.0.0")

        assert story.refs().count("\n") == 0


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_run_that_began_with_the_first_commit_is_no_end_of_history(
    git_server: GitServer, tmp_path: Path, depth: int
) -> None:
    wanting = f"{STAGES}models:\n  churn: {{version: v1.0.0}}\n"
    clones = Clones.begin(git_server, tmp_path, manifest=wanting)
    ana = clones.clone()
    first = ana.git("rev-parse", "HEAD")
    for _ in range(depth - 1):
        ana.train()
    ana.git("push", "-q", "origin", "HEAD:main")

    run(clones.clone(f"--depth={depth}"), "apply", "--push")

    assert clones.state().versions["v1.0.0"].commit == first
    assert run(ana, "plan", "--repo", clones.url) == []


def test_what_was_written_here_before_is_decided_by_the_rules_that_count(clones: Clones, ana: RepoStory) -> None:
    old = clones.clone()
    old.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    gate = STAGES.replace("{exclusive: true}", "{require: {metrics: {auc: '>=0.9'}}}")
    manifest = "models:\n  churn:\n    path: models/churn.pkl\n    assign: {staging: v1.0.0}\n"
    ana.write("registry.yaml", gate + manifest).commit()
    ana.git("push", "-q", "origin", "HEAD:main")

    done = old.cli("apply", "--push")

    assert done.out.split() == ["churn#staging#2"]
    assert "churn@v1.0.0 was written here before, and is published with it" in done.err
    assert "churn#production#2 is withdrawn" in done.err
    assert clones.state().stages == {"staging": "v1.0.0"}


def test_history_comes_from_the_remote_that_was_named(clones: Clones, ana: RepoStory) -> None:
    want(ana, BOTH)
    for _ in range(10):
        ana.train()
    ana.git("push", "-q", "origin", "HEAD:main")
    shallow = clones.clone(*SHALLOW)
    shallow.git("remote", "rename", "origin", "one")
    shallow.git("remote", "add", "two", clones.url)
    shallow.git("branch", "-q", "--unset-upstream")

    assert len(run(shallow, "apply", "--push", "--remote", "two")) == 3


def test_nothing_to_do_says_by_what(clones: Clones, ana: RepoStory) -> None:
    tip = ana.git("rev-parse", "HEAD")
    ana.write("registry.yaml", "models: {churn: {version: v1.0.0}}\n").commit()

    assert f"what counts is {tip[:7]}, the default branch of origin" in ana.cli("apply").err


@pytest.mark.parametrize("base", ["+refs/heads/main:refs/heads/mine", "HEAD", "", "a" * 40 + "\nrefs/heads/main"])
def test_a_base_is_the_full_id_of_a_commit(clones: Clones, ana: RepoStory, base: str) -> None:
    story = clones.clone("--depth=1")
    before = story.refs()

    with pytest.raises(UsageError, match="not the full id of a commit"):
        story.registry_at().repair(base=base)
    assert story.refs() == before


def test_an_included_file_of_settings_keeps_nobody_from_reading_a_partial_clone(
    clones: Clones, ana: RepoStory, tmp_path: Path
) -> None:
    want(ana, BOTH)
    run(ana, "apply", "--push")
    for _ in range(2):
        ana.train()
    ana.git("push", "-q", "origin", "HEAD:main")
    shallow = clones.clone(*SHALLOW)
    (tmp_path / "included").write_text("[http]\n\tuserAgent = somebody\n")
    shallow.git("config", f"includeIf.gitdir:{shallow.path}/.git.path", str(tmp_path / "included"))

    shallow.registry_at().repair("churn#staging#2")

    assert shallow.registry.event("churn#staging#2").declared.path == "models/churn.pkl"

"""The servers of the tests themselves: plain Git through every door and every fault."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.remotes.story import Clones, refs, tags
from tests.servers import ALL, ON_FIRE, PASSWORD, USER, Door, Fault, GitServer, Proxy
from tests.story import RepoStory


def git(*arguments: str, at: Path, timeout: float = 60, **env: str) -> subprocess.CompletedProcess[str]:
    """Run git, whatever becomes of it."""
    return subprocess.run(
        ["git", *arguments],
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env={**RepoStory(at).environment_whole(), "GIT_TERMINAL_PROMPT": "0", **env},
    )


def publish(story: RepoStory, *tags: str) -> subprocess.CompletedProcess[str]:
    """Tag, and push the tags as one, by plain git."""
    for name in tags:
        story.tag(name)
    return git("push", "--atomic", "origin", *(f"refs/tags/{name}" for name in tags), at=story.path)


@pytest.mark.parametrize("door", ["git", "v0"])
def test_git_clones_pushes_and_fetches_by_every_door(clones: Clones, door: Door) -> None:
    ana, bo = clones.clone(door=door), clones.clone(door=door)

    done = publish(ana, "churn@v1.0.0")
    bo.git("fetch", "-q", "--tags", "origin")

    assert done.returncode == 0, done.stderr
    assert tags(bo.path) == clones.server_tags() == {"churn@v1.0.0": ana.git("rev-parse", "churn@v1.0.0")}


def test_protocol_v2_is_passed_through_and_switched_off(clones: Clones) -> None:
    def speaks_v2(door: Door) -> bool:
        url = clones.server.url("models.git", door)
        return "< version 2" in git("ls-remote", url, at=clones.place, GIT_TRACE_PACKET="1").stderr

    assert (speaks_v2("git"), speaks_v2("v0")) == (True, False)


def test_the_private_door_wants_the_password(clones: Clones) -> None:
    def ls_remote(login: str) -> subprocess.CompletedProcess[str]:
        url = clones.server.url("models.git", "private", login=login)
        return git("ls-remote", url, "refs/heads/main", at=clones.place)

    assert [ls_remote(login).returncode for login in ("", f"{USER}:wrong", f"{USER}:{PASSWORD}")] == [128, 128, 0]


def test_a_clone_by_the_private_door_can_push(clones: Clones) -> None:
    ana = clones.clone(url=clones.server.url("models.git", "private", login=f"{USER}:{PASSWORD}"))

    assert publish(ana, "churn@v1.0.0").returncode == 0


def test_the_broken_door_answers_500_with_words(clones: Clones) -> None:
    done = git("ls-remote", clones.server.url("models.git", "broken"), at=clones.place)

    assert done.returncode == 128
    assert ON_FIRE in done.stderr


def test_names_are_of_one_test_alone(git_server: GitServer) -> None:
    assert not git_server.path("models.git").exists()


def test_a_partial_clone_is_partial_where_filters_are_allowed(clones: Clones) -> None:
    for options in (["--filter=tree:0", "--no-checkout"], ["--filter=tree:0", "--no-checkout", "--depth=1"]):
        story = clones.clone(*options)
        assert "?" in story.git("rev-list", "--objects", "--missing=print", "HEAD")


def test_a_server_without_filters_sends_everything(git_server: GitServer, tmp_path: Path) -> None:
    clones = Clones.begin(git_server, tmp_path, settings={"uploadpack.allowFilter": None})
    story = clones.clone("--filter=tree:0", "--no-checkout")

    assert "?" not in story.git("rev-list", "--objects", "--missing=print", "HEAD")


def test_a_pre_receive_hook_refuses_with_its_words(git_server: GitServer, tmp_path: Path) -> None:
    clones = Clones.begin(git_server, tmp_path, pre_receive="echo 'not on a Friday' >&2; exit 1")

    done = publish(clones.clone(), "churn@v1.0.0")

    assert done.returncode == 1
    assert "remote: not on a Friday" in done.stderr
    assert clones.server_tags() == {}


def test_refs_can_be_hidden_from_writers(git_server: GitServer, tmp_path: Path) -> None:
    clones = Clones.begin(git_server, tmp_path, settings={"receive.hideRefs": "refs/registry"})
    ana = clones.clone()

    done = git("push", "origin", "HEAD:refs/registry/churn@head", at=ana.path)

    assert "deny updating a hidden ref" in done.stderr
    assert list(clones.server_refs()) == ["refs/heads/main"]


def test_refs_can_be_hidden_from_readers(git_server: GitServer, tmp_path: Path) -> None:
    clones = Clones.begin(git_server, tmp_path, settings={"uploadpack.hideRefs": "refs/registry"})
    ana = clones.clone()
    ana.git("push", "-q", "origin", "HEAD:refs/registry/churn@head")

    assert "refs/registry/churn@head" in clones.server_refs()
    assert ana.git("ls-remote", "origin", "refs/registry/*") == ""


# -- the proxy ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ana(clones: Clones, proxy: Proxy) -> RepoStory:
    """A clone that talks to the server through the proxy."""
    return clones.clone(url=proxy.url("models.git"))


def test_the_proxy_passes_everything_on_and_counts_it(clones: Clones, proxy: Proxy, ana: RepoStory) -> None:
    proxy.forget()
    ana.write("big", "".join(f"{n * n}\n" for n in range(300_000))).commit()  # over http.postBuffer: sent in chunks
    ana.git("push", "-q", "origin", "main")
    packed = proxy.sent
    bo = clones.clone(url=proxy.url("models.git"))

    assert bo.git("rev-parse", "HEAD") == ana.git("rev-parse", "HEAD")
    assert packed > 500_000
    assert proxy.received > packed * 0.9
    assert proxy.requests[0].startswith("GET /git/")
    assert proxy.failed == []


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BROKEN])
def test_a_push_that_is_cut_or_broken_reaches_nobody(
    clones: Clones, proxy: Proxy, ana: RepoStory, fault: Fault
) -> None:
    before = clones.server_refs()
    proxy.fail(fault)

    assert publish(ana, "churn@v1.0.0").returncode != 0

    assert clones.server_refs() == before
    assert len(proxy.failed) == 1
    proxy.heal()
    assert publish(ana, "churn@v1.0.1").returncode == 0


def test_a_push_whose_answer_is_cut_is_done(clones: Clones, proxy: Proxy, ana: RepoStory) -> None:
    proxy.fail(Fault.CUT_ANSWER)

    done = publish(ana, "churn@v1.0.0")

    assert done.returncode != 0
    assert list(clones.server_tags()) == ["churn@v1.0.0"]


def test_a_server_that_hangs_is_waited_for(proxy: Proxy, ana: RepoStory) -> None:
    before = refs(ana.path)
    proxy.fail(Fault.HANG, ALL)

    done = git(
        *("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=1", "fetch", "origin"), at=ana.path
    )  # Git itself gives up

    assert done.returncode == 128
    assert "too slow" in done.stderr
    assert refs(ana.path) == before


def test_a_server_that_has_gone_is_missed_at_once(proxy: Proxy, ana: RepoStory) -> None:
    proxy.fail(Fault.CUT, ALL)

    assert git("fetch", "origin", at=ana.path).returncode == 128

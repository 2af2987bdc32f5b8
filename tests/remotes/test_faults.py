"""A server that breaks, hangs, is cut off or refuses: it is said in its words, and nothing half-done stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remotes.story import NAME, Clones, run, tags, train
from tests.servers import ALL, ON_FIRE, PASSWORD, PUSHING, USER, Fault, GitServer, Proxy
from tests.story import RepoStory, Result

IMPATIENT = {"REGISTRY_TIMEOUT": "2"}  # seconds of a network that stands still
PLACES = pytest.mark.parametrize("at", [ALL, PUSHING], ids=["everywhere", "in the push"])
WRITES = pytest.mark.parametrize("words", [("register", "churn", "--push"), ("push",)], ids=["register", "push"])


@pytest.fixture
def ana(clones: Clones, proxy: Proxy) -> RepoStory:
    """A clone that talks to the server through the proxy, and has fraud v0.0.1, which is not published yet."""
    story = clones.clone(url=proxy.url(NAME))
    run(story, "register", "fraud")
    return story


def fails(story: RepoStory, *words: str) -> str:
    """A command fails: exit code 1, one line and perhaps a hint after the server's words, and no tag has changed."""
    before = tags(story.path)
    done = story.cli(*words, env=IMPATIENT)
    assert (done.code, done.out) == (1, ""), done
    assert [line.partition(": ")[0] for line in done.err.splitlines()].count("error") == 1, done.err
    assert "Traceback" not in done.err
    assert tags(story.path) == before
    return done.err


def _and_goes_on(clones: Clones, proxy: Proxy, story: RepoStory) -> None:
    """Once the server is well, the same is done as if nothing had been."""
    proxy.heal()
    assert run(story, "register", "churn", "--push") == ["churn@v0.0.1"]
    run(story, "push")
    assert clones.server_tags() == tags(story.path)
    assert sorted(clones.server_tags()) == ["churn@v0.0.1", "fraud@v0.0.1"]
    clones.check_chain("churn")
    clones.check_chain("fraud")


@WRITES
def test_the_words_of_a_broken_server_are_passed_on(proxy: Proxy, ana: RepoStory, words: tuple[str, ...]) -> None:
    proxy.fail(Fault.BROKEN, ALL)

    assert ON_FIRE in fails(ana, *words)


@PLACES
@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.CUT, Fault.HANG], ids=lambda fault: fault.name.lower())
def test_a_fault_leaves_nothing_half_done(clones: Clones, proxy: Proxy, ana: RepoStory, fault: Fault, at: str) -> None:
    proxy.fail(fault, at)

    fails(ana, "register", "churn", "--push")

    assert proxy.failed
    assert clones.server_tags() == {}
    _and_goes_on(clones, proxy, ana)


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.CUT, Fault.HANG], ids=lambda fault: fault.name.lower())
def test_a_fetch_that_fails_changes_no_tag(clones: Clones, proxy: Proxy, ana: RepoStory, fault: Fault) -> None:
    run(clones.clone(), "register", "churn", "--push")
    proxy.fail(fault, ALL)

    fails(ana, "fetch")

    proxy.heal()
    run(ana, "fetch")
    assert clones.server_tags().items() <= tags(ana.path).items()


def test_a_server_that_does_not_answer_is_named(proxy: Proxy, ana: RepoStory) -> None:
    proxy.fail(Fault.HANG, ALL)

    err = fails(ana, "push")

    assert "127.0.0.1" in err or "origin" in err


def test_a_push_that_was_done_but_not_answered_is_not_done_twice(clones: Clones, proxy: Proxy, ana: RepoStory) -> None:
    proxy.fail(Fault.CUT_ANSWER)
    first = ana.cli("register", "churn", "--push", env=IMPATIENT)
    assert first.code in {0, 1}, first  # 0 where it has asked the server what became of it
    proxy.heal()

    run(ana, "fetch")
    again = ana.cli("register", "churn", "--push")

    assert (again.code, "is churn v0.0.1 already" in again.err) == (1, True), again
    assert run(train(ana), "register", "churn", "--push") == ["churn@v0.0.2"]
    assert [version.number for version in clones.state().versions.values()] == [1, 2]
    clones.check_chain()


def test_the_next_command_knows_what_was_done_but_not_answered(clones: Clones, proxy: Proxy, ana: RepoStory) -> None:
    proxy.fail(Fault.CUT_ANSWER)
    ana.cli("push", env=IMPATIENT)
    proxy.heal()

    run(ana, "push")

    assert list(clones.server_tags()) == ["fraud@v0.0.1"]
    assert clones.server_tags() == tags(ana.path)


def test_a_fixed_version_that_was_published_but_not_answered_is_ones_own(
    clones: Clones, proxy: Proxy, ana: RepoStory
) -> None:
    proxy.fail(Fault.CUT_ANSWER)
    ana.cli("register", "churn", "--version", "v1.0.0", "--push", env=IMPATIENT)
    proxy.heal()

    run(ana, "fetch")

    assert ana.resolve("churn") == "v1.0.0"
    assert clones.server_tags()["churn@v1.0.0"] == tags(ana.path)["churn@v1.0.0"]
    assert not [ref for ref in ana.refs().splitlines() if ref.startswith("refs/registry-withdrawn/")]


def test_a_push_that_is_killed_leaves_nothing_half_done(clones: Clones, proxy: Proxy, ana: RepoStory) -> None:
    proxy.fail(Fault.HANG)
    command = [sys.executable, "-m", "registry", "register", "churn", "--push"]
    with subprocess.Popen(command, cwd=ana.path, env=ana.environment_whole(), start_new_session=True) as process:
        assert proxy.met.wait(60)
        os.killpg(process.pid, signal.SIGKILL)

    assert list(tags(ana.path)) == ["fraud@v0.0.1"]
    _and_goes_on(clones, proxy, ana)


@pytest.mark.parametrize("stray", [signal.SIGINT, signal.SIGTERM], ids=lambda stray: stray.name)
def test_a_push_that_is_stopped_leaves_nothing_half_done(
    clones: Clones, proxy: Proxy, ana: RepoStory, stray: signal.Signals
) -> None:
    proxy.fail(Fault.HANG)
    command = [sys.executable, "-m", "registry", "register", "churn", "--push"]
    with subprocess.Popen(
        command, cwd=ana.path, env=ana.environment_whole(), start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        assert proxy.met.wait(60)
        os.killpg(process.pid, stray)
        _, err = process.communicate()

    assert "Traceback" not in err
    assert list(tags(ana.path)) == ["fraud@v0.0.1"]
    _and_goes_on(clones, proxy, ana)


# -- a server that refuses ---------------------------------------------------------------------------------------------


@WRITES
def test_what_a_pre_receive_hook_says_reaches_the_person(
    git_server: GitServer, clones: Clones, proxy: Proxy, ana: RepoStory, words: tuple[str, ...]
) -> None:
    git_server.hook(NAME, "echo 'not on a Friday' >&2; exit 1")

    assert "not on a Friday" in fails(ana, *words)

    assert clones.server_tags() == {}
    assert not [ref for ref in ana.refs().splitlines() if ref.startswith("refs/registry-withdrawn/")]
    git_server.hook(NAME, "exit 0")
    _and_goes_on(clones, proxy, ana)


def test_a_hook_that_refuses_one_artifact_says_which(git_server: GitServer, clones: Clones, ana: RepoStory) -> None:
    git_server.hook(NAME, "if grep -q 'refs/tags/churn@'; then echo 'churn is frozen' >&2; exit 1; fi")

    assert "churn is frozen" in fails(ana, "register", "churn", "--push")

    run(ana, "push", "fraud")
    assert list(clones.server_tags()) == ["fraud@v0.0.1"]


def test_a_repository_that_is_not_there_is_named(git_server: GitServer, ana: RepoStory) -> None:
    ana.git("remote", "set-url", "origin", git_server.url("modles.git"))

    assert "modles.git" in fails(ana, "push")


# -- credentials -------------------------------------------------------------------------------------------------------


def _check_not_written(secret: str, story: RepoStory, *results: Result) -> None:
    """Neither said, nor in a file of Git or the cache, but for the configuration, where Git's own clone put it."""
    assert not [done for done in results if secret in done.out + done.err]
    places = [story.path / ".git", Path(os.environ["XDG_CACHE_HOME"])]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    assert not [file for file in files if file.name != "config" and secret.encode() in file.read_bytes()]
    assert secret not in "".join(file.read_text() for file in places[1].rglob("config") if file.is_file())


def test_a_password_in_a_url_is_used_and_shown_nowhere(clones: Clones) -> None:
    ana = clones.clone(url=clones.server.url(NAME, "private", login=f"{USER}:{PASSWORD}"))
    (ana.path / ".git" / "logs" / "HEAD").unlink()  # Git's own clone wrote it there
    (ana.path / ".git" / "logs" / "refs" / "heads" / "main").unlink()
    (ana.path / ".git" / "logs" / "refs" / "remotes" / "origin" / "HEAD").unlink()

    commands = [["register", "churn", "--push"], ["status"], ["fetch"], ["status", "--json"], ["push", "--json"]]
    done = [ana.cli(*words) for words in commands]

    assert [one.code for one in done] == [0] * len(commands), done
    assert list(clones.server_tags()) == ["churn@v0.0.1"]
    _check_not_written(PASSWORD, ana, *done)


@pytest.mark.parametrize("door", ["broken", "private"])
def test_a_password_in_a_url_is_not_in_what_a_failure_says(clones: Clones, door: str) -> None:
    ana = clones.clone()
    secret = "hunter2-of-ana"  # noqa: S105  (a wrong one)
    url = clones.server.url(NAME, "broken" if door == "broken" else "private", login=f"{USER}:{secret}")
    ana.git("remote", "set-url", "origin", url)

    done = [ana.cli(*words) for words in (["register", "churn", "--push"], ["fetch"], ["push"], ["status"])]

    assert [one.code for one in done[:2]] == [1, 1], done
    _check_not_written(secret, ana, *done)


def test_a_password_is_never_asked_for(clones: Clones) -> None:
    ana = clones.clone()
    ana.git("remote", "set-url", "origin", clones.server.url(NAME, "private"))

    assert "error: " in fails(ana, "fetch")


def test_a_credential_helper_is_asked(clones: Clones) -> None:
    ana = clones.clone()
    ana.git("remote", "set-url", "origin", clones.server.url(NAME, "private"))
    ana.git("config", "credential.helper", f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f")

    run(ana, "register", "churn", "--push")

    assert list(clones.server_tags()) == ["churn@v0.0.1"]

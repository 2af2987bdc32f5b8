"""What actions/checkout and a runner leave out: the tags, the files of another commit, a name, a way to the server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from registry.action.checkout import prepare
from registry.action.runner import Inputs, Runner
from registry.plumbing.process import Git
from tests import servers
from tests.action.gh import GRANTED
from tests.action.step import pushed, run
from tests.servers import GitServer
from tests.story import RepoStory

WHOLE = "https://github.com"


@pytest.fixture
def origin(repo: RepoStory) -> RepoStory:
    """A repository as hosts serve it, with a version that entered a stage two commits ago."""
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo.register("churn", "v1.0.0").assign("churn", "production")
    repo.train()
    repo.write("registry.yaml", "models: {}\n").commit("Declare nothing any more")
    return repo


def _checkout(origin: RepoStory, place: Path, ref: str) -> Path:
    """A clone as actions/checkout makes it: one commit, no tags, and the triggering tag as a lightweight one."""
    commit = origin.git("rev-parse", f"{ref}^{{commit}}")
    where = ref.replace("refs/heads/", "refs/remotes/origin/")
    origin.git("init", "-q", "-b", "main", str(place))
    for words in (
        ["remote", "add", "origin", origin.path.as_uri()],
        ["fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{commit}:{where}"],
        ["checkout", "-q", "--detach", where],
    ):
        origin.git("-C", str(place), *words)
    return place


def test_the_tag_that_checkout_made_light_is_annotated_again(origin: RepoStory, tmp_path: Path) -> None:
    clone = _checkout(origin, tmp_path / "clone", "refs/tags/churn#production#2")

    ran = pushed(clone, "churn#production#2")

    assert (ran.code, ran.commands) == (0, []), ran.log
    assert (ran.outputs["event"], ran.outputs["version"], ran.outputs["number"]) == ("assignment", "v1.0.0", "1")
    assert ran.outputs["path"] == "models/churn.pkl"


def test_a_tag_given_by_hand_is_read_at_its_own_commit(origin: RepoStory, tmp_path: Path) -> None:
    clone = _checkout(origin, tmp_path / "clone", "refs/heads/main")

    ran = run(clone, "workflow_dispatch", tag="refs/tags/churn#production#2", pull="true", output_dir="out")

    assert ran.code == 0, ran.log
    assert (ran.outputs["path"], ran.outputs["type"]) == ("models/churn.pkl", "model")
    assert (clone / "out" / "models" / "churn.pkl").read_text() == "weights 1\n"


def test_the_repository_may_lie_below_the_workspace(origin: RepoStory, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    _checkout(origin, tmp_path / "workspace" / "models", "refs/tags/churn@v1.0.0")

    ran = pushed(tmp_path / "workspace", "churn@v1.0.0", repository_path="models")

    assert ran.outputs["version"] == "v1.0.0"


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root gives files away")
def test_a_checkout_of_another_user_says_how_to_trust_it(repo: RepoStory) -> None:
    for path in (repo.path, repo.path / ".git"):
        os.chown(path, 12345, 12345)

    ran = pushed(repo.path, "churn@v1.0.0")

    assert ran.code == 1
    assert "git config --global --add safe.directory" in ran.commands[0]


def test_the_ssh_that_checkout_names_fetches_what_is_read(origin: RepoStory, tmp_path: Path) -> None:
    clone = _checkout(origin, tmp_path / "clone", "refs/heads/main")
    origin.git("-C", str(clone), "config", "core.sshCommand", "ssh -i key")

    ran = run(clone, "workflow_dispatch", tag="churn#production#2")

    assert (ran.code, ran.outputs["path"]) == (0, "models/churn.pkl"), ran.log


def test_a_manifest_that_cannot_be_fetched_is_a_failure_and_no_answer(origin: RepoStory, tmp_path: Path) -> None:
    clone = _checkout(origin, tmp_path / "clone", "refs/heads/main")
    blob = origin.git("rev-parse", "churn@v1.0.0:registry.yaml")
    (origin.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    ran = run(clone, "workflow_dispatch", tag="churn#production#2")

    assert (ran.code, ran.outputs.get("path")) == (1, None), ran.log


# -- identity and credentials ------------------------------------------------------------------------------------------


def _runner(token: str = GRANTED, server: str = WHOLE) -> Runner:
    return Runner("push", "", {}, "example/models", server, ".", None, None, Inputs(token=token))


def _prepared(repo: RepoStory, runner: Runner, **environment: str) -> dict[str, str]:
    return prepare(Git(str(repo.path)), runner, environment)


def test_a_token_is_for_the_server_alone_and_comes_after_other_settings(repo: RepoStory) -> None:
    said = _prepared(repo, _runner(), GIT_CONFIG_COUNT="2")

    assert said == {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_2": "http.https://github.com/.extraheader",
        "GIT_CONFIG_VALUE_2": "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46Z2l0aHViLWdyYW50ZWQtdGhpcw==",
    }


def test_a_header_that_checkout_left_is_enough(repo: RepoStory) -> None:
    repo.git("config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic eA==")

    assert _prepared(repo, _runner()) == {}


def test_a_token_that_is_given_counts_more_than_what_checkout_left(repo: RepoStory) -> None:
    repo.git("config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic eA==")
    runner = replace(_runner(), inputs=Inputs(token=GRANTED, insists=True))

    said = _prepared(repo, runner)

    assert [said[f"GIT_CONFIG_VALUE_{place}"] for place in (0, 1)] == [
        "",
        "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46Z2l0aHViLWdyYW50ZWQtdGhpcw==",
    ]


def test_a_header_that_is_no_login_is_left_alone(repo: RepoStory) -> None:
    repo.git("config", "http.extraheader", "X-Trace: 1")

    assert _prepared(repo, _runner())["GIT_CONFIG_COUNT"] == "1"


def test_a_header_for_another_server_is_not(repo: RepoStory) -> None:
    repo.git("config", "http.https://git.example.com/.extraheader", "AUTHORIZATION: basic eA==")

    assert "GIT_CONFIG_COUNT" in _prepared(repo, _runner())


def test_without_a_token_nothing_is_set(repo: RepoStory) -> None:
    assert _prepared(repo, _runner(token="")) == {}


@pytest.mark.parametrize("told", ["user.email", "committer.name"])
def test_a_name_in_git_s_settings_is_kept(repo: RepoStory, told: str) -> None:
    for key in ("user.name", "user.email"):
        repo.git("config", "--unset", key)
    repo.git("config", told, "somebody")

    assert _prepared(repo, _runner(token="")) == {}


def test_a_name_in_the_environment_is_kept(repo: RepoStory) -> None:
    for key in ("user.name", "user.email"):
        repo.git("config", "--unset", key)

    assert _prepared(repo, _runner(token=""), GIT_COMMITTER_EMAIL="ana@example.com") == {}
    assert set(_prepared(repo, _runner(token=""))) == {"GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """A server that asks for a password, and knows the user of a workflow's token."""
    if (reason := servers.missing()) is not None:
        pytest.skip(reason)
    with servers.serve(tmp_path / "server") as running:
        (tmp_path / "server" / "passwords").write_text(f"x-access-token:{{PLAIN}}{GRANTED}\n")
        yield running


def test_a_checkout_without_credentials_fetches_and_pushes_by_the_token(repo: RepoStory, server: GitServer) -> None:
    server.create("models.git")
    repo.write("registry.yaml", "models:\n  churn: {path: models/churn.pkl, version: v1.0.0}\n").commit("Want v1.0.0")
    repo.git("push", "-q", str(server.path("models.git")), "main")
    repo.git("remote", "add", "origin", server.url("models.git", "private"))
    host = {"GITHUB_SERVER_URL": f"http://127.0.0.1:{server.port}", "PATH": os.environ["PATH"]}

    without = run(repo, env=host)
    ran = run(repo, env=host, token=GRANTED)

    assert without.code == 1
    assert ran.code == 0, ran.log
    assert repo.git("-C", str(server.path("models.git")), "tag") == "churn@v1.0.0"
    assert GRANTED not in ran.log
    assert GRANTED not in (repo.path / ".git" / "config").read_text()


def test_a_token_that_is_given_is_used_where_checkout_has_left_another(repo: RepoStory, server: GitServer) -> None:
    server.create("models.git")
    repo.write("registry.yaml", "models:\n  churn: {path: models/churn.pkl, version: v1.0.0}\n").commit("Want v1.0.0")
    repo.git("push", "-q", str(server.path("models.git")), "main")
    repo.git("remote", "add", "origin", server.url("models.git", "private"))
    host = f"http://127.0.0.1:{server.port}"
    repo.git("config", f"http.{host}/.extraheader", "AUTHORIZATION: basic eA==")

    ran = run(repo, env={"GITHUB_SERVER_URL": host, "PATH": os.environ["PATH"]}, token=GRANTED)

    assert ran.code == 0, ran.log
    assert repo.git("-C", str(server.path("models.git")), "tag") == "churn@v1.0.0"

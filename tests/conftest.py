"""What every test stands on: an environment without the machine's Git settings, and repositories to tell stories in."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.story import START, RepoStory

settings.register_profile("steady", deadline=None, derandomize=True)  # no test fails for being slow, or by chance
settings.load_profile("steady")

# A shell that starts tests in the background has Ctrl-C ignored by them, and by all that they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# They stand on servers, on many clones or processes at once, on a browser, on workflows, or on pages of commands.
SLOW = (
    "action", "artifacts", "cli/test_demo.py", "cli/test_shells.py", "docs/", "examples", "ml/", "mlflow", "packaging",
    "remotes", "runs", "scenarios/test_crash.py", "scenarios/test_review_change.py", "scenarios/test_together.py",
    "trust/test_hook.py", "web/test_acting.py", "web/test_look.py", "web/test_stories.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long, so that `-m 'not slow'` leaves it out."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).as_posix().startswith(SLOW):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("GIT_", "REGISTRY_", "GTO_"))]:
        monkeypatch.delenv(name)
    for name in ("GITHUB_RUN_ID", "CI_JOB_URL", "CI_PIPELINE_URL", "MLFLOW_TRACKING_URI", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)  # of a workflow that runs the tests
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("GIT_EDITOR", "false")  # whoever would open one fails
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    # Stories set the clock by these; given a value here, they are put back at the test's end.
    monkeypatch.setenv("GIT_AUTHOR_DATE", f"{START} +0000")
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{START} +0000")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoStory:
    """A repository with the model `churn`, declared and committed, and its file; the current directory is its root."""
    story = RepoStory.begin(tmp_path / "repo")
    story.write("registry.yaml", "models:\n  churn:\n    path: models/churn.pkl\n")
    story.write("models/churn.pkl", "weights 1\n")
    story.commit("Declare churn")
    monkeypatch.chdir(story.path)
    return story


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoStory:
    """A repository without a commit; the current directory is its root."""
    story = RepoStory.begin(tmp_path / "repo")
    monkeypatch.chdir(story.path)
    return story

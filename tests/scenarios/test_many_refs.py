"""A push of many refs goes from a repository of its own, which nobody notices (registry/plumbing/crate.py)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.story import RepoStory

NAMES = [f"m{n}" for n in range(6)]
WANT = "models:\n" + "".join(f"  {name}: {{version: v1.0.0, assign: {{prod: v1.0.0}}}}\n" for name in NAMES)


@pytest.fixture(params=["sha1", "sha256"])
def story(tmp_path: Path, request: pytest.FixtureRequest) -> RepoStory:
    """A clone whose remote is a relative path, with a manifest that wants twelve tags."""
    for options in (["--bare", str(tmp_path / "origin.git")], [str(tmp_path / "clone")]):
        command = ["git", "init", "-q", "-b", "main", f"--object-format={request.param}", *options]
        subprocess.run(command, check=True)
    story = RepoStory(tmp_path / "clone")
    story.git("config", "user.name", "Ana")
    story.git("config", "user.email", "ana@example.com")
    story.git("remote", "add", "origin", "../origin.git")
    story.write("registry.yaml", WANT).write("deep/down/file", "").commit()
    story.git("push", "-q", "origin", "main")
    return story


def published(story: RepoStory) -> list[str]:
    return story.git("-C", str(story.path.parent / "origin.git"), "tag").split()


@pytest.mark.parametrize("where", [".", "deep/down"])
def test_from_wherever_it_is_called(story: RepoStory, where: str) -> None:
    done = story.cli("apply", "--push", cwd=story.path / where)

    assert done.code == 0, done.err
    assert len(published(story)) == 12
    assert sorted(published(story)) == story.tags
    assert not list((story.path / ".git/registry").glob("push-*"))


def test_from_a_worktree_with_settings_of_its_own(story: RepoStory, tmp_path: Path) -> None:
    story.git("config", "extensions.worktreeConfig", "true")
    story.git("config", "core.repositoryFormatVersion", "1")
    story.git("worktree", "add", "-q", str(tmp_path / "beside"))
    story.git("-C", str(tmp_path / "beside"), "config", "--worktree", "remote.origin.url", str(tmp_path / "origin.git"))
    story.git("config", "--unset", "remote.origin.url")

    done = story.cli("apply", "--push", cwd=tmp_path / "beside")

    assert done.code == 0, done.err
    assert len(published(story)) == 12


def test_from_a_bare_clone(story: RepoStory, tmp_path: Path) -> None:
    story.git("clone", "-q", "--bare", str(tmp_path / "origin.git"), str(tmp_path / "bare.git"))

    done = story.cli(
        "apply",
        "--push",
        "--repo",
        str(tmp_path / "bare.git"),
        env={"GIT_COMMITTER_NAME": "Bo", "GIT_COMMITTER_EMAIL": "b@example.com"},
    )

    assert done.code == 0, done.err
    assert len(published(story)) == 12


def test_from_a_submodule(story: RepoStory, tmp_path: Path) -> None:
    form = story.git("rev-parse", "--show-object-format")
    story.git("init", "-q", f"--object-format={form}", str(tmp_path / "outer"))
    outer = RepoStory(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "origin.git"), "inner")
    inner = RepoStory(tmp_path / "outer/inner")
    inner.git("config", "user.name", "Ana")
    inner.git("config", "user.email", "ana@example.com")

    done = inner.cli("apply", "--push")

    assert done.code == 0, done.err
    assert len(published(story)) == 12


def test_with_settings_that_are_included_for_the_clone_s_directory(story: RepoStory, tmp_path: Path) -> None:
    # So actions/checkout keeps its credentials, from version 6 on.
    (tmp_path / "included").write_text(f'[remote "origin"]\n\turl = {tmp_path / "origin.git"}\n')
    story.git("config", "--unset", "remote.origin.url")
    story.git("config", f"includeIf.gitdir:{story.path}/.git.path", str(tmp_path / "included"))

    done = story.cli("apply", "--push")

    assert done.code == 0, done.err
    assert len(published(story)) == 12

"""Where a commit can be looked at, from the address of a remote."""

from __future__ import annotations

import pytest

from registry.web import hosting
from tests.story import RepoStory

OID = "0123456789" * 4


@pytest.mark.parametrize(
    ("url", "commit"),
    [
        ("https://github.com/a/b.git", f"https://github.com/a/b/commit/{OID}"),
        ("https://user:pass@github.com/a/b", f"https://github.com/a/b/commit/{OID}"),
        ("https://x-access-token:s3cr3t@github.example.com:8443/a/b/", f"https://github.example.com:8443/a/b/commit/{OID}"),
        ("git@github.com:a/b.git", f"https://github.com/a/b/commit/{OID}"),
        ("ssh://git@github.com:22/a/.github", f"https://github.com/a/.github/commit/{OID}"),
        ("git@gitlab.com:group/sub/b.git", f"https://gitlab.com/group/sub/b/-/commit/{OID}"),
        ("https://gitlab.example.org/a/b", f"https://gitlab.example.org/a/b/-/commit/{OID}"),
        ("ssh://git@gitea.example.org:2222/a/b.git", f"https://gitea.example.org/a/b/commit/{OID}"),
        ("https://codeberg.org/a/b", f"https://codeberg.org/a/b/commit/{OID}"),
        ("https://bitbucket.org/a/b", f"https://bitbucket.org/a/b/commits/{OID}"),
    ],
)  # fmt: skip
def test_a_known_host_has_a_page_for_a_commit_without_any_login(url: str, commit: str) -> None:
    found = hosting.of_url(url)

    assert found is not None
    assert found.commit(OID) == commit


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/github.com/a/b",
        "../github.com/a/b",
        "file:///srv/github.com/a/b.git",
        "http://github.com/a/b",
        "git://github.com/a/b",
        "https://example.com/a/b",
        "https://notgithub.com/a/b",
        "https://github.com/a",
        "https://github.com/a/../b",
        "https://github.com/a/b?x=1",
        "https://github.com/a/b#c",
        'https://github.com/a/b"onclick="evil()',
        "https://github.com@evil.example/a/b",
        "https://evil.example/@github.com/a/b",
        "https://github.com\\@evil.example/a/b",
        "javascript:github.com/a/b",
        "ext::sh -c evil github.com/a/b",
        "git@github.com:/a/b",
    ],
)
def test_no_other_address_becomes_a_link(url: str) -> None:
    assert hosting.of_url(url) is None


def test_what_is_no_full_id_is_no_commit() -> None:
    found = hosting.of_url("https://github.com/a/b")
    assert found is not None
    assert found.commit("main") is None


def test_the_remote_that_is_pushed_to_is_the_one(repo: RepoStory) -> None:
    assert hosting.of(repo.registry.repository) is None

    repo.git("remote", "add", "one", "git@github.com:a/one.git")
    repo.git("remote", "add", "two", "git@github.com:a/two.git")
    assert hosting.of(repo.registry.repository) is None  # which one?

    repo.git("remote", "rename", "two", "origin")
    assert hosting.of(repo.registry.repository) == hosting.Hosting("https://github.com/a/two", "commit")

"""Whatever a stranger's tree, tag or manifest names, nothing is written outside of the directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.artifacts import paths
from registry.errors import NotFound, Refused, RegistryError
from tests.artifacts.conftest import held, left_behind
from tests.story import RepoStory


def tree(repo: RepoStory, *entries: tuple[str, str, str]) -> str:
    """A tree of any entries (mode, object, name), in that order, however wrong; its id."""
    raw = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, oid, name in entries)
    return repo.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=raw)


def blob(repo: RepoStory, text: str) -> str:
    return repo.git("hash-object", "-w", "--stdin", data=text.encode())


def stage(repo: RepoStory, models: str) -> None:
    """A commit whose directory `models` is that tree, in the stage `evil`."""
    manifest = blob(repo, "models: {churn: {path: models}}\n")
    root = tree(repo, ("40000", models, "models"), ("100644", manifest, "registry.yaml"))
    repo.tag("churn#evil#1", target=repo.git("commit-tree", root, "-m", "Evil"))


def nothing_written(repo: RepoStory) -> None:
    assert held(repo.path / "sub/out") == {}
    assert left_behind(repo.path) == []
    assert not (repo.path / "sub").exists() or left_behind(repo.path / "sub") == []
    assert not (repo.path / "evil").exists()
    assert not (repo.path / "sub/evil").exists()


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "git~1", ".git ", ".g\u200cit", "..\\evil"])
def test_a_tree_with_a_name_that_no_checkout_would_write(repo: RepoStory, name: str) -> None:
    stage(repo, tree(repo, ("40000", tree(repo, ("100644", blob(repo, "evil\n"), "evil")), name)))

    with pytest.raises(RegistryError) as raised:
        repo.registry.pull("churn#evil", "sub/out")

    assert isinstance(raised.value, Refused)
    nothing_written(repo)


def test_a_file_below_a_link_of_the_same_name(repo: RepoStory) -> None:
    """Two entries of one name, as no Git writes them: a link, then a directory."""
    link = blob(repo, "../../sub")
    inside = blob(repo, "churn.pkl")
    deep = tree(repo, ("100644", blob(repo, "evil\n"), "evil"))
    for target in (link, inside):
        stage_tree = tree(repo, ("120000", target, "a"), ("40000", deep, "a"))
        manifest = blob(repo, "models: {churn: {path: models}}\n")
        root = tree(repo, ("40000", stage_tree, "models"), ("100644", manifest, "registry.yaml"))
        commit = repo.git("commit-tree", root, "-m", f"Evil {target}")
        repo.tag(f"churn#evil{target[:4]}#1", target=commit)
        with pytest.raises(Refused):
            repo.registry.pull(f"churn#evil{target[:4]}", "sub/out")
        nothing_written(repo)


def test_two_files_of_one_name(repo: RepoStory) -> None:
    one, other = blob(repo, "1\n"), blob(repo, "2\n")
    stage(repo, tree(repo, ("100644", one, "a"), ("100644", other, "a")))
    with pytest.raises(Refused, match="two files want the place"):
        repo.registry.pull("churn#evil", "sub/out")
    nothing_written(repo)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../up", "sub/../../../up", "loop/../../../up"])
def test_a_link_that_leads_out(repo: RepoStory, target: str) -> None:
    loop = blob(repo, ".")
    stage(repo, tree(repo, ("120000", blob(repo, target), "l"), ("120000", loop, "loop")))
    with pytest.raises(Refused, match="models/l is a link that leads out of the repository"):
        repo.registry.pull("churn#evil", "sub/out")
    nothing_written(repo)


def test_a_link_that_leads_out_by_way_of_another(repo: RepoStory) -> None:
    """In words it stays inside: a/../x is x. In fact `a` leads to the root, and ".." from there leads out."""
    repo.write("registry.yaml", "models: {churn: {path: models}}\n")
    (repo.path / "models/a").symlink_to("..")
    (repo.path / "models/b").symlink_to("a/../up")
    repo.commit()
    repo.tag("churn#evil#1")
    with pytest.raises(Refused, match="models/b is a link that leads out of the repository"):
        repo.registry.pull("churn#evil", "sub/out")
    nothing_written(repo)


def test_a_link_in_circles_is_only_a_link(repo: RepoStory) -> None:
    stage(repo, tree(repo, ("120000", blob(repo, "l"), "l")))
    repo.registry.pull("churn#evil", "sub/out")
    assert held(Path("sub/out")) == {"models/l": "-> l"}


@pytest.mark.parametrize("path", ["../evil", "/srv/evil", "models/../../evil", ".git/config", "a/.GIT/x"])
def test_a_tag_that_names_another_place(repo: RepoStory, path: str) -> None:
    repo.tag("churn@v1.0.0", f"Register\n\nRegistry: 1\nNumber: 1\nArtifact: {path}")
    with pytest.raises((Refused, NotFound)):
        repo.registry.pull("churn", "sub/out")
    nothing_written(repo)


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", ".git/config", "models/../.git/config"])
def test_a_manifest_that_names_another_place(repo: RepoStory, path: str) -> None:
    repo.write("registry.yaml", f"models: {{churn: {{path: {path}}}}}\n").commit()
    repo.tag("churn#evil#1")
    with pytest.raises(Refused, match="the manifest's path"):
        repo.registry.pull("churn#evil", "sub/out")
    nothing_written(repo)


def test_a_submodule_is_left_out(repo: RepoStory) -> None:
    stage(repo, tree(repo, ("100644", blob(repo, "a\n"), "a"), ("160000", "1" * 40, "sub")))
    repo.registry.pull("churn#evil", "sub/out")
    assert held(Path("sub/out")) == {"models/a": "a\n"}


def test_an_object_that_is_missing(repo: RepoStory) -> None:
    oid = repo.git("rev-parse", "HEAD:models/churn.pkl")
    repo.register("churn")
    (repo.path / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(RegistryError):
        repo.registry.pull("churn", "sub/out")
    nothing_written(repo)


@pytest.mark.parametrize(
    "path",
    ["a", "a/b.c", ".gitignore", ".github/x", "a..b", "git~2", "...", "C:x", "ä/ü"],
)
def test_paths_that_are_good(path: str) -> None:
    assert paths.check(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "/a", "\\a", "C:\\a", "c:/a", "a//b", "a/", "./a", "a/../b", "a\0b", ".git", ".git./x", ".git::$INDEX/x"],
)
def test_paths_that_are_not(path: str) -> None:
    with pytest.raises(Refused):
        paths.check(path)

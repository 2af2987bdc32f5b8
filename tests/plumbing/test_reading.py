"""Reading objects and running git, where a story would not reach."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.errors import GitFailed, NotFound
from registry.plumbing import objects, tags
from registry.plumbing.process import Git, GitKilled, failure
from tests.story import RepoStory


@pytest.fixture
def git(repo: RepoStory) -> Git:
    """Git in the repository."""
    return Git(str(repo.path))


def test_objects_by_name_whatever_the_names_look_like(repo: RepoStory, git: Git) -> None:
    for path in ("a b", "x 5", "blob 5 missing", "näme", "tab\there"):
        repo.write(path, path)
    head = repo.commit("Odd names")
    names = ["a b", "x 5", "gone", "blob 5 missing", "gone 5 x", "näme", "tab\there", "models", "gone 5"]
    found = objects.read_objects(git, [f"{head}:{name}" for name in names])
    assert [obj.data.decode() if obj.data is not None and obj.type == "blob" else obj.type for obj in found] == [
        *("a b", "x 5", "missing", "blob 5 missing", "missing", "näme", "tab\there", "tree", "missing")
    ]


def test_only_what_is_wanted_is_read(repo: RepoStory, git: Git) -> None:
    repo.write("big", "x" * 1000).commit("Big")
    names = ["HEAD:big", "HEAD:registry.yaml", "HEAD", "HEAD:models"]
    found = objects.read_objects(git, names, only_type="blob", limit=100)
    assert [(obj.type, obj.data is None) for obj in found] == [
        *(("blob", True), ("blob", False), ("commit", True), ("tree", True))
    ]
    assert objects.read_objects(git, []) == []


def test_a_damaged_object_costs_only_itself(repo: RepoStory, git: Git) -> None:
    oids = [repo.git("hash-object", "-w", "--stdin", data=f"content {n}".encode() * 500) for n in range(6)]
    for oid in (oids[1], oids[4]):
        file = repo.path / ".git/objects" / oid[:2] / oid[2:]
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:-20])
    found = objects.read_objects(git, oids)
    assert [n for n, obj in enumerate(found) if obj.data is None] == [1, 4]
    assert found[5].data == b"content 5" * 500


def test_digests_are_those_of_the_bytes(repo: RepoStory, git: Git) -> None:
    contents = {"empty": b"", "large": bytes(3_000_000), "text": b"a\r\nb\n"}
    for path, content in contents.items():
        repo.write(path, content)
    head = repo.commit("Files")
    entries = objects.files_at(git, head, list(contents))
    assert objects.digest(git, entries) == [hashlib.sha256(contents[e.path]).hexdigest() for e in entries]
    gone = objects.Entry("gone", "100644", "1" * 40, 5)
    with pytest.raises(NotFound, match="gone are not in this clone"):
        objects.digest(git, [gone, *entries])
    file = repo.path / ".git/objects" / entries[1].oid[:2] / entries[1].oid[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises((NotFound, GitFailed)):
        objects.digest(git, entries)


def test_files_with_odd_paths(repo: RepoStory, git: Git) -> None:
    for path in ("a*b", "a[b]", "axb", ":x", "new\nline"):
        repo.write(path, "x")
    head = repo.commit("Odd")
    assert [entry.path for entry in objects.files_at(git, head, ["a*b"])] == ["a*b"]
    assert [entry.path for entry in objects.files_at(git, head, [":x", "new\nline"])] == [":x", "new\nline"]


def test_what_a_commit_says_of_itself(repo: RepoStory, git: Git) -> None:
    head = repo.git("rev-parse", "HEAD")
    found = objects.summarize(git, head)
    assert found is not None
    assert (found.subject, found.author, found.email) == ("Declare churn", "Ana", "ana@example.com")
    assert found.date == repo.git("log", "-1", "--format=%aI")
    assert objects.summarize(git, "1" * 40) is None


def test_the_patterns_of_an_artifact_find_all_its_tags_and_no_others(repo: RepoStory, git: Git) -> None:
    mine = ["m@v1.0.0", "m@v1.0.0!#2", "m#prod#3", "m#eu/prod#4", "m#eu/prod!#5", "m@deprecated#6", "m@v1.0.0=#7"]
    for name in (*mine, "m/x@v1.0.0", "mm@v1.0.0", "d=m@v1.0.0", "m-x#prod#1", "x/m@v1.0.0"):
        repo.tag(name)
    assert sorted(record.name for record in tags.read_tags(git, tags.patterns("m"))) == sorted(mine)
    assert [record.name for record in tags.read_tags(git, tags.patterns("d:m"))] == ["d=m@v1.0.0"]
    assert tags.artifacts_like(git, "M") == ["m"]


def test_packed_and_loose_tags_read_alike(repo: RepoStory, git: Git) -> None:
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0")
    before = tags.read_tags(git)
    repo.git("gc", "-q")
    repo.git("pack-refs", "--all")
    assert tags.read_tags(git) == before


def test_all_tags_are_those_that_are_read_at_once(repo: RepoStory, git: Git) -> None:
    assert list(tags.all_tags(git)) == []
    for name in ("churn@v1.0.0", "churn#prod#2", "a=b@v1.0.0", "näme", "of\N{LINE SEPARATOR}two", "churn-x@v1.0.0"):
        repo.tag(name)
    for name in ("light", "churn"):
        repo.tag(name, light=True)
    assert list(tags.all_tags(git)) == tags.together(tags.read_tags(git))
    assert {record.name for record in tags.all_tags(git) if record.raw is None} == {"light", "churn"}
    names = [record.name for record in tags.all_tags(git)]
    assert names.index("churn@v1.0.0") == names.index("churn#prod#2") + 1  # by name, churn-x stands between


@pytest.mark.parametrize("damage", ["corrupt", "missing"])
def test_a_damaged_tag_object_costs_all_others_nothing(repo: RepoStory, git: Git, damage: str) -> None:
    for number in range(5):
        repo.tag(f"churn@v{number}.0.0")
    before = list(tags.all_tags(git))
    for broken in (before[1], before[3]):
        file = repo.path / ".git/objects" / broken.oid[:2] / broken.oid[2:]
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:-20]) if damage == "corrupt" else file.unlink()
    found = list(tags.all_tags(git))
    assert [record.name for record in found] == [record.name for record in before]
    assert [record.raw is None for record in found] == [False, True, False, True, False]
    assert [found[n] for n in (0, 2, 4)] == [before[n] for n in (0, 2, 4)]
    assert found == tags.together(tags._slowly(git, [tags.PREFIX], tags.PREFIX))


@pytest.mark.parametrize("cut", [0, 1, 4, 50, 300, 301, 305, 100_000])
def test_a_stream_that_ends_too_early_is_read_to_the_end(
    repo: RepoStory, git: Git, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        repo.tag(f"churn@v{number}.0.0")
    before = tags.read_tags(git)
    oids = [record.oid for record in before]
    whole = b"".join(b"%d\n%b\n" % (len(record.raw or b""), record.raw or b"") for record in before)

    @contextmanager
    def feed(*_: object, **__: object) -> Iterator[io.BytesIO]:
        yield io.BytesIO(whole[:cut])

    monkeypatch.setattr(Git, "feed", feed)
    assert list(objects.stream_tags(git, oids)) == [record.raw for record in before]


def test_whoever_stops_listening_is_not_waited_for(repo: RepoStory, git: Git) -> None:
    oid = repo.git("hash-object", "-w", "-t", "tag", "--literally", "--stdin", data=b"x" * 10_000)
    found = objects.stream_tags(git, [oid] * 100_000)  # more than a pipe takes, asked and answered
    assert next(found) == b"x" * 10_000
    found.close()


def test_where_git_cannot_be_run(repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GitFailed, match="no such directory"):
        Git(str(tmp_path / "nowhere")).read("version")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailed, match="git is not installed"):
        Git(str(repo.path)).read("version")


def test_what_git_says_becomes_one_line() -> None:
    said = failure(["-c", "x=y", "update-ref"], b"hook says\nfatal: no such thing\nhint: do this\nhint: or that\n", 128)
    assert (said.message, said.hint) == ("git x=y: no such thing", "do this") or said.message.startswith("git ")
    assert failure(["status"], b"", 1).message == "git status: failed without a word"
    assert isinstance(failure(["status"], b"fatal: x\n", -9), GitKilled)


def test_a_repository_named_by_path_is_not_that_of_the_environment(
    repo: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = RepoStory.begin(tmp_path / "other")
    other.write("registry.yaml", "models: {elsewhere: {}}\n").commit("Other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    assert [artifact.name for artifact in repo.registry.show()] == ["churn"]
    from registry import Registry

    assert [artifact.name for artifact in Registry().show()] == ["elsewhere"]

"""Damage in a repository: it is skipped or read, costs nobody else anything, and `doctor` names it (DESIGN part 2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import cli
from registry.plumbing import tags
from registry.plumbing.process import Git
from tests.story import START, RepoStory

TAGGER = f"tagger Ana <ana@example.com> {START} +0000\n"
BLOCK = "Registry: 1\nVersion: v1.0.0\n"


def raw(name: str, commit: str, *, tagger: str = TAGGER, body: str = "by hand\n", kind: str = "commit") -> bytes:
    """The bytes of a tag object."""
    return f"object {commit}\ntype {kind}\ntag {name}\n{tagger}\n{body}".encode()


def loose(repo: RepoStory, oid: str) -> Path:
    """The file of a loose object."""
    return repo.path / ".git/objects" / oid[:2] / oid[2:]


def put(repo: RepoStory, name: str, oid: str) -> None:
    """Make a tag of whatever `oid` is, which Git itself would refuse."""
    file = repo.path / ".git/refs/tags" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{oid}\n")


def stored(repo: RepoStory, content: bytes) -> str:
    """The id of a tag object with these bytes."""
    return repo.git("hash-object", "-t", "tag", "-w", "--literally", "--stdin", data=content)


# -- the ways in which a tag can be broken: each breaks one, and gives its name and the code that doctor says ----------


def _lightweight(repo: RepoStory) -> tuple[str, str]:
    repo.tag("churn@v9.0.0", light=True)
    return "churn@v9.0.0", "lightweight"


def _of_a_blob(repo: RepoStory) -> tuple[str, str]:
    repo.raw_tag("churn@v9.0.0", raw("churn@v9.0.0", repo.git("rev-parse", "HEAD:registry.yaml"), kind="blob"))
    return "churn@v9.0.0", "target"


def _of_a_tree(repo: RepoStory) -> tuple[str, str]:
    repo.raw_tag("churn#staging#9", raw("churn#staging#9", repo.git("rev-parse", "HEAD^{tree}"), kind="tree"))
    return "churn#staging#9", "target"


def _of_a_tag(repo: RepoStory) -> tuple[str, str]:
    repo.raw_tag("churn@v9.0.0", raw("churn@v9.0.0", repo.git("rev-parse", "refs/tags/churn@v1.0.0"), kind="tag"))
    return "churn@v9.0.0", "target"


def _a_ref_to_a_blob(repo: RepoStory) -> tuple[str, str]:
    repo.git("update-ref", "refs/tags/churn@v9.0.0", repo.git("rev-parse", "HEAD:registry.yaml"))
    return "churn@v9.0.0", "lightweight"


def _a_ref_to_a_large_blob(repo: RepoStory) -> tuple[str, str]:
    with (repo.path / "large").open("wb") as file:
        file.truncate(30_000_000)
    repo.git("update-ref", "refs/tags/churn@v9.0.0", repo.git("hash-object", "-w", "large"))
    (repo.path / "large").unlink()
    return "churn@v9.0.0", "lightweight"


def _a_missing_tag_object(repo: RepoStory) -> tuple[str, str]:
    loose(repo, repo.raw_tag("churn@v9.0.0", raw("churn@v9.0.0", repo.git("rev-parse", "HEAD")))).unlink()
    return "churn@v9.0.0", "missing"


def _a_corrupt_tag_object(repo: RepoStory) -> tuple[str, str]:
    file = loose(repo, repo.raw_tag("churn@v9.0.0", raw("churn@v9.0.0", repo.git("rev-parse", "HEAD"))))
    file.chmod(0o644)
    file.write_bytes(b"not zlib at all")
    return "churn@v9.0.0", ""


def _a_tag_object_cut_short(repo: RepoStory) -> tuple[str, str]:
    whole = raw("churn@v9.0.0", repo.git("rev-parse", "HEAD"), body="x" * 20_000)
    file = loose(repo, repo.raw_tag("churn@v9.0.0", whole))
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:40])
    return "churn@v9.0.0", ""


def _another_name_inside(repo: RepoStory) -> tuple[str, str]:
    repo.git("update-ref", "refs/tags/churn@v9.0.0", repo.git("rev-parse", "refs/tags/churn@v1.0.0"))
    return "churn@v9.0.0", "renamed"


def _nonsense_inside(repo: RepoStory) -> tuple[str, str]:
    put(repo, "churn@v9.0.0", stored(repo, b"this is no tag\n"))
    return "churn@v9.0.0", "unreadable"


def _nothing_inside(repo: RepoStory) -> tuple[str, str]:
    put(repo, "churn@v9.0.0", stored(repo, b""))
    return "churn@v9.0.0", "unreadable"


BREAKINGS: list[Callable[[RepoStory], tuple[str, str]]] = [
    _lightweight,
    _of_a_blob,
    _of_a_tree,
    _of_a_tag,
    _a_ref_to_a_blob,
    _a_ref_to_a_large_blob,
    _a_missing_tag_object,
    _a_corrupt_tag_object,
    _a_tag_object_cut_short,
    _another_name_inside,
    _nonsense_inside,
    _nothing_inside,
]


@pytest.fixture
def known(repo: RepoStory) -> RepoStory:
    """A repository where churn has two versions and a stage, and another artifact stands beside it."""
    repo.register("churn", "v1.0.0").register("churn", "v2.0.0").assign("churn@v1.0.0", "production")
    return repo.register("other", "v3.0.0", undeclared=True)


def check_nothing_else_is_harmed(repo: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    """Everything that was there reads as before, by every command."""
    assert repo.resolve("churn") == "v2.0.0"
    assert repo.resolve("churn#production") == "v1.0.0"
    assert repo.resolve("other") == "v3.0.0"
    capfd.readouterr()
    for command in (
        ["show"],
        ["show", "churn"],
        ["show", "other"],
        ["resolve", "churn@v1.0.0", "--json"],
        ["history"],
        ["history", "churn"],
        ["stages"],
        ["status"],
        ["check-ref", "churn@v1.0.0"],
        ["lineage", "churn"],
        ["diff", "churn@v1.0.0", "churn@v2.0.0"],
    ):
        assert cli.run(command) == 0, capfd.readouterr().err
    out = capfd.readouterr().out
    assert "v9.0.0" not in out


def findings(capfd: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """What doctor answers: its exit code, and the codes of its findings by subject."""
    capfd.readouterr()
    code = cli.run(["doctor", "--json"])
    found = json.loads(capfd.readouterr().out)["findings"]
    return code, {finding["subject"]: finding["code"] for finding in found}


@pytest.mark.parametrize("breaking", BREAKINGS, ids=lambda breaking: breaking.__name__)
def test_a_broken_tag_is_skipped_and_named(
    known: RepoStory, capfd: pytest.CaptureFixture[str], breaking: Callable[[RepoStory], tuple[str, str]]
) -> None:
    name, kind = breaking(known)
    check_nothing_else_is_harmed(known, capfd)
    code, found = findings(capfd)
    assert code == 1
    assert name in found
    assert kind in {"", found[name]}
    assert cli.run(["check-ref", name]) == 1

    # It can be deleted, and the artifact can be written to.
    known.assign("churn@v2.0.0", "staging")
    assert cli.run(["delete", "--yes", name]) == 0, capfd.readouterr().err
    assert findings(capfd) == (0, {})
    assert known.resolve("churn#staging") == "v2.0.0"


def test_a_new_version_does_not_take_the_name_of_a_broken_tag(
    known: RepoStory, capfd: pytest.CaptureFixture[str]
) -> None:
    known.tag("churn@v2.0.1", light=True)
    known.commit("More", empty=True)
    assert cli.run(["register", "churn"]) == 1
    assert "churn@v2.0.1 is there already, but is no event" in capfd.readouterr().err
    assert cli.run(["register", "churn", "--minor"]) == 0


def test_all_of_it_at_once_and_in_packs(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    known.git("pack-refs", "--all")
    known.git("gc", "-q")
    names = []
    for number, breaking in enumerate(BREAKINGS):
        name, _ = breaking(known)
        put(known, f"churn@v8.0.{number}", known.git("rev-parse", f"refs/tags/{name}"))
        names.append(f"churn@v8.0.{number}")
    check_nothing_else_is_harmed(known, capfd)
    code, found = findings(capfd)
    assert code == 1
    assert set(names) <= found.keys()


def test_the_slow_way_of_reading_tags_agrees_with_the_fast_one(known: RepoStory) -> None:
    for number, breaking in enumerate(BREAKINGS):
        if breaking in {_a_missing_tag_object, _a_corrupt_tag_object, _a_tag_object_cut_short}:
            continue
        name, _ = breaking(known)
        put(known, f"kept/{number}", known.git("rev-parse", f"refs/tags/{name}"))
    known.raw_tag("odd@v1.0.0", raw("odd@v1.0.0", known.git("rev-parse", "HEAD"), body="a\n\nb - tag 5\n\n" * 50))
    known.raw_tag("bytes@v1.0.0", raw("bytes@v1.0.0", known.git("rev-parse", "HEAD")) + bytes(range(256)))
    git = Git(str(known.path))
    for only in ([tags.PREFIX], tags.patterns("churn")):
        assert list(tags._slowly(git, only, tags.PREFIX)) == tags.read_tags(git, only)
    assert list(tags.all_tags(git)) == tags.together(tags.read_tags(git))
    assert len(tags.read_tags(git)) > len(BREAKINGS)


def test_an_event_whose_commit_is_missing_is_an_event(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    known.raw_tag("churn@v9.0.0", raw("churn@v9.0.0", "1" * 40))
    assert known.resolve("churn") == "v9.0.0"
    for command in (
        ["show"],
        ["show", "churn"],
        ["resolve", "churn", "--json"],
        ["history"],
        ["lineage", "churn"],
        ["status"],
        ["diff", "churn@v9.0.0", "churn@v1.0.0"],
        ["doctor"],
    ):
        assert cli.run(command) == 0, capfd.readouterr().err
    known.commit("More", empty=True)
    known.assign("churn@v9.0.0", "qa").register("churn", "v9.0.1").assign("churn@v9.0.1", "staging")
    assert known.resolve("churn#staging") == "v9.0.1"


def test_an_event_that_others_name_and_that_is_gone_is_missed(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0").assign("churn", "staging").assign("churn", "production")
    repo.git("tag", "-d", "churn#staging#2")

    [found] = repo.registry.doctor().findings

    assert (found.severity, found.code, found.subject) == ("warning", "chain", "churn#production#3")
    assert found.message.endswith("and no such event is there")


def test_what_is_read_though_it_is_odd(repo: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    head = repo.git("rev-parse", "HEAD")
    repo.raw_tag("latin@v1.0.0", raw("latin@v1.0.0", head, body="") + "modèle\n".encode("latin-1"))
    repo.raw_tag("long@v1.0.0", raw("long@v1.0.0", head, body="word\n" * 200_000))
    repo.raw_tag("nobody@v1.0.0", raw("nobody@v1.0.0", head, tagger=""))
    for name, date in (("late", "99999999999999 +0000"), ("early", "-99999999999999 -9999"), ("none", "")):
        repo.raw_tag(f"{name}@v1.0.0", raw(f"{name}@v1.0.0", head, tagger=f"tagger Ana <ana@example.com> {date}\n"))
    repo.raw_tag("empty@v1.0.0", raw("empty@v1.0.0", head, body=""))
    for artifact in ("latin", "long", "nobody", "late", "early", "none", "empty"):
        assert repo.resolve(artifact) == "v1.0.0"
        for command in (
            ["show", artifact],
            ["resolve", artifact, "--json"],
            ["history", artifact],
            ["lineage", artifact],
        ):
            assert cli.run(command) == 0, capfd.readouterr().err
        repo.commit("More", empty=True)
        repo.register(artifact, undeclared=True)
        assert repo.resolve(artifact) == "v1.0.1"
    capfd.readouterr()
    assert repo.registry.get_version("latin", "v1.0.0").message == "modèle"
    code, found = findings(capfd)
    assert (code, found) == (0, {"late@v1.0.0": "future"})


def test_what_gto_reserves_is_ignored(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    known.tag("churn@created").tag("churn@created#7").tag("nothing@created#1")
    check_nothing_else_is_harmed(known, capfd)
    assert findings(capfd) == (0, {})
    assert cli.run(["show", "nothing"]) == 1


def test_tags_that_nearly_are_ours(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    names = ["churn@1.0.0", "churn@v1.0", "churn@v1.0.new", "churn#staging#0", "modèle@v1.0.0"]
    for name in names:
        known.tag(name)
    known.tag("v1.0.0").tag("release-1").tag("nightly/2026")
    check_nothing_else_is_harmed(known, capfd)
    code, found = findings(capfd)
    assert code == 0
    assert set(found.values()) == {"malformed"}
    assert {"churn@1.0.0", "churn@v1.0", "churn@v1.0.new"} <= found.keys()


def test_a_tag_whose_name_is_not_utf8(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    target = known.git("rev-parse", "HEAD").encode()
    known.git("update-ref", "--stdin", data=b"create refs/tags/churn@v1.0.0-\xff\xfe " + target + b"\n")
    check_nothing_else_is_harmed(known, capfd)
    assert cli.run(["doctor"]) == 0


def test_a_branch_whose_name_is_not_utf8(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    (known.path / ".git/HEAD").write_bytes(b"ref: refs/heads/caf\xe9\n")
    known.git("commit", "-q", "--allow-empty", "-m", "On it")
    known.git("reset", "-q", "--hard", "main")
    check_nothing_else_is_harmed(known, capfd)
    with known.registry_at().promote("churn", version="v4.0.0") as run:
        known.write("models/churn.pkl", "better")
        run.log_artifact("models/churn.pkl")
    assert known.git("log", "-1", "--format=%s") == "Promote churn v4.0.0"


def test_a_commit_in_another_encoding(known: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    tree = known.git("rev-parse", "HEAD^{tree}")
    for number, header in enumerate(("encoding latin-1", "encoding nonsense", "")):
        who = b"Ren\xe9 <r\xe9@example.com> 1767225600 +0000"
        lines = [
            b"tree " + tree.encode(),
            b"author " + who,
            b"committer " + who,
            *([header.encode()] if header else []),
        ]
        commit = known.git(
            "hash-object", "-t", "commit", "-w", "--literally", "--stdin", data=b"\n".join(lines) + b"\n\nd\xe9\n"
        )
        known.registry_at().register("churn", commit, version=f"v4.0.{number}")
        assert cli.run(["lineage", f"churn@v4.0.{number}"]) == 0, capfd.readouterr().err


def test_an_old_broken_manifest_costs_its_version_the_description(
    repo: RepoStory, capfd: pytest.CaptureFixture[str]
) -> None:
    repo.register("churn", "v1.0.0")
    repo.write("registry.yaml", "models: [\n").commit("Break it")
    repo.tag("churn@v2.0.0")
    repo.write("registry.yaml", "models: {churn: {description: good}}\n").commit("Mend it")
    repo.register("churn", "v3.0.0")
    versions = {v.version: v.description for v in repo.registry.list_versions("churn")}
    assert versions == {"v3.0.0": "good", "v2.0.0": "", "v1.0.0": ""}
    assert findings(capfd) == (0, {})


def test_a_partial_clone_is_read_where_its_remote_has_gone(
    known: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.git("config", "uploadpack.allowFilter", "true")
    url = known.path.as_uri()
    for kind in ("blob:none", "tree:0"):
        place = tmp_path / kind.partition(":")[0]
        known.git("clone", "-q", "--no-checkout", f"--filter={kind}", url, str(place))
        known.git("-C", str(place), "remote", "set-url", "origin", "file:///nowhere")
        monkeypatch.chdir(place)
        before = set((place / ".git/objects").rglob("*"))
        for command in (
            ["resolve", "churn"],
            ["resolve", "churn#production", "--json"],
            ["history"],
            ["lineage", "churn"],
        ):
            assert cli.run(command) == 0
        for command in (["show"], ["show", "churn"], ["status"], ["stages"]):
            assert cli.run(command) == 0
        assert cli.run(["assign", "churn", "staging"]) == 1  # its rules are not known
        assert cli.run(["doctor"]) == 1
        assert set((place / ".git/objects").rglob("*")) == before

"""A change of the manifests is reviewed, from Git's objects alone, before somebody merges it (DESIGN part 5)."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from registry import NotFound, Refused, Registry
from registry.plumbing import objects
from registry.plumbing.objects import Entry, Object
from registry.plumbing.process import Git
from registry.porcelain import beginning, bounds
from registry.porcelain.review import Review
from registry.repository import Repository
from tests.scenarios.conftest import everything
from tests.story import RepoStory

MANIFEST = """\
stages:
  staging: {}
  production: {}
models:
  churn:
    path: models/churn.pkl
    version: v1.0.0
    assign: {staging: v1.0.0}
  fraud: {path: models/fraud.pkl}
"""


@pytest.fixture
def story(repo: RepoStory) -> RepoStory:
    """`main`, where churn v1.0.0 is in staging as its manifest wants; the change will be made on `change`."""
    repo.write("registry.yaml", MANIFEST).write("models/fraud.pkl", "1\n").commit("Manage churn")
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "staging")
    repo.git("switch", "-q", "-c", "change")
    return repo


def changed(story: RepoStory, *replacements: tuple[str, str]) -> RepoStory:
    """The manifest with other words, committed."""
    text = (story.path / "registry.yaml").read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    story.write("registry.yaml", text).commit("Change the manifest")
    return story


def problems(found: Review) -> list[str]:
    return [f"{p.path}:{p.line}:{p.column}: {p.severity}: {p.message}" for p in found.problems]


def keys(found: Review) -> list[tuple[str, str | None, str]]:
    return [(change.kind, change.artifact, change.key) for change in found.changes]


def tags(found: Review) -> list[str]:
    return [event.tag for event in found.plan.events]


# -- what it says ------------------------------------------------------------------------------------------------------


def test_nothing_changed_and_nothing_is_to_be_done(story: RepoStory) -> None:
    story.write("README.md", "words\n").commit()

    found = story.registry.review("main")

    assert (found.changes, found.problems, found.notes, tags(found)) == ((), (), (), [])
    assert not found.failed


def test_a_promotion_by_pull_request(story: RepoStory) -> None:
    story.train("better\n")
    changed(story, ("version: v1.0.0", "version: v1.1.0"), ("staging: v1.0.0", "staging: v1.1.0"))

    found = story.registry.review("main")

    assert keys(found) == [("changed", "churn", "version"), ("changed", "churn", "assign.staging")]
    assert [(tag.partition("#")[0], bool(tag)) for tag in tags(found)] == [("churn@v1.1.0", True), ("churn", True)]
    assert [step.now for step in found.plan.steps if step.stage == "staging"] == ["v1.0.0"]
    assert problems(found) == []
    assert not found.failed


def test_new_bytes_without_a_new_version_are_warned_of(story: RepoStory) -> None:
    story.train("better\n")
    story.write("models/fraud.pkl", "2\n").commit()  # it declares no version: somebody registers it by hand

    found = story.registry.review("main")

    said = "what is at `path` changes, and `version` does not: v1.0.0 keeps its old bytes"
    assert problems(found) == [f"registry.yaml:6:5: warning: {said}"]
    assert not found.failed


def test_bytes_below_a_directory_and_behind_a_link_count(story: RepoStory) -> None:
    story.git("switch", "-q", "main")
    story.write("store/a/weights", "1\n")
    (story.path / "models/link").symlink_to("../store")
    changed(story, ("path: models/churn.pkl", "path: models/link"))
    story.git("switch", "-q", "-C", "change")
    story.write("store/a/weights", "2\n").commit()

    found = story.registry.review("main").problems
    assert [p.severity for p in found if "is a link, and a version carries files" not in p.message] == ["warning"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("models/churn.pkl.dvc", "outs: [{path: churn.pkl, md5: %s}]"),
        ("models.dvc", "outs: [{path: models, md5: %s.dir}]"),
        ("dvc.lock", "stages: {train: {cmd: x, outs: [{path: models/churn.pkl, md5: %s}]}}"),
    ],
)
def test_bytes_in_dvc_count(empty: RepoStory, file: str, said: str) -> None:
    empty.write("registry.yaml", "models: {churn: {path: models/churn.pkl, version: v1.0.0}}\n")
    empty.write("dvc.yaml", "stages: {train: {cmd: x, outs: [models/churn.pkl]}}\n")
    empty.write(file, said % ("a" * 32)).commit()
    empty.git("tag", "base")
    empty.write(file, said % ("a" * 32) + "\n# a comment\n").commit()
    assert empty.registry.review("base").problems == ()

    empty.write(file, said % ("b" * 32)).commit()

    assert [p.severity for p in empty.registry.review("base").problems] == ["warning"]


def test_a_version_that_is_nowhere_fails_once_at_its_line(story: RepoStory) -> None:
    changed(story, ("{staging: v1.0.0}", "{staging: v1.0.0, production: v9.0.0}"))

    found = story.registry.review("main")

    assert problems(found) == ["registry.yaml:8:43: error: churn v9.0.0 is neither registered nor its `version`"]
    assert found.failed
    assert [(one.artifact, one.stage) for one in found.plan.obstacles] == [("churn", "production")]


def test_what_was_broken_before_is_still_reported(story: RepoStory) -> None:
    story.git("switch", "-q", "main")
    changed(story, ("path: models/fraud.pkl", "path: gone.pkl"))
    story.git("switch", "-q", "-C", "change")
    story.write("README.md", "words\n").commit()

    found = story.registry.review("main")

    assert problems(found) == ["registry.yaml:9:17: error: 'gone.pkl' is not there"]
    assert (found.changes, found.failed) == ((), True)


def test_a_manifest_that_breaks_removes_nothing(story: RepoStory) -> None:
    story.write("registry.yaml", MANIFEST + "  churn: {}\n").commit()

    found = story.registry.review("main")

    assert problems(found) == ["registry.yaml:10:3: error: duplicate key `churn`"]
    assert (found.changes, found.failed) == ((), True)


def test_lines_that_go_and_stages_that_are_left(story: RepoStory) -> None:
    changed(story, ("  staging: {}\n", ""), ("    assign: {staging: v1.0.0}\n", ""), ("fraud:", "scam:"))

    found = story.registry.review("main")

    assert keys(found) == [
        ("removed", None, "stages.staging"),
        ("changed", "churn", "assign.staging"),
        ("renamed", "scam", ""),
    ]
    assert found.notes == (
        "churn: staging is no longer managed: what is in it stays there",
        "staging is no stage any more, and still holds churn v1.0.0",
    )


def test_every_manifest_is_compared(story: RepoStory) -> None:
    story.write("cv/registry.yaml", "models: {pool: {path: p.pkl, labels: [a]}}\n").write("cv/p.pkl", "1\n").commit()
    story.write("dvc.yaml", "artifacts: {data: {path: models, type: dataset}}\n").commit()

    assert keys(story.registry.review("main")) == [("added", "cv:pool", ""), ("added", "data", "")]


# -- between which commits ---------------------------------------------------------------------------------------------


def test_what_others_did_on_main_meanwhile_is_not_undone(story: RepoStory) -> None:
    changed(story, ("fraud: {", "fraud: {labels: [a], "))
    story.git("switch", "-q", "main")
    changed(story, ("  fraud:", "  spam: {path: models}\n  fraud:"))
    story.write("README.md", "words\n").commit()
    story.git("switch", "-q", "change")

    found = story.registry.review("main")

    assert keys(found) == [("changed", "fraud", "labels")]
    assert found.base == story.git("merge-base", "main", "change")
    assert found.notes == ("HEAD is behind main by 2 commits: what those change is not looked at",)


def test_two_histories_without_a_common_commit(story: RepoStory) -> None:
    story.git("switch", "-q", "--orphan", "other")
    story.write("registry.yaml", MANIFEST).write("models/churn.pkl", "1").write("models/fraud.pkl", "1").commit()

    found = story.registry.review("main", "other")

    assert found.base == story.git("rev-parse", "main")
    assert found.notes == ("other is compared with main as it is now: they share no commit",)


def test_in_a_shallow_clone(story: RepoStory, tmp_path: Path) -> None:
    changed(story, ("fraud: {", "fraud: {labels: [a], "))
    story.git("switch", "-q", "main")
    story.write("README.md", "words\n").commit()
    url = story.path.as_uri()
    story.git("clone", "-q", "--depth", "1", "--no-single-branch", url, str(tmp_path / "clone"))

    found = Registry(tmp_path / "clone").review("origin/main", "origin/change")

    assert keys(found) == [("changed", "fraud", "labels")]
    [note] = found.notes
    assert note.startswith("origin/change is compared with origin/main as it is now: no commit that they share is in")


@pytest.mark.parametrize("how", ["bare", "url", "partial"])
def test_without_a_work_tree(story: RepoStory, tmp_path: Path, how: str) -> None:
    story.train("better\n")
    changed(story, ("fraud: {", "fraud: {labels: [a], "))
    here = story.registry.review("main")
    url, other = story.path.as_uri(), str(tmp_path / "other")
    story.git("config", "uploadpack.allowFilter", "true")
    story.git("config", "uploadpack.allowAnySHA1InWant", "true")
    if how != "url":
        options = ["--bare"] if how == "bare" else ["--no-checkout", "--filter=tree:0"]
        story.git("clone", "-q", *options, url, other)
    where = url if how == "url" else other
    names = ("origin/main", "origin/change") if how == "partial" else ("main", "change")

    found = Registry(where).review(*names)

    assert (found.problems, found.changes, tags(found)) == (here.problems, here.changes, tags(here))


def test_nothing_is_checked_out_and_nothing_is_written(story: RepoStory) -> None:
    changed(story, ("fraud: {", "fraud: {labels: [a], "))
    story.git("switch", "-q", "main")
    story.write("registry.yaml", "models: [").write("models/churn.pkl", "not committed\n")
    before = everything(story.path)

    found = story.registry.review("main", "change")

    assert keys(found) == [("changed", "fraud", "labels")]
    assert found.problems == ()
    assert everything(story.path) == before


def test_a_manifest_whose_bytes_are_nowhere_is_an_error_not_a_removal(story: RepoStory, tmp_path: Path) -> None:
    story.git("config", "uploadpack.allowFilter", "true")
    story.git("clone", "-q", "--no-checkout", "--filter=blob:none", story.path.as_uri(), str(tmp_path / "clone"))
    story.path.rename(tmp_path / "gone")

    found = Registry(tmp_path / "clone").review("origin/main")

    assert problems(found) == ["registry.yaml:1:1: error: its bytes are not in this clone"]
    assert (found.changes, found.failed) == ((), True)


def test_a_manifest_that_is_too_large(story: RepoStory) -> None:
    story.write("registry.yaml", MANIFEST + "#" * 10_000_000).commit()

    found = story.registry.review("main")

    assert problems(found) == ["registry.yaml:1:1: error: larger than 10 MB"]
    assert found.changes == ()


def test_an_unknown_revision(story: RepoStory) -> None:
    with pytest.raises(NotFound, match="no commit is called nowhere"):
        story.registry.review("nowhere")
    with pytest.raises(NotFound, match="no commit is called --all"):
        story.registry.review("main", "--all")


# -- files in a commit -------------------------------------------------------------------------------------------------


def test_check_says_the_same_of_a_commit_as_of_the_work_tree(empty: RepoStory) -> None:
    paths = [
        "a.pkl", "dir", "dir/b.pkl", "gone.pkl", "dir/gone.pkl", "a.pkl/b", ".", "inside", "inside/b.pkl",
        "inside/gone", "out", "out/x", "absolute", "circle", "circle/x", "dangling", "far/b.pkl", "up/a.pkl", "dvc.bin",
        "made.bin",
        "dir/made.bin", "dir/deep/made.bin", "sub/dvc.bin", "dri/b.pkl", "dir/c.pkl", "x\u202ey", "ümlaut.pkl",
    ]  # fmt: skip
    lines = [f"  m{n}: {{path: '{path}', metrics: ['{path}']}}\n" for n, path in enumerate(paths)]
    empty.write("registry.yaml", "models:\n" + "".join(lines)).write("registry.yml", "")
    empty.write("a.pkl", "1").write("dir/b.pkl", "1").write("dir/deep/c", "1").write("ümlaut.pkl", "1")
    links = {
        "inside": "dir", "out": "..", "absolute": "/nowhere", "circle": "circle", "dangling": "nothing",
        "far": "up/inside", "up": "dir/./..", "dir/sub": "deep",
    }  # fmt: skip
    for name, target in links.items():
        (empty.path / name).symlink_to(target)
    empty.write("dvc.bin.dvc", "outs: [{path: dvc.bin}]\n").write("sub/x.dvc", "outs: [{path: dvc.bin}]\n")
    empty.write("dvc.yaml", "stages: {s: {outs: [made.bin]}}\n").write(
        "dir/dvc.yaml", "stages: {s: {outs: [made.bin]}}"
    )
    empty.commit()

    assert list(empty.registry.review("HEAD").problems) == empty.registry.check()


# -- many --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The arguments of every git that runs from here on."""
    found: list[Any] = []
    run, reading = Git._run, Git._reading

    def counted(*given: Any) -> Any:
        found.append(given[1])
        return run(*given)

    def counted_pipe(*given: Any) -> Any:
        found.append(given[1])
        return reading(*given)

    monkeypatch.setattr(Git, "_run", counted)
    monkeypatch.setattr(Git, "_reading", counted_pipe)
    return found


def test_git_is_asked_as_often_for_a_thousand_models_as_for_ten(empty: RepoStory, runs: list[Any]) -> None:
    def asked(models: int) -> int:
        def manifest(version: str) -> str:
            lines = [f"  m{n}: {{path: m/{n}.pkl, version: {version}, assign: {{a: v1.0.0}}}}\n" for n in range(models)]
            return "stages: {a: {}}\nmodels:\n" + "".join(lines)

        for n in range(models):
            empty.write(f"m/{n}.pkl", f"{n}\n")
        (empty.path / f"link{models}").symlink_to("m")
        empty.write("registry.yaml", manifest("v1.0.0")).write("m.dvc", "outs: [{path: x}]\n").commit()
        listing = "".join(f"create refs/tags/m{n}@v1.0.0 {_tag(empty, n)}\n" for n in range(0, models, 10))
        subprocess.run(["git", "update-ref", "--stdin"], cwd=empty.path, input=listing.encode(), check=False)
        base = empty.git("rev-parse", "HEAD")
        empty.write("registry.yaml", manifest("v1.1.0")).commit()
        runs.clear()
        found = empty.registry.review(base)
        assert len(found.changes) == models
        return len(runs)

    few, many = asked(10), asked(1000)
    assert many <= few + 2


@pytest.mark.parametrize("path", ["gone/{n}.pkl", "link", "d/out{n}/x", "d/none{n}", "{n}" + "/x" * 60])
def test_git_is_asked_as_often_whatever_is_at_the_paths(empty: RepoStory, runs: list[Any], path: str) -> None:
    (empty.path / "link").symlink_to("..")
    outs = ", ".join(f"out{n}" for n in range(600))
    empty.write("d/dvc.yaml", f"stages: {{train: {{cmd: x, outs: [{outs}]}}}}\n")
    base = empty.write("registry.yaml", "models: {}\n").commit()

    def asked(models: int) -> tuple[int, int]:
        lines = [f"  m{n}: {{path: {path.format(n=n)}, version: v1.0.0}}\n" for n in range(models)]
        empty.git("reset", "-q", "--hard", base)
        empty.write("registry.yaml", "models:\n" + "".join(lines)).commit()
        runs.clear()
        found = empty.registry.review(base)
        return len(runs), len(found.plan.obstacles)

    few, obstacles = asked(30)
    many, more = asked(600)
    assert many <= few + 2
    assert (obstacles, more) == ((30, 600) if "out" not in path else (0, 0))


def test_the_same_bytes_are_read_once_however_many_models_have_them(
    empty: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    digest = objects.digest

    def counted(git: Git, entries: Sequence[Entry]) -> list[str]:
        read.extend(entry.oid for entry in entries)
        return digest(git, entries)

    monkeypatch.setattr(objects, "digest", counted)
    empty.write("one.bin", "x" * 5000).write("two.bin", "x" * 5000)
    lines = [f"  m{n}: {{path: {'one' if n % 2 else 'two'}.bin, version: v1.0.0}}\n" for n in range(30)]
    empty.write("registry.yaml", "models:\n" + "".join(lines)).commit()

    found = empty.registry.plan()

    assert len(read) == 1
    assert {event.metadata.artifacts[0].sha256 for event in found.events} == {hashlib.sha256(b"x" * 5000).hexdigest()}
    assert {event.metadata.artifacts[0].path for event in found.events} == {"one.bin", "two.bin"}


def test_outputs_of_dvc_are_found_for_few_models_and_for_many(empty: RepoStory) -> None:
    empty.write("registry.yaml", "models: {}\n").write("a/x.pkl.dvc", "outs: [{path: x.pkl}]\n")
    empty.write("dvc.yaml", "stages: {train: {cmd: x, outs: [b/out]}}\n").commit()
    lines = ["  one: {path: a/x.pkl, version: v1.0.0}\n", "  two: {path: b/out/y.pkl, version: v1.0.0}\n"]
    empty.write("registry.yaml", "models:\n" + "".join(lines)).commit()
    few = empty.registry.plan()
    empty.write("dvc.yaml", "stages: {train: {cmd: x, outs: [b/out, c]}}\n")
    lines += [f"  m{n}: {{path: c/{n}, version: v1.0.0}}\n" for n in range(600)]
    empty.write("registry.yaml", "models:\n" + "".join(lines)).commit()

    many = empty.registry.plan()

    assert (len(few.events), few.obstacles) == (2, ())
    assert (len(many.events), many.obstacles) == (602, ())


def _tag(story: RepoStory, n: int) -> str:
    head = story.git("rev-parse", "HEAD")
    raw = f"object {head}\ntype commit\ntag m{n}@v1.0.0\ntagger A <a@example.com> 1767225600 +0000\n\nx\n"
    return story.git("hash-object", "-t", "tag", "-w", "--stdin", data=raw.encode())


def test_a_version_that_is_registered_with_other_bytes_is_a_warning(repo: RepoStory) -> None:
    base = _want(repo, "")
    repo.register("churn", "v2.0.0")
    repo.train("other weights\n")
    _want(repo, "version: v2.0.0")

    found = repo.registry.review(base)

    assert [one.severity for one in found.problems] == ["warning"]
    assert "v2.0.0 is registered already" in found.problems[0].message
    assert not found.failed


def test_a_line_that_came_before_the_bytes_is_a_warning(repo: RepoStory) -> None:
    base = _want(repo, "")
    raised = _want(repo, "version: v2.0.0")
    repo.train("other weights\n")

    [problem] = repo.registry.review(base).problems

    assert problem.message == f"`version` was raised in {raised[:7]}, and what is at `path` changed later"
    assert problem.line == 4


def _want(repo: RepoStory, line: str) -> str:
    """Commit a manifest in which `churn` has this further line; give the commit."""
    text = f"models:\n  churn:\n    path: models/churn.pkl\n{'    ' + line if line else ''}\n"
    repo.write("models/churn.pkl", (repo.path / "models/churn.pkl").read_text() if line else "weights\n")
    return repo.write("registry.yaml", text).commit(f"Want {line}", empty=True)


# -- more than anybody can review --------------------------------------------------------------------------------------


def test_more_manifests_than_anybody_reads_are_refused_at_once(
    story: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST", 50)
    for n in range(50):
        story.write(f"d{n}/registry.yaml", "models: {}\n")
    head = story.commit()

    for refused in (lambda: story.registry.review("main"), story.registry.plan, story.registry_at().apply):
        with pytest.raises(Refused, match=f"{head[:7]} has 51 manifests: no more than 50 are read") as error:
            refused()
        assert error.value.hint
    assert story.registry.show()  # what is there is listed all the same


def test_manifests_that_are_too_large_together_are_refused_at_once(story: RepoStory) -> None:
    for n in range(3):
        story.write(f"d{n}/registry.yaml", "#" * 9_000_000)  # the same bytes, once in Git, and read three times
    head = story.commit()

    for refused in (lambda: story.registry.review("main"), story.registry.plan, story.registry_at().apply):
        with pytest.raises(Refused, match=f"the manifests at {head[:7]} have more than 20 MB together"):
            refused()


def test_files_of_dvc_that_are_too_large_together_are_refused_at_once(story: RepoStory) -> None:
    for n in range(60):
        story.write(f"models/{n}.dvc", "#" * 1_000_000)
    changed(story, ("path: models/fraud.pkl", "path: models/gone.pkl"))

    with pytest.raises(Refused, match=r"the files of DVC at .* have more than 50 MB together"):
        story.registry.review("main")


def test_metrics_that_are_too_large_together_are_refused_at_once(story: RepoStory) -> None:
    values = "{" + ", ".join(f'"m{n}": {n}' for n in range(50_000)) + "}"
    story.write("metrics.json", values)
    entry = "path: models/fraud.pkl, metrics: metrics.json, version: v1.0.0, assign: {staging: v1.0.0}"
    more = "".join(f"  m{n}: {{{entry}}}\n" for n in range(60_000_000 // len(values)))
    changed(story, ("  fraud: {path: models/fraud.pkl}\n", more))

    with pytest.raises(Refused, match=r"metrics and params: .* more than 50 MB together"):
        story.registry.review("main")


def test_a_tree_that_names_billions_of_files_is_refused_at_once(story: RepoStory) -> None:
    blob = story.git("rev-parse", "main:models/fraud.pkl")
    tree = story.git("mktree", data="".join(f"100644 blob {blob}\t{n}\n" for n in range(10)).encode())
    for _ in range(10):
        tree = story.git("mktree", data="".join(f"040000 tree {tree}\t{n}\n" for n in range(10)).encode())
    head = story.git("commit-tree", tree, "-p", "main", "-m", "A bomb")

    with pytest.raises(Refused, match=f"{head[:7]} has too many files"):
        story.registry.review("main", head)


def test_a_history_that_is_too_large_is_refused_and_read_a_little_at_a_time(
    story: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "WALKED", 100_000_000)
    wanting = "models:\n  churn: {path: models/churn.pkl, version: v9.0.0}\n"
    for n in range(60):
        story.write("registry.yaml", f"{wanting}# {n}\n{'#' * 3_000_000}\n").commit(f"Grow {n}")
    story.write("registry.yaml", wanting).commit("Small again")

    read: list[int] = []
    blobs_at = Repository.blobs_at

    def counted(self: Repository, *said: Any, **more: Any) -> list[Object]:
        found = blobs_at(self, *said, **more)
        read.append(sum(len(one.data or b"") for one in found))
        return found

    monkeypatch.setattr(Repository, "blobs_at", counted)
    with pytest.raises(Refused, match=r"the history of registry\.yaml is more than 100 MB"):
        story.registry.plan()
    assert max(read) <= 20_000_000

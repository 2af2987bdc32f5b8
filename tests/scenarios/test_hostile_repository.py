"""A stranger's repository: reading runs nothing of theirs, and prints nothing that a terminal obeys (DESIGN part 7)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from registry import cli
from tests.story import START, RepoStory

READING = (
    ["show"],
    ["show", "--json"],
    ["show", "churn"],
    ["show", "churn", "--json"],
    ["resolve", "churn"],
    ["resolve", "churn#production", "--json"],
    ["resolve", "churn@v9.0.0", "--json"],
    ["history"],
    ["history", "--json"],
    ["diff", "churn@v1.0.0", "churn@v2.0.0"],
    ["diff", "churn@v1.0.0", "churn@v2.0.0", "--json"],
    ["diff", "churn@v1.0.0", "churn@v9.0.0"],
    ["lineage", "churn@v2.0.0"],
    ["lineage", "churn@v9.0.0", "--json"],
    ["stages"],
    ["check-ref", "churn@v1.0.0"],
    ["status"],
    ["status", "--json"],
    ["doctor"],
    ["check"],
    ["register", "churn", "--version", "v3.0.0", "--force", "--dry-run"],
    ["assign", "churn@v2.0.0", "production", "--dry-run"],
)
HOOKS = ("reference-transaction", "post-index-change", "post-checkout", "fsmonitor-watchman", "pre-auto-gc")
COMMANDS = (  # settings whose value Git runs; the program is told what it was run for
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.sshCommand",
    "core.gitProxy",
    "core.askPass",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "filter.a=b.c.clean",
    "filter.a=b.c.process",
    "merge.evil.driver",
    "gpg.program",
    "gpg.ssh.program",
    "gpg.ssh.defaultKeyCommand",
    "gpg.x509.program",
    "pager.tag",
    "pager.status",
    "pager.log",
    "pager.for-each-ref",
    "interactive.diffFilter",
    "sequence.editor",
    "uploadpack.packObjectsHook",
    "remote.evil.uploadpack",
    "remote.evil.receivepack",
    "browser.evil.cmd",
    "trailer.evil.cmd",
    "trailer.evil.command",
    "tar.evil.command",
)


@pytest.fixture
def hostile(repo: RepoStory, tmp_path: Path) -> RepoStory:
    """A repository in which everything that Git can run writes into `ran`, next to it."""
    repo.register("churn", "v1.0.0").train("better\n")
    repo.register("churn", "v2.0.0").assign("churn@v1.0.0", "production")
    # A version whose objects are not here, so that a partial clone would fetch them.
    head = f"object {'1' * 40}\ntype commit\ntag churn@v9.0.0\ntagger Eve <eve@example.com> {START} +0000\n\nmissing\n"
    repo.raw_tag("churn@v9.0.0", head.encode())
    _trap(repo, tmp_path)
    return repo


def _trap(repo: RepoStory, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.write_text(f'#!/bin/sh\necho "$0 $*" >>"{tmp_path}/ran"\nexit 1\n')
    evil.chmod(0o755)
    inner = RepoStory.begin(repo.path / "inner")
    inner.write("file", "x").commit("Inside")
    repo.write(".gitattributes", "models/* filter=evil diff=evil text\n*.yaml filter=a=b.c diff=evil\n")
    repo.write("registry.yaml", "models: {churn: {path: models}, inner: {path: inner}, all: {path: .}}\n")
    repo.commit("Attributes")
    for place in (repo, inner):
        for hook in HOOKS:
            (place.path / ".git/hooks").mkdir(exist_ok=True)
            (place.path / ".git/hooks" / hook).symlink_to(evil)
        for setting in COMMANDS:
            place.git("config", setting, f"{evil} {setting}")
        for command in ("tag", "for-each-ref", "cat-file", "rev-parse", "status", "show", "ls-files"):
            place.git("config", f"alias.{command}", f"!{evil} alias {command}")
        place.git("config", "core.hooksPath", str(place.path / ".git/hooks"))
        place.git("config", "filter.evil.required", "true")
        place.git("config", "tag.gpgSign", "true")
        place.git("config", "log.showSignature", "true")
        place.git("config", "status.submoduleSummary", "true")
        place.git("config", "extensions.worktreeConfig", "true")
        place.git("config", "remote.evil.promisor", "true")
        place.git("config", "remote.evil.partialclonefilter", "blob:none")
        place.git("config", "remote.evil.url", f"ext::{evil} transport")
        place.git("config", "protocol.ext.allow", "always")
    # Touched, changed and new files, so that Git would have to look into them.
    os.utime(repo.path / "registry.yaml")
    repo.write("models/churn.pkl", "BETTER\n").write("models/new.pkl", "x")
    inner.write("file", "y")
    (tmp_path / "ran").unlink(missing_ok=True)


@pytest.mark.parametrize("transport", ["ext::{evil} transport", "{path}", "file://{path}", "ssh://host/x", "evil::x"])
def test_reading_runs_nothing_of_theirs(
    hostile: RepoStory, tmp_path: Path, capfd: pytest.CaptureFixture[str], transport: str
) -> None:
    for name in ("remote.evil.url", "extensions.partialClone"):
        value = transport.format(evil=tmp_path / "evil", path=hostile.path)
        hostile.git("config", name, "evil" if name.startswith("ext") else value)
    (tmp_path / "ran").unlink(missing_ok=True)
    for command in READING:
        code = cli.run(command)
        said = capfd.readouterr()
        assert code in {0, 1}, said.err
        assert "bug" not in said.err
        assert not (tmp_path / "ran").exists(), (command, (tmp_path / "ran").read_text())


def test_the_trap_works(hostile: RepoStory, tmp_path: Path) -> None:
    hostile.git("config", "remote.evil.url", hostile.path.as_uri())
    for command in (["status"], ["-c", "core.fsmonitor=false", "status"], ["cat-file", "-e", "1" * 40]):
        subprocess.run(["git", *command], cwd=hostile.path, capture_output=True, check=False)
    ran = (tmp_path / "ran").read_text()
    assert all(word in ran for word in ("core.fsmonitor", "filter.evil", "remote.evil.uploadpack"))


def test_the_status_is_right_all_the_same(hostile: RepoStory) -> None:
    assert {a.name: a.modified for a in hostile.registry.status().artifacts} == {
        "churn": True,
        "inner": False,
        "all": True,
    }


@pytest.mark.parametrize("change", ["none", "touched", "racy", "edited", "staged", "deleted", "new", "mode", "ignored"])
def test_what_counts_as_modified(repo: RepoStory, change: str) -> None:
    repo.write(".gitattributes", "*.pkl text eol=lf\n").write(".gitignore", "*.log\n").commit("Attributes")
    model = repo.path / "models/churn.pkl"
    repo.write("registry.yaml", "models: {churn: {path: models}}\n").commit("All of it")
    match change:
        case "touched":
            os.utime(model, (START, START))
        case "racy":
            model.write_text("weights 9\n")
            index = (repo.path / ".git/index").stat()
            os.utime(model, ns=(index.st_mtime_ns, index.st_mtime_ns))
        case "edited":
            model.write_text("other\n")
        case "staged":
            model.write_text("other\n")
            repo.git("add", "models")
        case "deleted":
            model.unlink()
        case "new":
            repo.write("models/new.pkl", "x")
        case "mode":
            model.chmod(0o755)
        case "ignored":
            repo.write("models/training.log", "x")
    [status] = repo.registry.status().artifacts
    assert status.modified == (change not in {"none", "touched", "ignored"})
    if change in {"none", "touched"}:
        model.write_bytes(b"weights 1\r\n")  # as a checkout with other line ends has it
        assert repo.registry.status().artifacts[0].modified is False


def test_a_file_of_git_lfs_is_known_by_its_digest(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {path: models}}\n")
    sha = hashlib.sha256(b"the large file\n").hexdigest()
    repo.write("models/churn.pkl", f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize 15\n")
    repo.write(".gitattributes", "*.pkl filter=lfs diff=lfs merge=lfs -text\n").commit("With LFS")
    repo.git("config", "filter.lfs.clean", "false")
    repo.git("config", "filter.lfs.required", "true")
    repo.write("models/churn.pkl", "the large file\n")
    assert repo.registry.status().artifacts[0].modified is False
    repo.write("models/churn.pkl", "another\n")
    assert repo.registry.status().artifacts[0].modified is True


# -- words -------------------------------------------------------------------------------------------------------------

EVIL = "evil\x1b[2J\x1b]0;title\x07\r\x9b31m\u202ename\x85"


def test_no_word_of_theirs_reaches_the_terminal_raw(repo: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    spelt = json.dumps(EVIL)
    manifest = (
        f"models: {{churn: {{path: models/churn.pkl, description: {spelt}, labels: [{spelt}], metrics: m.json}}}}\n"
    )
    repo.write("registry.yaml", manifest).write("m.json", json.dumps({EVIL: 1, "a": 0.5})).commit(f"Subject {EVIL}")
    head = repo.git("rev-parse", "HEAD")
    who = f"tagger {EVIL} <{EVIL}> {START} +0000".replace("\n", "")
    block = f"Registry: 1\nRun: {EVIL}\nReason: {EVIL}\nLabel: {EVIL}\nUses: {EVIL}\nMetric: {EVIL}=1\nOdd: {EVIL}\n"
    for name in ("churn@v1.0.0", "churn#production#2", "churn@v1.0.0=#3"):
        raw = f"object {head}\ntype commit\ntag {name}\n{who}\n\nSubject {EVIL}\n\nBody {EVIL}\n\n{block}"
        repo.raw_tag(name, raw.encode())
    raw = f"object {head}\ntype commit\ntag {EVIL}\n{who}\n\nx\n".replace("\x85", "")
    repo.raw_tag("churn@v2.0.0", raw.encode())
    repo.git("config", "user.name", EVIL)
    for command in (
        *READING,
        ["show", "nobody\x1b[2J"],
        ["resolve", "churn@v1.0.0", "--path"],
        ["register", "churn", "\x1b[2J"],
        ["show", "--repo", "\x1b[2J"],
        ["\x1b[2J"],
        ["show", "--\x1b[2J"],
        ["check", "--format", "github"],
        ["check", "--json"],
        ["doctor", "--json"],
        ["history", "churn", "--json"],
        ["lineage", "churn@v1.0.0"],
        ["deregister", "churn@v1.0.0", "--dry-run"],
    ):
        assert cli.run(command) != 3, capfd.readouterr().err
        said = capfd.readouterr()
        for text in (said.out, said.err):
            bad = [c for c in text if c not in "\n\t" and (ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c == "\u202e")]
            assert not bad, (command, text)


def test_a_newline_in_a_word_makes_no_line_of_its_own(repo: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    repo.write("registry.yaml", 'models: {churn: {path: models/churn.pkl, description: "one\\n\\nforged"}}\n').commit(
        "Two"
    )
    repo.registry_at().register("churn", message="first\n\nforged\tv9.9.9")
    capfd.readouterr()
    for command in (["show"], ["show", "churn"], ["history"], ["lineage", "churn"], ["stages"], ["doctor"]):
        assert cli.run(command) == 0
        assert not [line for line in capfd.readouterr().out.splitlines() if line.strip().startswith("forged")]

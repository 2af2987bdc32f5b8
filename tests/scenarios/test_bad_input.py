"""Bad input: one clear line, a hint, the right exit code, and nothing is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import cli
from tests.scenarios.conftest import Refusals, check_refusal, everything
from tests.story import RepoStory

RefusedIn = Callable[[RepoStory], Refusals]
LIFECYCLE = """\
stages:
  staging: {}
  production: {after: staging, exclusive: true}
models:
  churn:
    path: models/churn.pkl
"""


@pytest.fixture
def registered(repo: RepoStory) -> RepoStory:
    """A repository with stages, where churn v0.0.1 is at HEAD."""
    repo.write("registry.yaml", LIFECYCLE).commit("Declare the stages")
    return repo.register("churn")


# -- the repository ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "status", "register churn", "init", "doctor", "check"])
def test_outside_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refusal(cli.run(command.split()), *capfd.readouterr(), says="not a Git repository", hint="git init")


def test_a_directory_that_is_not_there(refused: Refusals) -> None:
    refused("show", "--repo", "nowhere", says="no such directory: nowhere", hint="check the path")
    refused("show", "--repo", "registry.yaml", says="cannot enter registry.yaml")


def test_a_directory_that_was_deleted_under_the_command(repo: RepoStory, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    done = subprocess.run(
        ["sh", "-c", f'mkdir "{gone}" && cd "{gone}" && rmdir "{gone}" && exec "{sys.executable}" -m registry show'],
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    check_refusal(done.returncode, done.stdout, done.stderr)


def test_a_repository_without_commits(empty: RepoStory, refused_in: RefusedIn) -> None:
    refused = refused_in(empty)
    refused("register", "churn", says="no commits yet", hint="commit something first")
    refused("assign", "churn@v1.0.0", "production", says="no artifact is called churn")
    refused("resolve", "churn", says="no artifact is called churn", hint="registry add churn")
    for command in ("show", "history", "stages", "status", "doctor"):
        assert cli.run([command]) == 0


def test_nobody_has_said_who_they_are(repo: RepoStory, refused: Refusals) -> None:
    repo.git("config", "--unset", "user.name")
    repo.git("config", "--unset", "user.email")
    repo.git("config", "user.useConfigOnly", "true")
    for command in (["register", "churn"], ["register", "churn", "--dry-run"]):
        refused(*command, says="does not know who you are", hint="git config --global user.name")
        refused(*command, hint="git config --global user.email")


def test_an_unknown_revision(refused: Refusals) -> None:
    for revision in ("nowhere", "HEAD~99", "deadbeef", "HEAD:registry.yaml", ":/never", "-1", "a b", "@{99}", "\udcff"):
        refused("register", "churn", "--", revision, says="no commit is called", hint="git log")
    for option in ("--all", "--output=stolen", "-h", "--end-of-options"):
        refused("register", "churn", "--", option, says=f"no commit is called {option}")


# -- names and versions ------------------------------------------------------------------------------------------------


def test_an_unknown_artifact_is_answered_with_the_nearest(registered: RepoStory, refused: Refusals) -> None:
    for command in (
        ["resolve", "chrun"],
        ["show", "chrun"],
        ["history", "chrun@v1.0.0"],
        ["assign", "chrun", "staging"],
    ):
        refused(*command, says="no artifact is called chrun", hint="did you mean churn?")
    refused("register", "chrun", says="chrun is not in the manifest", hint="did you mean churn?")
    refused("lineage", "zzz", says="no artifact is called zzz", hint="there is churn")


def test_an_unknown_stage_is_answered_with_the_nearest(registered: RepoStory, refused: Refusals) -> None:
    refused("assign", "churn", "stagign", says="no stage stagign", hint="did you mean staging?")
    registered.assign("churn", "staging")
    refused("resolve", "churn#stagign", says="is in stage stagign", hint="did you mean churn#staging?")
    refused("unassign", "churn", "production", says="production")
    refused("rollback", "churn", "staging", says="never was another version")


@pytest.mark.parametrize("version", ["1.0.0", "v1.0", "v1.0.new", "", "v1.0.0 ", "v01.0.0", "v1.0.0\n", "v1.0.0-é"])
def test_what_is_no_version(registered: RepoStory, refused: Refusals, version: str) -> None:
    refused("register", "churn", "--version", version, code=2, hint="v1.")
    if version not in {"", "v1.0"}:
        refused("resolve", f"churn@{version}", code=2)
        refused("deregister", f"churn@{version}", code=2)
    refused("resolve", "churn@", code=2)


def test_what_is_no_name(registered: RepoStory, refused: Refusals) -> None:
    names = [
        "a//b",
        "a b",
        "a..b",
        "modèle",
        "a=b",
        "",
        "-a",
        "a/",
        "/a",
        "a\nb",
        "a\0b",
        "../a:b",
        "x.lock:b",
        "\udcff",
    ]
    for name in names:
        refused("register", "--", name, code=2, says="not a name for an artifact")
        refused("resolve", "--", f"{name}@latest", code=2)
        refused("add", "--", name, code=2)
    for stage in ("a//b", "a b", "a..b", "étage", "a=b", "", "prod!", "prod#1"):
        refused("assign", "--", "churn", stage, code=2, says="not a name for a stage")
        refused("resolve", f"churn#{stage}", code=2)


def test_words_that_no_command_knows(registered: RepoStory, refused: Refusals) -> None:
    registered.commit("More", empty=True)
    refused("regsiter", "churn", code=2, says="there is no command regsiter", hint="did you mean register?")
    refused("show", "--nonsense", code=2)
    refused("assign", "churn", code=2)
    refused("register", "churn", "--version", "v1.0.0", "--major", code=2)
    refused("register", "churn", "--metric", "auc", code=2)
    refused("register", "churn", "--content", "{", code=2)
    refused("register", "churn", "--content", "[" * 100_000, code=2)
    refused("register", "churn", "-m", "\udcff", code=2, says="UTF-8")
    refused("register", "churn", "-m", "a\x1b[2Jb", code=2, says="control character")
    refused("register", "churn", "--reason", "two\nlines", code=2)
    refused("register", "churn", "--description", "two\nlines", code=2)
    refused("show", "--where", "metrics.auc~1", code=2)
    refused("check-ref", "nonsense", says="not a registry tag")
    refused("check-ref", "churn@v7.0.0", says="there is no tag")
    refused("delete", "--yes", "v1.0.0", code=2, says="not a registry tag")
    refused("delete", "--yes", "churn@v7.0.0", says="there is no tag")


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_path_outside_of_the_repository(repo: RepoStory, refused: Refusals, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    for path in ("../secret", str(tmp_path / "secret"), "/etc/passwd", "models/../../secret"):
        refused("register", "churn", "--artifact", path, code=2, says="outside the repository")
        refused("add", "other", "--path", path, code=2)


def test_a_path_that_is_not_there(repo: RepoStory, refused: Refusals) -> None:
    refused("register", "churn", "--artifact", "nowhere.pkl", says="nowhere.pkl is not there", hint="check the path")
    repo.write("new.pkl", "x")
    refused("register", "churn", "--artifact", "new.pkl", says="only in the work tree", hint="git add new.pkl")
    repo.write("registry.yaml", "models: {churn: {path: models/gone.pkl}}\n").commit("Break the path")
    refused("register", "churn", says="models/gone.pkl is not there")


@pytest.mark.parametrize("path", ["../out.pkl", "/etc/passwd", "models/../../x"])
def test_a_declared_path_that_leads_out(repo: RepoStory, refused: Refusals, path: str) -> None:
    repo.write("registry.yaml", f"models: {{churn: {{path: {path}}}}}\n").commit("Lead out")
    refused("register", "churn", says=f"the manifest's path '{path}' ", hint="correct registry.yaml")
    assert cli.run(["status"]) == 0
    assert cli.run(["check"]) == 1


@pytest.mark.parametrize(
    ("links", "path"),
    [
        ({"models/m": "/etc/passwd"}, "models/m"),
        ({"models/m": "../../x"}, "models/m"),
        ({"models/deep/m": "/etc/passwd"}, "models"),
        ({"models/m": "n", "models/n": "../../x"}, "models/m"),
        ({"models/m": "../d/x", "d": "/etc"}, "models/m"),
    ],
)
def test_a_link_that_leads_out(repo: RepoStory, refused: Refusals, links: dict[str, str], path: str) -> None:
    for link, target in links.items():
        (repo.path / link).parent.mkdir(parents=True, exist_ok=True)
        (repo.path / link).symlink_to(target)
    repo.write("registry.yaml", f"models: {{churn: {{path: {path}}}}}\n").commit("Link")
    refused("register", "churn", says="is a link that leads out of the repository")
    refused("register", "churn", "--undeclared", "--artifact", path, says="is a link that leads out")


def test_links_that_stay_inside_are_carried(repo: RepoStory) -> None:
    (repo.path / "models/current").symlink_to("churn.pkl")
    (repo.path / "models/dangling").symlink_to("../nothing")
    (repo.path / "models/round").symlink_to("round")
    repo.write("registry.yaml", "models: {churn: {path: models}}\n").commit("Link")
    repo.register("churn", "v1.0.0")
    assert repo.resolve("churn") == "v1.0.0"


def test_large_files_in_plain_git(repo: RepoStory, refused: Refusals, capfd: pytest.CaptureFixture[str]) -> None:
    repo.git("config", "core.bigFileThreshold", "1m")  # streamed, not held in memory
    repo.git("config", "core.compression", "1")
    for name, size in (("warned", 51_000_000), ("refused", 101_000_000)):
        with (repo.path / name).open("wb") as file:
            file.truncate(size)
    repo.commit("Large files")
    capfd.readouterr()
    assert cli.run(["register", "churn", "--artifact", "warned", "--dry-run"]) == 0
    err = capfd.readouterr().err
    assert "warned has 51 MB in plain Git" in err
    assert "git lfs" in err
    assert "dvc" in err
    (repo.path / "warned").unlink()
    (repo.path / "refused").unlink()
    refused("register", "churn", "--artifact", "refused", says="refused has 101 MB in plain Git", hint="git lfs")
    refused("register", "churn", "--artifact", "refused", hint="dvc")


# -- manifests ---------------------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(n + 1)}: &{chr(n + 1)} [{', '.join([f'*{chr(n)}'] * 10)}]\n" for n in range(ord("a"), ord("l"))
)
BROKEN = {
    "not YAML": b"models: {churn: [\n",
    "a list": b"- churn\n",
    "a text": b"churn\n",
    "a list of models": b"models: [churn]\n",
    "a duplicate key": b"models:\n  churn: {path: models/churn.pkl}\n  churn: {path: x}\n",
    "an alias bomb": BOMB.encode(),
    "binary": bytes(range(256)) * 40,
    "Latin-1": "models: {churn: {description: modèle}}\n".encode("latin-1"),
    "deep": b"models: " + b"[" * 100_000,
    "50 MB": b"# " + b"x" * 50_000_000,
    "a newline in a path": b'models: {churn: {path: "a\\nb"}}\n',
    "a NUL in a path": b'models: {churn: {path: "a\\0b"}}\n',
    "empty": b"",
}


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind != "empty"])
def test_a_broken_manifest_in_the_work_tree(
    repo: RepoStory, refused: Refusals, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    repo.write("registry.yaml", BROKEN[kind])
    before = everything(repo.path)
    capfd.readouterr()
    assert cli.run(["check"]) == 1
    out, err = capfd.readouterr()
    assert out.startswith("registry.yaml:")
    assert ": error: " in out
    assert "bug" not in err
    assert everything(repo.path) == before
    if kind not in {"a newline in a path", "a NUL in a path", "a list of models"}:
        refused("add", "other", "--path", "models/churn.pkl")
    assert cli.run(["show", "churn"]) == 0  # the manifest at HEAD is whole


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_manifest_in_a_commit(repo: RepoStory, refused: Refusals, kind: str) -> None:
    repo.register("churn", "v1.0.0")
    repo.git("config", "core.compression", "1")
    repo.write("registry.yaml", BROKEN[kind]).commit("Break it")
    refused("register", "churn")
    for command in (["show"], ["show", "churn"], ["resolve", "churn", "--json"], ["history"], ["status"], ["stages"]):
        assert cli.run(command) == 0, command
    assert cli.run(["doctor"]) in {0, 1}
    repo.registry_at().register("churn", version="v2.0.0", undeclared=True)  # an old broken manifest costs nothing else
    for command in (["resolve", "churn@v1.0.0"], ["diff", "churn@v1.0.0", "churn@v2.0.0"], ["lineage", "churn"]):
        assert cli.run(command) == 0, command


def test_no_manifest_at_all(repo: RepoStory, refused: Refusals) -> None:
    (repo.path / "registry.yaml").unlink()
    repo.commit("No manifest")
    refused("register", "churn", says="no manifest", hint="registry init")
    refused("check", says="no manifest", hint="registry init")
    refused("remove", "churn", says="registry.yaml")


def test_a_manifest_that_is_a_directory_or_leads_out(repo: RepoStory, refused: Refusals, tmp_path: Path) -> None:
    (repo.path / "registry.yaml").unlink()
    (tmp_path / "theirs.yaml").write_text("models: {}\n")
    (repo.path / "registry.yaml").symlink_to(tmp_path / "theirs.yaml")
    refused("add", "other", "--path", "models/churn.pkl", says="leads out")
    assert (tmp_path / "theirs.yaml").read_text() == "models: {}\n"
    (repo.path / "registry.yaml").unlink()
    (repo.path / "registry.yaml").mkdir()
    refused("add", "other", "--path", "models/churn.pkl")


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_of_versions(registered: RepoStory, refused: Refusals) -> None:
    refused("register", "churn", says="is churn v0.0.1 already", hint="--force")
    registered.commit("More", empty=True)
    refused("register", "churn", "--version", "v0.0.1", says="registered already", hint="leave --version out")
    registered.write("registry.yaml", f"versions: {{overwrite: forbid}}\n{LIFECYCLE}").commit("Forbid")
    refused("register", "churn", "--version", "v0.0.1", "--force", says="overwrite: forbid")
    refused("deregister", "churn", code=2, says="names no version")
    refused("deregister", "churn@v3.0.0", says="churn@v3.0.0 is not there", hint="there is v0.0.1")
    refused("annotate", "churn@v0.0.1", code=2, says="nothing to annotate")
    refused("register", "churn", "--uses", "nobody@v1.0.0", says="no artifact is called nobody")
    registered.deregister("churn@v0.0.1")
    refused("resolve", "churn@v0.0.1", says="was deregistered by Ana on 2026-01-01")
    refused("assign", "churn@v0.0.1", "staging", says="was deregistered")


def test_rules_of_stages(registered: RepoStory, refused: Refusals) -> None:
    refused("assign", "churn", "production", says="has not been in staging", hint="registry assign 'churn@v0.0.1'")
    registered.assign("churn", "staging").assign("churn", "production")
    registered.register("churn", "v0.0.2").assign("churn", "staging").assign("churn", "production")
    refused("unassign", "churn@v0.0.1", "production", says="v0.0.1 is not in production", hint="v0.0.2 is")
    refused("deprecate", "churn@v0.0.1", code=2)


def test_what_would_not_travel(registered: RepoStory, refused: Refusals) -> None:
    free = ("register", "--undeclared")
    registered.commit("More", empty=True)
    refused(*free, "Churn", says="differs from churn in case only", hint="did you mean churn?")
    registered.git("rm", "-q", "registry.yaml")
    registered.commit("Any stage will do")
    registered.assign("churn", "prod")
    refused("assign", "churn", "Prod", says="differs from prod in case only")
    registered.commit("More", empty=True)
    registered.register("churn", "v1.0.0-rc.1", undeclared=True)
    registered.commit("More", empty=True)
    refused(*free, "churn", "--version", "v1.0.0-RC.1", says="differs from v1.0.0-rc.1 in case only")
    for name in ("aux", "COM1", "models/nul", "lpt9:m", "con.d:m"):
        refused(*free, name, says="device on Windows")
    refused("assign", "churn", "prn", says="device on Windows")
    refused(*free, "n" * 201, says="longer than 200 bytes")
    refused("assign", "churn", "s" * 201, says="longer than 200 bytes")
    refused("add", "Churn", says="in case only")
    refused("add", "aux", says="device on Windows")


def test_tags_that_cannot_stand_beside_each_other(repo: RepoStory, refused: Refusals) -> None:
    repo.register("churn").tag("churn#prod").tag("a/b")
    refused("assign", "churn", "prod/eu", says="the tags churn#prod and churn#prod/eu#2 cannot both exist")
    refused("register", "--undeclared", "a/b/c", says="the tags a/b and a/b/c@v0.0.1 cannot both exist")
    repo.tag("x@v0.0.1/deep")
    refused("register", "--undeclared", "x", says="the tags x@v0.0.1/deep and x@v0.0.1 cannot both exist")
    repo.tag("light@v0.0.1", light=True)
    refused("register", "--undeclared", "light", says="the tag light@v0.0.1 is there already", hint="registry doctor")


def test_a_hook_of_the_users_that_forbids_it(registered: RepoStory, refused: Refusals) -> None:
    hook = registered.path / ".git/hooks/reference-transaction"
    hook.write_text('#!/bin/sh\necho "not on a Friday" >&2\n[ "$1" != prepared ]\n')
    hook.chmod(0o755)
    refused("assign", "churn", "staging", says="hook")
    hook.unlink()
    registered.assign("churn", "staging")
    assert registered.resolve("churn#staging") == "v0.0.1"


def test_somebody_else_holds_a_lock(registered: RepoStory, refused: Refusals) -> None:
    lock = registered.path / ".git/refs/tags/churn#staging#2.lock"
    lock.write_text("0" * 40 + "\n")
    refused("assign", "churn", "staging", says="another git process holds churn#staging#2")
    lock.unlink()
    registered.assign("churn", "staging")


# -- a dry run, and a repository that cannot be written ----------------------------------------------------------------


def test_a_dry_run_writes_nothing(registered: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    registered.commit("More", empty=True)
    for leftover in (registered.path / ".git/registry").iterdir():
        leftover.unlink()
    (registered.path / ".git/registry").rmdir()
    before = everything(registered.path)
    for command in (
        ["register", "churn", "--minor"],
        ["assign", "churn", "staging"],
        ["deregister", "churn@v0.0.1"],
        ["deprecate", "churn"],
        ["annotate", "churn", "--label", "x"],
        ["delete", "--yes", "churn@v0.0.1"],
    ):
        capfd.readouterr()
        assert cli.run([*command, "--dry-run"]) == 0, command
        assert capfd.readouterr().out.startswith("churn"), command
    assert everything(registered.path) == before
    assert not (registered.path / ".git/registry").exists()


# What Python loads late is loaded first, as root: its own files may be closed to the other user.
_AS_NOBODY = """
import contextlib, difflib, importlib, io, os, pkgutil, sys, tempfile
import ruamel.yaml, semver
import registry
from registry import cli
for module in pkgutil.walk_packages(registry.__path__, "registry."):
    # Those would run; and what is MLflow's wants that to be installed.
    if not module.name.endswith(("__main__", "demo.train")) and not module.name.startswith("registry.mlflow."):
        importlib.import_module(module.name)
os.chdir(sys.argv[1])
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for words in ("show --json", "status", "doctor", "check", "lineage churn", "show nobody", "assign churn qa -n"):
        cli.run(words.split())
os.setgid(65534)
os.setuid(65534)
sys.exit(cli.run(sys.argv[2:]))
"""


def test_a_repository_that_may_only_be_read(registered: RepoStory, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # Another user's directory, where everybody may read: pytest's own are closed.
    home = Path("/var/tmp") / f"registry-test-{os.getpid()}"  # noqa: S108  (made new, or the test fails)
    home.mkdir(mode=0o777)
    try:
        home.chmod(0o777)
        place = home / "repo"
        shutil.copytree(registered.path, place, symlinks=True)
        for path in [place, *place.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        gitconfig = home / ".gitconfig"
        gitconfig.write_text(f"[safe]\n\tdirectory = {place}\n")

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", _AS_NOBODY, str(place), *arguments],
                env={**os.environ, "HOME": str(home), "GIT_CONFIG_GLOBAL": str(gitconfig)},
                capture_output=True,
                text=True,
                check=False,
            )

        before = everything(place)
        for command in (["assign", "churn", "staging"], ["add", "other"], ["deregister", "churn@v0.0.1"]):
            done = run(*command)
            check_refusal(
                done.returncode, done.stdout, done.stderr, says="cannot be written", hint="check its permissions"
            )
        assert run("assign", "churn", "staging", "--dry-run").stdout == "churn#staging#2\n"
        for command in (["status"], ["doctor"], ["history"], ["check"], ["resolve", "churn"], ["lineage", "churn"]):
            assert run(*command).returncode == 0, command
        assert everything(place) == before

        gitconfig.write_text("")
        done = run("show")
        check_refusal(done.returncode, done.stdout, done.stderr, says="dubious ownership", hint="safe.directory")
    finally:
        shutil.rmtree(home)


def test_a_full_disk(registered: RepoStory, tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    script = """
        mount -t tmpfs -o size=4m tmpfs "$0" || exit 77
        cp -a "$1/." "$0" && cd "$0" || exit 78
        git for-each-ref >"$2/before"
        dd if=/dev/zero of=filler bs=4k status=none 2>/dev/null
        "$3" -m registry assign churn staging >"$2/out" 2>"$2/err"; echo $? >"$2/code"
        "$3" -m registry add other >"$2/out2" 2>"$2/err2"; echo $? >"$2/code2"
        git for-each-ref >"$2/after"; GIT_OPTIONAL_LOCKS=0 git status --porcelain >"$2/status"
        rm filler
        "$3" -m registry assign churn staging >"$2/later" 2>&1; "$3" -m registry doctor 2>>"$2/later"
        exit 0
    """
    shutil.rmtree(registered.path / ".git/hooks", ignore_errors=True)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(mount), str(registered.path), str(tmp_path), sys.executable],
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in {1, 77}:
        pytest.skip(f"no tmpfs of one's own here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    said = {file.name: file.read_text() for file in tmp_path.iterdir() if file.is_file()}
    check_refusal(int(said["code"]), said["out"], said["err"], says="No space left on device", hint="disk")
    check_refusal(int(said["code2"]), said["out2"], said["err2"], says="No space left on device", hint="disk")
    assert said["before"] == said["after"]
    assert said["status"] == "?? filler\n"
    assert said["later"].startswith("churn#staging#2\n")
    assert "all is well" in said["later"]

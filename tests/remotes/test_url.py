"""`--repo URL`: everything without a clone (DESIGN parts 5 and 8)."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from registry import Model, NotFound, Registry, cli
from registry.plumbing.address import is_url
from tests.remotes.story import NAME, Clones, run, said
from tests.servers import ALL, PASSWORD, USER, Fault, GitServer, Proxy
from tests.story import RepoStory, Result

MANIFEST = """\
stages: {staging: {}, production: {exclusive: true}}
models:
  churn: {path: models/churn.pkl, metrics: metrics/churn.json, params: params.yaml, description: Who leaves}
  fraud: {path: models/fraud, labels: [tabular]}
"""
READING = (
    ["show"],
    ["show", "--where", "metrics.auc>0.5"],
    ["show", "--deprecated", "--sort", "-metrics.auc"],
    ["show", "churn"],
    ["show", "fraud"],
    ["show", "cv:pool"],
    ["resolve", "churn"],
    ["resolve", "churn#production"],
    ["resolve", "fraud@v0.1.0"],
    ["resolve", "cv:pool"],
    ["history"],
    ["history", "churn"],
    ["history", "churn#staging"],
    ["diff", "churn@v0.0.1", "churn@v0.0.2"],
    ["diff", "churn", "fraud"],
    ["lineage", "churn"],
    ["lineage", "fraud"],
    ["stages"],
    ["check-ref", "churn@v0.0.1"],
    ["doctor"],
)
FEW = (
    ["show", "--where", "metrics.auc>0.5"],
    ["show", "cv:pool"],
    ["resolve", "churn#production"],
    ["diff", "churn@v0.0.1", "churn@v0.0.2"],
)
FILES = {
    "models/churn.pkl": "weights 1\n",
    "metrics/churn.json": '{"auc": 0.81}',
    "params.yaml": "depth: 4\n",
    "models/fraud/weights": "w\n",
    "models/fraud/deep/er/labels": "l\n",
    "cv/registry.yaml": "models: {pool: {path: pool.pkl, metrics: m.json}}\n",
    "cv/pool.pkl": "pool\n",
    "cv/m.json": '{"iou": 0.5}',
    "other/unneeded": "nobody asks for this\n",
}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoStory:
    """A directory that is no repository, and a person in it."""
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.chdir(place)
    for name, value in (("NAME", "Zoe"), ("EMAIL", "zoe@example.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    return RepoStory(place)


def fill(clones: Clones) -> RepoStory:
    """Versions of three artifacts, published; the clone that did it."""
    ana = clones.clone()
    ana.write("registry.yaml", MANIFEST)
    for path, content in FILES.items():
        ana.write(path, content)
    ana.commit("Declare three")
    ana.git("push", "-q", "origin", "main")
    ana.registry_at().register("fraud", version="v0.1.0")
    ana.registry_at().register("churn", metrics={"f1": 0.7}, uses=["fraud@latest"])
    ana.registry_at().register("cv:pool")
    ana.write("metrics/churn.json", '{"auc": 0.93}').train("weights 2\n")
    ana.registry_at().register("churn")
    ana.assign("churn@v0.0.1", "staging").assign("churn@v0.0.2", "production")
    ana.write("other/new", "x").commit("Go on")
    ana.git("push", "-q", "origin", "main")
    ana.registry_at().push()
    ana.notes.clear()
    return ana


@pytest.fixture
def ana(clones: Clones) -> RepoStory:
    """A clone whose versions are all published."""
    return fill(clones)


def told(*words: str) -> Result:
    """What a command says, without a process of its own: the stories here are about the mirrors and the server."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = cli.run([*words])
    return Result(code, out.getvalue(), err.getvalue())


def by_url(story: RepoStory, url: str, *words: str) -> Result:
    """A command with --repo URL; `elsewhere` has made its directory the current one."""
    os.environ.update(story.environment())
    return told(words[0], "--repo", url, *words[1:])


def works(story: RepoStory, *words: str) -> list[str]:
    """A command that works, in the current directory; the lines that it printed."""
    os.environ.update(story.environment())
    done = told(*words)
    assert done.code == 0, (words, done.err)
    return done.out.splitlines()


def told_json(story: RepoStory, *words: str) -> Any:
    """What a command that works says in JSON."""
    return json.loads("".join(works(story, *words, "--json")))


def check_reads_the_same(
    ana: RepoStory, elsewhere: RepoStory, url: str, commands: Sequence[Sequence[str]] = FEW
) -> None:
    """Every reading command says by URL what it says in a clone."""
    for words in commands:
        there, here = by_url(elsewhere, url, *words, "--json"), told(*words, "--json", "--repo", str(ana.path))
        assert (there.code, there.err) == (here.code, ""), (words, there.err, here.err)
        assert json.loads(there.out) == json.loads(here.out), words


def mirrors() -> list[Path]:
    """The mirrors in the cache directory."""
    place = Path(os.environ["XDG_CACHE_HOME"]) / "git-registry"
    return sorted(place.iterdir()) if place.exists() else []


# -- reading -----------------------------------------------------------------------------------------------------------


def test_every_reading_command_says_what_it_says_in_a_clone(
    clones: Clones, ana: RepoStory, elsewhere: RepoStory
) -> None:
    check_reads_the_same(ana, elsewhere, clones.url, READING)
    check_reads_the_same(ana, elsewhere, clones.url, READING)  # and again, from mirrors that are there
    for words in FEW[1:3]:
        assert elsewhere.cli(*words, "--repo", clones.url) == ana.cli(*words)  # as processes of their own


def test_a_server_without_protocol_v2(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    check_reads_the_same(ana, elsewhere, clones.server.url(NAME, "v0"))


@pytest.mark.parametrize(
    ("door", "lacks"),
    [
        ("git", "uploadpack.allowFilter"),
        ("v0", "uploadpack.allowFilter"),
        ("v0", "uploadpack.allowAnySHA1InWant"),  # protocol 2 always gives any object
    ],
)
def test_a_server_that_allows_less(
    git_server: GitServer, tmp_path: Path, elsewhere: RepoStory, lacks: str, door: str
) -> None:
    clones = Clones.begin(git_server, tmp_path, settings={lacks: None})
    check_reads_the_same(fill(clones), elsewhere, git_server.url(NAME, door))  # type: ignore[arg-type]


@pytest.mark.parametrize("filters", ["true", "false"])
def test_a_file_url(clones: Clones, ana: RepoStory, elsewhere: RepoStory, filters: str) -> None:
    subprocess.run(["git", "-C", str(clones.path), "config", "uploadpack.allowFilter", filters], check=True)
    check_reads_the_same(ana, elsewhere, clones.path.as_uri())


@pytest.mark.parametrize("form", ["ssh://git@host.example{path}", "git@host.example:{path}"])
def test_ssh(
    clones: Clones, ana: RepoStory, elsewhere: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    fake = tmp_path / "fake-ssh"
    fake.write_text('#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(fake))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    url = form.format(path=clones.path)

    check_reads_the_same(ana, elsewhere, url)
    assert by_url(elsewhere, url, "assign", "churn@v0.0.1", "production").code == 0
    assert clones.state().stages["production"] == "v0.0.1"


def test_a_plain_path_is_opened_in_place(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    assert works(elsewhere, "resolve", "churn", "--repo", str(clones.path)) == ["v0.0.2"]
    assert mirrors() == []


def test_what_is_published_meanwhile_is_seen(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    assert by_url(elsewhere, clones.url, "resolve", "churn#production").out == "v0.0.2\n"
    ana.assign("churn@v0.0.1", "production", push=True)

    assert by_url(elsewhere, clones.url, "resolve", "churn#production").out == "v0.0.1\n"


def test_what_the_server_deleted_is_gone(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    assert by_url(elsewhere, clones.url, "resolve", "churn").out == "v0.0.2\n"
    assert "v0.0.2" in by_url(elsewhere, clones.url, "show").out
    for tag in ("churn@v0.0.2", "churn#production#4", "churn#production#5"):
        clones.delete_tag(tag)

    assert by_url(elsewhere, clones.url, "resolve", "churn").out == "v0.0.1\n"
    assert "v0.0.2" not in by_url(elsewhere, clones.url, "show").out


def test_a_name_that_is_none_is_answered_with_the_nearest(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    done = by_url(elsewhere, clones.url, "resolve", "chrun")

    assert (done.code, done.out) == (1, "")
    assert done.err == "error: no artifact is called chrun\nhint: did you mean churn?\n"


def test_an_empty_repository_has_nothing(git_server: GitServer, elsewhere: RepoStory) -> None:
    url = git_server.create("empty.git")

    assert told_json(elsewhere, "show", "--repo", url) == {"artifacts": []}
    assert by_url(elsewhere, url, "resolve", "churn").code == 1
    assert "no commits" in by_url(elsewhere, url, "register", "churn").err


def test_a_repository_with_long_object_ids(git_server: GitServer, elsewhere: RepoStory, tmp_path: Path) -> None:
    path = git_server.path("long.git")
    subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", str(tmp_path / "long")], check=True)
    story = RepoStory(tmp_path / "long")
    story.git("config", "user.name", "Ana")
    story.git("config", "user.email", "ana@example.com")
    story.write("registry.yaml", "models: {churn: {description: long}}\n").commit("Declare")
    story.register("churn", "v1.0.0")
    subprocess.run(["git", "clone", "-q", "--bare", str(story.path), str(path)], check=True)

    for _ in range(2):
        found = told_json(elsewhere, "resolve", "churn", "--repo", path.as_uri())
        assert (found["commit"], found["description"]) == (story.git("rev-parse", "HEAD"), "long")


def test_what_needs_a_work_tree_says_so(clones: Clones, elsewhere: RepoStory) -> None:
    for words in (["status"], ["check"], ["init"], ["add", "x"], ["remove", "churn"]):
        done = by_url(elsewhere, clones.url, *words)
        assert (done.code, done.out) == (1, ""), words
        assert "work tree" in done.err.splitlines()[0], words


def test_there_is_no_other_remote(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    assert by_url(elsewhere, clones.url, "assign", "churn", "staging", "--remote", "origin").code == 2


def test_fetch_and_push_have_nothing_left_to_do(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    for words in (["fetch"], ["fetch", "churn"]):
        done = by_url(elsewhere, clones.url, *words)
        assert (done.code, done.out, done.err) == (0, "", f"nothing new at {clones.url}\n")
    assert by_url(elsewhere, clones.url, "push").err == f"nothing to publish to {clones.url}\n"


def test_what_the_server_refuses_is_said_with_the_url(
    git_server: GitServer, tmp_path: Path, elsewhere: RepoStory
) -> None:
    clones = Clones.begin(git_server, tmp_path, pre_receive="exit 1")

    done = by_url(elsewhere, clones.url, "register", "churn")

    assert (done.code, done.out) == (1, "")
    assert clones.url in done.err
    assert "origin" not in done.err


def test_python_reads_by_url(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    registry = Registry(clones.url)

    assert repr(registry) == f"Registry({clones.url!r})"
    assert [artifact.name for artifact in registry.show()] == ["churn", "cv:pool", "fraud"]
    assert registry.resolve("churn").metadata.metrics == {"auc": 0.93}
    assert registry.resolve("fraud").version == "v0.1.0"
    assert Model("churn", "production", repo=clones.url).version == "v0.0.2"
    ana.assign("churn@v0.0.1", "production", push=True)
    assert registry.find("churn#production") == "v0.0.2"
    registry.refresh()
    assert registry.find("churn#production") == "v0.0.1"


# -- pulling -----------------------------------------------------------------------------------------------------------


def test_pull_brings_files_and_directories(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    works(elsewhere, "pull", "churn@v0.0.1", "-o", "one", "--repo", clones.url)
    works(elsewhere, "pull", "fraud", "-o", "two", "--repo", clones.url)

    assert (elsewhere.path / "one/models/churn.pkl").read_text() == "weights 1\n"
    assert (elsewhere.path / "two/models/fraud/deep/er/labels").read_text() == "l\n"


def test_pull_does_not_follow_a_link_that_leads_out(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    (ana.path / "models/fraud/link").symlink_to("../../far/away/out")
    (ana.path / "far/away").mkdir(parents=True)
    (ana.path / "far/away/out").symlink_to("/etc/hostname")
    ana.commit("Lead out")
    ana.git("push", "-q", "origin", "main")
    ana.git("tag", "-a", "-m", "x", "fraud@v0.2.0")
    ana.git("push", "-q", "origin", "fraud@v0.2.0")

    done = by_url(elsewhere, clones.url, "pull", "fraud@v0.2.0")

    assert done.code == 1
    assert "leads out of the repository" in done.err


# -- writing -----------------------------------------------------------------------------------------------------------


def test_what_is_written_is_pushed(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    def write(*words: str) -> list[str]:
        return works(elsewhere, *words, "--repo", clones.url)

    assert write("register", "churn") == ["churn@v0.0.3"]
    assert write("assign", "churn@v0.0.3", "production", "--reason", "Better")[-1].startswith("churn#production#")
    assert write("rollback", "churn", "production")
    assert clones.state().stages["production"] == "v0.0.2"
    assert write("annotate", "churn@v0.0.3", "--label", "good")
    assert write("unassign", "churn", "production")
    assert write("deregister", "churn@v0.0.3")
    assert write("deprecate", "fraud")
    state = clones.state()
    assert (state.latest and state.latest.name, state.stages) == ("v0.0.2", {"staging": "v0.0.1"})
    clones.check_chain()
    assert clones.state("fraud").deprecated
    ana.registry.fetch()
    assert said(ana, "show", "churn") == told_json(elsewhere, "show", "churn", "--repo", clones.url)


def test_register_takes_any_commit_of_the_server(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    old, head = ana.git("rev-parse", "main~2"), ana.git("rev-parse", "main")
    ana.git("push", "-q", "origin", f"{ana.git('rev-parse', 'main~1')}:refs/heads/team/next")

    for number, (revision, commit) in enumerate(
        ((old, old), ("team/next", ana.git("rev-parse", "main~1")), ("HEAD", head), ("main", head)), 1
    ):
        words = ("register", "fraud", revision, "--version", f"v{number}.0.0", "--force", "--repo", clones.url)
        assert works(elsewhere, *words) == [f"fraud@v{number}.0.0"]
        assert clones.state("fraud").versions[f"v{number}.0.0"].commit == commit
    clones.check_chain("fraud")


def test_what_is_registered_is_what_a_clone_registers(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    written = told_json(elsewhere, "register", "fraud", "--uses", "churn", "--repo", clones.url)
    ana.registry.fetch()
    [by_url_] = [event["metadata"] for event in written["events"]]

    assert [file["path"] for file in by_url_["artifacts"]] == ["models/fraud/deep/er/labels", "models/fraud/weights"]
    assert by_url_["uses"] == ["churn@v0.0.2"]
    assert run(ana, "register", "fraud", "--version", "v9.0.0", "--force", "--dry-run") == ["fraud@v9.0.0"]


def test_a_revision_that_the_server_has_not_is_named(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    for revision in ("nope", "0" * 39 + "1", "main~1", "--upload-pack=x"):
        done = by_url(elsewhere, clones.url, "register", "churn", *(["--"] if revision[0] == "-" else []), revision)
        assert (done.code, done.out) == (1, ""), revision
        assert "no commit is called" in done.err, revision


def test_a_dry_run_publishes_nothing(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    before = clones.server_refs()

    assert works(elsewhere, "register", "churn", "--dry-run", "--repo", clones.url) == ["churn@v0.0.3"]
    assert clones.server_refs() == before


def test_tags_are_deleted_on_the_server(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    works(elsewhere, "delete", "churn@v0.0.2", "fraud@v0.1.0", "--yes", "--repo", clones.url)

    assert not {"churn@v0.0.2", "fraud@v0.1.0"} & clones.server_tags().keys()
    assert by_url(elsewhere, clones.url, "resolve", "churn").out == "v0.0.1\n"


def test_two_write_by_url_at_once(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    command = [sys.executable, "-m", "registry", "assign", "churn", "staging", "--force", "--repo", clones.url]
    both = [subprocess.Popen(command, env=elsewhere.environment_whole()) for _ in range(2)]

    assert [one.wait() for one in both] == [0, 0]
    clones.check_chain()


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_a_password_is_used_and_shown_nowhere(
    clones: Clones, proxy: Proxy, ana: RepoStory, elsewhere: RepoStory, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    shim.write_text(f'#!/bin/sh\necho "$@" >>{seen}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    home = Path(os.environ["HOME"])
    RepoStory(elsewhere.path).git("config", "--global", "credential.helper", f"store --file={home}/stored")
    url = clones.server.url(NAME, "private", login=f"{USER}:{PASSWORD}")
    path = f"{shim.parent}:{os.environ['PATH']}"
    trace = {"GIT_TRACE": str(tmp_path / "trace"), "PATH": path}

    answers = [
        elsewhere.cli(words[0], "--repo", url, *words[1:], env=trace)
        for words in (["resolve", "churn"], ["show", "churn"], ["assign", "churn", "staging"], ["resolve", "nope"])
    ]
    answers.append(elsewhere.cli("show", "--repo", url.replace("models.git", "none.git"), env=trace))

    assert [one.code for one in answers] == [0, 0, 0, 1, 1], answers
    places = [file for top in (home, tmp_path) for file in top.rglob("*") if file.is_file()]
    assert seen in places
    secret = [file for file in places if PASSWORD in file.read_bytes().decode(errors="replace")]
    assert [file for file in secret if "server" not in file.parts] == []
    assert not any(PASSWORD in one.out + one.err for one in answers)
    assert PASSWORD not in repr(Registry(url))


def test_a_helper_of_the_users_is_asked(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    url = clones.server.url(NAME, "private")
    before = by_url(elsewhere, url, "resolve", "churn")
    helper = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
    RepoStory(elsewhere.path).git("config", "--global", "credential.helper", helper)

    assert (before.code, before.out) == (1, "")
    assert "login" in before.err
    assert "credential" in before.err
    assert by_url(elsewhere, url, "resolve", "churn").out == "v0.0.2\n"


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/x.git", "cannot be reached"),
        ("http://nobody.invalid/x.git", "cannot be reached"),
        ("file:///nowhere/x.git", "there is no repository at file:///nowhere/x.git"),
    ],
)
def test_what_cannot_be_reached_is_said_in_one_line(elsewhere: RepoStory, url: str, words: str) -> None:
    for command in (["resolve", "churn"], ["show"], ["assign", "churn", "staging"]):
        done = by_url(elsewhere, url, *command)
        assert (done.code, done.out) == (1, "")
        error, hint = done.err.splitlines()
        assert error.startswith("error: ")
        assert words in error
        assert url in error
        assert hint.startswith("hint: ")


def test_a_repository_that_is_not_there(clones: Clones, elsewhere: RepoStory) -> None:
    done = by_url(elsewhere, clones.server.url("none.git"), "show")

    assert done.code == 1
    assert done.err.startswith("error: there is no repository at ")


@pytest.mark.parametrize("url", ["ext::sh -c 'touch ran'", "evil::x", "ftp://host/x", "git+ext://x", "http://x/\ny"])
def test_no_transport_runs_a_command(elsewhere: RepoStory, url: str) -> None:
    assert by_url(elsewhere, url, "show").code == 2
    assert list(elsewhere.path.iterdir()) == []


def test_a_url_is_told_from_a_path(elsewhere: RepoStory) -> None:
    (elsewhere.path / "here:there").mkdir()
    urls = {text for text in ("https://x/y", "git@h:x", "h:x", "file:///x", "ext::x") if is_url(text)}
    paths = {text for text in ("x", "./h:x", "/h:x", "here:there", "a/b:c", ".") if is_url(text)}

    assert urls == {"https://x/y", "git@h:x", "h:x", "file:///x", "ext::x"}
    assert paths == set()


@pytest.mark.parametrize("words", [["resolve", "churn"], ["show"]], ids=" ".join)
def test_a_fetch_that_was_killed_leaves_nothing_in_the_way(
    clones: Clones, proxy: Proxy, ana: RepoStory, elsewhere: RepoStory, words: list[str]
) -> None:
    url = proxy.url(NAME)
    works(elsewhere, *words, "--repo", url)
    ana.assign("churn@v0.0.1", "staging", force=True, push=True)
    expected = told(*words, "--repo", str(ana.path)).out
    proxy.fail(Fault.HANG, "POST ")
    command = [sys.executable, "-m", "registry", *words, "--repo", url]
    killed = subprocess.Popen(command, env=elsewhere.environment_whole(), start_new_session=True)
    proxy.met.wait(30)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    for mirror in mirrors():  # what a git leaves that dies at a worse moment
        for name in ("shallow.lock", "packed-refs.lock", "config.lock"):
            (mirror / name).touch()
        (mirror / "config").write_text("[core\n")
        (mirror / "HEAD").write_text("")
    proxy.heal()

    assert by_url(elsewhere, url, *words).out == expected


def test_a_mirror_that_is_damaged_is_made_anew(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    works(elsewhere, "show", "churn", "--repo", clones.url)
    for mirror in mirrors():
        for file in [*mirror.glob("objects/pack/*.pack"), mirror / "shallow"]:
            if file.exists():
                file.chmod(0o644)
                file.write_bytes(b"")

    assert by_url(elsewhere, clones.url, "resolve", "churn").out == "v0.0.2\n"


def test_many_read_at_once(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    command = [sys.executable, "-m", "registry", "show", "churn", "--json", "--repo", clones.url]
    all_ = [subprocess.Popen(command, env=elsewhere.environment_whole(), stdout=subprocess.PIPE) for _ in range(4)]
    answers = [one.communicate()[0] for one in all_]

    assert {one.returncode for one in all_} == {0}
    assert [json.loads(answer) for answer in answers] == [said(ana, "show", "churn")] * 4


def test_the_server_has_gone(clones: Clones, proxy: Proxy, ana: RepoStory, elsewhere: RepoStory) -> None:
    works(elsewhere, "resolve", "churn", "--repo", proxy.url(NAME))
    proxy.fail(Fault.CUT, ALL)

    done = by_url(elsewhere, proxy.url(NAME), "resolve", "churn")

    assert (done.code, done.out) == (1, "")  # never an answer that may be old


def test_the_mirrors_are_the_users_own(clones: Clones, ana: RepoStory, elsewhere: RepoStory) -> None:
    works(elsewhere, "resolve", "churn", "--repo", clones.url)

    assert {oct(path.stat().st_mode & 0o777) for path in [mirrors()[0].parent, *mirrors()]} == {"0o700"}


def test_a_cache_directory_that_cannot_be_written(
    clones: Clones, elsewhere: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere.path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere.path / "file"))

    done = by_url(elsewhere, clones.url, "show")

    assert done.code == 1
    assert "XDG_CACHE_HOME" in done.err


def test_not_found_is_not_found(clones: Clones) -> None:
    with pytest.raises(NotFound):
        Registry(clones.url).resolve("nope")

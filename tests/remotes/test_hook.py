"""The server's hook over HTTP: people work as ever, the rules hold for all of them, and who is refused hears why."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry import Registry
from registry.core import chain
from registry.core.events import Assignment
from tests.remotes.story import NAME, Clones, run, said, tags, train
from tests.servers import GitServer, Proxy
from tests.story import START, RepoStory
from tests.trust.story import Keys, block, email, forged

POLICY = """\
stages:
  staging: {}
  production: {after: staging, exclusive: true, allow: ["@release"], signed: true, approvals: 1}
  live: {exclusive: true}
  gated: {require: {metrics: {auc: ">=0.9"}}}
teams: {release: [ana@example.com, bo@example.com]}
models:
  churn: {path: models/churn.pkl}
  fraud: {}
"""


def install(server: GitServer) -> Path:
    """The hook as the command installs it; its clock is that of the stories."""
    path = server.path(NAME)
    command = [sys.executable, "-m", "registry", "hook", "install", str(path)]
    said_ = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    hook = path / "hooks" / "pre-receive"
    assert said_ == f"{hook}\n"
    first, rest = hook.read_text().split("\n", 1)
    hook.write_text(f"{first}\nexport GIT_COMMITTER_DATE='{START + 6 * 3600} +0000'\n{rest}")
    assert hook.stat().st_mode & stat.S_IXOTH
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Everybody's keys."""
    return Keys(tmp_path / "keys")


@pytest.fixture
def guarded(git_server: GitServer, tmp_path: Path, keys: Keys) -> Clones:
    """Clones of a repository with a policy, keys of Ana, Bo and Cy, and the hook."""
    clones = Clones.begin(git_server, tmp_path, manifest=POLICY)
    first = RepoStory(tmp_path / "first")
    first.write(".registry/allowed_signers", keys.allowed("ana", "bo", "cy")).commit("Who may sign")
    first.git("push", "-q", str(clones.path), "HEAD:refs/heads/main")
    install(git_server)
    return clones


def clone_of(clones: Clones, keys: Keys, who: str, *options: str, sign: bool = True) -> RepoStory:
    return keys.become(clones.clone(*options), who, sign=sign)


def who(keys: Keys, name: str) -> None:
    """From now on `name` writes where there is no clone."""
    settings = {
        "user.name": name,
        "user.email": email(name),
        "gpg.format": "ssh",
        "user.signingKey": str(keys.of(name)),
    }
    for key, value in settings.items():
        subprocess.run(["git", "config", "--global", key, value], check=True)


def push(story: RepoStory, *refs: str) -> tuple[int, str]:
    """Push by plain Git: its exit code, and what the person reads."""
    done = subprocess.run(
        ["git", "push", *refs], cwd=story.path, env=story.environment_whole(), capture_output=True, check=False
    )
    return done.returncode, done.stderr.decode(errors="replace").replace("remote: ", "")


# -- people work as ever ---------------------------------------------------------------------------------------------


def test_a_life_with_rules_from_registration_to_production(guarded: Clones, keys: Keys) -> None:
    ana, bo = clone_of(guarded, keys, "ana", sign=False), clone_of(guarded, keys, "bo", sign=False)
    run(ana, "register", "churn", "--version", "v1.0.0", "--push")
    run(bo, "assign", "churn@v1.0.0", "staging", "--push")

    refused = ana.cli("assign", "churn@v1.0.0", "production", "--push")
    assert (refused.code, "0 of 1 approvals" in refused.err) == (1, True), refused
    run(bo, "approve", "churn@v1.0.0", "production", "--push")
    assert run(ana, "assign", "churn@v1.0.0", "production", "--push") == ["churn#production#4"]
    train(ana)
    run(ana, "register", "churn", "--push")
    run(ana, "assign", "churn", "staging")
    run(bo, "fetch")
    run(bo, "annotate", "churn@v1.0.0", "--label", "x", "--push")
    run(ana, "push")
    run(ana, "deregister", "churn@v1.0.0", "--push")

    guarded.check_chain()
    guarded.check_no_clone_has_more()
    assert Registry(guarded.path).verify().trusted
    assert said(bo, "verify", "--policy", "HEAD")["trusted"]


def test_two_who_race_for_versions_and_an_exclusive_stage_both_come_through(guarded: Clones, keys: Keys) -> None:
    stories = [clone_of(guarded, keys, who, sign=False) for who in ("ana", "bo")]

    def work(story: RepoStory) -> None:
        for _ in range(3):
            [made] = said(train(story), "register", "churn", "--push")["events"]
            run(story, "assign", f"churn@{made['version']}", "live", "--push")

    with ThreadPoolExecutor(2) as pool:
        [*pool.map(work, stories)]

    state = guarded.state()
    assert [*state.versions] == [f"v0.0.{n}" for n in range(1, 7)]
    assert len(state.holdings["live"]) == 1
    assert sum(isinstance(event, Assignment) for event in state.events) == 6
    guarded.check_chain()
    guarded.check_no_clone_has_more()
    assert [*chain.breaks(state)] == []
    assert Registry(guarded.path).verify().trusted


@pytest.mark.parametrize("by_url", [False, True], ids=["a clone", "a URL"])
def test_who_is_beaten_between_looking_and_pushing_decides_again(
    guarded: Clones, proxy: Proxy, keys: Keys, by_url: bool
) -> None:
    """The hook is asked before Git looks at leases, and refuses what would be a lost race: that is told apart."""
    ana, bo = clone_of(guarded, keys, "ana", sign=False), guarded.clone(url=proxy.url(NAME))
    proxy.meanwhile(lambda: run(train(ana), "register", "churn", "--push"))
    if by_url:
        who(keys, "bo")

    made = run(train(bo), "register", "churn", "--push", *(["--repo", proxy.url(NAME)] if by_url else []))

    assert made == ["churn@v0.0.2"]
    guarded.check_chain()
    # Who is refused for good hears so at once.
    asked = len(proxy.requests)
    bo.tag("churn#production#3", "by hand")
    assert "it is not signed" in bo.cli("push").err
    assert len(proxy.requests) - asked < 20


def test_without_a_clone(guarded: Clones, keys: Keys) -> None:
    story = clone_of(guarded, keys, "ana", sign=False)
    url = ("--repo", guarded.url)
    who(keys, "ana")

    assert run(story, "register", "churn", *url, "--version", "v1.0.0") == ["churn@v1.0.0"]
    run(story, "assign", "churn@v1.0.0", "staging", *url)
    refused = story.cli("assign", "churn@v1.0.0", "production", *url)
    assert (refused.code, "0 of 1 approvals" in refused.err) == (1, True), refused
    who(keys, "bo")
    run(story, "approve", "churn@v1.0.0", "production", *url)
    who(keys, "ana")
    run(story, "assign", "churn@v1.0.0", "production", *url)

    guarded.check_chain()
    assert Registry(guarded.path).verify().trusted
    assert story.cli("verify", *url).code == 0


@pytest.mark.parametrize("options", [("--depth=1",), ("--filter=tree:0", "--no-checkout"), ("--bare",)])
def test_who_has_little_of_it_pushes_all_the_same(guarded: Clones, keys: Keys, options: tuple[str, ...]) -> None:
    run(clone_of(guarded, keys, "ana", sign=False), "register", "churn", "--push")
    story = clone_of(guarded, keys, "bo", *options, sign=False)

    run(story, "register", "fraud", "--push")
    run(story, "assign", "churn@v0.0.1", "staging", "--push")

    guarded.check_chain("churn")
    guarded.check_chain("fraud")


def test_where_heads_are_hidden_the_tags_are_judged_alone(git_server: GitServer, tmp_path: Path) -> None:
    hidden = {"receive.hideRefs": "refs/registry", "uploadpack.hideRefs": "refs/registry"}
    clones = Clones.begin(git_server, tmp_path, manifest=POLICY, settings=hidden)
    install(git_server)
    ana, bo = clones.two()

    run(ana, "register", "churn", "--push")
    run(train(bo), "register", "churn", "--push")
    run(ana, "fetch")
    run(ana, "assign", "churn@v0.0.2", "staging", "--push")

    assert sorted(clones.server_tags()) == ["churn#staging#3", "churn@v0.0.1", "churn@v0.0.2"]
    assert [*chain.breaks(clones.state())] == []
    forged(bo, "churn#staging#9", "Forged\n\nRegistry: 1\nVersion: v0.0.1\n")
    assert "its counter is 9, and 4 comes next" in push(bo, "origin", "refs/tags/churn#staging#9")[1]


def test_what_gto_writes_is_taken_and_taken_in(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    ana.tag("churn@v1.0.0", "Registering artifact churn version v1.0.0").tag("churn#staging#1", "Assigning stage")
    assert push(ana, "origin", "--tags")[0] == 0
    run(train(ana), "register", "churn", "--push")
    train(ana).tag("churn@v1.1.0", "Registering").tag("churn#live#3", "Assigning")

    assert push(ana, "origin", "--tags")[0] == 0
    run(ana, "assign", "churn@v1.1.0", "live", "--force", "--push")

    events = guarded.state().events
    assert [event.tag for event in events] == [
        "churn@v1.0.0", "churn#staging#1", "churn@v1.0.1", "churn@v1.1.0", "churn#live#3", "churn#live#4"
    ]  # fmt: skip
    assert Registry(guarded.path).verify().trusted
    code, err = push(ana.tag("churn#production#5", "Assigning"), "origin", "--tags")
    assert (code, "it is not signed, and production wants a signature" in err) == (1, True)


def test_a_thousand_tags_in_one_push(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    head, previous, lines = ana.git("rev-parse", "HEAD"), "", []
    for n in range(1000):
        keys_ = f"Registry: 1\nCounter: {n + 1}\nNumber: {n + 1}\n{previous}"
        raw = f"object {head}\ntype commit\ntag churn@v0.0.{n}\ntagger A <a@b> {START + n} +0000\n\nRegister\n\n{keys_}"
        oid = ana.git("hash-object", "-t", "tag", "-w", "--stdin", data=raw.encode()) if n < 2 else ""
        # The rest as one pack: a process each would take a minute.
        oid = oid or _id(raw)
        lines.append((f"refs/tags/churn@v0.0.{n}", oid, raw))
        previous = f"Previous: {oid}\n"
    _store(ana, [raw for _, _, raw in lines])
    ana.git("update-ref", "--stdin", data="".join(f"create {ref} {oid}\n" for ref, oid, _ in lines).encode())

    run(ana, "push")

    assert len(guarded.server_tags()) == 1000
    guarded.check_chain()


def _id(raw: str) -> str:
    from registry.core.draft import object_id

    return object_id(raw.encode(), 40)


def _store(story: RepoStory, raws: list[str]) -> None:
    from registry.plumbing.pack import pack

    story.git("index-pack", "--strict", "--stdin", data=pack([raw.encode() for raw in raws], 40))


# -- and who does not is told ----------------------------------------------------------------------------------------


def test_good_and_bad_in_one_push_is_no_push(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    run(ana, "register", "churn")
    run(ana, "register", "fraud")
    ana.tag("churn#production#2", "by hand").tag("unrelated")
    before = guarded.server_refs()

    for words in ((), ("--atomic",)):
        code, err = push(ana, *words, "origin", "HEAD:refs/heads/topic", "--tags")
        assert code == 1
        assert "error: churn#production#2: it is not signed, and production wants a signature" in err
        assert "hint: " in err
        assert guarded.server_refs() == before
    done = ana.cli("push")
    assert done.code == 1
    assert "churn#production#2: it is not signed" in done.err
    assert "Traceback" not in done.err
    assert guarded.server_refs() == before
    run(ana, "push", "fraud")
    assert [*guarded.server_tags()] == ["fraud@v0.0.1"]


@pytest.mark.parametrize("word", ["moved", "deleted"])
def test_what_is_published_stays(guarded: Clones, keys: Keys, word: str) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    run(ana, "register", "churn", "--push")
    before = guarded.server_refs()
    if word == "moved":
        train(ana).git("tag", "-f", "-a", "-m", "another", "churn@v0.0.1")

    code, err = push(ana, "--force", "origin", "refs/tags/churn@v0.0.1" if word == "moved" else ":churn@v0.0.1")

    assert (code, f"a tag of the registry is not {word}" in err) == (1, True)
    assert push(ana, "--force", "origin", ":refs/registry/churn@head")[0] == 1
    assert push(ana, "--mirror", "--force", "origin")[0] == 1
    assert guarded.server_refs() == before


def test_a_head_alone_goes_nowhere_but_on(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    run(ana, "register", "churn", "--push")
    run(ana, "assign", "churn", "staging", "--push")
    first, last = (event.oid for event in guarded.state().events)

    assert push(ana, "--force", "origin", f"{first}:refs/registry/churn@head")[0] == 1
    assert push(ana, "origin", f"{last}:refs/registry/nobody@head")[0] == 1
    assert push(ana, "origin", "HEAD:refs/registry/x")[0] == 1
    assert guarded.server_head() == last


def test_refs_with_odd_names_are_nobodys_business(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    odd = ["a\u2028b", "a\x85b", "${{x}}", "a'b", "-x", "\u202e", "é"]
    for name in odd:
        ana.git("update-ref", f"refs/heads/{name}", "HEAD")
        ana.git("update-ref", f"refs/tags/{name}", "HEAD")
    ana.git("update-ref", b"refs/tags/\xff".decode(errors="surrogateescape"), "HEAD")

    code, err = push(ana, "origin", "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")

    assert (code, "error" in err) == (0, False), err
    ana.git("update-ref", b"refs/tags/\xff@v1.0.0".decode(errors="surrogateescape"), "HEAD")
    code, err = push(ana, "origin", "refs/tags/*:refs/tags/*")
    assert (code, "it looks like a registry tag" in err) == (1, True), err


def test_a_tag_that_is_too_large_is_told_as_such(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    ana.write("words", "x" * 1_100_000).git("tag", "-a", "-F", "words", "churn@v1.0.0")

    code, err = push(ana, "origin", "churn@v1.0.0")

    assert (code, "its tag object is larger than 1 MB" in err) == (1, True)


def test_a_version_that_moves_passes_the_gates_of_its_stages_again(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    run(ana, "register", "churn", "--version", "v1.0.0", "--metric", "auc=0.95", "--push")
    run(ana, "assign", "churn@v1.0.0", "gated", "--push")
    train(ana)
    forged(ana, "churn@v1.0.0#3", block(ana, "churn", "Metric: auc=0.1"))

    code, err = push(ana, "origin", "--tags")

    assert (code, "churn@v1.0.0#3: auc is 0.1, and has to be >=0.9" in err) == (1, True)


def test_of_two_versions_at_a_commit_the_one_that_is_meant_passes_the_gate(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    run(ana, "register", "churn", "--version", "v1.0.0", "--metric", "auc=0.95")
    run(ana, "register", "churn", "--version", "v2.0.0", "--metric", "auc=0.1", "--force", "--push")
    ana.tag("churn#gated#3", "as GTO does, without a Version: it means the greatest")

    code, err = push(ana, "origin", "--tags")

    assert (code, "churn#gated#3: auc is 0.1, and has to be >=0.9" in err) == (1, True)


def test_a_signature_in_the_name_of_another_over_http(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana")
    run(ana, "register", "churn", "--version", "v1.0.0", "--push")
    keys.become(ana, "ana", key="cy")
    forged(ana, "churn#production#2", block(ana, "churn", "Version: v1.0.0"), sign=True)

    code, err = push(ana, "origin", "--tags")

    assert (code, f"it is signed by {email('cy')}, not by its tagger {email('ana')}" in err) == (1, True)
    assert [*tags(guarded.path)] == ["churn@v1.0.0"]


def test_the_server_goes_by_the_branch_as_it_was_before(guarded: Clones, keys: Keys) -> None:
    ana = clone_of(guarded, keys, "ana", sign=False)
    run(ana, "register", "churn", "--version", "v1.0.0", "--push")
    ana.write(".registry/baseline", f"churn#production#2 {'0' * 40}\n")
    ana.write("registry.yaml", "models: {churn: {}}\n").commit("Anybody may")
    forged(ana, "churn#production#2", block(ana, "churn", "Version: v1.0.0"))

    code, err = push(ana, "origin", "HEAD:main", "--tags")

    assert (code, "production wants a signature" in err) == (1, True)
    assert [*guarded.server_tags()] == ["churn@v1.0.0"]

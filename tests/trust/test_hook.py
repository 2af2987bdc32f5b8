"""The server's hook: what it takes, and what it refuses, on a bare repository that is pushed to by path."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import Registry
from registry.errors import Refused
from tests.story import START, RepoStory
from tests.trust.conftest import promoted
from tests.trust.story import Keys, block, forged


@pytest.fixture
def server(guarded: RepoStory, tmp_path: Path) -> Path:
    """A bare repository with the hook, which `guarded` pushes to as `origin`; its default branch has the policy."""
    path = tmp_path / "server.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(guarded.path), str(path)], check=True)
    done = guarded.cli("hook", "install", str(path))
    assert done.code == 0, done.err
    guarded.git("remote", "add", "origin", str(path))
    guarded.git("fetch", "-q", "origin")
    guarded.git("remote", "set-head", "origin", "main")
    return path


def _push(story: RepoStory, *refs: str) -> str:
    """Push by plain Git, as anybody could; what the server said, "" where it took it."""
    done = subprocess.run(
        ["git", "push", "--atomic", "origin", *refs],
        cwd=story.path, env=story.environment_whole(), capture_output=True, check=False, text=True,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr


def _tags(server: Path) -> list[str]:
    listing = subprocess.run(["git", "tag"], cwd=server, capture_output=True, check=True, text=True)
    return listing.stdout.split()


# -- what it takes -----------------------------------------------------------------------------------------------------


def test_a_life_that_keeps_the_rules_passes(guarded: RepoStory, server: Path, keys: Keys) -> None:
    promoted(guarded, keys)

    pushed = guarded.cli("push")

    assert pushed.code == 0, pushed.err
    assert _tags(server) == guarded.tags
    guarded.train("weights 2\n")
    guarded.register("churn", push=True)
    guarded.assign("churn@latest", "staging", push=True)
    guarded.registry_at().annotate("churn@v1.0.0", labels=["x"], push=True)
    guarded.registry_at().deprecate("churn", push=True)
    assert _tags(server) == guarded.tags


def test_other_refs_are_left_alone(guarded: RepoStory, server: Path) -> None:
    guarded.tag("v1.0.0", light=True).tag("release-2", light=True).tag("somebody@1.2.3", light=True)
    guarded.tag("@scope/pkg@1.0.0").git("branch", "topic")

    assert _push(guarded, "v1.0.0", "release-2", "somebody@1.2.3", "@scope/pkg@1.0.0", "topic", "main") == ""
    assert _push(guarded, ":v1.0.0", ":topic") == ""


def test_gto_and_plain_git_push_without_heads(empty: RepoStory, tmp_path: Path) -> None:
    empty.write("registry.yaml", "models: {churn: {}}\n").commit("Declare churn")
    server = tmp_path / "server.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(empty.path), str(server)], check=True)
    assert empty.cli("hook", "install", str(server)).code == 0
    empty.git("remote", "add", "origin", str(server))
    empty.tag("churn@v1.0.0", "by GTO").tag("churn#prod#1", "by GTO")
    assert _push(empty, "--tags") == ""
    empty.register("churn", "v1.1.0").assign("churn@v1.1.0", "prod")
    assert _push(empty, "--tags") == ""
    empty.commit("More", empty=True)
    empty.tag("churn@v1.2.0", "by GTO").tag("churn#prod#4", "by GTO")
    assert _push(empty, "--tags") == ""


def test_a_thousand_tags_are_judged_in_one_pass(empty: RepoStory, tmp_path: Path) -> None:
    empty.write("registry.yaml", "models:\n" + "".join(f"  m{n}: {{}}\n" for n in range(100)))
    empty.commit("Declare")
    server = tmp_path / "server.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(empty.path), str(server)], check=True)
    assert empty.cli("hook", "install", str(server)).code == 0
    empty.git("remote", "add", "origin", str(server))
    for version in range(10):
        commit = empty.commit(f"Train {version}", empty=True)
        for model in range(100):
            empty.clock = START + 3600 * version + 120 * model  # within a day, and in order for each model
            said = f"Register\n\nRegistry: 1\nCounter: {version + 1}\nNumber: {version + 1}\n"
            if version:
                said += f"Previous: {empty.git('rev-parse', f'refs/tags/m{model}@v0.0.{version - 1}')}\n"
            empty.tag(f"m{model}@v0.0.{version}", said, commit)

    trace = tmp_path / "trace"
    done = subprocess.run(
        ["git", "push", "-q", "--atomic", "origin", "--tags"],
        cwd=empty.path, env={**empty.environment_whole(), "GIT_TRACE2_EVENT": str(trace)}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(_tags(server)) == 1000
    assert trace.read_text().count('"event":"start"') < 60


# -- what it refuses ---------------------------------------------------------------------------------------------------


def _unlisted(story: RepoStory, keys: Keys) -> str:
    keys.become(story, "ana", key="mallory")
    forged(story, "churn#production!#5", block(story, "churn", "Version: v1.0.0"), sign=True)
    return "churn#production!#5"


def _wrong_principal(story: RepoStory, keys: Keys) -> str:
    keys.become(story, "ana", key="cy")
    forged(story, "churn#production!#5", block(story, "churn", "Version: v1.0.0"), sign=True)
    return "churn#production!#5"


def _lightweight(story: RepoStory, _: Keys) -> str:
    story.tag("churn@v2.0.0", light=True)
    return "churn@v2.0.0"


def _inner_name(story: RepoStory, _: Keys) -> str:
    story.git("update-ref", "refs/tags/churn#production#5", story.git("rev-parse", "refs/tags/churn#production#4"))
    return "churn#production#5"


def _malformed(story: RepoStory, _: Keys) -> str:
    story.tag("churn@2.0.0")
    return "churn@2.0.0"


def _homoglyph(story: RepoStory, _: Keys) -> str:
    story.tag("сhurn@v2.0.0")  # noqa: RUF001  (the first letter is Cyrillic: the attack)
    return "сhurn@v2.0.0"  # noqa: RUF001  (the same)


def _case_twin(story: RepoStory, _: Keys) -> str:
    forged(story, "Churn@v1.0.0", "Register\n\nRegistry: 1\nCounter: 1\nNumber: 1\n")
    return "Churn@v1.0.0"


def _stage_twin(story: RepoStory, _: Keys) -> str:
    forged(story, "churn#Production#5", block(story, "churn", "Version: v1.0.0"))
    return "churn#Production#5"


def _counter(story: RepoStory, _: Keys) -> str:
    forged(story, "churn#staging#7", block(story, "churn", "Version: v1.0.0"))
    return "churn#staging#7"


def _counter_again(story: RepoStory, _: Keys) -> str:
    forged(story, "churn#staging!#3", "by GTO")
    return "churn#staging!#3"


def _number(story: RepoStory, _: Keys) -> str:
    forged(story, "churn@v2.0.0", block(story, "churn", "Counter: 5", "Number: 1"))
    return "churn@v2.0.0"


def _chain(story: RepoStory, _: Keys) -> str:
    first = story.registry.repository.state("churn").events[0].oid
    forged(story, "churn#staging#5", f"Forged\n\nRegistry: 1\nPrevious: {first}\nVersion: v1.0.0\n")
    return "churn#staging#5"


def _backdated(story: RepoStory, _: Keys) -> str:
    story.clock -= 3600
    forged(story, "churn#staging#5", block(story, "churn", "Version: v1.0.0"))
    story.clock += 3600
    return "churn#staging#5"


def _postdated(story: RepoStory, _: Keys) -> str:
    story.clock += 2 * 86400
    forged(story, "churn#staging#5", block(story, "churn", "Version: v1.0.0"))
    story.clock -= 2 * 86400
    return "churn#staging#5"


def _undeclared(story: RepoStory, _: Keys) -> str:
    forged(story, "other@v1.0.0", "Register\n\nRegistry: 1\nCounter: 1\nNumber: 1\n")
    return "other@v1.0.0"


def _overwritten(story: RepoStory, _: Keys) -> str:
    story.train("poisoned\n")
    forged(story, "churn@v1.0.0#5", block(story, "churn"), sign=True)
    return "churn@v1.0.0#5"


def _without_after(story: RepoStory, keys: Keys) -> str:
    story.train("weights 2\n")
    forged(story, "churn@v2.0.0", block(story, "churn", "Counter: 5", "Number: 2"), sign=True)
    keys.become(story, "bo")
    forged(story, "churn@v2.0.0=#6", block(story, "churn", "Approved: production"), sign=True)
    keys.become(story, "ana")
    forged(story, "churn#production#7", block(story, "churn", "Version: v2.0.0"), sign=True)
    return "churn#production#7"


def _blob(story: RepoStory, _: Keys) -> str:
    story.git("update-ref", "refs/tags/churn@v2.0.0", story.git("hash-object", "-w", "--stdin", data=b"x"))
    return "churn@v2.0.0"


Attack = Callable[[RepoStory, Keys], str]
ATTACKS: list[tuple[Attack, str]] = [
    (_unlisted, "a key that is not listed"),
    (_wrong_principal, "it is signed by cy@example.com, not by its tagger ana@example.com"),
    (_lightweight, "it is a lightweight tag of a commit"),
    (_inner_name, "the tag object inside says 'churn#production#4'"),
    (_malformed, "it looks like a registry tag"),
    (_homoglyph, "it looks like a registry tag"),
    (_case_twin, "differs from churn in case only"),
    (_stage_twin, "differs from production in case only"),
    (_counter, "its counter is 7, and 5 comes next"),
    (_counter_again, "its counter is 3, and there is one up to 4"),
    (_number, "its number is 1, and 2 comes next"),
    (_chain, "it does not follow"),
    (_backdated, "is before that of the newest event"),
    (_postdated, "is more than a day ahead of the server's clock"),
    (_undeclared, "other is not in the manifest at this commit"),
    (_overwritten, "it moves v1.0.0"),
    (_without_after, "v2.0.0 had not been in staging"),
    (_blob, "it is a lightweight tag of a blob"),
]


@pytest.mark.parametrize(("attack", "said"), ATTACKS, ids=lambda one: getattr(one, "__name__", ""))
def test_an_attack_is_refused_with_all_that_comes_with_it(
    guarded: RepoStory, server: Path, keys: Keys, attack: Attack, said: str
) -> None:
    promoted(guarded, keys)
    assert guarded.cli("push").code == 0
    before = _tags(server)
    there = set(guarded.tags)
    tag = attack(guarded, keys)
    guarded.tag("fine")
    new = [f"refs/tags/{name}" for name in guarded.tags if name not in there]

    refused = _push(guarded, *new)

    assert f"error: {tag}: " in refused.replace("remote: ", "")
    assert said in refused
    assert _tags(server) == before


def test_published_tags_neither_move_nor_go(guarded: RepoStory, server: Path, keys: Keys) -> None:
    promoted(guarded, keys)
    assert guarded.cli("push").code == 0
    guarded.git("tag", "-d", "churn@v1.0.0")
    guarded.tag("churn@v1.0.0", "another")

    assert "a tag of the registry is not moved" in _push(guarded, "--force", "refs/tags/churn@v1.0.0")
    assert "a tag of the registry is not deleted" in _push(guarded, ":refs/tags/churn#production#4")
    assert "a head is not deleted" in _push(guarded, ":refs/registry/churn@head")
    first = guarded.registry.repository.state("churn").events[0].oid
    back = _push(guarded, "--force", f"{first}:refs/registry/churn@head")
    assert "it does not go to the last event of churn, which is churn#production#4" in back
    assert "it is no head of an artifact" in _push(guarded, "HEAD:refs/registry/other")


def test_a_policy_that_changes_in_the_push_that_profits_from_it(guarded: RepoStory, server: Path, keys: Keys) -> None:
    guarded.register("churn", "v1.0.0")
    guarded.write("registry.yaml", "models: {churn: {}}\n")
    guarded.write(".registry/allowed_signers", keys.line("mallory", principal="*")).commit("Anybody may")
    forged(guarded, "churn#production#2", block(guarded, "churn", "Version: v1.0.0"))

    refused = _push(guarded, "main", "--tags")

    assert "churn#production#2: it is not signed, and production wants a signature" in refused.replace("remote: ", "")
    assert _tags(server) == []
    assert _push(guarded, "main") == ""  # whether that is right is for the branch's own protection to say


def test_gates_are_held_by_the_server(empty: RepoStory, tmp_path: Path) -> None:
    manifest = 'stages: {prod: {require: {metrics: {auc: ">=0.9"}}}}\nmodels: {churn: {}}\n'
    empty.write("registry.yaml", manifest).commit("Declare churn")
    server = tmp_path / "server.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(empty.path), str(server)], check=True)
    assert empty.cli("hook", "install", str(server)).code == 0
    empty.git("remote", "add", "origin", str(server))
    empty.register("churn", "v1.0.0", metrics={"auc": 0.8})
    forged(empty, "churn#prod#2", block(empty, "churn", "Version: v1.0.0"))

    assert "auc is 0.8, and has to be >=0.9" in _push(empty, "--tags")


def test_registry_push_says_what_the_server_said(guarded: RepoStory, server: Path, keys: Keys) -> None:
    guarded.register("churn", "v1.0.0")
    forged(guarded, "churn@v1.0.0#2", block(guarded, "churn"), guarded.train("poisoned\n"))

    pushed = guarded.cli("push")

    assert pushed.code == 1
    assert "churn@v1.0.0#2: it moves v1.0.0" in pushed.err
    assert _tags(server) == []


def test_it_fails_closed(guarded: RepoStory, server: Path, keys: Keys) -> None:
    guarded.register("churn", "v1.0.0")
    hook = server / "hooks/pre-receive"
    text = hook.read_text()
    assert stat.S_IMODE(hook.stat().st_mode) & 0o111 == 0o111
    hook.write_text(text.replace("-m registry", "-m registry_is_gone"))
    assert "pre-receive hook declined" in _push(guarded, "--tags")
    hook.write_text(text)
    guarded.write("registry.yaml", "stages: {production: {signed: maybe}}\nmodels: {churn: {}}\n").commit("Broken")
    assert _push(guarded, "main") == ""

    assert "error: " in _push(guarded, "--tags")
    assert _tags(server) == []


def test_another_hook_is_not_overwritten(guarded: RepoStory, server: Path) -> None:
    hook = server / "hooks/pre-receive"
    assert Registry(server).install_hook() == str(hook)  # ours is written anew
    hook.write_text("#!/bin/sh\necho mine\n")

    with pytest.raises(Refused, match="there is a pre-receive hook already"):
        Registry(server).install_hook()
    assert "mine" in hook.read_text()
    done = guarded.cli("hook", "run", data="nonsense\n")
    assert done.code == 2
    assert guarded.cli("hook", "install", str(guarded.path / "nowhere")).code == 1


def test_it_guards_bare_repositories(guarded: RepoStory, server: Path) -> None:
    done = guarded.cli("hook", "install", str(guarded.path))
    assert done.code == 1
    assert "has a work tree" in done.err

    subprocess.run(["git", "config", "core.hooksPath", "/etc/hooks"], cwd=server, check=True)
    done = guarded.cli("hook", "install", str(server))
    assert "core.hooksPath is /etc/hooks" in done.err
    done = guarded.cli("hook")
    assert done.err.startswith("error: missing argument '{install|run}'. Choose from: install, run\n")

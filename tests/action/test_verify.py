"""`mode: verify`: every event of the server is judged by the policy of its default branch as it is now."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from registry import NotFound, UsageError
from registry.errors import Refused
from registry.plumbing.objects import Extent
from tests.action.act import ROOT, Runner
from tests.action.step import Ran, run
from tests.story import RepoStory
from tests.trust.conftest import promoted
from tests.trust.story import POLICY, Keys, block, forged

EXAMPLE = (ROOT / "examples" / "workflows" / "verify.yml").read_text()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Everybody's keys."""
    return Keys(tmp_path / "keys")


@pytest.fixture
def hosted(empty: RepoStory, keys: Keys, tmp_path: Path) -> RepoStory:
    """A model with a policy, a version that went the right way to production, and a host that has all of it."""
    empty.write("registry.yaml", POLICY).write("models/churn.pkl", "weights 1\n")
    empty.write(".registry/allowed_signers", keys.allowed("ana", "bo"))
    keys.become(empty, "ana").commit("Declare churn")
    empty.train()
    promoted(empty, keys)
    origin = tmp_path / "origin.git"
    empty.git("init", "-q", "--bare", "-b", "main", str(origin))
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        empty.git("-C", str(origin), "config", key, "true")
    empty.git("remote", "add", "origin", origin.as_uri())
    return published(empty)


def published(repo: RepoStory) -> RepoStory:
    """Everything is on the host, as plain git pushes it."""
    repo.git("push", "-q", "origin", "main", "refs/tags/*:refs/tags/*")
    return repo


def checkout(repo: RepoStory, place: Path, revision: str = "main") -> Path:
    """A clone as actions/checkout makes it: one commit and no tags."""
    commit, url = repo.git("rev-parse", revision), repo.git("remote", "get-url", "origin")
    repo.git("init", "-q", "-b", "main", str(place))
    for words in (
        ["remote", "add", "origin", url],
        ["fetch", "-q", "--no-tags", "--depth=1", "origin", f"+{commit}:refs/remotes/origin/main"],
        ["checkout", "-q", "--detach", "refs/remotes/origin/main"],
    ):
        repo.git("-C", str(place), *words)
    return place


def verified(clone: Path | RepoStory, **more: Any) -> Ran:
    """The step that the nightly workflow starts."""
    return run(clone, "schedule", mode="verify", **more)


def test_what_keeps_the_policy_is_trusted_in_a_shallow_checkout(hosted: RepoStory, tmp_path: Path) -> None:
    ran = verified(checkout(hosted, tmp_path / "clone"))

    assert (ran.code, ran.commands) == (0, []), ran.log
    assert ran.outputs == {"trusted": "true", "failures": "[]"}
    assert "## Registry verify: all is well" in ran.summary
    assert "Events: 4, in the baseline: 0. Signatures: 4, proven: 4." in ran.summary


def test_what_fails_is_told_with_who_and_when(hosted: RepoStory, keys: Keys, tmp_path: Path) -> None:
    keys.become(hosted, "mallory")
    forged(hosted, "churn#production#5", block(hosted, "churn", "Version: v1.0.0", "Counter: 5"), sign=True)
    published(hosted)

    ran = verified(checkout(hosted, tmp_path / "clone"))

    assert ran.code == 1
    assert ran.outputs["trusted"] == "false"
    found = json.loads(ran.outputs["failures"])
    assert [(one["tag"], one["code"]) for one in found] == [("churn#production#5", "signed")]
    assert (found[0]["author"], found[0]["email"]) == ("Mallory", "mallory@example.com")
    assert ran.commands[0].startswith("::error title=git-registry::churn#production#5: it is signed with a key")
    assert "by Mallory <mallory@example.com>, 2026-01-01T00:" in ran.commands[0]
    assert "`Mallory <mallory@example.com>`" in ran.summary
    assert "### What fails" in ran.summary


def test_the_policy_is_the_present_one_and_not_that_of_the_checkout(
    hosted: RepoStory, keys: Keys, tmp_path: Path
) -> None:
    clone = checkout(hosted, tmp_path / "clone")
    hosted.write(".registry/allowed_signers", keys.allowed("ana")).commit("Bo has left")
    published(hosted)

    ran = verified(clone)

    assert ran.code == 1, ran.log
    assert f"`{hosted.git('rev-parse', '--short=7', 'main')}`" in ran.summary


def test_a_baseline_is_heard_and_misses_what_was_deleted(hosted: RepoStory, tmp_path: Path) -> None:
    hosted.git("tag", "-a", "--no-sign", "-m", "GTO", "churn#production#9", "HEAD")
    hosted.write(".registry/baseline", f"churn#production#9 {hosted.git('rev-parse', 'churn#production#9')}\n").commit()
    published(hosted)
    first = verified(checkout(hosted, tmp_path / "one"))
    hosted.git("push", "-q", "origin", ":refs/tags/churn#production#9")
    second = verified(checkout(hosted, tmp_path / "two"))

    assert (first.code, second.code) == (0, 1), first.log + second.log
    [lost] = json.loads(second.outputs["failures"])
    assert (lost["tag"], lost["code"]) == ("churn#production#9", "baseline")


def test_a_policy_that_cannot_be_read_is_not_trusted(hosted: RepoStory, tmp_path: Path) -> None:
    hosted.write(".registry/baseline", "nonsense\n").commit()
    published(hosted)

    ran = verified(checkout(hosted, tmp_path / "clone"))

    assert ran.code == 1
    assert ran.outputs == {"trusted": "false", "failures": "[]"}
    assert ran.commands[0].startswith("::error title=git-registry::.registry/baseline at the default branch of origin")


def test_without_a_server_nothing_is_trusted(empty: RepoStory) -> None:
    empty.write("registry.yaml", POLICY).commit()

    ran = verified(empty)

    assert (ran.code, ran.outputs["trusted"]) == (1, "false")
    with pytest.raises(NotFound):
        empty.registry.verify(present=True)
    with pytest.raises(UsageError, match="the remote's present"):
        empty.registry.verify(present=True, policy="HEAD")


def test_a_policy_that_asks_for_nothing_is_noticed(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))

    ran = verified(tmp_path / "clone")

    assert ran.code == 0, ran.log
    assert ran.commands == ["::notice title=git-registry::the policy asks for no signature and names nobody"]
    assert "This policy asks for no signature and names nobody." in ran.summary


def test_hostile_words_are_text_and_long_ones_hide_nothing(hosted: RepoStory, tmp_path: Path) -> None:
    head = hosted.git("rev-parse", "HEAD")
    for number, name in ((5, "::error::x ![x](https://evil.example) <script>"), (6, "x" * 200_000)):
        tagger = f"tagger {name} <m@example.com> 1767300000 +0000"
        raw = f"object {head}\ntype commit\ntag churn#production#{number}\n{tagger}\n\nx\n"
        hosted.raw_tag(f"churn#production#{number}", raw.encode())
    published(hosted)

    ran = verified(checkout(hosted, tmp_path / "clone"))

    assert ran.code == 1
    assert all(one.startswith("::error title=git-registry::churn#production#") for one in ran.commands)
    assert {one["tag"] for one in json.loads(ran.outputs["failures"])} == {"churn#production#5", "churn#production#6"}
    assert not [line for line in ran.summary.splitlines() if line.startswith(("<", "!"))]
    assert "<script>`" in ran.summary
    assert len(ran.summary) < 60_000


def test_many_failures_are_bounded_everywhere(hosted: RepoStory, tmp_path: Path) -> None:
    head = hosted.git("rev-parse", "HEAD")
    lines = []
    for number in range(5, 305):
        raw = f"object {head}\ntype commit\ntag x\ntagger M <m@example.com> 1767300000 +0000\n\nx\n"
        raw = raw.replace("tag x", f"tag churn#production#{number}")
        oid = hosted.git("hash-object", "-t", "tag", "-w", "--stdin", data=raw.encode())
        lines.append(f"create refs/tags/churn#production#{number} {oid}\n")
    hosted.git("update-ref", "--stdin", data="".join(lines).encode())
    published(hosted)

    ran = verified(checkout(hosted, tmp_path / "clone"))

    assert ran.code == 1
    assert len(json.loads(ran.outputs["failures"])) <= 256
    assert len(ran.commands) <= 51
    assert ran.commands[-1].endswith("in all: registry verify --json has them") or "takes no more" in ran.commands[-1]
    assert "Left out: " in ran.summary


def test_a_baseline_that_nobody_could_fetch_is_not_an_empty_one(hosted: RepoStory, tmp_path: Path) -> None:
    hosted.write(".registry/baseline", f"gone@v1.0.0 {'1' * 40}\n").commit()
    published(hosted)
    url = hosted.git("remote", "get-url", "origin")
    clone = tmp_path / "partial"
    hosted.git("clone", "-q", "--no-checkout", "--filter=blob:none", url, str(clone))
    story = RepoStory(clone)
    blob = story.git("rev-parse", "HEAD:.registry/baseline")
    story.registry.repository.bring_all([(story.git("rev-parse", "HEAD"), "registry.yaml")], Extent.BYTES)
    story.git("remote", "set-url", "origin", (tmp_path / "nowhere").as_uri())
    assert subprocess.run(["git", "cat-file", "-e", blob], cwd=clone, capture_output=True, check=False).returncode != 0

    with pytest.raises(Refused, match="is not in this clone"):
        story.registry.verify()


def test_auto_never_verifies(hosted: RepoStory, tmp_path: Path) -> None:
    ran = run(checkout(hosted, tmp_path / "clone"), "schedule")

    assert ran.outputs.get("trusted") is None
    assert ran.outputs["count"] == "0"


def test_the_nightly_workflow_fails_where_an_event_is_not_trusted(
    hosted: RepoStory, keys: Keys, runner: Runner
) -> None:
    well = runner.run(hosted, EXAMPLE, "schedule")
    keys.become(hosted, "mallory")
    forged(hosted, "churn#production#5", block(hosted, "churn", "Version: v1.0.0", "Counter: 5"), sign=True)
    published(hosted)
    failing = runner.run(hosted, EXAMPLE, "workflow_dispatch")

    assert well.code == 0, well.log
    assert failing.code != 0
    assert "it is signed with a key that is not listed" in failing.log

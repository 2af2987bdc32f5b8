"""`verify`: what keeps the policy passes, and each attack fails, with real keys."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from registry.errors import NotFound, Refused, UsageError
from tests.story import RepoStory
from tests.trust.conftest import promoted
from tests.trust.story import POLICY, Keys, block, forged


def _codes(story: RepoStory, selector: str | None = None, policy: str | None = None) -> list[tuple[str, str]]:
    found = story.registry.verify(selector, policy=policy)
    return [(one.subject, one.code) for one in found.failures]


# -- the right way -----------------------------------------------------------------------------------------------------


def test_a_promotion_that_keeps_the_policy_is_trusted(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)

    found = guarded.registry.verify()

    assert found.trusted
    assert (found.events, found.signed, found.proven) == (4, 4, 4)
    assert found.policy == "HEAD"
    assert found.commit == guarded.git("rev-parse", "HEAD")
    assert guarded.registry.resolve("churn#production", verify=True).version == "v1.0.0"
    for tag in guarded.tags:
        guarded.git("-c", "gpg.ssh.allowedSignersFile=.registry/allowed_signers", "verify-tag", tag)


def test_the_command_says_what_it_went_by(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    head = guarded.git("rev-parse", "--short=7", "HEAD")

    done = guarded.cli("verify")

    assert done.code == 0
    assert done.out == ""
    assert done.err == f"4 events, 4 of 4 signatures proven; by HEAD ({head}): all is well\n"


def test_the_writer_is_held_to_the_policy(guarded: RepoStory, keys: Keys) -> None:
    guarded.register("churn", "v1.0.0").assign("churn", "staging")
    refs = guarded.refs()

    with pytest.raises(Refused, match="0 of 1 approvals for production"):
        guarded.assign("churn", "production")
    guarded.registry_at().approve("churn", "production")  # one's own does not count
    with pytest.raises(Refused, match="0 of 1 approvals for production"):
        guarded.assign("churn", "production")
    keys.become(guarded, "bo").registry_at().approve("churn", "production")
    keys.become(guarded, "cy")
    with pytest.raises(Refused, match=r"cy@example.com may not change production"):
        guarded.assign("churn", "production")
    keys.become(guarded, "ana", key="mallory")
    with pytest.raises(Refused, match="a key that is not listed"):
        guarded.assign("churn", "production")
    keys.become(guarded, "ana", sign=False)
    with pytest.raises(Refused, match="the policy wants churn's tag to be signed"):
        guarded.assign("churn", "production", sign=False)
    assert "churn#production#5" not in guarded.refs()

    guarded.assign("churn", "production")  # signed without being told

    assert guarded.resolve("churn#production") == "v1.0.0"
    assert guarded.registry.verify().trusted
    assert refs != guarded.refs()


def test_an_approval_is_of_a_version_as_it_was_registered(guarded: RepoStory, keys: Keys) -> None:
    guarded.register("churn", "v1.0.0").assign("churn", "staging")
    keys.become(guarded, "bo").registry_at().approve("churn", "production")
    assert guarded.registry_at().approve("churn", "production").events == ()
    keys.become(guarded, "ana").deregister("churn@v1.0.0")
    guarded.register("churn", "v1.0.0").assign("churn", "staging")

    with pytest.raises(Refused, match="0 of 1 approvals"):
        guarded.assign("churn", "production")


# -- attacks -----------------------------------------------------------------------------------------------------------


def test_an_unlisted_key(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    keys.become(guarded, "ana", key="mallory")
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"), sign=True)

    assert _codes(guarded) == [("churn#production!#5", "signed")]
    [failure] = guarded.registry.verify().failures
    assert "a key that is not listed" in failure.message
    assert failure.email == "ana@example.com"


def test_a_listed_key_in_the_name_of_another(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    keys.become(guarded, "ana", key="cy")
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"), sign=True)
    guarded.git("-c", "gpg.ssh.allowedSignersFile=.registry/allowed_signers", "verify-tag", "churn#production!#5")

    [failure] = guarded.registry.verify().failures

    assert failure.code == "signed"
    assert "it is signed by cy@example.com, not by its tagger ana@example.com" in failure.message


@pytest.mark.parametrize("date", ["2026-01-01T00:00:00+00:00", "2019-06-01T00:00:00+00:00"])
def test_an_expired_key_even_of_a_tag_that_is_dated_back(guarded: RepoStory, keys: Keys, date: str) -> None:
    promoted(guarded, keys)
    line = keys.line("ana", options='valid-before="20200101Z"')
    guarded.write(".registry/allowed_signers", line + keys.allowed("bo", "cy")).commit("Retire Ana's key")
    guarded.at(date)
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"), sign=True)

    failing = dict(_codes(guarded))

    assert failing["churn#production!#5"] == "signed"
    assert failing["churn#production#4"] == "signed"  # nothing says when a tag was made: a baseline would accept it


def test_a_signature_moved_to_another_tag(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    raw = guarded.git("cat-file", "tag", "churn#production#4") + "\n"
    guarded.raw_tag("churn#production#5", raw.encode())  # the inner name is another: no event at all
    inner = raw.replace("tag churn#production#4\n", "tag churn#production#6\n")
    guarded.raw_tag("churn#production#6", inner.encode())

    found = guarded.registry.verify()

    assert ("churn#production#6", "signed") in [(one.subject, one.code) for one in found.failures]
    assert any("its signature is not of this tag" in one.message for one in found.failures)
    assert {finding.code for finding in guarded.registry.doctor().findings} >= {"renamed"}


def test_a_tag_that_was_moved_to_another_commit(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    other = guarded.train("poisoned\n")
    guarded.git("tag", "-d", "churn@v1.0.0")
    message = "Register\n\nRegistry: 1\nCounter: 1\nNumber: 1\n"
    forged(guarded, "churn@v1.0.0", message, other)

    codes = {code for _, code in _codes(guarded)}

    assert {"commit", "missing"} <= codes
    with pytest.raises(Refused, match="churn is not to be trusted by HEAD"):
        guarded.registry.resolve("churn#production", verify=True)


def test_a_message_that_forges_a_block(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    said = "Fine\n\nRegistry: 1\nApproved: production\nVersion: v9.9.9"
    guarded.register("churn", "v1.1.0", message=said)
    guarded.assign("churn@v1.1.0", "staging")

    with pytest.raises(Refused, match="0 of 1 approvals"):
        guarded.assign("churn@v1.1.0", "production")
    assert guarded.registry.verify().trusted


def test_an_approval_that_is_not_signed_counts_for_nothing(guarded: RepoStory, keys: Keys) -> None:
    guarded.register("churn", "v1.0.0").assign("churn", "staging")
    keys.become(guarded, "bo", sign=False)
    forged(guarded, "churn@v1.0.0=#3", block(guarded, "churn", "Approved: production"))
    keys.become(guarded, "ana")
    forged(guarded, "churn#production#4", block(guarded, "churn", "Version: v1.0.0"), sign=True)

    assert _codes(guarded) == [("churn#production#4", "approvals")]


def test_a_deleted_deregistration_does_not_come_back_unnoticed(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    guarded.deregister("churn@v1.0.0")
    guarded.register("churn", "v1.1.0")
    guarded.git("tag", "-d", "churn@v1.0.0!#5")
    assert guarded.resolve("churn#production") == "v1.0.0"

    assert _codes(guarded) == [("churn@v1.1.0", "missing")]
    assert guarded.cli("resolve", "churn#production", "--verify").code == 1


def test_the_newest_event_that_was_deleted_is_known_by_the_baseline(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    guarded.deregister("churn@v1.0.0")
    assert guarded.registry.write_baseline().events == 5
    guarded.commit("Accept what is there")
    assert guarded.registry.verify().accepted == 5
    guarded.git("tag", "-d", "churn@v1.0.0!#5")

    assert _codes(guarded) == [("churn@v1.0.0!#5", "baseline")]


def test_a_tag_that_replays_an_old_assignment(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    old = guarded.git("rev-parse", "refs/tags/churn#production#4")
    guarded.unassign("churn", "production")
    guarded.git("update-ref", "refs/tags/churn#production#6", old)

    assert guarded.resolve("churn@latest") == "v1.0.0"
    with pytest.raises(NotFound):
        guarded.resolve("churn#production")
    assert "renamed" in {finding.code for finding in guarded.registry.doctor().findings}


def test_two_that_follow_the_same_event(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    message = block(guarded, "churn", "Version: v1.0.0")
    forged(guarded, "churn#staging#5", message, sign=True)
    forged(guarded, "churn#staging#6", message, sign=True)

    assert _codes(guarded) == [("churn#staging#6", "fork")]


def test_what_goes_round_the_rules(guarded: RepoStory, keys: Keys) -> None:
    """Each of these changes what is in production without an assignment to it."""
    promoted(guarded, keys)
    other = guarded.train("poisoned\n")
    keys.become(guarded, "cy")
    number = block(guarded, "churn", "Label: x")
    forged(guarded, "churn@v1.0.0#5", number, other, sign=True)
    forged(guarded, "churn@v1.0.0!#6", block(guarded, "churn"), other, sign=True)

    found = _codes(guarded)

    assert ("churn@v1.0.0#5", "overwrite") in found
    assert ("churn@v1.0.0#5", "allow") in found
    assert ("churn@v1.0.0#5", "approvals") in found
    assert ("churn@v1.0.0!#6", "allow") in found


def test_an_assignment_that_waits_for_its_version(guarded: RepoStory, keys: Keys) -> None:
    forged(guarded, "churn#staging#1", block(guarded, "churn", "Version: v1.0.0"), sign=True)

    assert _codes(guarded) == [("churn#staging#1", "unregistered")]


# -- the policy --------------------------------------------------------------------------------------------------------


def test_a_stricter_policy_and_the_baseline_that_comes_with_it(empty: RepoStory, keys: Keys) -> None:
    empty.write("registry.yaml", "models: {churn: {}}\n").commit("Declare churn")
    empty.register("churn", "v1.0.0").assign("churn", "production")
    assert empty.registry.verify().trusted
    empty.write("registry.yaml", POLICY).write(".registry/allowed_signers", keys.allowed("ana")).commit("A policy")

    assert _codes(empty) == [("churn#production#2", code) for code in ("signed", "after", "approvals")]

    done = empty.cli("verify", "--write-baseline")
    assert done.code == 0
    assert done.out.splitlines()[-1] == ".registry/baseline"
    assert "churn#production#2: it is not signed" in done.out
    assert not empty.registry.verify().trusted  # nobody has reviewed it yet
    empty.commit("Accept what was there before the policy")

    assert empty.registry.verify().trusted


def test_the_trusted_branch_is_the_remotes(guarded: RepoStory, keys: Keys, tmp_path: Path) -> None:
    promoted(guarded, keys)
    server = tmp_path / "server.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(guarded.path), str(server)], check=True)
    guarded.git("remote", "add", "origin", str(server))
    guarded.git("fetch", "-q", "origin")
    with pytest.raises(NotFound, match="nobody knows which branch of origin is trusted"):
        guarded.registry.verify()
    guarded.git("remote", "set-head", "origin", "--auto")
    guarded.write("registry.yaml", "models: {churn: {}}\n").commit("No policy any more")
    keys.become(guarded, "cy", sign=False)
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"))

    assert guarded.registry.verify().policy == "origin/HEAD"
    assert _codes(guarded) == [("churn#production!#5", "signed")]
    assert _codes(guarded, policy="HEAD") == []


def test_a_policy_that_cannot_be_read_proves_nothing(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    guarded.write("registry.yaml", "stages: {production: {signed: yes please}}\n").commit("Broken")
    done = guarded.cli("verify")
    assert done.code == 1
    assert done.err.startswith("error: ")

    guarded.write("registry.yaml", POLICY).write(".registry/baseline", "nonsense\n").commit("Broken baseline")
    with pytest.raises(Refused, match=r"\.registry/baseline at HEAD, line 1"):
        guarded.registry.verify()


def test_signed_versions(empty: RepoStory, keys: Keys) -> None:
    empty.write(
        "registry.yaml", "versions: {signed: true}\nmodels: {churn: {versions: {overwrite: allow}}, open: {}}\n"
    )
    empty.write(".registry/allowed_signers", keys.allowed("ana")).commit("Declare")
    empty.tag("open@v0.1.0", "by GTO")
    keys.become(empty, "ana", sign=False).register("churn", "v1.0.0")  # signed, for the policy wants it
    empty.registry_at().annotate("churn", labels=["x"])

    assert _codes(empty) == [("open@v0.1.0", "signed")]
    assert [event.signed for event in empty.registry.history("churn")] == [True, True]


# -- the command -------------------------------------------------------------------------------------------------------


def test_what_fails_is_told_with_whom_and_since_when(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    keys.become(guarded, "cy", sign=False)
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"))

    done = guarded.cli("verify", "churn#production")

    assert done.code == 1
    assert done.out.splitlines()[0] == (
        "error: churn#production!#5: it is not signed, and production wants a signature"
    )
    assert "by Cy <cy@example.com>, 2026-01-01 " in done.err
    answer = json.loads(guarded.cli("verify", "--json").out)
    assert answer["trusted"] is False
    assert [one["tag"] for one in answer["failures"]] == ["churn#production!#5"]
    assert set(answer["failures"][0]) == {
        "artifact", "tag", "code", "message", "hint", "author", "email", "date"
    }  # fmt: skip
    assert guarded.cli("verify", "churn@v1.0.0=").code == 2
    assert guarded.cli("verify", "nobody").code == 1


def test_a_baseline_of_one_artifact_keeps_the_others(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    guarded.write(".registry/baseline", f"other@v1.0.0 {'0' * 40}\nchurn@v9.9.9 {'1' * 40}\n")

    assert guarded.registry.write_baseline("churn").events == 5
    lines = (guarded.path / ".registry/baseline").read_text().splitlines()

    assert f"other@v1.0.0 {'0' * 40}" in lines
    assert not any("v9.9.9" in line for line in lines)
    with pytest.raises(UsageError, match="less than an artifact"):
        guarded.registry.write_baseline("churn@v1.0.0")


def test_what_was_proven_once_is_remembered_outside_the_repository(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    before = sorted(path for path in (guarded.path / ".git").rglob("*") if "registry" in path.parts)
    guarded.registry.verify()

    # Where ssh-keygen does not run, only what is remembered can be proven.
    nothing = guarded.path / "bin"
    nothing.mkdir()
    (nothing / "git").symlink_to("/usr/bin/git")
    done = guarded.cli("verify", env={"PATH": str(nothing)})

    assert done.code == 0, done.err
    assert before == sorted(path for path in (guarded.path / ".git").rglob("*") if "registry" in path.parts)
    guarded.write(".registry/allowed_signers", keys.allowed("ana", "bo")).commit("Without Cy")
    done = guarded.cli("verify", env={"PATH": str(nothing)})
    assert done.code == 1
    assert "cannot verify signatures: ssh-keygen does not run" in done.err


# -- who has signed ----------------------------------------------------------------------------------------------------


def test_history_and_show_say_who_signed(guarded: RepoStory, keys: Keys) -> None:
    promoted(guarded, keys)
    keys.become(guarded, "ana", key="cy")
    forged(guarded, "churn#staging!#5", block(guarded, "churn", "Version: v1.0.0"), sign=True)
    keys.become(guarded, "ana", sign=False)
    forged(guarded, "churn#staging#6", block(guarded, "churn", "Version: v1.0.0"))

    events = json.loads(guarded.cli("history", "churn", "--show-signature", "--json").out)["events"]
    assert [(one["signer"], one["signature"]) for one in events] == [
        ("ana@example.com", "proven"),
        ("ana@example.com", "proven"),
        ("bo@example.com", "proven"),
        ("ana@example.com", "proven"),
        (None, "it is signed by cy@example.com, not by its tagger ana@example.com"),
        (None, "it is not signed"),
    ]
    assert [one["approves"] for one in events] == [[], [], ["production"], [], [], []]
    rows = [line.split("\t") for line in guarded.cli("history", "churn", "--show-signature").out.splitlines()]
    assert [row[6] for row in rows][3:] == ["ana@example.com", "not proven", ""]
    assert rows[2][7] == "approved for production"
    assert "signer" not in guarded.cli("history", "churn", "--json").out

    [version] = json.loads(guarded.cli("show", "churn", "--show-signature", "--json").out)["versions"]
    assert version["signer"] == "ana@example.com"
    assert "ana@example.com" in guarded.cli("show", "churn", "--show-signature").out
    assert guarded.cli("show", "--show-signature").code == 2


def test_a_commit_without_a_version_has_no_signature(guarded: RepoStory) -> None:
    guarded.write("by-hand", "1").commit("No version")
    guarded.tag("churn#production#90")

    [bare] = json.loads(guarded.cli("show", "churn#production", "--show-signature", "--json").out)["versions"]

    assert (bare["tag"], bare["signer"], bare["signature"]) == (None, None, "it is not signed")
    assert guarded.cli("show", "churn#production", "--show-signature").code == 0

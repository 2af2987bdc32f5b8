"""Who is trusted is a file like others: `check` says what is wrong with it, `review` what a change of it means."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from registry.core import signers
from registry.core.signers import Signer
from registry.core.trusting import TrustFiles, changes
from registry.manifests import trusting
from registry.manifests.check import Problem
from registry.plumbing.signatures import Signers, prove
from registry.porcelain.review import Review
from tests.story import RepoStory
from tests.trust.story import POLICY, Keys

ALLOWED, BASELINE = ".registry/allowed_signers", ".registry/baseline"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Everybody's keys."""
    return Keys(tmp_path / "keys")


@pytest.fixture
def guarded(empty: RepoStory, keys: Keys) -> RepoStory:
    """A model with a policy, and the keys of Ana and Bo, who are the team that it names; on a branch `change`."""
    empty.write("registry.yaml", POLICY).write("models/churn.pkl", "weights 1\n")
    empty.write(ALLOWED, keys.allowed("ana", "bo"))
    keys.become(empty, "ana").commit("Declare churn")
    empty.register("churn", "v1.0.0")
    empty.git("switch", "-q", "-c", "change")
    return empty


def said(problems: list[Problem] | tuple[Problem, ...]) -> list[str]:
    return [f"{p.path}:{p.line}:{p.column}: {p.severity}: {p.message}" for p in problems]


def trusted(found: Review) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.about, one.subject, one.remark) for one in found.trust]


# -- check -------------------------------------------------------------------------------------------------------------


def test_what_is_right_is_no_problem(guarded: RepoStory) -> None:
    guarded.write(BASELINE, f"# accepted\nchurn@v1.0.0 {guarded.git('rev-parse', 'churn@v1.0.0')}\n")

    assert guarded.registry.check() == []


def test_each_line_that_is_wrong_is_named(guarded: RepoStory, keys: Keys) -> None:
    dated = keys.line("ana", 'valid-before="20300101"')
    guarded.write(ALLOWED, f"# who\n{keys.allowed('ana', 'bo')}{dated}nonsense\n{keys.line('cy', principal='*')}")
    guarded.write(BASELINE, "churn@v1.0.0\n")

    assert said(guarded.registry.check()) == [
        f"{ALLOWED}:4:1: warning: the date 20300101 is everybody's local time",
        f"{ALLOWED}:5:1: error: not a line of allowed signers",
        f"{ALLOWED}:6:1: warning: the principal * has a wildcard",
        f"{BASELINE}:1:1: error: not a line of a baseline: 'churn@v1.0.0'",
    ]
    assert guarded.cli("check").code == 1


def test_who_has_to_sign_and_has_no_key_is_named_where_the_manifest_names_them(guarded: RepoStory, keys: Keys) -> None:
    more = POLICY.replace("ana@example.com, bo", "ana@example.com, dee@example.com, bo")
    guarded.write("registry.yaml", more.replace('["@release"]', '["@release", eve@example.com]'))
    guarded.write(".registry/openpgp/dee@example.com.asc", "keys")

    assert said(guarded.registry.check()) == [
        "registry.yaml:6:25: warning: no key of eve@example.com is listed, and production wants signatures"
    ]
    guarded.write(ALLOWED, keys.allowed("bo"))
    assert [one.partition("no key of ")[2].partition(" ")[0] for one in said(guarded.registry.check())] == [
        "eve@example.com",
        "ana@example.com",
    ]


def test_the_stages_of_one_model_ask_for_keys_as_well(guarded: RepoStory) -> None:
    own = (
        "models:\n  churn:\n    path: models/churn.pkl\n    stages: {live: {signed: true, allow: [eve@example.com]}}\n"
    )
    guarded.write("registry.yaml", own)

    assert [one.partition("no key of ")[2] for one in said(guarded.registry.check())] == [
        "eve@example.com is listed, and live wants signatures"
    ]


def test_approvals_of_an_assigner_who_need_not_sign_are_doubtful(guarded: RepoStory) -> None:
    guarded.write("registry.yaml", POLICY.replace("    signed: true\n", ""))

    assert said(guarded.registry.check()) == ["registry.yaml:7:16: warning: `approvals` without `signed`"]


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "large", "long", "linked directory"])
def test_what_is_no_file_of_ours_is_not_read(guarded: RepoStory, tmp_path: Path, kind: str) -> None:
    file = guarded.path / ALLOWED
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/allowed_signers").write_text("root:secret\n")
    file.unlink()
    if kind == "link":
        file.symlink_to(tmp_path / "secret/allowed_signers")
    elif kind == "directory":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "large":
        with file.open("wb") as out:
            out.truncate(trusting.LIMIT + 1)
    elif kind == "long":
        file.write_text("a\n" * (trusting.LINES + 1))
    else:
        file.parent.rmdir()
        file.parent.symlink_to(tmp_path / "secret")

    assert said(guarded.registry.check()) == [
        f"{ALLOWED}:1:1: error: not a plain file of less than 10 MB and 200,000 lines"
    ]


def test_hostile_lines_are_one_line_and_take_no_time(guarded: RepoStory, keys: Keys) -> None:
    guarded.write(ALLOWED, keys.allowed("ana", "bo") + "a " + "b" * 5_000_000 + "\n\x1b]8;;x\x07* ssh-ed25519 AAAA\n")

    first, second = guarded.registry.check()

    assert (first.line, first.severity) == (3, "error")
    assert second.message == "the principal ?]8;;x?* has a wildcard"


# -- review ------------------------------------------------------------------------------------------------------------


def test_a_review_names_the_keys_that_come_and_go(guarded: RepoStory, keys: Keys) -> None:
    late = keys.line("cy", 'cert-authority,valid-before="20300101Z"')
    guarded.write(ALLOWED, keys.allowed("ana") + late + keys.line("mallory", principal="*@example.com")).commit()
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", f"{keys.of('cy')}.pub"], capture_output=True, check=True, text=True
    )

    found = guarded.registry.review("main")

    assert trusted(found) == [
        ("added", "key", "cy@example.com", "whatever key it certifies counts"),
        ("added", "key", "*@example.com", "it counts for whomever the pattern fits"),
        ("removed", "key", "bo@example.com", ""),
    ]
    fingerprint = listed.stdout.split()[1]
    assert found.trust[0].value == f'ssh-ed25519 {fingerprint} cert-authority,valid-before="20300101Z"'
    assert found.changes == ()
    assert not found.failed


def test_a_key_with_another_comment_is_the_same(guarded: RepoStory, keys: Keys) -> None:
    guarded.write(ALLOWED, f"# us\n{keys.line('bo').strip()} laptop\n\n{keys.line('ana')}").commit()

    assert guarded.registry.review("main").trust == ()


def test_openpgp_keys_are_told_by_their_principal(guarded: RepoStory) -> None:
    guarded.write(".registry/openpgp/dee@example.com.asc", "one").write(".registry/openpgp/eve@example.com.asc", "one")
    guarded.write(".registry/openpgp/README", "one").write(".registry/openpgp/deeper/x@example.com.asc", "one").commit()
    base = guarded.git("rev-parse", "HEAD")
    guarded.write(".registry/openpgp/dee@example.com.asc", "two").write(".registry/openpgp/fay@example.com.asc", "one")
    (guarded.path / ".registry/openpgp/eve@example.com.asc").unlink()
    guarded.commit()

    assert trusted(guarded.registry.review(base)) == [
        ("changed", "key", "dee@example.com", "the file has other keys than before"),
        ("added", "key", "fay@example.com", ""),
        ("removed", "key", "eve@example.com", ""),
    ]


def test_a_review_names_each_event_that_is_accepted_and_whether_it_is_there(guarded: RepoStory) -> None:
    there, other = guarded.git("rev-parse", "churn@v1.0.0"), "1" * 40
    guarded.write(BASELINE, f"old@v1.0.0 {other}\n").commit()
    base = guarded.git("rev-parse", "HEAD")
    guarded.register("churn", "v2.0.0")
    guarded.write(BASELINE, f"churn@v1.0.0 {there}\nchurn@v2.0.0 {other}\nchurn@v3.0.0 {other}\n").commit()

    found = guarded.registry.review(base)

    now = guarded.git("rev-parse", "churn@v2.0.0")[:12]
    assert trusted(found) == [
        ("added", "event", "churn@v2.0.0", f"the tag is {now} here"),
        ("added", "event", "churn@v3.0.0", "there is no such tag here"),
        ("added", "event", "churn@v1.0.0", ""),
        ("removed", "event", "old@v1.0.0", ""),
    ]
    assert found.to_json()["trust"][2] == {  # type: ignore[index]
        "kind": "added", "about": "event", "subject": "churn@v1.0.0", "value": there, "remark": ""
    }  # fmt: skip


def test_a_review_finds_what_is_wrong_at_the_commit_and_not_in_the_work_tree(guarded: RepoStory) -> None:
    guarded.write(ALLOWED, "nonsense\n").write(BASELINE, "nonsense\n").commit()
    guarded.write(ALLOWED, "").write(BASELINE, "")

    found = guarded.registry.review("main")

    assert found.failed
    assert [one for one in said(found.problems) if "error" in one] == [
        f"{ALLOWED}:1:1: error: not a line of allowed signers",
        f"{BASELINE}:1:1: error: not a line of a baseline: 'nonsense'",
    ]
    assert trusted(found)[0] == ("added", "key", "nonsense", "this line cannot be read")


def test_a_link_is_an_error_and_counts_as_what_it_says(guarded: RepoStory, keys: Keys) -> None:
    (guarded.path / ALLOWED).unlink()
    (guarded.path / ALLOWED).symlink_to(keys.line("mallory", principal="ana@example.com").strip())
    guarded.commit()

    found = guarded.registry.review("main")

    assert f"{ALLOWED}:1:1: error: not a plain file of less than 10 MB and 200,000 lines" in said(found.problems)
    assert ("added", "key", "ana@example.com", "") in trusted(found)  # as verify would read it


def test_a_file_that_could_not_be_read_before_hides_nothing_that_is_there_now(guarded: RepoStory, keys: Keys) -> None:
    guarded.write(ALLOWED, "a\n" * (trusting.LINES + 1)).commit()
    base = guarded.git("rev-parse", "HEAD")
    guarded.write(ALLOWED, keys.allowed("mallory")).commit()

    assert trusted(guarded.registry.review(base)) == [("added", "key", "mallory@example.com", "")]


def test_the_command_says_who_is_trusted(guarded: RepoStory, keys: Keys) -> None:
    guarded.write(ALLOWED, keys.allowed("ana", "bo", "mallory"))
    guarded.write(BASELINE, "".join(f"churn@v1.0.{n} {'1' * 40}\n" for n in range(30))).commit()

    done = guarded.cli("review", "main")

    lines = done.out.splitlines()
    assert lines[:3] == [
        "no manifest changed",
        "who is trusted (keys: 1 added; accepted events: 30 added; accepted, and not there: 30)",
        "  keys",
    ]
    assert lines[3].startswith("    + mallory@example.com ssh-ed25519 SHA256:")
    assert (
        lines[5]
        == "    + churn@v1.0.0 111111111111: the tag is " + guarded.git("rev-parse", "churn@v1.0.0")[:12] + " here"
    )
    assert lines[25] == "    and 10 more: --json has all"
    page = guarded.cli("review", "main", "--markdown").out
    assert "This changes what is trusted. Keys: 1 added;" in page
    assert "Left out: 10 lines of what is trusted (accepted events)" in page


# -- the lines, as those who read them for good do ---------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["\u3000", "\x0b", "\x0c", "\r", "\x1c", "\x85", "\u2028"])
def test_no_key_hides_in_what_looks_like_a_comment(repo: RepoStory, keys: Keys, blank: str) -> None:
    line = keys.line("mallory", principal=f"{blank}#,mallory@example.com")
    keys.become(repo, "mallory").register("churn", "v1.0.0")
    raw = subprocess.run(["git", "cat-file", "tag", "churn@v1.0.0"], cwd=repo.path, capture_output=True, check=True)

    [proof] = prove([raw.stdout], Signers(line.encode()))
    shown = [one for one in changes(TrustFiles(), TrustFiles(allowed=line), {}) if "mallory" in one.subject]

    assert (proof.principal is not None) <= bool(shown)


@pytest.mark.parametrize("options", ["", "cert-authority", 'namespaces="git,file"', 'valid-after="20200101Z"'])
def test_a_line_is_taken_apart(keys: Keys, options: str) -> None:
    [found] = signers.listed(keys.line("ana", options, '"ana@example.com,bo@example.com"'))

    assert isinstance(found, Signer)
    assert (found.principals, found.options, found.type) == ("ana@example.com,bo@example.com", options, "ssh-ed25519")
    assert found.fingerprint.startswith("SHA256:")


def test_a_line_that_is_no_key_is_given_as_it_is() -> None:
    assert [*signers.listed("# x\nnonsense\n")] == ["nonsense"]
    assert Signer("a", "", "ssh-rsa", "A").fingerprint == ""

"""A stranger's repository, verified: it runs nothing of theirs, says what is wrong with it, and breaks nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from registry import cli
from registry.errors import Refused
from tests.scenarios.test_hostile_repository import COMMANDS, HOOKS
from tests.story import START, RepoStory
from tests.trust.conftest import guarded, keys, promoted
from tests.trust.story import POLICY, Keys, block, email, forged

__all__ = ["guarded", "keys"]

TRUSTING = (
    ["verify"],
    ["verify", "--json"],
    ["verify", "churn"],
    ["verify", "--policy", "HEAD"],
    ["resolve", "churn#production", "--verify"],
    ["pull", "churn#production", "--verify", "-o", "../out"],
    ["history", "churn"],
    ["history", "churn", "--json"],
    ["show", "churn"],
    ["show", "churn@v1.0.0", "--json"],
    ["check"],
    ["review", "HEAD~1", "HEAD"],
    ["verify", "--write-baseline"],
)


def _settings(place: RepoStory, evil: Path) -> None:
    for setting in (*COMMANDS, "gpg.openpgp.program", "credential.https://x.helper", "remote.origin.uploadpack"):
        place.git("config", setting, f"{evil} {setting}")
    place.git("config", "gpg.program", str(evil))  # a name alone, as Git runs it
    place.git("config", "gpg.ssh.program", str(evil))
    place.git("config", "gpg.openpgp.program", str(evil))
    place.git("config", "gpg.ssh.allowedSignersFile", "mallorys")
    place.git("config", "gpg.ssh.revocationFile", "everybody")
    place.git("config", "gpg.minTrustLevel", "undefined")
    for command in ("tag", "verify-tag", "for-each-ref", "cat-file", "rev-parse", "config", "ls-tree", "show"):
        place.git("config", f"alias.{command}", f"!{evil} alias {command}")
    place.git("config", "core.hooksPath", str(place.path / ".git/hooks"))
    place.git("config", "log.showSignature", "true")
    place.git("config", "extensions.partialClone", "evil")
    place.git("config", "remote.evil.promisor", "true")
    place.git("config", "remote.evil.url", f"ext::{evil} transport")
    place.git("config", "protocol.ext.allow", "always")


def test_verifying_runs_nothing_of_theirs(
    guarded: RepoStory, keys: Keys, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(guarded, keys)
    guarded.write(".gitattributes", "* filter=evil diff=evil\n").commit("Attributes")
    evil, ran = tmp_path / "evil", tmp_path / "ran"
    evil.write_text(f'#!/bin/sh\necho "$0 $*" >>"{ran}"\nexit 0\n')
    evil.chmod(0o755)
    for hook in (*HOOKS, "pre-receive", "pre-commit"):
        (guarded.path / ".git/hooks").mkdir(exist_ok=True)
        (guarded.path / ".git/hooks" / hook).symlink_to(evil)
    (guarded.path / "mallorys").write_text(keys.line("mallory", principal="*"))
    (guarded.path / "everybody").write_text("")
    # What a search for programs, or for Python's modules, would find first, where it looked here.
    for name in ("ssh-keygen", "gpg", "git", "sitecustomize.py", "registry.py", "less"):
        (guarded.path / name).symlink_to(evil)
    keys.become(guarded, "ana", key="mallory")
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"), sign=True)
    head = guarded.git("rev-parse", "HEAD")
    pgp = "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
    x509 = "-----BEGIN SIGNED MESSAGE-----\nMI==\n-----END SIGNED MESSAGE-----\n"
    tagger = f"tagger Eve <{email('ana')}> {START + 900} +0000\n"
    for n, words in ((6, pgp), (7, x509)):
        raw = f"object {head}\ntype commit\ntag churn#production#{n}\n{tagger}\nx\n\n{words}"
        guarded.raw_tag(f"churn#production#{n}", raw.encode())
    raw = f"object {'1' * 40}\ntype commit\ntag churn@v9.0.0\n{tagger}\nmissing\n"
    guarded.raw_tag("churn@v9.0.0", raw.encode())
    _settings(guarded, evil)
    extra = tmp_path / "more"
    extra.write_text(f'[core]\n\tfsmonitor = "{evil} included"\n[gpg "ssh"]\n\tprogram = {evil}\n')
    guarded.git("config", "include.path", str(extra))
    ran.unlink(missing_ok=True)

    for command in TRUSTING:
        code = cli.run(command)
        said = capfd.readouterr()
        assert code in {0, 1}, (command, said.err)
        assert "Traceback" not in said.err
        assert not ran.exists(), (command, ran.read_text())

    found = {(one.tag, one.code) for one in guarded.registry.verify(policy=head).failures}
    assert {(f"churn#production{n}", "signed") for n in ("!#5", "#6", "#7")} <= found


# -- the files of .registry/ -------------------------------------------------------------------------------------------


def _verdict(story: RepoStory, capfd: pytest.CaptureFixture[str]) -> str:
    """What `verify` says, which is never that all is well; `check`, `history` and `show` go on."""
    capfd.readouterr()
    code = cli.run(["verify"])
    said = capfd.readouterr()
    assert code == 1, said
    for command in (["check"], ["history", "churn"], ["show", "churn"], ["resolve", "churn#production"]):
        assert cli.run(command) in {0, 1}, capfd.readouterr().err
    assert cli.run(["resolve", "churn#production", "--verify"]) == 1
    again = capfd.readouterr()
    assert "Traceback" not in said.err + again.err
    return said.out + said.err


@pytest.mark.parametrize("name", ["allowed_signers", "baseline"])
@pytest.mark.parametrize("kind", ["link", "outside", "directory", "submodule", "huge", "NUL", "many"])
def test_files_that_are_none(
    guarded: RepoStory, keys: Keys, capfd: pytest.CaptureFixture[str], name: str, kind: str, tmp_path: Path
) -> None:
    promoted(guarded, keys)
    if name == "baseline":  # nothing of it makes an unsigned event pass
        keys.become(guarded, "ana", sign=False)
        forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"))
    file = guarded.path / ".registry" / name
    good = keys.allowed("ana", "bo") if name == "allowed_signers" else "".join(
        f"{tag} {guarded.git('rev-parse', f'refs/tags/{tag}')}\n" for tag in guarded.tags
    )  # fmt: skip
    file.unlink(missing_ok=True)
    match kind:
        case "link":
            guarded.write("good", good)
            file.symlink_to("../good")
        case "outside":
            (tmp_path / "good").write_text(good)
            file.symlink_to(tmp_path / "good")
        case "directory":
            guarded.write(f".registry/{name}/x", good)
        case "submodule":
            guarded.git("rm", "-q", "-r", "--force", ".registry")
            inner = RepoStory.begin(guarded.path / ".registry")
            inner.write(name, good).commit("Inside")
            assert not file.is_symlink()
        case "huge":
            file.write_bytes(good.encode() + b"#" * 50_000_000)
        case "NUL":
            file.write_bytes(good.encode().replace(b" ", b"\0"))
        case "many":
            file.write_text("nobody@example.com ssh-ed25519 AAAA\n" * 10_000)
    guarded.commit("Hostile")
    assert kind != "submodule" or "160000" in guarded.git("ls-tree", "HEAD", ".registry")

    said = _verdict(guarded, capfd)

    assert "churn" in said or ".registry" in said


def test_a_manifest_that_is_a_link(guarded: RepoStory, keys: Keys, capfd: pytest.CaptureFixture[str]) -> None:
    promoted(guarded, keys)
    keys.become(guarded, "ana", sign=False)
    forged(guarded, "churn#production!#5", block(guarded, "churn", "Version: v1.0.0"))
    guarded.write("lax.yaml", "models: {churn: {}}\n")
    (guarded.path / "registry.yaml").unlink()
    (guarded.path / "registry.yaml").symlink_to("lax.yaml")
    guarded.commit("A link")

    assert cli.run(["verify"]) == 1, capfd.readouterr()


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", ".git/config", ".GIT/config", "link", "a/../../x"])
def test_a_path_that_leads_out_is_not_served(guarded: RepoStory, keys: Keys, tmp_path: Path, path: str) -> None:
    (tmp_path / "out").write_text("secret\n")
    (guarded.path / "link").symlink_to(tmp_path / "out")
    guarded.write("registry.yaml", POLICY.replace("models/churn.pkl", path)).commit("Out")
    forged(guarded, "churn@v1.0.0", "Register\n\nRegistry: 1\nCounter: 1\nNumber: 1\n")

    with pytest.raises(Refused):
        guarded.registry.pull("churn@v1.0.0", tmp_path / "got")
    assert not [one for one in (tmp_path / "got").rglob("*") if one.is_file()]


# -- tag objects -------------------------------------------------------------------------------------------------------


def _signed(keys: Keys, who: str, raw: bytes, place: Path) -> bytes:
    """The tag object with a real signature of `who`."""
    file = place / "payload"
    file.write_bytes(raw)
    file.with_name("payload.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(keys.of(who)), str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return raw + file.with_name("payload.sig").read_bytes()


def _raw(
    story: RepoStory, tag: str, message: str, tagger: bytes = b"Ana <ana@example.com>", more: bytes = b""
) -> bytes:
    head = story.git("rev-parse", "HEAD")
    first = f"object {head}\ntype commit\ntag {tag}\ntagger ".encode()
    return first + tagger + f" {START + 9000} +0000\n".encode() + more + b"\n" + message.encode()


def _verified(story: RepoStory) -> dict[str, str]:
    """What fails, and all that is said of each."""
    done = story.cli("verify", "--json")
    assert done.code in {0, 1}, done.err
    found: dict[str, str] = {}
    for one in json.loads(done.out)["failures"]:
        found[one["tag"]] = f"{found.get(one['tag'], '')}{one['code']}: {one['message']}; "
    return found


EMAILS = [
    b"-x", b"-Ofoo", b"*", b"?na@example.com", b"!ana@example.com", b"", b" ", b'"ana@example.com"', b"'", b"a,b",
    b"ana@example.com,bo@example.com", b"ANA@EXAMPLE.COM", b" ana@example.com", b"ana@example.com ",
    b"ana@example.com\r", b"ana@example.com\tx", b"ana@example.com\x0bx", b"ana@example.com\0", b"a\0b", b"../x",
    b"\xff\xfe", b"\xe9@x", "ana@example.com\u2028bo".encode(), "\u202e".encode(), b"$(id)", b"`id`", b"a" * 100_000,
]  # fmt: skip


def test_whoever_the_tagger_claims_to_be(guarded: RepoStory, keys: Keys, tmp_path: Path) -> None:
    """A listed key proves its own principal, and not a pattern, a list, an option or anything like it."""
    for n, address in enumerate(EMAILS, 1):
        tag = f"churn#production#{n}"
        raw = _raw(guarded, tag, "Assign\n", b"Ana <" + address + b">")
        guarded.raw_tag(tag, _signed(keys, "ana", raw, tmp_path))

    found = _verified(guarded)

    for n in range(1, len(EMAILS) + 1):
        assert "signed: " in found[f"churn#production#{n}"], EMAILS[n - 1]
    assert guarded.cli("history", "churn").code == 0
    assert guarded.cli("show", "churn").code in {0, 1}


def test_taggers_that_are_none(guarded: RepoStory, keys: Keys, tmp_path: Path) -> None:
    ana = b"tagger Ana <ana@example.com> 1767226000 +0000\n"
    head = guarded.git("rev-parse", "HEAD").encode()
    begin = b"object " + head + b"\ntype commit\ntag churn#production#%d\n"
    end = b"\nAssign\n"
    bo = b"tagger Bo <bo@example.com> 1767226000 +0000\n"
    heads = [
        begin + end,  # nobody
        begin + b"x y\n" + ana + end,  # in the wrong place
        begin + b"\n" + ana + end,  # in the message
        begin + bo + ana + end,  # two: the first counts
        begin + b"tagger Ana <mallory@x> <ana@example.com> 1767226000 +0000\n" + end,
        begin + b"tagger ana@example.com 1767226000 +0000\n" + end,
        begin + b"tagger Ana <ana@example.com\n" + end,
        begin + b"tagger\tAna <ana@example.com> 1 +0000\n" + end,
        begin + b"gpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n" + ana + end,
    ]
    for n, raw in enumerate(heads, 1):
        guarded.raw_tag(f"churn#production#{n}", _signed(keys, "ana", raw % n, tmp_path))

    found = _verified(guarded)

    for n in range(1, len(heads) + 1):
        assert "signed: " in found[f"churn#production#{n}"], heads[n - 1]
    assert "it is signed by ana@example.com, not by its tagger bo@example.com" in found["churn#production#4"]


def test_what_is_read_is_what_was_signed(guarded: RepoStory, keys: Keys, tmp_path: Path) -> None:
    """Whatever is put before, between or behind signatures: no word that is read is one that was not signed."""
    tag = "churn@v1.0.0=#1"
    guarded.write("registry.yaml", "versions: {signed: true}\nmodels: {churn: {}}\n").commit("Signed versions")
    whole = _signed(keys, "ana", _raw(guarded, tag, "Note\n\nRegistry: 1\nLabel: mine\n"), tmp_path)
    cut = whole.index(b"-----BEGIN")
    payload, signature = whole[:cut], whole[cut:]
    head, _, said = whole.partition(b"\n\n")
    forged_ = b"\nRegistry: 1\nLabel: forged\n"
    tries = {
        "as it is": (whole, True),
        "behind": (whole + b"\n" + forged_, True),
        "between": (payload + forged_ + signature, False),
        "after, and signed with the same": (whole + forged_ + signature, False),
        "before": (payload.replace(b"mine", b"forged") + signature, False),
        "a thousand": (payload + signature * 1000, False),
        "nested": (payload + signature.replace(b"\n", b"\n" + signature, 1), False),
        "other lines' ends": (payload + signature.replace(b"\n", b"\r\n"), False),
        "carriage returns": (b"\n\n".join([head, said.replace(b"\n", b"\r\n")]), False),
        "no signature of Git's": (whole + b"-----BEGIN SSH MESSAGE-----\n" + forged_, True),
        "of PGP": (whole + b"-----BEGIN PGP SIGNATURE-----\n" + forged_, False),
        "NUL": (payload + b"\0" + forged_ + signature, False),
        "header": (whole.replace(b"\n\nNote", b"\ngpgsig x\n\nNote"), False),
        "no end": (whole[:-40], False),
        "indented": (payload + signature.replace(b"-----BEGIN", b" -----BEGIN"), False),
    }
    for name, (raw, proven) in tries.items():
        guarded.raw_tag(tag, raw)
        found = guarded.registry.verify()
        assert found.events == found.signed or name == "indented", name
        assert ([one.code for one in found.failures] == []) is proven, name
        [event] = guarded.registry.repository.state("churn").events
        assert not proven or event.keys == {"Label": ("mine",)}, name


def test_messages_that_are_huge(guarded: RepoStory, keys: Keys, tmp_path: Path) -> None:
    guarded.raw_tag("churn#production#1", _raw(guarded, "churn#production#1", "x\n" * 1_000_000))
    long = "x\n\nRegistry: 1\n" + "Approved: production\n" * 100_000
    guarded.raw_tag("churn@v1.0.0=#2", _raw(guarded, "churn@v1.0.0=#2", long))
    many = "x\n\n" + "-----BEGIN SSH SIGNATURE-----\n" * 50_000
    guarded.raw_tag("churn#production#3", _raw(guarded, "churn#production#3", many))

    assert {"churn#production#1", "churn#production#3"} <= _verified(guarded).keys()


def test_a_broken_tag_breaks_no_other_artifact(guarded: RepoStory, keys: Keys, tmp_path: Path) -> None:
    """An e-mail that is longer than what a program can be told (128 KiB on Linux)."""
    promoted(guarded, keys)
    raw = _raw(guarded, "other#production#1", "x\n", b"A <" + b"a" * 200_000 + b">")
    guarded.raw_tag("other#production#1", _signed(keys, "ana", raw, tmp_path))

    assert {tag for tag in _verified(guarded) if tag != "other#production#1"} == set()

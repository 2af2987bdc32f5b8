"""Signatures that `git verify-tag` accepts, with the keys and settings that Git itself would use."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry import cli
from registry.core.message import parse
from registry.errors import GitFailed, Refused
from tests.scenarios.conftest import check_refusal
from tests.story import RepoStory


@pytest.fixture
def ssh(repo: RepoStory, tmp_path: Path) -> RepoStory:
    """A repository whose user has an SSH key."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ana", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text()
    (tmp_path / "signers").write_text(f"ana@example.com {public}")
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingKey", str(key.with_suffix(".pub")))
    repo.git("config", "gpg.ssh.allowedSignersFile", str(tmp_path / "signers"))
    return repo


@pytest.fixture
def gpg(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> Iterator[RepoStory]:
    """A repository whose user has an OpenPGP key, found by name and e-mail."""
    if shutil.which("gpg") is None or shutil.which("gpgconf") is None:
        pytest.skip("gpg is not installed")
    # A socket's path may have 108 bytes, and those of tests are longer.
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    monkeypatch.setenv("GNUPGHOME", str(home))
    make = [
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-gen-key",
        "Ana <ana@example.com>",
        "ed25519",
        "sign",
    ]
    made = subprocess.run(make, capture_output=True, check=False, text=True)
    if made.returncode != 0:
        shutil.rmtree(home, ignore_errors=True)
        pytest.skip(f"gpg makes no key here: {made.stderr.strip()}")
    yield repo
    subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def check_signed(repo: RepoStory, tag: str) -> None:
    """Git accepts the signature, and we read the tag as before."""
    repo.git("verify-tag", tag)
    event = repo.registry.check_ref(tag)
    assert event.signed
    assert event.message == "Words"
    assert event.metadata.metrics == {"auc": 0.9}
    assert repo.registry.doctor().sound


def sign_one(repo: RepoStory, **said: Any) -> str:
    """A version with all that a tag can say."""
    repo._now()
    repo.registry.register("churn", message="Words", metrics={"auc": 0.9}, **said)
    return "churn@v0.0.1"


def promote(repo: RepoStory, **said: Any) -> None:
    """A run that changes the model."""
    with repo.registry_at().promote("churn", **said) as run:
        repo.write("models/churn.pkl", "better\n")
        run.log_artifact("models/churn.pkl")


def test_a_signature_by_ssh(ssh: RepoStory) -> None:
    check_signed(ssh, sign_one(ssh, sign=True))


def test_a_key_held_by_the_agent_is_named_by_itself(
    ssh: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("ssh-agent") is None:
        pytest.skip("ssh-agent is not installed")
    socket = tmp_path.parent.parent / f"agent-{tmp_path.name[-2:]}"
    socket.unlink(missing_ok=True)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it says where it listens once it does
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", str(tmp_path / "key")], check=True, capture_output=True)
        ssh.git("config", "user.signingKey", f"key::{(tmp_path / 'key.pub').read_text().strip()}")
        check_signed(ssh, sign_one(ssh, sign=True))
    finally:
        agent.terminate()
        agent.wait()
        if agent.stdout is not None:
            agent.stdout.close()


def test_the_key_that_a_command_of_the_users_prints(ssh: RepoStory, tmp_path: Path) -> None:
    ssh.git("config", "--unset", "user.signingKey")
    ssh.git("config", "gpg.ssh.defaultKeyCommand", f"echo {tmp_path / 'key.pub'}")
    check_signed(ssh, sign_one(ssh, sign=True))


def test_a_signature_by_openpgp(gpg: RepoStory) -> None:
    check_signed(gpg, sign_one(gpg, sign=True))


def test_tag_gpgsign_is_honoured_and_overruled(ssh: RepoStory) -> None:
    ssh.git("config", "tag.gpgSign", "true")
    check_signed(ssh, sign_one(ssh))
    assert cli.run(["assign", "churn", "staging"]) == 0
    assert cli.run(["assign", "churn", "production", "--no-sign"]) == 0
    assert [event.signed for event in ssh.registry.history()] == [True, True, False]
    assert cli.run(["assign", "churn", "qa", "--dry-run"]) == 0


def test_signed_tags_make_one_chain(ssh: RepoStory) -> None:
    ssh.write("registry.yaml", "stages: {production: {exclusive: true}}\nmodels: {churn: {}}\n").commit("Exclusive")
    ssh.git("config", "tag.gpgSign", "true")
    ssh.register("churn", "v1.0.0").register("churn", "v2.0.0")
    ssh.assign("churn@v1.0.0", "production").assign("churn@v2.0.0", "production")  # two tags at once
    events = ssh.registry.repository.state("churn").events
    assert [list(e.keys.get("Previous", ())) for e in events] == [[], *([e.oid] for e in events[:-1])]
    for event in events:
        ssh.git("verify-tag", event.tag)


def test_a_promotion_signs_its_commit_where_commits_are_signed(ssh: RepoStory) -> None:
    ssh.git("config", "commit.gpgSign", "true")
    promote(ssh)
    ssh.git("verify-commit", "HEAD")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"gpg.format": "ssh"}, "cannot sign: no SSH key is set"),
        ({"gpg.format": "ssh", "user.signingKey": "/nowhere/key.pub"}, "cannot sign: ssh-keygen failed"),
        ({"gpg.format": "ssh", "user.signingKey": "key::ssh-ed25519 nonsense"}, "cannot sign: ssh-keygen failed"),
        ({"gpg.format": "ssh", "gpg.ssh.defaultKeyCommand": "false"}, "cannot sign: sh failed"),
        (
            {"gpg.format": "ssh", "gpg.ssh.program": "/nowhere/ssh", "user.signingKey": "/x"},
            "/nowhere/ssh does not run",
        ),
        ({"gpg.format": "morse"}, "gpg.format is 'morse'"),
        ({"gpg.program": "/nowhere/gpg"}, "/nowhere/gpg does not run"),
        ({"gpg.program": "true"}, "cannot sign: true failed"),
        ({"user.signingKey": "nobody@example.com"}, "cannot sign: gpg failed"),
    ],
)
def test_a_signature_that_cannot_be_made_is_one_error_and_writes_nothing(
    repo: RepoStory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    settings: dict[str, str],
    says: str,
) -> None:
    if not shutil.which("gpg") or not shutil.which("ssh-keygen"):
        pytest.skip("gpg or ssh-keygen is not installed")
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    for name, value in settings.items():
        repo.git("config", name, value)
    repo.git("config", "tag.gpgSign", "true")
    before = repo.refs()
    capfd.readouterr()
    check_refusal(cli.run(["register", "churn"]), *capfd.readouterr(), says=says)
    assert repo.refs() == before
    with pytest.raises((GitFailed, Refused)):
        promote(repo)
    assert repo.refs() == before
    assert repo.git("status", "--porcelain") == " M models/churn.pkl"


def test_a_signature_hides_nothing_of_the_message() -> None:
    block = "Registry: 1\nCounter: 1\n"
    for kind in ("SSH SIGNATURE", "PGP SIGNATURE"):
        raw = f"Subject\n\nBody\n\n{block}-----BEGIN {kind}-----\nabc\n-----END {kind}-----\n"
        said = parse(raw)
        assert (said.signed, said.body, said.keys["Counter"]) == (True, "Body", ("1",)) or list(
            said.keys["Counter"]
        ) == ["1"]

"""Signing and verifying with OpenPGP, as Git does it: real keys of a real gpg."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.errors import Refused
from tests.story import RepoStory
from tests.trust.story import block, forged

POLICY = "stages: {production: {signed: true}}\nmodels: {churn: {}}\n"

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A home of gpg's with the keys of Ana and Bo; their public ones, armoured."""
    # Of gpg-agent's socket the path may have 108 bytes.
    home = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    found = {}
    for who in ("ana", "bo"):
        name = f"{who}@example.com"
        making = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "0"]
        subprocess.run(making, check=True, capture_output=True)
        exported = subprocess.run(["gpg", "--armor", "--export", name], check=True, capture_output=True)
        found[name] = exported.stdout
    yield found
    subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def _become(story: RepoStory, name: str, key: str | None = None) -> None:
    story.git("config", "user.email", name)
    story.git("config", "user.signingKey", key or name)


def test_signed_with_openpgp(empty: RepoStory, people: dict[str, bytes]) -> None:
    empty.write("registry.yaml", POLICY)
    empty.write(".registry/openpgp/ana@example.com.asc", people["ana@example.com"]).commit("Declare churn")
    _become(empty, "ana@example.com")
    empty.register("churn", "v1.0.0").assign("churn", "production")

    found = empty.registry.verify()
    assert (found.trusted, found.signed, found.proven) == (True, 1, 1)
    empty.git("verify-tag", "churn#production#2")

    # Bo's key is no key of Ana's, whatever gpg itself knows.
    _become(empty, "ana@example.com", "bo@example.com")
    forged(empty, "churn#production!#3", block(empty, "churn", "Version: v1.0.0"), sign=True)
    [failure] = empty.registry.verify().failures
    assert "it is signed with a key that is not listed for ana@example.com" in failure.message
    empty.git("tag", "-d", "churn#production!#3")

    _become(empty, "bo@example.com")
    with pytest.raises(Refused, match=r"it is signed with OpenPGP, and no key of bo@example.com is listed"):
        empty.unassign("churn", "production")

    # What is signed is this tag, and no other.
    raw = empty.git("cat-file", "tag", "churn#production#2") + "\n"
    empty.raw_tag("churn#production#3", raw.replace("tag churn#production#2\n", "tag churn#production#3\n").encode())
    assert "its signature is not of this tag" in {
        one.message.partition(",")[0] for one in empty.registry.verify().failures
    }


def test_keys_that_are_expired_or_revoked(empty: RepoStory, people: dict[str, bytes]) -> None:
    empty.write("registry.yaml", POLICY)
    ana = "ana@example.com"
    empty.write(f".registry/openpgp/{ana}.asc", people[ana]).commit("Declare churn")
    _become(empty, ana)
    empty.register("churn", "v1.0.0").assign("churn", "production")
    assert empty.registry.verify().trusted

    key = subprocess.run(["gpg", "--list-keys", "--with-colons", ana], check=True, capture_output=True, text=True)
    fingerprint = next(line.split(":")[9] for line in key.stdout.splitlines() if line.startswith("fpr"))
    # In gpg's own home lies a revocation for each key, spoiled by a colon so that nobody imports it by mistake.
    file = Path(os.environ["GNUPGHOME"]) / "openpgp-revocs.d" / f"{fingerprint}.rev"
    revocation = file.read_text().replace(":-----BEGIN", "-----BEGIN")
    subprocess.run(["gpg", "--batch", "--import"], input=revocation.encode(), check=True, capture_output=True)
    revoked = subprocess.run(["gpg", "--armor", "--export", ana], check=True, capture_output=True).stdout
    empty.write(f".registry/openpgp/{ana}.asc", revoked).commit("Revoke Ana's key")

    [failure] = empty.registry.verify().failures
    assert f"it is signed with a revoked key of {ana}" in failure.message

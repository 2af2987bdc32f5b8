"""Verifying signatures of tags: who is proven to have signed, for that very principal (DESIGN parts 4 and 8).

`git verify-tag` takes any key that is listed, at the time that the tag itself claims. So ssh-keygen is asked: is this
the signature of this e-mail, now? Nothing that a repository's configuration names is run.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from registry.core.events import parse_object
from registry.core.message import SIGNATURES
from registry.core.signers import dates
from registry.core.trust import UNSIGNED, Proof
from registry.errors import GitFailed, Refused
from registry.plumbing.userdirs import cache_directory

_LONGEST = 1000  # characters of an e-mail address, of which RFC 5321 allows 254: it is an argument of a program

# What is verified has to be what is read: the last line that begins so ends it, as in core.message.
_begin = re.compile(f"^(?:{'|'.join(SIGNATURES)})".encode(), re.MULTILINE)
_SSH = b"-----BEGIN SSH SIGNATURE-----"


@dataclass(frozen=True)
class Signers:
    """Who may sign: the bytes of an allowed-signers file, and OpenPGP keys, armoured, by the principal they are of."""

    ssh: bytes = b""
    openpgp: Mapping[str, bytes] = field(default_factory=dict)

    def digest(self, now: str) -> str | None:
        """What stands for these signers at the time `now`, YYYYMMDDHHMMSS in UTC: it changes when a key begins or ends
        to be valid. None where that cannot be told."""
        ends = dates(self.ssh.decode(errors="replace"))
        if ends is None:
            return None
        parts = [self.ssh, *(part for who in sorted(self.openpgp) for part in (who.encode(), self.openpgp[who]))]
        parts += [f"{end} {end <= now}".encode() for end in sorted(ends)]
        whole = hashlib.sha256()
        for part in parts:
            whole.update(len(part).to_bytes(8, "big") + part)
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a signed tag object. `ssh` says whether it is an SSH signature, and not OpenPGP's or another."""

    email: str
    payload: bytes
    signature: bytes
    ssh: bool


def taken_apart(raw: bytes) -> Signed | None:
    """The tag object `raw`, or None where it is not signed, or is none."""
    starts = list(_begin.finditer(raw))
    found = parse_object(raw)
    if not starts or found is None:
        return None
    last = starts[-1]
    return Signed(found.tagger.email, raw[: last.start()], raw[last.start() :], last[0] == _SSH)


def prove(
    raws: Sequence[bytes | None], signers: Signers, progress: Callable[[int], None] = lambda _: None
) -> list[Proof]:
    """What the signature of each tag object proves; None is an object that is not there.

    What was proven once by the same signers is remembered below the user's cache directory, never in a repository.
    `progress` is told, perhaps from another thread, how many have been verified. Raises GitFailed where ssh-keygen or
    gpg does not run.
    """
    memory = _Memory(signers)
    found: list[Proof | None] = []
    left: list[tuple[int, Signed]] = []
    for raw in raws:
        signed = taken_apart(raw) if raw is not None else None
        if raw is None:
            found.append(Proof(None, "its tag object is missing"))
        elif signed is None:
            found.append(UNSIGNED)
        elif memory.knows(raw):
            found.append(Proof(signed.email))
        else:
            left.append((len(found), signed))
            found.append(None)
    if left:
        with _Desk(signers) as desk, ThreadPoolExecutor(_workers()) as pool:
            proven = pool.map(desk.prove, (signed for _, signed in left))
            for done, ((index, _), new) in enumerate(zip(left, proven, strict=True), 1):
                found[index] = new
                progress(done)
        memory.keep(raw for (index, _) in left if (proof := found[index]) and proof.principal and (raw := raws[index]))
    return [one or UNSIGNED for one in found]


def _workers() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Desk:
    """Where signatures are looked at: a private directory with the signers' keys."""

    def __init__(self, signers: Signers) -> None:
        self.signers = signers
        self.local = threading.local()
        self.lock = threading.Lock()
        self.homes: dict[str, Path] = {}

    def __enter__(self) -> _Desk:
        self._directory = tempfile.TemporaryDirectory(prefix="registry-verify-", ignore_cleanup_errors=True)
        self.room = Path(self._directory.name)
        self.allowed = self.room / "allowed_signers"
        self.allowed.write_bytes(self.signers.ssh)
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()

    def prove(self, signed: Signed) -> Proof:
        if not signed.email or "\0" in signed.email or len(signed.email) > _LONGEST:
            return Proof(None, "it is signed, but its tagger's e-mail address is none")
        if signed.ssh:
            return self._prove_ssh(signed)
        if signed.signature.startswith(b"-----BEGIN PGP SIGNATURE-----"):
            return self._prove_openpgp(signed)
        return Proof(None, "it is signed in a way that is not verified here (X.509)")

    def _files(self) -> tuple[Path, Path]:
        """A file for what is signed and one for the signature, for each thread its own."""
        if not hasattr(self.local, "files"):
            name = threading.get_ident()
            self.local.files = self.room / f"{name}", self.room / f"{name}.sig"
        files: tuple[Path, Path] = self.local.files
        return files

    # -- SSH -----------------------------------------------------------------------------------------------------

    def _prove_ssh(self, signed: Signed) -> Proof:
        payload, signature = self._files()
        payload.write_bytes(signed.payload)
        signature.write_bytes(signed.signature)
        # -I is the very principal, where find-principals would take any; without a time it is now, not the tagger's.
        words = ["-Y", "verify", "-n", "git", "-f", str(self.allowed), "-s", str(signature), "-I"]
        if _succeeds(["ssh-keygen", *words, signed.email.encode()], payload):  # UTF-8, in whatever locale
            return Proof(signed.email)
        return Proof(None, self._why_not(signed, payload, signature))

    def _why_not(self, signed: Signed, payload: Path, signature: Path) -> str:
        checked = _run(["ssh-keygen", "-Y", "check-novalidate", "-n", "git", "-s", str(signature)], payload)
        if checked.returncode != 0:
            return "its signature is not of this tag"
        listed = _run(["ssh-keygen", "-Y", "find-principals", "-f", str(self.allowed), "-s", str(signature)], payload)
        others = listed.stdout.decode(errors="replace").split() if listed.returncode == 0 else []
        if signed.email in others:
            return f"it is signed with a key that {signed.email} may not use now, or not for tags"
        if others:
            return f"it is signed by {', '.join(others[:3])}, not by its tagger {signed.email}"
        return "it is signed with a key that is not listed"

    # -- OpenPGP -------------------------------------------------------------------------------------------------

    def _prove_openpgp(self, signed: Signed) -> Proof:
        if signed.email not in self.signers.openpgp:
            return Proof(None, f"it is signed with OpenPGP, and no key of {signed.email} is listed")
        payload, signature = self._files()
        payload.write_bytes(signed.payload)
        signature.write_bytes(signed.signature)
        # --status-fd tells more than the exit code: an expired or revoked key is no good one.
        command = [
            *_GPG,
            "--homedir",
            str(self._home(signed.email)),
            "--status-fd=1",
            "--trust-model=always",
            "--verify",
        ]
        done = _run([*command, "--", str(signature), "-"], payload)
        said = [line.split(b" ")[1] for line in done.stdout.splitlines() if line.startswith(b"[GNUPG:] ")]
        if done.returncode == 0 and said.count(b"GOODSIG") == 1 and b"VALIDSIG" in said:
            return Proof(signed.email)
        for word, why in _GPG_SAYS.items():
            if word in said:
                return Proof(None, why.format(signed.email))
        return Proof(None, "its signature cannot be verified")

    def _home(self, email: str) -> Path:
        """A directory of gpg's with the keys of one principal alone, so that no other's counts."""
        with self.lock:
            if email not in self.homes:
                home = self.room / f"gpg{len(self.homes)}"
                home.mkdir(0o700)
                keys = self.room / f"gpg{len(self.homes)}.asc"
                keys.write_bytes(self.signers.openpgp[email])
                _run([*_GPG, "--homedir", str(home), "--import"], keys)
                self.homes[email] = home
            return self.homes[email]


# No agent is started, no key fetched, no file of the user's read.
_GPG = (
    "gpg",
    "--batch",
    "--no-tty",
    "--no-options",
    "--no-autostart",
    "--no-auto-key-retrieve",
    "--no-auto-check-trustdb",
)
_GPG_SAYS = {
    b"BADSIG": "its signature is not of this tag",
    b"REVKEYSIG": "it is signed with a revoked key of {}",
    b"EXPKEYSIG": "it is signed with an expired key of {}",
    b"EXPSIG": "its signature has expired",
    b"NO_PUBKEY": "it is signed with a key that is not listed for {}",
}


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"GNUPGHOME", "GPG_AGENT_INFO"}}
    return {**kept, "TZ": "UTC", "LC_ALL": "C"}  # a date without Z is local time to ssh-keygen


def _run(command: Sequence[str], data: Path) -> subprocess.CompletedProcess[bytes]:
    with data.open("rb") as file, _installed(command[0]):
        return subprocess.run(command, stdin=file, capture_output=True, check=False, env=_environment())


def _succeeds(command: Sequence[str | bytes], data: Path) -> bool:
    """Whether a command exits with 0. Its words are not asked for: "Good signature" may be followed by a refusal."""
    with data.open("rb") as file, _installed(str(command[0])):
        quiet = subprocess.DEVNULL
        return subprocess.call(command, stdin=file, stdout=quiet, stderr=quiet, env=_environment()) == 0


@contextmanager
def _installed(program: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        raise GitFailed(f"cannot verify signatures: {program} does not run: {error.strerror}", "install it") from error


class _Memory:
    """What was proven before, by the SHA-256 of tag objects: a file for each set of signers, a line a tag."""

    def __init__(self, signers: Signers) -> None:
        digest = signers.digest(time.strftime("%Y%m%d%H%M%S", time.gmtime()))
        self.file = None
        with suppress(Refused):  # without a home directory, nothing is remembered
            self.file = None if digest is None or signers.openpgp else cache_directory() / "proven" / digest

    @cached_property
    def known(self) -> frozenset[bytes]:
        try:
            return frozenset(self.file.read_bytes().splitlines()) if self.file is not None else frozenset()
        except OSError:
            return frozenset()

    def knows(self, raw: bytes) -> bool:
        return bool(self.known) and _digest(raw) in self.known

    def keep(self, raws: Iterator[bytes]) -> None:
        """Add lines. Where the directory cannot be written, they are verified again the next time."""
        lines = b"".join(_digest(raw) + b"\n" for raw in raws)
        if self.file is None or not lines:
            return
        with suppress(OSError):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.file.open("ab", buffering=0) as file:  # O_APPEND, in one write: others may do the same
                file.write(b"\n" + lines)


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).hexdigest().encode()

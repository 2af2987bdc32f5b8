"""Signing tag objects as `git tag -s` does, without its moving a ref (git-config(1): gpg.*, user.signingKey)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from registry.errors import GitFailed, Refused
from registry.plumbing.process import Git

_PROGRAMS = {"openpgp": "gpg", "x509": "gpgsm", "ssh": "ssh-keygen"}


def signer(git: Git, wanted: bool | None) -> Callable[[bytes], bytes] | None:
    """What adds a signature to a tag object, or None where none is wanted.

    `wanted` None leaves it to tag.gpgSign. Raises Refused where a signature is wanted and no key is set.
    """
    sign = _config(git, "tag.gpgSign", "bool") == "true" if wanted is None else wanted
    if not sign:
        return None
    form = (_config(git, "gpg.format") or "openpgp").lower()
    if form not in _PROGRAMS:
        raise Refused(f"cannot sign: gpg.format is {form!r}", "git config gpg.format ssh (or openpgp, x509)")
    program = _config(git, f"gpg.{form}.program", "path") or (
        _config(git, "gpg.program", "path") if form == "openpgp" else None
    )
    key = _config(git, "user.signingKey")
    if form == "ssh":
        return _ssh(program or _PROGRAMS[form], key or _default_ssh_key(git))
    return _gpg(program or _PROGRAMS[form], key or _committer(git))


def _config(git: Git, name: str, kind: str | None = None) -> str | None:
    kinds = [f"--type={kind}"] if kind else []
    return git.read("config", *kinds, "--get", name, check=False).decode(errors="replace").rstrip("\n") or None


def _committer(git: Git) -> str:
    # Git's own default: the committer's name and e-mail, by which gpg finds the key.
    return git.read("var", "GIT_COMMITTER_IDENT").decode(errors="replace").rpartition(">")[0] + ">"


def _gpg(program: str, key: str) -> Callable[[bytes], bytes]:
    def sign(raw: bytes) -> bytes:
        # -b detached, -s sign, -a armoured, -u the key: gpg-interface.c, sign_buffer_gpg().
        return raw + _run([program, "--status-fd=2", "-bsau", key], raw, needs=b"[GNUPG:] SIG_CREATED ")

    return sign


def _ssh(program: str, key: str | None) -> Callable[[bytes], bytes]:
    if key is None:
        raise Refused("cannot sign: no SSH key is set", "git config user.signingKey ~/.ssh/id_ed25519.pub")
    literal = key.removeprefix("key::") if key.startswith(("key::", "ssh-")) else None

    def sign(raw: bytes) -> bytes:
        if literal is None:
            return raw + _run([program, "-Y", "sign", "-n", "git", "-f", str(Path(key).expanduser())], raw)
        # A key named by itself is held by the agent (-U); ssh-keygen wants it in a file all the same.
        descriptor = os.memfd_create("signing-key") if hasattr(os, "memfd_create") else None
        if descriptor is None:
            raise GitFailed(
                "cannot sign: the key is given by itself", "set user.signingKey to the path of its .pub file"
            )
        try:
            os.write(descriptor, literal.encode() + b"\n")
            file = f"/proc/{os.getpid()}/fd/{descriptor}"
            return raw + _run([program, "-Y", "sign", "-n", "git", "-f", file, "-U"], raw)
        finally:
            os.close(descriptor)

    return sign


def _default_ssh_key(git: Git) -> str | None:
    command = _config(git, "gpg.ssh.defaultKeyCommand")
    if command is None:
        return None
    # The user's own setting, run as Git runs it: through the shell.
    printed = _run(["sh", "-c", command], b"").decode(errors="replace").splitlines()
    return printed[0] if printed else None


def _run(command: list[str], data: bytes, needs: bytes = b"") -> bytes:
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=False)
    except OSError as error:
        raise GitFailed(f"cannot sign: {command[0]} does not run: {error.strerror}", "install it") from error
    if done.returncode != 0 or needs not in done.stderr:
        lines = [x for x in done.stderr.decode(errors="replace").splitlines() if x and not x.startswith("[GNUPG:]")]
        said = f": {lines[-1]}" if lines else ""
        hint = "git config user.signingKey says with which key; with one of SSH's, git config gpg.format ssh"
        raise GitFailed(f"cannot sign: {command[0]} failed{said}", hint)
    return done.stdout.replace(b"\r\n", b"\n")

"""Verifying: a repository of signed tags, and the very same calls of ssh-keygen alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import corpus
from tests.benchmarks.series import Probe
from tests.benchmarks.workshop import Workshop

MODELS, EACH = 100, 100
BARE, VERIFY, AGAIN = "ssh-keygen -Y verify of each", "verify of 10,000 signed tags", "the same again"
_WHO = "ana@example.com"

# As many at a time as there are cores, each started with as little as Python has to offer.
_CALLS = """
import os, sys
room, cores = sys.argv[1], len(os.sched_getaffinity(0))
verify = ["ssh-keygen", "-Y", "verify", "-n", "git", "-I", "ana@example.com", "-f", room + "/allowed_signers", "-s"]
quiet = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
def wait():
    if os.waitpid(-1, 0)[1] != 0:
        sys.exit("a signature is not good")
running = 0
for name in sorted(os.listdir(room + "/payload")):
    if running == cores:
        wait()
        running -= 1
    stdin = (os.POSIX_SPAWN_OPEN, 0, f"{room}/payload/{name}", os.O_RDONLY, 0)
    os.posix_spawnp("ssh-keygen", [*verify, f"{room}/sig/{name}"], os.environ, file_actions=[stdin, *quiet])
    running += 1
while running:
    wait()
    running -= 1
"""


def probes(shop: Workshop) -> list[Probe]:
    """`verify` with nothing remembered, and with what it remembers, after its yardstick."""
    place, room = shop.home / "repositories" / "signed", shop.home / "signed"
    if not place.exists():
        print(f"making {MODELS * EACH} signed tags", file=sys.stderr, flush=True)
        fill(place, room, shop)
    verify = shop.registry("verify")
    return [
        Probe(BARE, [sys.executable, "-I", "-S", "-c", _CALLS, os.fspath(room)], place),
        Probe(VERIFY, verify, place, (BARE,), lambda: shutil.rmtree(shop.home / ".cache", ignore_errors=True)),
        Probe(AGAIN, verify, place, (BARE,)),
    ]


def fill(place: Path, room: Path, shop: Workshop) -> None:
    """Make the repository, and in `room` what was signed, the signatures and the keys, a file each."""
    names = corpus.names(MODELS)
    for directory in (place / ".registry", room / "payload", room / "sig"):
        directory.mkdir(parents=True)
    key = room / "ana"
    _run(shop, place, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", os.fspath(key))
    allowed = f"{_WHO} {key.with_suffix('.pub').read_text()}"
    for file in (room / "allowed_signers", place / ".registry" / "allowed_signers"):
        file.write_text(allowed)
    models = "".join(f"  {name}: {{}}\n" for name in names)
    (place / "registry.yaml").write_text(f"versions: {{signed: true}}\nmodels:\n{models}")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Declare"]):
        _run(shop, place, "git", *words)
    commit = _run(shop, place, "git", "rev-parse", "HEAD")
    last: dict[str, str] = {}
    creations = []
    for number in range(1, EACH + 1):
        payloads = [_write(room, name, number, _unsigned(commit, name, number, last.get(name))) for name in names]
        _run(
            shop, place, "ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", os.fspath(key), *map(os.fspath, payloads)
        )
        wholes = [_whole(room, file) for file in payloads]
        stored = _run(
            shop, place, "git", "hash-object", "-t", "tag", "-w", "--stdin-paths", said="\n".join(map(str, wholes))
        )
        last = dict(zip(names, stored.split(), strict=True))
        creations += [f"create refs/tags/{name}@v0.0.{number} {oid}\n" for name, oid in last.items()]
    _run(shop, place, "git", "update-ref", "--stdin", said="".join(creations))
    _run(shop, place, "git", "pack-refs", "--all")


def _unsigned(commit: str, name: str, number: int, previous: str | None) -> str:
    said = f"Previous: {previous}\n" if previous else ""
    return (
        f"object {commit}\ntype commit\ntag {name}@v0.0.{number}\ntagger Ana <{_WHO}> {corpus.START + number} +0000\n\n"
        f"Register {name} v0.0.{number}\n\nRegistry: 1\n{said}Counter: {number}\nNumber: {number}\n"
    )


def _write(room: Path, name: str, number: int, text: str) -> Path:
    file = room / "payload" / f"{name}-{number:03}"
    file.write_text(text)
    return file


def _whole(room: Path, payload: Path) -> Path:
    """The tag object; its signature is put aside."""
    signature = payload.with_name(f"{payload.name}.sig").rename(room / "sig" / payload.name)
    whole = room / "whole"
    whole.mkdir(exist_ok=True)
    file = whole / payload.name
    file.write_bytes(payload.read_bytes() + signature.read_bytes())
    return file


def _run(shop: Workshop, place: Path, *command: str, said: str = "") -> str:
    done = subprocess.run(
        command, cwd=place, env=shop.environment, input=said.encode(), check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout.decode().strip()

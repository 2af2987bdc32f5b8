"""Waiting for git while it talks to another machine: what it prints, its progress, and an end to silence."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from registry.errors import GitFailed, UsageError
from registry.plumbing.process import STALL, Answer

_CHUNK = 1 << 16


def patience() -> float:
    """Seconds of silence to bear, as REGISTRY_TIMEOUT says. Raises UsageError where that is no number."""
    said = os.environ.get("REGISTRY_TIMEOUT") or str(STALL)
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0
    if not seconds > 0:
        raise UsageError(f"REGISTRY_TIMEOUT is no number of seconds: {said!r}", "such as REGISTRY_TIMEOUT=60")
    return seconds


def talk(
    command: Sequence[str],
    directory: str,
    environment: Mapping[str, str],
    data: bytes,
    progress: Callable[[str], None],
    remote: str,
) -> Answer:
    """Run `command` until it ends; `progress` hears what it says, and "" at the end.

    Raises GitFailed where it is silent for too long; it is ended then.
    """
    bound = patience()
    try:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise GitFailed(f"git does not run: {error.strerror}", "install Git 2.34 or newer") from error
    with process:
        try:
            out, err = _heard(process, data, bound, progress, remote)
        except BaseException:
            _end(process)
            raise
        finally:
            progress("")
    return Answer(process.returncode, out, err)


def _heard(
    process: subprocess.Popen[bytes], data: bytes, bound: float, progress: Callable[[str], None], remote: str
) -> tuple[bytes, bytes]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("asked for pipes")
    heard: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as waiting:
        for stream in heard:
            waiting.register(stream, selectors.EVENT_READ)
        left = memoryview(data)
        if left:
            os.set_blocking(process.stdin.fileno(), False)
            waiting.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()
        while waiting.get_map():
            ready = waiting.select(bound)
            if not ready:
                raise GitFailed(
                    f"nothing was heard from {remote} for {bound:g} seconds",
                    "try again; REGISTRY_TIMEOUT=SECONDS waits longer",
                )
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    left = left[_written(process.stdin, left) :]
                    if not left:
                        waiting.unregister(process.stdin)
                        with suppress(BrokenPipeError):
                            process.stdin.close()
                    continue
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    waiting.unregister(key.fileobj)
                    continue
                stream = process.stdout if key.fileobj is process.stdout else process.stderr
                heard[stream] += chunk
                if stream is process.stderr:
                    _tell(chunk, progress)
    return bytes(heard[process.stdout]), bytes(heard[process.stderr])


def _written(stream: IO[bytes], data: memoryview) -> int:
    try:
        return os.write(stream.fileno(), data[:_CHUNK])
    except BlockingIOError:
        return 0
    except BrokenPipeError:  # it has ended, and says why on stderr
        return len(data)


def _tell(chunk: bytes, progress: Callable[[str], None]) -> None:
    # Git ends a line that it will write again with a carriage return.
    lines = [line.strip() for line in chunk.decode(errors="replace").replace("\r", "\n").split("\n")]
    if said := next((line for line in reversed(lines) if line), None):
        progress(said)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # git removes its lock files then, which it could not when killed
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()

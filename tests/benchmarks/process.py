"""One process, from its start to its end: what it took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_RSS = 1 if sys.platform == "darwin" else 1024  # bytes; Linux counts in kilobytes: getrusage(2)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took, those that it started included: seconds on the wall and of CPU.

    `memory` is the peak of the greatest one among them in bytes, not the sum.
    """

    seconds: float
    cpu: float
    memory: int


def run(command: Sequence[str], place: Path, environment: Mapping[str, str], patience: float) -> Cost | None:
    """Run `command` in `place`, its answer thrown away; None where it was killed after `patience` seconds.

    Raises CalledProcessError where it fails: what does nothing is fast.
    """
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,  # what it has started is killed with it
        )
        bomb = threading.Timer(patience, os.killpg, (process.pid, signal.SIGKILL))
        bomb.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            bomb.cancel()
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode == -signal.SIGKILL and seconds >= patience:
            return None
        if process.returncode != 0:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, stderr=said.read())
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _RSS)

"""Installs the program beside the workflow, and becomes it. Run by whatever python3 is there, however old.

    python3 -I .../registry/action/install.py

The virtual environment lies in the runner's temporary directory, and serves every later step that runs the same
program. Everything runs with -I: nothing of the directory that a step runs in, which may be a stranger's, can pass for
a module of Python.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import List, NoReturn  # noqa: UP035  (a Python that is too old has to come as far as saying so)

CHECKOUT = Path(__file__).resolve().parent.parent.parent
EXTRAS = ("dvc", "hf", "ui", "url")
PIP = ["-I", "-m", "pip", "install", "--quiet", "--no-input", "--no-compile", "--disable-pip-version-check"]
# pip starts Pythons of its own, without -I; and what it builds has no use for the workflow's token.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
BUILDING = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("REGISTRY_")}


def main() -> None:
    """Become the program, or say what is missing."""
    if sys.version_info[:2] < (3, 10):  # noqa: UP036  (the same)
        found = ".".join(map(str, sys.version_info[:2]))
        fail(f"git-registry needs Python 3.10 or newer, and python3 is {found}: run actions/setup-python before")
    extras = sorted({extra for extra in os.environ.get("REGISTRY_INPUT_EXTRAS", "").replace(",", " ").split() if extra})
    if not set(extras) <= set(EXTRAS):
        fail(f"extras has something else than {', '.join(EXTRAS)}")
    if os.environ.get("REGISTRY_INPUT_MODE", "").strip() == "site":
        extras = sorted({*extras, "ui"})
    # One for each program, set of extras and Python: a job may use two versions of the action.
    mark = hashlib.sha256(repr((content(), extras, sys.executable, sys.version)).encode()).hexdigest()[:16]
    place = Path(os.environ.get("RUNNER_TEMP") or "/tmp", f"git-registry-{mark}")  # noqa: S108  (outside of a runner)
    python = str(place / "bin" / "python")
    try:
        install(place, python, extras)
        os.execve(python, [python, "-I", "-m", "registry.action"], ENVIRONMENT)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        fail(f"git-registry cannot be installed or started: {error}")


def content() -> str:
    """A digest of the program: a checkout may change within a job, and its path alone would not tell."""
    found = hashlib.sha256()
    for path in sorted([CHECKOUT / "pyproject.toml", *(CHECKOUT / "registry").rglob("*.*")]):
        if path.is_file() and path.suffix != ".pyc":
            found.update(repr((path.relative_to(CHECKOUT).as_posix(), path.read_bytes())).encode())
    return found.hexdigest()


def install(place: Path, python: str, extras: List[str]) -> None:  # noqa: UP006  (the same)
    """Make the virtual environment at `place`, unless it is there; of several at once, one does it."""
    done = place / "git-registry-is-installed"
    with place.with_name(f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of where the file is closed, by execve(2) at the latest
        if not done.exists():
            wanted = f"{CHECKOUT}[{','.join(extras)}]" if extras else str(CHECKOUT)
            if not ran([sys.executable, "-I", "-m", "venv", "--clear", str(place)]) or not ran([python, *PIP, wanted]):
                fail("git-registry cannot be installed: the log says why; run actions/setup-python before")
            done.touch()


def ran(words: List[str]) -> bool:  # noqa: UP006  (the same)
    """Whether a command did what it should; if not, what it printed is shown, and not obeyed."""
    done = subprocess.run(words, env=BUILDING, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        token = f"registry-{os.urandom(16).hex()}"
        text = done.stdout.decode(errors="backslashreplace").replace("##[", "# #[")
        print(f"::stop-commands::{token}\n{text}\n::{token}::", flush=True)
    return done.returncode == 0


def fail(message: str) -> NoReturn:
    """Say `message`, and end."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title=git-registry::{escaped}", flush=True)
    sys.exit(1)


if __name__ == "__main__":
    main()

"""The life of two models in a repository made for it: real training, real commits, the commands that a person types."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from registry.errors import GitFailed, NotFound, Refused

# What is run, in order. "python" is this interpreter, "registry" this program; a line that begins with # is said.
STORY = """
# Two models are trained, and a manifest declares them
python train.py wine --depth 1
python train.py digits --trees 30 --depth 6
registry init
registry add wine --path models/wine.joblib --metrics metrics/wine.json --params metrics/wine.params.json
registry add digits --path models/digits.joblib --metrics metrics/digits.json
# The training is committed, and the commit becomes a version of each
git add --all
git commit --quiet -m 'Train wine and digits'
registry register wine -m 'First forest'
registry register digits
# A better one
python train.py wine --depth 4
git commit --quiet --all -m 'Train deeper trees'
registry register wine --minor
registry diff wine@v0.0.1 wine@v0.1.0
# Promotion, and a change of mind
registry assign wine@v0.0.1 staging
registry assign 'wine#staging' production --reason 'Better than no model'
registry assign wine@latest staging
registry assign 'wine#staging' production --reason 'More accurate'
registry rollback wine production --reason 'Latency doubled'
# Who is where, and why
registry show
registry show wine
registry history wine
registry resolve 'wine#production'
"""


def run(target: Path, say: Callable[[str], None], *, quiet: bool = False) -> list[str]:
    """Make the repository `target` and tell the story in it; give the commands that were run.

    Raises Refused where `target` holds something already, NotFound where scikit-learn is missing.
    """
    if find_spec("sklearn") is None:
        raise NotFound("the demo trains its models with scikit-learn, which is missing", "pip install scikit-learn")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refused(f"{target} is there already", "registry demo ANOTHER_DIR makes it elsewhere")
    target.mkdir(parents=True, exist_ok=True)
    environment = _environment()
    _git(target, environment, "init", "--quiet", "--initial-branch=main")
    # An identity of its own, so that the demo needs none of yours, and nothing of yours is asked to sign.
    for name, value in _SETTINGS.items():
        _git(target, environment, "config", name, value)
    (target / "train.py").write_text((files(__name__) / "train.py").read_text())
    done = []
    for line in STORY.strip().splitlines():
        if line.startswith("#"):
            say("\n" + line)
            continue
        say(f"$ {line}")
        _run(target, environment, line, quiet=quiet)
        done.append(line)
    return done


_SETTINGS = {
    "user.name": "Registry Demo",
    "user.email": "demo@example.com",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": "/dev/null",
    "core.autocrlf": "false",
}


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "PYTHONWARNINGS": "ignore"}


def _git(target: Path, environment: dict[str, str], *arguments: str) -> None:
    _call(["git", *arguments], target, environment, quiet=True)


def _run(target: Path, environment: dict[str, str], line: str, *, quiet: bool) -> None:
    program, *arguments = shlex.split(line)
    commands = {"python": [sys.executable], "registry": [sys.executable, "-m", "registry"]}
    _call([*commands.get(program, [program]), *arguments], target, environment, quiet=quiet)


def _call(command: Sequence[str], target: Path, environment: dict[str, str], *, quiet: bool) -> None:
    sys.stdout.flush()
    done = subprocess.run(command, cwd=target, env=environment, check=False, capture_output=quiet)
    if done.returncode != 0:
        words = shlex.join(command)
        raise GitFailed(f"the demo stopped: {words} failed with {done.returncode}", f"what there is lies in {target}")

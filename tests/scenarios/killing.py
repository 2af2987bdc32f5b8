"""Kills a command, or the git that it runs, at every point where it runs git: `python -m tests.scenarios.killing`.

It stands apart from the tests so that it can fork: each kill costs a fork, not the start of an interpreter.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from registry import Registry
from registry.errors import RegistryError

ACTIONS = ("register", "assign", "promote", "delete")
# What happens at the chosen call of git. Of "us" the command dies, of "git" the git that it called; an "orphan" goes on
# without the command that called it.
WAYS = {
    "us-before": "kill -9 $PPID; exit 1",
    "us-after": '"$REAL_GIT" "$@"; kill -9 $PPID; exit 1',
    "git-before": "kill -9 $$",
    "git-after": '"$REAL_GIT" "$@"; kill -9 $$',
    "orphan": 'kill -9 $PPID; exec "$REAL_GIT" "$@"',
}
WRAPPER = """\
#!/bin/sh
read -r n <"$PLACE/count"; n=$((n + 1)); echo $n >"$PLACE/count"; echo "$1" >>"$PLACE/log"
[ $n -eq "$KILL_AT" ] && case "$WAY" in
{ways}
esac
exec "$REAL_GIT" "$@"
"""


@dataclass(frozen=True)
class Killed:
    """One kill: the way, at which call of git, of which command; the repository afterwards; how the command ended."""

    way: str
    at: int
    command: str
    repository: str
    ended: int


def at_every_point(action: str, template: Path, place: Path) -> list[Killed]:
    """All kills of `action`, each in a copy of the repository `template` below `place`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.killing", action, str(template), str(place)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Killed(**row) for row in json.loads(done.stdout)]


def act(action: str) -> None:
    """What is done in the repository here, and killed."""
    registry = Registry(".", on_note=lambda _: None)
    match action:
        case "register":
            registry.register_written("churn", version="v3.0.0")
        case "assign":
            registry.assign("churn@v2.0.0", "production")
        case "delete":
            registry.delete("churn@v2.0.0", "churn#production#3")
        case "promote":
            with registry.promote("churn", version="v3.0.0", stage="production") as run:
                Path("models/churn.pkl").write_text("promoted\n")
                run.log_artifact("models/churn.pkl")


def _all(action: str, template: Path, place: Path) -> Iterator[Killed]:
    os.environ["REAL_GIT"] = shutil.which("git") or "git"
    wrapper = place / "bin" / "git"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(WRAPPER.format(ways="\n".join(f"{way}) {what} ;;" for way, what in WAYS.items())))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    os.environ["PATH"] = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    whole = _one(action, template, place / "whole", 0, "none")
    if whole.ended != 0:
        raise AssertionError(f"{action} fails by itself: {whole}")
    calls = (place / "whole" / "log").read_text().splitlines()
    for at, command in enumerate(calls, 1):
        # Those that only read begin with a setting; to die of one or after it is all the same.
        for way in ("us-after",) if command == "-c" else WAYS:
            yield _one(action, template, place / f"{way}-{at}", at, way, command)


def _one(action: str, template: Path, place: Path, at: int, way: str, command: str = "") -> Killed:
    shutil.copytree(template, place / "repo", symlinks=True)
    (place / "count").write_text("0\n")
    os.environ.update(KILL_AT=str(at), WAY=way, PLACE=str(place))
    ended = _forked(lambda: act(action), place / "repo")
    return Killed(way, at, command, str(place / "repo"), ended)


def _forked(work: Callable[[], None], directory: Path) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.chdir(directory)
            work()
            code = 0
        except RegistryError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    print(json.dumps([asdict(one) for one in _all(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))]))

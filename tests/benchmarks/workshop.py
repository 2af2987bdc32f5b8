"""Where the measuring happens: an environment of its own, the programs, the repositories and copies of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.benchmarks import corpus
from tests.benchmarks.corpus import Shape

_ROOT = Path(__file__).parents[2]
_GTO = "gto==1.10.1"
_SETTINGS = "[user]\nname = Ana\nemail = ana@example.com\n[gc]\nauto = 0\n"


@dataclass(frozen=True)
class Workshop:
    """A directory of its own. `gto` is the program, installed here where it is None."""

    home: Path
    gto: str | None = None

    @cached_property
    def environment(self) -> dict[str, str]:
        """As in tests/conftest.py: without the settings of this machine; new tags are younger than all others."""
        key = self.home / "key"  # for what is always signed
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.fspath(key)], check=True)
        (self.home / ".gitconfig").write_text(f"{_SETTINGS}[gpg]\nformat = ssh\n[user]\nsigningKey = {key}\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "REGISTRY_", "GTO_"))}
        date = f"{corpus.START + 1_000_000} +0000"
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "no_proxy": "127.0.0.1",
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    # -- programs --------------------------------------------------------------------------------------------------

    @cached_property
    def programs(self) -> Path:
        """The checkout as a user has it: an editable install would double the start-up."""
        return self._installed("ours", os.fspath(_ROOT))

    @cached_property
    def theirs(self) -> str:
        """The program `gto`."""
        return self.gto or os.fspath(self._installed("gto", _GTO) / "gto")

    def _installed(self, name: str, what: str) -> Path:
        print(f"installing {name}", file=sys.stderr, flush=True)
        place = self.home / "venvs" / name
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [os.fspath(place / "bin" / "pip"), "--disable-pip-version-check", "install", "--quiet", what]
        subprocess.run(pip, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return place / "bin"

    def registry(self, *words: str) -> list[str]:
        """The command line of our program."""
        return [os.fspath(self.programs / "registry"), *words]

    @property
    def python(self) -> str:
        """The Python that our program runs in."""
        return os.fspath(self.programs / "python")

    # -- repositories ----------------------------------------------------------------------------------------------

    def repository(self, shape: Shape) -> Path:
        """A repository of this shape with a work tree, made when it is first asked for."""
        kind = f"{shape.tags}{'' if shape.packed else '-loose'}{'-changing' if shape.changing else ''}"
        place = self.home / "repositories" / kind
        if not place.exists():
            print(f"making {kind} tags", file=sys.stderr, flush=True)
            self._git("init", "-q", "-b", "main", os.fspath(place))
            # In a process of its own: whatever memory it takes would count as that of the commands that are measured.
            words = [place, shape.tags, int(shape.packed), int(shape.changing)]
            command = [sys.executable, "-m", "tests.benchmarks.corpus", *map(str, words)]
            subprocess.run(command, check=True, cwd=_ROOT, env=self.environment)
            self._git("-C", os.fspath(place), "reset", "-q", "--hard")
        return place

    def copy(self, repository: Path) -> tuple[Path, Callable[[], None]]:
        """Where a copy of `repository` lies, and what makes it anew: each write begins with the same."""
        place = self.home / "copies" / repository.name

        def make() -> None:
            shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(exist_ok=True)
            # Not by shutil: 10,000 loose refs listed in this process would raise the peak that its children start with.
            subprocess.run(["cp", "-pR", repository, place], check=True)

        return place, make

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], check=True, env=self.environment)

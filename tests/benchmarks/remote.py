"""What is measured about a repository at a URL: how fast a version is resolved without a clone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks import corpus
from tests.benchmarks.commands import CLICK
from tests.benchmarks.corpus import Shape
from tests.benchmarks.series import Probe
from tests.benchmarks.workshop import Workshop
from tests.servers import serve

COLD, WARM = "registry resolve A#S --repo URL, cold", "registry resolve A#S --repo URL, warm"


@contextmanager
def served(shop: Workshop, shape: Shape) -> Iterator[list[Probe]]:
    """The commands, while a server on this machine has such a repository."""
    with serve(shop.home / "server") as server:
        url = server.create("models.git")
        corpus.fill(server.path("models.git"), shape, shop.environment)
        name, bare = shape.model, shop.home / "bare"
        specs = [f"+refs/tags/{name}{sign}*:refs/tags/{name}{sign}*" for sign in "@#"]
        fetch = ["git", "fetch", "-q", "--no-tags", "--depth=1", "--filter=tree:0", "--prune", "origin", *specs]

        def begin() -> None:
            shutil.rmtree(bare, ignore_errors=True)
            subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
            subprocess.run(["git", "-C", str(bare), "remote", "add", "origin", url], check=True)

        def forget() -> None:
            shutil.rmtree(shop.environment["XDG_CACHE_HOME"], ignore_errors=True)

        resolve = shop.registry("resolve", f"{name}#production", "--repo", url)
        cold, warm = "git fetch of its tags, cold", "git fetch of its tags, warm"
        yield [
            Probe(CLICK, [shop.python, "-c", "import click"], shop.home),
            Probe(cold, fetch, bare, (), begin),
            Probe(warm, fetch, bare),
            Probe(COLD, resolve, shop.home, (CLICK, cold), forget),
            Probe(WARM, resolve, shop.home, (CLICK, warm)),
            Probe("gto show A --repo URL", [shop.theirs, "show", name, "--repo", url], shop.home),
        ]

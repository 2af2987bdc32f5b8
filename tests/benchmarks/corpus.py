"""Repositories of any size for measuring, made with git fast-import (DESIGN part 8)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

_START = 1767225600  # 2026-01-01T00:00:00Z
_WHO = "Ana <ana@example.com>"


def names(artifacts: int) -> list[str]:
    """The names of the artifacts of a corpus."""
    return [f"model-{n:04}" for n in range(artifacts)]


def fill(repository: Path, artifacts: int, tags: int) -> None:
    """Fill a bare repository: `tags` tags on `artifacts` models, in each nine versions to one promotion; packed."""
    stream = "".join(_stream(artifacts, tags))
    git = ["git", "-C", str(repository)]
    subprocess.run([*git, "fast-import", "--quiet"], input=stream.encode(), check=True)
    subprocess.run([*git, "pack-refs", "--all"], check=True)


def _stream(artifacts: int, tags: int) -> Iterator[str]:
    manifest = "models:\n" + "".join(f"  {name}: {{path: models/{name}.pkl}}\n" for name in names(artifacts))
    each = tags // artifacts
    commits = each * 9 // 10 or 1
    for n in range(commits):
        yield f"commit refs/heads/main\nmark :{n + 1}\ncommitter {_WHO} {_START + n} +0000\ndata 5\nTrain\n"
        if n == 0:
            yield f"M 644 inline registry.yaml\ndata {len(manifest)}\n{manifest}\n"
        yield f"M 644 inline weights\ndata {len(str(n))}\n{n}\n\n"
    for name in names(artifacts):
        version = 0
        for place in range(each):
            promotion = place % 10 == 9
            version += not promotion
            tag = f"{name}#production#{place + 1}" if promotion else f"{name}@v0.0.{version}"
            word = f"Version: v0.0.{version}" if promotion else f"Counter: {place + 1}\nNumber: {version}"
            verb = "Assign" if promotion else "Register"
            text = f"{verb} {name} v0.0.{version}\n\nRegistry: 1\n{word}\n"
            seconds = _START + 100_000 + place
            yield f"tag {tag}\nfrom :{version}\ntagger {_WHO} {seconds} +0000\ndata {len(text)}\n{text}"

"""Repositories of any size for measuring, made with git fast-import: the same bytes each time (DESIGN part 8).

Every model has nine versions to one promotion, and its versions stand at the same commits as those of all others. The
branch `wanted` is one commit ahead of `main`: its manifest asks for a new version of each of `WANTED` models.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from registry.core.draft import object_id
from registry.plumbing.pack import pack

EACH = 100  # tags of one model
WANTED = 1000  # models that the branch `wanted` asks a new version of
START = 1767225600  # seconds since the epoch, 2026-01-01T00:00:00Z; a commit a second
_TAGGED = START + 100_000  # the first tags, a second apart, after all commits
_PACK = 50_000  # tags in one pack
_WHO = "Ana <ana@example.com>"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a repository is like: how many tags, packed refs or one file each, one manifest or another each commit."""

    tags: int
    packed: bool = True
    changing: bool = False

    @property
    def names(self) -> list[str]:
        """The names of its models."""
        return names(max(1, self.tags // EACH))

    @property
    def each(self) -> int:
        """How many tags every model has."""
        return self.tags // len(self.names)

    @property
    def versions(self) -> int:
        """How many versions every model has; the first one stands at the first commit, and so on."""
        return self.each - self.each // 10

    @property
    def model(self) -> str:
        """The one that commands are asked about."""
        return self.names[len(self.names) // 2]


def names(models: int) -> list[str]:
    """The names of so many models."""
    return [f"model-{n:04}" for n in range(models)]


def fill(repository: Path, shape: Shape, environment: Mapping[str, str]) -> None:
    """Fill an empty repository; the head of its `main` has no version yet."""
    git = ["git", "-C", str(repository)]
    marks = repository / ".git" / "marks"
    command = [*git, "fast-import", "--quiet", f"--export-marks={marks}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        if process.stdin is None:
            raise AssertionError("asked for a pipe")
        for piece in stream(shape):  # piece by piece: the peak of this process would count for its children's too
            process.stdin.write(piece.encode())
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    if shape.packed:
        subprocess.run([*git, "pack-refs", "--all"], check=True, env=environment)
        commits = dict(line.split(" ") for line in marks.read_text().splitlines())
        _pack(repository, shape, commits, environment)
    marks.unlink()


def stream(shape: Shape) -> Iterator[str]:
    """The commits, as git-fast-import(1) reads them; the tags too where each shall have a file of its own."""
    models = shape.names
    for n in range(1, shape.versions + 2):
        changed = models[n % len(models)] if shape.changing else ""
        whole = n == 1 or shape.changing
        manifest = _file("registry.yaml", _manifest(models, {changed: f"description: change {n}"})) if whole else ""
        yield _commit("main", n, manifest + _file("weights", str(n)))
    yield f"reset refs/heads/wanted\nfrom :{shape.versions + 1}\n\n"
    wanted = names(WANTED)
    yield _commit("wanted", shape.versions + 2, _file("registry.yaml", _manifest(wanted, _asking(wanted))))
    for tag in () if shape.packed else _tags(shape):
        size = len(tag.text)
        yield f"tag {tag.name}\nfrom {tag.mark}\ntagger {tag.tagger}\ndata {size}\n{tag.text}"


def _pack(repository: Path, shape: Shape, commits: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """The tags in packs, and their refs in one file: a million loose ones would take an hour to make and to pack."""
    packed = repository / ".git" / "packed-refs"
    head, *there = packed.read_text().splitlines(keepends=True)
    refs = {line.split(" ")[1].rstrip(): line for line in there}
    tags = _tags(shape)
    while some := [*islice(tags, _PACK)]:
        raws = []
        for tag in some:
            commit = commits[tag.mark]
            raws.append(f"object {commit}\ntype commit\ntag {tag.name}\ntagger {tag.tagger}\n\n{tag.text}".encode())
            refs[f"refs/tags/{tag.name}"] = f"{object_id(raws[-1], 40)} refs/tags/{tag.name}\n^{commit}\n"
        command = ["git", "-C", str(repository), "index-pack", "--stdin"]
        subprocess.run(command, input=pack(raws, 40), check=True, env=environment, stdout=subprocess.DEVNULL)
    packed.write_text(head + "".join(refs[ref] for ref in sorted(refs)))


def _asking(wanted: Sequence[str]) -> dict[str, str]:
    return dict.fromkeys(wanted, "version: v1.0.0")


def _manifest(models: Sequence[str], more: dict[str, str]) -> str:
    fields = {name: ", ".join(["path: weights", *([more[name]] if name in more else [])]) for name in models}
    return "models:\n" + "".join(f"  {name}: {{{words}}}\n" for name, words in fields.items())


def _commit(branch: str, mark: int, files: str) -> str:
    return f"commit refs/heads/{branch}\nmark :{mark}\ncommitter {_WHO} {START + mark} +0000\ndata 5\nTrain\n{files}\n"


def _file(path: str, text: str) -> str:
    return f"M 644 inline {path}\ndata {len(text)}\n{text}\n"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its name, the mark of the commit that it is on, its tagger and its message."""

    name: str
    mark: str
    tagger: str
    text: str


def _tags(shape: Shape) -> Iterator[Tag]:
    return (tag for name in shape.names for tag in _tags_of(name, shape.each))


def _tags_of(name: str, each: int) -> Iterator[Tag]:
    version = 0
    for place in range(each):
        promotion = place % 10 == 9
        version += not promotion
        tag = f"{name}#production#{place + 1}" if promotion else f"{name}@v0.0.{version}"
        words = f"Version: v0.0.{version}" if promotion else f"Counter: {place + 1}\nNumber: {version}"
        verb = "Assign" if promotion else "Register"
        text = f"{verb} {name} v0.0.{version}\n\nRegistry: 1\n{words}\n"
        yield Tag(tag, f":{version}", f"{_WHO} {_TAGGED + place} +0000", text)


if __name__ == "__main__":
    _, where, tags, packed, changing = sys.argv
    fill(Path(where), Shape(int(tags), packed == "1", changing == "1"), os.environ)

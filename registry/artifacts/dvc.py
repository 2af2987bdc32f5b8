"""Outputs of DVC: what `.dvc` files and `dvc.lock` say, and their bytes, from a cache or through the `dvc` package.

The bytes are fetched in a project made for this, which names outputs by their digests alone: nothing else that a
repository says (commands, dependencies, imports, hooks) reaches DVC. Where its files go is decided here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from registry.artifacts import dvc_child, dvc_config, paths
from registry.artifacts.dvc_config import CONFIG, Project
from registry.artifacts.progress import size_below
from registry.artifacts.staging import CHUNK, Staging, open_plain
from registry.core.hiding import without_secrets
from registry.core.manifest import Json
from registry.errors import Refused, StoreFailed
from registry.manifests import documents
from registry.manifests.documents import DocumentError
from registry.plumbing import network

__all__ = ["CONFIG", "LIMIT", "Output", "Project", "candidates", "describes", "gather", "outputs", "within"]

LIMIT = documents.MAX_BYTES  # of a file that describes outputs

_md5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True, slots=True)
class Output:
    """One output at `path`, or of a directory the `part` of it that is wanted ("" for all).

    `old` says that its digest is DVC 2's, which does not look at line ends.
    """

    path: str
    md5: str
    old: bool = False
    size: int | None = None
    remote: str | None = None
    part: str = ""

    @property
    def is_directory(self) -> bool:
        """Whether the digest is that of a list of files."""
        return self.md5.endswith(".dir")


# -- what is said ------------------------------------------------------------------------------------------------------


def describes(path: str) -> bool:
    """Whether a file of this path describes outputs."""
    return path.endswith(".dvc") or posixpath.basename(path) == "dvc.lock"


def candidates(wanted: Iterable[str], described: Iterable[str]) -> list[str]:
    """The files that may describe the outputs `wanted`, and those that say more about `described`."""
    found = {*described}
    for path in wanted:
        parts = path.split("/")
        lines = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        found |= {f"{line}.dvc" for line in lines if line != "."}
        found |= {posixpath.join(line, "dvc.lock") for line in ["", *lines[:-1]]}
    locks = [file for file in found if posixpath.basename(file) == "dvc.lock"]
    return sorted(found | {posixpath.join(posixpath.dirname(lock), "dvc.yaml") for lock in locks})


def outputs(files: Mapping[str, bytes]) -> list[Output]:
    """The outputs that `files` describe, by their paths from the root. Raises Refused where one cannot be read."""
    found: dict[str, Output] = {}
    for file, data in sorted(files.items()):
        if not describes(file):
            continue
        directory = posixpath.dirname(file)
        said = _read(file, data)
        if file.endswith(".dvc"):
            stages = [(_text(said.get("wdir")) or ".", said)]
        else:
            beside = posixpath.join(directory, "dvc.yaml")
            stages = list(_locked(said, _read(beside, files[beside]) if beside in files else {}))
        for base, stage in stages:
            for out in _list(stage.get("outs")):
                one = _output(posixpath.join(directory, base), out)
                if one is not None:
                    found.setdefault(one.path, one)
    return list(found.values())


def _locked(lock: dict[str, Json], pipeline: dict[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """Each stage of a dvc.lock, with the directory that its paths are relative to, which stands in dvc.yaml.

    What dvc.yaml says is not cached is left out: Git has it, or nobody.
    """
    declared = _table(pipeline.get("stages"))
    for name, stage in _table(lock.get("stages")).items():
        said = _table(declared.get(name.partition("@")[0]))  # of foreach and matrix: NAME@KEY
        base = _text(_table(said.get("do")).get("wdir")) or _text(said.get("wdir")) or "."
        if "${" not in base:
            made = {**said, **_table(said.get("do"))}
            uncached = {path for key in ("outs", "metrics", "plots") for path in _uncached(made.get(key))}
            outs: list[Json] = [
                one for one in _list(_table(stage).get("outs")) if _text(_table(one).get("path")) not in uncached
            ]
            yield base, {"outs": outs}


def _uncached(outs: Json) -> Iterator[str]:
    """Of the outputs of a stage, each a path or a mapping from paths to options, those with `cache: false`."""
    for out in _list(outs):
        yield from (path for path, options in _table(out).items() if _table(options).get("cache") is False)


def _output(base: str, out: Json) -> Output | None:
    said = _table(out)
    path = _text(said.get("path"))
    found = posixpath.normpath(posixpath.join(base, path))
    if not path or "://" in path or found.startswith(("/", "..")):
        return None
    size, md5 = said.get("size"), _text(said.get("md5"))
    return Output(
        found,
        md5 if _md5.fullmatch(md5) else "",
        old=said.get("hash") != "md5",
        size=size if isinstance(size, int) and size >= 0 else None,
        remote=_text(said.get("remote")) or None,
    )


def within(path: str, known: Sequence[Output], in_git: Collection[str]) -> list[Output]:
    """Of the outputs `known`, what is at `path`, below it, or holds it; those that Git has itself are left out."""
    found = []
    for one in known:
        if one.path in in_git:
            continue
        if path in {".", one.path} or one.path.startswith(f"{path}/"):
            found.append(one)
        elif path.startswith(f"{one.path}/") and one.is_directory:
            part = path[len(one.path) + 1 :]
            found.append(Output(one.path, one.md5, one.old, None, one.remote, part))
    return found


def _read(file: str, data: bytes) -> dict[str, Json]:
    try:
        return _table(documents.plain(documents.parse(data)))
    except DocumentError as error:
        raise Refused(f"{file} cannot be read: {error}", "correct it, and register the next commit") from error


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


# -- the bytes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file: where it goes, and the digest of its bytes."""

    path: str
    md5: str
    old: bool


class _Missing(Exception):
    """An object is in no cache here."""


def gather(project: Project, wanted: Sequence[Output], staging: Staging) -> None:
    """Write the files of these outputs. Raises StoreFailed, or Refused where the bytes are others."""
    if not wanted:
        return
    for one in wanted:
        paths.check(one.path)
        if not one.md5:
            raise Refused(f"{one.path} has no MD5 in DVC, so it cannot be told from another", "dvc add it anew")
        staging.meter.expect(one.size or 0)
    wanted = [one for one in wanted if one.is_directory or not _there(_Wanted(one.path, one.md5, one.old), staging)]
    if not wanted:
        return
    caches = [staging.work("dvc") / "cache", *dvc_config.caches(project)]
    try:
        found = _everything(wanted, caches)
    except _Missing:
        _fetch(project, wanted, staging)
        try:
            found = _everything(wanted, caches)
        except _Missing as error:
            if not dvc_config.names_remote(project, [one.remote for one in wanted]):
                raise StoreFailed(
                    f"{error} is in no cache here, and commit {project.commit[:7]} names no remote of DVC's",
                    "dvc remote add --local --default NAME URL says where it is",
                ) from error
            hint = "dvc push brings it there, unless the remote cannot be reached"  # DVC does not always tell
            raise StoreFailed(f"DVC's remote does not have {error} as it was", hint) from error
    for file, place in found:
        _write(file, place, staging)


def _everything(wanted: Sequence[Output], caches: Sequence[Path]) -> list[tuple[_Wanted, Path]]:
    """Every file with its place in a cache. Raises _Missing."""
    files = [file for one in wanted for file in _files(one, caches)]
    return [(file, _object(file.path, file.md5, caches, old=file.old)) for file in files]


def _files(output: Output, caches: Sequence[Path]) -> list[_Wanted]:
    if not output.is_directory:
        return [_Wanted(output.path, output.md5, output.old)]
    place = _object(output.path, output.md5, caches, old=output.old)
    with open_plain(place) as file:
        data = file.read()
    said = f"DVC's list of the files in {output.path}"
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != output.md5.removesuffix(".dir"):
        raise Refused(f"{said} is not what was registered", "nothing was moved in; dvc fetch --all-commits may mend it")
    try:
        entries = json.loads(data)
        listing = [(entry["relpath"], entry["md5"]) for entry in (entries if isinstance(entries, list) else [entries])]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused(f"{said} is none", "dvc add it anew") from error
    found = []
    for path, md5 in listing:
        if not isinstance(path, str) or not isinstance(md5, str) or not _md5.fullmatch(md5) or md5.endswith(".dir"):
            raise Refused(f"{said} is none", "dvc add it anew")
        paths.check(path)
        if output.part in {"", path} or path.startswith(f"{output.part}/"):
            found.append(_Wanted(f"{output.path}/{path}", md5, output.old))
    if output.part and not found:
        raise Refused(f"{output.path}/{output.part} is not among the files that DVC has there", "check the path")
    return found


def _object(path: str, md5: str, caches: Sequence[Path], *, old: bool) -> Path:
    # DVC 3 keeps its objects apart from those of DVC 2.
    below = Path(md5[:2], md5[2:]) if old else Path("files", "md5", md5[:2], md5[2:])
    for cache in caches:
        place = cache / below
        if place.is_file() and not place.is_symlink():
            return place
    raise _Missing(path)


def _write(wanted: _Wanted, place: Path, staging: Staging) -> None:
    if _there(wanted, staging):
        return
    with staging.writing(wanted.path, "dvc") as sink:
        found = _digests(place, wanted, sink.write)
        if wanted.md5 not in found:
            raise Refused(
                f"{wanted.path} is not what was registered: its MD5 is {found[0]}, not {wanted.md5}",
                "nothing was moved in; dvc fetch --force may mend the cache",
            )


def _there(wanted: _Wanted, staging: Staging) -> bool:
    return staging.has(wanted.path, "dvc", None, alike=lambda place: wanted.md5 in _digests(place, wanted))


def _digests(place: Path, wanted: _Wanted, write: Callable[[bytes], None] | None = None) -> list[str]:
    """The digests by which DVC may know a file, which is given to `write` on the way."""
    sums = [hashlib.md5(usedforsecurity=False) for _ in range(1 + wanted.old)]
    with open_plain(place) as file:
        while chunk := file.read(CHUNK):
            for sum_, data in zip(sums, (chunk, _unix(chunk) if wanted.old else b""), strict=False):
                sum_.update(data)
            if write is not None:
                write(chunk)
    return [sum_.hexdigest() for sum_ in sums]


def _unix(chunk: bytes) -> bytes:
    """A chunk as DVC 2 counted it (dvc_data/hashfile/hash.py): line ends of text are those of Unix."""
    block = chunk[:512]
    odd = block.translate(None, bytes(range(32, 127)) + b"\n\r\t\f\b")
    return chunk if b"\0" in block or len(odd) > 0.3 * len(block) else chunk.replace(b"\r\n", b"\n")


# -- DVC itself --------------------------------------------------------------------------------------------------------


def _fetch(project: Project, wanted: Sequence[Output], staging: Staging) -> None:
    """Let DVC bring the objects into a cache in the staging."""
    if importlib.util.find_spec("dvc") is None:
        raise StoreFailed(f"{wanted[0].path} is in DVC, and dvc is not installed", "pip install 'git-registry[dvc]'")
    work = staging.work("dvc")
    place = work / "project"
    shutil.rmtree(place, ignore_errors=True)
    (place / ".dvc").mkdir(parents=True)
    try:
        targets: list[Json] = []
        for number, one in enumerate(wanted):
            name = f"output{number}"
            (place / f"{name}.dvc").write_text(_described(one, name), encoding="utf-8")
            targets.append(f"{name}/{one.part}" if one.part else f"{name}.dvc")
        asked: dict[str, Json] = {"config": dvc_config.build(project, work / "cache"), "targets": targets}
        with staging.meter.watching(work / "cache"):
            code, said = _run(asked, place, work, staging)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if code != 0:
        raise _failure(wanted[0].path, said)


def _run(asked: dict[str, Json], place: Path, work: Path, staging: Staging) -> tuple[int, str]:
    """Let a child do it, through whose stdin it hears what is secret; its exit code and its words."""
    bound = network.patience()
    program = Path(dvc_child.__file__).read_text(encoding="utf-8")
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=place,
            env=_environment(work),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            pass_fds=[staging.lock],  # while it writes here, no other pull does, even when this one was killed
        )
        try:
            if process.stdin is not None:
                with suppress(BrokenPipeError):
                    process.stdin.write(json.dumps(asked).encode() + b"\n")
                    process.stdin.flush()  # and it stays open: where it closes, the child ends itself
            _await(process, work, words, bound)
        finally:
            _end(process)
        words.seek(0)
        return process.returncode, words.read().decode(errors="replace")


def _await(process: subprocess.Popen[bytes], work: Path, words: IO[bytes], bound: float) -> None:
    """Wait for the child as long as something grows. Raises StoreFailed."""
    seen, since = -1, time.monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(1, bound / 4))
            return
        there = size_below(work) + os.fstat(words.fileno()).st_size
        if there != seen:
            seen, since = there, time.monotonic()
        elif time.monotonic() - since > bound:
            raise StoreFailed(
                f"nothing came from DVC's remote for {bound:g} seconds",
                "try again; what came is kept; REGISTRY_TIMEOUT=SECONDS waits longer",
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _described(output: Output, name: str) -> str:
    out: dict[str, Json] = {"md5": output.md5, "path": name}
    if not output.old:
        out["hash"] = "md5"
    if output.remote:
        out["remote"] = output.remote
    return json.dumps({"outs": [out]})  # JSON is YAML


def _environment(work: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "GIT_", "PYTHONWARN"))}
    return {**own, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(work / "site")}


def _failure(path: str, said: str) -> StoreFailed:
    lines = [line for line in re.sub("\x1b\\[[0-9;]*m", "", said).splitlines() if line.strip()]
    plugin = re.search(r"requires '(dvc-[a-z0-9]+)'", said)
    hint = f"pip install {plugin[1]}" if plugin else "try again; what came is kept"
    return StoreFailed(f"DVC cannot bring {path}: {without_secrets(_meaningful(lines))}", hint)


def _meaningful(lines: Sequence[str]) -> str:
    """The last line that says why: an error, no mere count of them, else a warning, else what there is."""
    for level in ("ERROR: ", "WARNING: "):
        found = [line.removeprefix(level) for line in lines if line.startswith(level)]
        found = [line for line in found if not re.fullmatch(r"\d+ files? failed to download", line)]
        if found:
            return found[-1]
    return lines[-1].removeprefix("ERROR: ") if lines else "it failed without a word"

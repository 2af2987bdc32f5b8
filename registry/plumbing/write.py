"""Writing: the lock of a clone, tag objects, and several refs in one transaction (DESIGN part 6).

Git's own transaction takes every lock before it moves the first ref, but moves them by one rename each, and a kill can
fall between two. So what is planned is written down first, and whoever writes next finishes or undoes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from registry.errors import GitFailed, Refused, RegistryError, Taken
from registry.plumbing.process import Git

_PATIENCE = 60.0  # seconds to wait for another command in this clone
_SECOND_LOOK = 2.0  # seconds after which an empty .lock file of ours is taken for stale: DESIGN part 8


@dataclass(frozen=True, slots=True)
class RefChange:
    """One ref to move: `old` None creates it (it must not exist), `new` None deletes it."""

    ref: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Clone:
    """Where a clone keeps things: git runs in `git`, `git_dir` is this worktree's, `common_dir` all worktrees'."""

    git: Git
    git_dir: Path
    common_dir: Path

    @property
    def room(self) -> Path:
        """Our own directory in the clone."""
        return self.common_dir / "registry"

    def lock_file(self, ref: str) -> Path:
        """The file by which Git locks `ref`; HEAD is the worktree's own."""
        return (self.git_dir if ref == "HEAD" else self.common_dir) / f"{ref}.lock"


@dataclass(frozen=True, slots=True)
class Held:
    """The clone's lock, held. `descriptor` is passed to the git that moves refs, and to no other process."""

    clone: Clone
    descriptor: int


@contextmanager
def locked(clone: Clone, waiting: Callable[[], None]) -> Iterator[Held]:
    """Hold the clone's lock; first mend what a killed writer left. `waiting` is told once, after a second.

    Raises GitFailed where the repository cannot be written, Refused where somebody holds the lock for a minute.
    """
    try:
        clone.room.mkdir(exist_ok=True)
        descriptor = os.open(clone.room / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _unwritable(error) from error
    try:
        _take(descriptor, waiting)
        held = Held(clone, descriptor)
        _mend(held)
        yield held
    finally:
        # Closing lets go of the lock, unless a git that we started still runs: then its copy holds it on.
        os.close(descriptor)


def _take(descriptor: int, waiting: Callable[[], None]) -> None:
    start, told, pause = time.monotonic(), False, 0.002
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - start
            if waited > _PATIENCE:
                raise Refused(
                    "another registry command has been writing in this clone for a minute", "wait for it, or end it"
                ) from None
            if waited > 1 and not told:
                told = True
                waiting()
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        except OSError as error:
            raise _unwritable(error) from error
        else:
            return


def _unwritable(error: OSError) -> GitFailed:
    return GitFailed(f"the repository cannot be written: {error.strerror}", "check its permissions and the disk")


def write_tags(held: Held, objects: Sequence[bytes]) -> list[str]:
    """Store tag objects, checked by Git, and give their ids. No ref moves."""
    paths = [held.clone.room / f"new-{index}" for index in range(len(objects))]
    try:
        for path, raw in zip(paths, objects, strict=True):
            path.write_bytes(raw)
        listing = "".join(f"{_quoted(path)}\n" for path in paths).encode(errors="surrogateescape")
        # One process however many there are; --no-filters: no attribute of the user's changes the bytes.
        stored = held.clone.git.write("hash-object", "-t", "tag", "-w", "--no-filters", "--stdin-paths", data=listing)
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    return stored.decode().split()


def _quoted(path: Path) -> str:
    # hash-object takes C-style quoted paths: hash-object.c, hash_stdin_paths().
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def transact(held: Held, changes: Sequence[RefChange], reason: str) -> None:
    """Make all of `changes`, or none. `reason` is for the reflog.

    Raises Taken naming a ref that is there already, Refused where another ref or process stands in the way.
    """
    journal = held.clone.room / "journal"
    plan = json.dumps([[change.ref, change.old, change.new] for change in changes])
    try:
        unfinished = journal.with_name("journal.new")
        unfinished.write_text(plan)
        unfinished.replace(journal)
    except OSError as error:
        raise _unwritable(error) from error
    try:
        _update_refs(held, changes, reason)
    finally:
        journal.unlink(missing_ok=True)


def _update_refs(held: Held, changes: Sequence[RefChange], reason: str) -> None:
    # 'create' refuses an existing ref, 'prepare' takes every lock before the first ref moves: git-update-ref(1).
    # NUL ends each word (-z), so that no name can end a command early.
    commands = "start\0" + "".join(map(_command, changes)) + "prepare\0commit\0"
    try:
        held.clone.git.write(
            *("update-ref", "-m", reason, "--no-deref", "--stdin", "-z"),
            data=commands.encode(),
            keep=[held.descriptor],
        )
    except GitFailed as error:
        raise _explained(error) from error


def _command(change: RefChange) -> str:
    if change.new is None:
        return f"delete {change.ref}\0{change.old}\0"
    if change.old is None:
        return f"create {change.ref}\0{change.new}\0"
    return f"update {change.ref}\0{change.new}\0{change.old}\0"


def _explained(error: GitFailed) -> RegistryError:
    words = error.message
    ref = next((part for part in words.split("'") if part.startswith(("refs/", "HEAD"))), "")
    name = ref.removeprefix("refs/tags/")
    if "reference already exists" in words:
        return Taken(f"the tag {name} is there already", "registry doctor says what it is")
    if "; cannot create" in words:
        return Refused(
            f"another tag stands in the way: {words.rpartition('cannot lock ref ')[2]}", "choose another name"
        )
    if "but expected" in words or "unable to resolve reference" in words:
        return Taken(f"{name or 'a ref'} has moved in the meantime", "try again")
    if "File exists" in words:
        return Refused(
            f"another git process holds {name or 'the refs'}", "wait for it; git fsck says if it left a lock"
        )
    return error


def _mend(held: Held) -> None:
    """Finish or undo what a killed writer had planned (its git is dead: it would hold the lock)."""
    journal = held.clone.room / "journal"
    try:
        plan = json.loads(journal.read_text())
        changes = [RefChange(ref, old, new) for ref, old, new in plan]
    except FileNotFoundError:
        return
    except (ValueError, TypeError):
        changes = []  # not ours: journals come by rename, whole
    except OSError as error:
        raise _unwritable(error) from error
    _remove_stale_locks(held.clone, changes)
    done = [change for change in changes if _current(held.clone.git, change.ref) == change.new]
    if done and len(done) < len(changes):
        try:
            _update_refs(held, [change for change in changes if change not in done], "registry: finish")
        except RegistryError:
            _update_refs(held, [RefChange(c.ref, c.new, c.old) for c in done], "registry: undo")
    journal.unlink(missing_ok=True)


def _current(git: Git, ref: str) -> str | None:
    return git.read("rev-parse", "--verify", "--quiet", "--end-of-options", ref, check=False).decode().strip() or None


def _remove_stale_locks(clone: Clone, changes: Sequence[RefChange]) -> None:
    empty = []
    for change in changes:
        path = clone.lock_file(change.ref)
        content = _content(path)
        if content == "":  # perhaps somebody's who is about to write into it
            empty.append(path)
        elif content is not None and content == change.new:
            path.unlink(missing_ok=True)
    if empty:
        time.sleep(_SECOND_LOOK)
        for path in empty:
            if _content(path) == "":
                path.unlink(missing_ok=True)


def _content(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def interrupted(clone: Clone) -> bool:
    """Whether a killed writer left something that the next one will mend."""
    return (clone.room / "journal").exists()

"""Writing: the lock of a clone, tag objects, and several refs in one transaction (DESIGN part 6).

Git's own transaction takes every lock before it moves the first ref, but moves them by one rename each, and a kill can
fall between two. So what is planned is written down first, and whoever writes next finishes or undoes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from registry.errors import GitFailed, Refused, RegistryError, Taken
from registry.plumbing.clone import Clone
from registry.plumbing.objects import missing
from registry.plumbing.process import Git, GitKilled

PATIENCE = 60.0  # seconds to wait for another command in this clone
SECOND_LOOK = 2.0  # seconds after which an empty .lock file of ours is taken for stale: DESIGN part 8
_MANY = 1000  # refs in one command line
_LOOSE = 100  # tag objects; more become one pack, as those that git fetch brings (fetch.unpackLimit, git-config(1))


@dataclass(frozen=True, slots=True)
class RefChange:
    """One ref to move: `old` None creates it (it must not exist), `new` None deletes it.

    `paths` are those that a new commit of a branch changed, absolute: the user's index follows it there. With `files`
    the work tree does so, too.
    """

    ref: str
    old: str | None
    new: str | None
    paths: tuple[str, ...] = ()
    files: bool = False


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
        _tidy(clone.room)
        if (plan := _journalled(clone)) is not None:
            _mend(held, plan)
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
            if waited > PATIENCE:
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


def _tidy(room: Path) -> None:
    """Remove the files that a killed writer was about to hand to Git."""
    with os.scandir(room) as entries:
        leftovers = [entry.path for entry in entries if entry.name.startswith(("new-", "index.", "journal.new"))]
    for leftover in leftovers:
        Path(leftover).unlink(missing_ok=True)


def _unwritable(error: OSError) -> GitFailed:
    return GitFailed(f"the repository cannot be written: {error.strerror}", "check its permissions and the disk")


def write_tags(held: Held, tags: Mapping[str, bytes]) -> None:
    """Store tag objects, checked by Git, under the ids that they have here. No ref moves. Raises GitFailed."""
    there = _packed(held, tags) if len(tags) > _LOOSE else _in_files(held, tags.values())
    if there != [*tags]:
        raise GitFailed("Git stored the tags under other ids than expected", "git fsck says whether it is sound")


def _in_files(held: Held, objects: Collection[bytes]) -> list[str]:
    """Store each object in a file of its own; their ids."""
    paths = [held.clone.room / f"new-{index}" for index in range(len(objects))]
    try:
        for path, raw in zip(paths, objects, strict=True):
            path.write_bytes(raw)
        listing = "".join(f"{quoted(path)}\n" for path in paths).encode(errors="surrogateescape")
        # One process however many there are; --no-filters: no attribute of the user's changes the bytes.
        stored = held.clone.git.write("hash-object", "-t", "tag", "-w", "--no-filters", "--stdin-paths", data=listing)
    except OSError as error:
        raise _unwritable(error) from error
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
    return stored.decode().split()


def _packed(held: Held, tags: Mapping[str, bytes]) -> list[str]:
    """Store the objects as one pack; those of their ids that are there then."""
    from registry.plumbing.pack import pack  # one command seldom writes so many

    data = pack(tags.values(), len(next(iter(tags))))
    # --fsck-objects checks them as --strict does, but not that their commits are here: a shallow clone may lack those.
    held.clone.git.write("index-pack", "--stdin", "--fsck-objects", data=data)
    lost = missing(held.clone.git, [*tags])
    return [oid for oid in tags if oid not in lost]


def quoted(path: Path) -> str:
    """A path as a line of input, whatever it holds."""
    # hash-object takes C-style quoted paths: hash-object.c, hash_stdin_paths().
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a transaction is to do, and the worktree that it is done in."""

    changes: tuple[RefChange, ...]
    git_dir: str
    root: str
    moved: bool = False  # every ref has moved; the index, or the files, have still to follow

    @property
    def is_there(self) -> bool:
        """Whether that worktree is; it may have been removed since."""
        return os.path.isdir(self.git_dir)  # noqa: PTH112  (a plain question)

    def git(self, git: Git) -> Git:
        """Git in that worktree, whichever `git` runs in: HEAD and the index are its own."""
        if not self.is_there:
            return git
        place = [("GIT_DIR", self.git_dir), *([("GIT_WORK_TREE", self.root)] if self.root else [])]
        return Git(self.root if os.path.isdir(self.root) else git.directory, False, tuple(place))  # noqa: PTH112


def transact(held: Held, changes: Sequence[RefChange], reason: str) -> list[str]:
    """Make all of `changes`, or none, and give notes for the person. `reason` is for the reflog.

    Raises Taken naming a ref that is there already, Refused where another ref or process stands in the way.
    """
    clone = held.clone
    root = ""
    if any(change.paths or change.files for change in changes):
        top = clone.git.read("rev-parse", "--path-format=absolute", "--show-toplevel")
        root = top.decode(errors="surrogateescape").removesuffix("\n")
    plan = _Plan(tuple(changes), str(clone.git_dir), root)
    _write_down(clone, plan)
    try:
        _update_refs(held, clone.git, changes, reason)
    except KeyboardInterrupt:
        _mend(held, plan, undo=True)
        raise
    except Refused:  # Taken too: Git said so before it moved anything
        clone.journal.unlink(missing_ok=True)
        raise
    except GitFailed as error:
        # What Git left half done (it was killed, the disk is full) is put right at once.
        if not _mend(held, plan, killed=isinstance(error, GitKilled)):
            raise
        return []
    try:
        for change in changes:
            _follow(clone.git, change)
    except GitFailed as error:
        # Everything is written: that is no failure. The journal stays, and the next writer tries again.
        with suppress(GitFailed):
            _write_down(clone, replace(plan, moved=True))
        return [f"{error.message}; the next command that writes does that"]
    clone.journal.unlink(missing_ok=True)
    return []


def _write_down(clone: Clone, plan: _Plan) -> None:
    words = {
        "changes": [[c.ref, c.old, c.new, c.paths, *([True] if c.files else [])] for c in plan.changes],
        "git_dir": plan.git_dir,
        "root": plan.root,
        **({"moved": True} if plan.moved else {}),
    }
    unfinished = clone.journal.with_name("journal.new")
    try:
        unfinished.write_text(json.dumps(words))  # in ASCII, whatever the names hold
        unfinished.replace(clone.journal)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise _unwritable(error) from error


def _journalled(clone: Clone) -> _Plan | None:
    """What a killed writer had planned, or None where there was none."""
    try:
        words = json.loads(clone.journal.read_text())
        changes = [RefChange(ref, old, new, tuple(p), *f) for ref, old, new, p, *f in words["changes"]]
        return _Plan(
            tuple(c for c in changes if _is_ref(c.ref)), str(words["git_dir"]), str(words["root"]), "moved" in words
        )
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return _Plan((), "", "")  # not ours: journals come by rename, whole
    except OSError as error:
        raise _unwritable(error) from error


def _is_ref(name: str) -> bool:
    return isinstance(name, str) and (name == "HEAD" or (name.startswith("refs/") and ".." not in name))


def _update_refs(held: Held, git: Git, changes: Sequence[RefChange], reason: str) -> None:
    # 'create' refuses an existing ref, 'prepare' takes every lock before the first ref moves: git-update-ref(1).
    # NUL ends each word (-z), so that no name can end a command early.
    commands = "start\0" + "".join(map(_command, changes)) + "prepare\0commit\0"
    try:
        git.write(
            *("update-ref", "-m", reason, "--no-deref", "--stdin", "-z"),
            data=commands.encode(errors="surrogateescape"),
            keep=[held.descriptor],
        )
    except GitKilled:
        raise
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
        lock = next((part for part in words.split("'") if part.endswith(".lock")), "its .lock file")
        return Refused(f"another git process holds {name or 'the refs'}", f"wait for it; if none runs, remove {lock}")
    return error


def _mend(held: Held, plan: _Plan, *, killed: bool = True, undo: bool = False) -> bool:
    """Finish what a writer had planned, or undo it where that cannot be, or where `undo` says so; whether it is done.

    A `killed` git cleaned up nothing. It is dead: it would hold the clone's lock.
    """
    git = plan.git(held.clone.git)
    if killed:
        _remove_stale_locks(held.clone, plan)
    now = _current(git, [change.ref for change in plan.changes])
    done = [change for change in plan.changes if now.get(change.ref) == change.new]
    pending = [] if plan.moved else [change for change in plan.changes if change not in done]
    left = [change for change in pending if not _went_on(git, change, now.get(change.ref))]
    if done and left and not undo:
        try:
            _update_refs(held, git, left, "registry: finish")
            done, left = [*done, *left], []
        except RegistryError:
            undo = True
    if undo and done:
        _update_refs(held, git, [RefChange(c.ref, c.new, c.old) for c in reversed(done)], "registry: undo")
        left = done
    if not left and (plan.is_there or not plan.git_dir):
        for change in done:
            with suppress(GitFailed):  # the index is locked, say; that may not stop every writer from now on
                _follow(git, change, careful=True)
    held.clone.journal.unlink(missing_ok=True)
    return bool(done) and not left


def _went_on(git: Git, change: RefChange, now: str | None) -> bool:
    """Whether a branch has come to `now` by way of what was planned: it was done, and somebody has committed since."""
    if now is None or change.new is None or not (change.ref == "HEAD" or change.ref.startswith("refs/heads/")):
        return False
    return git.succeeds("merge-base", "--is-ancestor", change.new, now)


def _follow(git: Git, change: RefChange, *, careful: bool = False) -> None:
    """Let the user's index know what was committed, so that `git status` shows those paths as unchanged.

    Whatever else is staged stays staged. `careful`, only if the index still has what was committed before: the user
    may have gone on since.
    """
    if not (change.files or change.paths) or change.new is None:
        return
    if change.ref != "HEAD":
        stands = git.read("symbolic-ref", "--quiet", "HEAD", check=False).decode(errors="surrogateescape")
        if stands.removesuffix("\n") != change.ref:
            return  # the user has switched to another branch since
    if change.files:
        _bring_files(git, change, again=careful)
    if not change.paths:
        return
    try:
        if careful:
            before = change.old or git.write("hash-object", "-t", "tree", "--stdin").decode().strip()
            staged = git.read("--literal-pathspecs", "diff-index", "--cached", "--raw", before, "--", *change.paths)
            if staged:
                return
        git.write("--literal-pathspecs", "reset", "--quiet", change.new, "--", *change.paths)
    except GitFailed as error:
        raise GitFailed(
            f"committed as {change.new[:7]}, but the index could not be brought up to date: {error.message}",
            f"git add {' '.join(change.paths)}",
        ) from error


def _bring_files(git: Git, change: RefChange, *, again: bool) -> None:
    try:
        from registry.plumbing.following import follow  # few writes move files

        follow(git, change.old, change.new or "", again=again)
    except GitFailed as error:
        raise GitFailed(
            f"committed as {(change.new or '')[:7]}, but the files here could not follow: {error.message}",
            "git status says which differ",
        ) from error


def _current(git: Git, refs: Sequence[str]) -> dict[str, str]:
    """What those of `refs` that exist point to."""
    found: dict[str, str] = {}
    for start in range(0, len(refs), _MANY):
        listing = git.read("for-each-ref", "--format=%(objectname) %(refname)", "--", *refs[start : start + _MANY])
        for line in listing.decode(errors="surrogateescape").splitlines():
            oid, _, ref = line.partition(" ")
            found[ref] = oid
    if "HEAD" in refs:
        found["HEAD"] = git.read("rev-parse", "--verify", "--quiet", "HEAD", check=False).decode().strip()
    return found


def _remove_stale_locks(clone: Clone, plan: _Plan) -> None:
    here = Clone(clone.git, Path(plan.git_dir) if plan.git_dir else clone.git_dir, clone.common_dir)
    empty = []
    for path, ours in _locks(here, plan.changes):
        content = _content(path)
        if content == "":  # perhaps somebody's who is about to write into it
            empty.append(path)
        elif content in ours:
            path.unlink(missing_ok=True)
    if empty:
        time.sleep(SECOND_LOOK)
        for path in empty:
            if _content(path) == "":
                path.unlink(missing_ok=True)


def _locks(clone: Clone, changes: Sequence[RefChange]) -> Iterator[tuple[Path, set[str | None]]]:
    """Each file that Git may have locked for `changes`, and the ids that it may hold (of an undoing, the old ones)."""
    for change in changes:
        yield clone.lock_file(change.ref), {change.new, change.old} - {None}
    # With a branch Git locks the HEAD that stands on it, for its log, and with a deletion the file of packed refs;
    # both of those locks are empty: refs/files-backend.c, split_head_update(), files_transaction_prepare().
    if any(change.ref.startswith("refs/heads/") for change in changes):
        yield clone.lock_file("HEAD"), set()
    if any(change.new is None or change.old is None for change in changes):  # an undoing deletes what was created
        yield clone.common_dir / "packed-refs.lock", set()


def _content(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def interrupted(clone: Clone) -> bool:
    """Whether a killed writer left something that the next one will mend."""
    if not clone.journal.exists():
        return False
    try:
        descriptor = os.open(clone.room / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False  # a writer is at work
    finally:
        os.close(descriptor)
    return clone.journal.exists()

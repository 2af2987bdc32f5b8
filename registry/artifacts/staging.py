"""Moving in: files gather beside the target, verified, and come into it at the end, all or none.

The directory in which they gather is hidden, has a name that follows from the target, and belongs to one pull at a
time. A killed pull leaves it behind; the next one first puts back what had been replaced, and then keeps what fits.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from registry.artifacts import paths
from registry.artifacts.progress import Meter
from registry.core.metadata import File
from registry.errors import NotFound, Refused

Store: TypeAlias = Literal["git", "lfs", "dvc", "url"]

CHUNK = 1 << 20
# No checkout of Git makes a sticky directory: what lies in one of this name is our own, not a stranger's.
_OURS = 0o1700
_INSIDE = ".registry-pull"
_STORES: Mapping[Store, str] = {"git": "Git", "lfs": "Git LFS", "dvc": "DVC", "url": "a URL"}


@dataclass(frozen=True, slots=True)
class Placed:
    """A file of the version that is ready: where it goes, what it is, which store it came from."""

    path: str
    size: int
    sha256: str
    store: Store


@dataclass
class Sink:
    """A file that is being written."""

    file: BinaryIO
    meter: Meter
    size: int = 0

    def __post_init__(self) -> None:
        self._sum = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append `data`."""
        self.file.write(data)
        self._sum.update(data)
        self.size += len(data)
        self.meter.add(len(data))

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._sum.hexdigest()


@contextmanager
def staging(target: Path, recorded: Mapping[str, File], meter: Meter, waiting: Callable[[], None]) -> Iterator[Staging]:
    """A place to gather the files of `target`, held against other pulls of it; `waiting` is told of one.

    `recorded` says what is known of files by their paths: what differs is refused. Where the block raises what will
    not change by itself (NotFound, Refused, OSError) nothing is left behind; else the next pull goes on from there.
    """
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_dir():
        raise Refused(f"{target} is there already, and is no directory", "-o names another one")
    room = _room(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _hold(room, waiting)
    try:
        found = Staging(target, room, descriptor, recorded, meter)
        found.hide()
        found.mend()
        try:
            yield found
        except BaseException as error:
            if isinstance(error, NotFound | Refused | OSError) or not found.holds_something():
                found.clear()
            raise
    finally:
        os.close(descriptor)


def check_target(target: Path) -> None:
    """Nothing, where files that a stranger named may go there. Raises Refused below a directory of Git's own."""
    target = Path(os.path.realpath(target))
    for place in (target, *target.parents):
        if _is_git_directory(place):
            raise Refused(f"{place} is a directory of Git's own, where a version's files could run", "-o elsewhere")


def _is_git_directory(place: Path) -> bool:
    """Whether Git would take its hooks and its configuration from here."""
    return os.path.lexists(place / "HEAD") and (
        (place / "commondir").is_file() or all((place / name).is_dir() for name in ("objects", "refs"))
    )


def _room(target: Path) -> Path:
    parent, name = target.parent, target.name
    if target.exists() and (
        name == "" or parent.stat().st_dev != target.stat().st_dev or not os.access(parent, os.W_OK | os.X_OK)
    ):
        return target / _INSIDE  # a mount point, or a directory of mine in one of somebody else's
    return parent / f".{name}.pull"


def _hold(room: Path, waiting: Callable[[], None]) -> int:
    while True:
        if not _made(room):
            continue
        try:
            descriptor = os.open(room / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue  # the pull before has just ended
        try:
            _flock(descriptor, waiting)
            if os.path.samestat(os.fstat(descriptor), (room / "lock").stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _made(room: Path) -> bool:
    """Make the room, or see that it is ours; false where the pull that had it has just ended."""
    try:
        room.mkdir(_OURS)
    except FileExistsError:
        try:
            found = room.lstat()
        except FileNotFoundError:
            return False
        # Of the mode, the bit for the group is inherited from the parent.
        ours = stat.S_ISDIR(found.st_mode) and found.st_mode & 0o1777 == _OURS and found.st_uid == os.geteuid()
        if not ours:
            raise Refused(f"{room} is there, and is not ours", "pull needs that place: move it away") from None
    else:
        room.chmod(_OURS)  # not every system takes that bit from mkdir
    return True


def _flock(descriptor: int, waiting: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


class Staging:
    """Where the files of one pull gather. `lock` may be given to a child that writes here, too."""

    def __init__(self, target: Path, room: Path, lock: int, recorded: Mapping[str, File], meter: Meter) -> None:
        self.target = target
        self.meter = meter
        self.lock = lock
        self._room = room
        self._recorded = recorded
        self._placed: dict[str, Placed] = {}
        self._there: set[str] = set()  # of these, those that lie in the target already
        self._directories: set[str] = set()
        self._origins: dict[str, str] = {}  # what people are told of each
        self._files, self._old, self._journal = room / "files", room / "old", room / "journal"

    @property
    def placed(self) -> tuple[Placed, ...]:
        """The files that are ready, by path."""
        return tuple(self._placed[path] for path in sorted(self._placed))

    @property
    def free(self) -> int:
        """The bytes that the disk has room for."""
        return shutil.disk_usage(self._room).free

    def work(self, name: str) -> Path:
        """A directory of a store's own, on the target's file system; it stays until a pull is done."""
        place = self._room / "work" / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def hide(self) -> None:
        """See to it that no `git add` takes along what a killed pull leaves."""
        with suppress(FileExistsError), (self._room / ".gitignore").open("x") as file:
            file.write("*\n")

    def holds_something(self) -> bool:
        """Whether there is something to go on from."""
        return any(names for place in (self._files, self._room / "work") for _, _, names in os.walk(place))

    # -- gathering -----------------------------------------------------------------------------------------------

    def recorded(self, path: str) -> File:
        """What is recorded of the file at `path`."""
        return self._recorded.get(path, File(path))

    def has(
        self,
        path: str,
        store: Store,
        sha256: str | None,
        *,
        executable: bool = False,
        alike: Callable[[Path], bool] | None = None,
        origin: str = "",
    ) -> bool:
        """Whether that very file is there: from a pull that was interrupted, or in the target. It is ready then.

        `alike` tells where no SHA-256 is known.
        """
        sha256 = sha256 or self.recorded(path).sha256
        if sha256 is None and alike is None:
            return False
        self._reserve(path, store, origin)
        for root in (self._files, self.target):
            found = _plain(root, path)
            if found is None or bool(found.st_mode & stat.S_IXUSR) != executable:
                continue
            recorded = self.recorded(path).size
            if recorded not in {None, found.st_size}:
                continue
            try:
                its_own = digest(root / path)
                same = sha256 in {None, its_own} and (alike is None or alike(root / path))
            except OSError:  # not for us to read: it is replaced
                continue
            if not same:
                continue
            self._ready(Placed(path, found.st_size, its_own, store))
            if root == self.target:
                self._there.add(path)
            self.meter.add(found.st_size)
            return True
        return False

    @contextmanager
    def writing(
        self,
        path: str,
        store: Store,
        sha256: str | None = None,
        *,
        executable: bool = False,
        origin: str = "",
    ) -> Iterator[Sink]:
        """Write the file at `path`; at the end it has to be what is known of it. Raises Refused.

        `origin` says to people where it comes from, where its path does not.
        """
        self._reserve(path, store, origin)
        place = self._place(path)
        # O_EXCL: it is a new file, and no link is followed.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(place, flags, 0o777 if executable else 0o666)
        with open(descriptor, "wb") as file:  # noqa: PTH123  (a descriptor)
            sink = Sink(file, self.meter)
            yield sink
        self._verify(path, sha256, sink.sha256, sink.size)
        self._ready(Placed(path, sink.size, sink.sha256, store))

    def copy(
        self, path: str, store: Store, source: Path, sha256: str | None = None, *, executable: bool = False
    ) -> None:
        """Write the file at `path` from a plain file. Raises Refused."""
        with self.writing(path, store, sha256, executable=executable) as sink, open_plain(source) as file:
            while chunk := file.read(CHUNK):
                sink.write(chunk)

    def link(self, path: str, target: bytes) -> None:
        """A symbolic link, which is known to stay inside."""
        self._reserve(path, "git")
        sha256 = hashlib.sha256(target).hexdigest()
        self._verify(path, None, sha256, len(target))
        os.symlink(os.fsdecode(target), self._place(path))  # noqa: PTH211  (the target is bytes, not a path of ours)
        self._ready(Placed(path, len(target), sha256, "git"))

    def _reserve(self, path: str, store: Store, origin: str = "") -> None:
        """See to it that no two files take one place."""
        paths.check(path)
        said = origin or f"{path} of {_STORES[store]}"
        other = next((one for one in [path, *_above(path)] if one in self._placed), None)
        if other is None and path in self._directories:
            other = next((one for one in self._placed if path in _above(one)), None)
        if other is not None:
            raise Refused(
                f"two files want the place of {min(path, other, key=len)!r}: {self._origins[other]}, and {said}",
                "one of them needs another path, in the manifest or in its store",
            )
        self._origins[path] = said

    def _place(self, path: str) -> Path:
        """Make room for a file: what an earlier pull left in its way is removed."""
        self._files.mkdir(exist_ok=True)
        for above in _above(path):
            directory = self._files / above
            if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
                directory.unlink()
            directory.mkdir(exist_ok=True)
        place = self._files / path
        _remove(place)
        return place

    def _verify(self, path: str, wanted: str | None, sha256: str, size: int) -> None:
        recorded = self.recorded(path)
        for name, known, found in (
            ("SHA-256", recorded.sha256, sha256),
            ("SHA-256", wanted, sha256),
            ("size", recorded.size, size),
        ):
            if known is not None and known != found:
                _remove(self._files / path)
                raise Refused(
                    f"{path} is not what was registered: its {name} is {found}, not {known}",
                    "nothing was moved in; ask whoever keeps the store",
                )

    def _ready(self, placed: Placed) -> None:
        self._placed[placed.path] = placed
        self._directories.update(_above(placed.path))

    # -- moving in -----------------------------------------------------------------------------------------------

    def move_in(self) -> None:
        """Bring everything into the target, all or none. Raises Refused where something there is in the way."""
        self._files.mkdir(exist_ok=True)
        if not self.target.exists():
            self._prune()
            with suppress(OSError):  # it is there since: then file by file
                self._files.rename(self.target)
                self.clear()
                return
        moving = [path for path in sorted(self._placed) if path not in self._there]
        for path in moving:
            self._check_place(path)
        made = [one for one in sorted(self._directories) if not (self.target / one).exists()]
        plan = {
            "made": made,
            "moves": [[path, os.path.lexists(self.target / path)] for path in moving],
        }
        written = self._journal.with_name("journal.new")
        written.write_text(json.dumps(plan))
        written.replace(self._journal)
        try:
            for one in made:
                (self.target / one).mkdir(exist_ok=True)
            for path in moving:
                self._put_aside(path)
                (self._files / path).replace(self.target / path)
            self._journal.unlink()  # from here on it is done
        except BaseException:
            self.mend()
            raise
        self.clear()

    def mend(self) -> None:
        """Put back what a move that did not come to its end had replaced."""
        try:
            plan = json.loads(self._journal.read_text())
        except FileNotFoundError:
            shutil.rmtree(self._old, ignore_errors=True)  # of a move that was done
            return
        for path, replaced in reversed(plan["moves"]):
            new, old, here = self._files / path, self._old / path, self.target / path
            if not os.path.lexists(new) and os.path.lexists(here) and (not replaced or os.path.lexists(old)):
                new.parent.mkdir(parents=True, exist_ok=True)
                here.replace(new)
            if os.path.lexists(old):
                here.parent.mkdir(parents=True, exist_ok=True)
                old.replace(here)
        for one in reversed(plan["made"]):
            with suppress(OSError):  # somebody has put something there
                (self.target / one).rmdir()
        self._journal.unlink()
        shutil.rmtree(self._old, ignore_errors=True)

    def clear(self) -> None:
        """Remove all that was gathered."""
        for place in (self._files, self._old, self._room / "work"):
            shutil.rmtree(place, ignore_errors=True)
        for name in ("journal.new", ".gitignore", "lock"):  # the lock last: without it, another pull may begin
            (self._room / name).unlink(missing_ok=True)
        with suppress(OSError):  # another pull has begun
            self._room.rmdir()

    def _check_place(self, path: str) -> None:
        if self._room == self.target / _INSIDE and path.split("/", maxsplit=1)[0].lower() == _INSIDE:
            raise Refused(f"{path} is a place of our own", "-o names another directory")
        for above in _above(path):
            there = self.target / above
            if there.is_symlink():
                raise Refused(f"{there} is a link, and nothing is written through one", "remove it, or -o elsewhere")
            if there.exists() and not there.is_dir():
                raise Refused(f"{there} is there, and is no directory", "move it away, or -o elsewhere")
        there = self.target / path
        if there.is_dir() and not there.is_symlink():
            raise Refused(f"{there} is a directory where a file is to be", "move it away, or -o elsewhere")

    def _put_aside(self, path: str) -> None:
        here, old = self.target / path, self._old / path
        if not os.path.lexists(here):
            return
        old.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(here, old, follow_symlinks=False)  # so that there is no moment without the file
        except (OSError, NotImplementedError):  # a file system without links
            here.replace(old)

    def _prune(self) -> None:
        """Remove what an earlier pull left and this one does not want."""
        for place, directories, names in os.walk(self._files, topdown=False):
            for name in [*names, *directories]:
                found = Path(place) / name
                path = found.relative_to(self._files).as_posix()
                if path not in self._placed and path not in self._directories:
                    _remove(found)


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _plain(root: Path, path: str) -> os.stat_result | None:
    """The plain file at `path` below `root`, no link on the way."""
    try:
        if any(not stat.S_ISDIR((root / one).lstat().st_mode) for one in _above(path)):
            return None
        found = (root / path).lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def open_plain(place: Path) -> BinaryIO:
    """A plain file, opened; a link, a device or a pipe is none. Raises OSError."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file", str(place))
    return open(descriptor, "rb")  # noqa: PTH123  (the caller closes it)


def digest(place: Path) -> str:
    """The SHA-256 of a plain file. Raises OSError."""
    sum_ = hashlib.sha256()
    with open_plain(place) as file:
        while chunk := file.read(CHUNK):
            sum_.update(chunk)
    return sum_.hexdigest()

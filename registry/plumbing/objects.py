"""Reading objects: files and directories as they were at a commit, and what a commit says of itself."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import IO, TYPE_CHECKING

from registry.errors import NotFound, Refused
from registry.plumbing.process import Git

if TYPE_CHECKING:
    import git as gitpython

_CHUNK = 1 << 20
_TYPES = ("blob", "tree", "commit", "tag")
_HEAD = "%(objecttype) %(objectsize) %(objectname)"


class TooMuch(Refused):
    """What was asked for is more than the reader wants to have at once."""


class Extent(Enum):
    """How much of each path is wanted."""

    ID = "what is there, by its id"
    NAMES = "the names of everything below it"
    BYTES = "the bytes of everything below it"


@dataclass(frozen=True, slots=True)
class Object:
    """One object as read: its id and type ("missing" without id); its bytes, or None where not wanted or not there."""

    oid: str
    type: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a tree. `mode` is Git's (100644, 100755, 120000, 160000), `size` in bytes, None for a submodule,
    and for a file that a partial clone does not have."""

    path: str
    mode: str
    oid: str
    size: int | None

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode == "120000"


def read_objects(
    git: Git,
    names: Sequence[str],
    *,
    only_type: str | None = None,
    limit: int | None = None,
    total: int | None = None,
) -> list[Object]:
    """The objects that `names` (ids, or `REV:PATH`) mean, in turn; those of another type or larger without bytes.

    Raises TooMuch where the bytes to be read are more than `total`, those of an object counted for each of its names.
    """
    if not names:
        return []
    # Git is asked line by line: what holds a line's end cannot be asked for, so it is missing.
    names = ["-" if "\n" in name else name for name in names]
    if only_type is None and limit is None and total is None:
        found = dict(zip(dict.fromkeys(names), _contents(git, list(dict.fromkeys(names))), strict=True))
        return [found[name] for name in names]
    # Types and sizes first, so that nobody's terabyte is read to be thrown away.
    checked = git.read("cat-file", f"--batch-check={_HEAD}", data=_lines(names))
    heads = [_head(line) for line in checked.splitlines()]
    read = [
        (oid, size)
        for kind, size, oid in heads
        if kind != "missing" and only_type in {None, kind} and (limit is None or size <= limit)
    ]
    if total is not None and sum(size for _, size in read) > total:
        raise TooMuch(f"{len(read)} files with more than {total // 1_000_000} MB together are not read")
    wanted = dict(read)
    contents = {one.oid: one.data for one in _contents(git, list(wanted))} if wanted else {}
    return [Object(oid, kind, contents.get(oid)) for kind, _, oid in heads]


def stream_tags(git: Git, oids: Sequence[str]) -> Generator[bytes | None, None, None]:
    """The bytes of tag objects that are here, in turn, while git reads those that follow; None for a damaged one."""
    if not oids:
        return
    answered = 0
    with git.feed("cat-file", "--batch=%(objectsize)", "--buffer", data=_lines(oids)) as answer:
        while (size := answer.readline()[:-1]).isdigit():
            data = answer.read(int(size))
            if answer.read(1) != b"\n":
                break  # cut off
            yield data
            answered += 1
    # Git dies of a damaged object.
    yield from (found.data for found in read_objects(git, oids[answered:], only_type="tag"))


def _head(line: bytes) -> tuple[str, int, str]:
    # "NAME missing" where there is no such object; NAME may hold spaces, so it is read from the end.
    words = line.decode(errors="replace").split(" ")
    if len(words) == 3 and words[0] in _TYPES and words[1].isdigit():
        return words[0], int(words[1]), words[2]
    return "missing", 0, ""


def _contents(git: Git, names: Sequence[str]) -> Iterator[Object]:
    """The objects that `names` mean, with all their bytes."""
    left = list(names)
    while left:
        listing = git.read("cat-file", f"--batch={_HEAD}", data=_lines(left), check=False)
        at, answered = 0, 0
        while answered < len(left) and (end := listing.find(b"\n", at)) >= 0:
            kind, size, oid = _head(listing[at:end])
            at = end + 1
            if kind == "missing":
                yield Object("", kind, None)
            elif at + size >= len(listing):
                break  # cut off
            else:
                yield Object(oid, kind, listing[at : at + size])
                at += size + 1
            answered += 1
        if answered < len(left):  # git dies of a damaged object: it is left out, and those after it are asked for again
            yield Object("", "missing", None)
            answered += 1
        left = left[answered:]


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode(errors="surrogateescape")


def missing(git: Git, oids: Sequence[str]) -> list[str]:
    """Those of `oids` that are not here."""
    listing = git.read("cat-file", "--batch-check=%(objectname)", data=_lines(oids)) if oids else b""
    return [line.split(b" ")[0].decode() for line in listing.splitlines() if b" " in line]


def files_at(git: Git, commit: str, paths: Sequence[str] = ()) -> list[Entry]:
    """The files at `commit` that are, or lie below, one of `paths`; all of them where none are given."""
    # --full-tree: the user's directory has no say; literal pathspecs: a path with a * is that path.
    listing = git.read("--literal-pathspecs", "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *paths)
    return [_entry(record) for record in listing.split(b"\0") if record]


def paths_at(git: Git, commit: str, limit: int) -> list[str] | None:
    """The paths of all files at `commit`, or None where they are more than `limit` bytes.

    A few small trees may name billions of files, where each holds the next one many times.
    """
    listing = bytearray()
    with git.pipe("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit) as (_, answer):
        while len(listing) <= limit and (piece := answer.read(_CHUNK)):
            listing += piece
    if len(listing) > limit:
        return None
    return [path for path in listing.decode(errors="surrogateescape").split("\0") if path]


def _entry(record: bytes) -> Entry:
    head, _, path = record.partition(b"\t")
    mode, _, oid, size = head.decode().split()
    return Entry(path.decode(errors="surrogateescape"), mode, oid, int(size) if size.isdigit() else None)


def leading_out(git: Git, commit: str, links: Sequence[Entry]) -> list[Entry]:
    """Those of `links` at `commit` that lead out of the repository, by however many links on the way."""
    asked = [link for link in links if "\n" not in link.path]
    out = [link for link in links if "\n" in link.path]  # cannot be asked for, so it is not trusted
    names = _lines(f"{commit}:{link.path}" for link in asked)
    # It answers "symlink SIZE" and then the target for one that leads out, and says in the same two lines which ones
    # lead nowhere, or round in circles: git-cat-file(1), --follow-symlinks.
    listing = git.read("cat-file", "--batch-check", "--follow-symlinks", data=names) if asked else b""
    at = 0
    for link in asked:
        end = listing.index(b"\n", at)
        words = listing[at:end].split(b" ")
        at = end + 1
        if words[0] in {b"symlink", b"dangling", b"loop", b"notdir"} and len(words) == 2:
            at += int(words[1]) + 1
        if words[0] == b"symlink":
            out.append(link)
    return out


def stream(git: Git, entries: Iterable[Entry]) -> Iterator[tuple[Entry, int, Iterator[bytes]]]:
    """Each file, its size, and its bytes in pieces, all of which are to be taken before the next file.

    Raises NotFound where a partial clone does not have them.
    """
    with git.pipe("cat-file", "--batch") as (ask, answer):
        for entry in entries:
            ask.write(f"{entry.oid}\n".encode())
            ask.flush()
            head = answer.readline().split(b" ")
            if len(head) != 3:
                raise NotFound(f"the bytes of {entry.path} are not in this clone", "git fetch brings them")
            size = int(head[2])
            yield entry, size, _pieces(entry, size, answer)
            answer.read(1)


def _pieces(entry: Entry, left: int, answer: IO[bytes]) -> Iterator[bytes]:
    while left:
        piece = answer.read(min(left, _CHUNK))
        if not piece:
            raise NotFound(f"the bytes of {entry.path} cannot be read", "git fsck says what is damaged")
        yield piece
        left -= len(piece)


def digest(git: Git, entries: Sequence[Entry]) -> list[str]:
    """The SHA-256 of each file's bytes, streamed; raises NotFound where a partial clone does not have them."""
    import hashlib  # most commands read no bytes

    digests = []
    for _, _, pieces in stream(git, entries):
        sum_ = hashlib.sha256()
        for piece in pieces:
            sum_.update(piece)
        digests.append(sum_.hexdigest())
    return digests


def resolve_commit(git: Git, revision: str) -> str:
    """The full id of the commit that `revision` names. Raises NotFound."""
    # --end-of-options: a revision that looks like an option is none. ^{commit} peels tags.
    found = (
        git.read("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
        .decode()
        .strip()
    )
    if found:
        return found
    if not git.succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}") and revision == "HEAD":
        branch = git.read("symbolic-ref", "--short", "--quiet", "HEAD", check=False).decode(errors="replace").strip()
        if git.read("for-each-ref", "--count=1", "refs/heads", "refs/remotes"):
            raise NotFound(f"the branch {branch} has no commits yet", "git switch to one that has: git branch --all")
        raise NotFound("the repository has no commits yet", "commit something first, the manifest for one")
    raise NotFound(f"no commit is called {revision}", "git log --oneline lists those that there are")


@dataclass(frozen=True, slots=True)
class CommitSummary:
    """What a commit says of itself; `date` is the author's, in ISO 8601 with offset."""

    id: str
    subject: str
    author: str
    email: str
    date: str


def summarize(git: Git, commit: str) -> CommitSummary | None:
    """The commit's own words, or None where this clone does not have it."""
    try:
        with _gitpython(git) as repository:
            found = repository.commit(commit)
            author = found.author
            date = found.authored_datetime.isoformat()
            return CommitSummary(commit, str(found.summary), author.name or "", author.email or "", date)
    except ValueError:
        # GitPython's BadName and BadObject: missing, or not a commit. UnicodeError: in a plain locale it cannot read a
        # configuration with other letters.
        return None


def _gitpython(git: Git) -> gitpython.Repo:
    import git as gitpython  # 0.13 s to import, DESIGN part 7: only those pay who need it

    # The repository's own directory: GitPython before 3.2 does not open that of a linked worktree.
    top = git.read("rev-parse", "--path-format=absolute", "--git-common-dir").decode().rstrip("\n")
    repository = gitpython.Repo(top)
    repository.git.update_environment(GIT_NO_LAZY_FETCH="1", GIT_ALLOW_PROTOCOL="")
    return repository

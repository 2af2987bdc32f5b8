"""Running git, for everything that GitPython has no API for (DESIGN part 7)."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread  # subprocess imports it anyway
from typing import IO

from registry.errors import GitFailed

# What a stranger's repository could make git run when it is only read: hooks, a file system monitor, a pager, an
# external diff, a helper of a transport. Settings given with -c win over every file (git-config(1)).
_QUIET = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.alternateRefsCommand=true"),
    *("-c", "diff.external="),
    *("-c", "log.showSignature=false"),
    *("-c", "protocol.allow=never"),
)
_ENVIRONMENT = {
    "LC_ALL": "C",  # messages are read, so they have to be git's own
    "LANGUAGE": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
}
# A missing object of a partial clone is missing: reading never goes to the network on its own (DESIGN part 7).
# What git replace(1) put in the place of an object is nobody else's truth.
_LOCAL = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_NO_REPLACE_OBJECTS": "1"}


STALL = 60.0  # seconds of silence after which the network is given up; REGISTRY_TIMEOUT says otherwise


class GitKilled(GitFailed):
    """Git was ended by a signal, so that it cleaned up nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a git that talked to the network printed, and its exit code."""

    code: int
    out: bytes
    err: bytes

    @property
    def remote_words(self) -> list[str]:
        """What the other side said to the person: a hook's words, or the text of an HTTP error."""
        text = self.err.decode(errors="replace").replace("\r", "\n").replace("\0", "")
        lines = (line.strip() for line in text.splitlines())
        said = (line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:"))
        return [line for line in said if line and not _PROGRESS_LINE.match(line)]


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one directory. `inherit` keeps GIT_DIR and its kin: true where the user named no repository.

    `settings` are further variables of its environment, `talking` those that only a git that talks to another machine
    is given: a password, for one.
    """

    directory: str
    inherit: bool = True
    settings: tuple[tuple[str, str], ...] = ()
    talking: tuple[tuple[str, str], ...] = ()

    def read(self, *arguments: str, data: bytes | None = None, check: bool = True) -> bytes:
        """What a command that only reads prints. Raises GitFailed with git's own words, unless `check` is false."""
        done = self._run([*_QUIET, *arguments], data, _LOCAL)
        if done.returncode != 0 and b"from promisor remote" in done.stderr:
            done = self._read_what_is_here(arguments, data)
        if check and done.returncode != 0:
            raise failure(arguments, done.stderr, done.returncode)
        return done.stdout

    def _read_what_is_here(self, arguments: Sequence[str], data: bytes | None) -> subprocess.CompletedProcess[bytes]:
        # Git before 2.45 knows no GIT_NO_LAZY_FETCH, and dies where a missing object should be missing. In a repository
        # that borrows the objects, and has no remote, there is nothing to fetch from. Full ids alone mean one.
        with self.without_remotes() as alone:
            return alone._run([*_QUIET, *arguments], data, _LOCAL)

    @contextmanager
    def without_remotes(self) -> Iterator[Git]:
        """Git in a repository without remotes and refs that has the same objects."""
        import tempfile  # partial clones alone pay for it

        objects, form = self.read(
            "rev-parse", "--path-format=absolute", "--git-path", "objects", "--show-object-format"
        ).splitlines()
        with tempfile.TemporaryDirectory(prefix="registry-") as place:
            self._run(["init", "-q", "--bare", "--template=", f"--object-format={form.decode()}", place], None, {})
            borrowed = (("GIT_DIR", place), ("GIT_OBJECT_DIRECTORY", os.fsdecode(objects)))
            yield Git(self.directory, self.inherit, (*self.settings, *borrowed))

    def succeeds(self, *arguments: str) -> bool:
        """Whether a command that only reads exits with 0."""
        return self._run([*_QUIET, *arguments], None, _LOCAL).returncode == 0

    def write(
        self,
        *arguments: str,
        data: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
    ) -> bytes:
        """Run a command that writes, with the user's hooks, as Git itself would. `keep` are descriptors it inherits."""
        done = self._run(arguments, data, {**_LOCAL, **(environment or {})}, keep)
        if done.returncode != 0:
            raise failure(arguments, done.stderr, done.returncode)
        return done.stdout

    @contextmanager
    def pipe(self, *arguments: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """A reading command that is asked and answers in turn, such as `cat-file --batch`: its input and its output.

        Raises GitFailed where it ended before it was asked all.
        """
        try:
            with self._reading(arguments) as pipes:
                yield pipes
        except BrokenPipeError as error:  # not to be taken for that of our own stdout
            raise GitFailed(f"git {arguments[0]} ended too early", "git fsck says what is damaged") from error

    @contextmanager
    def feed(self, *arguments: str, data: bytes) -> Iterator[IO[bytes]]:
        """What a command that only reads prints of `data`, while it prints it; that may be cut off where it fails."""

        def feeding() -> None:
            with suppress(BrokenPipeError):  # it ended before it had read all
                ask.write(data)
                ask.flush()
            with suppress(BrokenPipeError):
                ask.close()

        with self._reading(arguments) as (ask, answer):
            feeder = Thread(target=feeding)  # git stops reading where nobody takes what it prints
            feeder.start()
            try:
                yield answer
            finally:
                answer.close()  # where it was not read to its end, git ends here
                feeder.join()

    def hand_over(self, *arguments: str, data: bytes, to: Git, into: Sequence[str]) -> None:
        """What a reading command prints is the input of `into`, run in `to`, however large. Raises GitFailed."""
        with (
            self._reading(arguments) as (ask, answer),
            subprocess.Popen(
                ["git", *into],
                cwd=to.directory,
                env=to._environment(_LOCAL),
                stdin=answer,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as taking,
        ):
            answer.close()  # the other one has it: where that ends, this one shall be told
            ask.write(data)
            ask.close()
            said = taking.stderr.read() if taking.stderr is not None else b""
        if taking.returncode != 0:
            raise failure(into, said, taking.returncode)

    @contextmanager
    def _reading(self, arguments: Sequence[str]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """A reading command that runs meanwhile: its input and its output. It is killed at the end, done or not."""
        with subprocess.Popen(
            ["git", *_QUIET, *arguments],
            cwd=self.directory,
            env=self._environment(_LOCAL),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # nobody reads it meanwhile, and a full pipe would stop git
        ) as process:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("asked for pipes")
            try:
                yield process.stdin, process.stdout
            finally:
                process.kill()

    def network(
        self,
        *arguments: str,
        data: bytes = b"",
        check: bool = True,
        progress: Callable[[str], None] | None = None,
        remote: str = "the remote",
    ) -> Answer:
        """Run a command that talks to another machine, with the user's credentials and helpers, but no prompt.

        `remote` is what a message calls the other side. `progress` is told what git says of its progress. Raises
        GitFailed with the server's and git's words, and where nothing was heard for `STALL` seconds: ask git for
        `--progress`, so that there is something to hear.
        """
        from registry.plumbing.network import talk  # most commands never leave this machine

        environment = self._environment(dict(self.talking))
        answer = talk(["git", *arguments], self.directory, environment, data, progress or (lambda _: None), remote)
        if check and answer.code != 0:
            raise self.complaint(arguments, answer)
        return answer

    def complaint(self, arguments: Sequence[str], answer: Answer) -> GitFailed:
        """What went wrong with a talk: git's words, and what the other side said before."""
        error = failure(arguments, answer.err.replace(b"\r", b"\n"), answer.code)
        said = "; ".join(answer.remote_words[:5])
        return GitFailed(without_password(f"{error.message} ({said})" if said else error.message), error.hint)

    def _run(
        self, arguments: Sequence[str], data: bytes | None, more: Mapping[str, str], keep: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *arguments],
                cwd=self.directory,
                env=self._environment(more),
                input=b"" if data is None else data,
                capture_output=True,
                check=False,
                pass_fds=keep,
            )
        except FileNotFoundError as error:
            if not os.path.isdir(self.directory):  # noqa: PTH112  (pathlib would be imported for this line alone)
                hint = "check the path; a URL begins with https:// or ssh://, or is user@host:path"
                raise GitFailed(f"no such directory: {self.directory}", hint) from error
            raise GitFailed("git is not installed, or not on PATH", "install Git 2.34 or newer") from error
        except (NotADirectoryError, PermissionError) as error:
            raise GitFailed(f"cannot enter {self.directory}: {error.strerror}", "check the path") from error

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        environment = {**os.environ, **_ENVIRONMENT}
        if not self.inherit:
            for name in _OF_ONE_REPOSITORY:
                environment.pop(name, None)
        return {**environment, **dict(self.settings), **more}


_PROGRESS_LINE = re.compile(
    r"(?:Enumerating|Counting|Compressing|Resolving|Total|Writing|Receiving|Processing)\b.*[0-9]"
)
# Over HTTP a name alone may be the secret: a token.
_http_login = re.compile(r"(\bhttps?://)[^\s/]*@")
_password = re.compile(r"(\b\w+://[^\s/@:]*):[^\s/]*@")


def without_password(text: str) -> str:
    """`text`, in which no URL shows a password or a token."""
    return _password.sub(r"\1@", _http_login.sub(r"\1", text))


# git rev-parse --local-env-vars: what ties a process to one repository; settings from the command line stay.
_OF_ONE_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)


_OF_GIT = ("fatal:", "error:", "hint:", "remote:", "warning:", "Please make sure", "and the repository exists")


_ADVICE = (  # what to do about words of Git, or of what it runs, that come without a hint
    (r"not resolve host|ailed to connect|n't connect|Connection (refused|timed out)|No route|unreachable",
     "check the network; git remote -v shows the URL"),
    (r"could not read (Username|Password)|Authentication failed|Permission denied \(|error: 40[13]",
     "see if git ls-remote works: it asks for the same login"),
    (r"does not appear to be a git repository|repository .*not found|error: 404",
     "git remote -v shows the URL; git remote set-url mends it"),
    (r"not a tree object|bad object|unable to read|corrupt|missing (blob|tree)", "git fsck says what is damaged"),
)  # fmt: skip


def failure(arguments: Sequence[str], stderr: bytes, code: int) -> GitFailed:
    """What a failed git said, in one line. A negative `code` is the signal that ended it."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    hints = [line.removeprefix("hint:").strip() for line in lines if line.startswith("hint:")]
    text = said[0].partition(":")[2].strip() if said and said[0].startswith(("fatal:", "error:")) else "".join(said[:1])
    if text.startswith("Could not read from remote repository"):  # what ssh said before tells why
        text = next((line.strip() for line in lines if not line.startswith(_OF_GIT)), text)
    words = zip(arguments, ("", *arguments), strict=False)
    command = next((word for word, before in words if not word.startswith("-") and before not in {"-c", "-C"}), "")
    if code < 0:
        return GitKilled(f"git {command} was ended by signal {-code}", "try again")
    known = (advice for words, advice in _ADVICE if re.search(words, text))
    return GitFailed(f"git {command}: {text or 'failed without a word'}", hints[0] if hints else next(known, ""))

"""What was in the directory is not lost, whatever happens while a version moves in."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from registry import Registry
from registry.artifacts.staging import Staging
from registry.errors import Refused
from tests.artifacts.conftest import held, left_behind
from tests.story import RepoStory

OLD = {"models/a": "a1\n", "models/sub/b": "b1\n"}
NEW = {"models/a": "a2\n", "models/sub/b": "b2\n", "models/sub/new": "new\n", "models/z/c": "c\n"}
MINE = {"mine": "mine\n", "models/my notes": "keep\n"}


@pytest.fixture
def two(repo: RepoStory) -> RepoStory:
    """Two versions of a directory; the first is pulled into `out`, where there are files of mine as well."""
    repo.write("registry.yaml", "models: {churn: {path: models}}\n").git("rm", "-q", "models/churn.pkl")
    for path, text in OLD.items():
        repo.write(path, text)
    repo.commit()
    repo.register("churn", "v1.0.0")
    for path, text in NEW.items():
        repo.write(path, text)
    repo.commit()
    repo.register("churn", "v2.0.0")
    repo.registry.pull("churn@v1.0.0", "out")
    for path, text in MINE.items():
        repo.write(f"out/{path}", text)
    return repo


def test_a_second_version_replaces_its_files_and_no_others(two: RepoStory) -> None:
    two.registry.pull("churn", "out")

    assert held(Path("out")) == {**OLD, **NEW, **MINE}
    assert left_behind(two.path) == []


def test_a_file_that_is_there_is_left_alone(two: RepoStory) -> None:
    before = (two.path / "out/models/a").stat()

    pulled = two.registry.pull("churn@v1.0.0", "out")

    assert {file.path for file in pulled.files} == set(OLD)
    after = (two.path / "out/models/a").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_changed_mode_is_put_right(two: RepoStory) -> None:
    (two.path / "out/models/a").chmod(0o755)
    two.registry.pull("churn@v1.0.0", "out")
    assert held(Path("out")) == {**OLD, **MINE}


@pytest.mark.parametrize("step", range(1, 10))
def test_a_failure_at_any_step_of_the_move_puts_everything_back(
    two: RepoStory, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    _fail_at(step, monkeypatch, _no_space)

    with pytest.raises(Refused, match="out cannot be used: No space left on device"):
        Registry(".").pull("churn", "out")

    assert held(Path("out")) == {**OLD, **MINE}
    assert not (two.path / "out/models/z").exists()
    assert left_behind(two.path) == []


@pytest.mark.parametrize("step", [1, 4, 7, 11])
def test_an_interrupt_puts_everything_back_and_the_next_pull_goes_on(
    two: RepoStory, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    with monkeypatch.context() as patched:
        _fail_at(step, patched, _interrupted)
        with pytest.raises(KeyboardInterrupt):
            Registry(".").pull("churn", "out")
    assert held(Path("out")) == {**OLD, **MINE}

    Registry(".").pull("churn", "out")
    assert held(Path("out")) == {**OLD, **NEW, **MINE}
    assert left_behind(two.path) == []


# Kills a pull at the step that it is told, of all that change the file system, and says how the pull ended. It forks,
# so that a kill does not cost the start of an interpreter.
KILLING = """
import os, signal, sys
from pathlib import Path
from registry import Registry
import registry.porcelain.pull
step, calls = 0, 0
def dying(function):
    def run(*arguments, **options):
        global calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return run
os.link, Path.replace, Path.rename, Path.mkdir, Path.unlink = map(
    dying, (os.link, Path.replace, Path.rename, Path.mkdir, Path.unlink))
for line in sys.stdin:
    step = int(line)
    child = os.fork()
    if child == 0:
        Registry(".").pull("churn@v2.0.0", "out")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
Killer: TypeAlias = Callable[[int], bool]


@pytest.fixture
def kill(two: RepoStory) -> Iterator[Killer]:
    """Pull version 2 and kill that at a step; whether it came so far."""
    command = [sys.executable, "-c", KILLING]
    with subprocess.Popen(command, cwd=two.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def at(step: int) -> bool:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{step}\n")
            process.stdin.flush()
            ended = int(process.stdout.readline())
            assert ended in {0, -signal.SIGKILL}
            return ended != 0

        yield at


def test_a_kill_at_any_step_loses_nothing_and_the_next_pull_goes_on(two: RepoStory, kill: Killer) -> None:
    step = 1
    while kill(step):
        now = held(Path("out"))
        assert MINE.items() <= now.items(), step
        assert {now[path] for path in OLD if path in now} <= {*OLD.values(), *NEW.values()}, step
        whole = held(two.path)
        for path, text in OLD.items():  # in the directory, or put aside beside it
            places = (f"out/{path}", f".out.pull/old/{path}")
            assert any(whole.get(place) == text for place in places) or now == {**OLD, **NEW, **MINE}, step

        two.registry.pull("churn@v1.0.0", "out")
        assert {path: text for path, text in held(Path("out")).items() if path in OLD or path in MINE} == {
            **OLD,
            **MINE,
        }, step
        assert left_behind(two.path) == [], step
        step += 1
        for new in NEW.keys() - OLD.keys():  # of a pull that was killed when it was done
            (two.path / "out" / new).unlink(missing_ok=True)
    assert step > 15
    assert held(Path("out")) == {**OLD, **NEW, **MINE}


def test_a_killed_pull_into_a_new_directory_leaves_none(two: RepoStory, kill: Killer) -> None:
    (two.path / "out").rename(two.path / "kept")
    step = 1
    while kill(step):
        assert held(Path("out")) in ({}, {**OLD, **NEW}), step
        step += 1
        if (two.path / "out").exists():
            break
    two.registry.pull("churn@v1.0.0", "new")
    two.registry.pull("churn@v2.0.0", "out")
    assert held(Path("out")) == {**OLD, **NEW}
    assert left_behind(two.path) == []


def test_what_another_pull_left_is_not_moved_in(two: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Staging, "move_in", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            Registry(".").pull("churn@v2.0.0", "fresh")
    assert left_behind(two.path) == [".fresh.pull"]

    two.registry.pull("churn@v1.0.0", "fresh")

    assert held(Path("fresh")) == OLD


def test_what_was_brought_is_kept_for_the_next_pull(two: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Staging, "move_in", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            Registry(".").pull("churn", "fresh")
    brought = {path: (two.path / ".fresh.pull/files" / path).stat().st_ino for path in NEW}
    (two.path / ".fresh.pull/files/models/a").write_text("cut o")

    two.registry.pull("churn", "fresh")

    assert held(Path("fresh")) == {**NEW}
    same = {path for path in NEW if (two.path / "fresh" / path).stat().st_ino == brought[path]}
    assert same >= NEW.keys() - {"models/a"}


def test_two_pulls_of_one_directory_come_one_after_the_other(two: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, waits = threading.Event(), threading.Event()
    original = Staging.move_in

    def slow(self: Staging) -> None:
        if threading.current_thread().name == "first":
            inside.set()
            assert waits.wait(30)
        original(self)

    monkeypatch.setattr(Staging, "move_in", slow)
    first = threading.Thread(name="first", target=lambda: Registry(two.path).pull("churn@v2.0.0", "out"))
    first.start()
    assert inside.wait(30)
    notes: list[str] = []

    def noted(note: str) -> None:
        notes.append(note)
        waits.set()

    Registry(two.path, on_note=noted).pull("churn@v1.0.0", "out")
    first.join()

    assert notes == ["another pull is writing to that directory; waiting for it"]
    assert held(Path("out")) == {**NEW, **OLD, **MINE}
    assert left_behind(two.path) == []


def test_a_file_where_the_directory_would_be(repo: RepoStory) -> None:
    repo.register("churn")
    repo.write("out", "mine\n")
    with pytest.raises(Refused, match="out is there already, and is no directory"):
        repo.registry.pull("churn", "out")
    assert (repo.path / "out").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("there", "said"),
    [("out/models", "is there, and is no directory"), ("out/models/churn.pkl/x", "is a directory where a file is")],
)
def test_something_in_the_way(repo: RepoStory, there: str, said: str) -> None:
    repo.register("churn")
    repo.write(there, "mine\n")
    with pytest.raises(Refused, match=said):
        repo.registry.pull("churn", "out")
    assert (repo.path / there).read_text() == "mine\n"
    assert left_behind(repo.path) == []


def test_a_directory_that_is_a_link(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn")
    (tmp_path / "real").mkdir()
    (repo.path / "out").symlink_to(tmp_path / "real")

    repo.registry.pull("churn", "out")

    assert held(tmp_path / "real") == {"models/churn.pkl": "weights 1\n"}
    assert (repo.path / "out").is_symlink()


def test_nothing_is_written_through_a_link_that_was_there(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn")
    (tmp_path / "elsewhere").mkdir()
    (repo.path / "out").mkdir()
    (repo.path / "out/models").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Refused, match="is a link, and nothing is written through one"):
        repo.registry.pull("churn", "out")

    assert held(tmp_path / "elsewhere") == {}


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn")
    repo.write("out/models/.keep", "")
    (tmp_path / "precious").write_text("weights 1\n")
    (repo.path / "out/models/churn.pkl").symlink_to(tmp_path / "precious")

    repo.registry.pull("churn", "out")

    assert (tmp_path / "precious").read_text() == "weights 1\n"
    assert not (repo.path / "out/models/churn.pkl").is_symlink()


def test_a_place_that_a_stranger_has_prepared_is_not_used(repo: RepoStory, tmp_path: Path) -> None:
    """A checkout can hold a directory of the name of ours, with links in it."""
    repo.register("churn")
    (repo.path / ".out.pull").mkdir()
    (repo.path / ".out.pull/files").symlink_to(tmp_path)

    with pytest.raises(Refused, match=r"\.out\.pull is there, and is not ours"):
        repo.registry.pull("churn", "out")

    (repo.path / ".out.pull/files").unlink()
    (repo.path / ".out.pull").rmdir()
    (repo.path / ".out.pull").symlink_to(tmp_path)
    with pytest.raises(Refused, match=r"\.out\.pull is there, and is not ours"):
        repo.registry.pull("churn", "out")


def test_a_directory_whose_parent_cannot_be_written_holds_the_work_itself(
    repo: RepoStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.register("churn")
    repo.write("out/mine", "mine\n")
    monkeypatch.setattr(os, "access", lambda *_: False)
    held_there: list[str] = []
    original = Staging.move_in

    def looked(self: Staging) -> None:
        held_there.extend(left_behind(repo.path / "out"))
        original(self)

    monkeypatch.setattr(Staging, "move_in", looked)
    repo.registry.pull("churn", "out")

    assert held_there == [".registry-pull"]
    assert held(Path("out")) == {"mine": "mine\n", "models/churn.pkl": "weights 1\n"}
    assert left_behind(repo.path / "out") == []


def test_a_parent_that_gives_its_group(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.register("churn")
    (repo.path / "shared").mkdir()
    (repo.path / "shared").chmod(0o2775)
    with monkeypatch.context() as patched:
        patched.setattr(Staging, "move_in", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            Registry(".").pull("churn", "shared/out")

    repo.registry.pull("churn", "shared/out")

    assert held(Path("shared/out")) == {"models/churn.pkl": "weights 1\n"}


def test_a_directory_that_cannot_be_made(repo: RepoStory) -> None:
    repo.register("churn")
    done = repo.cli("pull", "churn", "-o", "/proc/out")
    assert done.code == 1
    assert done.err.startswith("error: /proc")
    assert len(done.err.splitlines()) == 2


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out")


def _fail_at(step: int, monkeypatch: pytest.MonkeyPatch, error: Callable[..., object]) -> None:
    """The step-th change of the file system while moving in fails."""
    calls = 0
    original = Staging.move_in

    def failing(function: Callable[..., object]) -> object:
        def run(*arguments: Any, **options: Any) -> object:
            nonlocal calls
            calls += 1
            if calls == step:
                error()
            return function(*arguments, **options)

        return run

    def move_in(self: Staging) -> None:
        with monkeypatch.context() as inner:
            mend = self.mend

            def mended() -> None:
                inner.undo()
                mend()

            self.mend = mended  # type: ignore[method-assign]
            if error is _no_space:  # and no hard links
                inner.setattr(os, "link", _no_space)
            else:
                inner.setattr(os, "link", failing(os.link))
            for name in ("replace", "mkdir", "unlink"):
                inner.setattr(Path, name, failing(getattr(Path, name)))
            original(self)

    monkeypatch.setattr(Staging, "move_in", move_in)

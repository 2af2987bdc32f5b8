"""What a newcomer mistypes, and what a machine does to us: each is one line and a hint, never a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from registry import cli
from tests.cli.conftest import Typing
from tests.story import RepoStory

AFTER = "options stand after the command"
FORMATS = "'text', 'json', 'github'"
REGISTRY = [sys.executable, "-m", "registry"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("regster churn", "there is no command regster | did you mean register?"),
        ("frobnicate", "there is no command frobnicate | registry --help lists the commands"),
        ("promote churn", "there is no command promote | did you mean assign?"),
        ("version", "there is no command version | registry --help lists the commands"),
        ("-v", "no such option '-v' | registry --version says which one this is"),
        ("assign churn --stage x", "no such option '--stage' | registry assign SELECTOR STAGE; --help says more"),
        ("copy churn", "missing option '--to' | registry copy SELECTOR --to REPO; --help says more"),
        ("resolve churn@V1.2.0", "not a version: 'V1.2.0' | did you mean v1.2.0?"),
        ("resolve churn:v1.2.0", "not a name for an artifact: 'churn:v1.2.0' | did you mean churn@v1.2.0?"),
        ("resolve @v1.2.0", "nothing before the '@' in '@v1.2.0' | an artifact's name, such as churn"),
        ("assign churn", "missing argument 'STAGE' | registry assign SELECTOR STAGE; --help says more"),
        ("register", "missing argument 'NAME' | registry register NAME [REV]; --help says more"),
        ("resolve", "missing argument 'SELECTOR' | registry resolve SELECTOR; --help says more"),
        ("delete", "missing argument 'TAG...' | registry delete TAG...; --help says more"),
        ("diff churn", "missing argument 'B' | registry diff A B; --help says more"),
        ("show --jsn", "no such option '--jsn' | did you mean --json?"),
        (
            "--repo x show",
            f"no such option '--repo' | {AFTER}: registry show --repo; registry --help lists the commands",
        ),
        ("show --where", "option '--where' requires an argument | registry show --help"),
        ("show a b", "got unexpected extra argument (b) | registry show [SELECTOR]; --help says more"),
        ("show --where auc", "not a condition: 'auc' | such as 'metrics.auc>0.9' or 'params.depth==4'"),
        ("show --where nmae=x", "nothing is called 'nmae' here | did you mean name?"),
        (
            "show --sort zed",
            "nothing is called 'zed' here | such as metrics.auc, params.depth, tags.team, name or type",
        ),
        ("show churn --type model", "--type chooses among artifacts | leave it out, or the selector"),
        (
            "check --format xml",
            f"invalid value for '--format': 'xml' is not one of {FORMATS} | registry check; --help says more",
        ),
    ],
)
def test_a_typing_error_is_one_line_and_a_hint(repo: RepoStory, typed: Typing, words: str, said: str) -> None:
    assert typed.refused(*words.split(), code=2) == said


def test_registry_alone_is_help(typed: Typing) -> None:
    done = typed()

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: registry [OPTIONS] COMMAND")
    assert typed("--help").code == typed("show", "-h").code == typed("--version").code == 0


def test_a_bug_of_ours_is_three(repo: RepoStory, typed: Typing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.api.Registry.show", lambda *_, **__: 1 / 0)

    assert typed.refused("show", code=3).startswith("a bug in git-registry: ZeroDivisionError")


def test_a_reader_that_has_seen_enough(life: RepoStory) -> None:
    for words in (["history"], ["show", "--json"], ["schema"], ["--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([*REGISTRY, *words], stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b""), words


def test_a_full_disk_under_the_answer(life: RepoStory) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  (a device)
        done = subprocess.run([*REGISTRY, "show"], stdout=full, stderr=subprocess.PIPE, check=False)

    assert (done.returncode, done.stderr) == (1, b"error: cannot go on: No space left on device\n")


def test_no_standard_output_at_all(life: RepoStory) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m registry show >&-', sys.executable], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_plain_locale_does_not_end_a_command(repo: RepoStory, locale: dict[str, str]) -> None:
    repo.git("config", "user.name", "Zoë 株式会社")
    repo.register("churn", message="très bien")

    for words in (["show", "churn"], ["history"], ["check-ref", "churn@v0.0.1"], ["status"], ["resolve", "é"]):
        done = repo.cli(*words, env=locale)
        assert done.code == (2 if words == ["resolve", "é"] else 0), done
        assert "Traceback" not in done.err


def test_ctrl_c_is_one_line(repo: RepoStory) -> None:
    # Reading a message from standard input, it waits for us.
    with subprocess.Popen(
        [*REGISTRY, "register", "churn", "-m", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        while not _reads(process.pid):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait()
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.read(), process.stderr.read()

    assert (process.returncode, said) == (130, (b"", b"error: stopped\n"))
    assert repo.tags == []


def _reads(pid: int) -> bool:
    """Whether the process waits in read(0, ...)."""
    try:
        with open(f"/proc/{pid}/syscall") as file:  # noqa: PTH123
            return file.read().split()[:2] == ["0", "0x0"]
    except OSError:
        pytest.skip("no /proc/PID/syscall here")


def test_a_stranger_cannot_write_to_the_terminal(repo: RepoStory, typed: Typing) -> None:
    repo.git("tag", "-a", "-m", "red \x1b[31m \u202e and\r\x07", "churn@v1.0.0")

    text = typed("history").out + typed("check-ref", "churn@v1.0.0").out + typed("history", "--json").out

    assert not {"\x1b", "\u202e", "\r", "\x07"} & set(text)
    assert "\\x1b[31m" in text


def test_the_exit_code_of_the_process(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/git-registry", "resolve"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 2

"""What brings the program to a runner, and what a stranger sees where it cannot."""

from __future__ import annotations

import ast
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry.action.runner import TOKENS

INSTALL = Path(__file__).parent.parent.parent / "registry" / "action" / "install.py"


def _installed(tmp_path: Path, code: str = "pass", **env: str) -> subprocess.CompletedProcess[str]:
    """install.py, run after `code` in the same Python."""
    run = f"import runpy, sys; {code}; runpy.run_path({str(INSTALL)!r}, run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-I", "-c", run],
        cwd=tmp_path,
        env={**os.environ, "RUNNER_TEMP": str(tmp_path), "PIP_NO_INDEX": "1", **env},
        capture_output=True,
        check=False,
        text=True,
    )


def test_an_old_python_is_told_what_to_do(tmp_path: Path) -> None:
    done = _installed(tmp_path, "sys.version_info = (3, 8, 10, 'final', 0)")

    assert done.returncode == 1
    assert done.stdout == (
        "::error title=git-registry::git-registry needs Python 3.10 or newer, and python3 is 3.8: "
        "run actions/setup-python before\n"
    )


def test_extras_are_ours_alone(tmp_path: Path) -> None:
    done = _installed(tmp_path, REGISTRY_INPUT_EXTRAS="dvc] evil @ https://evil.example/x")

    assert done.returncode == 1
    assert done.stdout == "::error title=git-registry::extras has something else than dvc, hf, ui, url\n"
    assert not list(tmp_path.iterdir())


def test_what_keeps_it_from_being_installed_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    done = _installed(tmp_path, "sys.executable = '/bin/ls'")  # which knows no -m, and makes no environment

    first, *said, last, error = done.stdout.splitlines()
    assert done.returncode == 1
    assert first.startswith("::stop-commands::registry-")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
    assert any("ls:" in line for line in said)
    assert error.startswith("::error title=git-registry::git-registry cannot be installed")


@pytest.mark.parametrize("minor", [6, 7, 8, 9])
def test_it_is_written_for_pythons_that_are_too_old(minor: int, tmp_path: Path) -> None:
    assert ast.parse(INSTALL.read_text(), feature_version=(3, minor)).body

    found = shutil.which(f"python3.{minor}")
    if found is None or subprocess.run([found, "-V"], capture_output=True, check=False).returncode != 0:
        return  # its grammar is all that can be seen here

    done = subprocess.run([found, "-I", str(INSTALL)], capture_output=True, check=False, text=True)

    assert done.stdout.startswith("::error title=git-registry::git-registry needs Python 3.10 or newer")
    assert (done.returncode, done.stderr) == (1, "")


def test_nothing_of_the_working_directory_is_imported(tmp_path: Path) -> None:
    hostile = tmp_path / "checkout"
    hostile.mkdir()
    for name in ("hashlib", "subprocess", "pathlib", "venv", "ensurepip", "pip", "registry"):
        (hostile / f"{name}.py").write_text("print('::error::owned')\n")
    env = {**os.environ, "RUNNER_TEMP": str(tmp_path), "PIP_NO_INDEX": "1", "PYTHONPATH": str(hostile)}

    done = subprocess.run(
        [sys.executable, "-I", str(INSTALL)], cwd=hostile, env=env, capture_output=True, check=False, text=True
    )

    assert done.returncode == 1  # there is no index
    assert "hatchling" in done.stdout
    assert "owned" not in done.stdout + done.stderr


def test_steps_that_start_at_once_install_it_once(tmp_path: Path) -> None:
    # A Python whose venv takes note of each call, and whose program says that it runs.
    tool = tmp_path / "python3"
    tool.write_text(
        '#!/bin/sh\nfor place; do :; done\necho made >>"$LOG"\nmkdir -p "$place/bin"\n'
        'printf "#!/bin/sh\\ncase \\"\\$*\\" in *pip*) sleep 0 ;; *) echo ran ;; esac\\n" >"$place/bin/python"\n'
        'chmod +x "$place/bin/python"\n'
    )
    tool.chmod(0o755)
    env = {**os.environ, "RUNNER_TEMP": str(tmp_path), "LOG": str(tmp_path / "log")}
    run = f"import runpy, sys; sys.executable = {str(tool)!r}; runpy.run_path({str(INSTALL)!r}, run_name='__main__')"

    steps = [
        subprocess.Popen([sys.executable, "-I", "-c", run], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    assert [step.communicate()[0] for step in steps] == ["ran\n"] * 4
    assert (tmp_path / "log").read_text() == "made\n"


def test_a_checkout_that_changed_within_a_job_is_installed_anew(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    shutil.copytree(INSTALL.parent, copy / "registry" / "action", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "pyproject.toml").write_text("[project]\n")
    content = runpy.run_path(str(copy / "registry" / "action" / "install.py"))["content"]
    before = content()

    (copy / "registry" / "action" / "apply.py").write_text("print('new')\n")

    assert before != content()


def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    done = _installed(tmp_path, RUNNER_TEMP=str(tmp_path / "no" / "100%"))

    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.startswith("::error title=git-registry::git-registry cannot be installed or started: ")
    assert "100%25" in done.stdout


def test_what_is_built_gets_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TOKENS:
        monkeypatch.setenv(name, "granted")

    building = runpy.run_path(str(INSTALL))["BUILDING"]

    assert TOKENS
    assert not {*TOKENS} & building.keys()

"""A machine that runs workflows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.action import act
from tests.action.act import Runner, checkout_of_the_action


@pytest.fixture
def bare_runner(tmp_path: Path) -> Runner:
    """A machine as it is: the action installs itself."""
    if (reason := act.missing()) is not None:
        pytest.skip(reason)
    home, tools = tmp_path / "runner", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    return Runner(home, checkout_of_the_action(tmp_path / "action"), tools)


@pytest.fixture
def runner(bare_runner: Runner) -> Runner:
    """A machine on which the action is installed already: in the Python that runs the tests, which saves seconds."""
    program = f'exec "{sys.executable}" -m registry.action'
    real = 'PATH="${PATH#*:}" exec python3 "$@"'
    bare_runner.tool("python3", f'case "$*" in\n"-I "*/registry/action/install.py) {program} ;;\n*) {real} ;;\nesac')
    return bare_runner

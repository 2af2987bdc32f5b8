"""What holds of the whole house: the direction of imports, the help of every command, the pages that are generated."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import registry
from registry.cli import COMMANDS, cli
from tests import completions
from tests.reference import DOCS, action_reference, cli_reference, manifest_reference, manifest_schema
from tests.story import RepoStory

ROOT = Path(registry.__file__).parent
ROOMS = [
    "_version", "errors", "core", "plumbing", "manifests", "artifacts", "repository", "mirrored", "evidence", "trust",
    "providers", "writing", "porcelain", "runs", "api", "markdown", "demo", "web", "action", "mlflow", "cli",
]  # fmt: skip


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "registry":
            names = [node.module] if "." in node.module else [f"registry.{alias.name}" for alias in node.names]
            found.update(names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("registry."))
    return found


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_rooms_above_it(file: Path) -> None:
    room = file.relative_to(ROOT).parts[0].removesuffix(".py")
    if room in {"__init__", "__main__", "demo"}:
        return  # the front doors; the demo's train.py is a script of its own

    too_low = {other for other in _imports(file) if ROOMS.index(_room(other)) > ROOMS.index(room)}

    assert not too_low


def test_core_knows_no_git_no_files_and_no_clock() -> None:
    for file in (ROOT / "core").glob("*.py"):
        imported = {
            alias.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Import)
            for alias in node.names
        }  # fmt: skip
        assert not imported & {"os", "subprocess", "pathlib", "time", "git", "random"}, file


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_examples_and_json(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help is not None

    sentence = command.help.split("\n\n", maxsplit=1)[0].split("; for")[0].split("; exit")[0]
    first = " ".join(sentence.split())
    assert first.split(":")[0].split(".")[0].startswith(COMMANDS[name].rstrip(".").split(",")[0].split(":")[0])
    assert f"registry {name}" in command.help.split("\b", maxsplit=1)[1]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--repo"} <= options
    undocumented = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert not undocumented


def test_the_generated_pages_are_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text() == cli_reference()
    assert (DOCS / "manifest.md").read_text() == manifest_reference()
    assert (DOCS / "action.md").read_text() == action_reference()
    assert (DOCS / "registry.schema.json").read_text() == manifest_schema()
    for shell, name in completions.FILES.items():
        assert (completions.HERE / name).read_text() == completions.completion(shell)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["show", "--help"]])
def test_help_and_version_import_nothing_but_click(words: list[str]) -> None:
    code = "import sys; from registry.cli import run; run(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True, text=True)

    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"git", "semver", "ruamel.yaml", "rich", "registry.api", "registry.repository"}


def test_completing_a_command_imports_nothing_but_click() -> None:
    code = "import sys, atexit; atexit.register(lambda: print(*sys.modules)); from registry.cli import run; run([])"
    env = {**os.environ, "_REGISTRY_COMPLETE": "bash_complete", "COMP_WORDS": "registry hist", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, env=env)

    *completed, modules = done.stdout.splitlines()
    assert completed == ["plain,history"]
    rooms = {name.split(".")[1] for name in modules.split() if name.startswith("registry.")}
    assert rooms <= {"_version", "cli", "core", "errors"}
    assert not set(modules.split()) & {"git", "semver", "ruamel.yaml", "rich"}


@pytest.mark.parametrize("by_url", [False, True], ids=["here", "url"])
def test_resolving_imports_nothing_that_it_does_not_need(repo: RepoStory, by_url: bool) -> None:
    repo.register("churn", "v1.0.0")
    code = "import sys; from registry.cli import run; print(run(sys.argv[1:])); print(*sys.modules)"
    words = ["resolve", "churn@latest", "--repo", repo.path.as_uri() if by_url else str(repo.path)]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=True, text=True)

    *answer, modules = done.stdout.splitlines()
    assert answer == ["v1.0.0", "0"], done.stderr
    loaded = set(modules.split())
    rooms = {name.split(".")[1] for name in loaded if name.startswith("registry.")}
    assert not loaded & {"git", "semver", "ruamel.yaml", "rich", "tempfile", "random", "shutil"}
    assert not rooms & {"writing", "manifests", "artifacts", "runs"}
    assert {name for name in loaded if name.startswith("registry.porcelain.")} == {"registry.porcelain.find"}
    needless = {"manifest", "overview", "replay", "draft", "plan", "policy"}
    assert not loaded & {f"registry.core.{name}" for name in needless}
    of_urls = {"registry.mirrored", "registry.plumbing.mirror", "registry.plumbing.network"}
    assert loaded & of_urls == (of_urls if by_url else set())
    assert "registry.plumbing.trees" not in loaded


def test_every_test_that_the_threat_model_names_is_there() -> None:
    named = set(re.findall(r"`(?:[\w./]+::)?((?:test)?_\w+)`", (DOCS / "threats.md").read_text()))
    places = set(re.findall(r"`(tests/[\w./]+?)(?:::\w+)?`", (DOCS / "threats.md").read_text()))
    there = "\n".join(file.read_text() for file in (ROOT.parent / "tests").rglob("test_*.py"))

    assert len(named) > 20
    assert not [name for name in named if f"def {name}(" not in there]
    assert not [place for place in places if not (ROOT.parent / place).exists()]


def test_ci_types_what_the_readme_tells_a_newcomer_to_type_first() -> None:
    readme, ci = (ROOT.parent / "README.md").read_text(), (ROOT.parent / ".ci/run").read_text()
    begins = "python3 -m venv .venv && "
    commands = [line for line in readme.splitlines() if line.startswith(begins)]

    assert [command.rpartition(" && ")[2].split()[0] for command in commands] == [
        ".venv/bin/registry",
        ".venv/bin/pytest",
    ]
    assert f"grep -E '^{begins.replace('.', chr(92) + '.')}' README.md" in ci

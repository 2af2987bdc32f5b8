"""What the commands that people use most may import, and how often they may ask Git: a regression shows here first."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.story import RepoStory

ROOMS = {"plumbing", "porcelain", "manifests", "providers", "writing"}  # as packages: they hold next to nothing
# Whole rooms, and modules of those that are too much to allow whole.
READS = {
    "_version", "cli", "errors", "api", "repository", "core", "plumbing.address", "plumbing.clone",
    "plumbing.history", "plumbing.objects", "plumbing.process", "plumbing.refnames", "plumbing.remote", "plumbing.tags",
    "porcelain.find",
}  # fmt: skip
VIEWS = READS | {"porcelain.reading", "porcelain.views", "porcelain.values", "evidence"}
MANIFESTS = {
    f"manifests.{name}" for name in ("read", "conform", "documents", "outputs", "shape", "values")
}  # fmt: skip
WRITES = VIEWS - {"porcelain.reading"} | MANIFESTS | {
    "plumbing.memory", "plumbing.signing", "plumbing.write", "porcelain.note", "writing.clone", "writing.heads",
    "writing.guard", "writing.standing", "writing.values", "writing.write",
}  # fmt: skip
YAML = {"ruamel", "_ruamel_yaml"}
NEVER = {"core.replay", "core.review", "core.diagnosis", "core.desired"}  # of core, for the commands here


@dataclass(frozen=True)
class Cost:
    """What a command may import of ours and of others beside click, and how many processes of Git it may start."""

    ours: set[str]
    others: set[str]
    git: int


COSTS = {
    "resolve churn#production": Cost(READS, set(), 3),
    "check-ref churn@v1.0.0": Cost(VIEWS, set(), 3),
    "history churn": Cost(VIEWS, set(), 3),
    "show churn": Cost(VIEWS | MANIFESTS, YAML, 9),
    "show": Cost(VIEWS | MANIFESTS | {"plumbing.cache", "plumbing.kept"}, YAML, 8),
    "register churn": Cost(
        WRITES | {"plumbing.changes", "porcelain.register", "porcelain.carried", "porcelain.bounds"},
        YAML | {"semver"}, 18,
    ),
    "assign churn@v1.0.0 staging": Cost(WRITES | {"porcelain.stages"}, YAML, 12),
}  # fmt: skip


@pytest.mark.parametrize("words", COSTS)
def test_a_command_imports_and_asks_no_more_than_it_needs(repo: RepoStory, tmp_path: Path, words: str) -> None:
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production").train("better\n")
    code = "import sys; from registry.cli import run; code = run(sys.argv[1:]); print(*sys.modules); sys.exit(code)"
    traced = {**repo.environment_whole(), "GIT_TRACE2_EVENT": str(tmp_path / "trace")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()],
        cwd=repo.path, env=traced, capture_output=True, check=True, text=True,
    )  # fmt: skip
    loaded = done.stdout.splitlines()[-1].split()
    events = [json.loads(line)["event"] for line in (tmp_path / "trace").read_text().splitlines()]

    cost = COSTS[words]
    ours = {name.removeprefix("registry.") for name in loaded if name.startswith("registry.")} - ROOMS
    assert {name for name in ours if name not in cost.ours and name.partition(".")[0] not in cost.ours} == set()
    assert ours & NEVER == set()
    installed = {name.partition(".")[0] for name in loaded} & {"git", "semver", "ruamel", "rich", "msgspec", "jinja2"}
    assert installed <= cost.others
    assert events.count("start") <= cost.git

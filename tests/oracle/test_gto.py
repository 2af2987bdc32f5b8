"""GTO and we give the same answers on histories that GTO can represent and that have no clock trouble (DESIGN part 3).

What lies outside is kept outside: two versions on one commit, a version moved by --force, and a version that comes back
after it was in a stage. `test_gto_faults` tells what is right there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from tests.oracle.conftest import COMMITS, Pair

pytest.importorskip("gto")

VERSIONS = (
    "v0.0.1", "v0.1.0", "v0.2.0-rc.1", "v0.2.0", "v1.0.0-alpha", "v1.0.0-alpha.2", "v1.0.0", "v1.2.0", "v1.10.0",
    "v2.0.0-1", "v10.0.0",
)  # fmt: skip
STAGES = ("dev", "prod", "prod/eu")
CHUNKS, HISTORIES = 24, 10


@dataclass
class Teller:
    """Makes up a history, one write at a time, and keeps of it what it needs to go on sensibly."""

    pair: Pair
    random: Random
    tools: tuple[str, ...]
    commit_of: dict[str, str] = field(default_factory=dict)
    active: list[str] = field(default_factory=list)
    ever_staged: set[str] = field(default_factory=set)
    held: list[tuple[str, str]] = field(default_factory=list)
    deprecated: bool = False
    hidden: bool = False  # whether our last counter stands where GTO does not look: it would give the same again

    def tell(self, length: int) -> None:
        """Write a history of so many events."""
        self.register()
        moves = [
            self.register, self.register, self.assign, self.assign, self.assign, self.unassign, self.unassign,
            self.deregister, self.come_back, self.annotate, self.deprecate,
        ]  # fmt: skip
        for _ in range(length):
            self.random.choice(moves)()

    def tool(self, *, counted: bool) -> str:
        """Who writes next. GTO does not write a counter after one of ours that it cannot see."""
        choice = self.random.choice(self.tools)
        return "registry" if counted and self.hidden else choice

    def wrote(self, *, hidden: bool) -> None:
        """After a write of ours."""
        self.hidden = hidden
        self.deprecated = False

    def register(self) -> None:
        fresh = [v for v in VERSIONS if v not in self.commit_of]
        free = [c for c in self.pair.commits if c not in self.commit_of.values()]
        if not fresh or not free:
            return
        version, commit = self.random.choice(fresh), self.random.choice(free)
        if self.tool(counted=False) == "gto":
            self.pair.by_gto("register", ref=commit, version=version)
            self.deprecated = False
        else:
            self.pair.story.register("churn", version, commit, undeclared=True)
            self.wrote(hidden=True)
        self.commit_of[version] = commit
        self.active.append(version)

    def come_back(self) -> None:
        gone = [v for v in self.commit_of if v not in self.active and v not in self.ever_staged]
        if not gone:
            return
        version = self.random.choice(gone)
        if self.tool(counted=True) == "gto":
            self.pair.by_gto("register", ref=self.commit_of[version], version=version, simple=False)
            self.deprecated = False
        else:
            self.pair.story.register("churn", version, self.commit_of[version], undeclared=True)
            self.wrote(hidden=False)
        self.active.append(version)

    def assign(self) -> None:
        if not self.active:
            return
        version, stage = self.random.choice(self.active), self.random.choice(STAGES)
        if self.tool(counted=True) == "gto":
            self.pair.by_gto("assign", stage=stage, version=version, force=True)
            self.deprecated = False
        else:
            self.pair.story.assign(f"churn@{version}", stage, force=True)
            self.wrote(hidden=False)
        self.ever_staged.add(version)
        self.held = [one for one in self.held if one != (version, stage)] + [(version, stage)]

    def unassign(self) -> None:
        if not self.held:
            return
        version, stage = self.random.choice(self.held)
        if self.tool(counted=True) == "gto":
            self.pair.by_gto("unassign", stage=stage, version=version)
            self.deprecated = False
        else:
            self.pair.story.unassign(f"churn@{version}", stage)
            self.wrote(hidden=False)
        self.held.remove((version, stage))

    def deregister(self) -> None:
        if not self.active or self.random.random() < 0.3:
            return
        version = self.random.choice(self.active)
        plain = f"churn@{version}!" not in self.pair.story.tags and self.random.random() < 0.7
        if self.tool(counted=not plain) == "gto":
            self.pair.by_gto("deregister", version=version, simple=plain)
            self.deprecated = False
        else:
            self.pair.story.deregister(f"churn@{version}")
            self.wrote(hidden=False)
        self.active.remove(version)
        self.held = [one for one in self.held if one[0] != version]

    def annotate(self) -> None:
        # GTO skips amendments, so that it would not see a deprecated artifact revived by one.
        if self.active and not self.deprecated and "registry" in self.tools:
            self.pair.story.registry_at().annotate(f"churn@{self.random.choice(self.active)}", labels=["seen"])
            self.wrote(hidden=True)

    def deprecate(self) -> None:
        if self.deprecated or self.random.random() < 0.5:
            return
        plain = "churn@deprecated" not in self.pair.story.tags
        if self.tool(counted=not plain) == "gto":
            self.pair.by_gto("deprecate", simple=plain)
        else:
            self.pair.story.registry_at().deprecate("churn")
            self.wrote(hidden=False)
        self.deprecated = True


def both_agree(pair: Pair) -> None:
    """Every answer is the same."""
    assert pair.we_show() == pair.gto_shows()
    assert pair.our_versions() == pair.gto_versions()
    assert pair.our_history() == pair.gto_history()
    shown = pair.we_show()
    for stage in STAGES:
        assert pair.gto_in_stage(stage) == [v for s, v in shown["stages"].items() if s == stage]
    if not shown["deprecated"]:
        assert pair.our_active() == pair.gto_active()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_histories_mean_the_same_to_both(pair: Pair, chunk: int) -> None:
    tools = [("gto",), ("registry",), ("gto", "registry")][chunk % 3]
    for n in range(HISTORIES):
        pair.begin()
        teller = Teller(pair, Random(f"{chunk}.{n}"), tools)  # noqa: S311  (a story, not a secret)
        teller.tell(14)
        both_agree(pair)


def test_a_bare_commit_in_a_stage_is_the_commit_to_both_until_it_is_registered(pair: Pair) -> None:
    where = pair.commits[3]
    pair.by_gto("register", ref=pair.commits[0], version="v1.0.0")
    pair.by_gto("assign", stage="prod", version="v1.0.0")
    pair.by_gto("assign", stage="prod", ref=where, skip_registration=True)

    assert pair.we_show() == pair.gto_shows() == {"latest": "v1.0.0", "stages": {"prod": where}, "deprecated": False}

    pair.story.register("churn", "v2.0.0", where, undeclared=True)
    assert pair.we_show() == pair.gto_shows() == {"latest": "v2.0.0", "stages": {"prod": "v2.0.0"}, "deprecated": False}

    pair.by_gto("unassign", stage="prod", version="v2.0.0")
    both_agree(pair)


def test_an_artifact_of_a_directory_has_one_name_for_both(pair: Pair) -> None:
    pair.tick()
    pair.gto.register(pair.path, "cv:pool", "HEAD", version="v1.0.0")
    pair.story.assign("cv:pool@v1.0.0", "prod")

    assert pair.story.tags == ["cv=pool#prod#1", "cv=pool@v1.0.0"]
    assert pair.story.resolve("cv:pool#prod") == "v1.0.0"
    assert pair.gto.show(pair.path)["cv:pool"]["stage"] == {"prod": "v1.0.0"}


def test_there_are_enough_commits_for_a_history() -> None:
    assert len(VERSIONS) > COMMITS  # so that some histories run out of commits and some do not

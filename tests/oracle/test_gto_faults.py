"""Where GTO is wrong, what is right: our answer first, then, by running it, that GTO's indeed differs."""

from __future__ import annotations

import pytest

from registry.errors import NotFound
from tests.oracle.conftest import Pair

pytest.importorskip("gto")

NOON = 1767268800  # 2026-01-01T12:00:00Z


@pytest.fixture
def two(pair: Pair) -> Pair:
    """Two versions, registered by GTO on commits of their own."""
    pair.by_gto("register", ref=pair.commits[0], version="v1.0.0")
    pair.by_gto("register", ref=pair.commits[1], version="v2.0.0")
    return pair


def at(pair: Pair, moment: int, verb: str, **said: object) -> None:
    """Let GTO write at that moment."""
    pair.story.at(moment)
    pair.by_gto(verb, **said)


# -- clocks ------------------------------------------------------------------------------------------------------------


def test_of_two_assignments_in_one_second_the_later_counts(two: Pair) -> None:
    at(two, NOON, "assign", stage="prod", version="v1.0.0")
    at(two, NOON, "assign", stage="prod", version="v2.0.0")

    assert two.we_show()["stages"] == {"prod": "v2.0.0"}
    assert two.gto_shows()["stages"] == {"prod": "v1.0.0"}


def test_an_assignment_in_the_second_of_an_unassignment_is_not_lost(two: Pair) -> None:
    at(two, NOON, "assign", stage="prod", version="v1.0.0")
    at(two, NOON + 9, "unassign", stage="prod", version="v1.0.0")
    at(two, NOON + 9, "assign", stage="prod", version="v1.0.0", force=True)

    assert two.we_show()["stages"] == {"prod": "v1.0.0"}
    assert two.gto_shows()["stages"] == {}


def test_an_unassignment_in_the_second_of_its_assignment_stands(two: Pair) -> None:
    at(two, NOON, "assign", stage="prod", version="v1.0.0")
    at(two, NOON, "unassign", stage="prod", version="v1.0.0")

    assert two.we_show()["stages"] == {}


def test_a_slow_clock_does_not_undo_a_promotion(two: Pair) -> None:
    at(two, NOON, "assign", stage="prod", version="v1.0.0")
    at(two, NOON - 3600, "assign", stage="prod", version="v2.0.0")

    assert two.we_show()["stages"] == {"prod": "v2.0.0"}
    assert two.gto_shows()["stages"] == {"prod": "v1.0.0"}


def test_a_slow_clock_does_not_undo_a_rollback(two: Pair) -> None:
    at(two, NOON, "assign", stage="prod", version="v1.0.0")
    at(two, NOON + 60, "assign", stage="prod", version="v2.0.0")
    at(two, NOON - 3600, "unassign", stage="prod", version="v2.0.0")

    assert two.we_show()["stages"] == {"prod": "v1.0.0"}
    assert two.gto_shows()["stages"] == {"prod": "v2.0.0"}


def test_what_we_write_after_a_fast_clock_is_last_for_gto_too(two: Pair) -> None:
    at(two, NOON + 3600, "assign", stage="prod", version="v1.0.0")
    two.story.at(NOON).assign("churn@v2.0.0", "prod")  # dated a second after the latest, for whoever sorts by date

    assert two.we_show()["stages"] == two.gto_shows()["stages"] == {"prod": "v2.0.0"}


# -- versions ----------------------------------------------------------------------------------------------------------


def test_a_version_that_returns_is_in_no_stage(two: Pair) -> None:
    two.by_gto("assign", stage="prod", version="v2.0.0")
    two.by_gto("deregister", version="v2.0.0")
    two.by_gto("register", ref=two.commits[1], version="v2.0.0", simple=False)

    assert two.we_show() == {"latest": "v2.0.0", "stages": {}, "deprecated": False}
    assert two.gto_shows()["stages"] == {"prod": "v2.0.0"}  # nobody put it back there


def test_a_bump_never_takes_a_version_that_was_withdrawn(two: Pair) -> None:
    two.by_gto("deregister", version="v2.0.0")
    two.story.register("churn", "v1.0.1", two.commits[2], undeclared=True).deregister("churn@v1.0.1")

    two.by_gto("register", ref=two.commits[3], simple=False)
    taken = [tag for tag in two.story.tags if tag.startswith("churn@v1.0.1#")]
    assert len(taken) == 1  # GTO gave the withdrawn v1.0.1 to another commit

    two.story.register("churn", None, two.commits[4], undeclared=True)
    assert two.story.resolve("churn@newest") == "v2.0.1"


def test_a_bump_from_a_pre_release_is_its_release(pair: Pair) -> None:
    pair.by_gto("register", ref=pair.commits[0], version="v1.0.0-rc.1")
    pair.story.register("churn", None, pair.commits[1], undeclared=True)
    assert pair.story.resolve("churn") == "v1.0.0"

    pair.begin()
    pair.by_gto("register", ref=pair.commits[0], version="v1.0.0-rc.1")
    pair.by_gto("register", ref=pair.commits[1])
    assert pair.gto_shows()["latest"] == "v1.0.1"


def test_a_version_that_was_moved_has_one_commit(two: Pair) -> None:
    two.story.register("churn", "v2.0.0", two.commits[5], undeclared=True, force=True)

    assert two.our_versions()["v2.0.0"] == (two.commits[5], True)
    assert two.gto_active() == ["v2.0.0", "v2.0.0", "v1.0.0"]


# -- one bad tag breaks nothing ----------------------------------------------------------------------------------------


def test_two_versions_on_one_commit_are_two_versions(two: Pair) -> None:
    two.story.tag("churn@v3.0.0", "Third", two.commits[1])
    two.story.tag("churn#prod#1", "Promote", two.commits[1])

    assert two.we_show()["stages"] == {"prod": "v3.0.0"}
    with pytest.raises(Exception, match="Multiple versions are not allowed"):
        two.gto_shows()


HEADERS = "object {commit}\ntype commit\ntag {tag}\n"


@pytest.mark.parametrize(
    ("tag", "rest"),
    [
        ("other@v1.0.0", b"\nno tagger at all\n"),
        ("other@v1.0.0", b"tagger A <a@b> 1 +0000\n\nlatin-1: \xfc\n"),
        ("other@v1.0.0", b"tagger nobody knows whom\n\nx\n"),
        ("other#prod#1", b"tagger A <a@b> 99999999999999 +0000\n\nthe far future\n"),
    ],
)
def test_one_bad_tag_of_another_artifact_breaks_nothing(two: Pair, tag: str, rest: bytes) -> None:
    two.story.raw_tag(tag, HEADERS.format(commit=two.commits[2], tag=tag).encode() + rest)

    assert two.story.resolve("churn") == "v2.0.0"
    assert [a.latest for a in two.story.registry.show() if a.name == "churn"] == ["v2.0.0"]
    assert two.our_versions() == {"v1.0.0": (two.commits[0], True), "v2.0.0": (two.commits[1], True)}
    with pytest.raises(Exception):  # noqa: B017, PT011  (AttributeError, UnicodeDecodeError, ...: that is the fault)
        two.gto.show(two.path)


def test_a_tag_that_was_renamed_is_no_event(two: Pair) -> None:
    two.by_gto("assign", stage="prod", version="v1.0.0")
    two.story.git("update-ref", "refs/tags/churn#qa#9", "refs/tags/churn#prod#1")

    assert two.we_show()["stages"] == {"prod": "v1.0.0"}
    assert [f.code for f in two.story.registry.doctor().findings] == ["renamed"]
    with pytest.raises(NotFound):
        two.story.resolve("churn#qa")


# -- the two together --------------------------------------------------------------------------------------------------


def test_gto_skips_our_amendments(two: Pair) -> None:
    two.story.registry_at().annotate("churn@v2.0.0", labels=["seen"])

    assert two.story.registry.resolve("churn").metadata.labels == ("seen",)
    assert two.gto_history() == two.our_history()
    assert two.gto_shows() == two.we_show()


def test_a_counter_that_gto_gives_again_harms_no_stage(pair: Pair) -> None:
    for n, version in enumerate(["v1.0.0", "v2.0.0", "v3.0.0"]):
        pair.story.register("churn", version, pair.commits[n], undeclared=True)
    pair.by_gto("assign", stage="prod", version="v3.0.0")  # churn#prod#1: our three counters stand in keys
    pair.by_gto("assign", stage="prod", version="v2.0.0")

    assert "churn#prod#1" in pair.story.tags
    assert pair.we_show() == pair.gto_shows() == {"latest": "v3.0.0", "stages": {"prod": "v2.0.0"}, "deprecated": False}


def test_a_counter_that_gto_gives_again_revives_no_version(pair: Pair) -> None:
    pair.story.register("churn", "v1.0.0", pair.commits[0], undeclared=True)
    pair.story.register("churn", "v2.0.0", pair.commits[1], undeclared=True)
    pair.by_gto("deregister", version="v2.0.0")
    pair.by_gto("assign", stage="prod", version="v1.0.0")

    assert pair.gto_shows()["latest"] == "v1.0.0"
    assert pair.we_show()["latest"] == "v1.0.0"

"""The rules of writers (DESIGN parts 2, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from registry.core import policy
from registry.core.manifest import Declaration, Manifest, StageRule
from registry.core.state import ArtifactState
from registry.core.version import Bump, check
from registry.errors import NotFound, Refused, RegistryError, UsageError
from tests.core.build import commit, event, state

LIFECYCLE = {"staging": StageRule("staging"), "production": StageRule("production", after="staging")}


def told(action: Callable[[], object], kind: type[RegistryError]) -> str:
    """What a person is told when `action` is refused: the message and the hint."""
    with pytest.raises(kind) as error:
        action()
    assert type(error.value) is kind
    assert "\n" not in error.value.message + error.value.hint
    assert error.value.hint
    return f"{error.value.message}; {error.value.hint}"


# -- versions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "part", "pre", "expected"),
    [
        ((), "patch", None, "v0.0.1"),
        ((), "major", None, "v0.0.1"),
        ((), "patch", "rc", "v0.0.1-rc.1"),
        (("churn@v1.2.3",), "patch", None, "v1.2.4"),
        (("churn@v1.2.3",), "minor", None, "v1.3.0"),
        (("churn@v1.2.1-rc.1",), "patch", None, "v1.2.1"),
        (("churn@v2.0.0", "churn@v1.0.0"), "patch", None, "v2.0.1"),
        (("churn@v2.0.0", "churn@v2.0.0!#2"), "patch", None, "v2.0.1"),  # never one that was deregistered
        (("churn@v3.0.0!#2", "churn@v1.0.0"), "patch", None, "v3.0.1"),  # nor one whose registration is deleted
        (("churn@v3.0.0=#2", "churn@v1.0.0"), "patch", None, "v3.0.1"),
        (("churn#prod#1",), "patch", None, "v0.0.1"),  # an assignment of a bare commit is no version
    ],
)
def test_the_next_version(there: tuple[str, ...], part: Bump, pre: str | None, expected: str) -> None:
    found = state(*(event(tag, at) for at, tag in enumerate(there)))

    assert policy.next_version(found, part, pre).text == expected


def test_a_first_pre_release_needs_a_name_too() -> None:
    told(lambda: policy.next_version(state(), "patch", "r c"), UsageError)


ONE = state(event("churn@v1.0.0-rc.1", 1, commit(1)), event("churn@v2.0.0", 2, commit(2)))


@pytest.mark.parametrize(
    ("version", "where", "force", "words"),
    [
        ("v3.0.0", 3, False, None),  # a new version at a new commit
        ("v1.0.0", 1, False, None),  # the active version there is a pre-release of the new one
        ("v1.0.0+build", 1, False, None),
        ("v1.0.0-rc.2", 1, False, "is churn v1.0.0-rc.1 already"),  # one is no pre-release of another
        ("v1.0.1", 1, False, "is churn v1.0.0-rc.1 already"),
        ("v3.0.0", 2, False, "is churn v2.0.0 already; commit what has changed first, or say --force"),
        ("v3.0.0", 2, True, None),
        ("v2.0.0", 2, False, "registered already, at this commit, by Ana on 1970-01-01"),
        ("v2.0.0", 2, True, "registered already, at this commit"),
        ("v2.0.0", 3, False, "registered already, at 0000000, by Ana on 1970-01-01; leave --version out"),
        ("v2.0.0", 3, True, None),  # moved
    ],
)
def test_what_may_be_registered(version: str, where: int, force: bool, words: str | None) -> None:
    def ask() -> None:
        policy.check_new_version(ONE, check(version), commit(where), force=force, overwrite=True)

    if words is None:
        ask()
    else:
        assert words in told(ask, Refused)


def test_a_manifest_may_forbid_to_move_a_version() -> None:
    there = told(
        lambda: policy.check_new_version(ONE, check("v2.0.0"), commit(3), force=True, overwrite=False), Refused
    )
    unforced = told(
        lambda: policy.check_new_version(ONE, check("v2.0.0"), commit(3), force=False, overwrite=False), Refused
    )

    assert "overwrite: forbid" in there
    assert "--force" not in unforced


def test_a_deregistered_version_may_come_back_and_frees_its_commit() -> None:
    gone = ONE.with_events([event("churn@v2.0.0!#3", 3, commit(2))])

    for version, where in [("v2.0.0", 2), ("v2.0.0", 5), ("v2.0.1", 2)]:
        policy.check_new_version(gone, check(version), commit(where), force=False, overwrite=False)


# -- stages ------------------------------------------------------------------------------------------------------------


def test_any_stage_goes_without_a_lifecycle_and_only_declared_ones_with_it() -> None:
    policy.check_stage(None, "anything")
    policy.check_stage(LIFECYCLE, "production")

    assert "did you mean production?" in told(lambda: policy.check_stage(LIFECYCLE, "prodution"), NotFound)
    assert "there is staging, production" in told(lambda: policy.check_stage(LIFECYCLE, "xyz"), NotFound)
    assert "declare it there" in told(lambda: policy.check_stage({}, "xyz"), NotFound)


STAGED = (
    event("churn@v1.0.0", 1, keys=("Counter: 1",)),
    event("churn#staging#2", 2, keys=("Version: v1.0.0",)),
)


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ((), True),
        ((event("churn#staging!#3", 3, keys=("Version: v1.0.0",)),), True),  # it has held the stage
        ((event("churn@v1.0.0#3", 3, commit(5)),), False),  # moved: what held it was another model
        ((event("churn@v1.0.0!#3", 3), event("churn@v1.0.0#4", 4)), False),
        ((event("churn@v1.0.0#3", 3), event("churn#staging#4", 4, keys=("Version: v1.0.0",))), True),
    ],
)
def test_a_stage_that_comes_after_another(more: tuple[object, ...], allowed: bool) -> None:
    found = state(*STAGED, *more)  # type: ignore[arg-type]  # pytest's parameters are events all the same
    version = found.versions["v1.0.0"]
    policy.check_after(LIFECYCLE, found, version, "staging")
    policy.check_after(None, found, version, "production")

    def ask() -> None:
        policy.check_after(LIFECYCLE, found, version, "production")

    if allowed:
        ask()
    else:
        assert "registry assign 'churn@v1.0.0' staging" in told(ask, Refused)


def test_another_versions_staging_does_not_count() -> None:
    found = state(*STAGED, event("churn@v2.0.0", 3, commit(2)))

    told(lambda: policy.check_after(LIFECYCLE, found, found.versions["v2.0.0"], "production"), Refused)


# -- names and manifests -----------------------------------------------------------------------------------------------


def test_names_that_differ_in_case_only_are_refused() -> None:
    policy.check_case("churn", ["churn", "fraud", ""], "name")

    assert "did you mean Churn?" in told(lambda: policy.check_case("churn", ["Churn"], "name"), Refused)


def test_what_would_not_travel_is_refused() -> None:
    policy.check_travels("churn@v1.0.0")

    assert "device" in told(lambda: policy.check_travels("churn#aux#1"), Refused)
    assert "200 bytes" in told(lambda: policy.check_travels("x" * 201 + "@v1.0.0"), Refused)


DECLARED = Manifest(
    artifacts={"churn": Declaration("churn", "registry.yaml")}, files=("registry.yaml",), names=("churn",)
)


@pytest.mark.parametrize(
    ("manifest", "artifact", "kind", "words"),
    [
        (DECLARED, "chrun", NotFound, "did you mean churn?"),
        (DECLARED, "xyz", NotFound, "registry add xyz"),
        (Manifest(), "churn", NotFound, "registry init"),
        (Manifest(files=("r",), broken={"registry.yaml": "1:1: no"}), "churn", Refused, "registry.yaml at this commit"),
        (Manifest(files=("r",), broken={"cv/registry.yaml": "1:1: no"}), "cv:m", Refused, "cv/registry.yaml"),
        (Manifest(files=("r",), broken={"cv/registry.yaml": "1:1: no"}), "churn", NotFound, "registry add churn"),
    ],
)
def test_an_artifact_has_to_be_declared(
    manifest: Manifest, artifact: str, kind: type[RegistryError], words: str
) -> None:
    policy.check_declared(DECLARED, "churn")

    assert words in told(lambda: policy.check_declared(manifest, artifact), kind)


@pytest.mark.parametrize(("broken", "refused"), [("registry.yaml", True), ("cv/dvc.yaml", True), ("nlp/x.yaml", False)])
def test_a_broken_manifest_opens_no_stage(broken: str, refused: bool) -> None:
    manifest = Manifest(files=(broken,), broken={broken: "3:1: not YAML"})

    if refused:
        assert "3:1" in told(lambda: policy.check_readable(manifest, "cv:pool"), Refused)
    else:
        policy.check_readable(manifest, "cv:pool")


def test_an_empty_state_has_nothing() -> None:
    empty = ArtifactState("churn", ())

    assert (empty.exists, empty.counter, empty.number, empty.latest, empty.greatest_ever) == (False, 0, 0, None, None)
    assert (empty.stages, empty.active, empty.before("x"), empty.deprecated) == ({}, [], None, False)

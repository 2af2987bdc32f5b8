"""Offline events that are decided again: what is withdrawn and what is not, and pushes whose answer was lost.

The remotes are directories: how the bytes travel does not matter here.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from registry import Registry
from registry.writing import publish, pushing
from tests.remotes.story import run, said, standing, tags, train
from tests.story import RepoStory

MANIFEST = "stages: {staging: {}, production: {exclusive: true}}\nmodels: {churn: {}, fraud: {}, train-set: {}}\n"


class Pair:
    """A bare repository, and Ana's and Bo's clones of it."""

    def __init__(self, place: Path) -> None:
        self.hub = place / "hub.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.hub)], check=True)
        first = RepoStory.begin(place / "first").write("registry.yaml", MANIFEST)
        first.commit("Declare")
        first.git("push", "-q", str(self.hub), "main")
        self.ana, self.bo = (self._clone(place, who) for who in ("Ana", "Bo"))

    def _clone(self, place: Path, who: str) -> RepoStory:
        path = place / who.lower()
        subprocess.run(["git", "clone", "-q", str(self.hub), str(path)], check=True)
        story = RepoStory(path)
        story.git("config", "user.name", who)
        story.git("config", "user.email", f"{who.lower()}@example.com")
        return story

    def hook(self, script: str, name: str = "pre-receive") -> None:
        """Let the server run a script for each push."""
        file = self.hub / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def chain(self, artifact: str = "churn") -> list[str]:
        """The tags of the server in order, if each names the one before and no counter or number is given twice."""
        state = Registry(self.hub, on_note=lambda _: None).repository.state(artifact)
        events = state.events
        assert [list(e.keys.get("Previous", ())) for e in events] == [[], *([e.oid] for e in events[:-1])][
            : len(events)
        ]
        assert [e.counter for e in events] == list(range(1, len(events) + 1))
        return [e.tag for e in events]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two clones of one repository, nothing registered."""
    return Pair(tmp_path)


@pytest.fixture
def behind(pair: Pair) -> Pair:
    """Bo has worked offline: v0.0.2, in staging, with a label. Ana has published another v0.0.2 meanwhile."""
    run(pair.ana, "register", "churn", "--push")
    run(pair.bo, "fetch")
    train(pair.bo).register("churn").assign("churn@v0.0.2", "staging")
    run(pair.bo, "annotate", "churn@v0.0.2", "--label", "bo")
    run(train(pair.ana), "register", "churn", "--push")
    return pair


# -- what is not the state's fault -------------------------------------------------------------------------------------


def test_a_missing_key_withdraws_nothing(behind: Pair, tmp_path: Path) -> None:
    behind.bo.git("config", "tag.gpgSign", "true")
    behind.bo.git("config", "gpg.format", "ssh")
    behind.bo.git("config", "user.signingKey", str(tmp_path / "nowhere.pub"))
    before = tags(behind.bo.path)

    done = behind.bo.cli("push")

    assert done.code == 1
    assert "sign" in done.err
    assert tags(behind.bo.path) == before


def test_a_manifest_that_cannot_be_read_withdraws_nothing(behind: Pair) -> None:
    behind.bo.write("registry.yaml", "models: [\n").commit("Break it")
    before = tags(behind.bo.path)

    done = behind.bo.cli("push")

    assert (done.code, "registry.yaml" in done.err) == (1, True)
    assert tags(behind.bo.path) == before


def test_a_branch_that_does_not_know_the_stage_withdraws_nothing(behind: Pair) -> None:
    behind.bo.write("registry.yaml", "stages: {other: {}}\nmodels: {churn: {}}\n").commit("Another branch")
    before = tags(behind.bo.path)

    done = behind.bo.cli("push")

    assert (done.code, "no stage staging" in done.err) == (1, True)
    assert tags(behind.bo.path) == before


# -- a push whose answer was lost --------------------------------------------------------------------------------------


def test_what_was_published_under_other_names_is_not_published_again(
    behind: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_fails(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pushing.Talk, "settle", power_fails)  # between the push and this clone's own transaction
        with pytest.raises(KeyboardInterrupt):
            behind.bo.registry_at().push()
    published = behind.chain()
    assert published == ["churn@v0.0.1", "churn@v0.0.2", "churn@v0.0.3", "churn#staging#4", "churn@v0.0.3=#5"]

    done = behind.bo.cli("push")

    assert (done.code, behind.chain()) == (0, published)
    assert tags(behind.bo.path) == tags(behind.hub)
    assert standing(behind.bo)["withdrawn"] == []


# -- names -------------------------------------------------------------------------------------------------------------


def test_a_version_is_made_from_the_data_that_the_person_had(pair: Pair) -> None:
    run(pair.ana, "register", "train-set", "--push")
    run(pair.bo, "fetch")
    train(pair.bo).register("train-set")
    run(train(pair.ana), "register", "train-set", "--push")

    run(pair.bo, "register", "churn", "--uses", "train-set@latest", "--push")

    assert said(pair.bo, "resolve", "churn")["metadata"]["uses"] == ["train-set@v0.0.3"]


def test_nothing_is_published_that_was_made_from_what_is_withdrawn(pair: Pair) -> None:
    train(pair.bo).register("train-set", "v1.0.0")
    run(train(pair.ana), "register", "train-set", "--version", "v1.0.0", "--push")

    done = pair.bo.cli("register", "churn", "--uses", "train-set@v1.0.0", "--push")

    assert done.code == 1
    assert "train-set@v1.0.0" in done.err
    assert "churn@v0.0.1" not in tags(pair.hub)


def test_a_version_that_is_free_keeps_its_name(pair: Pair) -> None:
    run(pair.ana, "register", "churn", "--push")
    run(pair.bo, "fetch")
    train(pair.bo).register("churn")
    train(pair.bo).register("churn")
    run(pair.bo, "delete", "churn@v0.0.2", "--yes")

    run(pair.bo, "push")

    assert pair.chain() == ["churn@v0.0.1", "churn@v0.0.3"]


def test_a_version_that_was_deleted_there_is_passed_over(pair: Pair) -> None:
    for _ in range(3):
        run(train(pair.ana), "register", "churn", "--push")
    run(pair.bo, "fetch")
    run(pair.ana, "delete", "churn@v0.0.3", "--yes", "--push")
    run(pair.bo, "fetch")

    assert run(train(pair.bo), "register", "churn", "--push") == ["churn@v0.0.4"]


def test_an_assignment_never_slides_to_another_model(pair: Pair) -> None:
    train(pair.bo).register("churn", "v1.0.0")
    run(train(pair.ana), "register", "churn", "--version", "v1.0.0", "--push")

    done = pair.bo.cli("assign", "churn", "production", "--push")  # the latest one, which is Bo's here

    assert done.code == 1
    assert "cannot be published" in done.err
    assert not [name for name in tags(pair.hub) if "#" in name]


# -- what servers refuse -----------------------------------------------------------------------------------------------


def test_a_passing_refusal_does_not_end_compare_and_swap(pair: Pair) -> None:
    pair.hook('test -e "$GIT_DIR/once" || { touch "$GIT_DIR/once"; echo maintenance >&2; exit 1; }')

    done = pair.ana.cli("register", "churn", "--push")

    assert (done.code, done.err) == (0, "")
    head = subprocess.run(
        ["git", "-C", str(pair.hub), "rev-parse", "refs/registry/churn@head"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert head.stdout.strip() == tags(pair.hub)["churn@v0.0.1"]


def test_a_refused_head_of_one_artifact_is_that_artifacts_alone(pair: Pair) -> None:
    pair.hook('case "$1" in refs/registry/fraud@head) echo not here >&2; exit 1;; esac', "update")

    warned = pair.ana.cli("register", "fraud", "--push")
    other = pair.ana.cli("register", "churn", "--push")

    assert (warned.code, "refs/registry/fraud@head" in warned.err) == (0, True)
    assert (other.code, other.err) == (0, "")
    assert run(train(pair.ana), "register", "fraud", "--push") == ["fraud@v0.0.2"]


def test_a_name_in_the_way_is_said_at_once(pair: Pair) -> None:
    pair.ana.tag("rel")
    pair.ana.git("push", "-q", "origin", "rel")

    done = pair.bo.cli("register", "rel/m", "--undeclared", "--push")

    assert done.code == 1
    assert "rel" in done.err
    assert "minute" not in done.err


def test_what_was_published_before_a_refusal_is_said(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_ROOM", 1)
    pair.bo.register("churn").register("fraud")
    pair.hook('while read old new ref; do case "$ref" in *fraud*) echo no fraud >&2; exit 1;; esac; done')

    with pytest.raises(Exception, match="no fraud") as refused:
        pair.bo.registry_at().push()

    assert "published before that: 1" in refused.value.hint  # type: ignore[attr-defined]
    assert list(tags(pair.hub)) == ["churn@v0.0.1"]


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["ghp_SECRET", "ana:pass'SECRET"])
def test_no_login_is_copied_with_a_version(pair: Pair, tmp_path: Path, login: str) -> None:
    pair.ana.register("churn")
    pair.ana.git("remote", "set-url", "origin", f"https://{login}@example.com/models.git")
    target = RepoStory.begin(tmp_path / "target")

    pair.ana.registry_at().copy("churn", target.path)

    text = target.git("cat-file", "-p", "churn@v0.0.1") + target.git("cat-file", "-p", "churn@v0.0.1^{commit}")
    assert "Copied-From: https://example.com/models.git@" in text
    assert "SECRET" not in text

"""`Model`: one version that a program uses. Looking creates nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import Model, NotFound, Registry, UsageError, cli
from tests.story import RepoStory


@pytest.fixture
def served(repo: RepoStory) -> RepoStory:
    """churn v1.0.0 (in production), v1.2.0 and v2.0.0-rc.1."""
    repo.register("churn", "v1.0.0", metrics={"auc": 0.9}).register("churn", "v1.2.0").register("churn", "v2.0.0-rc.1")
    return repo.assign("churn@v1.0.0", "production", reason="Go")


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("production", 1), ("latest", 3), ("stable", 2), ("newest", 3), (2, 2), ("2", 2), ("v1.2.0", 2), ("^1", 2),
        ("v1", 2), (1, 1),
    ],
)  # fmt: skip
def test_a_model_by_stage_latest_number_or_semver(served: RepoStory, version: str | int, number: int) -> None:
    assert Model("churn", version=version).number == number


def test_what_a_model_knows(served: RepoStory) -> None:
    model = Model("churn", version="production")

    assert (model.version, model.commit, model.resolved.path) == (
        "v1.0.0",
        served.git("rev-parse", "churn@v1.0.0^{}"),
        "models/churn.pkl",
    )
    assert (model.stages, model.metadata.metrics) == (("production",), {"auc": 0.9})
    assert [(c.stage, c.reason, c.author) for c in model.stage_conditions] == [("production", "Go", "Ana")]
    assert model.resolved == served.registry.resolve("churn#production")
    assert repr(model) == "Model('churn', version='production')"
    assert Model("churn").version == "v2.0.0-rc.1"


def test_a_model_of_another_repository(served: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert Model("churn", version="production", repo=served.path).version == "v1.0.0"
    assert Model("churn", version="production", repo=Registry(served.path)).version == "v1.0.0"
    with pytest.raises(NotFound, match="not a Git repository"):
        Model("churn").version  # noqa: B018


@pytest.mark.parametrize(
    ("name", "version", "kind"),
    [("chrun", "latest", NotFound), ("churn", "qa", NotFound), ("churn", 9, NotFound), ("churn", "1.0", UsageError)],
)
def test_a_model_that_is_not_there_is_an_error_when_it_is_asked(
    served: RepoStory, name: str, version: str | int, kind: type[Exception]
) -> None:
    model = Model(name, version=version)

    with pytest.raises(kind):
        model.number  # noqa: B018


def _everything(directory: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(directory)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in directory.rglob("*")
    }


def test_reading_leaves_no_trace(served: RepoStory, capfd: pytest.CaptureFixture[str]) -> None:
    before = _everything(served.path)

    for version in ("production", "latest", 1, "v1.0.0", "qa"):
        try:
            Model("churn", version=version).number  # noqa: B018
        except NotFound:
            assert version == "qa"
    for words in (
        "show", "show churn", "resolve churn --json", "history", "diff churn@1 churn@2", "lineage churn", "stages",
        "status",
        "check-ref churn@v1.0.0", "doctor", "check", "schema", "register fraud --undeclared --dry-run",
        "show --where metrics.auc>0",
        "assign churn production --dry-run", "annotate churn --label x -n", "delete churn@v1.0.0 -n", "resolve chrun",
    ):  # fmt: skip
        assert cli.run(words.split()) == (1 if words == "resolve chrun" else 0), words
    capfd.readouterr()

    assert _everything(served.path) == before


@pytest.mark.parametrize(
    ("name", "version"), [("churn@latest", "latest"), ("churn#production", "production"), ("churn@v0.0.1", "v0.0.1")]
)
def test_a_selector_is_no_name(served: RepoStory, name: str, version: str) -> None:
    reg = served.registry
    for asked in (lambda: Model(name).number, lambda: reg[name].version, lambda: reg.get_version(name, 1)):
        with pytest.raises(UsageError, match=f"'{name}'") as caught:
            asked()
        assert f"Model('churn', version='{version}')" in caught.value.hint


def test_what_is_no_text_is_no_selector(served: RepoStory) -> None:
    with pytest.raises(UsageError, match="not a selector: 5"):
        served.registry.keep(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", ["churn"]), ("ch", ["churn"]), ("zzz", []), ("churn@v1.2", ["churn@v1.2.0"]), ("churn@zzz", []),
        ("churn#p", ["churn#production"]), ("churn#q", []), ("churn@latest@", []),
    ],
)  # fmt: skip
def test_what_is_completed_begins_as_what_was_typed(served: RepoStory, typed: str, words: list[str]) -> None:
    from registry.porcelain import complete

    assert served.registry.complete(typed) == words
    assert complete.selectors(complete.here(None), typed) == words

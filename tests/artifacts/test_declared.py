"""What a manifest may name as the files of a version, from `add` to `pull`: links, templates, URLs, files of DVC."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.errors import Refused, UsageError
from tests.artifacts.conftest import held
from tests.story import RepoStory

MINE = "models: {{churn: {{path: '{}'}}}}\n"


@pytest.fixture
def linked(repo: RepoStory) -> RepoStory:
    """A file and a directory, and links to both."""
    repo.write("models/v3.onnx", "three\n")
    for place, target in {
        "latest.onnx": "models/v3.onnx", "mdir": "models", "sub/up.onnx": "../models/v3.onnx", "round": "round",
        "twice": "latest.onnx",
    }.items():  # fmt: skip
        (repo.path / place).parent.mkdir(exist_ok=True)
        (repo.path / place).symlink_to(target)
    return repo


@pytest.mark.parametrize(
    ("path", "link", "hint"),
    [
        ("latest.onnx", "latest.onnx", "name models/v3.onnx instead of latest.onnx"),
        ("mdir", "mdir", "name models instead of mdir"),
        ("mdir/v3.onnx", "mdir", "name models/v3.onnx instead of mdir/v3.onnx"),
        ("sub/up.onnx", "sub/up.onnx", "name models/v3.onnx instead of sub/up.onnx"),
        ("twice", "twice", "name latest.onnx instead of twice"),
        ("round", "round", "put the file itself there"),
    ],
)
def test_a_link_is_not_registered_in_the_place_of_a_file(linked: RepoStory, path: str, link: str, hint: str) -> None:
    linked.write("registry.yaml", MINE.format(path)).commit()

    with pytest.raises(Refused, match=f"^{link} is a link, and a version carries files$") as raised:
        linked.register("churn", "v1.0.0")
    assert raised.value.hint == hint

    with pytest.raises(Refused, match=f"^{link} is a link"):
        linked.register("churn", "v1.0.0", artifacts=[path], undeclared=True)


def test_a_link_is_told_of_before_that(linked: RepoStory) -> None:
    linked.write("registry.yaml", MINE.format("mdir/v3.onnx")).commit()

    [problem] = linked.registry.check()
    assert problem.message == "'mdir/v3.onnx' is a link, and a version carries files"
    with pytest.raises(UsageError, match=r"'latest\.onnx' is a link"):
        linked.registry.add("other", path="latest.onnx")


def test_links_in_a_directory_are_carried_as_they_are(linked: RepoStory) -> None:
    (linked.path / "models/latest.onnx").symlink_to("v3.onnx")
    linked.write("registry.yaml", MINE.format("models")).commit()
    assert linked.registry.check() == []
    linked.register("churn", "v1.0.0")

    linked.registry.pull("churn", "out")

    assert held(Path("out"))["models/latest.onnx"] == "-> v3.onnx"


def test_what_git_annex_keeps_is_a_link(repo: RepoStory) -> None:
    (repo.path / "big.bin").symlink_to(".git/annex/objects/x/SHA256E-s3--0.bin")
    repo.write("registry.yaml", MINE.format("big.bin")).commit()

    assert repo.registry.check() == []
    repo.register("churn", "v1.0.0")


def test_an_old_version_of_a_link_is_read_on(linked: RepoStory) -> None:
    linked.write("registry.yaml", MINE.format("latest.onnx")).commit()
    linked.tag("churn@v1.0.0", "Register churn v1.0.0\n\nRegistry: 1\nNumber: 1\n")

    linked.registry.pull("churn", "out")

    assert held(Path("out")) == {"latest.onnx": "-> models/v3.onnx"}


@pytest.fixture
def templated(repo: RepoStory) -> RepoStory:
    """A path in dvc.yaml that DVC fills in."""
    repo.git("rm", "-q", "registry.yaml")
    repo.write("dvc.yaml", "vars: [{name: churn}]\nartifacts: {churn: {path: 'models/${name}.pkl'}}\n").commit()
    return repo


def test_a_template_is_no_path(templated: RepoStory) -> None:
    [problem] = templated.registry.check()
    assert (problem.severity, problem.message) == (
        "warning", "'models/${name}.pkl' is a template, which DVC fills in",
    )  # fmt: skip

    with pytest.raises(Refused, match=r"the manifest's path 'models/\$\{name\}\.pkl' is a template"):
        templated.register("churn", "v1.0.0")
    templated.tag("churn@v1.0.0", "Register churn v1.0.0\n")
    with pytest.raises(Refused, match="is a template"):
        templated.registry.pull("churn", "out")


def test_the_files_of_a_version_beside_a_template(templated: RepoStory) -> None:
    templated.tag("churn@v1.0.0", "Register\n\nRegistry: 1\nNumber: 1\nArtifact: models/churn.pkl\n")

    templated.registry.pull("churn", "out")

    assert held(Path("out")) == {"models/churn.pkl": "weights 1\n"}


def test_a_template_that_our_manifest_overrides(templated: RepoStory) -> None:
    templated.write("registry.yaml", MINE.format("models/churn.pkl")).commit()

    templated.register("churn", "v1.0.0")

    assert templated.registry["churn"].path().read_text() == "weights 1\n"


def test_a_url_that_nothing_is_pulled_from_is_told_of(repo: RepoStory) -> None:
    repo.registry.add("other", path="hf://bert", commit=True)
    assert repo.notes == ["'hf://bert' names no repository: such as hf://org/model/model.onnx"]
    repo.notes.clear()

    repo.registry_at().register("other", version="v1.0.0")

    assert repo.notes == ["hf://bert names no repository: such as hf://org/model/model.onnx"]


def test_a_file_of_dvc_is_told_of(repo: RepoStory) -> None:
    repo.write("data.csv.dvc", "outs: [{path: data.csv}]\n")

    repo.registry.add("data", path="data.csv.dvc")

    assert repo.notes == ["'data.csv.dvc' only describes 'data.csv': name data.csv instead"]


def test_what_is_new_in_the_work_tree_is_not_called_changed(repo: RepoStory) -> None:
    repo.write("registry.yaml", MINE.format(".")).commit()
    repo.write("new.txt", "new\n").write("models/churn.pkl", "other\n")

    repo.registry_at().register("churn", version="v1.0.0")

    assert repo.notes == [
        "models/churn.pkl is changed in the work tree; what HEAD has is registered",
        "new.txt is new in the work tree; what HEAD has is registered",
    ]

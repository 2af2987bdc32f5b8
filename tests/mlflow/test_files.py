"""The files of a model in Git: nothing of the user's is touched, nothing of the model's changed, no tag trusted."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.exceptions import MlflowException

from registry import Registry
from registry.errors import GitFailed
from registry.mlflow.store import GitStore
from registry.plumbing import planting, write
from registry.porcelain import workshop
from tests.mlflow.training import logged
from tests.story import RepoStory

MODEL = {"MLmodel": "flavors: {}\n", "model.pkl": "weights"}


@pytest.fixture
def keeping(ml: RepoStory) -> GitStore:
    """The store of `ml`, which commits files, with the model churn."""
    found = GitStore(f"git+{ml.path.as_uri()}?store=git")
    found.create_registered_model("churn")
    return found


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """Makes a model's directory: of MODEL, or of the files that are said."""

    def make(said: dict[str, str] | None = None, name: str = "source") -> Path:
        place = tmp_path / name
        shutil.rmtree(place, ignore_errors=True)
        for path, text in (said or MODEL).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(text.encode())
        return place

    return make


def created(store: GitStore, source: Path | str, name: str = "churn", **said: Any) -> Any:
    """A version of that source."""
    return store.create_model_version(name, os.fspath(source), **said)


def refused(code: str, store: GitStore, source: Path | str, **said: Any) -> str:
    """With which words MLflow is told that such a version cannot be."""
    with pytest.raises(MlflowException) as caught:
        created(store, source, **said)
    assert caught.value.error_code == code, caught.value.message
    return str(caught.value.message)


def listed(place: Path | str) -> list[str]:
    """The names in a directory."""
    return sorted(one.name for one in Path(place).iterdir())


def there(ml: RepoStory, revision: str = "HEAD") -> dict[str, str]:
    """The model's files at a commit, with what they hold."""
    names = ml.git("ls-tree", "-r", "--name-only", revision, "models/churn/").split("\n")
    return {name.removeprefix("models/churn/"): ml.git("show", f"{revision}:{name}") for name in names if name}


# -- what is the user's ------------------------------------------------------------------------------------------------


def test_what_the_user_keeps_beside_a_model_stays_where_it_is(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path]
) -> None:
    ml.write(".gitignore", "*.ckpt\n").commit("Ignore")
    created(keeping, model())
    ml.write("models/churn/big.ckpt", "the only copy").write("models/churn/notes.md", "mine").write("staged", "x")
    ml.git("add", "staged")

    created(keeping, model({"MLmodel": "second"}))

    assert there(ml) == {"MLmodel": "second"}
    assert listed(ml.path / "models/churn") == ["MLmodel", "big.ckpt", "notes.md"]
    assert (ml.path / "models/churn/big.ckpt").read_text() == "the only copy"
    assert (ml.path / "models/churn/MLmodel").read_text() == "second"
    assert ml.git("status", "--porcelain") == "A  staged\n?? models/churn/notes.md"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("model.pkl", "model.pkl"),  # changed
        ("new.txt", "new.txt"),  # untracked
        ("new.ckpt", "new.ckpt"),  # ignored
        ("above.ckpt", "above.ckpt/file"),
        ("below.ckpt/file", "below.ckpt"),
    ],
)
@pytest.mark.parametrize("staged", [False, True])
def test_nothing_that_is_not_committed_is_overwritten(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], mine: str, theirs: str, staged: bool
) -> None:
    ml.write(".gitignore", "*.ckpt\n").commit("Ignore")
    created(keeping, model())
    ml.write(f"models/churn/{mine}", "mine")
    if staged:
        ml.git("add", "--force", f"models/churn/{mine}")
    before = (ml.refs(), ml.git("status", "--porcelain", "--ignored"))

    words = refused("INVALID_STATE", keeping, model({"MLmodel": "second", theirs: "theirs"}))

    assert f"models/churn/{mine} in the work tree is not as it was committed" in words
    assert (ml.refs(), ml.git("status", "--porcelain", "--ignored")) == before
    assert (ml.path / "models/churn" / mine).read_text() == "mine"


def test_a_directory_of_the_model_may_become_a_file_and_a_file_a_directory(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path]
) -> None:
    created(keeping, model({"data/a": "a", "code": "c"}))
    (ml.path / "models/churn/code").touch()  # which changes nothing
    (ml.path / "models/churn/data/a").unlink()  # and this loses nothing
    created(keeping, model({"data": "file", "code/x": "x"}))

    assert there(ml) == {"data": "file", "code/x": "x"}
    assert (ml.path / "models/churn/data").read_text() == "file"
    assert ml.git("status", "--porcelain") == ""


def test_a_model_that_lies_where_it_is_to_be_is_committed_there(ml: RepoStory, keeping: GitStore) -> None:
    for path, text in MODEL.items():
        ml.write(f"models/churn/{path}", text)

    created(keeping, ml.path / "models/churn")
    (ml.path / "models/churn/model.pkl").write_text("better")
    created(keeping, (ml.path / "models/churn").as_uri())

    assert [there(ml, f"churn@v0.0.{n}")["model.pkl"] for n in (1, 2)] == ["weights", "better"]
    assert ml.git("status", "--porcelain") == ""


def test_what_a_killed_writer_left_undone_the_next_one_does(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise GitFailed("killed")

    with monkeypatch.context() as patched:
        patched.setattr(write, "_follow", killed)
        assert created(keeping, model()).version == 1
    assert not (ml.path / "models").exists()
    keeping.set_model_version_tag("churn", 1, ModelVersionTag("a", "b"))

    assert (ml.path / "models/churn/model.pkl").read_text() == "weights"
    assert ml.git("status", "--porcelain") == ""


def test_a_version_that_is_not_published_is_here_with_its_files(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], tmp_path: Path
) -> None:
    subprocess.run(["git", "clone", "-q", "--bare", str(ml.path), str(tmp_path / "origin.git")], check=True)
    ml.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    ml.registry.fetch()
    created(keeping, model({"MLmodel": "first"}))
    ml.registry.push()
    (tmp_path / "origin.git").rename(tmp_path / "gone.git")
    store = GitStore(f"{keeping.store_uri}&push=true")

    words = refused("INTERNAL_ERROR", store, model())

    assert "churn v0.0.2 is registered here; registry push publishes it" in words
    assert there(ml, "churn@v0.0.2") == {key: text.strip() for key, text in MODEL.items()}
    assert ml.git("status", "--porcelain") == ""


def test_each_of_two_writers_at_once_registers_its_own_files(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, others = model({"MLmodel": "mine"}), model({"MLmodel": "other's"}, "others")
    plant = planting.plant

    def slow(*arguments: Any) -> str:
        tree = plant(*arguments)
        monkeypatch.setattr(planting, "plant", plant)
        with ThreadPoolExecutor(1) as somebody_else:  # in this thread it would be a run inside of ours
            assert somebody_else.submit(created, keeping, others).result().version == 1
        return tree

    monkeypatch.setattr(planting, "plant", slow)
    assert created(keeping, mine).version == 2

    assert [there(ml, f"churn@v0.0.{n}") for n in (1, 2)] == [{"MLmodel": "other's"}, {"MLmodel": "mine"}]
    assert ml.git("status", "--porcelain") == ""


@pytest.mark.parametrize("link", [".git", "../elsewhere"])
def test_a_link_in_the_way_of_the_models_is_not_followed(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], link: str
) -> None:
    (ml.path / "models").symlink_to(link)
    refused("INVALID_STATE", keeping, model())
    ml.commit("A link")
    words = refused("PERMISSION_DENIED", keeping, model())

    assert "models is a file, and no directory for models" in words
    assert not (ml.path / ".git/churn").exists()
    assert listed(ml.path.parent / "elsewhere") == []


# -- what is the model's -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [".git", "code/.git", "code/deep/.GIT"])
def test_a_repository_inside_a_model_is_refused(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], place: str
) -> None:
    source = model()
    (source / place).parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", str(source / "made")], check=True)
    (source / "made/.git").rename(source / place)
    before = ml.refs()

    assert "is of a repository inside the model" in refused("PERMISSION_DENIED", keeping, source)
    assert (ml.refs(), ml.git("status", "--porcelain")) == (before, "")


def test_links_become_what_they_lead_to_inside_the_model(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path]
) -> None:
    source = model({"MLmodel": "x", "data/a": "a"})
    (source / "b").symlink_to("data/a")
    (source / "more").symlink_to("data")
    created(keeping, source, local_model_path=os.fspath(source))

    assert there(ml) == {"MLmodel": "x", "data/a": "a", "b": "a", "more/a": "a"}
    assert "120000" not in ml.git("ls-tree", "-r", "HEAD")


@pytest.mark.parametrize("to", ["/etc/passwd", "../secret", "/nonexistent", "nowhere", "..", ".", "data/up"])
@pytest.mark.parametrize("local", [True, False])
def test_links_that_lead_out_or_nowhere_are_refused(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], to: str, local: bool
) -> None:
    source = model({"MLmodel": "x", "data/a": "a"})
    (source.parent / "secret").write_text("secret")
    (source / "data/up").symlink_to("..")
    (source / "link").symlink_to(to)
    before = ml.refs()

    refused("PERMISSION_DENIED", keeping, source, local_model_path=os.fspath(source) if local else None)
    assert ml.refs() == before


def test_what_is_no_file_or_cannot_be_read_is_an_error_of_mlflow(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = model()
    os.mkfifo(pipe / "pipe")
    assert "neither a file nor a directory" in refused("PERMISSION_DENIED", keeping, pipe)
    (pipe.parent / "empty").mkdir()
    assert "there are no files" in refused("PERMISSION_DENIED", keeping, pipe.parent / "empty")
    assert "repository inside" in refused("PERMISSION_DENIED", keeping, ml.path.parent / "repo")
    refused("RESOURCE_DOES_NOT_EXIST", keeping, "/nonexistent")
    refused("RESOURCE_DOES_NOT_EXIST", keeping, "no/such/place")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr("registry.plumbing.planting.shutil.copy", full)
    assert "No space left on device" in refused("PERMISSION_DENIED", keeping, model())


def test_a_file_alone_is_a_model_too(ml: RepoStory, keeping: GitStore, model: Callable[..., Path]) -> None:
    made = created(keeping, model() / "model.pkl")

    assert there(ml) == {"model.pkl": "weights"}
    assert listed(keeping.get_model_version_download_uri("churn", made.version)) == ["model.pkl"]


def test_only_mlflows_own_note_is_left_out(ml: RepoStory, keeping: GitStore, model: Callable[..., Path]) -> None:
    created(keeping, model({"MLmodel": "x", "registered_model_meta": "note", "sub/registered_model_meta": "data"}))

    assert there(ml) == {"MLmodel": "x", "sub/registered_model_meta": "data"}


@pytest.mark.parametrize("attributes", ["*.txt text eol=lf", "*.txt ident", "*.txt filter=upper", "* text=auto"])
def test_a_file_that_git_would_change_is_refused(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path], attributes: str
) -> None:
    ml.write(".gitattributes", f"{attributes}\n").commit("Attributes")
    ml.git("config", "filter.upper.clean", "tr a-z A-Z")
    source = model({"MLmodel": "x", "a.txt": "one\r\n$Id: 1$\r\n"})

    assert "a.txt would not stay as it is" in refused("PERMISSION_DENIED", keeping, source)
    ml.write(".gitattributes", f"{attributes}\nmodels/** -text -ident -filter\n").commit("Keep models")
    created(keeping, source)
    place = Path(keeping.get_model_version_download_uri("churn", 1))
    assert (place / "a.txt").read_bytes() == b"one\r\n$Id: 1$\r\n"
    assert ml.git("status", "--porcelain") == ""


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="needs git-lfs (Debian package git-lfs)")
@pytest.mark.parametrize("bare", [False, True])
def test_git_lfs_takes_what_it_should(ml: RepoStory, model: Callable[..., Path], tmp_path: Path, bare: bool) -> None:
    ml.git("config", "--global", "filter.lfs.clean", "git-lfs clean -- %f")
    ml.git("config", "--global", "filter.lfs.smudge", "git-lfs smudge -- %f")
    ml.git("config", "--global", "filter.lfs.required", "true")
    ml.write(".gitattributes", "*.pkl filter=lfs diff=lfs merge=lfs -text\n").commit("LFS")
    where = ml.path
    if bare:
        where = tmp_path / "bare.git"
        subprocess.run(["git", "clone", "-q", "--bare", str(ml.path), str(where)], check=True)
        for key, value in (("user.name", "Bo"), ("user.email", "bo@example.com")):
            subprocess.run(["git", "-C", str(where), "config", key, value], check=True)
    store = GitStore(f"git+{where.as_uri()}?store=git")
    store.create_registered_model("churn")

    created(store, model({"MLmodel": "x", "model.pkl": "heavy\r\n"}))

    blob = subprocess.run(
        ["git", "-C", str(where), "show", "churn@v0.0.1:models/churn/model.pkl"], check=True, capture_output=True
    )
    assert blob.stdout.startswith(b"version https://git-lfs")
    [found] = [f for f in Registry(where).resolve("churn").metadata.artifacts if f.path.endswith("model.pkl")]
    assert found.sha256 == hashlib.sha256(b"heavy\r\n").hexdigest()
    assert Path(store.get_model_version_download_uri("churn", 1), "model.pkl").read_bytes() == b"heavy\r\n"
    if not bare:
        assert (ml.path / "models/churn/model.pkl").read_bytes() == b"heavy\r\n"
        assert ml.git("status", "--porcelain") == ""


# -- what strangers say ------------------------------------------------------------------------------------------------


def pushed(ml: RepoStory, *lines: str) -> None:
    """A stranger's tag: version 1 of churn, with these lines."""
    ml.tag(
        "churn@v0.0.1", "\n".join(["Register churn v0.0.1", "", "Registry: 1", "Counter: 1", "Number: 1", *lines, ""])
    )


@pytest.mark.parametrize("path", ["/etc", "../../../../../../../../etc", "models/../..", "models", "registry"])
def test_a_tag_cannot_lead_out_of_the_files_of_its_version(ml: RepoStory, keeping: GitStore, path: str) -> None:
    data = (ml.path / "registry.yaml").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    pushed(ml, f"Tag: mlflow.path={path}", f"Artifact: registry.yaml sha256:{digest} {len(data)}")

    with pytest.raises(MlflowException, match=r"says that its model is in .*, where it has no files"):
        keeping.get_model_version_download_uri("churn", 1)


@pytest.mark.parametrize(
    "source",
    ["file:///etc", "/etc", "file:/etc", "FILE:///etc", "etc", "mlflow-artifacts:/../../etc", "s3://b/%2e%2e/x"],
)
def test_a_server_gives_out_no_file_that_a_tag_alone_names(
    ml: RepoStory, keeping: GitStore, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    pushed(ml, f"Tag: mlflow.source={source}")
    assert keeping.get_model_version_download_uri("churn", 1) == source  # a client reads what it is told, as anywhere

    monkeypatch.setenv("_MLFLOW_SERVER_FILE_STORE", mlflow.get_tracking_uri())
    with pytest.raises(MlflowException, match="which is no artifact that this server tracks"):
        keeping.get_model_version_download_uri("churn", 1)
    with pytest.raises(MlflowException, match="no artifact that this server tracks"):
        created(keeping, "models:/churn/1")


def test_a_server_gives_out_the_artifacts_that_it_tracks(
    ml: RepoStory, client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logged("churn")
    store = GitStore(f"git+{ml.path.as_uri()}")
    run = client.get_model_version("churn", 1).run_id
    outside = f"file://{tmp_path}/root/../other"
    for source, said in (
        (f"{tmp_path}/root/m", {}),
        (outside, {"run_id": run}),
        (f"{tmp_path}/other", {"run_id": run}),
    ):
        created(store, source, **said)
    monkeypatch.setenv("_MLFLOW_SERVER_FILE_STORE", mlflow.get_tracking_uri())
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_ROOT", f"{tmp_path}/root")

    for n in (1, 2):
        assert store.get_model_version_download_uri("churn", n)
    for n in (3, 4):
        with pytest.raises(MlflowException, match="no artifact that this server tracks"):
            store.get_model_version_download_uri("churn", n)


def test_what_somebody_puts_into_the_cache_is_not_loaded(
    ml: RepoStory, keeping: GitStore, model: Callable[..., Path]
) -> None:
    created(keeping, model())
    place = Path(keeping.get_model_version_download_uri("churn", 1))
    (place / "extra.py").write_text("evil")
    (place / "model.pkl").chmod(0o644)
    (place / "model.pkl").write_text("spoilt!")
    (place / "registered_model_meta").write_text("MLflow's")

    assert Path(keeping.get_model_version_download_uri("churn", 1)) == place
    assert listed(place) == ["MLmodel", "model.pkl"]
    assert (place / "model.pkl").read_text() == "weights"


@pytest.mark.parametrize(
    "source",
    [
        "https://user:s3cret@host/p",
        "https://token@host/p",
        "sftp://u:s3cret@host/p",
        "https://host/p?X-Amz-Signature=abc&X-Amz-Date=1",
        "https://a.blob.core.windows.net/c?sv=1&sig=abc",
        "s3://b/m?AWSAccessKeyId=AKIA",
        "https://host/p?access_token=abc",
        "http://[::1/p",
    ],
)
def test_a_secret_in_a_source_is_not_made_public(ml: RepoStory, store: GitStore, source: str) -> None:
    store.create_registered_model("churn")
    words = refused("INVALID_PARAMETER_VALUE", store, source)

    assert "s3cret" not in words
    assert ml.tags == []


def test_what_is_no_secret_stays_in_a_source(store: GitStore) -> None:
    store.create_registered_model("churn")
    for source in ("abfss://box@account.dfs.core.windows.net/m", "s3://b/m?versionId=1", "sftp://ana@host/m"):
        assert created(store, source).source == source


def test_a_run_s_link_is_a_page_without_a_password(store: GitStore) -> None:
    store.create_registered_model("churn")
    for link in ("javascript:alert(1)", "ssh://host/x", "https://a b"):
        refused("INVALID_PARAMETER_VALUE", store, "s3://b/m", run_link=link)

    assert created(store, "s3://b/m", run_link="https://ana:pw@host/run/1").run_link == "https://host/run/1"
    assert created(store, "s3://b/m", run_link="").run_link is None
    assert created(store, "s3://b/m", run_link="dummylink").run_link == "dummylink"


def test_a_link_that_a_stranger_wrote_is_not_handed_to_mlflow_s_pages(store: GitStore, ml: RepoStory) -> None:
    store.create_registered_model("churn")
    ml.tag("churn@v9.0.0", "Register\n\nRegistry: 1\nCounter: 1\nNumber: 1\nRun-URL: javascript:alert(1)")

    assert store.get_model_version("churn", 1).run_link is None


def test_a_model_declares_no_models_of_its_own(keeping: GitStore, ml: RepoStory, model: Callable[..., Path]) -> None:
    source = model({"MLmodel": "flavors: {}\n", "code/registry.yaml": "models: {evil: {}}\n"})

    assert "would declare models of its own" in refused("PERMISSION_DENIED", keeping, source)

    assert ml.tags == []


# -- who is faster -----------------------------------------------------------------------------------------------------


def test_a_name_that_was_withdrawn_is_never_given_again(ml: RepoStory, store: GitStore) -> None:
    store.create_registered_model("churn")
    chosen = [ModelVersionTag("semver", "v1.2.0")]
    created(store, "s3://b/m", tags=chosen)
    store.delete_model_version("churn", 1)

    words = refused("RESOURCE_ALREADY_EXISTS", store, "s3://b/other", tags=chosen)

    assert "v1.2.0 was deregistered by Ana" in words
    assert created(store, "s3://b/other").version == 2


@pytest.fixture
def others(ml: RepoStory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[GitStore, GitStore, list[Any]]:
    """Two who write to one bare repository, and what the other one does while the first one is about to publish."""
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(ml.path), str(bare)], check=True)
    for key, value in (("user.name", "Bo"), ("user.email", "bo@example.com")):
        subprocess.run(["git", "-C", str(bare), "config", key, value], check=True)
    mine, other = (GitStore(f"git+{bare.as_uri()}{options}") for options in ("?store=git", ""))
    mine.create_registered_model("churn")
    meanwhile: list[Any] = []
    at_it: list[bool] = []
    published = workshop._published

    def slow(*arguments: Any) -> bool:
        if meanwhile and not at_it:
            at_it.append(True)
            meanwhile.pop(0)()
            at_it.clear()
        return published(*arguments)

    monkeypatch.setattr(workshop, "_published", slow)
    monkeypatch.setattr(workshop, "pause", lambda _: None)
    return mine, other, meanwhile


def test_who_registers_without_a_clone_is_told_of_his_own_version(
    others: tuple[GitStore, GitStore, list[Any]], model: Callable[..., Path]
) -> None:
    mine, other, meanwhile = others
    meanwhile.append(lambda: created(other, "s3://b/theirs"))

    made = created(mine, model())

    assert (made.version, made.tags["semver"], made.source) == (2, "v0.0.2", os.fspath(model()))
    assert other.get_model_version("churn", 1).source == "s3://b/theirs"
    assert Path(mine.get_model_version_download_uri("churn", 2), "model.pkl").read_text() == "weights"


def test_whose_name_is_taken_meanwhile_is_told_so_and_leaves_nothing(
    others: tuple[GitStore, GitStore, list[Any]], model: Callable[..., Path]
) -> None:
    mine, other, meanwhile = others
    chosen = [ModelVersionTag("semver", "v2.0.0")]
    meanwhile.append(lambda: created(other, "s3://b/theirs", tags=chosen))
    bare = Registry(mine.place.where)
    before = bare.repository.commit("HEAD")

    refused("RESOURCE_ALREADY_EXISTS", mine, model(), tags=chosen)

    assert bare.repository.commit("HEAD") == before
    assert [one.source for one in other.search_model_versions("name='churn'", 9)] == ["s3://b/theirs"]


def test_who_is_always_slower_is_told_that_others_are_faster(
    others: tuple[GitStore, GitStore, list[Any]], model: Callable[..., Path]
) -> None:
    mine, other, meanwhile = others
    meanwhile += [lambda n=n: other.set_registered_model_tag("churn", mlflow_tag(n)) for n in range(workshop._TRIES)]

    assert "others were faster" in refused("RESOURCE_CONFLICT", mine, model())
    assert other.search_model_versions("name='churn'", 9) == []


def mlflow_tag(n: int) -> Any:
    """A tag of a model."""
    from mlflow.entities.model_registry import RegisteredModelTag

    return RegisteredModelTag("n", str(n))

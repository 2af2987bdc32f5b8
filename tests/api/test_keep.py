"""`Model.path()`: files in the user's cache, fetched once, verified each time; and `Model.load()` as far as it needs no
package."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from registry import Model, Registry
from registry.errors import NotFound, Refused, RegistryError, UsageError
from registry.plumbing import signatures
from registry.plumbing.signatures import Signers
from tests.story import RepoStory


@pytest.fixture
def served(repo: RepoStory) -> RepoStory:
    """churn v1.0.0 in production, and v2.0.0 with another file."""
    repo.register("churn", "v1.0.0").assign("churn@v1.0.0", "production")
    repo.train("better\n")
    return repo.register("churn", "v2.0.0")


def cache() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"]) / "git-registry" / "files"


def test_the_file_of_a_version(served: RepoStory) -> None:
    production, latest = Model("churn", version="production"), Model("churn")

    assert production.path().read_text() == "weights 1\n"
    assert latest.path().read_text() == "better\n"
    assert production.path() == production.path()
    assert production.path().is_relative_to(cache())
    assert production.path().parts[-2:] == ("models", "churn.pkl")
    assert not production.path().stat().st_mode & 0o222
    assert cache().stat().st_mode & 0o077 == 0


def test_a_version_is_fetched_once(served: RepoStory) -> None:
    place = Model("churn").path()
    before = place.stat().st_ino

    assert Model("churn", version="v2.0.0").path().stat().st_ino == before
    assert served.notes == []


@pytest.mark.parametrize("damage", ["changed", "same size", "gone", "more", "a link", "a directory", "unknown"])
def test_a_damaged_entry_is_made_anew(served: RepoStory, damage: str) -> None:
    registry = served.registry
    place = registry["churn"].path()
    if damage in {"changed", "same size"}:
        place.chmod(0o644)
        place.write_text("evil!!\n" if damage == "same size" else "other")
    elif damage == "more":
        (place.parent / "more.pkl").write_text("evil")
    elif damage == "unknown":
        next(cache().glob("*/known.json")).write_text("[[")
    else:
        place.unlink()
        if damage == "a link":
            place.symlink_to(served.path / "registry.yaml")
        if damage == "a directory":
            place.mkdir()
            (place / "x").write_text("x")

    assert registry["churn"].path().read_text() == "better\n"
    assert [path.name for path in place.parent.iterdir()] == ["churn.pkl"]
    assert len(served.notes) == (0 if damage == "unknown" else 1)


def test_several_processes_at_once(served: RepoStory) -> None:
    code = "from registry import Model; print(Model('churn').path().read_text(), end='')"
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    those = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]

    assert [process.communicate()[0] for process in those] == ["better\n"] * 3


def test_a_directory_and_files_without_a_path(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {dir: {path: m}, one: {}, both: {}}\n").write("m/a.txt", "a").write("m/b", "b")
    repo.commit()
    repo.register("dir").register("one", artifacts=["m/a.txt"])
    repo.register("both", artifacts=["m/a.txt", "m/b"])

    assert sorted(path.name for path in Model("dir").path().iterdir()) == ["a.txt", "b"]
    assert Model("one").path().read_text() == "a"
    assert Model("both").path().is_dir()


def test_what_is_not_trusted_is_not_given_out(served: RepoStory) -> None:
    served.write("registry.yaml", "versions: {signed: true}\nmodels: {churn: {path: models/churn.pkl}}\n").commit()

    with pytest.raises(Refused):
        Model("churn").path(verify=True)
    with pytest.raises(Refused):
        Model("churn").load("pickle", verify=True)


def test_pull_brings_the_version_that_was_answered(served: RepoStory) -> None:
    model = Model("churn", version="production")
    assert model.version == "v1.0.0"
    served.assign("churn@v2.0.0", "production")

    assert model.pull("out").version == "v1.0.0"
    assert Path("out/models/churn.pkl").read_text() == "weights 1\n"


def test_nothing_there(repo: RepoStory) -> None:
    with pytest.raises(NotFound):
        Model("churn").path()


def test_a_cache_that_cannot_be_written(served: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(served.path / "registry.yaml"))

    with pytest.raises(Refused, match="cannot be used"):
        Model("churn").path()


def test_a_cache_without_a_home(served: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "")
    with pytest.raises(Refused, match="there is no home directory") as raised:
        Model("churn").path()
    assert "XDG_CACHE_HOME" in raised.value.hint

    def nobody(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(Refused, match="there is no home directory"):
        Model("churn").path()


def test_without_a_home_signatures_are_verified_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "")

    assert signatures._Memory(Signers(b"ana@example.com ssh-ed25519 AAAA\n", {})).file is None


@pytest.fixture
def baked(served: RepoStory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of churn in a cache that nobody may write any more."""
    place, really = Model("churn").path(), os.open

    def opened(path: str | Path, flags: int, *rest: int, **more: int) -> int:
        if Path(path).name == "lock" and flags & (os.O_RDWR | os.O_CREAT):  # root may write everywhere
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))
        return really(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", opened)
    return place


def test_a_cache_that_is_read_only_gives_out_what_it_has(baked: Path) -> None:
    assert Model("churn").path() == baked


def test_a_cache_that_is_read_only_cannot_be_filled(baked: Path) -> None:
    baked.chmod(0o644)
    baked.write_text("evil")

    with pytest.raises(Refused, match=r"churn v2.0.0 has to be fetched, and .* cannot be written"):
        Model("churn").path()
    assert baked.read_text() == "evil"


@pytest.mark.parametrize("path", ["../../../../precious/keep", "/precious", "x/../../y", "", "a\0b"])
def test_a_forged_list_removes_nothing_outside(served: RepoStory, tmp_path: Path, path: str) -> None:
    place = Model("churn").path()
    precious = tmp_path / "precious/keep"
    precious.parent.mkdir()
    precious.write_text("mine")
    [known] = cache().glob("*/known.json")
    said = os.path.relpath(precious, known.parent / "files") if path.startswith("..") else path
    known.write_text(json.dumps([[said.replace("/precious", os.fspath(precious)), 5, "x", "git"]]))

    assert Model("churn").path() == place
    assert place.read_text() == "better\n"
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("where", ["", "models", "known.json.new"])
@pytest.mark.parametrize("forged", [False, True])
def test_nothing_is_removed_or_written_through_a_link(
    served: RepoStory, tmp_path: Path, where: str, forged: bool
) -> None:
    place = Model("churn").path()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "churn.pkl").write_text("mine")
    [known] = cache().glob("*/known.json")
    link = known.with_name(where) if where == "known.json.new" else known.parent / "files" / where
    if link.is_dir():
        link.rename(tmp_path / "aside")
        link.symlink_to(mine)
    else:
        link.symlink_to(mine / "churn.pkl")
        place.unlink()
    if forged:
        digest = hashlib.sha256(os.fsencode(mine)).hexdigest()
        there = [["models", len(os.fsencode(mine)), digest, "git"], ["models/churn.pkl", 1, "x", "git"]]
        known.write_text(json.dumps(there))

    assert Model("churn").path().read_text() == "better\n"
    assert place.read_text() == "better\n"
    assert not place.parent.is_symlink()
    assert {path.name: path.read_text() for path in mine.iterdir()} == {"churn.pkl": "mine"}


def test_what_nobody_knows_is_not_given_out(served: RepoStory) -> None:
    place = Model("churn").path()
    next(cache().glob("*/known.json")).unlink()
    (place.parent / "more.pkl").write_text("evil")

    assert [path.name for path in Model("churn").path().parent.iterdir()] == ["churn.pkl"]


def test_the_same_bytes_are_kept_once(served: RepoStory) -> None:
    place = Model("churn").path()
    served.write("README.md", "more\n").commit()
    served.register("churn", "v2.0.1")
    served.write("registry.yaml", "models: {churn: {path: models/churn.pkl}, twin: {path: models}}\n").commit()
    served.register("twin", "v1.0.0")

    assert Model("churn").path() == place
    assert Model("twin").path() == place.parent
    assert len(list(cache().iterdir())) == 1
    assert Model("churn", version="v1.0.0").path() != place
    assert served.notes == []


def test_the_same_bytes_are_another_file_where_they_run(served: RepoStory) -> None:
    place = Model("churn").path()
    (served.path / "models/churn.pkl").chmod(0o755)
    served.commit()
    served.register("churn", "v3.0.0")

    assert Model("churn").path() != place
    assert Model("churn").path().stat().st_mode & 0o111


def test_a_tag_that_records_a_part_is_of_its_commit(served: RepoStory) -> None:
    served.write("models/more.txt", "more\n").write("registry.yaml", "models: {churn: {path: models}}\n").commit()
    sums = hashlib.sha256(b"better\n").hexdigest()
    served.tag("churn@v3.0.0", f"Register churn v3.0.0\n\nArtifact: models/churn.pkl sha256:{sums} 7\n")
    whole = Model("churn", version="v2.0.0").path()

    place = Model("churn", version="v3.0.0").path()

    assert not whole.is_relative_to(place)
    assert sorted(path.name for path in place.iterdir()) == ["churn.pkl", "more.txt"]


def test_a_version_whose_path_was_a_link(served: RepoStory) -> None:
    (served.path / "latest.pkl").symlink_to("models/churn.pkl")
    served.write("registry.yaml", "models: {churn: {path: latest.pkl}}\n").commit()
    served.tag("churn@v3.0.0", "Register churn v3.0.0\n")

    with pytest.raises(NotFound, match=r"the path of churn v3.0.0 is not among its files"):
        Model("churn").path()
    assert Path(served.registry.pull("churn", "out").directory, "latest.pkl").is_symlink()


# -- loading ---------------------------------------------------------------------------------------------------------


class Evil:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("unpickled",))


@pytest.mark.parametrize("suffix", ["pkl", "pickle", "joblib"])
def test_a_pickle_is_not_loaded_unasked(repo: RepoStory, suffix: str) -> None:
    path = f"m/churn.{suffix}"
    repo.write("registry.yaml", f"models: {{churn: {{path: {path}, framework: onnx}}}}\n")
    repo.write(path, pickle.dumps(Evil())).commit()
    repo.register("churn")

    with pytest.raises(Refused, match="loading one runs code of whoever made it") as raised:
        Model("churn").load()

    assert "load(format=" in raised.value.hint
    assert not Path("unpickled").exists()


def test_a_pickle_that_is_asked_for(repo: RepoStory) -> None:
    repo.write("models/churn.pkl", pickle.dumps({"weights": [1, 2]})).commit()
    repo.register("churn")

    assert Model("churn").load(format="pickle") == {"weights": [1, 2]}


def test_what_nobody_knows_how_to_load(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {path: model.bin}}\n").write("model.bin", "x").commit()
    repo.register("churn")

    with pytest.raises(UsageError, match=r"nothing says how to load 'model.bin'"):
        Model("churn").load()
    with pytest.raises(UsageError, match="nothing loads the format 'keras'"):
        Model("churn").load(format="keras")
    with pytest.raises(RegistryError, match="cannot be loaded as pickle"):
        Model("churn").load(format="pickle")


def test_a_missing_package_is_named(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    repo.write("registry.yaml", "models: {churn: {path: model.onnx}}\n").write("model.onnx", "x").commit()
    repo.register("churn")

    with pytest.raises(RegistryError, match="needs the package onnxruntime") as raised:
        Model("churn").load()
    assert raised.value.hint == "pip install onnxruntime"


def test_a_model_by_subscripts(served: RepoStory) -> None:
    registry = Registry()

    assert registry["churn"].version == "v2.0.0"
    assert registry["churn"]["production"].version == "v1.0.0"
    assert registry["churn"][1].version == "v1.0.0"
    assert registry._ipython_key_completions_() == ["churn"]
    assert registry["churn"]._ipython_key_completions_() == ["latest", "v2.0.0", "v1.0.0", "production"]
    for one in (registry, registry["churn"]):
        with pytest.raises(TypeError, match="not iterable"):
            list(one)  # type: ignore[call-overload]

"""`pull` brings outputs of DVC: from the clone's cache, a local remote, S3; and runs nothing of what a project says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry import Registry
from registry.artifacts import dvc_config
from registry.artifacts.dvc_config import Project
from registry.errors import NotFound, Refused, StoreFailed
from tests.artifacts.conftest import held, left_behind
from tests.servers_bytes import s3_serving
from tests.story import RepoStory

DIRECTORY = {"a.txt": "a\r\n", "deep/b.txt": "b\n", "deep/same": "b\n"}


def needs(package: str) -> pytest.MarkDecorator:
    from importlib.util import find_spec

    return pytest.mark.skipif(find_spec(package) is None, reason=f"needs {package}: pip install '.[bytes]'")


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def listed(files: dict[str, str]) -> bytes:
    """DVC's list of the files in a directory."""
    entries = [{"md5": md5(text.encode()), "relpath": path} for path, text in sorted(files.items())]
    return json.dumps(entries).encode()


def keep(store: Path, *objects: bytes, old: bool = False) -> None:
    """Put objects into a cache or a remote, as DVC does."""
    for data in objects:
        name = md5(data)
        tail = ".dir" if data.startswith(b'[{"md5"') else ""
        place = store.joinpath(*(() if old else ("files", "md5")), name[:2], name[2:] + tail)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def declared(data: bytes, name: str, *, old: bool = False) -> str:
    """A `.dvc` file."""
    tail = ".dir" if data.startswith(b'[{"md5"') else ""
    return f"outs:\n- md5: {md5(data)}{tail}\n  size: {len(data)}\n{'' if old else '  hash: md5'}\n  path: {name}\n"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def project(repo: RepoStory, remote: Path) -> RepoStory:
    """A version of a file and a directory in DVC, which lie in a remote that is named relative to the clone."""
    repo.git("rm", "-q", "models/churn.pkl")
    repo.write("registry.yaml", "models: {churn: {path: models/churn.pkl, artifacts: {data: data}}}\n")
    repo.write(".dvc/config", "[core]\n    remote = near\n['remote \"near\"']\n    url = ../../store\n")
    repo.write("models/churn.pkl.dvc", declared(b"weights\n", "churn.pkl"))
    repo.write("data.dvc", declared(listed(DIRECTORY), "data")).write(".gitignore", "/data\n")
    repo.commit()
    keep(remote, b"weights\n", listed(DIRECTORY), *(text.encode() for text in DIRECTORY.values()))
    repo.register("churn", "v1.0.0")
    return repo


def _none(_: str) -> None:
    """What is found of a package that is not installed."""


WHOLE = {"models/churn.pkl": "weights\n", **{f"data/{path}": text for path, text in DIRECTORY.items()}}


def read(directory: Path) -> dict[str, str]:
    return {path: (directory / path).read_bytes().decode() for path in held(directory)}


@needs("dvc")
def test_a_file_and_a_directory_from_a_remote(project: RepoStory) -> None:
    pulled = project.registry.pull("churn")

    assert read(Path("churn-v1.0.0")) == WHOLE
    assert {file.store for file in pulled.files} == {"dvc"}
    assert {file.path: file.sha256 for file in pulled.files}["models/churn.pkl"] == hashlib.sha256(
        b"weights\n"
    ).hexdigest()
    assert left_behind(project.path) == [".dvc", ".gitignore"]
    assert not (project.path / ".dvc/tmp").exists()


@needs("dvc")
def test_what_dvc_itself_has_added_and_pushed(repo: RepoStory, remote: Path) -> None:
    def dvc(*arguments: str) -> None:
        environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(remote.parent / "site")}
        subprocess.run([sys.executable, "-m", "dvc", *arguments, "-q"], check=True, env=environment, cwd=repo.path)

    repo.git("rm", "-q", "--cached", "models/churn.pkl")
    dvc("init")
    dvc("remote", "add", "-d", "near", str(remote))
    repo.write("params.yaml", "x: 1\n").write("nlp/registry.yaml", "models: {m: {path: out}}\n")
    repo.write(
        "nlp/dvc.yaml",
        "stages:\n  make:\n    wdir: work\n    cmd: mkdir -p ../out && echo 1 > ../out/one && echo x > ran\n"
        "    outs: [../out]\n",
    )
    (repo.path / "nlp/work").mkdir()
    dvc("add", "models/churn.pkl")
    dvc("repro", "nlp/dvc.yaml")
    dvc("push")
    repo.git("add", ".")
    repo.commit()
    shutil.rmtree(repo.path / ".dvc/cache")
    repo.git("clean", "-fdxq")
    (repo.path / "nlp/work/ran").unlink()
    repo.register("churn", "v1.0.0")
    repo.register("nlp:m", "v1.0.0")

    repo.registry.pull("churn", "one")
    repo.registry.pull("nlp:m", "two")

    assert read(Path("one")) == {"models/churn.pkl": "weights 1\n"}
    assert read(Path("two")) == {"nlp/out/one": "1\n"}
    assert not (repo.path / "nlp/work/ran").exists()


@pytest.fixture
def pipeline(repo: RepoStory, remote: Path) -> RepoStory:
    """`path: models`, where a pipeline at the root makes a file and a directory; its .gitignore is what Git has."""
    repo.git("rm", "-rq", "models")
    repo.write("registry.yaml", "models: {churn: {path: models}}\n").write(".dvc/config", "")
    repo.write("models/.gitignore", "/churn.pkl\n/dir\n")
    outs = "[models/churn.pkl, models/dir]"
    repo.write(
        "dvc.yaml",
        f"stages: {{train: {{cmd: x, outs: {outs}, metrics: [{{models/auc.json: {{cache: false}}}}]}}}}\n",
    )
    repo.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n  train:\n    outs:\n"
        f"    - {{path: models/auc.json, hash: md5, md5: {md5(b'none')}}}\n"
        f"    - {{path: models/churn.pkl, hash: md5, md5: {md5(b'weights' + bytes([10]))}}}\n"
        f"    - {{path: models/dir, hash: md5, md5: {md5(listed(DIRECTORY))}.dir}}\n",
    )
    keep(remote, b"weights\n", listed(DIRECTORY), *(text.encode() for text in DIRECTORY.values()))
    repo.commit()
    (repo.path / ".dvc/cache").symlink_to(remote)
    return repo


MADE = {"models/churn.pkl": "weights\n", **{f"models/dir/{path}": text for path, text in DIRECTORY.items()}}


def recorded(story: RepoStory) -> list[str]:
    return [file.path for file in story.registry.resolve("churn").metadata.artifacts]


def test_a_directory_with_outputs_of_a_pipeline(pipeline: RepoStory) -> None:
    pipeline.register("churn", "v1.0.0")

    assert recorded(pipeline) == ["models/churn.pkl", "models/dir", "models/.gitignore"]
    pipeline.registry.pull("churn", "out")
    assert read(Path("out")) == {"models/.gitignore": "/churn.pkl\n/dir\n", **MADE}
    assert {p.name for p in pipeline.registry["churn"].path().iterdir()} == {".gitignore", "churn.pkl", "dir"}


def test_the_whole_repository_with_outputs_of_a_pipeline(pipeline: RepoStory, remote: Path) -> None:
    (pipeline.path / ".dvc/cache").unlink()
    pipeline.write("registry.yaml", "models: {churn: {path: .}}\n").commit()
    (pipeline.path / ".dvc/cache").symlink_to(remote)
    pipeline.register("churn", "v1.0.0")

    pipeline.registry.pull("churn", "out")

    assert MADE.items() <= read(Path("out")).items()


def test_a_version_that_was_registered_without_its_outputs(pipeline: RepoStory) -> None:
    sums = hashlib.sha256(b"/churn.pkl\n/dir\n").hexdigest()
    pipeline.tag("churn@v1.0.0", f"Register\n\nRegistry: 1\nNumber: 1\nArtifact: models/.gitignore sha256:{sums} 16\n")

    pipeline.registry.pull("churn", "out")

    assert MADE.items() <= read(Path("out")).items()


def test_a_directory_of_which_git_has_nothing(pipeline: RepoStory) -> None:
    pipeline.git("rm", "-q", "models/.gitignore")
    pipeline.commit()
    assert pipeline.registry.check() == []
    pipeline.register("churn", "v1.0.0")

    assert recorded(pipeline) == ["models/churn.pkl", "models/dir"]
    pipeline.registry.pull("churn", "out")
    assert read(Path("out")) == MADE


def test_what_git_has_of_a_pipeline_is_not_asked_of_dvc(pipeline: RepoStory) -> None:
    pipeline.write("models/auc.json", "{}\n").commit()
    pipeline.register("churn", "v1.0.0")

    assert {file.path: file.store for file in pipeline.registry.pull("churn", "out").files}["models/auc.json"] == "git"


def test_a_directory_beside_a_description_that_cannot_be_read(pipeline: RepoStory) -> None:
    pipeline.write("models/broken.dvc", "x: [").commit()

    with pytest.raises(Refused, match=r"models/broken\.dvc cannot be read"):
        pipeline.register("churn", "v1.0.0")


@needs("dvc")
def test_no_remote_is_named(pipeline: RepoStory, remote: Path) -> None:
    pipeline.register("churn", "v1.0.0")
    shutil.rmtree(remote)

    with pytest.raises(StoreFailed, match=r"in no cache here, and commit \w{7} names no remote of DVC's") as raised:
        pipeline.registry.pull("churn", "out")
    assert raised.value.hint == "dvc remote add --local --default NAME URL says where it is"


def test_from_the_clones_cache_it_needs_no_dvc(
    project: RepoStory, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / ".dvc/cache").symlink_to(remote)
    monkeypatch.setattr("importlib.util.find_spec", _none)

    Registry(".").pull("churn", "out")

    assert read(Path("out")) == WHOLE


def test_what_was_brought_before_is_not_asked_for_again(
    project: RepoStory, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("registry.yaml", "models: {churn: {path: models/churn.pkl}}\n").commit()
    project.register("churn", "v2.0.0")
    project.write("out/models/churn.pkl", "weights\n")
    monkeypatch.setattr("importlib.util.find_spec", _none)

    assert [file.store for file in Registry(".").pull("churn", "out").files] == ["dvc"]

    project.write("out/models/churn.pkl", "WEIGHTS\n")
    with pytest.raises(StoreFailed):
        Registry(".").pull("churn", "out")


def test_without_dvc(project: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", _none)
    with pytest.raises(StoreFailed, match=r"models/churn\.pkl is in DVC, and dvc is not installed") as raised:
        Registry(".").pull("churn", "out")
    assert raised.value.hint == "pip install 'git-registry[dvc]'"


@needs("dvc")
def test_a_part_of_a_directory(project: RepoStory) -> None:
    project.write("registry.yaml", "models: {churn: {path: data/deep}}\n").commit()
    project.register("churn", "v2.0.0")
    project.registry.pull("churn", "out")
    assert read(Path("out")) == {"data/deep/b.txt": "b\n", "data/deep/same": "b\n"}


def test_outputs_below_a_directory_of_git(project: RepoStory, remote: Path) -> None:
    (project.path / ".dvc/cache").symlink_to(remote)
    project.write("models/readme", "in Git\n").write("registry.yaml", "models: {churn: {path: models}}\n").commit()
    project.register("churn", "v2.0.0")

    pulled = project.registry.pull("churn", "out")

    stores = {file.path: file.store for file in pulled.files}
    assert stores == {"models/churn.pkl": "dvc", "models/churn.pkl.dvc": "git", "models/readme": "git"}


def test_a_locked_pipeline_with_a_working_directory(project: RepoStory, remote: Path) -> None:
    (project.path / ".dvc/cache").symlink_to(remote)
    lock = f"schema: '2.0'\nstages:\n  train@a:\n    cmd: exit 1\n    outs:\n{_indented('../m.pkl')}"
    project.write("sub/dvc.lock", lock)
    project.write(
        "sub/dvc.yaml", "stages:\n  train:\n    foreach: [a]\n    do: {wdir: w, cmd: exit 1, outs: [../m.pkl]}\n"
    )
    project.write("registry.yaml", "models: {m: {path: sub/m.pkl}}\n").commit()
    project.tag("m#live#1")

    project.registry.pull("m#live", "out")

    assert read(Path("out")) == {"sub/m.pkl": "weights\n"}


def _indented(path: str) -> str:
    return f"    - path: {path}\n      hash: md5\n      md5: {md5(b'weights' + bytes([10]))}\n"


@needs("dvc")
def test_the_digests_of_dvc_2(project: RepoStory, remote: Path) -> None:
    """DVC 2 counted the line ends of text as those of Unix, and kept its objects elsewhere."""
    shutil.rmtree(remote)
    text, unix = b"a\r\nb\r\n", b"a\nb\n"
    place = remote / md5(unix)[:2] / md5(unix)[2:]
    place.parent.mkdir(parents=True)
    place.write_bytes(text)
    project.write("registry.yaml", "models: {churn: {path: old.txt}}\n")
    project.write("old.txt.dvc", declared(unix, "old.txt", old=True)).commit()
    project.register("churn", "v2.0.0")

    project.registry.pull("churn", "out")

    assert (project.path / "out/old.txt").read_bytes() == text


@needs("dvc")
def test_the_commits_own_remote_not_todays(project: RepoStory, remote: Path) -> None:
    project.write(".dvc/config", "[core]\n    remote = gone\n['remote \"gone\"']\n    url = ../../nowhere\n").commit()
    project.registry.pull("churn@v1.0.0", "out")
    assert read(Path("out")) == WHOLE


@needs("dvc")
def test_what_is_not_in_the_remote(project: RepoStory, remote: Path) -> None:
    shutil.rmtree(remote / "files/md5" / md5(b"weights\n")[:2])
    done = project.cli("pull", "churn", "-o", "out")
    assert done.code == 1
    assert done.err.startswith(
        ("error: DVC cannot bring models/churn.pkl", "error: DVC's remote does not have models/")
    )
    assert not (project.path / "out").exists()


def test_other_bytes_in_the_cache(project: RepoStory, remote: Path) -> None:
    (project.path / ".dvc/cache").symlink_to(remote)
    (remote / "files/md5" / md5(b"weights\n")[:2] / md5(b"weights\n")[2:]).write_text("WEIGHTS\n")
    with pytest.raises(Refused, match=r"models/churn\.pkl is not what was registered: its MD5"):
        project.registry.pull("churn", "out")
    assert not (project.path / "out").exists()


@needs("dvc")
def test_other_bytes_in_the_remote(project: RepoStory, remote: Path) -> None:
    (remote / "files/md5" / md5(b"weights\n")[:2] / md5(b"weights\n")[2:]).write_text("WEIGHTS\n")
    with pytest.raises((Refused, StoreFailed), match=r"models/churn\.pkl"):  # DVC sees it itself, or we do
        project.registry.pull("churn", "out")
    assert not (project.path / "out").exists()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", ".git/config", "a//b"])
def test_a_list_that_names_another_place(project: RepoStory, remote: Path, path: str) -> None:
    (project.path / ".dvc/cache").symlink_to(remote)
    evil = listed({path: "b\n"})
    keep(remote, evil)
    project.write("data.dvc", declared(evil, "data")).commit()
    project.register("churn", "v2.0.0")
    with pytest.raises(Refused):
        project.registry.pull("churn", "sub/out")
    assert held(project.path / "sub") == {}


@pytest.mark.parametrize("content", ["[", "{}", "[1]", '[{"relpath": "x"}]', '[{"relpath": 1, "md5": "x"}]', "null"])
def test_a_list_that_is_none(project: RepoStory, remote: Path, content: str) -> None:
    (project.path / ".dvc/cache").symlink_to(remote)
    name = md5(content.encode())
    place = remote / "files/md5" / name[:2] / f"{name[2:]}.dir"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content)
    project.write("data.dvc", f"outs: [{{md5: {name}.dir, hash: md5, path: data}}]\n").commit()
    project.register("churn", "v2.0.0")
    with pytest.raises(Refused, match="DVC's list of the files in data is none"):
        project.registry.pull("churn", "out")


@pytest.mark.parametrize("md5_", ["", "../../../etc/passwd", "0" * 31, "G" * 32])
def test_a_digest_that_is_none(project: RepoStory, md5_: str) -> None:
    project.write("data.dvc", f"outs: [{{md5: '{md5_}', hash: md5, path: data}}]\n").commit()
    project.register("churn", "v2.0.0")
    with pytest.raises(Refused, match="data has no MD5 in DVC"):
        project.registry.pull("churn", "out")


@needs("dvc")
def test_an_import_copies_nothing_of_this_machine(project: RepoStory, remote: Path, tmp_path: Path) -> None:
    """Only digests reach DVC: no path of a dependency, and no command."""
    (tmp_path / "private").write_text("secret\n")
    project.write(
        "models/churn.pkl.dvc",
        f"deps: [{{path: {tmp_path}/private}}]\nfrozen: true\ncmd: touch {tmp_path}/ran\n"
        f"outs: [{{md5: {md5(b'secret' + bytes([10]))}, hash: md5, path: churn.pkl}}]\n",
    ).commit()
    project.register("churn", "v2.0.0")
    with pytest.raises(StoreFailed):
        project.registry.pull("churn", "out")
    assert not (tmp_path / "ran").exists()
    assert not (project.path / "out").exists()


def test_a_description_that_cannot_be_read(project: RepoStory) -> None:
    project.write("data.dvc", declared(listed(DIRECTORY), "data") + "x: [\n").commit()
    project.tag("churn#odd#1")
    with pytest.raises(Refused, match=r"data\.dvc cannot be read"):
        project.registry.pull("churn#odd", "out")


def test_what_neither_git_nor_dvc_has(project: RepoStory) -> None:
    project.write("registry.yaml", "models: {churn: {path: nothing}}\n").commit()
    project.tag("churn#odd#1")
    with pytest.raises(NotFound, match="nothing is not there at commit"):
        project.registry.pull("churn#odd", "out")


# -- the configuration -------------------------------------------------------------------------------------------------


def configured(story: RepoStory, place: Path) -> dict[str, Any]:
    commit = story.git("rev-parse", "HEAD")
    return dvc_config.build(Project(story.registry.repository.git, commit, str(story.path)), place / "cache")


def test_only_harmless_keys_of_a_commit_count(project: RepoStory, tmp_path: Path) -> None:
    project.write(
        ".dvc/config",
        "[core]\n    remote = s\n    hardlink_lock = true\n[exp]\n    auto_push = true\n"
        "['remote \"s\"']\n    url = s3://bucket/x\n    configpath = ../evil\n    credentialpath = ../evil\n"
        "    worktree = true\n    endpointurl = http://127.0.0.1\n",
    ).commit()
    found = configured(project, tmp_path / "place")
    assert found["remote"] == {"s": {"url": "s3://bucket/x", "endpointurl": "http://127.0.0.1"}}
    assert found.keys() == {"core", "cache", "remote"}
    assert "hardlink_lock" not in found["core"]


def test_what_the_owner_keeps_out_of_git_counts_as_it_is(project: RepoStory, tmp_path: Path) -> None:
    project.write(".dvc/.gitignore", "/config.local\n").commit()
    project.write(".dvc/config.local", "['remote \"near\"']\n    password = a'b#c\n    keyfile = ../key\n")
    assert configured(project, tmp_path / "place")["remote"]["near"] == {
        "url": f"{tmp_path}/store",
        "password": "a'b#c",
        "keyfile": f"{project.path}/key",
    }


def test_a_config_local_that_is_committed_does_not(project: RepoStory, tmp_path: Path) -> None:
    project.write(".dvc/config.local", "['remote \"near\"']\n    configpath = evil\n").commit()
    assert "evil" not in str(configured(project, tmp_path / "place"))


@needs("dvc")
def test_a_bare_clone_cannot_follow_a_relative_remote(project: RepoStory, tmp_path: Path) -> None:
    project.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    with pytest.raises(StoreFailed, match="DVC's remote near has no URL"):
        Registry(tmp_path / "bare").pull("churn", tmp_path / "out")


@needs("dvc_s3")
@needs("moto")
def test_from_s3_with_the_owners_credentials(project: RepoStory, remote: Path, tmp_path: Path) -> None:
    import boto3

    with s3_serving() as url:
        secret = "hunter2-" * 4
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key=secret, region_name="us-east-1"
        )
        client.create_bucket(Bucket="models")
        for file in remote.rglob("*"):
            if file.is_file():
                client.upload_file(str(file), "models", f"dvc/{file.relative_to(remote)}")
        project.write(
            ".dvc/config",
            f"[core]\n    remote = far\n['remote \"far\"']\n    url = s3://models/dvc\n    endpointurl = {url}\n",
        )
        project.write(".dvc/.gitignore", "/config.local\n")
        project.write("data.dvc", declared(listed(DIRECTORY), "data")).commit()
        project.git("rm", "-q", "--cached", "--ignore-unmatch", ".dvc/config.local")
        project.write(
            ".dvc/config.local",
            f"['remote \"far\"']\n    access_key_id = k\n    secret_access_key = {secret}\n    region = us-east-1\n",
        )
        project.register("churn", "v2.0.0", revision="HEAD")

        done = project.cli("pull", "churn", "-o", "out")

    assert done.code == 0, done.err
    assert read(Path("out")) == WHOLE
    found = [file for file in tmp_path.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
    assert found == [project.path / ".dvc/config.local"]

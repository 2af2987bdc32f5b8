"""`pull` brings what lies in Git: files, directories, executables, links."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from registry.artifacts.progress import Progress
from registry.errors import NotFound, Refused, UsageError
from tests.artifacts.conftest import held, left_behind
from tests.story import RepoStory


def test_the_file_of_a_version(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    repo.train("weights 2\n")
    repo.register("churn", "v2.0.0")

    pulled = repo.registry.pull("churn@v1.0.0")

    assert held(Path("churn-v1.0.0")) == {"models/churn.pkl": "weights 1\n"}
    assert pulled.directory == "churn-v1.0.0"
    [file] = pulled.files
    assert (file.path, file.size, file.store) == ("models/churn.pkl", 10, "git")
    assert file.sha256 == hashlib.sha256(b"weights 1\n").hexdigest()
    assert left_behind(repo.path) == []


def test_a_directory_an_executable_and_a_link(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {path: models, artifacts: {env: requirements.txt}}}\n")
    repo.write("requirements.txt", "numpy\n").write("models/deep/run.sh", "#!/bin/sh\n")
    (repo.path / "models/deep/run.sh").chmod(0o755)
    (repo.path / "models/current").symlink_to("deep/run.sh")
    (repo.path / "models/up").symlink_to("../requirements.txt")
    repo.write("other", "not of the version\n").commit()
    repo.register("churn")

    repo.registry.pull("churn", "out")

    assert held(Path("out")) == {
        "models/churn.pkl": "weights 1\n",
        "models/deep/run.sh": "*#!/bin/sh\n",
        "models/current": "-> deep/run.sh",
        "models/up": "-> ../requirements.txt",
        "requirements.txt": "numpy\n",
    }


def test_files_that_a_registration_names(repo: RepoStory) -> None:
    repo.write("notes.md", "good\n").commit()
    repo.register("churn", artifacts=["notes.md"])

    assert {file.path for file in repo.registry.pull("churn", "out").files} == {"models/churn.pkl", "notes.md"}


def test_the_bytes_are_those_of_git(repo: RepoStory) -> None:
    """No attribute and no filter of the user's changes what was registered."""
    raw = bytes(range(256)) * 9000 + b"\r\n$Id$\n"
    repo.write(".gitattributes", "*.bin text eol=crlf ident\n").write("registry.yaml", "models: {m: {path: m.bin}}\n")
    repo.git("config", "core.autocrlf", "false")
    repo.commit()
    oid = repo.git("hash-object", "-w", "--no-filters", "--stdin", data=raw)
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{oid},m.bin")
    repo.git("commit", "-q", "-m", "Raw")
    repo.register("m")

    repo.registry.pull("m", "out")

    assert (repo.path / "out/m.bin").read_bytes() == raw


def test_a_directory_of_another_name(repo: RepoStory) -> None:
    repo.write("nlp/registry.yaml", "models: {big/words: {path: w.bin}}\n").write("nlp/w.bin", "w\n").commit()
    repo.register("nlp:big/words", "v0.1.0")

    assert repo.registry.pull("nlp:big/words").directory == "nlp=big+words-v0.1.0"
    assert held(Path("nlp=big+words-v0.1.0")) == {"nlp/w.bin": "w\n"}


def test_a_stage_that_holds_a_bare_commit(repo: RepoStory) -> None:
    commit = repo.git("rev-parse", "HEAD")
    repo.tag("churn#production#1")

    pulled = repo.registry.pull("churn#production")

    assert (pulled.directory, pulled.version, pulled.commit) == (f"churn-{commit[:7]}", None, commit)
    assert held(Path(pulled.directory)) == {"models/churn.pkl": "weights 1\n"}


def test_the_command(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    commit = repo.git("rev-parse", "HEAD")

    text = repo.cli("pull", "churn", "-o", "out")
    assert (text.code, text.out, text.err) == (0, "out\n", "churn v1.0.0: 1 file, 10 B\n")
    answer = repo.cli("pull", "churn", "-o", "out", "--json")
    assert json.loads(answer.out) == {
        "artifact": "churn",
        "version": "v1.0.0",
        "commit": commit,
        "directory": "out",
        "files": [
            {
                "path": "models/churn.pkl",
                "size": 10,
                "sha256": hashlib.sha256(b"weights 1\n").hexdigest(),
                "store": "git",
            }
        ],
    }
    assert answer.err == ""


def test_a_version_without_files(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {}}\n").commit()
    repo.register("churn", "v1.0.0")

    done = repo.cli("pull", "churn")

    assert done.code == 1
    assert done.err.startswith("error: churn v1.0.0 carries no files\nhint: a path: in the manifest")


def test_a_manifest_that_cannot_be_read_costs_nothing_where_the_files_were_recorded(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: [\n").commit()
    repo.register("churn", "v1.0.0", undeclared=True, artifacts=["models/churn.pkl"])
    repo.register("churn", "v1.0.1", undeclared=True)

    assert [file.path for file in repo.registry.pull("churn@v1.0.0", "out").files] == ["models/churn.pkl"]
    with pytest.raises(NotFound) as raised:
        repo.registry.pull("churn@v1.0.1", "out")
    assert "registry.yaml at that commit cannot be read" in raised.value.hint


def test_what_is_not_there(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0")
    with pytest.raises(NotFound):
        repo.registry.pull("churn@v9.0.0")
    with pytest.raises(UsageError):
        repo.registry.pull("churn", "")
    repo.git("rm", "-q", "models/churn.pkl")
    commit = repo.commit("Gone")
    repo.tag("churn#gone#1", target=commit)
    with pytest.raises(NotFound, match=r"models/churn\.pkl is not there at commit"):
        repo.registry.pull("churn#gone")
    assert left_behind(repo.path) == []
    assert held(repo.path / f"churn-{commit[:7]}") == {}


def test_a_path_of_any_letters(repo: RepoStory) -> None:
    name = "models/*: ä ?.pkl"
    repo.write(name, "odd\n").write("registry.yaml", "models: {churn: {path: models}}\n").commit()
    repo.register("churn")

    repo.registry.pull("churn", "out")

    assert held(Path("out"))[name] == "odd\n"


def test_a_bare_repository(repo: RepoStory, tmp_path: Path) -> None:
    repo.register("churn", "v1.0.0")
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))

    done = repo.cli("pull", "churn", "--repo", str(tmp_path / "bare"), cwd=tmp_path)

    assert (done.code, done.out) == (0, "churn-v1.0.0\n")
    assert held(tmp_path / "churn-v1.0.0") == {"models/churn.pkl": "weights 1\n"}


def test_progress_grows_to_the_whole(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {path: models}}\n").write("models/big", b"x" * 3_000_000).commit()
    repo.register("churn")
    told: list[Progress] = []

    repo.registry.pull("churn", "out", on_progress=told.append)

    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1] == Progress(3_000_010, 3_000_010)
    assert len(told) >= 4


def test_a_large_file_is_never_whole_in_memory(repo: RepoStory) -> None:
    size = 60_000_000
    repo.write("registry.yaml", "models: {m: {path: m.bin}}\n").write("m.bin", bytes(size)).commit()
    repo.register("m", "v1.0.0")
    import subprocess
    import sys

    code = (
        "import resource; from registry import Registry\n"
        "reg = Registry('.'); reg.resolve('m'); before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "reg.pull('m', 'out'); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repo.path)

    assert int(done.stdout) < 30_000  # kB
    assert (repo.path / "out/m.bin").stat().st_size == size


def test_a_recorded_digest_is_held_to(repo: RepoStory) -> None:
    wrong = "0" * 64
    repo.tag("churn@v1.0.0", f"Register\n\nRegistry: 1\nNumber: 1\nArtifact: models/churn.pkl sha256:{wrong} 10")
    repo.write("out/mine", "mine\n")

    with pytest.raises(Refused, match=r"models/churn\.pkl is not what was registered") as raised:
        repo.registry.pull("churn", "out")

    assert "nothing was moved in" in raised.value.hint
    assert held(Path("out")) == {"mine": "mine\n"}
    assert left_behind(repo.path) == []


def test_a_recorded_size_is_held_to(repo: RepoStory) -> None:
    sha256 = hashlib.sha256(b"weights 1\n").hexdigest()
    repo.tag("churn@v1.0.0", f"Register\n\nRegistry: 1\nNumber: 1\nArtifact: models/churn.pkl sha256:{sha256} 11")
    with pytest.raises(Refused, match="its size is 10, not 11"):
        repo.registry.pull("churn", "out")

"""`init`, `add`, `remove`, `check`, `schema`, `status`: the manifest by command."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Typing
from tests.story import RepoStory


def test_from_nothing_to_a_first_version(empty: RepoStory, typed: Typing) -> None:
    empty.write("models/churn.pkl", "1\n").commit()

    assert typed("init").out == "registry.yaml\n"
    assert (
        typed("add", "churn", "--path", "models/churn.pkl", "--label", "a", "--description", "D").out
        == "registry.yaml\n"
    )
    assert (typed("check").code, typed("check").err) == (0, "no problems\n")
    assert "is not in" in typed.refused("register", "churn") or "no manifest" in typed.refused("register", "churn")
    empty.commit()
    assert typed("register", "churn").out == "churn@v0.0.1\n"
    assert "there is a registry.yaml already" in typed.refused("init")


def test_edits_keep_comments_and_order(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", "# ours\nmodels:\n  zebra: {}   # first\n\n  churn:\n    path: models/churn.pkl\n")

    assert typed.json("add", "apple", "--framework", "jax") == {"path": "registry.yaml", "commit": None}
    text = (repo.path / "registry.yaml").read_text()
    assert text.startswith("# ours\nmodels:\n  zebra: {}   # first\n\n  churn:\n    path: models/churn.pkl\n")
    assert "  apple:\n    framework: jax\n" in text
    assert typed.json("remove", "apple") == {"path": "registry.yaml", "commit": None}
    assert (repo.path / "registry.yaml").read_text().strip() == text[: text.index("  apple")].strip()


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_a_commit_of_the_manifest_is_of_nothing_else(repo: RepoStory, typed: Typing, verb: str) -> None:
    repo.write("staged.txt", "1\n").write("models/churn.pkl", "changed\n").write("new.txt", "1\n")
    repo.git("add", "staged.txt")
    before = repo.git("rev-parse", "HEAD")

    made = typed.json(verb, "churn" if verb == "remove" else "fraud", "--commit")

    assert made["commit"] == repo.git("rev-parse", "HEAD")
    assert repo.git("rev-parse", "HEAD^") == before
    assert repo.git("show", "--format=%s", "--name-only", "HEAD").split("\n\n")[1] == "registry.yaml"
    status = repo.git("status", "--porcelain").splitlines()
    assert [line.split() for line in status] == [["M", "models/churn.pkl"], ["A", "staged.txt"], ["??", "new.txt"]]


def test_nested_manifests(repo: RepoStory, typed: Typing) -> None:
    repo.write("cv/pool.pkl", "1\n").write(
        "cv/dvc.yaml", "artifacts:\n  seg: {path: pool.pkl, type: model, labels: [x]}\n"
    )

    assert typed("add", "cv:pool-segmentation", "--path", "cv/pool.pkl").out == "cv/registry.yaml\n"
    repo.commit()
    assert typed("register", "cv:pool-segmentation").out == "cv=pool-segmentation@v0.0.1\n"
    assert typed.json("resolve", "cv:pool-segmentation")["path"] == "cv/pool.pkl"
    assert typed.json("resolve", "cv:pool-segmentation")["artifact"] == "cv:pool-segmentation"
    shown = {a["name"]: a for a in typed.json("show")["artifacts"]}
    assert list(shown) == ["churn", "cv:pool-segmentation", "cv:seg"]
    assert (shown["cv:seg"]["path"], shown["cv:seg"]["labels"]) == ("cv/pool.pkl", ["x"])
    assert "there is no directory nlp" in typed.refused("add", "nlp:x")
    assert "is not inside cv" in typed.refused("add", "cv:y", "--path", "models/churn.pkl", code=2)
    said = typed.refused("add", "cv:y", "--path", "cv/nothing.pkl", code=2)
    assert "nothing.pkl" in said


def test_the_manifests_of_other_tools_are_read(empty: RepoStory, typed: Typing) -> None:
    empty.write("artifacts.yaml", "churn: {type: model, path: m.pkl, labels: [gto], description: Old}\n")
    empty.write(".gto", "stages: [dev, prod]\n").write("m.pkl", "1\n")
    empty.write("dvc.yaml", "artifacts:\n  data: {path: d.csv, type: dataset}\n").write("d.csv", "1\n").commit()

    churn, data = typed.json("show")["artifacts"]
    assert (churn["name"], churn["path"], churn["labels"], churn["description"]) == ("churn", "m.pkl", ["gto"], "Old")
    assert (data["name"], data["type"]) == ("data", "dataset")
    assert [stage["stage"] for stage in typed.json("stages")["stages"]] == ["dev", "prod"]
    assert typed("register", "churn").out == "churn@v0.0.1\n"
    assert "no stage qa" in typed.refused("assign", "churn", "qa")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "churn"], 1, "churn is declared already"),
        (["add", "Churn"], 1, "differs from churn in case only"),
        (["add", "a b"], 2, "not a name for an artifact"),
        (["add", "x", "--path", "../out.pkl"], 2, "outside the repository"),
        (["add", "x", "--path", "/etc/passwd"], 2, "outside the repository"),
        (["add", "x", "--path", "gone.pkl"], 2, "gone.pkl"),
        (["remove", "chrun"], 1, "did you mean"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(
    repo: RepoStory, typed: Typing, words: list[str], code: int, said: str
) -> None:
    before = (repo.path / "registry.yaml").read_bytes()

    assert said in typed.refused(*words, code=code)

    assert (repo.path / "registry.yaml").read_bytes() == before
    assert repo.git("status", "--porcelain") == ""


# -- check -------------------------------------------------------------------------------------------------------------

BROKEN = "models:\n  churn:\n    pth: models/churn.pkl\n    path: gone,100%.pkl\n"


def test_check_reports_all_problems(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", BROKEN).write("sub/a,b:c/registry.yaml", "models: []\n")

    done = typed("check")

    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith("registry.yaml:3:5: error: ")
    assert lines[1].startswith("registry.yaml:4:11: error: ")
    assert any(line.startswith("sub/a,b:c/registry.yaml:1:9: error: ") for line in lines)
    assert "hint: did you mean `path`?" in done.err
    assert "3 errors" in done.err or "4 errors" in done.err


def test_check_as_json(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", BROKEN)

    done = typed("check", "--json")

    problems = json.loads(done.out)["problems"]
    assert (done.code, done.err) == (1, "")
    assert typed("check", "--format", "json").out == done.out
    assert list(problems[0]) == ["path", "line", "column", "severity", "message", "hint"]
    assert (problems[0]["line"], problems[0]["column"], problems[0]["severity"]) == (3, 5, "error")


def test_check_as_annotations_escapes_what_would_end_them(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", BROKEN).write("sub/a,b:c/registry.yaml", "models: []\n")

    done = typed("check", "--format", "github")

    lines = done.out.splitlines()
    assert (done.code, done.err) == (1, "")
    assert all(line.startswith("::error file=") for line in lines)
    assert lines[0].startswith("::error file=registry.yaml,line=3,col=5::")
    assert "gone,100%25.pkl" in lines[1]
    assert any(line.startswith("::error file=sub/a%2Cb%3Ac/registry.yaml,line=1,col=9::") for line in lines)


def test_check_without_a_manifest(empty: RepoStory, typed: Typing) -> None:
    assert typed.refused("check") == "there is no manifest | registry init writes one"


def test_a_manifest_that_does_not_parse(repo: RepoStory, typed: Typing) -> None:
    repo.write("registry.yaml", "models: [\n").commit()

    assert typed("check").out.startswith("registry.yaml:")
    assert typed("check").code == 1
    assert typed("show").code == 0
    assert "cannot be read" in typed.refused("register", "churn")


def test_the_schema_needs_no_repository(tmp_path: object, typed: Typing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))

    schema = json.loads(typed("schema").out)

    assert {"models", "artifacts", "stages"} <= set(schema["properties"])
    assert typed("schema", "--json").out == typed("schema").out


# -- status and doctor -------------------------------------------------------------------------------------------------


def test_status(repo: RepoStory, typed: Typing) -> None:
    assert typed.lines("status") == [["churn", "-", "no version yet", ""]]
    repo.register("churn")
    assert typed.lines("status") == [["churn", "v0.0.1", "HEAD is the latest version", ""]]
    repo.commit(empty=True)
    assert typed.lines("status") == [["churn", "v0.0.1", "as in the latest version", ""]]
    repo.train()
    repo.write("models/churn.pkl", "again\n")
    assert typed.lines("status") == [
        ["churn", "v0.0.1", "changed since the latest version", "modified in the work tree"]
    ]
    repo.git("checkout", "-q", "--detach")
    assert typed.json("status") == {
        "head": repo.git("rev-parse", "HEAD"), "branch": None, "interrupted": False, "undeclared": [],
        "artifacts": [{"name": "churn", "latest": "v0.0.1", "state": "changed", "modified": True}],
        "remote": None, "withdrawn": [],
    }  # fmt: skip


def test_status_before_the_first_commit_and_without_a_declaration(empty: RepoStory, typed: Typing) -> None:
    assert typed("status").code == 0
    assert typed.json("status")["head"] is None
    empty.commit(empty=True)
    empty.registry_at().register("churn", undeclared=True)
    assert "note: churn has versions, but is not in the manifest at HEAD" in typed("status").err
    assert typed.json("status")["undeclared"] == ["churn"]


def test_doctor_ends_with_one_when_something_is_unreadable(life: RepoStory, typed: Typing) -> None:
    sound = typed("doctor")
    assert (sound.code, sound.out, sound.err) == (0, "", "5 tags, 5 events, 2 artifacts: all is well\n")

    life.tag("churn@v3.0.0", light=True)
    done = typed("doctor")

    assert done.code == 1
    assert done.out.startswith("error: churn@v3.0.0: ")
    shape = json.loads(typed("doctor", "--json").out)
    assert (shape["sound"], shape["tags"], shape["events"], shape["artifacts"]) == (False, 6, 5, 2)
    assert list(shape["findings"][0]) == ["severity", "code", "subject", "message", "hint"]
    assert typed("doctor", "--json").code == 1
    assert typed.lines("resolve", "churn") == [["v0.1.0"]]

"""What commands print with `--json` has the shape that docs/output.schema.json says, and all of it; so does the page.

Whatever the other tests of the command line type with `--json` is held to its shape as well (conftest.py). Here each
command answers so that every key of its shape is met.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from registry.cli import COMMANDS, cli
from tests import shapes
from tests.cli.conftest import MANIFEST, Typing
from tests.reference import DOCS, json_reference
from tests.story import RepoStory
from tests.trust.story import POLICY, Keys

SHAPES: shapes.Schema = shapes.published()["properties"]

# What many commands print alike has to be met in all its keys where it is read, and not by each of them.
_SHARED = ("event", "metadata", "file", "plan", "measure")
_READS_ALL = {"history": {"event", "metadata", "file"}, "show": {"metadata", "file"}, "plan": {"plan", "measure"}}


class Heard:
    """Commands that are typed with `--json`, and the keys of their answers."""

    def __init__(self, typed: Typing) -> None:
        self._typed = typed
        self._keys: dict[str, set[str]] = {}

    def __call__(self, command: str, *words: str, data: str = "") -> Any:
        """What `registry COMMAND WORDS --json` answers, which has to be JSON; its exit code may be 1."""
        done = self._typed(command, *words, "--json", data=data)
        assert done.code in {0, 1}, done
        assert done.out, done
        answer = json.loads(done.out)
        self._keys.setdefault(command, set()).update(shapes.keys(SHAPES[command], f"#/{command}", answer))
        return answer

    def all_of(self, *commands: str) -> None:
        """These commands, and no others, were typed, and every key of their shapes was met."""
        assert sorted(self._keys) == sorted(commands)
        for command in commands:
            shared = {name for name in _SHARED if name not in _READS_ALL.get(command, ())}
            wanted = {key for key in shapes.keys(SHAPES[command], f"#/{command}") if _place(key) not in shared}
            assert not wanted - self._keys[command], command


def _place(key: str) -> str:
    """The definition that a key is in, or ""."""
    return key.removeprefix("#/$defs/").partition("/")[0] if key.startswith("#/$defs/") else ""


@pytest.fixture
def heard(typed: Typing) -> Heard:
    """`heard("show")` types `registry show --json`."""
    return Heard(typed)


# -- the schema and the page -------------------------------------------------------------------------------------------


def test_every_command_that_answers_in_json_has_a_shape_and_no_other_has() -> None:
    context = click.Context(cli)
    found = [cli.get_command(context, name) for name in COMMANDS]
    options = {one.name: {name for p in one.params for name in p.opts} for one in found if one is not None}

    assert list(SHAPES) == [name for name in COMMANDS if "--json" in options[name]]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(shapes.published())

    assert shapes.published()["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def _shapes(shape: Any, pointer: str = "#") -> Iterator[tuple[str, shapes.Schema]]:
    """Every shape in the schema, with its pointer."""
    yield pointer, shape
    for word in ("properties", "$defs"):
        for name, inner in shape.get(word, {}).items():
            yield from _shapes(inner, f"{pointer}/{word}/{name}")
    for word in ("items", "additionalProperties"):
        if word in shape:
            yield from _shapes(shape[word], f"{pointer}/{word}")
    for word in ("anyOf", "oneOf"):
        for number, inner in enumerate(shape.get(word, ())):
            yield from _shapes(inner, f"{pointer}/{word}/{number}")


def test_every_reference_leads_somewhere_and_every_definition_is_wanted() -> None:
    found = dict(_shapes(shapes.published()))
    wanted = {shape["$ref"] for shape in found.values() if "$ref" in shape}

    assert wanted <= found.keys()
    assert {pointer for pointer in found if pointer.startswith("#/$defs/") and pointer.count("/") == 2} <= wanted


def _can_be_null(shape: shapes.Schema) -> bool:
    _, shape = shapes.target(shape)
    return "null" in shape.get("type", ()) or any(_can_be_null(choice) for choice in shape.get("anyOf", ()))


def test_every_key_says_what_it_means_and_is_there_always_or_says_when() -> None:
    for pointer, shape in _shapes(shapes.published()):
        if pointer == "#":
            continue
        for name, value in shape.get("properties", {}).items():
            says = shapes.target(value)[1].get("description", "")
            assert says.endswith("."), f"{pointer}: {name}"
            assert ("null" in says.lower()) >= _can_be_null(value), f"{pointer}: {name}"
            when = "--show-signature" in value.get("description", "") or "`id` alone where" in shape["description"]
            assert (name in shape["required"]) != when or name == "id", f"{pointer}: {name}"


@pytest.mark.parametrize("command", SHAPES)
def test_a_key_that_the_schema_does_not_say_is_refused(command: str) -> None:
    for example in _examples(SHAPES[command]):
        shapes.check(command, example)
        if command == "schema":  # the manifest's own schema, which is open
            continue
        with pytest.raises(AssertionError, match="surprise"):
            shapes.check(command, {**example, "surprise": 1})


@pytest.mark.parametrize("command", SHAPES)
def test_the_published_schema_takes_a_key_that_a_later_version_adds_and_misses_one_that_is_gone(command: str) -> None:
    published = Draft202012Validator(shapes.published())

    for example in _examples(SHAPES[command]):
        assert published.is_valid({command: {**example, "surprise": 1}})
        for key in example:
            assert not published.is_valid({command: {k: v for k, v in example.items() if k != key}}), key


def _examples(shape: shapes.Schema) -> list[Any]:
    _, shape = shapes.target(shape)
    return [example for one in (shape, *shape.get("oneOf", ())) for example in one.get("examples", ())]


def test_every_command_has_an_example_that_is_on_the_page() -> None:
    on_the_page = [json.loads(block.partition("```")[0]) for block in json_reference().split("```json\n")[1:]]

    for command, shape in SHAPES.items():
        assert all(example in on_the_page for example in _examples(shape)), command
        assert _examples(shape) or command == "schema", command
    for name, shape in shapes.published()["$defs"].items():
        for example in shape.get("examples", ()):
            Draft202012Validator(
                shapes.closed({"$defs": shapes.published()["$defs"], "$ref": f"#/$defs/{name}"})
            ).validate(example)
            assert example in on_the_page, name


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / "json.md").read_text() == json_reference()


def test_an_error_leaves_nothing_on_standard_output(life: RepoStory, typed: Typing) -> None:
    said = typed.refused("resolve", "nobody", "--json")

    assert said.startswith("no artifact is called nobody")
    assert typed.refused("resolve", "--json", code=2)


def test_a_commit_without_a_version_has_the_shapes_of_one(repo: RepoStory, typed: Typing) -> None:
    repo.register("churn", "v1.0.0").train("two\n")
    repo.tag("churn#production#2")  # as GTO lets people do
    bare = repo.git("rev-parse", "HEAD")

    found = typed.json("resolve", "churn#production")
    [row] = typed.json("show", "churn#production")["versions"]

    assert [found[key] for key in ("version", "commit", "number", "tag")] == [bare, bare, None, None]
    assert [row[key] for key in ("version", "number", "tag", "registered_at", "registered_by")] == [bare, *[None] * 4]
    assert typed.json("show")["artifacts"][0]["stages"] == {"production": bare}
    assert typed.json("stages")["stages"][0]["artifacts"] == {"churn": bare}
    assert typed.json("history", "churn#production")["events"][0]["version"] == bare
    assert typed.json("lineage", "churn#production")["version"] == bare
    assert typed.json("diff", "churn@v1.0.0", "churn#production")["b"] == found
    assert json.loads(typed("pull", "churn#production", "--json").out)["version"] is None


# -- what commands print -----------------------------------------------------------------------------------------------


def _reading_and_writing(story: RepoStory, heard: Heard) -> None:
    story.write("registry.yaml", MANIFEST).write("data/train.csv", "1\n").write("params.yaml", "depth: 4\n")
    story.write("models/churn.pkl", "one\n").write("metrics/churn.json", '{"auc": 0.9}').commit("Train")
    heard("register", "train-set")
    heard("register", "churn", "-m", "Trained on March data", "--uses", "train-set", "--label", "prod")
    story.write("models/churn.pkl", "two\n").write("metrics/churn.json", '{"auc": 0.95}')
    story.write("params.yaml", "depth: 5\n").commit("Train deeper trees")
    heard("register", "churn", "--minor", "--param", "kind=tree", "--run", "mlflow:f27c05", "--content", '{"k": [1]}')
    heard("assign", "churn@v0.0.1", "staging", "--reason", "Approved", "-m", "Tests passed")
    heard("assign", "churn", "staging")
    heard("rollback", "churn", "staging")
    heard("annotate", "churn@v0.0.1", "--deployment", "eu-west=https://churn.example.com", "--tag", "team=growth")
    assert heard("annotate", "churn", "--label", "a", "--dry-run")["events"][0]["tag"] not in story.tags
    heard("unassign", "churn#staging", "staging")
    heard("check-ref", "churn@v0.1.0")
    heard("resolve", "churn@v0.0.1")
    heard("diff", "churn@v0.0.1", "churn")
    story.write("registry.yaml", MANIFEST.replace("Who is about to leave", "Who leaves")).commit("Say it shorter")
    heard("register", "churn", "--force")
    assert all(heard("diff", "churn@v0.0.1", "churn")[part] for part in ("entry", "metadata", "params", "labels"))
    heard("lineage", "churn@v0.0.1")
    heard("lineage", "train-set")
    heard("stages")
    heard("deregister", "churn@v0.0.1")
    heard("deprecate", "churn")
    heard("delete", "churn@v0.0.1", "--yes")
    story.tag("churn@v9.0.0", light=True)
    assert heard("doctor")["sound"] is False
    heard.all_of(
        "register", "assign", "rollback", "annotate", "unassign", "check-ref", "resolve", "diff", "lineage", "stages",
        "deregister", "deprecate", "delete", "doctor",
    )  # fmt: skip


def _manifests(story: RepoStory, heard: Heard) -> None:
    heard("schema")
    assert heard("init")["commit"] is None
    story.write("models/churn.pkl", "one\n").write("metrics/churn.json", '{"auc": 0.9}')
    heard("add", "churn", "--path", "models/churn.pkl", "--metrics", "metrics/churn.json", "--commit")
    heard("add", "fraud")
    heard("remove", "fraud")
    story.write("artifacts.yaml", "rate:\n  type: dataset\n  path: rate.csv\n").write(".gto", "stages: [staging]\n")
    assert heard("import", "gto")["artifacts"] == ["rate"]
    story.write("models/churn.pkl", "one\n").commit("Import")
    story.git("switch", "-q", "-c", "change")
    gate = "stages: {staging: {}, production: {require: {metrics: {auc: '>=0.95'}}}}"
    wishes = "    version: v1.0.0\n    assign: {staging: v1.0.0, production: v1.0.0}\n"
    entry = "models:\n  churn:\n    path: models/churn.pkl\n    metrics: metrics/churn.json\n" + wishes
    story.write("registry.yaml", f"{gate}\n{entry}").write(".registry/allowed_signers", "ana@example.com nonsense\n")
    story.commit("Want a version")
    assert heard("check")["problems"]
    assert heard("plan")["obstacles"]
    assert heard("review", "main")["failed"] is True
    story.write("registry.yaml", f"{gate}\n{entry}".replace("0.95", "0.8")).commit("Ask for less")
    assert [step["stage"] for step in heard("plan")["steps"]] == [None, "staging", "production"]
    assert len(heard("apply")["events"]) == 3
    heard.all_of("schema", "init", "add", "remove", "import", "check", "plan", "review", "apply")


def _remotes(story: RepoStory, heard: Heard) -> None:
    hub, other, there = (story.path.parent / name for name in ("hub.git", "other", "there"))
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(hub)], check=True)
    story.write("registry.yaml", "models: {churn: {path: models/churn.pkl}}\n").train("one\n")
    story.git("push", "-q", str(hub), "main")
    ana, bo = (_clone(hub, place, who) for place, who in ((other, "Ana"), (there, "Bo")))
    here, far = ["--repo", str(bo.path)], ["--repo", str(ana.path)]
    heard("register", "churn", "--push", *far)
    heard("fetch", *here)
    bo.train("bo's\n")
    heard("register", "churn", "--version", "v1.0.0", *here)
    bo.train("bo's second\n")
    heard("register", "churn", *here)
    ana.train("ana's\n")
    heard("register", "churn", "--version", "v1.0.0", "--push", *far)
    assert heard("fetch", *here)["differing"] == ["churn@v1.0.0"]
    pushed = heard("push", *here)
    assert [one["tag"] for one in pushed["withdrawn"]] == ["churn@v1.0.0"]
    assert heard("status", *here)["withdrawn"]
    heard("pull", "churn@v0.0.1", "-o", str(story.path / "pulled"), *here)
    heard("copy", "churn@v0.0.1", "--to", str(story.path), "--as", "copied", *here)
    heard("transfer", "churn@v0.0.1", "--to", str(story.path), *here)
    heard.all_of("register", "fetch", "push", "status", "pull", "copy", "transfer")


def _clone(hub: Path, place: Path, who: str) -> RepoStory:
    subprocess.run(["git", "clone", "-q", str(hub), str(place)], check=True)
    story = RepoStory(place)
    story.git("config", "user.name", who)
    story.git("config", "user.email", f"{who.lower()}@example.com")
    return story


def _trust(story: RepoStory, heard: Heard) -> None:
    keys, server = Keys(story.path.parent / "keys"), story.path.parent / "server.git"
    story.write("registry.yaml", POLICY).write("models/churn.pkl", "weights 1\n")
    story.write(".registry/allowed_signers", keys.allowed("ana", "bo"))
    keys.become(story, "ana").commit("Declare churn")
    subprocess.run(["git", "clone", "-q", "--bare", str(story.path), str(server)], check=True)
    assert Path(heard("hook", "install", str(server))["hook"]).parent == server / "hooks"
    story.register("churn", "v1.0.0", labels=["x"]).assign("churn@v1.0.0", "staging")
    keys.become(story, "bo")
    heard("approve", "churn@v1.0.0", "production", "-m", "looked at the report")
    assert heard("verify")["trusted"] is True
    keys.become(story, "ana", sign=False).tag("churn#production#9")
    assert heard("verify")["failures"]
    assert {event["signature"] for event in heard("history", "--show-signature")["events"]} > {"proven"}
    heard("show")
    assert heard("show", "churn", "--show-signature")["versions"][0]["signer"] == "ana@example.com"
    assert heard("verify", "--write-baseline")["failing"]
    story.git("push", "-q", str(server), "churn@v1.0.0:refs/tags/elsewhere")
    oid = story.git("rev-parse", "refs/tags/churn@v1.0.0")
    line = f"{'0' * 40} {oid} refs/tags/churn@v2.0.0\n"
    assert heard("hook", "run", "--repo", str(server), data=line)["objections"][0]["code"] == "renamed"
    heard.all_of("hook", "approve", "verify", "history", "show")


def _pages(story: RepoStory, heard: Heard) -> None:
    story.write("registry.yaml", "models: {churn: {}}\n").commit("Declare")
    assert heard("site", "-o", "public")["directory"] == "public"
    assert heard("ui", "--port", "0", "--no-browser")["url"].startswith("http://127.0.0.1:")
    assert heard("demo", str(story.path.parent / "wine"))["commands"] == ["registry init"]
    heard.all_of("site", "ui", "demo")


STORIES: dict[Callable[[RepoStory, Heard], None], str] = {
    _reading_and_writing: "reading and writing",
    _manifests: "manifests",
    _remotes: "remotes",
    _trust: "trust",
    _pages: "pages",
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: STORIES[story].replace(" ", "-"))
def test_every_key_of_a_shape_is_met(
    empty: RepoStory, heard: Heard, story: Callable[[RepoStory, Heard], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*here: Any) -> None:
        here[1].close()
        raise KeyboardInterrupt

    monkeypatch.setattr("registry.web.server.serve", ended)
    monkeypatch.setattr("registry.demo.STORY", "registry init\n")  # the whole of it trains models: test_demo.py
    monkeypatch.setattr("registry.demo.find_spec", lambda _: True)

    story(empty, heard)

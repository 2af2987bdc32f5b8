"""The references that are generated: `python -m tests.reference` writes docs/cli.md, docs/manifest.md and
docs/registry.schema.json from the program, docs/json.md from docs/output.schema.json, and docs/action.md from action.yml.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from registry.cli import COMMANDS, SECTIONS, cli
from registry.manifests.shape import schema
from tests import shapes

DOCS = Path(__file__).parent.parent / "docs"

_HEAD = """# The command line

Generated from the program by `python -m tests.reference`; a test holds the two together.

Every command takes `--repo PATH` and `--json`, and works from a subdirectory, a worktree, a detached HEAD and, but for those
that edit the manifest, a bare repository. Words on stdout are data, words on stderr are for people; in a pipe, tables are
tab-separated values without a heading. Exit codes: 0 done, 1 refused or not found (or `check` and `doctor` found an error),
2 wrong usage, 3 a bug of ours. An error is one line that begins with `error:`, then perhaps one with `hint:`.

A selector names a version: `churn` (the latest), `churn@v1.2.0`, `churn@latest`, `churn@stable` (the greatest release),
`churn@newest` (registered last), `churn@3` (its number), `churn@v1` and `churn@v1.2` (the greatest release of that line),
`churn@^1.2`, `churn@~1.2.3`, `churn@>=1.0,<2` (ranges), `churn#production` (a stage). In a shell, put selectors into single
quotes.

## Completion

Names, versions and stages are completed in bash, zsh and fish. The files lie in the environment that the package is installed in, below
`share/`, where the shells of a system-wide installation find them by themselves. Otherwise, in `~/.bashrc`, `~/.zshrc` or
`~/.config/fish/config.fish`:

<!-- test: skip each is a line for a shell of its own, typed there by tests/cli/test_shells.py -->
```sh
eval "$(_REGISTRY_COMPLETE=bash_source registry)"; COMP_WORDBREAKS=${COMP_WORDBREAKS//[@:=]}  # bash: churn@v1 is one word
eval "$(_REGISTRY_COMPLETE=zsh_source registry)"
_REGISTRY_COMPLETE=fish_source registry | source
```
"""


def cli_reference() -> str:
    """The whole of docs/cli.md."""
    parts = [_HEAD]
    context = click.Context(cli, info_name="registry", **cli.context_settings)  # as a person has it: with -h
    for section, names in SECTIONS.items():
        parts.append(f"## {section}\n")
        for name in names:
            command = cli.get_command(context, name)
            assert command is not None
            parts.append(_entry(click.Context(command, info_name=name, parent=context), command))
    return "\n".join(parts)


def _entry(context: click.Context, command: click.Command) -> str:
    words, _, example = inspect.cleandoc(command.help or "").partition("\b\n")
    usage = " ".join(["registry", context.info_name or "", *command.collect_usage_pieces(context)])
    lines = [f"### {context.info_name}\n", words.strip() + "\n", "```text", usage, "```\n"]
    lines += ["```sh", *example.strip().splitlines(), "```\n"] if example else []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None and "--help" not in record[0] and parameter.name not in {"repo", "as_json"}:
            lines.append(f"- `{record[0]}`: {record[1]}")
    return "\n".join(lines) + "\n"


_MANIFEST_HEAD = """# The manifest

Generated from the program by `python -m tests.reference`; a test holds the two together.

`registry.yaml` lies at the root of the repository, and optionally in any directory: what `cv/registry.yaml` declares as
`pool-seg` is called `cv:pool-seg`. Paths are relative to their manifest's directory and stay inside the repository; a path may
also be a URL or an output of DVC. What holds for a version (path, description, metrics) is the manifest at its commit; what
holds for listing, stages and rules is the one at HEAD; `registry check` reads the work tree. `dvc.yaml` (in any directory),
GTO's `artifacts.yaml` and `.gto` are read too, and never written; where two declare one name, `registry.yaml` wins.

```yaml
stages:
  staging: {}
  production:
    after: staging
    exclusive: true
models:
  churn:
    path: models/churn.pkl
    description: Who is about to leave
    labels: [tabular]
    metrics: metrics/churn.json
    artifacts: {env: requirements.txt}
artifacts:
  train-set: {path: data/train.csv, type: dataset}
```

`registry schema > registry.schema.json` writes the JSON Schema, [this one](registry.schema.json); an editor takes it from the first
line of the manifest, `# yaml-language-server: $schema=registry.schema.json`. It is in the form that SchemaStore takes, for a
catalog entry with `"fileMatch": ["registry.yaml"]`.

## Keys

`NAME` stands for a name of your own. A model may have `stages` and `versions` of its own, with the same keys as the general
ones, which count in the root manifest only; an entry of `artifacts` takes the keys of one of `models`, and `type`.

| key | what it says |
|---|---|
"""


def manifest_reference() -> str:
    """The whole of docs/manifest.md."""
    return _MANIFEST_HEAD + "".join(f"| `{key}` | {says} |\n" for key, says in _keys(schema(), "", set()))


def _keys(shape: dict[str, Any], path: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """The keys below `path`. What stood with the same words and shape before (a model's own stages) is not said again."""
    inner = list(shape.get("properties", {}).items())
    if isinstance(shape.get("additionalProperties"), dict):
        inner.append(("NAME", shape["additionalProperties"]))
    for choice in shape.get("anyOf", shape.get("oneOf", [])):
        yield from _keys(choice, path, seen)
    for name, value in inner:
        key = f"{path}.{name}" if path else name
        spelled = f"{name} {value}"
        allowed = ", ".join(f"`{word}`" for word in value.get("enum", []))
        if spelled in seen and path.count("."):
            continue
        seen.add(spelled)
        yield key, value.get("description", "") + (f": {allowed}" if allowed else "")
        yield from _keys(value, key, seen)


_JSON_HEAD = """# JSON

Generated from [output.schema.json](output.schema.json) by `python -m tests.reference`; a test holds the two together, and the
tests of the command line hold every answer to the schema.

Every command answers in JSON with `--json`. These shapes are part of the public interface: keys are added, never renamed or
removed, within a major version. A key is there always unless it says when, and what is not known is null. Text is escaped to
ASCII, dates are ISO 8601 with offset, metrics and parameters that are numbers are numbers. Where a stage holds a commit without
a version (GTO allows that), `version` is the commit's full id. The answer is one line, indented where it goes to a terminal.

The schema is a JSON Schema of draft 2020-12. `#/properties/COMMAND` is the shape of what `registry COMMAND --json` prints; a
validator that knows a file as a whole alone takes `registry show --json | jq '{show: .}'`.

## Exit codes and errors

| code | what it says | standard output | standard error |
|---|---|---|---|
| 0 | done | the answer | nothing, or `note:` and what a person should know |
| 1 | `check`, `doctor`, `hook run`, `plan`, `push`, `review` or `verify` found something: its shape says what | the answer | the same, or `hint:` and what to do |
| 1 | refused, or not found | nothing | `error:` and one line, then perhaps `hint:` and one line |
| 2 | wrong usage | nothing | the same |
| 3 | a bug of ours | nothing that is an answer | the same |
| 130 | stopped, by Ctrl-C | nothing that is an answer | the same |

An error is not JSON: `--json` changes what goes to standard output alone, and an error leaves that empty. So a script looks at the
exit code, and after 1 whether there is an answer.

"""

_TYPES = """## Types

`a[].b` is the key `b` of each object in the list `a`. "Object of" is one whose keys are names of yours. Beside text, numbers, true
and false, the tables know:

| type | what it is |
|---|---|
"""

_FIRST = ("event", "metadata")  # what nearly all others have in them


def json_reference() -> str:
    """The whole of docs/json.md."""
    definitions = shapes.published()["$defs"]
    types = [f"| {shape['title']} | {shape['description']} |\n" for shape in definitions.values() if _is_plain(shape)]
    return f"{_JSON_HEAD}{_commands()}\n{_TYPES}{''.join(types)}\n" + "\n".join(_sections())


def _commands() -> str:
    lines = ["## Commands\n", "| command | shape |", "|---|---|"]
    for name, shape in shapes.published()["properties"].items():
        where = _title(shape["$ref"]) if "$ref" in shape else name
        lines.append(f"| `{name}` | {COMMANDS[name].rstrip('.')}: {_link(where)} |")
    return "\n".join(lines) + "\n"


def _sections() -> Iterator[str]:
    """What has a heading: each command, and each definition that is wanted in two places, after the first of those."""
    done: set[str] = set()
    names = _definitions_with_headings()
    for name in _FIRST:
        yield from _section(f"#/$defs/{name}", names, done)
    for name, shape in shapes.published()["properties"].items():
        yield from _section(shape.get("$ref", f"#/properties/{name}"), names, done)


def _section(pointer: str, names: set[str], done: set[str]) -> Iterator[str]:
    if pointer in done:
        return
    done.add(pointer)
    _, shape = shapes.target({"$ref": pointer})
    yield f"## {_title(pointer)}\n\n{shape['description']}\n"
    for one in shape.get("oneOf", [shape]):
        if one is not shape:
            yield f"{one['description']}\n"
        rows = [f"| `{key}` | {kind} | {says} |\n" for key, kind, says in _rows(one, "", names)]
        if rows:
            yield "| key | type | what it says |\n|---|---|---|\n" + "".join(rows)
        for example in one.get("examples", ()):
            yield f"```json\n{_laid(example)}\n```\n"
    for other in _references(shape):
        if other in names:
            yield from _section(other, names, done)


def _rows(shape: shapes.Schema, path: str, names: set[str]) -> Iterator[tuple[str, str, str]]:
    """The keys of an object, and those of the objects in it that have no heading of their own."""
    for key, said in shape.get("properties", {}).items():
        value = shapes.target(said)[1]
        yield f"{path}{key}", _type(said, names), _meaning(value)
        inner, steps = value, f"{path}{key}."
        if "items" in value:
            inner, steps = value["items"], f"{path}{key}[]."
        for choice in inner.get("anyOf", [inner]):
            if choice.get("$ref") not in names and said.get("$ref") not in names:
                yield from _rows(shapes.target(choice)[1], steps, names)


def _meaning(shape: shapes.Schema) -> str:
    words = [word for word in shape.get("enum", ()) if f"`{word}`" not in shape["description"]]
    listed = ", ".join(f"`{word}`" for word in shape.get("enum", ()))
    return f"{shape['description']}{f' One of {listed}.' if words else ''}".replace("|", "\\|")


_WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}


def _type(shape: shapes.Schema, names: set[str]) -> str:
    """What a value is, in a few words."""
    if "anyOf" in shape:
        return " or ".join(_type(choice, names) for choice in shape["anyOf"])
    pointer, whole = shapes.target(shape)
    if pointer in names:
        return _link(_title(pointer))
    if pointer and "title" in whole:
        return str(whole["title"])
    if pointer:
        return _type(whole, names)
    kinds = shape.get("type", "anything")
    if "items" in shape:
        return f"list of {_several(_type(shape['items'], names))}"
    if isinstance(shape.get("additionalProperties"), dict):
        return f"object of {_several(_type(shape['additionalProperties'], names))}"
    return " or ".join(_WORDS.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _several(kind: str) -> str:
    return kind if kind.startswith(("text", "list", "[")) else f"{kind}s"


def _is_plain(shape: shapes.Schema) -> bool:
    return "properties" not in shape


def _definitions_with_headings() -> set[str]:
    definitions = shapes.published()["$defs"]
    count = Counter(_references(shapes.published()))
    objects = [f"#/$defs/{name}" for name, shape in definitions.items() if not _is_plain(shape)]
    return {pointer for pointer in objects if count[pointer] > 1}


def _references(shape: Any) -> Iterator[str]:
    """What a shape refers to, in order."""
    if isinstance(shape, list):
        for one in shape:
            yield from _references(one)
    elif isinstance(shape, dict):
        if isinstance(shape.get("$ref"), str):
            yield shape["$ref"]
        for key, value in shape.items():
            if key != "examples":
                yield from _references(value)


def _title(pointer: str) -> str:
    """The heading of a shape."""
    name = pointer.rpartition("/")[2]
    return str(shapes.target({"$ref": pointer})[1].get("title", name)) if "$defs" in pointer else name


def _link(title: str) -> str:
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _laid(value: Any, indent: int = 0, before: int = 0) -> str:
    """JSON in as few lines as fit into 120 columns; `before` is what stands before it on its first line."""
    flat = json.dumps(value)
    if indent + before + len(flat) < 120 or not value or not isinstance(value, (dict, list)):
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, list):
        parts = [_laid(one, indent + 2) for one in value]
    else:
        heads = {key: f"{json.dumps(key)}: " for key in value}
        parts = [heads[key] + _laid(one, indent + 2, len(heads[key])) for key, one in value.items()]
    lines = [""]
    for part in parts:  # what is short shares a line
        joined = f"{lines[-1]}, {part}" if lines[-1] else part
        if lines[-1] and ("\n" in joined or len(pad) + len(joined) >= 120):
            lines.append(part)
        else:
            lines[-1] = joined
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return opening + "\n" + ",\n".join(pad + line for line in lines) + "\n" + " " * indent + closing


def manifest_schema() -> str:
    """The whole of docs/registry.schema.json, as `registry schema` prints it and SchemaStore takes it."""
    return json.dumps(schema(), indent=2) + "\n"


_ACTION_HEAD = """# The Action: inputs and outputs

Generated from action.yml by `python -m tests.reference`; a test holds the two together. [GitHub Actions, and other CI](actions.md)
says what they mean and how they work together.
"""


def action_reference() -> str:
    """The whole of docs/action.md."""

    def code(text: str) -> str:
        return f"`{text}`" if text else ""

    action = YAML(typ="safe").load((DOCS.parent / "action.yml").read_text())
    inputs = [f"| `{name}` | {code(one['default'])} | {one['description']} |" for name, one in action["inputs"].items()]
    outputs = [f"| `{name}` | {one['description']} |" for name, one in action["outputs"].items()]
    parts = ["## Inputs\n", "| input | default | |\n|---|---|---|", *inputs]
    return "\n".join([_ACTION_HEAD, *parts, "\n## Outputs\n", "| output | |\n|---|---|", *outputs]) + "\n"


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_reference())
    (DOCS / "manifest.md").write_text(manifest_reference())
    (DOCS / "json.md").write_text(json_reference())
    (DOCS / "action.md").write_text(action_reference())
    (DOCS / "registry.schema.json").write_text(manifest_schema())

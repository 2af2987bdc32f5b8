"""The references that are generated from the program: `python -m tests.reference` writes docs/cli.md and docs/manifest.md."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from registry.cli import SECTIONS, cli
from registry.manifests.shape import schema

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
    lines = [f"### {context.info_name}\n", words.strip() + "\n", "```sh", usage, *([""] if example else [])]
    lines += [*example.strip().splitlines(), "```\n"]
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

`registry schema > registry.schema.json` writes the JSON Schema; an editor takes it from the first line of the manifest,
`# yaml-language-server: $schema=registry.schema.json`.

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


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_reference())
    (DOCS / "manifest.md").write_text(manifest_reference())

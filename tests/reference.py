"""The command line reference, generated from the program: `python -m tests.reference` writes docs/cli.md."""

from __future__ import annotations

import inspect
from pathlib import Path

import click

from registry.cli import SECTIONS, cli

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
    context = click.Context(cli, info_name="registry")
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


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_reference())

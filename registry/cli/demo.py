"""`registry demo`"""

from __future__ import annotations

from pathlib import Path

import click

from registry.cli import options, out


@options.command()
@click.argument("directory", default="registry-demo", metavar="[DIR]")
def command(call: options.Call, directory: str) -> None:
    """See the life of a model, in a repository made for it: DIR, or ./registry-demo.

    It trains two small models with scikit-learn, commits, registers, promotes and rolls back, and prints each command
    that it runs. It asks for no Git identity and touches nothing outside DIR.

    \b
    registry demo
    registry demo /tmp/wine
    """
    from registry import demo  # (it is not small, and only this command tells the story)

    target = Path(directory).absolute()
    commands = demo.run(target, (lambda _: None) if call.json else _said, quiet=call.json)
    if call.json:
        out.as_json({"path": str(target), "commands": list(commands)})
        return
    click.echo(f"\nThe repository is {out.safe(str(target))}. Go there and try:")
    for line in (
        "registry status",
        "registry history 'wine#production'",
        "registry annotate wine@latest --deployment eu-west=https://wine.example.com",
        "registry lineage digits",
        "git tag --list    # all of it lives here",
    ):
        click.echo(f"  {line}")


def _said(line: str) -> None:
    click.echo(out.styled(line, "name" if line.startswith("$") else "faint"))

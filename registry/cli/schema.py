"""`registry schema`"""

from __future__ import annotations

import json

import click

from registry.cli import options


@options.command()
def command(call: options.Call) -> None:  # noqa: ARG001  (needs no repository)
    """Print the manifest's JSON Schema. An editor that knows it completes and checks registry.yaml.

    \b
    registry schema > registry.schema.json
    """
    from registry.manifests.shape import schema  # not for --help

    click.echo(json.dumps(schema(), indent=2))

"""`registry remove`"""

from __future__ import annotations

import click

from registry.cli import options


@options.command()
@options.artifact()
@click.option("--commit", is_flag=True, help="Commit the manifest, and nothing else.")
def command(call: options.Call, artifact: str, commit: bool) -> None:
    """Take an artifact out of the manifest. Its versions stay: deprecate says that it is no longer to be used.

    \b
    registry remove churn
    """
    call.edited(call.registry.remove(artifact, commit=commit))

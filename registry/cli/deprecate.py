"""`registry deprecate`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.artifact()
@options.note
@options.way(force="Deprecate it again.")
def command(call: options.Call, artifact: str, **said: Any) -> None:
    """Mark an artifact as no longer to be used. Whatever happens to it later revives it.

    \b
    registry deprecate churn --reason 'Replaced by churn-v2'
    """
    call.written(call.registry.deprecate(artifact, **said), dry_run=said["dry_run"])

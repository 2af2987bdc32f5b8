"""`registry rollback`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.artifact()
@options.stage()
@options.note
@options.way()
def command(call: options.Call, artifact: str, stage: str, **said: Any) -> None:
    """Put the version before back into a stage: the one that was in it last. Twice returns.

    \b
    registry rollback churn production --reason 'Latency doubled'
    """
    call.written(call.registry.rollback(artifact, stage, **said), dry_run=said["dry_run"])

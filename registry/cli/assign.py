"""`registry assign`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.selector()
@options.stage()
@options.note
@options.way(force="Assign even what is in the stage already.")
def command(call: options.Call, selector: str, stage: str, **said: Any) -> None:
    """Put a version into a stage. NAME alone means its latest version.

    \b
    registry assign churn@v1.2.0 staging
    registry assign 'churn#staging' production --reason Approved
    """
    call.written(call.registry.assign(selector, stage, **said), dry_run=said["dry_run"])

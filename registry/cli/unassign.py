"""`registry unassign`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.selector()
@options.stage()
@options.note
@options.way()
def command(call: options.Call, selector: str, stage: str, **said: Any) -> None:
    """Take a version out of a stage. NAME alone means the version that is in the stage.

    \b
    registry unassign churn production
    registry unassign churn@v1.2.0 production --reason 'Wrong data'
    """
    call.written(call.registry.unassign(selector, stage, **said), dry_run=said["dry_run"])

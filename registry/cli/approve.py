"""`registry approve`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.selector()
@options.stage()
@options.note
@options.way(force="Approve again what you have approved already.")
def command(call: options.Call, selector: str, stage: str, **said: Any) -> None:
    """Approve a version for a stage, in your signed name.

    A stage with `approvals: 2` takes a version that two others than who assigns it have approved since it was
    registered last.

    \b
    registry approve 'churn@v1.2.0' production -m 'looked at the report'
    """
    call.written(call.registry.approve(selector, stage, **said), dry_run=said["dry_run"])

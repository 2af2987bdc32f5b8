"""`registry transfer`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.selector()
@options.journey
@options.note
@options.way()
def command(call: options.Call, selector: str, **said: Any) -> None:
    """Move a version to another repository: copy it there, and withdraw it here. Interrupted, it can be run again.

    \b
    registry transfer churn@v1.2.0 --to ../production-models --with-stages
    """
    call.written(call.registry.transfer(selector, **said), dry_run=said["dry_run"])

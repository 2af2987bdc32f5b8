"""`registry deregister`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.selector()
@options.note
@options.way()
def command(call: options.Call, selector: str, **said: Any) -> None:
    """Withdraw a version: nothing finds it any more, and it leaves every stage. History remembers it.

    \b
    registry deregister churn@v1.2.0 --reason 'Trained on the wrong data'
    """
    call.written(call.registry.deregister(selector, **said), dry_run=said["dry_run"])

"""`registry copy`"""

from __future__ import annotations

from typing import Any

from registry.cli import options


@options.command()
@options.selector()
@options.journey
@options.note
@options.way()
def command(call: options.Call, selector: str, **said: Any) -> None:
    """Copy a version to another repository: its files, its manifest entry and what is known of it.

    It arrives as a commit of its own, which its tag holds; no branch moves there.

    \b
    registry copy churn@v1.2.0 --to ../production-models
    registry copy 'churn#production' --to https://git.example.com/models.git --as churn-eu
    """
    call.written(call.registry.copy(selector, **said), dry_run=said["dry_run"])

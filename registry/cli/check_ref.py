"""`registry check-ref`"""

from __future__ import annotations

import click

from registry.cli import options, out
from registry.cli.show import short


@options.command()
@click.argument("tag")
def command(call: options.Call, tag: str) -> None:
    """Say which event a tag is; for programs that a tag started.

    \b
    registry check-ref 'churn#production#7' --json
    registry check-ref refs/tags/churn@v1.2.0
    """
    event = call.registry.check_ref(tag)
    if call.json:
        out.as_json(event.to_json())
        return
    out.field("event", event.event)
    out.field("artifact", event.artifact)
    out.field("version", short(event.version or ""))
    out.field("stage", event.stage or "")
    out.field("commit", event.commit)
    out.field("date", event.date)
    out.field("author", f"{event.author} <{event.email}>")
    out.field("reason", event.reason or "")
    out.field("message", event.message)

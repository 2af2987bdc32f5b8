"""`registry history`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from registry.cli import options, out
from registry.cli.out import Column
from registry.cli.show import short

if TYPE_CHECKING:
    from registry.porcelain.values import EventView


@options.command(paged=True)
@options.selector(required=False)
@click.option("--reverse", is_flag=True, help="The newest first.")
@options.show_signature()
def command(call: options.Call, selector: str | None, reverse: bool, show_signature: bool) -> None:
    """List what happened, oldest first: to all artifacts, one, one version, or in one stage.

    \b
    registry history
    registry history churn@v1.2.0
    registry history 'churn#production' --reverse
    """
    events = call.registry.history(selector)
    if reverse:
        events.reverse()
    proofs = call.registry.signatures(event.tag for event in events) if show_signature else {}
    if call.json:
        signed = ({**event.to_json(), **proofs[event.tag].to_json()} for event in events)
        out.as_json_list("events", signed if show_signature else (event.to_json() for event in events))
        return
    if not events:
        out.say("nothing has happened yet")
        out.say(f"hint: registry register {selector or 'NAME'} makes a first version")
        return
    wide = out.terminal()
    day = (10 if selector is None else 16) if wide else None  # with the time of day where there is room for it
    columns = [
        Column("DATE", "faint"),
        Column("EVENT"),
        Column("ARTIFACT", "name", give=1),
        Column("VERSION", "version"),
        Column("STAGE", "good"),
        Column("BY", give=1),
        *([Column("SIGNED BY", "good")] if show_signature else []),
        Column("WHY", give=1),
        *([] if wide else [Column("TAG")]),
    ]
    rows = (
        [
            event.date[:day].replace("T", " ") if wide else event.date,
            event.event,
            event.artifact if selector is None or not wide else "",
            short(event.version or ""),
            event.stage or "",
            event.author,
            *([proofs[event.tag].brief] if show_signature else []),
            event.reason or event.message.partition("\n")[0] or _approval(event),
            *([] if wide else [event.tag]),
        ]
        for event in events
    )
    out.table(columns, rows)


def _approval(event: EventView) -> str:
    """The stages that an approval is for: without a word of its own, it would look like any amendment."""
    return f"approved for {', '.join(event.approves)}" if event.approves else ""

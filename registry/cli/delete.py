"""`registry delete`"""

from __future__ import annotations

import sys

import click

from registry.cli import options, out
from registry.errors import Refused, UsageError


@options.command()
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.push()
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
def command(
    call: options.Call, tags: tuple[str, ...], yes: bool, push: bool, remote: str | None, dry_run: bool
) -> None:
    """Delete tags for good, all or none. History forgets them; deregister is nearly always what is meant.

    \b
    registry delete 'churn#production#7' --yes
    """
    if not yes and not dry_run:
        found = call.registry.delete(*tags, dry_run=True)
        for event in found.events:
            out.say(
                f"{event.tag}: {event.event} of {event.artifact} {event.version or ''}, {event.date}, {event.author}"
            )
        if not sys.stdin.isatty():
            raise UsageError("deletion is for good, and there is nobody to ask", "say --yes if you mean it")
        if not click.confirm(f"Delete {len(tags)} tag{'s' if len(tags) > 1 else ''} for good?", err=True):
            raise Refused("nothing was deleted")
    written = call.registry.delete(*tags, push=push, remote=remote, dry_run=dry_run)
    if call.json:
        out.as_json(written.to_json())
    else:
        for tag in tags:
            out.line(tag.removeprefix("refs/tags/"))
        out.say("nothing was deleted: this was a dry run" if dry_run else "deleted")

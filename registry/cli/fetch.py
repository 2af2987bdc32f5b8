"""`registry fetch`"""

from __future__ import annotations

import click

from registry.cli import options, out


@options.command()
@click.argument("artifacts", nargs=-1, metavar="[NAME]...", shell_complete=options.complete_artifacts)
@options.remote()
def command(call: options.Call, artifacts: tuple[str, ...], remote: str | None) -> None:
    """Bring the remote's versions and stages: all, or those of some artifacts. No tag that is here moves.

    \b
    registry fetch
    registry fetch churn --remote upstream
    """
    fetched = call.registry.fetch(*artifacts, remote=remote)
    if call.json:
        out.as_json(fetched.to_json())
        return
    for tag in fetched.tags:
        out.line(tag)
    for tag in fetched.left_out:
        out.note(f"{tag} is left out: a tag that is here stands in its way; git tag -d deletes that one")
    if not fetched.tags:
        out.say(f"nothing new at {fetched.remote}")
    if fetched.unpublished:
        out.note(f"{out.counted(len(fetched.unpublished), 'event')} not published yet; registry push does that")
    if fetched.differing:
        out.note(f"{out.counted(len(fetched.differing), 'tag')} differing here and there; registry status lists them")

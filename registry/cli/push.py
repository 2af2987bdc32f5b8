"""`registry push`"""

from __future__ import annotations

import click

from registry.cli import options, out


@options.command()
@click.argument("artifacts", nargs=-1, metavar="[NAME]...", shell_complete=options.complete_artifacts)
@options.remote()
def command(call: options.Call, artifacts: tuple[str, ...], remote: str | None) -> int:
    """Publish what was written here and not pushed yet, in order: all, or that of some artifacts; exit code 1 where
    something had to be withdrawn.

    Where others have published meanwhile, each event is decided again: a version that was free to choose takes the next
    name, and what cannot be any more is withdrawn, with all that depends on it.

    \b
    registry push
    registry push churn
    """
    pushed = call.registry.push(*artifacts, remote=remote)
    if call.json:
        out.as_json(pushed.to_json())
    else:
        call.written(pushed.written)
        if not pushed.events and not pushed.withdrawn:
            out.say(f"nothing to publish to {pushed.remote}")
    if pushed.withdrawn:
        out.say("hint: registry status lists what was withdrawn")
    return 1 if pushed.withdrawn else 0

"""`registry hook`"""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from registry.cli import options, out
from registry.errors import UsageError

_SHOWN = 20  # objections that are told one by one


@options.command()
@click.argument("action", type=click.Choice(["install", "run"]))
@click.argument("repository", required=False)
def command(call: options.Call, action: str, repository: str | None) -> int:
    """Guard a server: a pre-receive hook that takes no push which the registry's rules forbid.

    `install REPOSITORY` writes it into a repository that others push to; `run` is what Git calls then. It goes by the
    default branch as it was before the push, and leaves all refs alone that are not the registry's.

    \b
    registry hook install /srv/git/models.git
    """
    if action == "install":
        call = replace(call, repo=repository or call.repo)
        file = call.registry.install_hook()
        if call.json:
            out.as_json({"hook": str(file)})
        else:
            out.line(str(file))
        return 0
    if repository is not None:
        raise UsageError("run is what Git calls, in its repository", f"registry hook install {repository}")
    found = call.registry.judge_push(sys.stdin.buffer.read())
    if call.json:
        out.as_json({"objections": [one.to_json() for one in found]})
        return 1 if found else 0
    for one in found[:_SHOWN]:
        out.say(f"error: {one.ref.removeprefix('refs/tags/')}: {one.why}")
        if one.hint:
            out.say(f"  hint: {one.hint}")
    if len(found) > _SHOWN:
        out.say(f"error: and {len(found) - _SHOWN} more")
    return 1 if found else 0

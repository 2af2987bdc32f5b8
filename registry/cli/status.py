"""`registry status`"""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.cli import options, out
from registry.cli.out import Column

if TYPE_CHECKING:
    from registry.porcelain.status import Status

_WORDS = {
    "unregistered": "no version yet",
    "registered": "HEAD is the latest version",
    "unchanged": "as in the latest version",
    "changed": "changed since the latest version",
    "missing": "its path is not at HEAD",
}


@options.command()
@options.remote()
@options.offline("Do not ask the remote: compare with what was last fetched.")
def command(call: options.Call, remote: str | None, offline: bool) -> None:
    """Compare the work tree with what is registered, and the tags here with those of the remote.

    \b
    registry status
    registry status --offline --json
    """
    status = call.registry.status(remote=remote, offline=offline)
    if call.json:
        out.as_json(status.to_json())
        return
    if out.terminal():
        out.field("HEAD", f"{status.head[:7] if status.head else 'no commits yet'} ({status.branch or 'detached'})")
    rows = [
        [a.name, a.latest or "-", _WORDS[a.state], "modified in the work tree" if a.modified else ""]
        for a in status.artifacts
    ]
    if rows:
        out.table([Column("NAME", "name", give=1), Column("LATEST", "version"), Column("AT HEAD"), Column("")], rows)
    else:
        out.say("nothing is declared at HEAD")
        out.say("hint: registry add NAME --path PATH declares a model; commit the manifest then")
    _tags(status)
    for name in status.undeclared:
        out.note(f"{name} has versions, but is not in the manifest at HEAD")
    if status.interrupted:
        out.note("a command was interrupted while it wrote; the next one that writes mends that")


def _tags(status: Status) -> None:
    """What is to be done with tags that are not the same here and there, each with the command that does it."""
    remote = status.remote
    if remote is not None:
        groups = [
            (remote.unpublished, f"not published to {remote.name}", "registry push"),
            (remote.remote_only, f"only at {remote.name}", "registry fetch brings them"),
            (
                [tag for tag in remote.differing if tag not in remote.moved],
                f"made here, and another tag at {remote.name}",
                "registry push settles it",
            ),
            (
                remote.moved,
                f"another tag at {remote.name}",
                f"registry delete TAG --yes, then registry fetch, takes what {remote.name} has",
            ),
            (remote.deleted, f"deleted at {remote.name}", "registry delete TAG deletes it here too"),
        ]
        for tags, words, what in groups:
            for tag in tags:
                out.line(f"{tag}: {words}")
            if tags:
                out.say(f"hint: {what}")
    for lost in status.withdrawn:
        out.line(f"{lost.tag}: withdrawn, kept as {lost.oid}")
    if status.withdrawn:
        out.say("hint: git update-ref -d refs/registry-withdrawn/ID lets go of one")

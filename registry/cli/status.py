"""`registry status`"""

from __future__ import annotations

from registry.cli import options, out
from registry.cli.out import Column

_WORDS = {
    "unregistered": "no version yet",
    "registered": "HEAD is the latest version",
    "unchanged": "as in the latest version",
    "changed": "changed since the latest version",
    "missing": "its path is not at HEAD",
}


@options.command()
def command(call: options.Call) -> None:
    """Compare the work tree with what is registered: what is new, changed, or not committed yet.

    \b
    registry status
    """
    status = call.registry.status()
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
    for name in status.undeclared:
        out.note(f"{name} has versions, but is not in the manifest at HEAD")
    if status.interrupted:
        out.note("a command was interrupted while it wrote; the next one that writes mends that")

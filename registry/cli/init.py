"""`registry init`"""

from __future__ import annotations

from registry.cli import options, out


@options.command()
def command(call: options.Call) -> None:
    """Write a manifest, registry.yaml, at the root of the repository.

    \b
    registry init
    """
    edited = call.registry.init()
    if call.json:
        out.as_json(edited.to_json())
        return
    out.line(edited.path)
    out.say("hint: registry add NAME --path PATH declares a model in it; commit it then")

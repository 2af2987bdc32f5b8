"""`registry init`"""

from __future__ import annotations

from registry.cli import options


@options.command()
def command(call: options.Call) -> None:
    """Write a manifest, registry.yaml, at the root of the repository.

    \b
    registry init
    """
    call.edited(call.registry.init(), "registry add NAME --path PATH declares a model in it; commit it then")

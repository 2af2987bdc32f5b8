"""`registry ui`"""

from __future__ import annotations

import click

from registry.cli import options, out


@options.dashboard
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="That port; 0 takes any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address alone.")
@click.option("--read-only", is_flag=True, help="Show everything, and change nothing.")
def command(repos: tuple[str, ...], as_json: bool, port: int | None, no_browser: bool, read_only: bool) -> int:
    """Show the registry in a browser, from this machine and for it alone, until Ctrl-C.

    Versions can be registered, assigned, rolled back and so on there; each form shows the command that it equals. It
    listens at port 7777, or at another one where that is taken. The address that it prints holds a secret: who has it
    is let in, others of this machine are not.

    \b
    registry ui
    registry ui --repo . --repo https://example.com/team/models.git --read-only
    """
    sources = options.opened(repos, acts=not read_only)
    from registry.web.guard import Guard
    from registry.web.server import listening, serve

    here = listening(port)
    guard = Guard(here.getsockname()[1])
    try:
        if as_json:
            out.as_json({"url": guard.address})
        else:
            out.line(guard.address)
        if not no_browser:
            _browse(guard.address)
        serve(sources, here, guard)
    except KeyboardInterrupt:  # as it is meant to end
        if out.terminal():
            click.echo(err=True)  # after the terminal's own ^C
    return 0


def _browse(url: str) -> None:
    """Open a browser, which may take its time; the address is printed, where there is none."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

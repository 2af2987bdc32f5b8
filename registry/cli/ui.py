"""`registry ui`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from registry.cli import options, out
from registry.errors import RegistryError

if TYPE_CHECKING:
    from registry.web.sources import Sources


def dashboard(function: Callable[..., Any]) -> click.Command:
    """A command on several repositories, named like its file, with the options that every one takes."""
    shared = options.many(
        click.option(
            "--repo",
            "repos",
            multiple=True,
            metavar="PATH|URL",
            help="A repository, a directory in it, or a URL; may repeat. Otherwise the one here.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Answer in JSON."),
    )
    name = function.__module__.rpartition(".")[2]
    return click.command(name, context_settings={"help_option_names": ["-h", "--help"]})(shared(function))


def opened(repos: tuple[str, ...], *, acts: bool, static: bool = False) -> Sources:
    """The repositories. Raises RegistryError where what makes pages is not installed."""
    try:
        import jinja2
        import markdown_it
        import starlette
        import uvicorn  # noqa: F401  (asked for by `serve`; said here, before anything is opened)
    except ModuleNotFoundError as error:
        hint = "pip install 'git-registry[ui]'"
        raise RegistryError(f"the dashboard needs a package that is not installed: {error.name}", hint) from error
    del jinja2, markdown_it, starlette
    from registry.web.sources import open_sources

    return open_sources(repos, acts=acts, static=static)


@dashboard
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="That port; 0 takes any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address alone.")
@click.option("--read-only", is_flag=True, help="Show everything, and change nothing.")
def command(repos: tuple[str, ...], as_json: bool, port: int | None, no_browser: bool, read_only: bool) -> int:
    """Show the registry in a browser, from this machine and for it alone, until Ctrl-C.

    Versions can be registered, assigned, rolled back and so on there; each form shows the command that it equals. It
    listens at port 7777, or at another one where that is taken.

    \b
    registry ui
    registry ui --repo . --repo https://example.com/team/models.git --read-only
    """
    sources = opened(repos, acts=not read_only)
    from registry.web.server import listening, serve

    here = listening(port)
    url = f"http://127.0.0.1:{here.getsockname()[1]}/"
    try:
        if as_json:
            out.as_json({"url": url})
        else:
            out.line(url)
        if not no_browser:
            _browse(url)
        serve(sources, here)
    except KeyboardInterrupt:  # as it is meant to end
        if out.terminal():
            click.echo(err=True)  # after the terminal's own ^C
    return 0


def _browse(url: str) -> None:
    """Open a browser, which may take its time; the address is printed, where there is none."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

"""`registry site`"""

from __future__ import annotations

from pathlib import Path

import click

from registry.cli import options, out


@options.dashboard
@click.option(
    "-o", "--output", required=True, metavar="DIR", help="The directory: a new one, or that of an earlier site."
)
def command(repos: tuple[str, ...], as_json: bool, output: str) -> None:
    """Write the registry as pages: static files that any server shows, or a browser without one.

    \b
    registry site -o public
    registry site -o public --repo . --repo https://example.com/team/models.git
    """
    sources = options.opened(repos, acts=False, static=True)
    from registry.web import site
    from registry.web.page import notes_of

    directory = Path(output)
    with sources.reading() as dashboard:
        pages = site.write(dashboard, directory)
        notes = notes_of(dashboard)
        notes += [f"{source.name} cannot be read: {error.message}" for source, error in site.unreadable(dashboard)]
    for note in notes:
        out.note(note)
    if as_json:
        out.as_json({"directory": str(directory), "pages": pages})
        return
    out.line(str(directory))
    out.say(f"{out.counted(pages, 'page')} written")

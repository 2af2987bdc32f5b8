"""`registry pull`"""

from __future__ import annotations

import click

from registry.cli import options, out


@options.command()
@options.selector()
@click.option("-o", "--output", metavar="DIR", help="Where to; without it, NAME-VERSION in the current directory.")
@options.remote()
@options.verify()
def command(call: options.Call, selector: str, output: str | None, remote: str | None, verify: bool) -> None:
    """Bring the files of a version: from Git, Git LFS, DVC or a URL, verified, at their paths below a directory.

    \b
    registry pull churn
    registry pull 'churn#production' -o /srv/models/churn
    registry pull churn@v1.2.0 --json
    """
    draw = out.progress()
    try:
        pulled = call.registry.pull(
            selector,
            output,
            remote=remote,
            verify=verify,
            on_progress=lambda p: draw(f"{out.size(p.done)} of {out.size(p.total)}"),
        )
    finally:
        draw("")
    if call.json:
        out.as_json(pulled.to_json())
        return
    out.line(pulled.directory)
    subject = pulled.commit[:7] if pulled.version is None else pulled.version
    size = out.size(sum(file.size for file in pulled.files))
    out.say(f"{pulled.artifact} {subject}: {out.counted(len(pulled.files), 'file')}, {size}")

"""`registry plan`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from registry.cli import options, out

if TYPE_CHECKING:
    from registry.porcelain.gitops import Plan

_COLUMNS = (
    out.Column("TAG", "name", give=2),
    out.Column("EVENT"),
    out.Column("ARTIFACT", give=1),
    out.Column("VERSION", "version", give=1),
    out.Column("STAGE"),
    out.Column("NOW", "faint", give=1),
)


@options.command()
@click.option("--rev", "revision", metavar="REV", help="By the manifests of that commit; otherwise of HEAD.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there is something to do.")
@click.option("--markdown", is_flag=True, help="Answer in Markdown, for a comment or a summary.")
def command(call: options.Call, revision: str | None, exit_code: bool, markdown: bool) -> int:
    """Show the tags that apply would make of what the manifests want; exit with 1 where a line cannot be made true.

    A line is `version: V`, which registers, or `assign: {STAGE: V}`. No tags are fetched.

    \b
    registry plan
    registry plan --rev my-branch --markdown
    registry plan --exit-code > plan.txt
    """
    options.one_of(markdown=markdown, json=call.json)
    found = call.registry.plan(revision)
    if call.json:
        out.as_json(found.to_json())
    elif markdown:
        from registry.markdown import plan

        click.echo(plan(found), nl=False)
    else:
        _print(found)
    return 1 if found.obstacles or (exit_code and found.steps) else 0


def _print(found: Plan) -> None:
    from registry.core.plan import shown

    rows = [
        [event.tag, event.event, event.artifact, shown(event.version or ""), event.stage or "", shown(step.now or "")]
        for step in found.steps
        for event in step.events
    ]
    if rows:
        out.table(_COLUMNS, rows)
    for note in found.notes:
        out.note(note)
    for obstacle in found.obstacles:
        out.say(f"error: {obstacle.words}")
        if obstacle.hint:
            out.say(f"hint: {obstacle.hint}")
    if not rows and not found.obstacles:
        out.say(f"nothing to do: the tags are what the manifests at {found.commit[:7]} want")

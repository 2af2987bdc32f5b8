"""`registry check`"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from registry.cli import options, out

if TYPE_CHECKING:
    from registry.manifests.check import Problem


@options.command()
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="How to write it; github is for annotations in a workflow.",
)  # fmt: skip
def command(call: options.Call, form: str) -> int:
    """Find every problem in the manifests of the work tree; exit with 1 if there is an error.

    `.registry/allowed_signers` and `.registry/baseline` are looked at, too, and whether those who have to sign can.

    \b
    registry check
    registry check --format github
    """
    problems = call.registry.check()
    errors = sum(problem.severity == "error" for problem in problems)
    if call.json or form == "json":
        out.as_json({"problems": [asdict(problem) for problem in problems]})
    elif form == "github":
        for problem in problems:
            click.echo(_annotation(problem))
    else:
        for problem in problems:
            place = f"{problem.path}:{problem.line}:{problem.column}"
            click.echo(f"{out.safe(place)}: ", nl=False)
            out.problem(problem.severity, problem.message)
            if problem.hint:
                out.say(f"  hint: {problem.hint}")
        warnings = len(problems) - errors
        found = f"{out.counted(errors, 'error')}, {out.counted(warnings, 'warning')}"
        out.say(found if problems else "no problems")
    return 1 if errors else 0


def _annotation(problem: Problem) -> str:
    """A workflow command that annotates a line; what could end it or begin another is escaped, as its runner says."""
    words = problem.message + (f" (hint: {problem.hint})" if problem.hint else "")
    place = f"file={_property(problem.path)},line={problem.line},col={problem.column}"
    return f"::{problem.severity} {place}::{_data(words)}"


def _data(text: str) -> str:
    return out.safe(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

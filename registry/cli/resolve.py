"""`registry resolve`"""

from __future__ import annotations

import click

from registry.cli import options, out
from registry.errors import NotFound


@options.command()
@options.selector()
@click.option("--commit", is_flag=True, help="Print the commit's full id.")
@click.option("--tag", is_flag=True, help="Print the tag of its registration.")
@click.option("--path", is_flag=True, help="Print the path of its file.")
@options.verify()
def command(call: options.Call, selector: str, commit: bool, tag: bool, path: bool, verify: bool) -> None:
    """Print the version that a selector means.

    \b
    registry resolve churn
    registry resolve 'churn#production' --commit
    registry resolve 'churn@>=1.0,<2' --json
    """
    field = options.one_of(commit=commit, tag=tag, path=path)
    if call.json:
        out.as_json(call.registry.resolve(selector, verify=verify).to_json())
    elif field is None:
        out.line(call.registry.find(selector, verify=verify))
    else:
        value = call.registry.resolve(selector, verify=verify).to_json()[field]
        if value is None:
            raise NotFound(f"{selector} has no {field}", "registry resolve --json shows all that is known")
        out.line(str(value))

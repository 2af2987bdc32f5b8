"""`registry annotate`"""

from __future__ import annotations

from typing import Any

import click

from registry.cli import options


@options.command()
@options.selector()
@options.note
@options.facts
@click.option(
    "--deployment", "deployments", multiple=True, metavar="ENV=URL", callback=options.pairs("deployment"),
    help="Where the version runs; may repeat.",
)  # fmt: skip
@options.way()
def command(call: options.Call, selector: str, **said: Any) -> None:
    """Add to what is known of a version.

    Labels and uses replace those that were there; of metrics, parameters, tags and deployments those of the same name.
    An empty value removes one: --metric auc=

    \b
    registry annotate churn@v1.2.0 --metric auc=0.94 --label reviewed
    registry annotate 'churn#production' --deployment eu-west=https://churn.example.com
    """
    call.written(call.registry.annotate(selector, **said), dry_run=said["dry_run"])

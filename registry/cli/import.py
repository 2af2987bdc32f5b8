"""`registry import`"""  # noqa: N999  (named like its command; no statement imports it)

from __future__ import annotations

from typing import Any

import click

from registry.cli import options, out
from registry.errors import UsageError


@options.command()
@click.argument("source", type=click.Choice(["gto", "mlflow"]))
@click.option("--uri", metavar="URI", help="mlflow: its tracking or registry; otherwise MLFLOW_TRACKING_URI says it.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="mlflow: that model alone; may repeat.")
@options.way()
def command(call: options.Call, source: str, uri: str | None, models: tuple[str, ...], **how: Any) -> None:
    """Bring over what another registry knows.

    `gto` declares in registry.yaml what artifacts.yaml and .gto declare; GTO's tags are read as they are. `mlflow`
    registers every version of a registry of MLflow's, with its date and author, its run, aliases and stage, and
    declares its models. Said again, it brings what is new. Commit registry.yaml afterwards.

    \b
    registry import gto
    registry import mlflow --uri http://localhost:5000 --model churn --dry-run
    """
    if source == "gto":
        if uri is not None or models:
            raise UsageError("--uri and --model are for mlflow", "registry import gto")
        done = call.registry.import_gto(dry_run=how["dry_run"])
    else:
        done = call.registry.import_mlflow(uri, models, **how)
    if call.json:
        out.as_json(done.to_json())
        return
    for event in done.events:
        out.line(event.tag, faint=event.subject)
    if done.path is not None:
        out.line(done.path)
        for word, those in (("declares", done.artifacts), ("stages", done.stages)):
            if those:
                out.say(f"{word} {', '.join(those)}")
    if done.there:
        what = out.counted(done.there, "version" if source == "mlflow" else "event")
        out.say(f"{what} {'was' if done.there == 1 else 'were'} here already")
    if how["dry_run"]:
        out.say("nothing was written: this was a dry run")
    elif done.path is not None:
        out.say(f"hint: look at it, then git add {done.path} && git commit")
    elif not done.events:
        out.say("nothing to bring")

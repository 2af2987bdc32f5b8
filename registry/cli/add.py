"""`registry add`"""

from __future__ import annotations

import click

from registry.cli import options
from registry.core.manifest import Json


@options.command()
@click.argument("artifact", metavar="NAME")
@click.option("--path", metavar="PATH", help="Its file or directory, a DVC output, or a URL.")
@click.option("--type", "kind", default="model", metavar="TYPE", help="What it is: model (the default), dataset, ...")
@click.option("--description", metavar="TEXT", help="What it is, in one line.")
@click.option("--framework", metavar="NAME", help="What made it, such as scikit-learn.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="A label; may repeat.")
@click.option("--owner", "owners", multiple=True, metavar="OWNER", help="A person or a team; may repeat.")
@click.option("--card", metavar="PATH", help="Its model card.")
@click.option("--metrics", multiple=True, metavar="PATH", help="A file of metrics, read at each version; may repeat.")
@click.option("--params", multiple=True, metavar="PATH", help="A file of parameters; may repeat.")
@click.option("--commit", is_flag=True, help="Commit the manifest, and nothing else.")
def command(
    call: options.Call,
    artifact: str,
    path: str | None,
    kind: str,
    description: str | None,
    framework: str | None,
    labels: tuple[str, ...],
    owners: tuple[str, ...],
    card: str | None,
    metrics: tuple[str, ...],
    params: tuple[str, ...],
    commit: bool,
) -> None:
    """Declare a model or another artifact in the manifest; DIR:NAME goes into the one in DIR.

    \b
    registry add churn --path models/churn.pkl --description 'Who is about to leave'
    registry add train-set --type dataset --path data/train.csv --commit
    """
    inside = call.registry.inside
    fields: dict[str, Json] = {"type": kind}
    if path is not None:
        fields["path"] = path if "://" in path else inside(path)
    words = {"description": description, "framework": framework}
    fields |= {name: value for name, value in words.items() if value is not None}
    for name, values in (("labels", labels), ("owners", owners)):
        if values:
            fields[name] = list(values)
    if card is not None:
        fields["card"] = inside(card)
    for name, files in (("metrics", metrics), ("params", params)):
        if files:
            paths: list[Json] = [inside(file) for file in files]
            fields[name] = paths[0] if len(paths) == 1 else paths
    edited = call.registry.add(artifact, commit=commit, **fields)
    call.edited(edited, f"commit it, then registry register {artifact} makes the first version")

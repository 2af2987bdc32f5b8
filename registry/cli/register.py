"""`registry register`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from registry.cli import options
from registry.errors import UsageError

if TYPE_CHECKING:
    from registry.core.version import Bump


def _artifacts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str] | list[str]:
    if any("=" in value for value in values):
        return {name if path else value: path or value for value in values for name, _, path in [value.partition("=")]}
    return list(values)


@options.command()
@options.artifact()
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--version", metavar="V", help="That version, such as v1.2.0; without it, the next one.")
@click.option("--major", "bump", flag_value="major", help="The next major version.")
@click.option("--minor", "bump", flag_value="minor", help="The next minor version.")
@click.option("--patch", "bump", flag_value="patch", help="The next patch version (the default).")
@click.option("--pre", metavar="NAME", help="A pre-release of that name, such as rc.")
@options.note
@options.facts
@click.option(
    "--artifact", "artifacts", multiple=True, metavar="[NAME=]PATH", callback=_artifacts,
    help="A further file that the version carries; may repeat.",
)  # fmt: skip
@click.option("--undeclared", is_flag=True, help="Do without an entry in the manifest.")
@options.way(force="Give a commit a second version, or move a version to another commit.")
def command(
    call: options.Call, artifact: str, revision: str, version: str | None, bump: Bump | None, **said: Any
) -> None:
    """Make a commit a version: HEAD, or REV.

    \b
    registry register churn
    registry register churn --minor -m 'Trained on March data' --metric auc=0.93
    registry register churn main~2 --version v2.0.0-rc.1
    """
    if version is not None and (bump is not None or said["pre"] is not None):
        raise UsageError("--version says it all", "leave --major, --minor, --patch and --pre out")
    written = call.registry.register_written(artifact, revision, version=version, bump=bump or "patch", **said)
    call.written(written, dry_run=said["dry_run"])

"""`registry register`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from registry.cli import options
from registry.core.version import parse
from registry.errors import NotFound, UsageError

if TYPE_CHECKING:
    from registry.core.version import Bump


def _artifacts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [value.partition("=") for value in values]
    return [(name, path) if equals else ("", name) for name, equals, path in pairs]


@options.command()
@options.artifact()
@click.argument("revision", default="HEAD", metavar="[REV]")
@click.option("--version", metavar="V", help="That version, such as v1.2.0; without it, the next one.")
@click.option("--major", is_flag=True, help="The next major version.")
@click.option("--minor", is_flag=True, help="The next minor version.")
@click.option("--patch", is_flag=True, help="The next patch version (the default).")
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
    call: options.Call,
    artifact: str,
    revision: str,
    version: str | None,
    major: bool,
    minor: bool,
    patch: bool,
    **said: Any,
) -> None:
    """Make a commit a version: HEAD, or REV.

    \b
    registry register churn
    registry register churn --minor -m 'Trained on March data' --metric auc=0.93
    registry register churn main~2 --version v2.0.0-rc.1
    """
    options.one_of(major=major, minor=minor, patch=patch)
    bump: Bump = "major" if major else "minor" if minor else "patch"
    if version is not None and (major or minor or patch or said["pre"] is not None):
        raise UsageError("--version says it all", "leave --major, --minor, --patch and --pre out")
    try:
        written = call.registry.register_written(artifact, revision, version=version, bump=bump, **said)
    except NotFound as error:
        version = f"v{revision.removeprefix('v')}"
        if parse(version) is None or not error.message.endswith(revision):
            raise
        raise NotFound(error.message, f"REV is a commit; did you mean --version {version}?") from error
    call.written(written, dry_run=said["dry_run"])

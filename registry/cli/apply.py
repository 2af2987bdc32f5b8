"""`registry apply`"""

from __future__ import annotations

import click

from registry.cli import options, out


@options.command()
@click.option("--rev", "revision", metavar="REV", help="By the manifests of that commit, here.")
@click.option("--push-batch", "batch", type=int, metavar="N", help="With --push: at most N tags in one push.")
@options.way()
def command(
    call: options.Call,
    revision: str | None,
    batch: int | None,
    push: bool,
    remote: str | None,
    offline: bool,
    sign: bool | None,
    dry_run: bool,
) -> None:
    """Make the tags that the manifests want: `version:` registers, `assign:` assigns; all models as one, all or none.

    What counts is the manifest at the present tip of the remote's default branch, or, without a remote, at HEAD. A
    version is registered where its line came into that branch. Said again, it does nothing. REGISTRY_CHANGE (the URL of
    the merged pull request) and REGISTRY_APPROVED_BY (addresses, by commas) are recorded where they are set.

    \b
    registry apply
    registry apply --push
    registry apply --push --push-batch 3
    """
    import os

    from registry.porcelain.gitops import told_by

    change = told_by(os.environ)
    done = call.registry.apply(
        revision=revision,
        batch=batch,
        changes=None if change is None else lambda _: change,
        push=push,
        remote=remote,
        offline=offline,
        sign=sign,
        dry_run=dry_run,
    )
    call.written(done, dry_run=dry_run)
    if not done.events and not call.json:
        out.say("nothing to do: the tags are what the manifests want")

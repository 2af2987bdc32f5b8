"""`registry verify`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from registry.cli import options, out

if TYPE_CHECKING:
    from registry.porcelain.verify import Failure, Verification


@options.command(paged=True)
@options.selector(required=False)
@click.option("--policy", metavar="REV", help="The commit or branch to go by; otherwise the remote's default branch.")
@click.option("--write-baseline", is_flag=True, help="Accept every event as it is now, in .registry/baseline.")
def command(call: options.Call, selector: str | None, policy: str | None, write_baseline: bool) -> int:
    """Judge every event by its signature and by the policy; exit with 1 if one fails.

    The policy, and the keys of `.registry/allowed_signers`, are those of the remote's default branch as it was fetched
    last; without a remote, HEAD's.

    \b
    registry verify
    registry verify 'churn#production'
    registry verify --policy v2-policy --json
    """
    if write_baseline:
        return _written(call, selector, policy)
    found = call.registry.verify(selector, policy=policy)
    if call.json:
        out.as_json(found.to_json())
        return 0 if found.trusted else 1
    for one in found.failures:
        _tell("error", one)
    for one in found.warnings:
        _tell("warning", one)
    out.say(_summary(found))
    if not found.asks:
        out.say(
            f"hint: the policy at {found.policy} asks for no signature and names nobody: https://git-registry.github.io/git-registry/trust/"
        )
    return 0 if found.trusted else 1


def _tell(severity: str, one: Failure) -> None:
    out.problem(severity, f"{one.subject}: {one.message}")
    tell = out.line if out.terminal() else out.say  # a pager shows what goes to stdout alone, and in that order
    if one.date is not None:
        tell(f"  by {one.author} <{one.email}>, {one.date[:16].replace('T', ' ')}")
    if one.hint:
        tell(f"  hint: {one.hint}")


def _summary(found: Verification) -> str:
    by = f"by {found.policy}" + (f" ({found.commit[:7]})" if found.commit is not None else "")
    signed = f"{found.proven} of {found.signed} signatures proven" if found.signed else "none signed"
    what = f"{out.counted(found.events, 'event')}, {signed}"
    known = f", {found.accepted} in the baseline" if found.accepted else ""
    return f"{what}{known}; {by}: {'all is well' if found.trusted else out.counted(len(found.failures), 'failure')}"


def _written(call: options.Call, selector: str | None, policy: str | None) -> int:
    done = call.registry.write_baseline(selector, policy=policy)
    if call.json:
        out.as_json(done.to_json())
        return 0
    for one in done.failing:
        _tell("warning", one)
    out.line(done.path)
    out.say(f"{out.counted(done.events, 'event')} are accepted as they are, {len(done.failing)} that fail without it")
    out.say("hint: look at what is accepted, commit it, and have it reviewed")
    return 0

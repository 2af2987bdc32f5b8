"""`registry stages`"""

from __future__ import annotations

from registry.cli import options, out
from registry.cli.out import Column
from registry.cli.show import short


@options.command(paged=True)
def command(call: options.Call) -> None:
    """List the stages, and what is in them.

    \b
    registry stages
    """
    stages = call.registry.stages()
    if call.json:
        out.as_json({"stages": [stage.to_json() for stage in stages]})
        return
    if not stages:
        out.say("there are no stages yet: none is declared, and nothing was assigned")
        return
    columns = [Column("STAGE", "name"), Column("RULES", give=1), Column("HOLDS", "version", give=1)]
    rows = []
    for stage in stages:
        rule = stage.rule
        rules = [] if rule is None else [
            *([f"after {rule.after}"] if rule.after else []),
            *(["exclusive"] if rule.exclusive else []),
            *(["signed"] if rule.signed else []),
            *([out.counted(rule.approvals, "approval")] if rule.approvals else []),
            *([f"by {' '.join(rule.allow)}"] if rule.allow else []),
        ]  # fmt: skip
        words = ", ".join(rules) if rule is not None else "not declared"
        rows.append([stage.name, words, " ".join(f"{name}@{short(v)}" for name, v in stage.holders.items())])
    out.table(columns, rows)

"""`registry diff`"""

from __future__ import annotations

import json

from registry.cli import options, out
from registry.cli.out import Column
from registry.cli.show import short
from registry.core.compare import Difference


@options.command(paged=True)
@options.selector("a")
@options.selector("b")
def command(call: options.Call, a: str, b: str) -> None:
    """Compare two versions: manifest entry, metadata, metrics, parameters, labels, stages and files.

    \b
    registry diff churn@v1.0.0 churn@latest
    registry diff 'churn#production' 'churn#staging'
    """
    comparison = call.registry.diff(a, b)
    if call.json:
        out.as_json(comparison.to_json())
        return
    rows = [
        [section, d.key, _text(d.before), _text(d.after), _change(d) if section == "metrics" else ""]
        for section, found in comparison.sections.items()
        for d in found
    ]
    if not rows:
        out.say("they do not differ")
        return
    before, after = comparison.before, comparison.after
    columns = [
        Column("WHAT", "faint"),
        Column("KEY", "name", give=1),
        Column(f"{before.artifact}@{short(before.version)}", give=1),
        Column(f"{after.artifact}@{short(after.version)}", give=1),
        Column("CHANGE", right=True),
    ]
    out.table(columns, rows)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict) and set(value) == {"sha256", "size"}:
        return f"{value['sha256'][:7]} {out.size(value['size'])}" if value["sha256"] else "not in Git"
    if value is True:
        return "yes"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _change(difference: Difference) -> str:
    return "" if difference.change is None else f"{difference.change:+g}"

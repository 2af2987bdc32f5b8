"""`registry lineage`"""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.cli import options, out

if TYPE_CHECKING:
    from registry.porcelain.lineage import Step


@options.command(paged=True)
@options.selector()
def command(call: options.Call, selector: str) -> None:
    """Show what a version was made from, and what was made from it.

    \b
    registry lineage churn@latest
    """
    found = call.registry.lineage(selector)
    if call.json:
        out.as_json(found.to_json())
        return
    out.field("version", f"{found.artifact}@{found.version}")
    words = f" {found.summary.subject} ({found.summary.author}, {found.summary.date[:10]})" if found.summary else ""
    out.field("commit", found.commit[:7] + words)
    out.field("run", found.run or "")
    out.field("run link", found.run_url or "")
    _steps("made from", found.uses)
    _steps("used by", found.used_by)


def _steps(title: str, steps: tuple[Step, ...]) -> None:
    out.line(f"{title}:{'' if steps else ' nothing that is recorded'}")
    for step in steps:
        out.line(f"{'  ' * step.steps}{step.version}")

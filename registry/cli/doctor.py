"""`registry doctor`"""

from __future__ import annotations

from registry.cli import options, out


@options.command()
def command(call: options.Call) -> int:
    """Find what is damaged or ambiguous among tags and manifests; exit with 1 if there is any.

    \b
    registry doctor
    """
    diagnosis = call.registry.doctor()
    if call.json:
        out.as_json(diagnosis.to_json())
        return 0 if diagnosis.sound else 1
    for finding in diagnosis.findings:
        out.problem(finding.severity, f"{finding.subject}: {finding.message}")
        out.say(f"  hint: {finding.hint}")
    counts = {"tag": diagnosis.tags, "event": diagnosis.events, "artifact": diagnosis.artifacts}
    looked = ", ".join(out.counted(count, what) for what, count in counts.items())
    errors = sum(finding.severity == "error" for finding in diagnosis.findings)
    warnings = len(diagnosis.findings) - errors
    found = f"{out.counted(errors, 'error')}, {out.counted(warnings, 'warning')}"
    out.say(f"{looked}: {found if diagnosis.findings else 'all is well'}")
    return 0 if diagnosis.sound else 1

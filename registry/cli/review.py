"""`registry review`"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from registry.cli import options, out

if TYPE_CHECKING:
    from registry.core.gates import Measure
    from registry.core.metadata import Scalar
    from registry.core.review import Line, ManifestChange
    from registry.core.trusting import TrustChange
    from registry.manifests.check import Problem
    from registry.porcelain.gitops import Plan, PlanStep

_WIDTH = 80
_LONGEST = 500  # characters of one value; --json has it whole


@options.command()
@click.argument("base")
@click.argument("head", default="HEAD")
@click.option("--markdown", is_flag=True, help="Answer in Markdown, for a comment or a summary.")
def command(call: options.Call, base: str, head: str, markdown: bool) -> int:
    """Say what a change of the manifests means: what HEAD (or another commit) changes since it left BASE, which tags
    apply will make of it, what it changes of who is trusted, and all that is wrong; exit with 1 if it should not be
    merged.

    \b
    registry review main
    registry review origin/main my-branch --markdown
    """
    options.one_of(markdown=markdown, json=call.json)
    found = call.registry.review(base, head)
    if call.json:
        out.as_json(found.to_json())
    elif markdown:
        from registry.markdown import review

        click.echo(review(found), nl=False)
    else:
        _changes(found.changes)
        _trust(found.trust)
        _plan(found.plan)
        _problems(found.problems)
        for note in (*found.plan.notes, *found.notes):
            out.line(f"note: {note}")
    return 1 if found.failed else 0


def _changes(changes: Sequence[ManifestChange]) -> None:
    from registry.core.review import counts, lines, weight

    if not changes:
        out.line("no manifest changed")
        return
    out.heading(f"changes ({counts(changes)})")
    groups = [(artifact, list(group)) for artifact, group in groupby(lines(changes), lambda line: line.artifact)]
    for artifact, found in sorted(groups, key=lambda group: min(map(weight, group[1]))):
        _line(1, _title(artifact, found))
        for line in found:
            if line.kind != "renamed":
                _change(line)


def _title(artifact: str | None, lines: Sequence[Line]) -> str:
    if artifact is None:
        return "general rules"
    first = lines[0]
    if first.kind == "renamed":
        return f"{artifact} (renamed from {first.before})"
    whole = all(line.kind == first.kind for line in lines) and any(line.key == "manifest" for line in lines)
    return f"{artifact} ({first.kind})" if whole and first.kind != "changed" else artifact


def _change(line: Line) -> None:
    """What was said is marked with -, what is said now with +, as in a diff."""
    before, after = _value(line.before), _value(line.after)
    if line.before and line.after:
        both = f"{line.key}: {before} -> {after}"
        if len(both) <= _WIDTH - 6:
            _line(2, f"  {both}")
            return
    if line.before or line.kind == "removed":
        _line(2, f"- {line.key}: {before}".removesuffix(": "))
    if line.after or line.kind == "added":
        _line(2, f"+ {line.key}: {after}".removesuffix(": "))


_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def _trust(trust: Sequence[TrustChange]) -> None:
    """Who is trusted from now on, and what; nothing where that stays as it is."""
    from registry.core.trusting import GROUPS, SHOWN, counts

    if trust:
        out.heading(f"who is trusted ({counts(trust)})")
    for about, name in GROUPS.items():
        lines = [one for one in trust if one.about == about]
        if lines:
            _line(1, name)
        for one in lines[:SHOWN]:
            said = " ".join(filter(None, (_MARKS[one.kind], _value(one.subject), _value(one.short))))
            _line(2, f"{said}: {one.remark}" if one.remark else said)
        if len(lines) > SHOWN:
            _line(2, f"and {len(lines) - SHOWN} more: --json has all")


def _plan(plan: Plan) -> None:
    """What apply will do; the notes come last, with the others."""
    if not plan.steps and not plan.obstacles:
        out.line("apply has nothing to do")
    else:
        out.heading("what apply will do")
    if plan.obstacles:
        _line(1, f"nothing, as long as {out.counted(len(plan.obstacles), 'line')} of the manifests cannot be made true")
    for step in plan.steps:
        _line(1, _step(step))
        for event in step.events:
            _line(2, event.tag)
        _measures(step.metrics)
    for obstacle in plan.obstacles:
        _line(1, f"{obstacle.artifact}: {obstacle.stage or 'version'}: {obstacle.message}")
        _measures(obstacle.metrics)


def _step(step: PlanStep) -> str:
    if step.stage is None:
        return f"register {step.artifact} {step.version} at {(step.commit or '')[:7]}"
    return f"{step.artifact}: {step.stage}: {step.now or 'nothing'} -> {step.version or 'nothing'}"


def _measures(measures: Sequence[Measure]) -> None:
    from registry.core.compare import Difference

    for one in measures:
        change = Difference(one.metric, one.now, one.candidate).change
        now = "" if one.now is None else f"{_scalar(one.now)} -> "
        grown = "" if change is None else f" ({change:+g})"
        wanted = f", wanted {' and '.join(one.wanted)}: {'passed' if one.passed else 'failed'}" if one.wanted else ""
        _line(2, f"{_value(one.metric)}: {now}{_scalar(one.candidate)}{grown}{wanted}")


def _scalar(value: Scalar) -> str:
    return "unknown" if value is None else _value(value) if isinstance(value, str) else json.dumps(value)


def _problems(problems: Sequence[Problem]) -> None:
    if not problems:
        out.line("no problems")
        return
    out.heading("problems")
    for one in sorted(problems, key=lambda one: one.severity != "error"):
        click.echo(f"  {out.safe(f'{one.path}:{one.line}:{one.column}')}: ", nl=False)
        out.problem(one.severity, one.message)
        if one.hint:
            _line(2, f"hint: {one.hint}")


def _value(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text) - _LONGEST} characters more)"


def _line(depth: int, text: str) -> None:
    out.line("  " * depth + text)

"""Markdown for hosts' summaries and comments: whatever strangers wrote stands in code, where nothing is markup.

In a code span or a code block GitHub-flavoured Markdown knows no markup, HTML, links, mentions or references to issues
(https://github.github.com/gfm/#code-spans), so that nobody has to list the characters that could be some.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from registry.core import review as rules
from registry.core import trusting
from registry.core.compare import Difference
from registry.core.text import safe

if TYPE_CHECKING:
    from registry.core.gates import Measure
    from registry.core.metadata import Scalar
    from registry.core.trusting import TrustChange
    from registry.porcelain.gitops import Obstacle, Obstructed, Plan, PlanStep
    from registry.porcelain.review import Review
    from registry.porcelain.verify import Failure, Verification

_LONGEST = 60_000  # characters of one block: hosts cut a summary off at 1 MB, and a comment at 65,536 characters


def code(text: str) -> str:
    """`text` as one code span, on one line; nothing where it is empty. Fit for a cell of a table, too."""
    shown = safe(text).replace("\t", " ").strip()
    if not shown:
        return ""
    fence = "`" * (_longest_run(shown) + 1)
    blank = " " if shown.startswith("`") or shown.endswith("`") else ""  # else it would make the fence longer
    # A table is cut at every |, even in code, and a backslash before it may belong to another backslash.
    return f"{fence}{blank}{shown}{blank}{fence}".replace("|", r"\x7c")


def block(text: str) -> str:
    """`text` as a block of code, its lines kept."""
    lines = [safe(line) for line in text[:_LONGEST].splitlines()]
    if len(text) > _LONGEST:
        lines.append("...")
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; columns without any content are left out, "" where all are."""
    used = [place for place, _ in enumerate(titles) if any(row[place] for row in rows)]
    lines = [
        [titles[place] for place in used],
        ["---" for _ in used],
        *([row[place] for place in used] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if used else ""


# -- what changes, and what `apply` will do ----------------------------------------------------------------------------

_CELL = 200  # characters of one thing that somebody wrote
_NOTE = 500  # and of one sentence
# Characters of one table or list: of obstacles; of tags, and of problems; of metrics, and of notes; of each group of
# changes.
_LONG, _MIDDLE, _SHORT, _CHANGES = 10_000, 7_500, 7_000, 6_000
# The same for keys and for accepted events, and the characters of a name there, and of a key with its options: no row
# is too long, however much of it has to be escaped, so that nobody hides it by that.
_TRUST = {"key": 3_500, "event": 2_000}
_NAME, _KEY = 80, 160


def review(found: Review) -> str:
    """A review as a page that fits into a comment: no longer than 60,000 characters, and it says what is left out."""
    page = _Page()
    page.say(f"## Registry review: {'to be mended' if found.failed else 'ready'}")
    errors = sum(one.severity == "error" for one in found.problems)
    page.say(f"From {code(found.base[:7])} to {code(found.head[:7])}.")
    page.say(
        f"{rules.counts(found.changes).capitalize() or 'No manifest changed'}. Tags to make: {len(found.plan.events)}. "
        f"Errors: {errors}, warnings: {len(found.problems) - errors}."
    )
    if found.trust:
        page.say(f"This changes what is trusted. {trusting.counts(found.trust).capitalize()}.")
    _plan(page, found.plan)
    _trust(page, found.trust)
    _changes(page, rules.lines(found.changes))
    page.say("### Problems")
    page.table(
        ("Where", "Severity", "Problem", "Hint"),
        [
            [_cell(f"{one.path}:{one.line}:{one.column}"), one.severity, _sentence(one.message), _sentence(one.hint)]
            for one in found.problems
        ],
        "problems",
        "None.",
        size=_MIDDLE,
        weights=[one.severity != "error" for one in found.problems],
    )
    page.notes([*found.plan.notes, *found.notes])
    return page.end("registry review --json")


def plan(found: Plan) -> str:
    """What `apply` will do as a page, bounded like a review."""
    page = _Page()
    page.say("## Registry plan")
    page.say(f"By the manifest at {code(found.commit[:7])}.")
    _plan(page, found)
    _obstacles(page, found.obstacles)
    page.notes(found.notes)
    return page.end("registry plan --json")


def obstructed(error: Obstructed) -> str:
    """What kept `apply` from doing anything as a page, bounded like a review."""
    page = _Page()
    page.say("## Registry apply: nothing was done")
    page.say(f"By the manifest at {code(error.commit[:7])}.")
    _obstacles(page, error.obstacles)
    return page.end(f"registry plan --rev {error.commit[:7]} --json")


def verification(found: Verification) -> str:
    """What `verify` found as a page, bounded like a review."""
    page = _Page()
    page.say(f"## Registry verify: {'all is well' if found.trusted else 'not to be trusted'}")
    page.say(f"By the policy at {code(found.policy)} {code((found.commit or '')[:7])}.")
    page.say(
        f"Events: {found.events}, in the baseline: {found.accepted}. Signatures: {found.signed}, proven: "
        f"{found.proven}. Failures: {len(found.failures)}, warnings: {len(found.warnings)}."
    )
    if not found.asks:
        page.say("This policy asks for no signature and names nobody.")
    for title, those in (("What fails", found.failures), ("Warnings", found.warnings)):
        if those:
            page.say(f"### {title}")
            titles = ("Event", "Why", "By", "Since", "Hint")
            page.table(titles, [_failing(one) for one in those], title.lower(), "", size=_FAILING)
    return page.end("registry verify --json")


_FAILING = 25_000


def _failing(one: Failure) -> list[str]:
    by = f"{one.author} <{one.email}>" if one.date is not None else ""
    since = code((one.date or "")[:16].replace("T", " "))
    return [_cell(one.subject), _sentence(one.message), _cell(by), since, _sentence(one.hint)]


def _obstacles(page: _Page, obstacles: Sequence[Obstacle]) -> None:
    if obstacles:
        page.say(f"### What stands in the way ({len(obstacles)})")
        rows = [
            [_cell(one.artifact), _cell(one.stage or "version"), _sentence(one.message), _sentence(one.hint)]
            for one in obstacles
        ]
        page.table(("Artifact", "Stage", "Why", "Hint"), rows, "obstacles", "")


def _changes(page: _Page, lines: Sequence[rules.Line]) -> None:
    """What matters first, and room for each kind of it: nothing is buried under any number of other lines."""
    page.say("### Changes of the manifests")
    if not lines:
        page.say("None.")
    for place, about in enumerate(rules.GROUPS):
        found = sorted((line for line in lines if rules.weight(line)[0] == place), key=rules.weight)
        if found:
            rows = [
                [one.kind, *(_cell(text) for text in (one.artifact or "", one.key, one.before, one.after))]
                for one in found
            ]
            page.say(f"#### {about.capitalize()}")
            titles = ("What", "Artifact", "Key", "Before", "After")
            page.table(titles, rows, f"lines of changes ({about})", "", size=_CHANGES)


def _trust(page: _Page, found: Sequence[TrustChange]) -> None:
    """Whose keys count, and what is accepted as it is, each with room of its own."""
    if found:
        page.say("### What is trusted")
    for about, name in trusting.GROUPS.items():
        lines = [one for one in found if one.about == about]
        if lines:
            page.say(f"#### {name.capitalize()}")
            rows = [
                [one.kind, code(_cut(one.subject, _NAME)), code(_cut(one.short, _KEY)), code(_cut(one.remark, _NAME))]
                for one in lines
            ]
            titles = ("What", "Whose", "Key", "Remark") if about == "key" else ("What", "Tag", "Object", "Remark")
            what = f"lines of what is trusted ({name})"
            page.table(titles, rows, what, "", size=_TRUST[about], most=trusting.SHOWN)


def _plan(page: _Page, found: Plan) -> None:
    page.say("### What apply will do")
    if found.obstacles:
        page.say(f"Nothing, as long as something stands in the way ({len(found.obstacles)}). Then it would make:")
    page.table(
        ("Tag", "Artifact", "Stage", "From", "To"),
        [row for step in found.steps for row in _tags(step)],
        "tags",
        "No tag: what the manifests want is so." if not found.obstacles else "No tag.",
        size=_MIDDLE,
        # A stage that has something in it counts for more than an empty one, and that for more than a registration.
        weights=[2 if step.stage is None else step.now is None for step in found.steps for _ in step.events],
    )
    measured = [(one.artifact, one.stage, measure) for one in found.steps for measure in one.metrics]
    measured += [(one.artifact, one.stage, measure) for one in found.obstacles for measure in one.metrics]
    if measured:
        page.say("### Metrics")
        rows = [[_cell(artifact), _cell(stage or ""), *_measured(measure)] for artifact, stage, measure in measured]
        titles = ("Artifact", "Stage", "Metric", "Now", "Candidate", "Change", "Wanted", "Passed")
        page.table(titles, rows, "metrics", "", size=_SHORT, weights=[measure.passed for _, _, measure in measured])


def _tags(step: PlanStep) -> Iterator[list[str]]:
    for event in step.events:
        now, then = step.now or "", step.version or "nothing"
        if event.event == "registration":
            now, then = "", f"{step.version} at {event.commit[:7]}"
        elif event.event == "unassignment":
            now, then = event.version or "", "nothing"
        yield [_cell(text) for text in (event.tag, event.artifact, event.stage or "", now, then)]


def _measured(measure: Measure) -> list[str]:
    change = Difference(measure.metric, measure.now, measure.candidate).change
    return [
        _cell(measure.metric),
        _cell(_value(measure.now)),
        _cell(_value(measure.candidate)) or "unknown",
        "" if change is None else f"{change:+g}",
        _cell(" and ".join(measure.wanted)),
        ("yes" if measure.passed else "no") if measure.wanted else "",
    ]


def _value(value: Scalar) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return code(_cut(text, _CELL))


def _sentence(text: str) -> str:
    return code(_cut(text, _NOTE))


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 3] + "..."


class _Page:
    """A page that grows, each of its tables and lists bounded, and that remembers what it left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left: list[str] = []

    def say(self, text: str) -> None:
        """A paragraph, or a heading; of our own words."""
        self._parts.append(text)

    def table(
        self,
        titles: Sequence[str],
        rows: Sequence[Sequence[str]],
        what: str,
        none: str,
        *,
        size: int = _LONG,
        weights: Sequence[int] = (),
        most: int | None = None,
    ) -> None:
        """A table, as far as it fits into `size` characters and `most` rows; without rows the words `none`.

        Of rows that do not fit, those with the smallest of `weights` stay.
        """
        self.say(table(titles, self._fitting(rows, what, size, weights, most)) or none)

    def notes(self, notes: Sequence[str]) -> None:
        """A list of notes, as far as it fits; nothing where there are none."""
        if notes:
            self.say("### Notes")
            kept = self._fitting([[_sentence(note)] for note in notes], "notes", _SHORT)
            self.say("\n".join(f"- {note}" for (note,) in kept))

    def end(self, whole: str) -> str:
        """The page; below its title it says what it left out, and that the command `whole` has it."""
        if self._left:
            said = f"This page is too long to be whole. Left out: {', '.join(self._left)}. {code(whole)} has all."
            self._parts.insert(1, said)
        return "\n\n".join(filter(None, self._parts)) + "\n"

    def _fitting(
        self,
        rows: Sequence[Sequence[str]],
        what: str,
        size: int,
        weights: Sequence[int] = (),
        most: int | None = None,
    ) -> list[Sequence[str]]:
        """The rows that are not too long together, in their order; what is left out is remembered."""
        kept: set[int] = set()
        for place in sorted(range(len(rows)), key=lambda place: weights[place] if weights else 0):
            needed = sum(len(cell) + 3 for cell in rows[place]) + 2
            if needed <= size and (most is None or len(kept) < most):  # one that is too long hides none of the others
                size -= needed
                kept.add(place)
        if len(kept) < len(rows):
            self._left.append(f"{len(rows) - len(kept)} {what}")
        return [row for place, row in enumerate(rows) if place in kept]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)

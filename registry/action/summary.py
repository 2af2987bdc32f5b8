"""The summaries of a job, in Markdown: whatever strangers wrote stands in code (registry.markdown)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from registry.core.events import Event
from registry.core.facts import Facts
from registry.core.state import ArtifactState
from registry.markdown import block, code, table

_EVENTS = 5000  # of an apply; a summary of more is too long
_LATEST = 20  # rows of a table: the newest ones


def event_summary(facts: Facts, state: ArtifactState, values: Mapping[str, str]) -> str:
    """One event, what its artifact has come to, and how."""
    event = facts.event
    said = [
        ("Tag", code(event.tag)),
        ("Commit", code(facts.commit)),
        ("Number", values["number"]),
        ("Before", code(facts.previous or "")),
        ("Type", code(values["type"])),
        ("Path", code(values["path"])),
        ("By", code(event.by.name)),
        ("Date", event.by.iso),
        ("Reason", code(event.one("Reason") or "")),
    ]
    parts = [
        f"## {headline(event.kind, event.artifact, facts.version, facts.stage)}",
        "" if facts.current else "**This is no longer so:** later events have changed it.",
        table(["", ""], [[title, value] for title, value in said if value]),
        block(event.message.body) if event.message.body else "",
        f"### Versions of {code(state.name)}",
        _versions(state) or "None.",
        f"### History of {code(state.name)}",
        _history(state),
    ]
    return "\n\n".join(part for part in parts if part)


def headline(kind: str, artifact: str, version: str | None, stage: str | None) -> str:
    """An event in a few words."""
    subject = " ".join(code(word) for word in (artifact, _short(version or "")) if word)
    place = f" {_LINKS.get(kind, '')} {code(stage)}" if stage else ""
    return f"{kind.capitalize()}: {subject}{place}"


_LINKS = {"assignment": "to", "unassignment": "from"}


def _versions(state: ArtifactState) -> str:
    shown = list(reversed(state.active))[:_LATEST]
    rows = [
        [
            code(v.name),
            str(v.number),
            ", ".join(code(stage) for stage in state.stages_of(v.name)),
            v.registration.by.iso[:10],
            code(v.registration.by.name),
        ]
        for v in shown
    ]
    return _with_more(table(["Version", "Number", "Stages", "Registered", "By"], rows), len(state.active) - len(shown))


def _history(state: ArtifactState) -> str:
    pairs = list(zip(state.events, state.subjects, strict=True))
    shown = list(reversed(pairs))[:_LATEST]
    rows = [
        [
            event.by.iso[:16].replace("T", " "),
            event.kind,
            code(_short(subject or event.one("Version") or "")),
            code(getattr(event, "stage", "")),
            code(event.by.name),
            code(_why(event)),
        ]
        for event, subject in shown
    ]
    return _with_more(table(["Date", "Event", "Version", "Stage", "By", "Why"], rows), len(pairs) - len(shown))


def _why(event: Event) -> str:
    text = event.one("Reason") or event.message.body.partition("\n")[0]
    return text if len(text) <= 200 else f"{text[:200]}..."


def _with_more(shown: str, left: int) -> str:
    return f"{shown}\n\nand {left} more" if left > 0 else shown


def apply_summary(events: Sequence[Facts], notes: Sequence[str]) -> str:
    """What an apply did."""
    rows = [
        [
            facts.event.kind,
            code(facts.event.artifact),
            code(_short(facts.version or "")),
            code(facts.stage or ""),
            code(_short(facts.previous or "")),
            code(facts.commit[:7]),
            code(facts.event.tag),
        ]
        for facts in events
    ]
    done = table(["Event", "Artifact", "Version", "Stage", "Before", "Commit", "Tag"], rows[:_EVENTS])
    parts = [
        "## Applied" if events else "## Nothing to apply",
        _with_more(done, len(rows) - _EVENTS) if rows else "All that the manifest wants is so already.",
        "\n".join(f"- {code(note)}" for note in notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _short(version: str) -> str:
    """A version, or the first digits of a bare commit."""
    return version[:7] if len(version) >= 40 and not version.startswith("v") else version

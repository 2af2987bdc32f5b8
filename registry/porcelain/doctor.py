"""`doctor`: what is damaged, ambiguous or doubtful in a repository. It reads, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from registry.core import diagnosis
from registry.core.diagnosis import Finding
from registry.core.manifest import Json
from registry.core.state import fold
from registry.plumbing import history, tags, write
from registry.plumbing.objects import missing
from registry.repository import Repository


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was looked at, and what was found; errors first."""

    tags: int
    events: int
    artifacts: int
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is unreadable or ambiguous; warnings do not count."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> dict[str, Json]:
        """The shape of `doctor --json`."""
        return {
            "sound": self.sound,
            "tags": self.tags,
            "events": self.events,
            "artifacts": self.artifacts,
            "findings": [
                {"severity": f.severity, "code": f.code, "subject": f.subject, "message": f.message, "hint": f.hint}
                for f in self.findings
            ],
        }


def doctor(repository: Repository) -> Diagnosis:
    """Look at every tag, every artifact's events and the manifests at HEAD."""
    repository.about()
    records = tags.read_tags(repository.git)
    groups = tags.by_artifact(tags.events_of(records))
    states = {name: fold(name, events) for name, events in groups.items()}
    findings = [
        f for record in records if (f := diagnosis.damaged_tag(record.name, record.type, record.raw)) is not None
    ]
    findings += diagnosis.sick_artifacts(states, repository.clock())
    if not repository.is_partial and not history.is_cut_off(repository.clone.common_dir):
        events = [event for state in states.values() for event in state.events]
        lost = missing(repository.git, list(dict.fromkeys(event.commit for event in events)))
        findings += diagnosis.without_commits(events, set(lost))
    for path, reason in repository.manifest_at_head.broken.items():
        findings.append(
            Finding("error", "manifest", path, f"it cannot be read at HEAD: {reason}", "registry check says more")
        )
    if write.interrupted(repository.clone):
        message = "a command was interrupted while it wrote tags"
        findings.append(Finding("warning", "interrupted", "journal", message, "the next command that writes mends it"))
    findings.sort(key=lambda f: (f.severity, f.subject))
    return Diagnosis(len(records), sum(map(len, groups.values())), len(states), tuple(findings))

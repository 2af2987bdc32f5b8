"""What is damaged, ambiguous or doubtful in each repository."""

from __future__ import annotations

from dataclasses import dataclass

from registry.errors import RegistryError
from registry.porcelain.doctor import Diagnosis
from registry.web.memory import kept
from registry.web.page import Dashboard, Page, Source

MOST = 500  # findings of one repository; `registry doctor` lists all


@dataclass(frozen=True, slots=True)
class Health:
    """One repository: what `doctor` found, or why it could not be read."""

    source: Source
    diagnosis: Diagnosis | None
    trouble: RegistryError | None


def page(dashboard: Dashboard) -> Page:
    """The page of all findings."""
    found = [_look(source) for source in dashboard.sources]
    return Page("health.html", "Health", "health.html", {"repositories": found, "most": MOST})


def _look(source: Source) -> Health:
    try:
        # It reads every tag again: seconds, where there are 100,000 of them.
        return Health(source, kept(("health", source.slug), source.moment(), source.registry.doctor), None)
    except RegistryError as error:
        return Health(source, None, error)

"""What is damaged, ambiguous or doubtful in each repository, and what is not to be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from registry.errors import RegistryError
from registry.porcelain.doctor import Diagnosis
from registry.porcelain.verify import Verification
from registry.web.memory import kept
from registry.web.page import Dashboard, Page, Source

MOST = 500  # findings of one repository; `registry doctor` and `registry verify` list all

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Health:
    """One repository: what `doctor` found and what `verify` did, or why that could not be told."""

    source: Source
    diagnosis: Diagnosis | RegistryError
    verification: Verification | RegistryError

    @property
    def trouble(self) -> RegistryError | None:
        """Why it could not be read."""
        return self.diagnosis if isinstance(self.diagnosis, RegistryError) else None

    @property
    def doubt(self) -> RegistryError | None:
        """Why it could not be verified."""
        return self.verification if isinstance(self.verification, RegistryError) else None


def page(dashboard: Dashboard) -> Page:
    """The page of all findings."""
    found = [_look(source) for source in dashboard.sources]
    return Page("health.html", "Health", "health.html", {"repositories": found, "most": MOST})


def _look(source: Source) -> Health:
    # Both read every tag again: seconds, where there are 100,000 of them, and 11 ms for each new signature.
    return Health(
        source, _told(source, "health", source.registry.doctor), _told(source, "trust", source.registry.verify)
    )


def _told(source: Source, what: str, ask: Callable[[], T]) -> T | RegistryError:
    try:
        return kept((what, source.slug), source.moment(), ask)
    except RegistryError as error:
        return error

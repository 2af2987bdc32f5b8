"""What a selector means: the verb that all others begin with, and all that `resolve` needs."""

from __future__ import annotations

from registry.core import select
from registry.core.select import Selected
from registry.core.state import ArtifactState
from registry.repository import Repository


def find(repository: Repository, text: str) -> tuple[ArtifactState, Selected]:
    """The one version that a selector means. Raises NotFound or UsageError."""
    selector = select.parse(text)
    state = repository.state(selector.artifact)
    if not state.exists:
        state = repository.existing(selector.artifact)
    return state, select.select(state, selector)

"""What the cards of versions say, under what is known of them otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from registry.core.manifest import Declaration
from registry.core.metadata import CardFacts
from registry.manifests import cards
from registry.repository import Repository

_AT_ONCE = 100  # cards that are in memory together
_NOTHING = CardFacts()


def facts(repository: Repository, wanted: Sequence[tuple[str, Declaration | None]]) -> list[CardFacts]:
    """What the card that each declaration names says at its commit; where there is none, nothing.

    The same bytes are read once, however many versions have that card.
    """
    places = [(commit, said.card) for commit, said in wanted if said is not None and isinstance(said.card, str)]
    ids = dict(zip(places, repository.ids_at(places), strict=True))
    first = {oid: place for place, oid in reversed(ids.items()) if oid}
    known: dict[str, CardFacts] = {}
    for start in range(0, len(first), _AT_ONCE):
        part = dict(list(first.items())[start : start + _AT_ONCE])
        blobs = repository.blobs_at(list(part.values()), limit=cards.LIMIT)
        known.update(
            (oid, cards.read(blob.data)) for oid, blob in zip(part, blobs, strict=True) if blob.data is not None
        )
    return [_of(commit, declared, ids, known) for commit, declared in wanted]


def _of(
    commit: str, declared: Declaration | None, ids: Mapping[tuple[str, str], str], known: Mapping[str, CardFacts]
) -> CardFacts:
    if declared is None or not declared.card:
        return _NOTHING
    if isinstance(declared.card, str):
        return known.get(ids[commit, declared.card], _NOTHING)
    return cards.facts(declared.card)

"""Model cards: what their front matter says, as model hubs have it (https://huggingface.co/docs/hub/model-cards).

Strangers write cards for people. What cannot be understood is left out, and costs nothing but itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from registry.core.manifest import Json
from registry.core.metadata import CardFacts, Scalar, number
from registry.errors import ManifestError

LIMIT = 200_000  # bytes of a card; of a longer one nothing is read
_FRONT = 50_000  # characters of front matter that are read as YAML
_MOST, _LONGEST = 200, 200  # values of a kind; characters of one
_front = re.compile(r"---[ \t]*\n(?P<front>.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def parts(text: str) -> tuple[str, str]:
    """The front matter of a card, as model hubs have it, and the rest."""
    found = _front.match(text)
    return (found["front"], text[found.end() :]) if found is not None else ("", text)


def text_of(data: bytes) -> str:
    """A card's bytes as text, its lines ended by newlines."""
    return data.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n")


def read(data: bytes) -> CardFacts:
    """What the front matter of a card says. Never raises."""
    front, _ = parts(text_of(data))
    if front == "" or len(front) > _FRONT:
        return CardFacts()
    from registry.manifests import documents  # YAML takes time to import

    try:
        said = documents.plain(documents.parse(front))
    except ManifestError:
        return CardFacts()
    return facts(said) if isinstance(said, dict) else CardFacts()


def facts(said: Mapping[str, Json]) -> CardFacts:
    """What a card says, of its front matter or of the mapping in a manifest."""
    known = {"license": said.get("license_name") or said.get("license"), "datasets": said.get("datasets")}
    tags = {key: ", ".join(words) for key, value in known.items() if (words := _words(value))}
    return CardFacts(_metrics(said.get("model-index")), tags, tuple(_words(said.get("tags"))))


def _words(value: Json) -> list[str]:
    """A text, or a list of them, each on one line."""
    values = value if isinstance(value, list) else [value]
    texts = (" ".join(one.split()) for one in values[:_MOST] if isinstance(one, str))
    return list(dict.fromkeys(text for text in texts if 0 < len(text) <= _LONGEST))


def _metrics(index: Json) -> dict[str, Scalar]:
    """The metrics of a model-index: each by its type alone, or `DATASET.TYPE` where several results have that type.

    Of two with the same name the first stands.
    """
    found = list(islice(_results(index), _MOST))
    types = Counter(kind for kind, _, _ in found)
    named: dict[str, Scalar] = {}
    for kind, dataset, value in found:
        named.setdefault(kind if types[kind] == 1 else f"{dataset}.{kind}", value)
    return named


def _results(index: Json) -> Iterator[tuple[str, str, Scalar]]:
    for entry in _mappings(index):
        for result in _mappings(entry.get("results")):
            dataset = result.get("dataset")
            name = _first(dataset.get("type"), dataset.get("name")) if isinstance(dataset, dict) else ""
            for metric in _mappings(result.get("metrics")):
                kind, value = _first(metric.get("type"), metric.get("name")), metric.get("value")
                if isinstance(value, str):
                    value = number(" ".join(value.split())[:_LONGEST])
                if kind and isinstance(value, int | float | str) and not isinstance(value, bool):
                    yield kind, name or "other", value


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in (value if isinstance(value, list) else []) if isinstance(one, dict))


def _first(*values: Any) -> str:
    return next((words[0] for value in values if (words := _words(value))), "")

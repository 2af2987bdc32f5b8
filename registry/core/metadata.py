"""What is known of a version: the keys of its tags over the files of its manifest (DESIGN parts 2, 3 and 5)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from registry.core.events import Amendment, Event, Registration
from registry.core.message import Keys

if TYPE_CHECKING:
    from registry.core.manifest import Json

Scalar: TypeAlias = "str | int | float | bool | None"
T = TypeVar("T")

# Keys whose values are `k=v`: an amendment replaces those of that k alone (DESIGN part 3).
_PAIRS = ("Metric", "Param", "Tag", "Deployment")
APPROVED = "Approved"  # an approval: an amendment that names the stage

# Keys that are about the event or its place in the chain, not about the version.
_OF_EVENT = frozenset({"Previous", "Counter", "Number", "Version", "Reason", APPROVED})
_KNOWN = _OF_EVENT | {*_PAIRS, "Run", "Run-URL", "Label", "Artifact", "Uses", "Description", "Content"}

_NONE: frozenset[str] = frozenset()  # every other empty one takes 216 bytes, and there are two a version

_number = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class File:
    """A file or directory that a version carries: its path, the SHA-256 of its bytes, its size in bytes."""

    path: str
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a model card says in its front matter: metrics, tags (`license`, `datasets`), and its own tags as labels."""

    metrics: Mapping[str, Scalar] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one version.

    `other` holds the keys that this program does not know, with all their values. What is removed hides what the
    manifest's files say of it.
    """

    metrics: Mapping[str, Scalar] = field(default_factory=dict)
    params: Mapping[str, Scalar] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    artifacts: tuple[File, ...] = ()
    deployments: Mapping[str, str] = field(default_factory=dict)
    run: str | None = None
    run_url: str | None = None
    description: str | None = None
    content: Json = None
    other: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed_metrics: frozenset[str] = frozenset()
    removed_params: frozenset[str] = frozenset()
    removed_tags: frozenset[str] = frozenset()

    def over(self, metrics: Mapping[str, Scalar], params: Mapping[str, Scalar], description: str | None) -> Metadata:
        """These, laid over what the manifest and its files said at the version's commit."""
        return replace(
            self,
            metrics={**_without(metrics, self.removed_metrics), **self.metrics},
            params={**_without(params, self.removed_params), **self.params},
            description=self.description if self.description is not None else description or None,
        )

    def over_card(self, card: CardFacts) -> Metadata:
        """These, laid over what the model card said at the version's commit. Labels of the tags replace its own."""
        return replace(
            self,
            metrics={**self.metrics, **_without(card.metrics, self.removed_metrics | self.metrics.keys())},
            tags={**self.tags, **_without(card.tags, self.removed_tags | self.tags.keys())},
            labels=self.labels or card.labels,
        )


def _without(values: Mapping[str, T], names: frozenset[str]) -> dict[str, T]:
    return {name: value for name, value in values.items() if name not in names}


def gather(registration: Registration, amendments: Iterable[Amendment]) -> Metadata:
    """The metadata that a registration and its later amendments, in order, give a version."""
    keys = dict(registration.keys)
    for amendment in amendments:
        keys = _overlaid(keys, amendment.keys)
    return read(keys)


def overlaid(registration: Registration, amendments: Iterable[Amendment]) -> list[tuple[str, str]]:
    """`gather` as the keys themselves, for a registration of the same version elsewhere."""
    keys = dict(registration.keys)
    for amendment in amendments:
        keys = _overlaid(keys, amendment.keys)
    return [(key, value) for key, values in keys.items() for value in values]


def of_event(event: Event) -> Metadata:
    """What one event alone says."""
    return read(event.keys)


def _overlaid(below: Keys, above: Keys) -> dict[str, tuple[str, ...]]:
    keys = dict(below)
    for key, values in above.items():
        if key in _PAIRS:
            # An empty value removes the pair: it is kept without its "=", to hide what the manifest's files say, too.
            said = [value if value.partition("=")[2] else value.partition("=")[0] for value in values]
            names = {value.partition("=")[0] for value in values}
            kept = tuple(value for value in keys.get(key, ()) if value.partition("=")[0] not in names)
            keys[key] = (*kept, *said)
        elif key not in _OF_EVENT:
            keys[key] = values
    return keys


def read(keys: Keys) -> Metadata:
    """The keys of a message as values. What does not parse is left out of its place, never an error."""
    return Metadata(
        metrics={k: number(v) for k, v in _pairs(keys, "Metric").items()},
        params={k: number(v) for k, v in _pairs(keys, "Param").items()},
        tags=_pairs(keys, "Tag"),
        labels=_unique(keys, "Label"),
        uses=_unique(keys, "Uses"),
        artifacts=tuple(file for value in keys.get("Artifact", ()) if (file := parse_file(value)) is not None),
        deployments=_pairs(keys, "Deployment"),
        run=_last(keys, "Run"),
        run_url=_last(keys, "Run-URL"),
        description=_last(keys, "Description"),
        content=_content(_last(keys, "Content")),
        removed_metrics=_removed(keys, "Metric"),
        removed_params=_removed(keys, "Param"),
        removed_tags=_removed(keys, "Tag"),
        other={key: values for key, values in keys.items() if key not in _KNOWN},
    )


def _pairs(keys: Keys, key: str) -> dict[str, str]:
    said = {name: (equals, value) for name, equals, value in (text.partition("=") for text in keys.get(key, ()))}
    return {name: value for name, (equals, value) in said.items() if name and equals}


def _removed(keys: Keys, key: str) -> frozenset[str]:
    return frozenset(text for text in keys.get(key, ()) if text and "=" not in text) or _NONE


def _unique(keys: Keys, key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in keys.get(key, ()) if value))


def _last(keys: Keys, key: str) -> str | None:
    values = keys.get(key)
    return values[-1] or None if values else None


def _content(text: str | None) -> Json:
    if text is None:
        return None
    try:
        value: Json = json.loads(text, parse_constant=str, parse_float=number)
    except (ValueError, RecursionError):
        return text
    return value


def number(text: str) -> Scalar:
    """`text` as a number where it is JSON's spelling of one that JSON can give back, else as it is."""
    found = _number.fullmatch(text)
    if found is None or len(text) > 300:
        return text
    if found.group(1) is None and found.group(2) is None:
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else text


def spell(value: object) -> str:
    """A metric or parameter as the `v` of `k=v`: numbers as JSON spells them, booleans as true and false."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    item = getattr(value, "item", None)  # a NumPy scalar
    return spell(item()) if callable(item) else json.dumps(value, default=str)


_file = re.compile(r"(?P<path>.+) sha256:(?P<sha256>[0-9a-f]{64}) (?P<size>[0-9]{1,19})")


def parse_file(text: str) -> File | None:
    """The value of an `Artifact` key: path, digest and size, or a path alone."""
    found = _file.fullmatch(text)
    if found is not None:
        return File(found["path"], found["sha256"], int(found["size"]))
    return File(text) if text else None


def spell_file(file: File) -> str:
    """The value of an `Artifact` key for `file`."""
    return file.path if file.sha256 is None else f"{file.path} sha256:{file.sha256} {file.size}"

"""What a person says with a write, and how it becomes the keys of a tag."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.core import metadata
from registry.core.message import one_line
from registry.errors import UsageError

Keys = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """The words that any event may carry: the message's body, and a reason of one line."""

    message: str = ""
    reason: str | None = None

    def keys(self) -> Keys:
        """The keys of the block."""
        return (("Reason", one_line(self.reason, "the reason")),) if self.reason else ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a version, to be written into its registration or an amendment.

    `content` is any value that JSON can spell. In an amendment, an empty value of a metric, parameter, tag or
    deployment removes it (DESIGN part 3).
    """

    description: str | None = None
    labels: Sequence[str] = ()
    run: str | None = None
    run_url: str | None = None
    metrics: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, object] = field(default_factory=dict)
    uses: Sequence[str] = ()
    content: object = None
    deployments: Mapping[str, str] = field(default_factory=dict)

    def keys(self) -> Keys:
        """The keys of the block, in the order of DESIGN part 2."""
        return (
            *_single("Run", self.run),
            *_single("Run-URL", self.run_url),
            *_pairs("Metric", self.metrics),
            *_pairs("Param", self.params),
            *_pairs("Tag", self.tags),
            *(("Label", one_line(label, "a label")) for label in self.labels),
            *(("Uses", use) for use in self.uses),
            *_single("Description", self.description),
            *_content(self.content),
            *_pairs("Deployment", self.deployments),
        )


def _single(key: str, value: str | None) -> Keys:
    return () if value is None else ((key, one_line(value, f"the {key.lower()}")),)


def _pairs(key: str, values: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        if not name or "=" in name or name != name.strip():
            raise UsageError(f"not a name for a {key.lower()}: {name!r}", "a name is not empty and holds no '='")
        yield key, one_line(f"{name}={metadata.spell(value)}", f"the {key.lower()} {name}")


def _content(value: object) -> Keys:
    if value is None:
        return ()
    try:
        return (("Content", json.dumps(value, ensure_ascii=False, allow_nan=False)),)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the content cannot be written as JSON: {error}", "numbers, texts, lists and mappings can"
        ) from error

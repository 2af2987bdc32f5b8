"""What a person says with a write, and how it becomes the keys of a tag."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.core import metadata
from registry.core.hiding import without_user
from registry.core.message import one_line
from registry.errors import UsageError

Keys = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """The words that any event may carry: the message's body, and a reason of one line."""

    message: str = ""
    reason: str | None = None

    def __post_init__(self) -> None:
        _check_texts({"message": self.message, "reason": self.reason or ""})

    def keys(self) -> Keys:
        """The keys of the block."""
        return (("Reason", one_line(self.reason, "the reason")),) if self.reason else ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a version, to be written into its registration or an amendment.

    `content` is any value that JSON can spell. A user and a password in a URL of the run are not written. In an
    amendment, an empty value of a metric, parameter, tag or deployment removes it (DESIGN part 3).
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

    def __post_init__(self) -> None:
        _check_texts({"description": self.description or "", "run": self.run or "", "run_url": self.run_url or ""})
        if self.run is not None and self.run.lstrip().startswith("-"):
            raise UsageError(f"not a run: {self.run!r}", "such as mlflow:ID, dvc:EXP or a URL, or '' for none")
        check_list("labels", self.labels)
        check_list("uses", self.uses)
        for name in ("metrics", "params", "tags", "deployments"):
            values = getattr(self, name)
            if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
                raise UsageError(f"{name} is no mapping of names to values", f"such as {name}={{'auc': 0.93}}")

    def keys(self) -> Keys:
        """The keys of the block, in the order of DESIGN part 2."""
        return (
            *_single("Run", self.run and without_user(self.run)),
            *_single("Run-URL", self.run_url and without_user(self.run_url)),
            *_pairs("Metric", self.metrics),
            *_pairs("Param", self.params),
            *_pairs("Tag", self.tags),
            *(("Label", one_line(label, "a label")) for label in self.labels),
            *(("Uses", use) for use in self.uses),
            *_single("Description", self.description),
            *_content(self.content),
            *_pairs("Deployment", self.deployments),
        )


def _check_texts(texts: Mapping[str, object]) -> None:
    for name, text in texts.items():
        if not isinstance(text, str):
            raise UsageError(f"{name} is no text: {text!r}", "put it into quotes")


def check_list(name: str, values: object) -> None:
    """`values` are several texts, and not one that would be taken letter by letter. Raises UsageError."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise UsageError(f"{name} is no list: {values!r}", f"such as {name}=['one']")
    for value in values:
        if not isinstance(value, str):
            raise UsageError(f"one of {name} is no text: {value!r}", "put it into quotes")


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

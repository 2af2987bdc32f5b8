"""The shape of `registry.yaml`, said once (DESIGN part 4).

`MANIFEST` is data: from it come the JSON Schema (`schema`), what `check` says (`conform.faults`) and what reading takes
(`conform.accepted`). What JSON Schema calls a type is here one small class; every one has `says`, its description.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from registry.core import gates
from registry.core.manifest import Json
from registry.core.names import VERSION_PATTERN, WORD_PATTERN

Schema: TypeAlias = "dict[str, Json]"


@dataclass(frozen=True, slots=True)
class Format:
    """What a text must look like: `noun` names it, `rule` tells a person, `pattern` is matched whole.

    The patterns are both Python's and ECMA-262's, as JSON Schema wants them.
    """

    noun: str
    rule: str
    pattern: str

    def fits(self, text: str) -> bool:
        """Whether `text` has this form."""
        return re.fullmatch(self.pattern, text) is not None


@dataclass(frozen=True, slots=True)
class Text:
    """A text. `null` says that null has a meaning here.

    A text that does not fit its `format` is not taken, unless it is `kept`: that is for the rules of stages, where
    dropping a condition that we cannot read would open a gate.
    """

    says: str
    format: Format | None = None
    null: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words. Others are kept when reading, for "forbidden" does not mean "allow"."""

    says: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    says: str


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things: 0, 1, 2, ..."""

    says: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. `single` says that one item may stand without its list, `some` that it has at least one."""

    says: str
    item: Text
    single: bool = False
    some: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names of the person's own, each with a value. Null is an empty one, as in `models:` with nothing below."""

    says: str
    value: Shape
    key: Format | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The keys that there are, and no others. Null is an empty one, as in `staging:` with nothing below."""

    says: str
    fields: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class TextOr:
    """Either a text or a record."""

    says: str
    text: Text
    record: Record


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever YAML can say."""

    says: str


Shape: TypeAlias = "Text | Choice | Flag | Count | ListOf | MapOf | Record | TextOr | Anything"

# A manifest names what it declares without the directory, which is its own.
_WORD = rf"(?!.*//){WORD_PATTERN}"
_NAME_RULE = "letters and digits, with '-', '_' and '/' between them"

NAME = Format("name for an artifact", f"a name is {_NAME_RULE}, such as churn or pool-seg", _WORD)
STAGE = Format("name for a stage", f"a stage is {_NAME_RULE}, such as staging or prod/eu", _WORD)
TYPE = Format("name for a type", f"a type is {_NAME_RULE}, such as model or dataset", _WORD)
VERSION = Format(
    "version", "a version is v-prefixed SemVer, such as v1.2.0 or v1.2.0-rc.1", rf"(?!.*\.lock$){VERSION_PATTERN}"
)
CONDITION = Format(
    "condition",
    'a condition is <, <=, >, >=, == or != and a number, such as ">=0.9"',
    gates.CONDITION,
)

_REQUIRE = Record(
    "What a version must have to be assigned",
    {
        "metrics": MapOf("Conditions on metrics, by the metric's name", Text("Such as >=0.9", CONDITION, kept=True)),
        "no_worse_than": Text(
            "No metric under `metrics` may be worse than that of this stage's holder", STAGE, kept=True
        ),
        "card": Flag("The model must have a card"),
    },
)
_STAGE = Record(
    "The rules of one stage",
    {
        "after": Text("The stage that a version must have held first", STAGE, kept=True),
        "exclusive": Flag("Assigning first unassigns every other holder"),
        "allow": ListOf("Who may assign", Text("A team (@release) or an e-mail address"), some=True),
        "signed": Flag("Assignments must be signed"),
        "approvals": Count("How many other principals must have approved"),
        "require": _REQUIRE,
    },
)
_STAGES = MapOf("The lifecycle, in order; without it any stage name goes", _STAGE, STAGE)
_VERSIONS = Record(
    "The rules for versions",
    {
        "signed": Flag("Registrations must be signed"),
        "overwrite": Choice("Whether --force may move a version to another commit", ("forbid", "allow")),
    },
)
_TEAMS = MapOf(
    "Teams, for `allow`",
    ListOf("The members", Text("An e-mail address, or a principal of the allowed-signers file")),
)


def _words(says: str) -> ListOf:
    return ListOf(says, Text("One of them"), single=True)


_CARD = TextOr(
    "The model card",
    Text("The path of a model card, relative to this file"),
    Record(
        "A model card in short",
        {
            "license": Text("The licence, as an SPDX expression"),
            "audience": _words("Who it is for"),
            "use_cases": _words("What it is for"),
            "limitations": _words("What it cannot do"),
            "trade_offs": _words("What was given up for what"),
            "ethics": _words("What to think of before using it"),
        },
    ),
)
_ARTIFACT: dict[str, Shape] = {
    "path": Text("A file or directory, relative to this file, or a URL"),
    "description": Text("What it is"),
    "framework": Text("What it was made with, such as scikit-learn"),
    "labels": ListOf("Words to find it by", Text("A label")),
    "owners": ListOf("Who answers for it", Text("A person or a team")),
    "card": _CARD,
    "metrics": ListOf(
        "Files of metrics, read at a version's commit", Text("A path, relative to this file"), single=True
    ),
    "params": ListOf(
        "Files of parameters, read at a version's commit", Text("A path, relative to this file"), single=True
    ),
    "artifacts": MapOf("Further files that a version carries, by name", Text("A path, relative to this file")),
    "metadata": MapOf("Anything else", Anything("Any value")),
    "version": Text("The version that `registry apply` registers", VERSION),
    "assign": MapOf(
        "What `registry apply` assigns: a version, or null for none, by stage",
        Text("A version", VERSION, null=True),
        STAGE,
    ),
    "stages": _STAGES,
    "versions": _VERSIONS,
}

MODEL = Record("A model", _ARTIFACT)
ARTIFACT = Record("An artifact", {"type": Text("What it is: dataset, component, ...", TYPE), **_ARTIFACT})

MANIFEST = Record(
    "A manifest of git-registry: the models of a repository and their lifecycle",
    {
        "stages": _STAGES,
        "versions": _VERSIONS,
        "teams": _TEAMS,
        "models": MapOf("The models, by name", MODEL, NAME),
        "artifacts": MapOf("Other artifacts, by name", ARTIFACT, NAME),
    },
)
ROOT_ONLY = ("stages", "versions", "teams")


def schema() -> Schema:
    """The JSON Schema of `registry.yaml`, for editors: of draft 7, which all of them and SchemaStore take."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://json.schemastore.org/git-registry.json",
        "title": "registry.yaml",
        **_schema(MANIFEST),
    }


def _schema(shape: Shape) -> Schema:
    return {"description": shape.says, **_schema_of_kind(shape)}


def _schema_of_kind(shape: Shape) -> Schema:
    found: Schema = {}
    match shape:
        case Text():
            found = {"type": ["string", "null"] if shape.null else "string", **_pattern(shape.format)}
        case Choice():
            found = {"enum": list(shape.words)}
        case Flag():
            found = {"type": "boolean"}
        case Count():
            found = {"type": "integer", "minimum": 0}
        case ListOf():
            array: Schema = {"type": "array", "items": _schema(shape.item), **({"minItems": 1} if shape.some else {})}
            found = {"anyOf": [_schema(shape.item), array]} if shape.single else array
        case MapOf():
            names: Schema = {} if shape.key is None else {"propertyNames": _pattern(shape.key)}
            found = {"type": ["object", "null"], "additionalProperties": _schema(shape.value), **names}
        case Record():
            fields: Schema = {key: _schema(value) for key, value in shape.fields.items()}
            found = {"type": ["object", "null"], "properties": fields, "additionalProperties": False}
        case TextOr():
            found = {"anyOf": [_schema(shape.text), _schema(shape.record)]}
        case Anything():
            pass
    return found


def _pattern(format: Format | None) -> Schema:  # noqa: A002  (as JSON Schema's vocabulary has it)
    return {} if format is None else {"pattern": f"^(?:{format.pattern})$"}

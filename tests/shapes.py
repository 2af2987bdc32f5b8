"""The shapes of what commands print with `--json`, as docs/output.schema.json says them, and whether an answer has one.

The published schema lets objects have further keys, for a later version may add some. Here they are closed: nothing is
printed that the schema does not say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Schema: TypeAlias = "dict[str, Any]"

FILE = Path(__file__).parent.parent / "docs" / "output.schema.json"


@cache
def published() -> Schema:
    """The schema as it is published. It is read once, and nobody changes it."""
    schema: Schema = json.loads(FILE.read_text())
    return schema


def closed(shape: Any) -> Any:
    """`shape`, in which an object that says its `properties` has no others."""
    if isinstance(shape, list):
        return [closed(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    inner = {key: value if key == "examples" else closed(value) for key, value in shape.items()}
    return {**inner, "additionalProperties": False} if isinstance(shape.get("properties"), dict) else inner


@cache
def _validator(command: str) -> Draft202012Validator:
    whole = published()
    return Draft202012Validator(closed({"$defs": whole["$defs"], **whole["properties"][command]}))


def check(command: str, answer: object) -> None:
    """`answer` is what `registry COMMAND --json` may print. Fails with the place that is wrong, and why."""
    wrong = best_match(_validator(command).iter_errors(answer))
    assert wrong is None, f"registry {command} --json, {wrong.json_path}: {wrong.message}"


def target(shape: Schema) -> tuple[str, Schema]:
    """Where a reference leads to: its pointer, and the shape there with what is said beside the reference.

    Of a shape that refers to nothing: "", and itself.
    """
    pointer = ""
    while "$ref" in shape:
        pointer = shape["$ref"]
        there: Any = published()
        for part in pointer.removeprefix("#/").split("/"):
            there = there[part]
        shape = {**there, **{key: value for key, value in shape.items() if key != "$ref"}}
    return pointer, shape


NOTHING: Any = object()


def keys(shape: Schema, pointer: str, answer: Any = NOTHING) -> Iterator[str]:
    """The pointers of all keys that an answer of this shape can have; or of those that `answer` does have."""
    elsewhere, shape = target(shape)
    pointer = elsewhere or pointer
    for number, choice in enumerate([*shape.get("oneOf", ()), *shape.get("anyOf", ())]):
        if answer is NOTHING or (isinstance(answer, dict) and set(choice.get("required", ())) <= answer.keys()):
            yield from keys(choice, f"{pointer}/{number}", answer)
    for key, value in shape.get("properties", {}).items():
        if answer is NOTHING or (isinstance(answer, dict) and key in answer):
            yield f"{pointer}/{key}"
            yield from keys(value, f"{pointer}/{key}", answer if answer is NOTHING else answer[key])
    if "items" in shape:
        for item in [NOTHING] if answer is NOTHING else answer if isinstance(answer, list) else []:
            yield from keys(shape["items"], f"{pointer}[]", item)

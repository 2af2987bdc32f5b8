"""Files of metrics and parameters, flattened to `a.b.c` keys (DESIGN part 5, `metadata`)."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from typing import Any

from registry.errors import ManifestError
from registry.manifests import documents
from registry.manifests.documents import MAX_BYTES, MAX_DEPTH, JsonScalar


def read_values(path: str, data: bytes) -> dict[str, JsonScalar]:
    """The values in a file of metrics or parameters: JSON, TOML or, whatever else it is called, YAML.

    Nested keys are joined by ".", items of lists counted from 0; of two values for one key the later one stands.
    Numbers that JSON does not know (NaN, 1e400) stay texts, as they are written. Raises ManifestError, which names the
    file.
    """
    lower = path.lower()
    try:
        if lower.endswith(".json"):
            tree = _json(data)
        elif lower.endswith(".toml"):
            tree = _toml(data)
        else:
            tree = documents.plain(documents.parse(data))
    except ManifestError as error:
        raise ManifestError(f"cannot read {path}: {error.message}", error.hint) from None
    if not isinstance(tree, dict | list) and tree is not None:
        raise ManifestError(f"cannot read {path}: it holds a single value, not names and values")
    return dict(_flat(tree, path))


def _flat(tree: Any, path: str) -> Iterator[tuple[str, JsonScalar]]:
    """The leaves of `tree` in order, without recursion: what JSON nests is not bounded by its parser."""
    stack: list[tuple[str, Any, int]] = [("", tree, 0)]
    while stack:
        key, value, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise ManifestError(f"cannot read {path}: nested deeper than {MAX_DEPTH} levels")
        children: list[tuple[Any, Any]] | None = None
        if isinstance(value, dict):
            children = list(value.items())
        elif isinstance(value, list):
            children = list(enumerate(value))
        if children is not None:
            prefix = f"{key}." if depth else ""
            stack.extend((f"{prefix}{name}", child, depth + 1) for name, child in reversed(children))
        elif depth:
            yield key, _leaf(value)


def _leaf(value: Any) -> JsonScalar:
    return value if isinstance(value, str | int | float | None) else str(value)  # TOML has dates


def _json(data: bytes) -> Any:
    try:
        return json.loads(_text(data), parse_int=_integer, parse_float=_float, parse_constant=str)
    except ValueError as error:
        raise ManifestError(f"not JSON: {error}") from None
    except RecursionError:
        raise ManifestError(f"nested deeper than {MAX_DEPTH} levels") from None


def _integer(digits: str) -> int | str:
    # As in YAML: longer ones stay texts, for they fit neither into a float nor, from 4,300 on, into int().
    return int(digits) if len(digits) <= documents.MAX_DIGITS else digits


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


def _toml(data: bytes) -> Any:
    if sys.version_info < (3, 11):
        raise ManifestError("reading TOML takes Python 3.11", "write it as YAML or JSON, or use a newer Python")
    import tomllib  # few files are TOML

    try:
        return tomllib.loads(_text(data), parse_float=_float)
    except ValueError as error:
        raise ManifestError(f"not TOML: {error}") from None
    except RecursionError:
        raise ManifestError(f"nested deeper than {MAX_DEPTH} levels") from None


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise ManifestError(f"larger than {MAX_BYTES // 1_000_000} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestError("not a text in UTF-8") from None

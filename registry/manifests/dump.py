"""Values into YAML, by ruamel.yaml."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from registry.core.manifest import Json
from registry.errors import ManifestError


def _yaml(step: int) -> Any:
    from ruamel.yaml import YAML  # as dear to import as click

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 2**31
    yaml.indent(mapping=step, sequence=step + 2, offset=step)
    return yaml


# ruamel writes some texts without quotes that libyaml does not read back (`[0?]`), and YAML 1.1 has more flags.
_plain = re.compile(r"\w(?:[\w ./+@-]|:(?=/))*")
_FLAGS = {"y", "n", "yes", "no", "on", "off"}


def dumped(data: dict[str, Json], step: int) -> str:
    """`data` in block style. Its texts come from others, so ruamel quotes them, and nobody formats them."""
    out = io.StringIO()
    _yaml(step).dump(styled(data), out)
    return out.getvalue()


def dumped_flow(data: dict[str, Json]) -> str:
    """`data` as it stands between brackets, on one line."""
    yaml = _yaml(2)
    yaml.default_flow_style = True
    out = io.StringIO()
    yaml.dump(styled(data), out)
    return out.getvalue().strip().removeprefix("{").removesuffix("}")


def styled(value: Json) -> Any:
    """`value` for ruamel: lists of scalars in brackets, and in quotes what is not plainly a text to every parser."""
    from ruamel.yaml.comments import CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    match value:
        case dict():
            return {styled(key): styled(item) for key, item in value.items()}
        case list():
            sequence = CommentedSeq(styled(item) for item in value)
            if not any(isinstance(item, dict | list) for item in value):
                sequence.fa.set_flow_style()
            return sequence
        case str() if _plain.fullmatch(value) is None or value.lower() in _FLAGS:
            return DoubleQuotedScalarString(value)
    return value


def round_trip(text: str, step: int, change: Callable[[Any], None]) -> str:
    """`text` with `change` made by ruamel.yaml. Raises ManifestError where it cannot."""
    bare = text.removeprefix("\ufeff")
    yaml = _yaml(step)
    yaml.explicit_start = bare.startswith("---") or None
    out = io.StringIO()
    try:
        document = yaml.load(bare.replace("\r\n", "\n"))  # ruamel keeps "\r" in comments, and would write it twice
        document = {} if document is None else document
        change(document)
        yaml.dump(document, out)
    except Exception as error:  # noqa: BLE001  (it takes other YAML than we do, and says so in many ways)
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ManifestError(f"the manifest cannot be edited: {reason}", "edit it by hand") from None
    new = out.getvalue()
    if "\r\n" in text:
        new = new.replace("\n", "\r\n")
    return new if bare == text else f"\ufeff{new}"

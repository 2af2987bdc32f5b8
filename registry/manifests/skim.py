"""The names that manifests declare, skimmed from their lines: what a shell completes must not wait for YAML.

Only the plain block style is read so, which `registry add` writes and nearly everybody: where a line could mean
anything else, the answer is None, and the manifest has to be read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

# A key, and what stands behind it on its line. No quotes, anchors, aliases, merges or complex keys.
_line = re.compile(r"( *)([A-Za-z0-9_][A-Za-z0-9_./-]*):(?: +(.*))?")
_quoted = re.compile(r"""([\[,] *)(?:'[^']*'|"[^"\\]*")(?= *[,\]])""")  # an item of a list
_item = re.compile(r" *-(?: .*)?")
_SECTIONS = {"registry.yaml": ("models", "artifacts"), "dvc.yaml": ("artifacts",)}
_STAGES = "stages"
_HOLDERS = ("models", "artifacts", _STAGES)  # what is asked for stands below them, a line each


@dataclass(frozen=True, slots=True)
class Skimmed:
    """What a manifest names: its artifacts, without their directory, and the stages of all lifecycles in it."""

    artifacts: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


def skim(path: str, source: bytes) -> Skimmed | None:
    """What the manifest at `path` names, or None where only YAML can tell."""
    name = posixpath.basename(path)
    if name not in _SECTIONS:
        return None
    try:
        keys = list(_keys(source.decode()))
    except ValueError:
        return None
    sections = _SECTIONS[name]
    artifacts = [key[1] for key in keys if len(key) == 2 and key[0] in sections]
    if name != "registry.yaml":
        return Skimmed(tuple(artifacts))
    general = [key[1] for key in keys if len(key) == 2 and key[0] == _STAGES]
    own = [key[3] for key in keys if len(key) == 4 and key[0] in sections and key[2] == _STAGES]
    return Skimmed(tuple(artifacts), tuple(dict.fromkeys([*general, *own])))


def _keys(text: str) -> Iterator[tuple[str, ...]]:
    """The keys of all mappings in block style, each with those above it. Raises ValueError where it cannot tell."""
    above: list[tuple[int, str]] = []  # the keys that are open, with their columns
    hidden = -1  # what is indented deeper belongs to a text or a list
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if re.search("[\r\x85\u2028\u2029]", text):  # they end lines, too
        raise ValueError(text)
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        column = len(line) - len(bare)
        if bare == "" or bare.startswith("#") or (hidden >= 0 and column > hidden):
            continue
        hidden = -1
        if _item.fullmatch(line):
            hidden = column
            continue
        found = _line.fullmatch(line)
        if found is None:
            raise ValueError(line)
        while above and above[-1][0] >= column:
            above.pop()
        above.append((column, found[2]))
        yield tuple(key for _, key in above)
        value = (found[3] or "").strip()
        if re.fullmatch(r"[|>][+-]?(?: +#.*)?", value):
            hidden = column
        elif not _plain(value) or (found[2] in _HOLDERS and value):
            raise ValueError(line)


def _plain(value: str) -> bool:
    """Whether a value ends on its line, and holds no names that are asked for."""
    if value == "" or value.startswith("#"):
        return True
    if value[0] in "{[":
        # In one line, without a text that could hold a bracket, and without a lifecycle; whole items may be quoted.
        value = _quoted.sub(r"\1x", value)
        closed = value.endswith("}" if value[0] == "{" else "]") and value.count("{") == value.count("}")
        return closed and value.count("[") == value.count("]") and not re.search(r"['\"#&*!]|stages|<<", value)
    if value[0] in "'\"":
        return re.fullmatch(r"'[^']*'|\"[^\"\\]*\"", value) is not None
    return value[0] not in "&*!|>%@`?"

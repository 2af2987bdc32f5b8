"""What people are told, read out of the source: one voice, and commands and options that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path

import click
import pytest

from registry.cli import COMMANDS

ROOT = Path(__file__).parent.parent
# Where the message and the hint stand among the arguments of what says something.
SAYS = {
    **dict.fromkeys(
        ["RegistryError", "UsageError", "NotFound", "Refused", "Taken", "ManifestError", "GitFailed", "StoreFailed",
         "GhFailed", "Refusal"], (0, 1)),
    **dict.fromkeys(["Finding", "Failure"], (3, 4)),
    **dict.fromkeys(["Breach", "Break", "Objection", "Remark", "DocumentError"], (2, 3)),
    "Problem": (4, 5), "Annotation": (1, 2), "Fault": (1, 2), "Denied": (1, 9), "on_note": (0, 9), "_on_note": (0, 9),
}  # fmt: skip
NAMES = (  # a sentence may begin with
    "Git", "GTO", "DVC", "MLflow", "URLs", "GITHUB_", "REGISTRY_", "HF_", "XDG_", "MLFLOW_", "PRINCIPAL", "TAG ",
    "REV ", "YYYY",
)  # fmt: skip
BEGINS = re.compile(rf"[a-z0-9`'\".^{{-]|{'|'.join(NAMES)}")
# MLflow's own words, and half sentences that others finish.
ELSEWHERE = ("registry/mlflow/", "registry/providers/")


@dataclass(frozen=True)
class Said:
    """One sentence, with {what it names}."""

    place: str
    hint: bool
    text: str


def spelled(node: ast.expr | None, names: dict[str, list[ast.expr]]) -> list[str]:
    """All that an expression can say; what is computed elsewhere is {}."""
    match node:
        case None:
            return []
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            return ["".join(parts) for parts in product(*(spelled(value, {}) for value in values))]
        case ast.IfExp(body=body, orelse=orelse):
            return [*spelled(body, names), *spelled(orelse, names)]
        case ast.Name(id=name) if name in names:
            return [text for value in names[name] for text in spelled(value, {})]
    return ["{}"]


def sentences() -> Iterator[Said]:
    """Every message and hint of the whole program."""
    for path in sorted((ROOT / "registry").rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        functions = [one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.FunctionDef)]
        for function in functions if not place.startswith(ELSEWHERE) else []:
            names: dict[str, list[ast.expr]] = {}
            for one in ast.walk(function):
                if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
                    names.setdefault(one.targets[0].id, []).append(one.value)
            for call in (one for one in ast.walk(function) if isinstance(one, ast.Call)):
                called = getattr(call.func, "id", getattr(call.func, "attr", ""))
                for hint, index in enumerate(SAYS.get(called, ())):
                    argument = call.args[index] if index < len(call.args) else None
                    for text in spelled(argument, names):
                        if text.strip("{}: "):
                            yield Said(f"{place}:{call.lineno}", bool(hint), text)


ALL = sorted(set(sentences()), key=lambda said: (said.place, said.hint, said.text))


@pytest.mark.parametrize(
    ("rule", "breaks"),
    [
        ("begins in lower case, or with a name", lambda said: not BEGINS.match(said.text)),
        ("has no full stop at its end", lambda said: said.text.endswith(".") and not said.text.endswith("...")),
        ("is one line", lambda said: "\n" in said.text),
        ("does not shout, beg or boast", lambda s: re.search(r"\w!( |$)|\b([Pp]lease|[Ss]orry|[Ss]uccess)", s.text)),
        ("says what is wrong, not that it is", lambda said: re.search(r"\b([Ii]nvalid|[Ii]llegal)\b", said.text)),
        ("quotes with '...', as !r does", lambda said: re.search(r'"\{\}"', said.text)),
    ],
)
def test_one_voice(rule: str, breaks: object) -> None:
    assert callable(breaks)
    assert [f"{said.place}: {said.text}" for said in ALL if breaks(said)] == [], rule


def test_what_a_hint_tells_to_type_exists() -> None:
    words = [(said, *found) for said in ALL for found in re.findall(r"\bregistry ([a-z-]+)((?: [^,;:]*)?)", said.text)]
    typed = [(said, command, rest) for said, command, rest in words if command in COMMANDS]

    for said, command, rest in typed:
        found: click.Command = import_module(f"registry.cli.{command.replace('-', '_')}").command
        options = {opt for one in found.params for opt in [*one.opts, *one.secondary_opts]}
        assert set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", rest)) <= options, said
    assert len(typed) > 60
    assert len(ALL) > 500

"""Edits of a manifest that keep everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.manifest import Json
from registry.errors import ManifestError, UsageError
from registry.manifests.documents import parse, plain
from registry.manifests.edit import NEW_MANIFEST, Section, add_entry, change_entry, remove_entry, rename_entry
from registry.manifests.read import read

TIDY = """\
# Our models
stages:
    staging: {}      # first

models:
    # Churn, by Ana
    churn:           # the old one
        path:  models/churn.pkl
        labels: [ a,b ]

    # Fraud, by Bo
    # and Cy
    fraud:
        path: "models/fraud.pkl"
        description: |
            Who pays
            with another's card

        # license: MIT

# The data
artifacts:
    train-set: {path: data/train.csv, type: dataset}
"""


def load(text: str) -> Any:
    return plain(parse(text))


def changed(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that are in `old` alone, and those in `new` alone, when one block was put in or taken out."""
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]


def test_a_new_manifest_declares_a_lifecycle_and_no_model() -> None:
    found = read({"registry.yaml": NEW_MANIFEST.encode()})
    assert list(found.stages or {}) == ["staging", "production"]
    assert found.artifacts == {}
    assert found.broken == {}


def test_the_first_model_leaves_the_example_alone() -> None:
    new = add_entry(NEW_MANIFEST, "models", "churn", {"path": "models/churn.pkl"})
    assert new == NEW_MANIFEST + "\n  churn:\n    path: models/churn.pkl\n"
    assert remove_entry(new, "churn") == NEW_MANIFEST


def test_an_entry_is_added_below_the_last_as_the_others_are_written() -> None:
    gone, new = changed(TIDY, add_entry(TIDY, "models", "price", {"path": "p.pkl", "labels": ["a", "b"]}))
    assert gone == []
    assert "".join(new) == "    price:\n        path: p.pkl\n        labels: [a, b]\n\n"


def test_an_entry_goes_with_its_comments_and_nothing_else_does() -> None:
    gone, new = changed(TIDY, remove_entry(TIDY, "churn"))
    assert new == []
    assert "".join(gone) == TIDY[TIDY.index("    # Churn") : TIDY.index("    # Fraud")]
    gone, new = changed(TIDY, remove_entry(TIDY, "fraud"))
    assert new == []
    assert gone[:3] == ["    # Fraud, by Bo\n", "    # and Cy\n", "    fraud:\n"]
    assert gone[-2:] == ["        # license: MIT\n", "\n"]


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("", "models:\n  m:\n    path: x\n"),
        ("# only this", "# only this\n\nmodels:\n  m:\n    path: x\n"),
        ("models:\n", "models:\n  m:\n    path: x\n"),
        ("models:", "models:\n  m:\n    path: x\n"),
        ("models: {}  # none yet\n", "models:  # none yet\n  m:\n    path: x\n"),
        ("models: {}\n", "models:\n  m:\n    path: x\n"),
        ("models: null\n", "models:\n  m:\n    path: x\n"),
        ("models: ~", "models:\n  m:\n    path: x\n"),
        ("models:\n\nteams: {}\n", "models:\n  m:\n    path: x\n\nteams: {}\n"),
        ("teams: {}\n", "teams: {}\n\nmodels:\n  m:\n    path: x\n"),
        ("teams: {}\n\n", "teams: {}\n\nmodels:\n  m:\n    path: x\n"),
        ("models:\n  a: {}\n", "models:\n  a: {}\n  m:\n    path: x\n"),
        ("models:\n  a: {}", "models:\n  a: {}\n  m:\n    path: x\n"),
        ("models:\n a:\n  path: y\n", "models:\n a:\n  path: y\n m:\n  path: x\n"),
        ("models:\n   a:\n", "models:\n   a:\n   m:\n      path: x\n"),
        ("models:\n  a: {}\n\n  b: {}\n", "models:\n  a: {}\n\n  b: {}\n\n  m:\n    path: x\n"),
        ("models:\n  a: {}\n# end\n", "models:\n  a: {}\n  m:\n    path: x\n# end\n"),
        ("models:\n  a: {}\n  # last\n# end\n", "models:\n  a: {}\n  # last\n\n  m:\n    path: x\n# end\n"),
        ("models:\r\n  a: {}\r\n", "models:\r\n  a: {}\r\n  m:\r\n    path: x\r\n"),
        ("\ufeffmodels:\n  a: {}\n", "\ufeffmodels:\n  a: {}\n  m:\n    path: x\n"),
        ("---\nmodels:\n  a: {}\n", "---\nmodels:\n  a: {}\n  m:\n    path: x\n"),
        ("models:\n  a:\n    b: |+\n      x\n\n", "models:\n  a:\n    b: |+\n      x\n\n  m:\n    path: x\n"),
        ("x: &x {}\nmodels:\n  <<: *x\n  c: {}\n", "x: &x {}\nmodels:\n  <<: *x\n  c: {}\n  m:\n    path: x\n"),
        ("teams: {a:   [b]}\nmodels: {a: {} }\n", "teams: {a:   [b]}\nmodels: {a: {}, m: {path: x}}\n"),
        ("models: {a: {}, }\n", "models: {a: {}, m: {path: x}}\n"),
        ("models:\n  a: &a\n    path: y\n", "models:\n  a: &a\n    path: y\n  m:\n    path: x\n"),
        ("models:\n   a: &a # c\n    path: y\n", "models:\n   a: &a # c\n    path: y\n   m:\n    path: x\n"),
        ("stages: &s\n  a: {}\nmodels:\n", "stages: &s\n  a: {}\nmodels:\n  m:\n    path: x\n"),
        ("x: &x\n  p: 1\nmodels:\n  a: *x\n", "x: &x\n  p: 1\nmodels:\n  a: *x\n  m:\n    path: x\n"),
        ("models: {a: {path: y}}  # short\n", "models: {a: {path: y}, m: {path: x}}  # short\n"),
        ("{models: {a: {}}}", "{models: {a: {}, m: {path: x}}}\n"),
        ("models: {a: {}}\r\nteams: {}\r\n", "models: {a: {}, m: {path: x}}\r\nteams: {}\r\n"),
    ],
)  # fmt: skip
def test_adding(text: str, new: str) -> None:
    assert add_entry(text, "models", "m", {"path": "x"}) == new


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("models:\n  m: {}\n", "models:\n"),
        ("models:\n  m:\n    path: x", "models:\n"),
        ("models:\n  a: {}\n  m: {}\n  b: {}\n", "models:\n  a: {}\n  b: {}\n"),
        ("models:\n  a: {}\n\n  m: {}\n\n  b: {}\n", "models:\n  a: {}\n\n  b: {}\n"),
        ("models:\n  a: {}\n\n  # not of m\n\n  m: {}\n", "models:\n  a: {}\n\n  # not of m\n"),
        ("models:\n  a:\n    path: x\n    # of a\n  m: {}\n", "models:\n  a:\n    path: x\n    # of a\n"),
        ("models:\n  m: {}\n\n# end\n", "models:\n\n# end\n"),
        ("models:\n  # c\n\n  m: {}\n  b: {}\n", "models:\n  # c\n\n  b: {}\n"),
        ("models:\n  a: {}\n\n  m: {}\nteams: {}\n", "models:\n  a: {}\nteams: {}\n"),
        ("artifacts:\r\n  m: {}\r\n  a: {}\r\n", "artifacts:\r\n  a: {}\r\n"),
        ("models: {m: {}, a: {}}\n", "models: {a: {}}\n"),
        ("models:\n  ? m\n  : {path: x}\n  b: {}\n", "models:\n  b: {}\n"),
        ("models:\n  a: &x {path: y}\n  m: *x\n", "models:\n  a: &x {path: y}\n"),
        ("models:\n  m:\n    description: >\n      x\n\n      # text\n\n  a: {}\n", "models:\n  a: {}\n"),
    ],
)
def test_removing(text: str, new: str) -> None:
    assert remove_entry(text, "m") == new


@pytest.mark.parametrize(
    ("text", "name", "words", "hint"),
    [
        ("models: {churn: {}}", "churn", "churn is declared already, in `models` on line 1", "edit it there"),
        ("artifacts:\n  churn: {}", "churn", "churn is declared already, in `artifacts` on line 2", ""),
        ("models: {Churn: {}}", "churn", "churn differs from Churn (line 1) in case only", "choose"),
        ("models: {}", "cv:pool", "cv:pool does not belong into this manifest", "cv/registry.yaml"),
        ("models: [", "m", "the manifest cannot be read: 1:10: ", "registry check"),
        ("models: [a]", "m", "`models` must be a mapping of names", "registry check"),
        ("[]", "m", "the manifest must be a mapping", "registry check"),
        ("a: &x {b: {}}\nmodels: *x\n", "m", "m cannot be added without changing something else", "by hand"),
    ],
)
def test_what_cannot_be_added(text: str, name: str, words: str, hint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        add_entry(text, "models", name, {})
    assert caught.value.message.startswith(words)
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["", "a b", "-x", "a//b", "x\n"])
def test_a_name_that_is_none_is_not_added(name: str) -> None:
    with pytest.raises(UsageError):
        add_entry("", "models", name, {})


@pytest.mark.parametrize(
    ("text", "name", "words", "hint"),
    [
        ("models: {churn: {}}", "chrun", "chrun is not declared in this manifest", "did you mean `churn`?"),
        ("", "churn", "churn is not declared in this manifest", ""),
        (
            "models:\n  m: &x\n    path: y\n  b: *x\n",
            "m",
            "m cannot be removed: line 4 uses its anchor &x",
            "what the alias stands for",
        ),
        ("a: &x {m: {}}\nmodels:\n  <<: *x\n  b: {}\n", "m", "m comes into `models` through `<<`", "line 1"),
        ("models: [", "m", "the manifest cannot be read: 1:10: ", "registry check"),
    ],
)
def test_what_cannot_be_removed(text: str, name: str, words: str, hint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        remove_entry(text, name)
    assert caught.value.message.startswith(words)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        TIDY,
        TIDY.replace("\n", "\r\n"),
        NEW_MANIFEST,
        "models:\n",
        "models:\n  # none yet\n# end\n",
        "models:\n  # none yet\n\n\n# end\n",
        "models:\n  a: {}\n  # last\n# end\n",
        "models:\n  a: {}\n  # last\n\n\nteams: {}\n",
        "models:\n  a: {}\n\n  b: {}\n# end\n",
        "models:\n  a: {}\n\n  b: {}\n\n\n\n# end\nteams: {}\n",
        "models:\n  a: {}\n\n\n",
        "models:\n  a: &a\n    path: y\n\n# end\n",
        "models:\n  a:\n    description: |+\n      x\n\n",
        "models:\n  a:\n    description: |+\n      x\n\nteams: {}\n",
        "teams: {a:   [b]}\nmodels: {a: {}}  # short\n",
    ],
)
def test_what_is_removed_again_leaves_no_trace(text: str) -> None:
    assert remove_entry(add_entry(text, "models", "new", {"path": "x"}), "new") == text


_AWKWARD = [
    "yes",
    "null",
    "1",
    "1.5",
    "~",
    "",
    "a: b",
    "# no",
    "- x",
    "<<",
    "*x",
    "'",
    '"',
    "a\nb",
    " x ",
    "2026-01-01",
]


@pytest.mark.parametrize("value", [*_AWKWARD, "a, b", "{", "}", "]", "\t", "é", "\x85", "\u2028", "\x07", "\U0001f600"])
def test_texts_are_quoted_when_they_must_be(value: str) -> None:
    new = add_entry("", "models", "m", {"description": value, "metadata": {value: [value, {value: value}]}})
    assert load(add_entry("models: {a: {}}", "models", "m", {"description": value}))["models"]["m"] == {
        "description": value
    }
    fields = load(new)["models"]["m"]
    assert fields == {"description": value, "metadata": {value: [value, {value: value}]}}


_text = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"), max_size=8
)
_value: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_fields = st.dictionaries(st.sampled_from(["path", "description", "labels", "metadata"]), _value, max_size=3)
_texts = st.sampled_from(
    [
        "", "models:\n", "models: {}\n", TIDY, NEW_MANIFEST, TIDY.replace("\n", "\r\n"), TIDY.rstrip(),
        "models:\n  a:\n    description: |\n      x\n\n\n", "models: {a: {}}\nartifacts: {b: {c: d}}",
        "teams: {}\nmodels:\n  a: {}\n\n\n\n# end\nartifacts:\n  b: {}\n",
    ]
)  # fmt: skip
_sections: st.SearchStrategy[Section] = st.sampled_from(("models", "artifacts"))


@given(_texts, _sections, _fields)
def test_adding_keeps_every_line_and_adds_what_was_said(
    text: str, section: Section, fields: Mapping[str, Json]
) -> None:
    new = add_entry(text, section, "new", fields)
    assert load(new)[section]["new"] == fields
    if f"{section}: {{" not in text:
        gone, _ = changed(text, new)
        assert gone in ([], text.splitlines(keepends=True)[-1:])  # whose line end may have been missing


@given(_texts, _sections, _fields)
def test_removing_what_was_added_gives_the_old_data(text: str, section: Section, fields: Mapping[str, Json]) -> None:
    back = load(remove_entry(add_entry(text, section, "new", fields), "new"))
    old = load(text) or {}
    assert {key: value for key, value in back.items() if value} == {key: value for key, value in old.items() if value}


_lines = st.sampled_from(
    [
        "models:", "models: &all", "models: {a: {}}", "models: {a: {}, }", "models: {", "}", "  a:", "  b: {path: 'x'}",
        "  c: &c", "  <<: *c", "  d: *c", "    path: x", "    description: |+", "    description: >-", "", "      text",
        "# a comment", "  # another", "    # third", "  ? e", "  : {}", "artifacts:", "artifacts: *all",
        "    g: {path: y}", "teams: {t: [x]}", "---", "...", "%YAML 1.1", "  f: !!map {}", "   ", "\t",
    ]
)  # fmt: skip


@given(st.lists(_lines, max_size=9), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_text_is_edited_as_wanted_or_refused(some: list[str], newline: str, ends: bool) -> None:
    text = newline.join(some) + (newline if ends else "")
    try:
        new = add_entry(text, "models", "new", {"path": "x"})
        back = remove_entry(new, "new")
    except ManifestError:
        return
    assert load(new)["models"]["new"] == {"path": "x"}
    assert "new" not in (load(back)["models"] or {})


def test_a_change_keeps_the_line_ends_and_the_comments() -> None:
    text = "# c\nmodels:\n  m:  # one\n    path: x\n    metadata: # of it\n      a: '1' # first\n"
    for old in (text, text.replace("\n", "\r\n")):
        new = change_entry(old, "m", {"metadata.b": "2", "description": "d"})
        assert new.replace("\r\n", "\n") == f"{text}      b: '2'\n    description: d\n"
        assert ("\r" in new, new.count("\r")) == ("\r" in old, new.count("\n") if "\r" in old else 0)


def test_one_key_of_the_metadata_is_said_and_said_no_longer() -> None:
    text = "models:\n  m:\n    metadata:\n      metadata.a: x\n      1: y\n  n: {}\n"
    assert load(change_entry(text, "m", {"metadata.metadata.a": None}))["models"]["m"] == {"metadata": {"1": "y"}}
    assert load(change_entry(text, "m", {"metadata.1": "z"}))["models"]["m"]["metadata"]["1"] == "z"
    assert load(change_entry(text, "n", {"metadata.k": "v"}))["models"]["n"] == {"metadata": {"k": "v"}}
    gone = change_entry(text, "m", {"metadata.metadata.a": None, "metadata.1": None})
    assert load(gone)["models"]["m"] == {}


def test_an_entry_gets_another_name_and_keeps_the_rest() -> None:
    assert rename_entry(TIDY, "fraud", "thieves") == TIDY.replace("    fraud:\n", "    thieves:\n")
    assert rename_entry(TIDY, "train-set", "on") == TIDY.replace("train-set:", '"on":')
    assert rename_entry("\ufeffmodels: {'a': {}, b: {}}\r\n", "a", "A") == "\ufeffmodels: {A: {}, b: {}}\r\n"
    with pytest.raises(ManifestError, match="declared already"):
        rename_entry(TIDY, "fraud", "churn")
    with pytest.raises(ManifestError, match="without changing something else"):
        rename_entry("models:\n  &x a: {}\n  b: {metadata: {k: *x}}\n", "a", "c")

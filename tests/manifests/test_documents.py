"""YAML into positioned values."""

from __future__ import annotations

import json
from typing import Any

import pytest
import ruamel.yaml
from hypothesis import example, given
from hypothesis import strategies as st

from registry.core.manifest import Json
from registry.manifests import documents
from registry.manifests.documents import DocumentError, Scalar, Table, aliases, parse, plain


def load(text: str) -> Json:
    return plain(parse(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("~", None),
        ("null", None),
        ("True", True),
        ("false", False),
        ("yes", "yes"),  # YAML 1.1's flags are texts in 1.2
        ("0x1F", 31),
        ("0o17", 15),
        ("010", 10),
        ("-3", -3),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("2.", 2.0),
        (".inf", ".inf"),
        ("-.INF", "-.INF"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("2026-01-01", "2026-01-01"),
        ("'1'", "1"),
        ('"null"', "null"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!float 1", 1.0),
        ("!!int 7", 7),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        ("[1, [2], {a: b}]", [1, [2], {"a": "b"}]),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: Json) -> None:
    found = load(text)
    assert found == value
    assert type(found) is type(value)


def test_a_key_is_the_text_that_was_written() -> None:
    assert load("1: a\ntrue: b\n1.50: c\n") == {"1": "a", "true": "b", "1.50": "c"}


def test_an_integer_of_ten_thousand_digits_stays_a_text() -> None:
    assert load("9" * 10_000) == "9" * 10_000
    assert load("0x" + "f" * 10_000) == "0x" + "f" * 10_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x {k: 1}\nb: *x\n", {"a": {"k": 1}, "b": {"k": 1}}),
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n", {"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}),
        ("b: {<<: [{k: 1}, {k: 2, l: 3}]}\n", {"b": {"k": 1, "l": 3}}),
        ("b: {'<<': 1}\n", {"b": {"<<": 1}}),
        ("a: [&x 1, &x 2, *x]\n", {"a": [1, 2, 2]}),
    ],
)
def test_aliases_and_merge_keys(text: str, value: Json) -> None:
    assert load(text) == value


def test_an_anchor_inside_of_one_of_the_same_name_wins() -> None:
    assert load("- &x [&x 1]\n- *x\n") == [[1], 1]


def test_positions_count_from_one() -> None:
    root = parse("# a comment\nmodels:\n  churn:\n    path: 'models/é.pkl'\n")
    assert isinstance(root, Table)
    models = root.values["models"]
    assert isinstance(models, Table)
    churn = models.values["churn"]
    assert isinstance(churn, Table)
    key, path = churn.keys["path"], churn.values["path"]
    assert (key.line, key.column) == (4, 5)
    assert (path.line, path.column, path.end_line, path.end_column) == (4, 11, 4, 25)
    assert (root.end_line, root.end_column) == (4, 25)


@pytest.mark.parametrize("source", [b"a: 1\rb: \x01\r", b"a: 1\rb: \xff", b"a: 1\r- b\r", "a: 1\u2028b: \x01"])
def test_lines_are_counted_alike_whatever_ends_them(source: bytes | str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(source)

    assert caught.value.line == 2
    assert caught.value.column <= 5


def test_an_alias_is_where_it_is_used_not_where_it_is_defined() -> None:
    root = parse("a: &x 1\nb: *x\n")
    assert isinstance(root, Table)
    assert (root.values["b"].line, root.values["b"].column) == (2, 4)
    assert [(alias.anchor, alias.defined, alias.used) for alias in aliases("a: &x 1\nb: *x\n")] == [("x", 1, 2)]


def test_a_byte_order_mark_is_skipped() -> None:
    assert plain(parse(b"\xef\xbb\xbfa: 1\n")) == {"a": 1}
    assert load("\ufeffa: 1\n") == {"a": 1}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"a: [1, 2", "1:9: did not find expected ',' or ']'"),
        (b"a: b: c", "1:5: mapping values are not allowed"),
        (b"a: 1\na: 2\n", "2:1: duplicate key `a`"),
        (b'"a\\nb": 1\n"a\\nb": 2\n', "2:1: duplicate key `a?b`"),
        (b"1: 1\n'1': 2\n", "2:1: duplicate key `1`"),
        (b"a: {<<: {b: 1}, <<: {c: 1}}", "duplicate key `<<`"),
        (b"<<: 3", "1:5: `<<` takes a mapping"),
        (b"<<: [{a: 1}, 3]", "`<<` takes a mapping"),
        (b"? [a]\n: 1", "1:3: a key must be a text"),
        (b"a: 1\n---\nb: 2\n", "2:1: a second document"),
        (b"a: !python/object:os.system x", "1:4: unknown tag"),
        (b"a: !!python/object/apply:os.system [x]", "1:4: unknown tag"),
        (b"a: !!binary aGk=", "1:4: unknown tag"),
        (b"a: !!int x", "1:4: 'x' is not of the type"),
        (b"a: !!int true", "1:4: 'true' is not of the type"),
        (b"a: *x", "1:4: no anchor &x"),
        (b"&a [*a]", "1:5: the alias *a stands inside of what it names"),
        (b"a: 1\nb: \x07", "2:4: control character U+0007"),
        (b"ab: \x00", "1:5: control character U+0000"),
        ("a: \ud800", "1:4: control character U+D800"),
        (b"a: \xff", "1:4: not a text in UTF-8"),
        ("a: 1".encode("utf-16"), "1:1: not a text in UTF-8"),
        (b"[" * 100_000, "1:101: nested deeper than 100 levels"),
        (b"{a: " * 100_000, "nested deeper than 100 levels"),
        (b"- " * 100_000, "nested deeper than 100 levels"),
        ("\n".join(" " * i + "a:" for i in range(500)), "nested deeper than 100 levels"),
        (b"a: [" + b"1," * 1_000_001 + b"]", "more than 1,000,000 values"),
        (b" " * 10_000_001, "larger than 10 MB"),
    ],
)
def test_what_is_not_read_says_where_and_why_in_one_line(source: bytes | str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(source)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert caught.value.message.startswith(f"{caught.value.line}:{caught.value.column}: ")


def test_duplicate_keys_are_gathered_and_the_first_value_counts() -> None:
    found: list[DocumentError] = []
    text = "a: 1\nb: {<<: {c: 1}, <<: {d: 1}}\na: 2\na: {e: [1, 1], e: 3}\nf: 4\n"
    assert plain(parse(text, found)) == {"a": 1, "b": {"c": 1}, "f": 4}
    assert [(error.line, error.column, error.reason, error.hint) for error in found] == [
        (2, 17, "duplicate key `<<`", "write one with a list: `<<: [*a, *b]`"),
        (3, 1, "duplicate key `a`", "remove one of the two; the other is on line 1"),
        (4, 16, "duplicate key `e`", "remove one of the two; the other is on line 4"),
        (4, 1, "duplicate key `a`", "remove one of the two; the other is on line 1"),
    ]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a: [1, 2", "close the bracket"),
        ("a: {b: 1", "close the bracket"),
        ("a: b: c", "put a text with a colon in it into quotes"),
        ("a:\n\tb: 1\n", "spaces, not tabs"),
        ("a: @b", "begins with @"),
        ("a: 'b", "close the quote"),
        ('a: "C:\\q"', "backslash"),
        ("a: 1\nb\n", "write `key: value`"),
        ("a:\n  b: 1\n c: 2\n", "indent this line"),
        ("a:\n- 1\n  b: 2\n", "quotes"),
    ],
)
def test_a_slip_of_syntax_comes_with_what_to_do(source: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(source)
    assert words in caught.value.hint


def test_an_alias_bomb_ends_early() -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    with pytest.raises(DocumentError, match="aliases written out"):
        parse("\n".join(lines))


def test_a_bomb_of_one_long_text_ends_early() -> None:
    with pytest.raises(DocumentError, match="aliases written out"):
        parse("a: &a " + "x" * 1_000_000 + "\nb: [" + "*a," * 1000 + "]")


def test_aliases_do_not_nest_deeper_than_brackets() -> None:
    chain = "".join(f"a{i + 1}: &a{i + 1} [*a{i}]\n" for i in range(120))
    with pytest.raises(DocumentError, match="nested deeper"):
        parse(f"a0: &a0 []\n{chain}")


@given(st.one_of(st.binary(), st.text(), st.text(alphabet="ab:-[]{}&*!<,'\"|>?#%@ \n\t1.~"), st.text().map(repr)))
@example(b"\xef\xbb\xbf\xef\xbb\xbf")
@example("%YAML 9.9\n--- a")
@example("--- >\n")
@example("? ")
def test_whatever_the_bytes_the_answer_is_a_value_or_the_one_error(source: bytes | str) -> None:
    try:
        json.dumps(plain(parse(source)), allow_nan=False)
    except DocumentError as error:
        assert "\n" not in error.message  # noqa: PT017  (the error is one of two right answers)


# Without control characters, and the three characters that end a line in YAML 1.1 alone, as libyaml has it.
_text = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"))
_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner) | st.dictionaries(_text, inner),
    max_leaves=10,
)


@given(_json)
def test_json_is_read_as_it_is(value: Json) -> None:
    assert load(json.dumps(value, ensure_ascii=False)) == value


def test_the_parser_in_python_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, 'b', {<<: {c: 1}, d: 2.5}]\nb: *x\nc: !!str 1\nd: |\n  text\n"
    fast = parse(text)
    plain_yaml = ruamel.yaml.YAML
    monkeypatch.setattr(ruamel.yaml, "YAML", lambda typ: plain_yaml(typ=typ, pure=True))
    assert plain(parse(text)) == plain(fast)
    with pytest.raises(DocumentError, match="2:1: duplicate key"):
        parse("a: 1\na: 1\n")
    with pytest.raises(DocumentError, match=r"^1:"):
        parse("a: [")


def test_the_limits_are_those_that_are_documented() -> None:
    assert (documents.MAX_BYTES, documents.MAX_DEPTH) == (10_000_000, 100)
    assert load("[" * 100 + "]" * 100) is not None
    assert isinstance(parse("a"), Scalar)

"""The files of `.registry/`: what is said of them, and what they say (DESIGN part 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.signers import accepted, baseline, dates, remarks

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8"
ID, OTHER = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"ana@example.com {KEY}", []),
        (f"ana@example.com {KEY} a comment", []),
        (f"  ana@example.com\t{KEY}\r", []),
        (f'"ana@example.com,bo@example.com" {KEY}', []),
        (f'ana@example.com namespaces="git" {KEY}', []),
        (f'ana@example.com cert-authority,namespaces="git,file" {KEY}', []),
        (f'ana@example.com valid-before="20300101Z" {KEY}', []),
        (f"ana@example.com valid-after=20300101Z,valid-before=20310101120000Z {KEY}", []),
        ("ana@example.com sk-ssh-ed25519@openssh.com AAAA", []),
        ("ana@example.com ecdsa-sha2-nistp256 AAAA=", []),
        ("# a comment", []),
        ("", []),
        (f"* {KEY}", ["warning"]),
        (f"*@example.com {KEY}", ["warning"]),
        (f"ana@example.com,?o@example.com {KEY}", ["warning"]),
        (f'"ana@example.com,*" {KEY}', ["warning"]),
        (f"ana@example.com\x0c,* {KEY}", ["error"]),  # no end of a line, nor a space, for ssh-keygen
        (f'ana@example.com valid-before="20300101" {KEY}', ["warning"]),
        (f'ana@example.com VALID-BEFORE="20300101" {KEY}', ["warning"]),
        (f'ana@example.com valid-before="2030-01-01" {KEY}', ["error"]),
        (f'ana@example.com valid-before="" {KEY}', ["error"]),
        (f"* valid-after=20300101,valid-before=x {KEY}", ["warning", "warning", "error"]),
        (KEY, ["error"]),  # who?
        ("ana@example.com", ["error"]),
        ("ana@example.com ssh-ed25519", ["error"]),
        ("ana@example.com ssh-ed25519 not/base64!", ["error"]),
        (f"ana@example.com {KEY}\0", ["error"]),
        ("\0" * 50, ["error"]),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----", ["error"]),
    ],
)
def test_what_is_said_of_a_line(line: str, expected: list[str]) -> None:
    found = [*remarks(f"# first\n\n{line}\n")]

    if "\x0c" in line:  # Python alone takes it for white space; whichever it is, it does not pass without a word
        assert found
        return
    assert [one.severity for one in found] == expected
    assert all(one.line == 3 and one.hint and "\n" not in one.message for one in found)


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"])
def test_what_ssh_keygen_takes_for_one_line_is_one_line_here(sign: str) -> None:
    """Else a key could stand behind what looks like a comment, and a date beyond which it should not be remembered."""
    assert len([*remarks(f"x{sign}# y {KEY}\n* {KEY}")]) >= 1
    assert [one.line for one in remarks(f"ana@example.com {KEY} c{sign}* {KEY}\n* {KEY}")] == [2]
    assert dates(f'ana@example.com{sign}# valid-before="20300101Z" {KEY}') == {"20300101000000"}
    assert accepted(f"churn@v1.0.0{sign}x {ID}\n")[0] != {"churn@v1.0.0": ID}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        (f"ana {KEY}", set()),
        (f'ana valid-before="20300101" {KEY}', {"20300101000000"}),
        (f'ana valid-before="20300101Z" {KEY}', {"20300101000000"}),
        (f"ana valid-after=203001011200,valid-before=20310101120030Z {KEY}", {"20300101120000", "20310101120030"}),
        (f"#ana valid-before=20300101 {KEY}\nbo valid-before=20310101 {KEY}", {"20310101000000"}),
        (f"ana valid-before=tomorrow {KEY}", None),
        (f"ana valid-before= {KEY}", None),
        (f"ana valid-before=2030010112 {KEY}", None),
    ],
)
def test_when_keys_begin_and_end_to_be_valid(text: str, expected: set[str] | None) -> None:
    assert dates(text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "wrong"),
    [
        ("", {}, []),
        (f"# x\n\nchurn@v1.0.0 {ID}\n", {"churn@v1.0.0": ID}, []),
        (f"churn@v1.0.0 {'a' * 64}\r\n", {"churn@v1.0.0": "a" * 64}, []),
        (f"churn@v1.0.0 {ID}\nchurn@v1.0.0 {ID}\n", {"churn@v1.0.0": ID}, []),
        (f"churn@v1.0.0 {ID}\nchurn@v1.0.0 {OTHER}\n", {"churn@v1.0.0": ID}, [2]),  # which of them was reviewed?
        ("churn@v1.0.0\n", {}, [1]),
        (f"churn@v1.0.0 {ID[1:]}\n", {}, [1]),
        (f"churn@v1.0.0 {ID.upper()}\n", {}, [1]),
        (f"churn@v1.0.0  {ID}\n", {}, [1]),
        (f"churn@v1.0.0\t{ID}\n", {}, [1]),
        (f"churn@v1.0.0 {ID} # why\n", {}, [1]),
        ("churn@v1.0.0 *\n", {}, [1]),
        (f"* {ID}\n", {"*": ID}, []),  # a tag of that name, and no pattern
        ("<<<<<<< HEAD\n", {}, [1]),
    ],
)
def test_what_a_baseline_accepts(text: str, expected: dict[str, str], wrong: list[int]) -> None:
    found, remarks_ = accepted(text)

    assert found == expected
    assert [one.line for one in remarks_] == wrong


tags = st.text(st.characters(codec="utf-8", exclude_characters=" #", exclude_categories=["Cc", "Cs"]), min_size=1)


@given(st.dictionaries(tags, st.sampled_from([ID, OTHER, "c" * 64])))
def test_a_baseline_that_is_written_is_read_back(events: dict[str, str]) -> None:
    events = {tag: oid for tag, oid in events.items() if tag == tag.strip()}

    assert accepted(baseline(events)) == (events, [])


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    lines = text.count("\n") + 1
    assert all(1 <= one.line <= lines for one in [*remarks(text), *accepted(text)[1]])
    found = dates(text)
    assert found is None or all(len(date) == 14 for date in found)


def test_long_lines_and_many_of_them_are_read_in_time() -> None:
    for text in ("a" * 10**6, f"a {'x' * 10**6} {KEY}", f"a {'x,' * 10**5}", '"' * 10**5, "a \t" * 10**5):
        assert len([*remarks(text)]) == 1
        assert accepted(text)[0] == {}
    assert len([*remarks(f"* {KEY}\n" * 10_000)]) == 10_000
    assert [*remarks(f"a valid-before={'9' * 10**5} {KEY}")]

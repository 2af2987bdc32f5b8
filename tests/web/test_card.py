"""Model cards: what Markdown becomes, and what it cannot become."""

from __future__ import annotations

import pytest

from registry.manifests import cards
from registry.web import card
from tests.web.test_pages import read


def test_a_card_is_headings_lists_tables_and_code_below_the_headings_of_the_page() -> None:
    html = card.html(
        "# Title\n\n## Use\n\n- *one*\n- **two**\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx\n```\n~~no~~\n"
    )
    page = read(html)

    assert [tag for tag, _ in page.elements if tag.startswith("h")] == ["h3", "h4"]
    assert {"ul", "em", "strong", "table", "pre", "s"} <= {tag for tag, _ in page.elements}
    assert page.all("th")[1] == {"class": "right"}
    assert page.all("code") == [{}]


def test_links_lead_to_the_web_or_to_a_mailbox_and_say_where_they_come_from_to_nobody() -> None:
    page = read(card.html("[a](https://a.example/?x=1&y=2 'title') <mailto:a@b.example> [c](HTTP://c.example)"))

    assert page.links == ["https://a.example/?x=1&y=2", "mailto:a@b.example", "HTTP://c.example"]
    assert all(link["rel"] == "noopener noreferrer nofollow" and len(link) == 2 for link in page.all("a"))


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:evil())",
        "[x](JaVaScRiPt:evil())",
        "[x](java&#115;cript:evil())",
        "[x](&#x6A;avascript:evil())",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](data:image/png;base64,AAAA)",
        "[x](//evil.example)",
        "[x](/etc/passwd)",
        "[x](#top)",
        "[x](file:///etc/passwd)",
        "[x][r]\n\n[r]: javascript:evil()",
        "<a href='https://a.example' onclick=evil()>x</a>",
        "![x](javascript:evil())",
    ],
)
def test_what_is_no_link_is_words(text: str) -> None:
    page = read(card.html(text))

    assert not page.all("a")
    assert not page.all("img")
    assert "x" in page.text


def test_images_are_their_words_and_a_link_and_are_never_loaded() -> None:
    page = read(card.html('![A *plot*](https://img.example/p.png "t") ![here](plot.png)'))

    assert not page.all("img")
    assert page.links == ["https://img.example/p.png"]
    assert "[image: A *plot*]" in page.text
    assert "[here]" in page.text


def test_html_is_words() -> None:
    page = read(card.html("<script>evil()</script>\n\na <b onclick=evil()>c</b> <!-- d -->\n\n<div>e</div>"))

    assert {tag for tag, _ in page.elements} == {"p"}
    assert "<script>evil()</script>" in page.text


def test_what_hides_is_shown() -> None:
    assert "a\\u202eb\\x1b" in card.html("a\u202eb\x1b")


def test_front_matter_stands_apart() -> None:
    assert cards.parts("---\nlicense: mit\n---\n# Card\n") == ("license: mit", "# Card\n")
    assert cards.parts("# Card\n\n---\n\nmore\n") == ("", "# Card\n\n---\n\nmore\n")
    assert cards.parts("---\nno end\n") == ("", "---\nno end\n")


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "> " * 50_000, "*a " * 50_000, "- " * 50_000, "`" * 100_000, "![" * 50_000]
)
def test_a_card_that_nests_without_end_ends(text: str) -> None:
    assert card.html(text)


def test_only_links_to_the_web_are_links() -> None:
    assert card.web_link("https://a.example/x") == "https://a.example/x"
    for text in (None, "", "javascript:x", "https://a b", "s3://b", "https://a\u202e", "ftp://a", " https://a"):
        assert card.web_link(text) is None

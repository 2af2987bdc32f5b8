"""What strangers write into a repository stays words on every page: no element, no attribute, no script of theirs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from registry.web import pages, render
from registry.web.page import Dashboard
from tests.story import RepoStory
from tests.web.test_pages import NOW, Document, dashboard, read

# Each is tried everywhere that a person can write.
MARKUP = "\"'><img src=x onerror=alert(1)><script>evil()</script></title></textarea><svg onload=evil()>{{7*7}}"
HIDDEN = "safe\u202egnp.exe\u200b"  # what our own writers let through
TURNED = HIDDEN + "\x1b[31m\x07"
LINK = "javascript:evil()"
# What nobody sees: a form sends it, or a script compares with it.
_SENT = {("option", "value"), ("tr", "data-words"), ("tr", "data-labels")}
# What may stand in an attribute of ours because we put it there.
_OURS = {
    "a": {"href", "rel", "class", "aria-current", "data-clear"},
    "script": {"src", "defer"},
    "link": {"rel", "href", "type"},
}


def _card() -> str:
    return "\n\n".join([
        f"# Card {MARKUP}",
        "<script>evil()</script>",
        "<img src=x onerror=evil()>",
        f"[click]({LINK})", f"[data](data:text/html,{MARKUP})", "[vb](vbscript:x)", "[file](file:///etc/passwd)",
        "[up](../../etc/passwd)", "[proto](//evil.example/x)", "<javascript:evil()>", "[ref][r]",
        '[r]: https://ok.example/"onmouseover="evil() "title\\" onload=\\"evil()"',
        "![alt <b>](https://evil.example/pixel.png)", "![local](../secret.png)", f"![js]({LINK})",
        '```html" onload="evil()\n<script>evil()</script>\n```',
        "| a | b |\n|:--|--:|\n| <b> | x |",
        "[![in](https://evil.example/p.png)](https://ok.example/)",
        "7. seven",
        f"{TURNED} &lt;script&gt; &#60;script&#62; <!-- x --> <?php ?> <![CDATA[x]]>",
    ])  # fmt: skip


@pytest.fixture
def hostile(repo: RepoStory) -> RepoStory:
    """A repository in which everything that is not a name is hostile."""
    manifest = {
        "models": {
            "churn": {
                "path": "models/churn.pkl",
                "description": MARKUP + TURNED,
                "framework": MARKUP,
                "labels": [MARKUP, TURNED],
                "owners": [MARKUP],
                "card": "card.md",
                "metrics": "metrics.json",
                "params": "params.json",
                "metadata": {MARKUP: {MARKUP: [MARKUP]}},
            },
            "mapped": {"card": {MARKUP: MARKUP, "limitations": [MARKUP, TURNED]}, "path": f"https://x/{MARKUP}"},
            "js": {"path": "javascript://evil/%0aevil()"},
        },
    }
    repo.write("registry.yaml", json.dumps(manifest)).write("card.md", _card())
    repo.write("metrics.json", json.dumps({MARKUP: 1, "auc": 0.5, TURNED: MARKUP}))
    repo.write("params.json", json.dumps({MARKUP: MARKUP}))
    repo.commit(f"Subject {MARKUP}")
    repo.git("config", "user.name", "Eve <script>evil()</script>\u202e")
    said: dict[str, Any] = {"run": MARKUP, "reason": MARKUP, "message": f"{MARKUP}\n\n{HIDDEN}\n{MARKUP}"}
    more: dict[str, Any] = {
        "description": MARKUP,
        "labels": [MARKUP],
        "tags": {"x": MARKUP},
        "content": {MARKUP: MARKUP},
    }
    repo.register("churn", "v1.0.0", run_url=LINK, metrics={"auc": 1}, params={"p": MARKUP}, **said, **more)
    repo.assign("churn@v1.0.0", "production", reason=MARKUP, message=MARKUP)
    deployments = {"eu": LINK, "us": "data:text/html,<script>evil()</script>", "ok": 'https://ok.example/"><script>'}
    repo.registry_at().annotate("churn@v1.0.0", deployments=deployments, labels=[MARKUP, HIDDEN], metrics={"auc": 0.7})
    repo.write("metrics.json", json.dumps({MARKUP: 2, "auc": 0.6})).commit("Again")
    repo.register("churn", "v1.1.0", uses=[])
    repo.register("mapped").register("js")
    for name, block in {
        "churn@v2.0.0": f"Counter: 50\nUses: {MARKUP}\nUses: {LINK}@v1\nEvil-Key: {TURNED}\nArtifact: {MARKUP}",
        "churn#staging#51": f"Version: {MARKUP}",
        "churn@v1.0.0=#52": f"Metric: {MARKUP}=1\nDeployment: {MARKUP}={LINK}\nTag: {MARKUP}={MARKUP}",
    }.items():
        text = f"Subject {MARKUP}\n\n{MARKUP}\n\nRegistry: 1\n{block}\n"
        repo.tag(name, text, "HEAD~1")
    return repo


def _pages(board: Dashboard) -> dict[str, Document]:
    found = {}
    for path in pages.addresses(board):
        page = pages.at(board, path, {})
        assert page is not None
        found[path] = read(render.html(page, board, {"token": MARKUP, "message": MARKUP}, now=NOW))
    for query in ({"q": MARKUP}, {"type": MARKUP, "stage": MARKUP, "label": MARKUP}, {"sort": MARKUP, "q": TURNED}):
        page = pages.at(board, "index.html", query)
        assert page is not None
        found[f"index.html?{query}"] = read(render.html(page, board, now=NOW))
    return found


@pytest.fixture
def shown(hostile: RepoStory) -> dict[str, Document]:
    """Every page of that repository, served and static."""
    static = _pages(dashboard(hostile, static=True))
    return {**static, **{f"served {path}": page for path, page in _pages(dashboard(hostile, acts=True)).items()}}


def test_no_element_and_no_attribute_comes_from_a_stranger(shown: dict[str, Document]) -> None:
    assert len(shown) > 30
    for path, page in shown.items():
        for tag, attributes in page.elements:
            assert tag not in {"img", "iframe", "object", "embed", "style", "base", "audio", "video", "b onclick"}, path
            assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcdoc"}], path
            assert attributes.keys() <= _OURS.get(tag, attributes.keys()), (path, tag, attributes)
        assert {script["src"].rpartition("/")[2] for script in page.all("script")} == {"app.js"}, path
        assert Counter(tag for tag, _ in page.elements)["title"] >= 1
        assert Counter(tag for tag, _ in page.elements)["main"] == 1


def test_no_link_leads_anywhere_but_to_the_web_or_to_a_page(shown: dict[str, Document]) -> None:
    for path, page in shown.items():
        for attributes in page.all("a"):
            link = attributes["href"]
            scheme = link.partition(":")[0] if ":" in link.partition("/")[0] else ""
            assert scheme in {"", "https"}, (path, link)
            assert not link.startswith("//"), (path, link)
            if scheme:
                assert "noopener" in attributes["rel"], (path, link)


def test_nothing_hides_or_turns_the_writing(shown: dict[str, Document]) -> None:
    for path, page in shown.items():
        seen = [value for tag, said in page.elements for name, value in said.items() if (tag, name) not in _SENT]
        everything = "".join([*page.words, *seen])
        found = [hex(ord(letter)) for letter in everything if letter in "\u202e\u200b\x1b\x07"]
        assert not found, path
    assert "safe\\u202egnp.exe" in shown["model/one/churn.html"].text


def test_the_words_are_shown_as_they_were_written(shown: dict[str, Document]) -> None:
    page = shown["version/one/churn@v1.0.0.html"]

    assert page.text.count("<script>evil()</script>") > 5
    assert "javascript:evil()" in page.text
    assert "{{7*7}}" in page.text
    assert "javascript://evil/%0aevil()" in shown["version/one/js@v0.0.1.html"].text


def test_a_path_that_is_no_file_of_the_repository_is_not_read(repo: RepoStory) -> None:
    repo.write("registry.yaml", "models: {churn: {card: ../../../etc/passwd}}\n").commit()
    (repo.path / "link.md").symlink_to("/etc/passwd")
    repo.write("cv/registry.yaml", "models: {pool: {card: ../link.md}}\n").commit()
    board = dashboard(repo)

    for path in ("model/one/churn.html", "model/one/cv=pool.html"):
        page = pages.at(board, path, {})
        assert page is not None
        assert "root:" not in render.html(page, board, now=NOW)

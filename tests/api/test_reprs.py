"""What a notebook shows: tables of strangers' words, of which none becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from registry import Model, Registry
from registry.porcelain import html
from tests.story import RepoStory

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e&\"'"
ALLOWED = {"div", "p", "br", "code", "table", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    """Takes HTML apart; whatever is not a table of words is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""
        self.typeset = ""  # what is left to MathJax, which takes no formula out of <code>
        self.rows = 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        assert {name for name, _ in attrs} <= {"style", "class"}
        self.rows += tag == "tr"
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        self.typeset += "" if "code" in self.open else data


def shown(one: object) -> Page:
    """What a notebook shows of `one`."""
    return Page(one._repr_html_())  # type: ignore[attr-defined]


@pytest.fixture
def hostile(repo: RepoStory) -> RepoStory:
    """A model with hostile texts wherever one may stand."""
    text = EVIL.replace("'", "''")
    repo.write("registry.yaml", f"models:\n  churn:\n    path: models/churn.pkl\n    description: '{text}'\n").commit()
    repo.register(
        "churn", "v1.0.0", message=EVIL, metrics={"<b>x</b>": EVIL, "auc": 0.5}, tags={"k": EVIL}, run=EVIL[:40]
    )
    return repo.assign("churn@v1.0.0", "production", message=EVIL)


def test_nothing_of_a_strangers_becomes_markup(hostile: RepoStory) -> None:
    registry = Registry(hostile.path)

    for one in (
        registry, registry["churn"], registry.resolve("churn"), registry.show_artifact("churn"),
        Model(EVIL, version=EVIL, repo=registry),
    ):  # fmt: skip
        page = shown(one)
        assert "<script>" in page.words or one is registry["churn"]
        assert "\u202e" not in page.words
        assert "color" not in one._repr_html_()


def test_a_model_shows_itself_and_its_versions(repo: RepoStory) -> None:
    repo.register("churn", "v1.0.0", metrics={"auc": 0.93}).assign("churn@v1.0.0", "production")
    repo.register("churn", "v2.0.0").register("churn", "v3.0.0").registry_at().deregister("churn@v2.0.0")

    page = shown(Model("churn", version="production"))

    assert all(words in page.words for words in ("churn@v1.0.0", "production", "auc: 0.93", "v3.0.0", "deregistered"))


def test_rows_are_bounded(repo: RepoStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "ROWS", 2)
    for n in range(1, 6):
        repo.register("churn", f"v{n}.0.0", message="x" * 10_000)
    for name in ("a", "b", "c"):
        repo.register(name, "v1.0.0", undeclared=True)

    registry = Registry()
    model, listing = shown(registry["churn"]), shown(registry)

    assert "and 3 more" in model.words
    assert "v3.0.0" not in model.words
    assert ("4 artifacts" in listing.words, "and 2 more" in listing.words, listing.rows) == (True, True, 3)
    assert len(model.words) < 2000


def test_what_cannot_be_shown_says_why(repo: RepoStory) -> None:
    page = shown(Model("chrun"))

    assert "Model('chrun', version='latest')" in page.words
    assert "no artifact is called chrun" in page.words
    assert "did you mean churn?" in page.words


def test_an_empty_registry(empty: RepoStory) -> None:
    assert "0 artifacts" in shown(Registry()).words


TEX = r"$\href{https://evil.example.com}{production}$ \(x\) $$y$$"


def test_nothing_of_a_strangers_becomes_a_formula(repo: RepoStory) -> None:
    repo.write(
        "registry.yaml", f"models:\n  churn: {{path: models/churn.pkl, type: '$x$', description: '{TEX}'}}\n"
    ).commit()
    repo.register("churn", "v1.0.0", message=TEX, metrics={"$a$": 1}, labels=[TEX], description=TEX, run=TEX)
    reg = repo.registry

    for one in (reg, reg["churn"], reg.resolve("churn"), reg.show_artifact("churn"), Model(TEX, repo=reg)):
        page = shown(one)
        assert "$" in page.words
        assert "$" not in page.typeset
        assert "\\(" not in page.typeset
        assert one._repr_html_().startswith('<div class="tex2jax_ignore mathjax_ignore">')


def test_what_cannot_be_asked_completes_nothing(empty: RepoStory) -> None:
    reg = Registry((empty.path / "gone").as_uri())

    assert reg._ipython_key_completions_() == []
    assert reg["churn"]._ipython_key_completions_() == []

"""What manifests say of one artifact is what they say of it among all, and costs no more than that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.manifest import Manifest
from registry.manifests import documents, read
from registry.plumbing.process import Git
from registry.repository import _PARSED
from tests.story import RepoStory

_NAMES = st.sampled_from(["churn", "fraud", "pool-1", "not a name", "7", "a/b", "Ω"])
_ENTRIES = st.sampled_from([
    "{}", "null", "text", "[1]", "{path: m.pkl}", "{path: ../out, type: dataset}", "{path: [1], labels: x}",
    "{desc: old, path: '${x}'}", "{custom: 1, type: dataset}", "{stages: {a: {after: 3}}, versions: {signed: maybe}}",
    "{stages: {prod: {exclusive: true}}, assign: {prod: v1.0.0}, version: v1.0.0}",
])  # fmt: skip
_SECTION = st.dictionaries(_NAMES, _ENTRIES, max_size=4)


def _written(sections: dict[str, dict[str, str]]) -> str:
    lines = ["versions: {overwrite: allow}", "stages: {prod: {after: 7}}"]
    for section, entries in sections.items():
        lines += [f"{section}:", *(f"  {name!r}: {entry}" for name, entry in entries.items())]
    return "\n".join(lines)


@given(
    st.dictionaries(
        st.sampled_from(["registry.yaml", "dvc.yaml", "cv/registry.yaml", "cv/dvc.yaml", "artifacts.yaml"]),
        st.dictionaries(st.sampled_from(["models", "artifacts"]), _SECTION),
    ),
    st.booleans(),
)
def test_about_one_is_of_all_that_one(files: dict[str, dict[str, dict[str, str]]], broken: bool) -> None:
    texts = {path: _written(sections).encode() for path, sections in files.items()}
    texts |= {"artifacts.yaml": b"churn: {type: dataset}\nfraud: [1]\n"} if "artifacts.yaml" in texts else {}
    texts |= {".gto": b"stages: [dev]\nmodels: [unclosed" if broken else b"stages: [dev]\n"}
    eager = read.read(texts)
    everything = dict(eager.artifacts)  # all worked out, before any is asked for alone

    assert eager.names == tuple(everything)
    for name in [*everything, "cv:churn", "nobody"]:
        about = read.read(texts).about(name)
        assert about == replace(eager, artifacts={name: everything[name]} if name in everything else {})
        assert about.lifecycle(name) == eager.lifecycle(name)
        assert about.version_rules(name) == eager.version_rules(name)


def test_of_a_thousand_only_the_one_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    declaration = read._declaration

    def counted(name: str, *given: Any) -> Any:
        made.append(name)
        return declaration(name, *given)

    monkeypatch.setattr(read, "_declaration", counted)
    text = "models:\n" + "".join(f"  m{n}: {{path: m/{n}}}\n" for n in range(1000))
    found = read.read({"registry.yaml": text.encode()})

    assert found.about("m7").artifacts["m7"].path == found.artifacts["m7"].path == "m/7"
    assert made == ["m7"]
    assert len(found.artifacts) == 1000


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often git was started, and how often a manifest was parsed."""
    seen = {"git": 0, "parsed": 0}
    run, parse = Git._run, documents.parse

    def ran(*given: Any) -> Any:
        seen["git"] += 1
        return run(*given)

    def parsed(*given: Any) -> Any:
        seen["parsed"] += 1
        return parse(*given)

    monkeypatch.setattr(Git, "_run", ran)
    monkeypatch.setattr(documents, "parse", parsed)
    return seen


def test_any_number_of_artifacts_at_one_commit_are_one_question(empty: RepoStory, counts: dict[str, int]) -> None:
    empty.write("registry.yaml", "models:\n" + "".join(f"  m{n}: {{path: m/{n}}}\n" for n in range(50))).commit()
    repository = empty.registry.repository
    head = repository.commit("HEAD")
    counts.update(git=0, parsed=0)

    asked: list[Manifest] = [repository.manifest_at(head, f"m{n}") for n in range(50)]

    assert [one.artifacts[f"m{n}"].path for n, one in enumerate(asked)] == [f"m/{n}" for n in range(50)]
    assert counts == {"git": 2, "parsed": 1}


def test_many_manifests_are_parsed_once_and_not_kept_whole(empty: RepoStory, counts: dict[str, int]) -> None:
    commits = []
    for n in range(_PARSED + 4):
        text = f"models:\n  churn: {{path: m/{n}}}\n  other: {{path: o}}\n"
        commits.append(empty.write("registry.yaml", text).commit())
    repository = empty.registry.repository
    places = [(commit, "churn") for commit in commits]
    counts.update(git=0, parsed=0)

    for _ in range(2):
        found = repository.manifests_at(places)

        assert [one.artifacts["churn"].path for one in found] == [f"m/{n}" for n in range(_PARSED + 4)]
        assert all(list(one.artifacts) == ["churn"] and one.names == ("churn", "other") for one in found)
    assert counts["parsed"] == _PARSED + 4
    assert repository.manifest_at(commits[0], "other").artifacts["other"].path == "o"

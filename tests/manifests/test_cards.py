"""The front matter of model cards, as model hubs have it."""

from __future__ import annotations

import pytest

from registry.core.metadata import CardFacts
from registry.manifests import cards

CARD = """\
---
language: en
license: apache-2.0
tags:
- tabular-classification
- churn
datasets: [telco, ana/more]
metrics: [accuracy]
model-index:
- name: churn
  results:
  - task: {type: tabular-classification}
    dataset: {name: Telco, type: telco}
    metrics:
    - {type: accuracy, value: 0.93}
    - {type: f1, value: "0.91", name: F1}
  - dataset: {name: More, type: ana/more}
    metrics:
    - {type: accuracy, value: 0.81}
---
# Churn
"""


def test_what_a_card_says() -> None:
    assert cards.read(CARD.encode()) == CardFacts(
        metrics={"telco.accuracy": 0.93, "f1": 0.91, "ana/more.accuracy": 0.81},
        tags={"license": "apache-2.0", "datasets": "telco, ana/more"},
        labels=("tabular-classification", "churn"),
    )


def test_a_license_of_its_own_has_a_name() -> None:
    assert cards.read(b"---\nlicense: other\nlicense_name: llama3\n---\n").tags == {"license": "llama3"}


@pytest.mark.parametrize(
    "front",
    [
        "",
        "[",
        "- a",
        "just words",
        "license: [[mit]]",
        "tags: {a: b}",
        "model-index: {a: b}",
        "model-index: [1, [2]]",
        "model-index:\n- results:\n  - metrics:\n    - {type: [a], value: {b: c}}",
        "license: true",
        "tags: [1, null]",
        "a: &a [x]\nb: [*a, *a]\nc: !!python/object/apply:os.system [ls]",
        "license: " + "x" * 1000,
        "x: " + "[" * 10_000,
        "license: mit\nlicense: gpl",
        "#" * 60_000,
        "license: \x00mit",
    ],
)
def test_what_cannot_be_understood_is_left_out(front: str) -> None:
    assert cards.read(f"---\n{front}\n---\n# Card\n".encode()) == CardFacts()


def test_it_is_bounded() -> None:
    front = "tags: [" + ", ".join(f"t{n}" for n in range(1000)) + "]\nmodel-index:\n- results:\n  - metrics:\n"
    front += "".join(f"    - {{type: m{n}, value: {n}}}\n" for n in range(1000))

    found = cards.read(f"---\n{front}\n---\n".encode())

    assert (len(found.labels), len(found.metrics)) == (200, 200)


def test_a_text_is_on_one_line() -> None:
    assert cards.read(b'---\nlicense: "m\\ni\\tt"\n---\n').tags == {"license": "m i t"}


def test_bytes_that_are_no_text() -> None:
    assert cards.read(b"---\n\xff\xfe: \x80\n---\n") == CardFacts()
    assert cards.read(b"\xef\xbb\xbf---\r\nlicense: mit\r\n---\r\n").tags == {"license": "mit"}

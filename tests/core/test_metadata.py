"""What is known of a version: keys as values, and amendments over them (DESIGN parts 2, 3 and 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.core import metadata
from registry.core.events import Amendment, Registration
from registry.core.metadata import File, Metadata, Scalar
from tests.core.build import event, state

SHA = "0" * 64


def known(*keys: str) -> Metadata:
    return metadata.of_event(event("churn@v1.0.0", keys=keys))


def amended(first: tuple[str, ...], *later: tuple[str, ...]) -> Metadata:
    events = [event("churn@v1.0.0", 1, keys=("Counter: 1", *first))]
    events += [event(f"churn@v1.0.0=#{n}", n, keys=keys) for n, keys in enumerate(later, 2)]
    return state(*events).versions["v1.0.0"].metadata


def test_every_key_has_its_place() -> None:
    found = known(
        "Previous: abc", "Counter: 4", "Number: 2", "Version: v1.0.0", "Reason: Because",
        "Run: mlflow:f27c", "Run-URL: https://runs/f27c", "Metric: auc=0.9", "Param: depth=4", "Tag: team=growth",
        "Label: tabular", "Label: eu", f"Artifact: models/churn.pkl sha256:{SHA} 12", "Uses: train-set@v0.3.0",
        "Uses: https://host/r.git train-set@v0.3.0", "Description: Who leaves", 'Content: {"a": [1, null]}',
        "Deployment: eu-west=https://eu", "Approved: production", "Copied-From: https://host/x", "Of-Tomorrow: 1",
    )  # fmt: skip

    assert found == Metadata(
        metrics={"auc": 0.9},
        params={"depth": 4},
        tags={"team": "growth"},
        labels=("tabular", "eu"),
        uses=("train-set@v0.3.0", "https://host/r.git train-set@v0.3.0"),
        artifacts=(File("models/churn.pkl", SHA, 12),),
        deployments={"eu-west": "https://eu"},
        run="mlflow:f27c",
        run_url="https://runs/f27c",
        description="Who leaves",
        content={"a": [1, None]},
        other={"Copied-From": ("https://host/x",), "Of-Tomorrow": ("1",)},
    )


@pytest.mark.parametrize(
    ("first", "later", "field", "expected"),
    [
        # A key in an amendment replaces all values of that key,
        (("Label: a", "Label: b"), [("Label: c",)], "labels", ("c",)),
        (("Label: a",), [("Label: b", "Label: c")], "labels", ("b", "c")),
        (("Label: a",), [("Label: b",), ("Run: x",)], "labels", ("b",)),
        (("Label: a",), [("Label:",)], "labels", ()),
        (("Description: old",), [("Description: new",)], "description", "new"),
        (("Uses: a@v1.0.0", "Uses: b@v1.0.0"), [("Uses: c@v1.0.0",)], "uses", ("c@v1.0.0",)),
        (("Artifact: a",), [("Artifact: b",)], "artifacts", (File("b"),)),
        (("Of-Tomorrow: a",), [("Of-Tomorrow: b",)], "other", {"Of-Tomorrow": ("b",)}),
        # of `k=v` keys those of that k,
        (("Metric: a=1", "Metric: b=2"), [("Metric: a=3",)], "metrics", {"a": 3, "b": 2}),
        (("Param: a=1",), [("Param: b=2",)], "params", {"a": 1, "b": 2}),
        (("Tag: a=1", "Tag: b=2"), [("Tag: b=x=y",)], "tags", {"a": "1", "b": "x=y"}),
        (("Metric: a=1",), [("Metric: a=2",), ("Metric: a=3",)], "metrics", {"a": 3}),
        (("Metric: a=1", "Metric: a=2"), [], "metrics", {"a": 2}),
        ((), [("Deployment: eu=x", "Deployment: us=y")], "deployments", {"eu": "x", "us": "y"}),
        # and an empty v removes it.
        (("Metric: a=1", "Metric: b=2"), [("Metric: a=",)], "metrics", {"b": 2}),
        (("Metric: a=1",), [("Metric: a",)], "metrics", {}),
        (("Metric: a=1",), [("Metric: a=",), ("Metric: a=2",)], "metrics", {"a": 2}),
        ((), [("Deployment: eu=x",), ("Deployment: eu=",)], "deployments", {}),
        # What is about an amendment itself is not about the version.
        (("Run: x",), [("Reason: r", "Previous: p")], "other", {}),
    ],
)
def test_an_amendment_lies_over_what_was_said(
    first: tuple[str, ...], later: list[tuple[str, ...]], field: str, expected: object
) -> None:
    assert getattr(amended(first, *later), field) == expected


def test_an_amendment_before_the_last_registration_is_forgotten_and_one_after_a_deregistration_is_not() -> None:
    found = state(
        event("churn@v1.0.0", 1, keys=("Counter: 1",)),
        event("churn@v1.0.0=#2", 2, keys=("Label: old",)),
        event("churn@v1.0.0!#3", 3, keys=("Reason: bad",)),
        event("churn@v1.0.0=#4", 4, keys=("Label: between",)),
    )
    assert found.versions["v1.0.0"].metadata.labels == ("between",)

    back = found.with_events([event("churn@v1.0.0#5", 5, keys=("Run: y",))])
    assert back.versions["v1.0.0"].metadata == Metadata(run="y")


def test_amendments_go_by_counter_and_not_by_date() -> None:
    found = state(
        event("churn@v1.0.0", 1, keys=("Counter: 1",)),
        event("churn@v1.0.0=#2", 9, keys=("Label: first",)),
        event("churn@v1.0.0=#3", 2, keys=("Label: second",)),
    )

    assert found.versions["v1.0.0"].metadata.labels == ("second",)


def test_gather_takes_the_registration_and_what_follows() -> None:
    registration, amendment = event("churn@v1.0.0", keys=("Label: a",)), event("churn@v1.0.0=#2", keys=("Label: b",))
    assert isinstance(registration, Registration)
    assert isinstance(amendment, Amendment)

    assert metadata.gather(registration, []).labels == ("a",)
    assert metadata.gather(registration, [amendment]).labels == ("b",)


def test_the_manifests_files_lie_below_the_tags() -> None:
    found = known("Metric: auc=0.9", "Param: depth=4").over({"auc": 0.1, "f1": 0.2}, {"lr": 0.3}, "from the manifest")

    assert found.metrics == {"auc": 0.9, "f1": 0.2}
    assert found.params == {"lr": 0.3, "depth": 4}
    assert found.description == "from the manifest"
    assert known("Description: of the tag").over({}, {}, "of the manifest").description == "of the tag"
    assert known().over({}, {}, "").description is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0.5", 0.5), ("1e-3", 0.001), ("1.5E+2", 150.0), ("0", 0), ("10" * 100, int("10" * 100)),
        ("01", "01"), ("1.", "1."), (".5", ".5"), ("+1", "+1"), ("1_000", "1_000"), ("", ""), ("nan", "nan"),
        ("Infinity", "Infinity"), ("1e999", "1e999"), ("1" * 301, "1" * 301), ("\u0661", "\u0661"), ("1 ", "1 "),
        ("true", "true"),
    ],
)  # fmt: skip
def test_numbers_are_numbers_where_json_says_so(text: str, value: Scalar) -> None:
    found = metadata.number(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (1, "1"), (0.1, "0.1"), (1e-7, "1e-07"), (True, "true"), (None, "null"), ([1, 2], "[1, 2]")],
)
def test_a_value_is_spelled_as_json_does(value: object, text: str) -> None:
    assert metadata.spell(value) == text


def test_a_scalar_of_numpys_is_spelled_as_its_number() -> None:
    class Scalar32:
        def item(self) -> float:
            return 0.25

    assert metadata.spell(Scalar32()) == "0.25"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("[1.5, true]", [1.5, True]),
        ("not JSON", "not JSON"),
        ("NaN", "NaN"),
        ("[1e999]", ["1e999"]),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5000, "9" * 5000),
        ("", None),
    ],
)
def test_content_is_json_or_as_it_stands(text: str, value: Any) -> None:
    found = known(f"Content: {text}").content

    assert found == value
    assert json.loads(json.dumps(found, allow_nan=False)) == value


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (f"a b.pkl sha256:{SHA} 0", File("a b.pkl", SHA, 0)),
        ("a.pkl", File("a.pkl")),
        ("a.pkl sha256:00 3", File("a.pkl sha256:00 3")),
        (f"a.pkl sha256:{SHA}", File(f"a.pkl sha256:{SHA}")),
        ("", None),
    ],
)
def test_files_are_read_and_written_back(text: str, file: File | None) -> None:
    assert metadata.parse_file(text) == file
    assert file is None or metadata.spell_file(file) == text


@pytest.mark.parametrize("key", ["Metric: ", "Metric: =1", "Metric: =", "Label:  ", "Artifact: ", "Run:", "Uses:"])
def test_what_says_nothing_is_left_out(key: str) -> None:
    assert known(key) == Metadata()

"""Metrics over versions: which are drawn, and where."""

from __future__ import annotations

from registry.core.metadata import Metadata, Scalar
from registry.porcelain.values import ModelVersion
from registry.web import chart


def _version(name: str, *, active: bool = True, **metrics: Scalar) -> ModelVersion:
    known = Metadata(metrics=metrics)
    return ModelVersion(
        "churn", name, 1, "0" * 40, None, active, (), (), None, None, "", None, "model", "", known
    )  # fmt: skip


def test_a_metric_is_a_line_from_the_oldest_to_the_newest() -> None:
    [one] = chart.charts([_version("v3", auc=0.9), _version("v2", auc=0.7), _version("v1", auc=0.8)])

    assert [(p.version, p.value) for p in one.points] == [("v1", 0.8), ("v2", 0.7), ("v3", 0.9)]
    assert one.points[0].x == chart.EDGE
    assert one.points[-1].x == chart.WIDTH - chart.EDGE
    assert one.points[1].y == chart.HEIGHT - chart.EDGE  # the least is lowest
    assert one.points[2].y == chart.EDGE
    assert (one.low, one.high) == (0.7, 0.9)
    assert one.line.count(",") == 3


def test_what_is_no_number_is_not_drawn() -> None:
    versions = [
        _version("v3", a="x", b=True, c=float("inf"), d=10**400, e=1, f=1),
        _version("v2", a=1, b=False, c=1, d=1, e=2, g=1),
        _version("v1", active=False, f=3, g=2),
    ]

    assert [one.metric for one in chart.charts(versions)] == ["e"]


def test_a_version_without_the_metric_is_left_out_and_equal_values_lie_in_the_middle() -> None:
    [one] = chart.charts([_version("v3", auc=1), _version("v2"), _version("v1", auc=1)])

    assert [p.version for p in one.points] == ["v1", "v3"]
    assert {p.y for p in one.points} == {chart.HEIGHT / 2}


def test_the_greatest_numbers_fit() -> None:
    [one] = chart.charts([_version("v2", x=1.7e308), _version("v1", x=-1.7e308)])

    assert [p.y for p in one.points] == [chart.HEIGHT - chart.EDGE, chart.EDGE]


def test_the_metrics_that_most_versions_have_come_first() -> None:
    versions = [_version("v2", b=1, a=1), _version("v1", a=1)]

    assert chart.metric_names(versions) == ["a", "b"]

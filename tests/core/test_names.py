"""Names and the forms of a tag: DESIGN part 2."""

from __future__ import annotations

import pytest

from registry.core import names
from registry.core.names import Form, TagName, parse_tag
from registry.errors import UsageError


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("churn@v1.2.0", TagName(Form.REGISTRATION, "churn", "v1.2.0")),
        ("churn@v1.2.0#7", TagName(Form.REGISTRATION, "churn", "v1.2.0", counter=7)),
        ("churn@v1.2.0-rc.1+b-2", TagName(Form.REGISTRATION, "churn", "v1.2.0-rc.1+b-2")),
        ("churn@v1.2.0!", TagName(Form.DEREGISTRATION, "churn", "v1.2.0")),
        ("churn@v1.2.0!#7", TagName(Form.DEREGISTRATION, "churn", "v1.2.0", counter=7)),
        ("churn@v1.2.0=#7", TagName(Form.AMENDMENT, "churn", "v1.2.0", counter=7)),
        ("churn#prod", TagName(Form.ASSIGNMENT, "churn", stage="prod")),
        ("churn#prod#7", TagName(Form.ASSIGNMENT, "churn", stage="prod", counter=7)),
        ("churn#prod/eu#7", TagName(Form.ASSIGNMENT, "churn", stage="prod/eu", counter=7)),
        ("churn#prod!", TagName(Form.UNASSIGNMENT, "churn", stage="prod")),
        ("churn#prod!#7", TagName(Form.UNASSIGNMENT, "churn", stage="prod", counter=7)),
        ("churn@deprecated", TagName(Form.DEPRECATION, "churn")),
        ("churn@deprecated#7", TagName(Form.DEPRECATION, "churn", counter=7)),
        ("churn@created", TagName(Form.CREATION, "churn")),
        ("cv=pool-seg@v0.0.1", TagName(Form.REGISTRATION, "cv:pool-seg", "v0.0.1")),
        ("a/b_c.d=m/x@v0.0.1", TagName(Form.REGISTRATION, "a/b_c.d:m/x", "v0.0.1")),
        ("_x=m@v0.0.1", TagName(Form.REGISTRATION, "_x:m", "v0.0.1")),
        (f"m#s#{2**63 - 1}", TagName(Form.ASSIGNMENT, "m", stage="s", counter=2**63 - 1)),
        ("m@v1.0.0+lock", TagName(Form.REGISTRATION, "m", "v1.0.0+lock")),
    ],
)
def test_every_form_of_a_tag_is_read_and_written_back(tag: str, expected: TagName) -> None:
    assert parse_tag(tag) == expected
    assert str(expected) == tag


@pytest.mark.parametrize(
    "tag",
    [
        "", "churn", "v1.2.0", "churn@1.2.0", "churn@v1.2", "churn@v01.2.0", "churn@v1.2.0=", "churn@v1.2.0#0",
        "churn@v1.2.0#01", f"m#s#{2**63}", "m#s#" + "9" * 5000, "churn@v1.2.0.lock", "churn@v1.0.0-x.lock",
        "churn@latest", "-churn@v1.0.0", "churn-@v1.0.0", "chürn@v1.0.0", "a//b@v1.0.0", "a#b//c#1", "churn#prod#1#2",
        "churn@v1.2.0\n", "churn@v1.2.0#\u0661", ".x=m@v1.0.0", "a..b=m@v1.0.0", "a.=m@v1.0.0", "a.lock=m@v1.0.0",
        "a.lock/b=m@v1.0.0", "a=b=m@v1.0.0", "churn##1", "churn#!#1", "churn@v1.0.0!!", "churn@created=", " m@v1.0.0",
    ],
)  # fmt: skip
def test_what_is_not_in_the_format_is_not_ours(tag: str) -> None:
    assert parse_tag(tag) is None


@pytest.mark.parametrize("name", ["churn", "c", "a/b", "cv:pool-seg", "a/b.c:m_1", "0", "a-_b"])
def test_names_of_artifacts(name: str) -> None:
    assert names.check_artifact(name) == name
    assert names.in_tag(name) == name.replace(":", "=")


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a//b", "/a", "a/", "..", "a:..:b", "../x:m", "é", "a=b", "a\n", ":m"]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError) as error:
        names.check_artifact(name)

    assert "churn" in error.value.hint


def test_where_an_artifact_is_declared() -> None:
    assert names.directory_of("cv/deep:pool") == "cv/deep"
    assert names.directory_of("churn") == ""
    assert names.qualified("cv", "pool") == "cv:pool"
    assert names.qualified("", "churn") == "churn"


@pytest.mark.parametrize(
    "tag", ["con@v1.0.0", "a/NUL@v1.0.0", "m#aux#1", "lpt1=m@v1.0.0", "m#" + "s" * 200 + "#1", "con.x=m@v1.0.0"]
)
def test_what_would_not_travel(tag: str) -> None:
    assert parse_tag(tag) is not None  # reading accepts it
    assert names.travel_problem(tag) is not None


@pytest.mark.parametrize("tag", ["conan@v1.0.0", "m#s#1", "a/b/c@v1.0.0-con"])
def test_what_travels(tag: str) -> None:
    assert names.travel_problem(tag) is None
